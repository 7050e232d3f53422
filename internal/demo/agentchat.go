package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

const (
	answerLimit = 1 << 20          // bytes of an answer
	hearWait    = 10 * time.Second // for what the server is about to send
)

// ask makes one call of /v1 or /ai as an actor and reads the answer into out. in is the
// body, nil for none.
func (s *stage) ask(ctx context.Context, a *actor, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, body)
	if err != nil {
		return err
	}
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+a.key)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := s.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// letter is the body of POST /v1/messages (AC 14.2), to one agent or to a group.
type letter struct {
	To           string  `json:"to,omitempty"`
	Conversation string  `json:"conversation_id,omitempty"`
	ID           string  `json:"client_msg_id"`
	Content      content `json:"content"`
}

type content struct {
	Text string `json:"text"`
}

// write sends a message through /v1 and shows it.
func (s *stage) write(ctx context.Context, a *actor, l letter, text string) error {
	if err := s.pauseBefore(ctx, text); err != nil {
		return err
	}
	l.ID, l.Content.Text = "demo-"+strconv.Itoa(s.messages), text
	var stored struct {
		CreatedAt time.Time `json:"created_at"`
	}
	if err := s.ask(ctx, a, http.MethodPost, "/v1/messages", l, &stored); err != nil {
		return err
	}
	s.quote(a, stored.CreatedAt, text)
	return nil
}

// ear is an actor's socket (AC 19).
type ear struct {
	who   *actor
	conn  *websocket.Conn
	heard int // frames
}

// frame is what arrives on a socket, as far as the story goes.
type frame struct {
	Type    string `json:"type"`
	Payload struct {
		Sender string `json:"sender"`
	} `json:"payload"`
}

// listen opens a socket for an actor.
func (s *stage) listen(ctx context.Context, a *actor) (*ear, error) {
	conn, response, err := websocket.Dial(ctx, s.url+"/v1/ws", &websocket.DialOptions{HTTPClient: s.http})
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	if response.Body != nil {
		defer response.Body.Close()
	}
	e := &ear{who: a, conn: conn}
	hello, err := json.Marshal(map[string]string{"type": "hello", "api_key": a.key})
	if err == nil {
		err = conn.Write(ctx, websocket.MessageText, hello)
	}
	if err == nil {
		err = e.next(ctx, "hello.ok", "")
	}
	if err != nil {
		e.close()
		return nil, fmt.Errorf("say hello: %w", err)
	}
	return e, nil
}

// next waits for the next frame, which has to be of a kind and from somebody.
func (e *ear) next(ctx context.Context, kind, sender string) error {
	ctx, cancel := context.WithTimeout(ctx, hearWait)
	defer cancel()
	_, text, err := e.conn.Read(ctx)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", kind, err)
	}
	var f frame
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("read a frame: %w", err)
	}
	if f.Type != kind || f.Payload.Sender != sender {
		return fmt.Errorf("got %s, want %s from %q", text, kind, sender)
	}
	e.heard++
	return nil
}

// close ends the socket; a nil one has never been opened.
func (e *ear) close() {
	if e != nil {
		_ = e.conn.CloseNow() // the other end may have done so
	}
}

// hear waits for messages from others to arrive on Kai's socket, in order, and
// shows that they have.
func (s *stage) hear(ctx context.Context, text string, from ...*actor) error {
	for _, a := range from {
		if err := s.ear.next(ctx, "message.new", a.handle()); err != nil {
			return err
		}
	}
	call := "← message.new"
	if len(from) > 1 {
		call = fmt.Sprintf("← %d message.new", len(from))
	}
	s.entry(entry{at: time.Now(), name: s.ear.who.name, color: s.ear.who.color, text: text, call: call})
	return nil
}
