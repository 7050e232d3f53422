package httpx

import (
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Guard turns a panic in a handler into a logged error and an answer.
type Guard struct {
	// Log gets one error line per panic, with the stack.
	Log *slog.Logger
	// Answer writes the internal error of the surface. It runs only while
	// nothing has been written.
	Answer func(http.ResponseWriter, *http.Request)
	// Path says what to log as the path, for surfaces whose paths may carry a
	// secret; nil logs the path as it came.
	Path func(*http.Request) string
}

// Wrap guards next. A panic after the first byte ends the connection, because
// a response that merely stops looks complete to the client. A panic with
// http.ErrAbortHandler is a decision of the handler and passes through unlogged.
func (g Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, w, r := attach(w, r)
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // the documented sentinel is compared by identity
				panic(cause)
			}
			g.Log.ErrorContext(r.Context(), "handler panicked",
				"panic", cause, "request_id", x.requestID, "method", r.Method, "path", g.path(r),
				"stack", string(debug.Stack()))
			if x.answered() {
				panic(http.ErrAbortHandler)
			}
			// The handler may have described a body that will not come.
			w.Header().Del("Content-Length")
			w.Header().Del("Content-Encoding")
			g.Answer(w, r)
		}()
		next.ServeHTTP(w, r)
	})
}

func (g Guard) path(r *http.Request) string {
	if g.Path != nil {
		return g.Path(r)
	}
	return r.URL.Path
}
