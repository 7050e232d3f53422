package wsx_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"parley/internal/wsx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// peer is the server's end of one connection, as a dialect would build it.
type peer struct {
	conn      *wsx.Conn
	onMessage func(data []byte, binary bool)

	mu    sync.Mutex
	pongs int
	why   error
}

func (p *peer) Message(data []byte, binary bool) {
	if p.onMessage != nil {
		p.onMessage(data, binary)
	}
}

func (p *peer) Pong() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pongs++
}

func (p *peer) Closed(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.why = why
}

func (p *peer) pongCount() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pongs
}

// end waits for the end of the connection and returns the reason.
func (p *peer) end(t testing.TB) error {
	t.Helper()
	select {
	case <-p.conn.Done():
	case <-t.Context().Done():
		t.Fatal("the connection did not end")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.why
}

// newGroup makes a group that ends with the test.
func newGroup(t testing.TB, options wsx.Options) *wsx.Group {
	t.Helper()
	g := wsx.NewGroup(options)
	t.Cleanup(func() {
		if err := g.CloseAll(context.Background(), wsx.CodeGoingAway, "test over", 0); err != nil {
			t.Errorf("CloseAll = %v", err)
		}
	})
	return g
}

// serve upgrades every request over TCP; setup may prepare the peer before it reads.
func serve(t testing.TB, g *wsx.Group, setup func(*peer)) (url string, peers <-chan *peer) {
	t.Helper()
	ch := make(chan *peer, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "req_1")
		conn, err := g.Upgrade(w, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusUpgradeRequired)
			return
		}
		p := &peer{conn: conn}
		if setup != nil {
			setup(p)
		}
		conn.Start(p)
		ch <- p
	}))
	t.Cleanup(server.Close)
	return server.URL, ch
}

// connect opens one connection over TCP.
func connect(t testing.TB, g *wsx.Group, setup func(*peer)) (*peer, *websocket.Conn) {
	t.Helper()
	url, peers := serve(t, g, setup)
	client, _, err := websocket.Dial(t.Context(), url, nil) //nolint:bodyclose // the connection's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.CloseNow() })
	client.SetReadLimit(-1)
	return <-peers, client
}

func echo(p *peer) {
	p.onMessage = func(data []byte, _ bool) { _ = p.conn.Send(append([]byte(nil), data...)) }
}

func wantCloseError(t *testing.T, got error, want wsx.CloseError) {
	t.Helper()
	e, ok := errors.AsType[*wsx.CloseError](got)
	if !ok || *e != want {
		t.Errorf("ended with %v, want %v (cause %v)", got, &want, want.Cause)
	}
}

// wantClosed reads up to the close frame and compares it.
func wantClosed(t *testing.T, client *websocket.Conn, code int, reason string) {
	t.Helper()
	for {
		_, _, err := client.Read(t.Context())
		if err == nil {
			continue
		}
		e, ok := errors.AsType[websocket.CloseError](err)
		if !ok || int(e.Code) != code || e.Reason != reason {
			t.Errorf("client got %v, want close %d %q", err, code, reason)
		}
		return
	}
}

// raw is a client by hand on an unbuffered pipe, for what a proper client would not
// do and for bubbles with a clock of their own.
type raw struct {
	net.Conn
	br *bufio.Reader
}

// hijacked is a ResponseWriter whose connection is the pipe.
type hijacked struct {
	http.ResponseWriter
	conn  net.Conn
	early string
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	br := bufio.NewReader(&earlyReader{early: h.early})
	if h.early != "" {
		if _, err := br.Peek(len(h.early)); err != nil {
			return nil, nil, err
		}
	}
	return h.conn, bufio.NewReadWriter(br, bufio.NewWriter(h.conn)), nil
}

type earlyReader struct{ early string }

func (r *earlyReader) Read(p []byte) (int, error) { return copy(p, r.early), nil }

// dialRaw connects over a pipe; early is what the client sent along with its request.
func dialRaw(t testing.TB, g *wsx.Group, early string, setup func(*peer)) (*peer, *raw) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	c := &raw{Conn: client, br: bufio.NewReaderSize(client, 16)}
	answered := make(chan error, 1)
	go func() {
		res, err := http.ReadResponse(c.br, nil) //nolint:bodyclose // frames follow, no body
		if err == nil && res.StatusCode != http.StatusSwitchingProtocols {
			err = errors.New(res.Status)
		}
		answered <- err
	}()
	conn, err := g.Upgrade(&hijacked{ResponseWriter: httptest.NewRecorder(), conn: server, early: early}, upgradeRequest())
	if err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	p := &peer{conn: conn}
	if setup != nil {
		setup(p)
	}
	conn.Start(p)
	return p, c
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header = http.Header{
		"Connection": {"keep-alive, Upgrade"}, "Upgrade": {"websocket"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	return r
}

// next reads one frame of the server as "opcode:payload".
func (c *raw) next() (string, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.br, head[:]); err != nil {
		return "", err
	}
	size := uint64(head[1])
	if size >= 126 {
		ext := make([]byte, 8)
		from := 6
		if size == 127 {
			from = 0
		}
		if _, err := io.ReadFull(c.br, ext[from:]); err != nil {
			return "", err
		}
		size = binary.BigEndian.Uint64(ext)
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(c.br, payload); err != nil {
		return "", err
	}
	if op := head[0] & 0xF; op != 8 || size < 2 {
		return fmt.Sprintf("%x:%s", op, payload), nil
	}
	return fmt.Sprintf("8:%d %s", binary.BigEndian.Uint16(payload), payload[2:]), nil
}

func (c *raw) want(t *testing.T, want string) {
	t.Helper()
	got, err := c.next()
	if err != nil || got != want {
		t.Errorf("next frame = %q, %v, want %q", got, err, want)
	}
}

// masked encodes a frame of a client with an all-zero mask.
func masked(first byte, payload string) string {
	return string([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}) + payload
}

func within(got, low, high time.Duration) bool { return got >= low && got <= high }
