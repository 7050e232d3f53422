package httpx

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
)

const (
	requestIDHeader = "X-Request-Id"
	maxRequestID    = 128
)

// RequestIDs gives every request an id: the caller's X-Request-Id if it is 1 to
// 128 printable ASCII characters, else a new UUIDv4 (AC 2.11). The id stands in
// the response header before next runs; a handler that takes the connection
// over has to send the header itself.
func RequestIDs(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, w, r := attach(w, r)
		x.requestID = r.Header.Get(requestIDHeader)
		if !validRequestID(x.requestID) {
			x.requestID = newUUID()
		}
		w.Header().Set(requestIDHeader, x.requestID)
		next.ServeHTTP(w, r)
	})
}

// RequestID returns the id of the request whose context ctx is or comes from;
// "" outside [RequestIDs]. The text may come from the caller: it is one line of
// printable ASCII, to be logged as a value and never as a format.
func RequestID(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.requestID
	}
	return ""
}

func validRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		if id[i] < ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

// newUUID makes a version 4 UUID. Request ids are for reading logs and name
// nothing that is stored, so they need no order in time.
func newUUID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: the runtime ends the process instead
	raw[6] = raw[6]&0x0f | 0x40
	raw[8] = raw[8]&0x3f | 0x80

	var text [36]byte
	hex.Encode(text[0:8], raw[0:4])
	hex.Encode(text[9:13], raw[4:6])
	hex.Encode(text[14:18], raw[6:8])
	hex.Encode(text[19:23], raw[8:10])
	hex.Encode(text[24:36], raw[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}
