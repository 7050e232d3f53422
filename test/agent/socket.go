package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	// frameLimit is the longest frame that the server sends (AC 19.1).
	frameLimit = 2 << 20
	// helloLimit is how long the server waits for HELLO (AC 19.2).
	helloLimit = 5 * time.Second
)

// ErrLate is that the server was not told HELLO in time, for which this side is to
// blame: it began to connect so long ago.
var ErrLate = errors.New("said HELLO too late")

// Socket is a WebSocket of an agent that acknowledges what it gets itself. One
// goroutine reads it.
type Socket struct {
	conn *websocket.Conn
}

// Listen opens a socket, says HELLO, and returns when that was answered (AC 19.2).
// It fails with ErrLate if that failed when this side had been very slow.
func (a *Agent) Listen(ctx context.Context) (*Socket, error) {
	began := time.Now()
	address := "ws" + strings.TrimPrefix(a.server, "http") + "/v1/ws"
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: &a.network.client}) //nolint:bodyclose // the connection has it
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	conn.SetReadLimit(frameLimit)
	s := &Socket{conn}
	err = s.say(ctx, map[string]any{"type": "hello", "api_key": a.key, "capabilities": []string{"ack"}})
	said := time.Since(began)
	if err == nil {
		err = s.welcomed(ctx)
	}
	switch {
	case err == nil:
		return s, nil
	case said > helloLimit:
		err = errors.Join(ErrLate, err)
	}
	s.Close()
	return nil, fmt.Errorf("say hello: %w", err)
}

func (s *Socket) welcomed(ctx context.Context) error {
	frame, err := s.Next(ctx)
	if err != nil {
		return err
	}
	var hello struct {
		Type         string   `json:"type"`
		Capabilities []string `json:"capabilities"`
	}
	if err := json.Unmarshal(frame, &hello); err != nil || hello.Type != "hello.ok" || len(hello.Capabilities) != 1 {
		return fmt.Errorf("got %s, want hello.ok with ack", frame)
	}
	return nil
}

// Next waits for a frame. It fails when the connection has ended; CloseOf tells
// whether and how the server closed it.
func (s *Socket) Next(ctx context.Context) ([]byte, error) {
	_, frame, err := s.conn.Read(ctx)
	return frame, err
}

// NextMessage waits for a message; other frames are passed over.
func (s *Socket) NextMessage(ctx context.Context) (*Message, error) {
	for {
		frame, err := s.Next(ctx)
		if err != nil {
			return nil, err
		}
		var f struct {
			Type    string          `json:"type"`
			Payload json.RawMessage `json:"payload"`
		}
		if err := json.Unmarshal(frame, &f); err != nil {
			return nil, fmt.Errorf("decode %q: %w", frame, err)
		}
		if f.Type != "message.new" {
			continue
		}
		m := new(Message)
		if err := json.Unmarshal(f.Payload, m); err != nil {
			return nil, fmt.Errorf("decode %q: %w", frame, err)
		}
		return m, nil
	}
}

// Ack acknowledges a message; there is no answer (AC 19.4).
func (s *Socket) Ack(ctx context.Context, message string) error {
	return s.say(ctx, map[string]string{"type": "ack", "message_id": message})
}

func (s *Socket) say(ctx context.Context, frame any) error {
	text, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// Close ends the connection at once, without a word.
func (s *Socket) Close() { _ = s.conn.CloseNow() } // it has ended, or does now

// CloseOf says with which code and reason the server closed a socket; the code is
// -1 if it did not close it.
func CloseOf(err error) (code int, reason string) {
	if e, ok := errors.AsType[websocket.CloseError](err); ok {
		return int(e.Code), e.Reason
	}
	return -1, ""
}
