package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// socket is the client's end of a WebSocket. As the generator shares the processors
// with what it measures, it does as little as it can: it knows the frames that the
// server sends, masks with zeroes, and looks for what it needs instead of decoding.
// One goroutine uses it.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
	seen int // bytes of the last frame, still in the buffer
	acks bool
}

const (
	frameLimit = 64 << 10 // bytes of one frame: no message here is as long
	openWait   = time.Minute

	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

const upgrade = "GET /v1/ws HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// closedError is that the server closed a socket.
type closedError struct {
	code   int
	reason string
}

func (e *closedError) Error() string { return fmt.Sprintf("closed with %d %q", e.code, e.reason) }

// refusedError is that the server did not open one.
type refusedError struct{ status string }

func (e *refusedError) Error() string { return fmt.Sprintf("answered %q", e.status) }

// hello is how a client introduces itself.
type hello struct {
	token    string
	acks     bool          // it acknowledges
	patience time.Duration // with which it waits for hello.ok
}

// openSocket opens a socket as the official clients do (AC 19.2), and returns when
// it is let in.
func openSocket(ctx context.Context, address string, h hello) (*socket, error) {
	d := net.Dialer{Timeout: openWait}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s := newSocket(conn, h.acks)
	ended := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer ended()
	if err := s.greet(h); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func newSocket(conn net.Conn, acks bool) *socket {
	return &socket{conn: conn, in: bufio.NewReaderSize(conn, readBuffer), acks: acks}
}

func (s *socket) greet(h hello) error {
	if err := s.conn.SetDeadline(time.Now().Add(openWait)); err != nil {
		return err
	}
	if err := s.upgrade(); err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	capabilities := `[]`
	if s.acks {
		capabilities = `["ack"]`
	}
	if err := s.write(opText, []byte(`{"type":"hello","api_key":"`+h.token+`","capabilities":`+capabilities+`}`)); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(h.patience)); err != nil {
		return err
	}
	frame, err := s.next()
	if err != nil {
		return fmt.Errorf("wait for hello.ok: %w", err)
	}
	if !bytes.HasPrefix(frame, []byte(`{"type":"hello.ok"`)) {
		return fmt.Errorf("wait for hello.ok: got %.200s", frame)
	}
	return s.conn.SetDeadline(time.Time{})
}

func (s *socket) upgrade() error {
	if _, err := s.conn.Write([]byte(upgrade)); err != nil {
		return err
	}
	status := ""
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if status == "" {
			status = string(bytes.TrimSpace(line))
		}
		if len(line) <= 2 {
			break
		}
	}
	if !bytes.HasPrefix([]byte(status), []byte("HTTP/1.1 101 ")) {
		return &refusedError{status}
	}
	return nil
}

// next returns the next text frame, which is good until the one after, and answers
// pings on the way.
func (s *socket) next() ([]byte, error) {
	for {
		kind, payload, err := s.frame()
		if err != nil {
			return nil, err
		}
		switch kind {
		case opText:
			return payload, nil
		case opPing:
			if err := s.write(opPong, payload); err != nil {
				return nil, err
			}
		case opClose:
			e := &closedError{code: 1005} // no code was sent
			if len(payload) >= 2 {
				e.code, e.reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
			}
			return nil, e
		}
	}
}

func (s *socket) frame() (kind byte, payload []byte, err error) {
	if _, err := s.in.Discard(s.seen); err != nil {
		return 0, nil, err
	}
	s.seen = 0
	head, err := s.in.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	if head[0]&0x80 == 0 || head[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("a frame begins with %x: it is in pieces or masked", head)
	}
	kind = head[0] & 0x0f
	size, length := 2, int(head[1])
	if length >= 126 {
		size = 4
		if length == 127 {
			return 0, nil, errors.New("a frame is longer than 64 KiB")
		}
		if head, err = s.in.Peek(size); err != nil {
			return 0, nil, err
		}
		length = int(binary.BigEndian.Uint16(head[2:]))
	}
	if _, err := s.in.Discard(size); err != nil {
		return 0, nil, err
	}
	if length > s.in.Size() {
		s.in = bufio.NewReaderSize(s.in, frameLimit)
	}
	payload, err = s.in.Peek(length)
	s.seen = len(payload)
	return kind, payload, err
}

// write sends a frame of less than 64 KiB, masked with zeroes.
func (s *socket) write(kind byte, payload []byte) error {
	frame := append(frameHead(kind, len(payload), 0x80), 0, 0, 0, 0)
	_, err := s.conn.Write(append(frame, payload...))
	return err
}

// frameHead is how a frame of less than 64 KiB begins; mask is 0x80 or 0.
func frameHead(kind byte, length int, mask byte) []byte {
	head := make([]byte, 0, 8+length)
	if length < 126 {
		return append(head, 0x80|kind, mask|byte(length))
	}
	return append(head, 0x80|kind, mask|126, byte(length>>8), byte(length))
}

// acknowledge says that a message.new has arrived (AC 19.4).
func (s *socket) acknowledge(frame []byte) error {
	id, ok := member(frame, `"id":"`)
	if !ok {
		return fmt.Errorf("a message without an id: %.200s", frame)
	}
	return s.write(opText, append(append([]byte(`{"type":"ack","message_id":"`), id...), `"}`...))
}

// isMessage tells whether a frame brings a message.
func isMessage(frame []byte) bool { return bytes.HasPrefix(frame, []byte(`{"type":"message.new"`)) }

// member is the text that follows the first appearance of a key, up to a quote.
func member(text []byte, key string) (value []byte, ok bool) {
	_, rest, found := bytes.Cut(text, []byte(key))
	end := bytes.IndexByte(rest, '"')
	if !found || end < 0 {
		return nil, false
	}
	return rest[:end], true
}
