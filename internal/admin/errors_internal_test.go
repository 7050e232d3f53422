package admin

import (
	"errors"
	"strings"
	"testing"

	"parley/internal/chat"
)

func TestEveryCodeHasASentence(t *testing.T) {
	t.Parallel()
	for _, code := range chat.Codes() {
		e := asError(&chat.Error{Code: code, Field: "name", Min: 1, Max: 64, Cause: errors.New("a secret cause")})
		if e.Code != string(code) || e.Status < 400 || e.Status > 599 {
			t.Errorf("%s: answer %d with code %q", code, e.Status, e.Code)
		}
		if !strings.HasSuffix(e.Message, ".") || strings.Contains(e.Message, "secret") {
			t.Errorf("%s: %q, want a sentence without the cause", code, e.Message)
		}
	}
	if e := asError(errors.New("a secret cause")); e.Status != 500 || strings.Contains(e.Message, "secret") {
		t.Errorf("unexpected error: %d %q, want 500 without the cause", e.Status, e.Message)
	}
}
