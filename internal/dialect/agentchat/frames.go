package agentchat

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
)

// framesPerSecond is how many frames of one socket count within a second;
// acknowledgements do not (AC 19.6).
const framesPerSecond = 100

// frameRate counts the frames of one socket in windows of a second.
type frameRate struct {
	began time.Time
	count int
}

func (r *frameRate) allow(now time.Time) bool {
	if now.Sub(r.began) >= time.Second {
		r.began, r.count = now, 0
	}
	r.count++
	return r.count <= framesPerSecond
}

// clientFrame is a frame of a client, read member by member. What is malformed
// reads as if it were not there.
type clientFrame struct {
	object *httpx.Object // nil: not even an object
}

// readFrame reads a frame. It refers to data.
func readFrame(data []byte, binary bool) clientFrame {
	if binary {
		return clientFrame{}
	}
	o, err := httpx.ParseObject(data)
	if err != nil {
		return clientFrame{}
	}
	return clientFrame{o}
}

// text is a member of the frame itself.
func (f clientFrame) text(name string) string {
	if f.object == nil {
		return ""
	}
	s, _ := f.object.String(name)
	return s
}

func (f clientFrame) kind() string { return f.text("type") }

// key is the API key of a HELLO, under its newer name or the older one [D27].
func (f clientFrame) key() string {
	if key := f.text("api_key"); key != "" {
		return key
	}
	return f.text("token")
}

// offersAck tells whether a HELLO offers to acknowledge.
func (f clientFrame) offersAck() bool {
	if f.object == nil {
		return false
	}
	offered, _ := f.object.Strings("capabilities")
	return offersAck(offered)
}

// payload is what most frames carry, nil if it is missing or no object.
func (f clientFrame) payload() *httpx.Object {
	if f.object == nil {
		return nil
	}
	o, _ := f.object.Object("payload")
	return o
}

// take acts on a frame of an open socket (AC 19.6). There is no answer to most,
// and none to what is malformed, unknown or not the agent's to do.
func (s *socket) take(f clientFrame) {
	api := s.sockets.api
	kind := f.kind()
	if kind == "ack" {
		if id := api.openMessage(f.text("message_id")); id != 0 {
			api.Core.Delivered(s.call.Actor.Account, id)
		}
		return
	}
	if !s.rate.allow(time.Now()) {
		return
	}
	switch kind {
	case "hello": // from a client that had its key in the header
		if f.offersAck() {
			s.acks.Store(true)
		}
		_ = s.conn.Send(s.welcome())
		return
	case "ping":
		_ = s.conn.Send(api.encode(frame{Type: "pong"}))
		return
	}
	payload := f.payload()
	if payload == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if err := s.act(ctx, kind, payload); err != nil {
		api.trouble("frame not acted on", s.call, err)
	}
}

// act does what a frame with a payload asks for.
func (s *socket) act(ctx context.Context, kind string, payload *httpx.Object) error {
	api := s.sockets.api
	switch kind {
	case "presence.update":
		var q newPresence
		f := wire.Fields{Object: payload}
		q.read(&f)
		if err := f.Err(); err != nil {
			return err
		}
		_, err := api.Core.AnnouncePresence(ctx, s.call, chat.Presence{Status: q.status, Text: q.CustomMessage})
		return err
	case "message.read_ack", "typing.start", "typing.stop":
	default:
		return nil
	}
	text, _ := payload.String("conversation_id")
	var ref core.ConversationRef
	if ref.Conversation, ref.Kind = api.openConversation(text); ref.Conversation == 0 {
		return nil
	}
	if kind == "message.read_ack" {
		through, _ := payload.Int("through_seq")
		return api.Core.ReadThrough(ctx, s.call, ref, through)
	}
	return api.Core.Type(ctx, s.call, ref, kind == "typing.start")
}
