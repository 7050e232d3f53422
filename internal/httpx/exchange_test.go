package httpx_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"parley/internal/httpx"
)

func get(t *testing.T, method, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// The whole chain on a real server: what a wrapped writer must still be able to do.
func TestChainKeepsTheWriterWhole(t *testing.T) {
	t.Parallel()
	records := make(chan httpx.Record, 1)
	release := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/flush", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
		<-release
	})
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		_, _ = io.WriteString(conn, "raw bytes")
		_ = conn.Close()
	})
	mux.HandleFunc("/deadline", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("set deadline: %v", err)
		}
	})
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("x") })
	g := httpx.Guard{Log: slog.New(slog.DiscardHandler), Answer: teapot}
	srv := httptest.NewServer(httpx.Observe(httpx.NewClients(nil), func(r httpx.Record) { records <- r })(
		httpx.RequestIDs(g.Wrap(mux))))
	defer srv.Close()

	res := get(t, http.MethodGet, srv.URL+"/flush") //nolint:bodyclose // get closes it
	first := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "first" {
		t.Errorf("before the handler ends: read %q, %v, want what was flushed", first, err)
	}
	close(release)
	<-records

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "GET /hijack HTTP/1.1\r\nHost: x\r\n\r\n")
	if got, err := io.ReadAll(conn); err != nil || string(got) != "raw bytes" {
		t.Errorf("hijacked connection carried %q, %v", got, err)
	}
	if rec := <-records; rec.Status != http.StatusSwitchingProtocols {
		t.Errorf("hijacked: status = %d, want 101", rec.Status)
	}

	get(t, http.MethodGet, srv.URL+"/deadline") //nolint:bodyclose // get closes it
	<-records

	get(t, http.MethodGet, srv.URL+"/panic") //nolint:bodyclose // get closes it
	if rec := <-records; rec.Status != http.StatusTeapot || rec.Bytes != 5 {
		t.Errorf("panic: record = %+v, want the status of the answer", rec)
	}
}

func TestFlushAndHijackWithoutSupport(t *testing.T) {
	t.Parallel()
	h := httpx.RequestIDs(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("flush: %v, want ErrNotSupported", err)
		}
		if _, _, err := w.(http.Hijacker).Hijack(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("hijack: %v, want ErrNotSupported", err)
		}
	}))
	h.ServeHTTP(discard{http.Header{}}, httptest.NewRequest(http.MethodGet, "/", nil))
}
