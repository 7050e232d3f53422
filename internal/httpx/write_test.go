package httpx_test

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"parley/internal/httpx"
)

func TestWriteJSON(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := httpx.WriteJSON(w, http.StatusCreated, map[string]string{"text": "<b>&\u4f60\u597d</b>"}); err != nil {
		t.Fatal(err)
	}
	if got, want := w.Body.String(), `{"text":"<b>&`+"\u4f60\u597d"+`</b>"}`; got != want || w.Code != http.StatusCreated {
		t.Errorf("answer = %d %q, want 201 %q", w.Code, got, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Content-Length": "25",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}

func TestWriteJSONFailsBeforeWriting(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := httpx.WriteJSON(w, http.StatusOK, map[string]any{"a": "x", "b": math.Inf(1)}); err == nil {
		t.Error("infinity was encoded, want an error")
	}
	if w.Body.Len() != 0 || len(w.Header()) != 0 {
		t.Errorf("written: %v %q, want nothing", w.Header(), w.Body)
	}
	if err := httpx.WriteJSON(w, http.StatusOK, true); err != nil || w.Body.String() != "true" {
		t.Errorf("afterwards: %q, %v, want true", w.Body, err)
	}
}

func TestWriteJSONDoesNotMixBodies(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			want := strings.Repeat(string(rune('a'+i)), i*20_000)
			for range 50 {
				w := httptest.NewRecorder()
				if err := httpx.WriteJSON(w, http.StatusOK, want); err != nil || w.Body.String() != `"`+want+`"` {
					t.Errorf("body of %d bytes is not its own, %v", w.Body.Len(), err)
				}
			}
		})
	}
	wg.Wait()
}

func TestWriteJSONToHead(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := httpx.WriteJSON(w, http.StatusOK, []int{1, 2}); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	res := get(t, http.MethodHead, srv.URL) //nolint:bodyclose // get closes it
	text, err := io.ReadAll(res.Body)
	if err != nil || len(text) != 0 || res.ContentLength != 5 {
		t.Errorf("HEAD: body %q, Content-Length %d, %v, want the length alone", text, res.ContentLength, err)
	}
}
