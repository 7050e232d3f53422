package agentchat

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/id"
)

// How much a page holds, if nothing is asked for and at the most (AC 14.5, 15.1).
const (
	historyPage, historyMost = 50, 200
	syncPage, syncMost       = 200, 500
)

func messageRoutes() []Route {
	return []Route{
		{
			ID: "sendMessage", Method: http.MethodPost, Path: "/v1/messages", Operation: core.OpSendMessage,
			Auth: AuthKey, Status: http.StatusCreated, Request: newMessage{}, Response: sentMessage{},
			handle: (*exchange).sendMessage,
		},
		{
			ID: "readHistory", Method: http.MethodGet, Path: "/v1/messages/{conversation_id}", Operation: core.OpReadHistory,
			Auth: AuthKey, Status: http.StatusOK, Response: []historyMessage{}, handle: (*exchange).readHistory,
		},
		{
			ID: "markRead", Method: http.MethodPost, Path: "/v1/messages/{id}/read", Operation: core.OpMarkRead,
			Auth: AuthKey, Status: http.StatusOK, Response: readMessage{}, handle: (*exchange).markRead,
		},
		{
			ID: "hideMessage", Method: http.MethodDelete, Path: "/v1/messages/{id}", Operation: core.OpHideMessage,
			Auth: AuthKey, Status: http.StatusOK, Response: hiddenMessage{}, handle: (*exchange).hideMessage,
		},
		{
			ID: "syncMessages", Method: http.MethodGet, Path: "/v1/messages/sync", Operation: core.OpSyncMessages,
			Auth: AuthKey, Status: http.StatusOK, Response: []syncedMessage{}, handle: (*exchange).syncMessages,
		},
		{
			ID: "acknowledgeMessages", Method: http.MethodPost, Path: "/v1/messages/sync/ack",
			Operation: core.OpAcknowledgeMessages, Auth: AuthKey, Status: http.StatusOK,
			Request: acknowledgement{}, Response: acknowledged{}, handle: (*exchange).acknowledgeMessages,
		},
	}
}

// newContent is what a message is to carry: at least one member of it.
type newContent struct {
	Text         string         `json:"text"`
	Data         map[string]any `json:"data"`
	AttachmentID string         `json:"attachment_id" description:"Uploaded by the caller for this same target."`
}

// newMessage is the body of POST /v1/messages (AC 14.2).
type newMessage struct {
	To             string         `json:"to" description:"Handle of the recipient; or else conversation_id."`
	ConversationID string         `json:"conversation_id" description:"A group, or a direct conversation that exists."`
	ClientMsgID    string         `json:"client_msg_id" required:"true" minLength:"1" maxLength:"128" description:"The sender's own id: sending it again returns the first message."`
	Type           string         `json:"type" enum:"text,structured,file" default:"text"`
	Content        newContent     `json:"content" required:"true" description:"At least one member; with metadata at most 32,768 bytes."`
	Metadata       map[string]any `json:"metadata"`

	to, conversation chat.Opt[string]
	kind             chat.MessageKind
	data, metadata   []byte
}

func (q *newMessage) read(f *wire.Fields) {
	q.to, q.conversation = present(f.Optional("to")), present(f.Optional("conversation_id"))
	if q.to.Present == q.conversation.Present {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "to"))
	}
	if q.to.Value = normalHandle(q.to.Value); q.to.Present && q.to.Value == "" {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "to"))
	}
	q.ClientMsgID = f.Required("client_msg_id")
	q.readType(f)
	carries := false
	f.Nested("content", func(f *wire.Fields) {
		carries = true
		q.Content.Text, q.Content.AttachmentID = f.Text("text"), f.Text("attachment_id")
		q.data = document(f, "data", "content.data")
	})
	if !carries {
		f.Fail(chat.FailField(chat.CodeFieldRequired, "content"))
	}
	q.metadata = document(f, "metadata", "metadata")
}

func (q *newMessage) readType(f *wire.Fields) {
	kind := present(f.Optional("type"))
	if !kind.Present {
		return
	}
	for k := chat.MessageText; k <= chat.MessageSystem; k++ {
		if messageType(k) == kind.Value {
			q.kind = k
			return
		}
	}
	f.Fail(chat.FailField(chat.CodeFieldInvalid, "type"))
}

// document reads an object that is kept as it was sent, but for blanks; nil is none.
// field is its name in failures.
func document(f *wire.Fields, key, field string) []byte {
	var kept bytes.Buffer
	f.Nested(key, func(inner *wire.Fields) {
		raw, _ := f.Object.Raw(key)
		if httpx.HasNUL(raw) || json.Compact(&kept, raw) != nil {
			inner.Fail(chat.FailField(chat.CodeFieldInvalid, field))
		}
	})
	return kept.Bytes()
}

// unknownAttachment stands for what is no attachment's id: nothing has it.
const unknownAttachment chat.AttachmentID = -1

func (q *newMessage) message(a *api) core.NewMessage {
	in := core.NewMessage{
		Kind: chat.ConversationDirect, PeerHandle: q.to.Value, ClientID: q.ClientMsgID,
		Type: q.kind, Text: q.Content.Text, Data: q.data, Metadata: q.metadata,
	}
	if q.conversation.Present {
		in.Conversation, in.Kind = a.openConversation(q.conversation.Value)
		if in.Kind == 0 { // no id of ours: unknown among the direct ones
			in.Kind = chat.ConversationDirect
		}
	}
	if q.Content.AttachmentID != "" {
		in.Attachment = unknownAttachment
		if n, ok := a.open(prefixAttachment, id.KindAttachment, q.Content.AttachmentID); ok {
			in.Attachment = chat.AttachmentID(n)
		}
	}
	return in
}

