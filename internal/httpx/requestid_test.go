package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/httpx"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, sent string
		echoed     bool
	}{
		{"none", "", false},
		{"one character", "x", true},
		{"blank and symbols", "trace 7/~!", true},
		{"128 characters", strings.Repeat("a", 128), true},
		{"129 characters", strings.Repeat("a", 129), false},
		{"not ASCII", "caf\u00e9", false},
		{"control character", "a\tb", false},
		{"delete", "a\x7f", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var inside string
			h := httpx.RequestIDs(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				inside = httpx.RequestID(r.Context())
				if got := w.Header().Get("X-Request-Id"); got != inside {
					t.Errorf("header inside the handler = %q, want %q", got, inside)
				}
			}))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("X-Request-Id", tc.sent)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)

			got := w.Result().Header.Get("X-Request-Id")
			switch {
			case tc.echoed && got != tc.sent:
				t.Errorf("id = %q, want the caller's %q", got, tc.sent)
			case !tc.echoed && !uuid4.MatchString(got):
				t.Errorf("id = %q, want a new UUIDv4", got)
			}
			if inside != got {
				t.Errorf("RequestID = %q, want %q", inside, got)
			}
		})
	}
}

func TestContextOutsideTheMiddlewares(t *testing.T) {
	t.Parallel()
	httpx.SetPattern(t.Context(), "/x")
	if got := httpx.RequestID(t.Context()); got != "" {
		t.Errorf("RequestID = %q, want none", got)
	}
	if got := httpx.ClientAddr(t.Context()); got.IsValid() {
		t.Errorf("ClientAddr = %v, want none", got)
	}
}

func TestContextSurvivesDerivation(t *testing.T) {
	t.Parallel()
	h := httpx.RequestIDs(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
		defer cancel()
		if got := httpx.RequestID(ctx); got != "req-9" {
			t.Errorf("RequestID = %q, want req-9", got)
		}
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Request-Id", "req-9")
	h.ServeHTTP(httptest.NewRecorder(), r)
}
