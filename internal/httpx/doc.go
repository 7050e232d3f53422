// Package httpx is the HTTP plumbing that every wire dialect shares: request
// ids, the panic guard, the request record, client addresses, CORS, an exact
// router, strict JSON in and plain JSON out. It knows no dialect, no core and
// no error texts: whoever calls it says what a refusal looks like.
//
// # One exchange per request
//
// [RequestIDs], [Observe] and [Guard] share one value per request, the
// exchange: it is the response writer they hand on and, through the context,
// the place where [RequestID], [ClientAddr] and [SetPattern] read and write.
// The first of them to run makes it; so their order is free and the chain
// costs the same however many of them are used. The exchange belongs to the
// goroutine that serves the request and is not locked.
//
// The usual order, outermost first, is Observe, RequestIDs, Guard, CORS, the
// dialect's own middleware, Mux: then a panic is recorded with the status its
// answer had.
package httpx
