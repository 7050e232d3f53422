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

// frameLimit is the longest frame that the server sends (AC 19.1).
const frameLimit = 2 << 20

// Socket is a WebSocket of an agent that acknowledges what it gets itself. One
// goroutine reads it.
type Socket struct {
	conn *websocket.Conn
}

// Listen opens a socket, says HELLO, and returns when that was answered (AC 19.2).
func (a *Agent) Listen(ctx context.Context) (*Socket, error) {
	b := time.Now()
	address := "ws" + strings.TrimPrefix(a.server, "http") + "/v1/ws"
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: &a.network.client})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	conn.SetReadLimit(frameLimit)
	s := &Socket{conn}
	d := time.Since(b)
	var said time.Time
	if err := s.greet(ctx, a.key, &said); err != nil {
		s.Close()
		return nil, fmt.Errorf("say hello: dial %v said %v total %v %w", d, said.Sub(b), time.Since(b), err)
	}
	return s, nil
}

func (s *Socket) greet(ctx context.Context, key string, said *time.Time) error {
	err := s.say(ctx, map[string]any{"type": "hello", "api_key": key, "capabilities": []string{"ack"}})
	*said = time.Now()
	if err != nil {
		return err
	}
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
