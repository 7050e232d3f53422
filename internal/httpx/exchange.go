package httpx

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
)

// exchange is what the middlewares share about one request. It is the response
// writer they hand on and the value their context holds, so that a request
// pays for one allocation here and not for one per middleware.
//
// It is not pooled: a handler that kept its writer for too long would then
// write into somebody else's response.
type exchange struct {
	http.ResponseWriter

	requestID string
	pattern   string
	client    netip.Addr
	status    int // first final status; 0 until something was written
	bytes     int64
	hijacked  bool
}

type exchangeKey struct{}

// exchangeOf returns the exchange of ctx, or nil outside the middlewares.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// attach returns the exchange of the request and what to hand to the next
// handler. The writer is left alone if there is an exchange already: a wrapper
// put between two middlewares stays in force, and still ends in the exchange.
func attach(w http.ResponseWriter, r *http.Request) (*exchange, http.ResponseWriter, *http.Request) {
	if x := exchangeOf(r.Context()); x != nil {
		return x, w, r
	}
	x := &exchange{ResponseWriter: w}
	return x, x, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
}

// answered reports whether the response can no longer be replaced.
func (x *exchange) answered() bool { return x.status != 0 || x.hijacked }

// WriteHeader notes the status of the answer.
func (x *exchange) WriteHeader(status int) {
	// 1xx other than 101 announce a response, they are not one.
	if x.status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	x.implicitOK()
	n, err := x.ResponseWriter.Write(p)
	x.bytes += int64(n)
	return n, err
}

// WriteString spares the copy that io.WriteString makes for a writer without it.
func (x *exchange) WriteString(s string) (int, error) {
	x.implicitOK()
	n, err := io.WriteString(x.ResponseWriter, s)
	x.bytes += int64(n)
	return n, err
}

// ReadFrom keeps sendfile within reach of io.Copy.
func (x *exchange) ReadFrom(src io.Reader) (int64, error) {
	x.implicitOK()
	n, err := io.Copy(x.ResponseWriter, src)
	x.bytes += n
	return n, err
}

// Flush implements http.Flusher; a writer below that cannot flush ignores it.
func (x *exchange) Flush() { _ = x.FlushError() }

// FlushError is what http.ResponseController calls, and reports what Flush hides.
func (x *exchange) FlushError() error {
	err := http.NewResponseController(x.ResponseWriter).Flush()
	if !errors.Is(err, http.ErrNotSupported) {
		x.implicitOK()
	}
	return err
}

// Hijack implements http.Hijacker, which socket libraries ask for by type
// assertion. What goes over the connection afterwards is not counted.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(x.ResponseWriter).Hijack()
	if err == nil {
		x.hijacked = true
	}
	return conn, rw, err
}

// Unwrap lets http.ResponseController reach deadlines and full duplex.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) implicitOK() {
	if x.status == 0 {
		x.status = http.StatusOK
	}
}
