package wsx_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"parley/internal/wsx"
)

func TestUpgradeSendsTheHeadersOfTheCaller(t *testing.T) {
	t.Parallel()
	url, peers := serve(t, newGroup(t, wsx.Options{}), nil)
	client, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{ //nolint:bodyclose // the connection's
		HTTPHeader:      http.Header{"Origin": {"https://elsewhere.example"}},
		Subprotocols:    []string{"any"},
		CompressionMode: websocket.CompressionContextTakeover,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.CloseNow() }()
	<-peers
	if got := res.Header.Get("X-Request-Id"); got != "req_1" {
		t.Errorf("X-Request-Id = %q, want req_1", got)
	}
	for _, name := range []string{"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"} {
		if got := res.Header.Get(name); got != "" {
			t.Errorf("%s = %q, want none", name, got)
		}
	}
}

func TestUpgradeRefusesOtherRequests(t *testing.T) {
	t.Parallel()
	g := newGroup(t, wsx.Options{})
	tests := map[string]func(*http.Request){
		"plain GET":     func(r *http.Request) { r.Header = http.Header{} },
		"other method":  func(r *http.Request) { r.Method = http.MethodPost },
		"other upgrade": func(r *http.Request) { r.Header.Set("Upgrade", "h2c") },
		"no connection": func(r *http.Request) { r.Header.Set("Connection", "keep-alive") },
		"version":       func(r *http.Request) { r.Header.Set("Sec-WebSocket-Version", "8") },
		"no key":        func(r *http.Request) { r.Header.Del("Sec-WebSocket-Key") },
		"short key":     func(r *http.Request) { r.Header.Set("Sec-WebSocket-Key", "AAAA") },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := upgradeRequest()
			w := httptest.NewRecorder()
			if _, err := g.Upgrade(w, r); !errors.Is(err, http.ErrNotSupported) {
				t.Fatalf("unchanged: Upgrade = %v, want that a recorder cannot be hijacked", err)
			}
			change(r)
			if _, err := g.Upgrade(w, r); !errors.Is(err, wsx.ErrNotWebSocket) {
				t.Errorf("Upgrade = %v, want %v", err, wsx.ErrNotWebSocket)
			}
			if w.Body.Len() > 0 {
				t.Errorf("answered %q, want that left to the caller", w.Body)
			}
		})
	}
}

func TestWhatCameWithTheRequestIsRead(t *testing.T) {
	t.Parallel()
	p, client := dialRaw(t, newGroup(t, wsx.Options{}), masked(0x81, "hello")+masked(0x89, "there")[:4], echo)
	if _, err := client.Write([]byte(masked(0x89, "there")[4:])); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for range 2 {
		frame, err := client.next()
		if err != nil {
			t.Fatal(err)
		}
		got[frame] = true
	}
	if !got["1:hello"] || !got["a:there"] {
		t.Errorf("got %v, want the echo and the pong", got)
	}
	p.conn.Close(wsx.CodeNormal, "")
	client.want(t, "8:1000 ")
}

func TestFramesArriveInOrderAndWhole(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{SendBuffer: 64 << 20}), nil)
	sizes := []int{0, 1, 125, 126, 500, 16000, 16384, 65535, 65536, 200_000}
	const frames = 1000
	frame := func(i int) []byte {
		return append(fmt.Appendf(nil, "%d ", i), bytes.Repeat([]byte{'a' + byte(i%26)}, sizes[i%len(sizes)])...)
	}
	go func() {
		for i := range frames {
			send := p.conn.Send
			if i%3 > 0 {
				send = p.conn.Queue
			}
			if err := send(frame(i)); err != nil {
				t.Errorf("Send %d = %v", i, err)
				return
			}
			if i%3 == 2 {
				p.conn.Flush()
			}
		}
		if err := p.conn.Wait(0); err != nil { // last words have two seconds only
			t.Errorf("Wait = %v", err)
		}
		p.conn.Close(4000, "all said")
	}()
	for i := range frames {
		kind, got, err := client.Read(t.Context())
		if err != nil || kind != websocket.MessageText || !bytes.Equal(got, frame(i)) {
			t.Fatalf("frame %d: got %d bytes %.20q, %v", i, len(got), got, err)
		}
	}
	wantClosed(t, client, 4000, "all said")
}

