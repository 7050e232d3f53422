package httpx

import (
	"net/http"
	"strconv"
	"strings"
)

// CORS says which web pages may call a surface and what they may see.
type CORS struct {
	Origin      string // "*", or the allowed origins separated by blanks; "" allows none
	Methods     string // for Access-Control-Allow-Methods
	Headers     string // for Access-Control-Allow-Headers
	Expose      string // for Access-Control-Expose-Headers; "" leaves it out
	MaxAge      int    // seconds a preflight answer may be kept; 0 leaves it to the browser
	Credentials bool   // allow cookies; needs a list of origins
}

// Wrap sets the headers on every response of next and answers preflights with
// 204 itself: put it outside the rate limit, which must not count them. An
// OPTIONS that is no preflight goes on to next. An origin that is not allowed
// is served as ever, but without the headers: the browser does the refusing.
func (c CORS) Wrap(next http.Handler) http.Handler {
	origins := strings.Fields(c.Origin)
	anyOrigin := len(origins) == 1 && origins[0] == "*"
	maxAge := strconv.Itoa(c.MaxAge)
	expose := []string{c.Expose} // shared by all responses

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		if !anyOrigin {
			h.Add("Vary", "Origin") // caches must not hand one origin's answer to another
		}
		if origin, ok := allowedOrigin(origins, anyOrigin, r.Header.Get("Origin")); ok {
			h.Set("Access-Control-Allow-Origin", origin)
			if c.Credentials && !anyOrigin {
				h.Set("Access-Control-Allow-Credentials", "true")
			}
			if c.Expose != "" {
				h["Access-Control-Expose-Headers"] = expose
			}
			if preflight {
				h.Set("Access-Control-Allow-Methods", c.Methods)
				h.Set("Access-Control-Allow-Headers", c.Headers)
				if c.MaxAge > 0 {
					h.Set("Access-Control-Max-Age", maxAge)
				}
			}
		}
		if preflight {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func allowedOrigin(origins []string, anyOrigin bool, origin string) (string, bool) {
	if anyOrigin {
		return "*", true
	}
	for _, o := range origins {
		if o == origin {
			return o, true
		}
	}
	return "", false
}
