package agentchat

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"

	"parley/internal/chat"
)

const (
	onceHeader   = "Idempotency-Key"
	replayHeader = "Idempotent-Replay"

	// onceBody is the longest body that a route with a key takes: a picture.
	onceBody = 5 << 20
)

// once handles a request, or answers it as it was answered before under the same
// Idempotency-Key (AC 2.8).
func (x *exchange) once(route Route) (body any, err error) {
	keys := x.Header.Values(onceHeader)
	if len(keys) == 0 || !route.once() {
		return route.handle(x)
	}
	fingerprint, ok := x.fingerprint()
	if !ok {
		return route.handle(x) // which fails on the body, too
	}
	key := ""
	if len(keys) == 1 {
		key = keys[0]
	}
	err = x.api.Core.Begin(x.Context(), &x.call, key, fingerprint)
	x.markReplay()
	if err != nil {
		return nil, err
	}
	err = chat.Fail(chat.CodeInternal) // unless the handler comes back
	defer func() { x.api.Core.End(x.Context(), &x.call, err) }()
	body, err = route.handle(x)
	x.markReplay()
	return body, err
}

// once tells whether the route takes an idempotency key. Messages have ids of their
// clients instead.
func (r Route) once() bool {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r.Auth == AuthKey && r.Path != "/v1/messages"
	}
	return false
}

// markReplay tells the client that the answer is an old one.
func (x *exchange) markReplay() {
	if x.call.Once.Replayed() {
		x.w.Header().Set(replayHeader, "true")
	}
}

// fingerprint is the SHA-256 of method, path and body. The body is there to be read
// again; ok is false if it is too long or broke off.
func (x *exchange) fingerprint() (sum [sha256.Size]byte, ok bool) {
	h := sha256.New()
	_, _ = io.WriteString(h, x.Method+" "+x.URL.EscapedPath()+"\n") // a hash takes everything
	var read bytes.Buffer
	n, err := io.Copy(io.MultiWriter(h, &read), io.LimitReader(x.Body, onceBody+1))
	rest := x.Body
	x.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&read, rest), rest}
	return [sha256.Size]byte(h.Sum(nil)), err == nil && n <= onceBody
}
