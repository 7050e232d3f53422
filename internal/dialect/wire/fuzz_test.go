package wire_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/wire"
)

// What ParseInstant takes, time.Parse takes as the same instant, but for the
// leniencies of the contract; what it refuses, time.Parse refuses or takes
// although RFC 3339 does not.
func FuzzParseInstant(f *testing.F) {
	for _, seed := range []string{
		"2026-04-27T12:00:00Z", "2026-04-27T12:00:00.123456789+02:00", "2026-04-27T12:00:00 02:00", "2024-02-29t23:59:59.9z",
		"2026-04-27", "yesterday", "1777777777", "2026-04-27T12:00:00,5Z", "2026-04-27T1:00:00Z", "2026-04-27T12:00:00.Z",
		"2026-04-27T12:00:00.1234567890Z", "2026-02-30T00:00:00Z", "2026-12-31T23:59:60Z", "0000-01-01T00:00:00-23:59", "",
		"2026-04-27T24:00:00Z", "2026-04-27T12:00:00+24:00", "9999-12-31T23:59:59.999999999-23:59", "2026-04-27T12:00:00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := wire.ParseInstant(s)
		strict := strings.ToUpper(s)
		if i := strings.LastIndexByte(strict, ' '); i >= 19 {
			strict = strict[:i] + "+" + strict[i+1:]
		}
		want, err := time.Parse(time.RFC3339Nano, strict)
		switch {
		case ok && err != nil:
			t.Errorf("%q: taken as %v, but time.Parse says %v", s, got, err)
		case ok && !got.Equal(want):
			t.Errorf("%q: got %v, want %v", s, got, want)
		case !ok && err == nil && !lenient(strict):
			t.Errorf("%q: refused, but time.Parse says %v", s, want)
		}
	})
}

// lenient tells what time.Parse takes beyond RFC 3339 and nine digits.
func lenient(s string) bool {
	if strings.Contains(s, ",") || len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || s[13] != ':' {
		return true
	}
	_, rest, fraction := strings.Cut(s, ".")
	if fraction && len(rest)-len(strings.TrimLeft(rest, "0123456789")) > 9 {
		return true
	}
	zone := s[max(len(s)-6, 0):]
	return !strings.HasSuffix(s, "Z") && (zone[1:3] > "23" || zone[4:] > "59")
}

// Query agrees with the standard library on every query that the library takes.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"limit=5", "limit=&limit=5", "a=b&limit=%zz", "li%6dit=5", "limit", "limit=5;x", "&&=&limit=a+b%20c", "%zz=1&limit=2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{URL: &url.URL{RawQuery: raw}}
		got := wire.Query(r, "limit")
		want, err := url.ParseQuery(raw)
		if err == nil && got != want.Get("limit") {
			t.Errorf("%q: got %q, want %q", raw, got, want.Get("limit"))
		}
	})
}

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{"Bearer x", "bearer\t x ", "Basic x", "Bearerx", "Bearer", "BEARER a b", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token := wire.Bearer(&http.Request{Header: http.Header{"Authorization": {header}}})
		if token == "" {
			return
		}
		if strings.Trim(token, " \t") != token || !strings.Contains(header, token) || !strings.EqualFold(header[:6], "bearer") {
			t.Errorf("%q: got token %q", header, token)
		}
	})
}
