package ops

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// readyWithin is how long the store may take to answer.
const readyWithin = time.Second

// Health answers whether the process lives and whether it can serve. All methods
// are safe for concurrent use.
type Health struct {
	check    func(ctx context.Context) error
	stopping atomic.Bool
}

// NewHealth asks check whether the store answers; it must respect its context.
func NewHealth(check func(ctx context.Context) error) *Health { return &Health{check: check} }

// Stopping makes the server not ready from now on, so that a balancer sends its
// requests elsewhere while those in flight are answered.
func (h *Health) Stopping() { h.stopping.Store(true) }

// Live answers 200 for as long as the process can answer at all. It asks nobody:
// restarting a server does not mend its database.
func (h *Health) Live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, `{"status":"alive"}`)
}

// Ready answers 200 when the server takes requests and its store answers within
// a second, else 503. The reason is a fixed word: causes belong in the log.
func (h *Health) Ready(w http.ResponseWriter, r *http.Request) {
	if h.stopping.Load() {
		answer(w, http.StatusServiceUnavailable, `{"status":"stopping"}`)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if err := h.check(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, `{"status":"store_unavailable"}`)
		return
	}
	answer(w, http.StatusOK, `{"status":"ready"}`)
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the prober has gone: it will come again
}