func TestMessagesOfThePeer(t *testing.T) {
	t.Parallel()
	got := make(chan string, 3)
	_, client := connect(t, newGroup(t, wsx.Options{}), func(p *peer) {
		p.onMessage = func(data []byte, binary bool) { got <- fmt.Sprint(len(data), binary) }
	})
	large := []byte(strings.Repeat("x", 300_000))
	for _, m := range []struct {
		kind websocket.MessageType
		data []byte
	}{{websocket.MessageText, []byte("hi")}, {websocket.MessageBinary, []byte{1, 2, 255}}, {websocket.MessageText, large}} {
		if err := client.Write(t.Context(), m.kind, m.data); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"2 false", "3 true", "300000 false"} {
		if got := <-got; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPingsOfThePeerAreAnswered(t *testing.T) {
	t.Parallel()
	_, client := connect(t, newGroup(t, wsx.Options{}), nil)
	ctx := client.CloseRead(t.Context())
	for range 3 {
		if err := client.Ping(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTooLargeAMessageIsAnsweredWith1009(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{MaxFrame: 1000}), func(p *peer) {
		p.onMessage = func(data []byte, _ bool) { t.Errorf("message of %d bytes was handed on", len(data)) }
	})
	if err := client.Write(t.Context(), websocket.MessageText, make([]byte, 400_000)); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, client, wsx.CodeTooLarge, "message too large")
	wantCloseError(t, p.end(t), wsx.CloseError{Code: wsx.CodeTooLarge, Reason: "message too large"})
}

func TestCloseWritesWhatWaitsAndOnlyTheFirstCounts(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{}), nil)
	for range 3 {
		if err := p.conn.Send([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	reason := strings.Repeat("é", 100) // 200 bytes, of which 122 fit
	p.conn.Close(wsx.CodePolicy, reason)
	p.conn.Close(wsx.CodeNormal, "second")
	if err := p.conn.Send([]byte("late")); !errors.Is(err, wsx.ErrClosed) {
		t.Errorf("Send after Close = %v, want %v", err, wsx.ErrClosed)
	}
	for range 3 {
		if _, got, err := client.Read(t.Context()); err != nil || string(got) != "x" {
			t.Fatalf("got %q, %v, want x", got, err)
		}
	}
	wantClosed(t, client, wsx.CodePolicy, reason[:122])
	wantCloseError(t, p.end(t), wsx.CloseError{Code: wsx.CodePolicy, Reason: reason})
}

func TestThePeerCloses(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{}), nil)
	if err := client.Close(4000, "bye"); err != nil {
		t.Errorf("client's Close = %v, want an answer to it", err)
	}
	wantCloseError(t, p.end(t), wsx.CloseError{Code: 4000, Reason: "bye", ByPeer: true})
}

func TestThePeerVanishes(t *testing.T) {
	t.Parallel()
	g := newGroup(t, wsx.Options{})
	p, client := connect(t, g, nil)
	if err := client.CloseNow(); err != nil {
		t.Fatal(err)
	}
	why := p.end(t)
	if _, ok := errors.AsType[*wsx.CloseError](why); ok || why == nil {
		t.Errorf("ended with %v, want an error of the socket", why)
	}
	if got := g.Len(); got != 0 {
		t.Errorf("Len = %d, want 0", got)
	}
}

func TestBreachesOfTheProtocol(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ sent, want string }{
		"unmasked":             {"\x81\x02hi", "8:1002 protocol error"},
		"reserved bit":         {masked(0xC1, "hi"), "8:1002 protocol error"},
		"unknown opcode":       {masked(0x83, ""), "8:1002 unexpected opcode 3"},
		"nothing to continue":  {masked(0x80, "hi"), "8:1002 protocol error"},
		"text is not UTF-8":    {masked(0x81, "\xff"), "8:1007 invalid text encoding"},
		"length below zero":    {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", "8:1002 protocol error"},
		"close without a code": {masked(0x88, ""), "8:"},
		"close, reserved code": {masked(0x88, "\x03\xed"), "8:1002 "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, client := dialRaw(t, newGroup(t, wsx.Options{}), test.sent, nil)
			client.want(t, test.want)
			_ = client.Close()
			if why := p.end(t); why == nil {
				t.Error("ended without a reason")
			}
		})
	}
}

func TestAPanicOfTheHandlerEndsOneConnection(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{}), func(p *peer) {
		p.onMessage = func([]byte, bool) { panic("boom") }
	})
	if err := client.Write(t.Context(), websocket.MessageText, []byte("x")); err != nil {
		t.Fatal(err)
	}
	wantClosed(t, client, wsx.CodeInternal, "internal error")
	if why := p.end(t); !strings.Contains(fmt.Sprint(why), "boom") {
		t.Errorf("ended with %v, want the panic named", why)
	}
}

func TestSendAndCloseFromManyGoroutines(t *testing.T) {
	t.Parallel()
	p, client := connect(t, newGroup(t, wsx.Options{}), echo)
	frame := []byte(strings.Repeat("shared", 50))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				if err := p.conn.Send(frame); err != nil && !errors.Is(err, wsx.ErrClosed) {
					t.Errorf("Send = %v", err)
				}
				if i == 0 && n == 150 {
					p.conn.Close(4001, "enough")
				}
			}
		})
	}
	wantClosed(t, client, 4001, "enough")
	wg.Wait()
	p.conn.Close(4002, "again")
	wantCloseError(t, p.end(t), wsx.CloseError{Code: 4001, Reason: "enough"})
	if want := strings.Repeat("shared", 50); string(frame) != want {
		t.Errorf("the shared frame was changed to %q", frame)
	}
}
