package ops_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/ops"
)

func healthy(context.Context) error { return nil }

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestHealth(t *testing.T) {
	t.Parallel()
	broken := func(context.Context) error { return errors.New("disk full at /secret/place") }
	for _, tc := range []struct {
		name, path string
		check      func(context.Context) error
		stopping   bool
		status     int
		body       string
	}{
		{"alive", "/healthz", healthy, false, 200, `{"status":"alive"}`},
		{"alive with a broken store", "/healthz", broken, false, 200, `{"status":"alive"}`},
		{"alive while stopping", "/healthz", healthy, true, 200, `{"status":"alive"}`},
		{"ready", "/readyz", healthy, false, 200, `{"status":"ready"}`},
		{"broken store, cause hidden", "/readyz", broken, false, 503, `{"status":"store_unavailable"}`},
		{"stopping", "/readyz", healthy, true, 503, `{"status":"stopping"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			h := ops.NewHealth(tc.check)
			if tc.stopping {
				h.Stopping()
			}
			got := get(ops.Internal(ops.NewMetrics(), h), tc.path)
			if got.Code != tc.status || got.Body.String() != tc.body {
				t.Errorf("got %d %s, want %d %s", got.Code, got.Body, tc.status, tc.body)
			}
		})
	}
}

func TestReadyWaitsASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := ops.NewHealth(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		start := time.Now()
		got := get(ops.Internal(ops.NewMetrics(), h), "/readyz")
		if took := time.Since(start); got.Code != 503 || took != time.Second {
			t.Errorf("got %d after %v, want 503 after 1s", got.Code, took)
		}
	})
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	m := ops.NewMetrics()
	m.Info("parley_build_info", "What runs.", map[string]string{"version": "v1.2.3"})
	m.Gauge("parley_store_position", "Last position.", func() float64 { return 42 })
	m.Batch(3, 0, time.Millisecond)
	m.Batch(200, 2, 20*time.Millisecond)
	m.ListenerEnded("too slow")
	e := m.Endpoint("opencord", "SendMessage")
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() { e.Observe(201, 3*time.Millisecond) })
	}
	running.Wait()
	e.Observe(0, time.Second)
	m.Endpoint("opencord", "SendMessage").Observe(201, time.Millisecond) // the same figures

	shown := get(ops.Internal(m, ops.NewHealth(healthy)), "/metrics").Body.String()
	for _, want := range []string{
		`parley_build_info{version="v1.2.3"} 1`,
		`parley_store_position 42`,
		`parley_http_requests_total{code="201",operation="SendMessage",surface="opencord"} 11`,
		`parley_http_requests_total{code="other",operation="SendMessage",surface="opencord"} 1`,
		`parley_http_request_duration_seconds_count{operation="SendMessage",surface="opencord"} 12`,
		`parley_send_batch_size_sum 203`,
		`parley_send_batch_reruns_total 2`,
		`parley_send_batch_duration_seconds_count 2`,
		`parley_live_ended_total{reason="too slow"} 1`,
		`go_goroutines `,
		`process_resident_memory_bytes `,
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
}

func TestInternalServesProfilesAndNothingElse(t *testing.T) {
	t.Parallel()
	h := ops.Internal(ops.NewMetrics(), ops.NewHealth(healthy))
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/goroutine": 200, "/": 404, "/api/": 404} {
		if got := get(h, path).Code; got != want {
			t.Errorf("GET %s = %d, want %d", path, got, want)
		}
	}
}

// A request may pay at most a microsecond for being counted.
func BenchmarkObserve(b *testing.B) {
	b.ReportAllocs()
	e := ops.NewMetrics().Endpoint("opencord", "SendMessage")
	for b.Loop() {
		e.Observe(201, 3*time.Millisecond)
	}
}
