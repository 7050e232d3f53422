package script_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// heldRequest is a request of which one half was sent.
type heldRequest struct {
	conn net.Conn
	rest string
}

func hold(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 4 && w.held == nil, "hold TOKEN METHOD PATH BODY, one at a time")
	token, method, path, body := args[0], args[1], args[2], args[3]
	conn := dial(ts, w)
	half := len(body) / 2
	_, err := fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"+
		"Expect: 100-continue\r\n\r\n", method, path, token, len(body))
	ts.Check(err)
	// The server says when it begins to read the body: from then on the request is
	// in flight, and no longer one that nobody has accepted.
	const goOn = "HTTP/1.1 100 Continue\r\n\r\n"
	said := make([]byte, len(goOn))
	_, err = io.ReadFull(conn, said)
	ts.Check(err)
	if string(said) != goOn {
		ts.Fatalf("got %q, want %q", said, goOn)
	}
	_, err = io.WriteString(conn, body[:half])
	ts.Check(err)
	w.held = &heldRequest{conn, body[half:]}
}

func release(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 1 && w.held != nil, "release STATUS, after hold")
	held := w.held
	w.held = nil
	defer func() { _ = held.conn.Close() }() // all was read
	_, err := io.WriteString(held.conn, held.rest)
	ts.Check(err)
	got := readRaw(ts, held.conn)
	show(ts, got)
	if want := number(ts, args[0]); got.status != want {
		ts.Fatalf("the request that was held: got status %d, want %d: %s", got.status, want, got.body)
	}
}

// slow opens connections that go silent in the middle of a request, and later
// waits for the server to cut them off.
func slow(ts *testscript.TestScript, w *world, args []string) {
	const form = "slow headers N, slow bodies N TOKEN METHOD PATH, slow cut LIMIT headers|bodies"
	usage(ts, len(args) == 2 || len(args) == 5 || len(args) == 3, form)
	kind, begin := args[0], "GET /api/auth/me HTTP/1.1\r\nHost: parley.test\r\nX-Hal"
	switch {
	case kind == "cut" && len(args) == 3:
		limit, err := time.ParseDuration(args[1])
		ts.Check(err)
		cut(ts, w.silent[args[2]], limit)
		return
	case kind == "bodies" && len(args) == 5:
		begin = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: parley.test\r\nAuthorization: Bearer %s\r\nContent-Length: 100\r\n\r\n{\"name\":\"half",
			args[3], args[4], args[2])
	default:
		usage(ts, kind == "headers" && len(args) == 2, form)
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	for range n {
		conn := dial(ts, w)
		ts.Defer(func() { _ = conn.Close() }) // it was cut off, or the script failed
		_, err := io.WriteString(conn, begin)
		ts.Check(err)
		w.silent[kind] = append(w.silent[kind], conn)
	}
}

// cut waits until the server has closed all connections.
func cut(ts *testscript.TestScript, conns []net.Conn, limit time.Duration) {
	usage(ts, len(conns) > 0, "slow cut, after slow headers or slow bodies")
	began := time.Now()
	for i, conn := range conns {
		ts.Check(conn.SetReadDeadline(began.Add(limit)))
		// What it says before it closes, a 408 or nothing, does not matter.
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			ts.Fatalf("connection %d of %d is open after %v", i+1, len(conns), limit)
		}
	}
	ts.Logf("the last connection was cut off after %v", time.Since(began).Round(time.Second))
}
