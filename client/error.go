package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Error is an answer of the server that is no success.
type Error struct {
	Method string
	Path   string // below the base URL
	Status int    // the HTTP status, for example http.StatusForbidden
	Text   string // the server's sentence, for people; it is stable (OC 5)
	// RetryAfter is how long to wait before the next call; 0 if nothing was
	// said. It stands beside 429.
	RetryAfter time.Duration
}

// Error names the call, the status and the server's sentence.
func (e *Error) Error() string {
	return fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.Status, e.Text)
}

// StatusOf returns the HTTP status of an *Error in err, 0 if there is none: err
// is nil, or no answer arrived.
func StatusOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// errorFrom reads an answer that is no success. One that does not come from the
// server itself, but from a proxy before it, has no sentence of ours.
func errorFrom(r *http.Response, method, path string, body []byte) *Error {
	e := &Error{Method: method, Path: path, Status: r.StatusCode}
	var told struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &told) == nil {
		e.Text = told.Error
	}
	if e.Text == "" {
		e.Text = http.StatusText(r.StatusCode)
	}
	if seconds, err := strconv.Atoi(r.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
