package httpx_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"parley/internal/httpx"
)

func teapot(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusTeapot)
	_, _ = io.WriteString(w, "sorry")
}

func TestGuardAnswersAndLogs(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	g := httpx.Guard{Log: slog.New(slog.NewJSONHandler(&log, nil)), Answer: teapot}
	h := httpx.RequestIDs(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "999")
		panic("lost the plot")
	})))
	r := httptest.NewRequest(http.MethodPatch, "/a/path?secret=1", nil)
	r.Header.Set("X-Request-Id", "req-1")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)

	if w.Code != http.StatusTeapot || w.Body.String() != "sorry" {
		t.Errorf("answer = %d %q, want the supplied one", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Length"); got != "" {
		t.Errorf("Content-Length = %q, want the handler's removed", got)
	}
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("log = %q: %v", &log, err)
	}
	want := map[string]any{
		"level": "ERROR", "msg": "handler panicked", "panic": "lost the plot",
		"request_id": "req-1", "method": "PATCH", "path": "/a/path",
	}
	stack, _ := line["stack"].(string)
	if !strings.Contains(stack, "TestGuardAnswersAndLogs") {
		t.Errorf("stack = %q, want the handler in it", stack)
	}
	delete(line, "stack")
	delete(line, "time")
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

func TestGuardPathIsTheCallersChoice(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	g := httpx.Guard{
		Log: slog.New(slog.NewJSONHandler(&log, nil)), Answer: teapot,
		Path: func(*http.Request) string { return "/redacted" },
	}
	h := g.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("x") }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/sup3rs3cret/x", nil))
	if got := log.String(); !strings.Contains(got, `"path":"/redacted"`) || strings.Contains(got, "sup3rs3cret") {
		t.Errorf("log = %s, want the redacted path only", got)
	}
}

func TestGuardEndsWhatHasBegun(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		begin  func(http.ResponseWriter)
		cause  any
		logged bool
	}{
		{"after a write", func(w http.ResponseWriter) { _, _ = w.Write([]byte("half")) }, "x", true},
		{"after a string", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "half") }, "x", true},
		{"after a status", func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) }, "x", true},
		{"after a flush", func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, "x", true},
		{"abort before the answer", func(http.ResponseWriter) {}, http.ErrAbortHandler, false},
		{"abort after the answer", func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }, http.ErrAbortHandler, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			g := httpx.Guard{Log: slog.New(slog.NewTextHandler(&log, nil)), Answer: func(http.ResponseWriter, *http.Request) {
				t.Error("Answer called")
			}}
			h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				tc.begin(w)
				panic(tc.cause)
			}))
			defer func() {
				if got := recover(); got != http.ErrAbortHandler { //nolint:errorlint // net/http looks for the bare value
					t.Errorf("panic = %v, want http.ErrAbortHandler", got)
				}
				if got := log.Len() > 0; got != tc.logged {
					t.Errorf("logged = %v, want %v: %s", got, tc.logged, &log)
				}
			}()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		})
	}
}

func TestGuardAnswersAfterAnEarlyHint(t *testing.T) {
	t.Parallel()
	g := httpx.Guard{Log: slog.New(slog.DiscardHandler), Answer: teapot}
	srv := httptest.NewServer(g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		panic("x")
	})))
	defer srv.Close()
	if res := get(t, http.MethodGet, srv.URL); res.StatusCode != http.StatusTeapot { //nolint:bodyclose // get closes it
		t.Errorf("status = %d, want %d", res.StatusCode, http.StatusTeapot)
	}
}
