package httpx_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"parley/internal/httpx"
)

func TestObserve(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method string
		handler      http.HandlerFunc
		want         httpx.Record
	}{
		{"nothing written", "GET", func(http.ResponseWriter, *http.Request) {}, httpx.Record{Method: "GET", Status: 200}},
		{
			"status, body, pattern", "POST", func(w http.ResponseWriter, r *http.Request) {
				httpx.SetPattern(r.Context(), "/x/{id}")
				teapot(w, r)
			},
			httpx.Record{Method: "POST", Pattern: "/x/{id}", Status: 418, Bytes: 5},
		},
		{"first status counts", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusNotFound)
			w.WriteHeader(http.StatusOK)
		}, httpx.Record{Method: "GET", Status: 404}},
		{"copied body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("seven b"))
		}, httpx.Record{Method: "GET", Status: 200, Bytes: 7}},
		{"head has no body", "HEAD", teapot, httpx.Record{Method: "HEAD", Status: 418}},
		{"invented method", "BREW", teapot, httpx.Record{Method: "OTHER", Status: 418, Bytes: 5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var got httpx.Record
			h := httpx.Observe(httpx.NewClients(nil), func(r httpx.Record) { got = r })(httpx.RequestIDs(tc.handler))
			r := httptest.NewRequest(tc.method, "/", nil)
			r.RemoteAddr = "192.0.2.9:1234"
			r.Header.Set("X-Request-Id", "req-1")
			h.ServeHTTP(httptest.NewRecorder(), r)

			tc.want.RequestID, tc.want.Client = "req-1", netip.MustParseAddr("192.0.2.9")
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreFields(httpx.Record{}, "Duration"), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}

func TestObserveTellsClientAndDuration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got httpx.Record
		h := httpx.Observe(httpx.NewClients(nil), func(r httpx.Record) { got = r })(
			http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if addr := httpx.ClientAddr(r.Context()); addr != netip.MustParseAddr("192.0.2.1") {
					t.Errorf("ClientAddr = %v, want 192.0.2.1", addr)
				}
				time.Sleep(3 * time.Second) // the bubble's clock
			}))
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		if got.Duration != 3*time.Second {
			t.Errorf("duration = %v, want 3s", got.Duration)
		}
	})
}

func TestObserveSeesAborts(t *testing.T) {
	t.Parallel()
	var got httpx.Record
	h := httpx.Observe(httpx.NewClients(nil), func(r httpx.Record) { got = r })(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	func() {
		defer func() { _ = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	}()
	if got.Method != http.MethodGet || got.Status != 0 {
		t.Errorf("record = %+v, want GET with status 0", got)
	}
}
