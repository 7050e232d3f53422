package bench

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hand returns a socket and the other end of its connection.
func hand(t *testing.T) (*socket, net.Conn) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return newSocket(ours, false), theirs
}

func serverFrame(kind byte, payload string) []byte {
	return append(frameHead(kind, len(payload), 0), payload...)
}

func TestSocketReads(t *testing.T) {
	t.Parallel()
	s, server := hand(t)
	long, longest := strings.Repeat("b", 5000), strings.Repeat("c", 65535)
	go func() {
		for _, text := range []string{"a", long, "", longest} {
			_, _ = server.Write(serverFrame(opText, text))
		}
		_, _ = server.Write(serverFrame(opClose, "\x03\xf5overload"))
	}()
	for _, want := range []string{"a", long, "", longest} {
		if got, err := s.next(); err != nil || string(got) != want {
			t.Fatalf("frame = %.20s of %d bytes, %v, want %.20s of %d", got, len(got), err, want, len(want))
		}
	}
	var closed *closedError
	if _, err := s.next(); !errors.As(err, &closed) || closed.code != 1013 || closed.reason != "overload" {
		t.Errorf("error = %v, want close 1013 overload", err)
	}
}

// A server closes who does not answer its pings.
func TestSocketAnswersPings(t *testing.T) {
	t.Parallel()
	s, server := hand(t)
	answered := make(chan string, 1)
	go func() {
		_, _ = server.Write(serverFrame(opPing, "are you there"))
		pong := make([]byte, 6+13)
		_, _ = io.ReadFull(server, pong)
		answered <- string(pong)
		_, _ = server.Write(serverFrame(opText, "good"))
	}()
	if got, err := s.next(); err != nil || string(got) != "good" {
		t.Errorf("frame = %q, %v, want good", got, err)
	}
	if got, want := <-answered, "\x8a\x8d\x00\x00\x00\x00are you there"; got != want {
		t.Errorf("pong = %q, want %q", got, want)
	}
}

func TestSocketRefusesFrames(t *testing.T) {
	t.Parallel()
	for name, bytes := range map[string]string{
		"in pieces": "\x01\x01a", "masked": "\x81\x81\x00\x00\x00\x00a",
		"too long": "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", "cut off": "\x81\x05ab",
	} {
		s, server := hand(t)
		go func() { _, _ = server.Write([]byte(bytes)); _ = server.Close() }()
		if frame, err := s.next(); err == nil {
			t.Errorf("%s: got frame %q, want an error", name, frame)
		}
	}
}

// scripted is a server that treats each connection as the next function says, once
// the upgrade and the HELLO are read.
func scripted(t *testing.T, script ...func(conn net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for _, act := range script {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				act(conn)
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func letIn(conn net.Conn) {
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n")
	buffer := make([]byte, 4096)
	_, _ = conn.Read(buffer) // the HELLO
}

func closing(code string) func(net.Conn) {
	return func(conn net.Conn) {
		letIn(conn)
		_, _ = conn.Write(serverFrame(opClose, code))
	}
}

// A storm counts those who have to come again, and fails for those who may not.
func TestVisitorComesAgain(t *testing.T) {
	t.Parallel()
	served := func(conn net.Conn) {
		letIn(conn)
		for _, text := range []string{`{"type":"hello.ok"}`, `{"type":"message.new","payload":{"id":"msg_1"}}`, `{"type":"pong"}`} {
			_, _ = conn.Write(serverFrame(opText, text))
		}
		_, _ = io.Copy(io.Discard, conn)
	}
	busy := func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 503 Service Unavailable\r\n\r\n") }
	refusing := func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 401 Unauthorized\r\n\r\n") }
	for name, tc := range map[string]struct {
		script []func(net.Conn)
		again  int64
		want   string // in the error; "": there is none
	}{
		"at once":       {script: []func(net.Conn){served}},
		"overloaded":    {script: []func(net.Conn){closing("\x03\xf5"), served}, again: 1},
		"busy":          {script: []func(net.Conn){busy, served}, again: 1},
		"invalid token": {script: []func(net.Conn){closing("\x03\xf0Invalid token"), served}, want: "1008"},
		"refused":       {script: []func(net.Conn){refusing, served}, want: "401"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var again atomic.Int64
			v := visitor{address: scripted(t, tc.script...), token: "ac_live_x", waiting: 1, again: &again}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			s, err := v.visit(ctx)
			if s != nil {
				_ = s.conn.Close()
			}
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error = %v, want %q", err, tc.want)
			}
			if got := again.Load(); got != tc.again {
				t.Errorf("came again %d times, want %d", got, tc.again)
			}
		})
	}
}

// What a server must not do, an exchange does not count as a delivery.
func TestExchangeRefusesDeliveries(t *testing.T) {
	t.Parallel()
	frame := func(id string) []byte {
		return []byte(`{"type":"message.new","payload":{"id":"msg_1","client_msg_id":"` + id + `"}}`)
	}
	first := clientID(0)
	for name, tc := range map[string]struct {
		frames []string
		want   string
	}{
		"twice":    {[]string{first, first, first}, "arrived 3 times, want 2"},
		"an old":   {[]string{"s0000-000000000007"}, "when number 0 was in flight"},
		"nobody's": {[]string{"s0001-000000000000"}, "from nobody"},
		"foreign":  {[]string{"something else"}, "something else"},
	} {
		e := newExchange()
		e.addSender(2, nil)
		var err error
		for _, id := range tc.frames {
			if err = e.arrive(frame(id), 1); err != nil {
				break
			}
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error = %v, want %q", name, err, tc.want)
		}
	}
}

func TestClientID(t *testing.T) {
	t.Parallel()
	id := []byte(clientID(17))
	putNumber(id, 42)
	sender, number, err := readClientID(id)
	if string(id) != "s0017-000000000042" || sender != 17 || number != 42 || err != nil {
		t.Errorf("id %s reads as %d, %d, %v, want 17 and 42", id, sender, number, err)
	}
}