// sentMessage is a message as its sender gets it back.
type sentMessage struct {
	message

	Skipped []string `json:"skipped_recipients,omitempty" description:"Members of the group who have too much undelivered; they find the message in the history."`
}

func (x *exchange) sendMessage() (any, error) {
	var q newMessage
	x.read(&q)
	sent, err := x.api.Core.SendMessage(x.Context(), x.call, q.message(x.api))
	if err != nil {
		return nil, err
	}
	if sent.Replayed {
		x.status = http.StatusOK
		x.w.Header().Set("Idempotent-Replay", "true")
	}
	if sent.Waiting > 0 {
		x.w.Header().Set("X-Backlog-Warning", sent.Recipient+"="+strconv.Itoa(sent.Waiting))
	}
	return sentMessage{x.api.row(&sent.MessageRow), sent.Skipped}, nil
}

// row shows a message with how far the envelope in the row has come: without one it
// is stored (AC 14.1).
func (a *api) row(r *chat.MessageRow) message {
	m := a.message(&r.Message, &r.By, r.Group)
	m.Status = stateWord(chat.EnvelopeStored)
	if e := r.Envelope; e != nil {
		m.Status = stateWord(e.State)
		m.DeliveredAt, m.ReadAt = wire.InstantOrNull(e.DeliveredAt), wire.InstantOrNull(e.ReadAt)
	}
	return m
}

// historyMessage is a message in the history of a conversation.
type historyMessage struct {
	message

	IsOwn bool `json:"is_own" required:"true" description:"The caller sent it."`
}

func (x *exchange) readHistory() (any, error) {
	q := core.HistoryQuery{Limit: x.pageLimit(historyPage, historyMost)}
	q.Conversation, q.Kind = x.api.openConversation(x.PathValue("conversation_id"))
	q.Before, q.After = x.cursor("before_seq", 1), x.cursor("after_seq", 0)
	if text := wire.Query(x.Request, "around_message_id"); text != "" {
		q.Around = chat.Opt[chat.MessageID]{Present: true, Value: x.api.openMessage(text)}
	}
	rows, err := x.api.Core.ReadHistory(x.Context(), x.call, q)
	if err != nil {
		return nil, err
	}
	out := make([]historyMessage, len(rows))
	for i := range rows {
		out[i] = historyMessage{message: x.api.row(&rows[i]), IsOwn: rows[i].Own}
	}
	return out, nil
}

// cursor reads a sequence number out of the query.
func (x *exchange) cursor(name string, least int) chat.Opt[int64] {
	if wire.Query(x.Request, name) == "" {
		return chat.Opt[int64]{}
	}
	n, _ := x.number(name, 0, least)
	return chat.Opt[int64]{Present: true, Value: int64(n)}
}

// readMessage is a message that was marked as read: old clients read the message,
// new ones ok.
type readMessage struct {
	message

	OK bool `json:"ok" required:"true"`
}

func (x *exchange) markRead() (any, error) {
	row, err := x.api.Core.MarkRead(x.Context(), x.call, x.messageID())
	if err != nil {
		return nil, err
	}
	return readMessage{x.api.row(row), true}, nil
}

// messageID reads the message in the path.
func (x *exchange) messageID() chat.MessageID { return x.api.openMessage(x.PathValue("id")) }

// hiddenMessage confirms that a message is out of the caller's sight.
type hiddenMessage struct {
	Message string `json:"message" required:"true"`
}

func (x *exchange) hideMessage() (any, error) {
	return hiddenMessage{"Message hidden"}, x.api.Core.HideMessage(x.Context(), x.call, x.messageID())
}

// syncedMessage is a message that waits for the caller.
type syncedMessage struct {
	message

	DeliveryID string `json:"delivery_id" required:"true" description:"The cursor: name it in after and last_delivery_id."`
}

func (x *exchange) syncMessages() (any, error) {
	q := core.SyncQuery{Limit: x.pageLimit(syncPage, syncMost)}
	if after := wire.Query(x.Request, "after"); after != "" {
		q.After = x.envelope(after)
	}
	rows, err := x.api.Core.Sync(x.Context(), x.call, q)
	if err != nil {
		return nil, err
	}
	out := make([]syncedMessage, len(rows))
	for i := range rows {
		out[i] = syncedMessage{x.api.row(&rows[i]), x.api.envelopeID(rows[i].ID, x.call.Actor.Account)}
	}
	return out, nil
}

// unknownMessage stands for what is no cursor of the caller's: nothing has it.
const unknownMessage chat.MessageID = -1

// envelope reads a cursor of sync.
func (x *exchange) envelope(text string) chat.MessageID {
	if m, ok := x.api.openEnvelope(text, x.call.Actor.Account); ok {
		return m
	}
	return unknownMessage
}

// acknowledgement is the body of POST /v1/messages/sync/ack (AC 15.2).
type acknowledgement struct {
	LastDeliveryID string `json:"last_delivery_id" required:"true" description:"Everything offered up to and including this one has arrived."`
}

func (q *acknowledgement) read(f *wire.Fields) { q.LastDeliveryID = f.Required("last_delivery_id") }

// acknowledged says how many messages became delivered.
type acknowledged struct {
	Acked int `json:"acked" required:"true" minimum:"0"`
}

func (x *exchange) acknowledgeMessages() (any, error) {
	var q acknowledgement
	x.read(&q)
	n, err := x.api.Core.Acknowledge(x.Context(), x.call, x.envelope(q.LastDeliveryID))
	return acknowledged{n}, err
}
