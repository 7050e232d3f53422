package script_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long a script waits for what has to happen.
const patience = 30 * time.Second

// socket is a WebSocket that a script has opened.
type socket struct{ conn *websocket.Conn }

func openSocket(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2 || len(args) == 3, "socket NAME TOKEN [PATH]")
	path := "/v1/ws"
	if len(args) == 3 {
		path = args[2]
	}
	options := &websocket.DialOptions{HTTPHeader: make(http.Header)}
	if args[1] != "-" {
		options.HTTPHeader.Set("Authorization", "Bearer "+args[1])
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, ts.Getenv("URL")+path, options) //nolint:bodyclose // the connection has it
	ts.Check(err)
	w.sockets[args[0]] = &socket{conn}
}

func (w *world) socket(ts *testscript.TestScript, name string) *socket {
	s := w.sockets[name]
	if s == nil {
		ts.Fatalf("there is no socket %s", name)
	}
	return s
}

// say sends a frame.
func say(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "say NAME TEXT")
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	ts.Check(w.socket(ts, args[0]).conn.Write(ctx, websocket.MessageText, []byte(args[1])))
}

// nextFrame waits for a frame of a type and passes over others.
func nextFrame(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "frame NAME TYPE")
	s := w.socket(ts, args[0])
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		_, data, err := s.conn.Read(ctx)
		if err != nil {
			ts.Fatalf("waiting for %s: %v", args[1], err)
		}
		var frame struct{ Type string }
		ts.Check(json.Unmarshal(data, &frame))
		if frame.Type == args[1] {
			_, err := ts.Stdout().Write(data)
			ts.Check(err)
			return
		}
	}
}

// closed waits until the server has closed a socket.
func closed(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "closed NAME CODE")
	s := w.socket(ts, args[0])
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	for {
		_, _, err := s.conn.Read(ctx)
		if err == nil {
			continue
		}
		var end websocket.CloseError
		if !errors.As(err, &end) || int(end.Code) != number(ts, args[1]) {
			ts.Fatalf("the socket ended with %v, want code %s", err, args[1])
		}
		_, err = io.WriteString(ts.Stdout(), end.Reason)
		ts.Check(err)
		return
	}
}

// receiver is what webhooks are sent to.
type receiver struct {
	server *httptest.Server
	got    chan answer // status is not set
}

// receive starts a receiver, which takes everything, or sends everybody elsewhere.
func receive(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 1 || len(args) == 2, "receiver NAME [LOCATION]")
	r := &receiver{got: make(chan answer, 100)}
	r.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // the sender sees it, too
		}
		r.got <- answer{header: q.Header, body: body}
		if len(args) == 2 {
			http.Redirect(rw, q, args[1], http.StatusTemporaryRedirect)
		}
	}))
	w.hooks[args[0]] = r
	ts.Setenv(args[0]+"_URL", r.server.URL)
}

func (w *world) receiver(ts *testscript.TestScript, name string) *receiver {
	r := w.hooks[name]
	if r == nil {
		ts.Fatalf("there is no receiver %s", name)
	}
	return r
}

// delivery waits for the next delivery, which has to be of an event.
func delivery(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 2, "delivery NAME EVENT")
	select {
	case got := <-w.receiver(ts, args[0]).got:
		show(ts, got)
		if event := eventOf(got); event != args[1] {
			ts.Fatalf("got a delivery of %s, want %s: %s", event, args[1], bytes.TrimSpace(got.body))
		}
	case <-time.After(patience):
		ts.Fatalf("nothing was delivered to %s", args[0])
	}
}

// eventOf is what a delivery is about: /v1 says so in a header, /ai in the body.
func eventOf(got answer) string {
	if event := got.header.Get("X-AgentChat-Event"); event != "" {
		return event
	}
	var body struct{ Type string }
	_ = json.Unmarshal(got.body, &body) // what is no JSON is about nothing
	return body.Type
}

// unvisited tells that nothing has come to a receiver, for which the script has
// given it time.
func unvisited(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) == 1, "unvisited NAME")
	select {
	case got := <-w.receiver(ts, args[0]).got:
		ts.Fatalf("something came to %s: %s", args[0], got.body)
	default:
	}
}
