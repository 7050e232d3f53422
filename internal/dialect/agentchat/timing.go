package agentchat

import (
	"fmt"
	"io"
	"net/http"
	"time"
)

// timing adds Server-Timing to an answer of /dashboard (AC 2.14): how long it took to
// find out who calls, how long the core worked, and the whole. Waiting for the body
// of the request is part of the whole only.
type timing struct {
	http.ResponseWriter

	began      time.Time
	identified time.Time // zero: never
	waited     time.Duration
	answered   bool
}

// newTiming starts the clock of a request.
func newTiming(w http.ResponseWriter, r *http.Request) *timing {
	t := &timing{ResponseWriter: w, began: time.Now()}
	r.Body = &timedBody{r.Body, t}
	return t
}

// admit notes that it is known who calls; nothing is timed by a nil clock.
func (t *timing) admit() {
	if t != nil {
		t.identified = time.Now()
	}
}

// WriteHeader stops the clock.
func (t *timing) WriteHeader(status int) {
	if !t.answered {
		t.answered = true
		now, identified := time.Now(), t.identified
		if identified.IsZero() {
			identified = now
		}
		t.Header().Set("Server-Timing", fmt.Sprintf("auth;dur=%d, db;dur=%d, total;dur=%d",
			identified.Sub(t.began).Milliseconds(), (now.Sub(identified)-t.waited).Milliseconds(), now.Sub(t.began).Milliseconds()))
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write stops the clock, too.
func (t *timing) Write(b []byte) (int, error) {
	if !t.answered {
		t.WriteHeader(http.StatusOK)
	}
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (t *timing) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// timedBody counts how long its reader is waited for.
type timedBody struct {
	io.ReadCloser

	t *timing
}

func (b *timedBody) Read(p []byte) (int, error) {
	began := time.Now()
	n, err := b.ReadCloser.Read(p)
	b.t.waited += time.Since(began)
	return n, err
}
