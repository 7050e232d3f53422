package wire

import (
	"net/http"
	"strconv"

	"parley/internal/chat"
)

// The headers that tell of a rate limit, in their documented spelling, which is not
// the canonical one of net/http.
const (
	headerLimit     = "X-RateLimit-Limit"
	headerRemaining = "X-RateLimit-Remaining"
	headerReset     = "X-RateLimit-Reset"

	// RateHeaders names them, as a list of headers that web pages may read.
	RateHeaders = headerLimit + ", " + headerRemaining + ", " + headerReset
)

// SetQuota sets the rate headers.
func SetQuota(h http.Header, q chat.Quota) {
	values := []string{strconv.Itoa(q.Limit), strconv.Itoa(q.Remaining), strconv.FormatInt(q.Reset.Unix(), 10)}
	h[headerLimit], h[headerRemaining], h[headerReset] = values[0:1:1], values[1:2:2], values[2:3:3]
}

// QuotaKnown tells whether the rate headers are set.
func QuotaKnown(h http.Header) bool {
	_, known := map[string][]string(h)[headerLimit] // Get would look for the canonical spelling
	return known
}

// CommonHeaders sets what every response of a dialect carries.
func CommonHeaders(next http.Handler) http.Handler {
	cache, options := []string{"no-store"}, []string{"nosniff"} // shared by all responses
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Cache-Control"], h["X-Content-Type-Options"] = cache, options
		next.ServeHTTP(w, r)
	})
}
