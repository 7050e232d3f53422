package httpx

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// Record is what is known about a request once it has been served. It holds no
// path, because paths may carry secrets and ids: Pattern tells the routes apart.
type Record struct {
	// Method is one of the nine standard methods, or "OTHER": a caller must not
	// be able to invent metric labels.
	Method string
	// Pattern is the path pattern of the route; "" when none matched.
	Pattern string
	// Status is the status sent; 101 for a connection taken over; 0 when the
	// handler aborted before it had answered.
	Status int
	// Bytes counts the body, before any transfer coding. It is 0 for HEAD and
	// for what goes over a connection taken over.
	Bytes int64
	// Duration is the time spent in what Observe wraps.
	Duration time.Duration
	// RequestID is "" without [RequestIDs].
	RequestID string
	// Client is the resolved address of the caller.
	Client netip.Addr
}

// Observe resolves the client address and calls hook after each request, also
// after one whose handler panicked. The hook runs on the goroutine of the
// request, so it must be quick and safe for concurrent use.
func Observe(clients *Clients, hook func(Record)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			start := time.Now()
			x, w, r := attach(w, r)
			x.client = clients.Addr(r)
			returned := false
			defer func() { hook(x.record(r.Method, time.Since(start), returned)) }()
			next.ServeHTTP(w, r)
			returned = true
		})
	}
}

// ClientAddr returns the address that [Observe] resolved for the request whose
// context ctx is or comes from; the zero Addr outside Observe.
func ClientAddr(ctx context.Context) netip.Addr {
	if x := exchangeOf(ctx); x != nil {
		return x.client
	}
	return netip.Addr{}
}

// SetPattern names the route of the request for [Record]. [Mux] calls it;
// surfaces with a router of their own call it themselves, with texts from a
// closed list. Outside the middlewares it does nothing.
func SetPattern(ctx context.Context, pattern string) {
	if x := exchangeOf(ctx); x != nil {
		x.pattern = pattern
	}
}

// record sums the exchange up. A handler that returns without writing has
// answered 200: the server sends it.
func (x *exchange) record(method string, d time.Duration, returned bool) Record {
	rec := Record{
		Method: knownMethod(method), Pattern: x.pattern, Status: x.status, Bytes: x.bytes,
		Duration: d, RequestID: x.requestID, Client: x.client,
	}
	switch {
	case x.hijacked:
		rec.Status = http.StatusSwitchingProtocols
	case rec.Status == 0 && returned:
		rec.Status = http.StatusOK
	}
	if method == http.MethodHead {
		rec.Bytes = 0
	}
	return rec
}

func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "OTHER"
}
