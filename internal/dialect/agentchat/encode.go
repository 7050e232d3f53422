package agentchat

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// eventWake is what a wake webhook is told (AC 7.5).
const eventWake = "wake"

// readMark is the payload of message.read: the fields of old and new clients
// (AC 19.5).
type readMark struct {
	ConversationID string `json:"conversation_id"`
	ThroughSeq     int64  `json:"through_seq"`
	Seq            int64  `json:"seq"`
	MessageID      string `json:"message_id"`
	Reader         string `json:"reader"`
	ReadBy         string `json:"read_by"`
	At             string `json:"at"`
	ReadAt         string `json:"read_at"`
}

// typing is the payload of typing.start and typing.stop.
type typing struct {
	ConversationID string `json:"conversation_id"`
	Sender         string `json:"sender"`
}

// presenceUpdate is the payload of presence.update.
type presenceUpdate struct {
	Handle        string  `json:"handle"`
	Status        string  `json:"status"`
	CustomMessage *string `json:"custom_message"`
}

// blockNotice is the payload of contact.blocked [D25].
type blockNotice struct {
	BlockedBy string `json:"blocked_by"`
}

// newcomer is the payload of agent.created.
type newcomer struct {
	Handle      string  `json:"handle"`
	DisplayName *string `json:"display_name"`
	CreatedAt   string  `json:"created_at"`
}

// wakeCall is the payload of a wake: the newest of the messages that wait.
type wakeCall struct {
	Handle           string `json:"handle"`
	UndeliveredCount int    `json:"undelivered_count"`
	ConversationID   string `json:"conversation_id"`
	MessageID        string `json:"message_id"`
	Sender           string `json:"sender"`
}

// payload is how /v1 tells of an event, to sockets and webhooks alike (AC 18.4,
// 19.5), with nothing in it that depends on the recipient. ok is false for what /v1
// does not tell of: other kinds, and messages in channels of spaces.
func (a *api) payload(e *chat.Event) (name string, data any, ok bool) {
	name = eventName(e.Kind)
	if name == "" || e.Space != 0 || e.By == nil {
		return "", nil, false
	}
	switch {
	case e.Kind == chat.EventMessageCreated && e.Message != nil:
		return name, a.message(e.Message, e.By, e.Group), true
	case e.Kind == chat.EventMessageRead && e.Read != nil:
		at := wire.Instant(e.At)
		return name, readMark{
			ConversationID: a.eventConversation(e), ThroughSeq: e.Read.Seq, Seq: e.Read.Seq,
			MessageID: a.messageID(e.Read.Message), Reader: e.By.Handle, ReadBy: e.By.Handle, At: at, ReadAt: at,
		}, true
	case e.Kind == chat.EventTypingStarted, e.Kind == chat.EventTypingStopped:
		return name, typing{ConversationID: a.eventConversation(e), Sender: e.By.Handle}, true
	case e.Kind == chat.EventPresenceChanged && e.Presence != nil:
		return name, presenceUpdate{
			Handle: e.By.Handle, Status: presenceWord(e.Presence.Status), CustomMessage: orNull(e.Presence.Text),
		}, true
	case e.Kind == chat.EventAccountBlocked:
		return name, blockNotice{BlockedBy: e.By.Handle}, true
	case e.Kind == chat.EventInviteCreated && e.Invite != nil && e.Group != nil:
		return name, a.invitation(a.PublicURL, e.Invite, e.Group, e.By), true
	case e.Kind == chat.EventGroupDeleted:
		return name, deletionDetails{
			Group: a.conversationID(chat.ConversationGroup, e.Conversation), DeletedBy: e.By.Handle, DeletedAt: wire.Instant(e.At),
		}, true
	case e.Kind == chat.EventAccountCreated:
		return name, newcomer{
			Handle: e.By.Handle, DisplayName: orNull(e.By.DisplayName), CreatedAt: wire.Instant(e.By.CreatedAt),
		}, true
	}
	return "", nil, false
}

// presenceWord is the word for a status: /v1 knows three (AC 12).
func presenceWord(s chat.Status) string {
	switch s {
	case chat.StatusOnline, chat.StatusAway:
		return "online"
	case chat.StatusBusy:
		return "busy"
	default:
		return "offline"
	}
}

// eventConversation shows where an event took place: one of a group carries it.
func (a *api) eventConversation(e *chat.Event) string {
	if e.Group != nil {
		return a.conversationID(chat.ConversationGroup, e.Conversation)
	}
	return a.conversationID(chat.ConversationDirect, e.Conversation)
}

// Encoder words deliveries to webhooks that were registered through /v1 (AC 18). It
// is immutable and works from the delivery alone.
type Encoder struct{ api *api }

// NewEncoder makes an encoder. publicURL is the address of the server in links,
// without a slash at the end.
func NewEncoder(ids *id.Codec, publicURL string) *Encoder {
	return &Encoder{&api{Config: Config{IDs: ids, PublicURL: publicURL}}}
}

// envelope is the body of every delivery.
type envelope struct {
	Event     string `json:"event"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

// Body is what is sent, at every attempt.
func (c *Encoder) Body(d *chat.Delivery) ([]byte, error) {
	name, data, ok := c.api.payload(&d.Event)
	if !ok {
		return nil, fmt.Errorf("event %s has no form for webhooks", d.Event.Kind)
	}
	if d.Wake != nil {
		name, data = eventWake, wakeCall{
			Handle: d.Wake.Handle, UndeliveredCount: d.Wake.Waiting, ConversationID: c.api.eventConversation(&d.Event),
			MessageID: c.api.messageID(d.Event.Message.ID), Sender: d.Event.By.Handle,
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(envelope{Event: name, Timestamp: wire.Instant(d.CreatedAt), Data: data}); err != nil {
		return nil, fmt.Errorf("encode event %s for a webhook: %w", d.Event.Kind, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Header is what goes with the body of one attempt: both signatures, the second
// over the time of the attempt (AC 18.5).
func (c *Encoder) Header(d *chat.Delivery, secret []byte, at time.Time) http.Header {
	name := eventName(d.Event.Kind)
	if d.Wake != nil {
		name = eventWake
	}
	t := strconv.FormatInt(at.Unix(), 10)
	h := make(http.Header)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "AgentChat-Webhook/1")
	h.Set("X-AgentChat-Signature", sign(secret, d.Body))
	h.Set("Agentchat-Signature", "t="+t+",v1="+sign(secret, []byte(t+"."), d.Body))
	h.Set("X-AgentChat-Event", name)
	h.Set("X-AgentChat-Delivery", c.api.seal(prefixDelivery, id.KindDelivery, int64(d.ID)))
	return h
}

// sign is the HMAC-SHA256 of the parts, one after the other, in hexadecimal.
func sign(secret []byte, parts ...[]byte) string {
	mac := hmac.New(sha256.New, secret)
	for _, p := range parts {
		_, _ = mac.Write(p) // never fails
	}
	return hex.EncodeToString(mac.Sum(nil))
}
