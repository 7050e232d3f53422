package wire

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/internal/httpx"
)

// WholeSeconds rounds up.
func WholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// Bucket is the client's address as rate limits see it.
func Bucket(r *http.Request) string { return httpx.Bucket(httpx.ClientAddr(r.Context())).String() }

// Bearer returns the token of the Authorization header, "" if there is none. The
// scheme is matched in any case and blanks around the token are dropped (OC 3).
func Bearer(r *http.Request) string {
	header := r.Header.Get("Authorization")
	const scheme = "Bearer"
	if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
		return ""
	}
	rest := header[len(scheme):]
	if rest[0] != ' ' && rest[0] != '\t' {
		return ""
	}
	return strings.Trim(rest, " \t")
}

// Base is the address under which links to this server are given out, without a slash
// at the end: the public one, or else that which the request was made to.
func Base(r *http.Request, public string) string {
	switch {
	case public != "":
		return public
	case r.TLS != nil:
		return "https://" + r.Host
	default:
		return "http://" + r.Host
	}
}

// Query returns the first value of a query parameter, "" if there is none. Unlike
// url.Values it does not lose values with bad escapes: those stay as they were
// sent and fail as what they are read for.
func Query(r *http.Request, name string) string {
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key != name {
			if decoded, err := url.QueryUnescape(key); err != nil || decoded != name {
				continue
			}
		}
		if decoded, err := url.QueryUnescape(value); err == nil {
			return decoded
		}
		return value
	}
	return ""
}
