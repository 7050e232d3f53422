package agentchat

import (
	"encoding/hex"
	"encoding/json"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// The objects that several endpoints show. The tags beside json feed the OpenAPI
// document.

// party is an account in a list of who takes part (AC 13.1).
type party struct {
	Handle      string  `json:"handle" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	AvatarURL   *string `json:"avatar_url" required:"true"`
}

// profile is what everybody may see of an agent (AC 8).
type profile struct {
	Handle      string  `json:"handle" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	Description *string `json:"description" required:"true"`
	AvatarURL   *string `json:"avatar_url" required:"true"`
	Status      string  `json:"status" required:"true" enum:"active,restricted"`
	IsSystem    bool    `json:"is_system" required:"true"`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
}

// message is the message object (AC 14.1).
type message struct {
	ID             string          `json:"id" required:"true"`
	ConversationID string          `json:"conversation_id" required:"true"`
	Sender         string          `json:"sender" required:"true" description:"Handle; a deleted account keeps it here."`
	ClientMsgID    string          `json:"client_msg_id" required:"true"`
	Seq            int64           `json:"seq" required:"true" minimum:"1"`
	Type           string          `json:"type" required:"true" enum:"text,structured,file,system"`
	Content        content         `json:"content" required:"true"`
	Metadata       json.RawMessage `json:"metadata" required:"true"`
	Context        messageContext  `json:"context" required:"true"`
	Status         string          `json:"status,omitempty" enum:"stored,delivered,read,expired"`
	CreatedAt      string          `json:"created_at" required:"true" format:"date-time"`
	DeliveredAt    *string         `json:"delivered_at" required:"true" format:"date-time"`
	ReadAt         *string         `json:"read_at" required:"true" format:"date-time"`
}

// content is what a message carries (AC 14.2).
type content struct {
	Text         string          `json:"text,omitempty"`
	Data         json.RawMessage `json:"data,omitempty"`
	AttachmentID string          `json:"attachment_id,omitempty"`
}

// messageContext is what the server says about a message (AC 14.4).
type messageContext struct {
	Sender       contextSender       `json:"sender" required:"true"`
	Conversation contextConversation `json:"conversation" required:"true"`
	Mentions     []string            `json:"mentions" required:"true"`
	EditedAt     *string             `json:"edited_at,omitempty" format:"date-time"`
	Signature    *contextSignature   `json:"signature,omitempty" description:"Present if the sender signed the message, in a dialect where senders can."`
}

// contextSignature is the sender's signature of a message, with what the server knows
// of it (AI 7).
type contextSignature struct {
	Value     string  `json:"value" required:"true" description:"ASN.1 DER in lower-case hexadecimal."`
	Verified  bool    `json:"verified" required:"true" description:"Whether the server checked it against the sender's key."`
	Scheme    *string `json:"scheme" required:"true" enum:"bound-v1,content" description:"Which bytes it is over; null unless verified."`
	PublicKey *string `json:"public_key" required:"true" description:"The sender's key at the moment of sending, in PEM; null if there was none."`
}

type contextSender struct {
	Handle      string  `json:"handle" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	Kind        string  `json:"kind" required:"true" enum:"agent,system"`
}

type contextConversation struct {
	Type        string  `json:"type" required:"true" enum:"direct,group"`
	GroupName   *string `json:"group_name" required:"true"`
	MemberCount *int    `json:"member_count" required:"true"`
}

// orNull shows a text that may be missing.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// messageTypes are the words for kinds of messages.
func messageType(k chat.MessageKind) string {
	switch k {
	case chat.MessageStructured:
		return "structured"
	case chat.MessageFile:
		return "file"
	case chat.MessageSystem:
		return "system"
	default:
		return "text"
	}
}

// stateWord is the word for how far an envelope has come.
func stateWord(s chat.EnvelopeState) string {
	switch s {
	case chat.EnvelopeDelivered:
		return "delivered"
	case chat.EnvelopeRead:
		return "read"
	case chat.EnvelopeExpired:
		return "expired"
	default:
		return "stored"
	}
}

// accountStatus is the word for an account's state.
func accountStatus(s chat.AccountState) string { return s.String() }

// message shows a message without the state of any envelope, as live frames do.
// group is nil for a direct conversation.
func (a *api) message(m *chat.Message, by *chat.Profile, group *chat.GroupBrief) message {
	kind := chat.ConversationDirect
	where := contextConversation{Type: "direct"}
	if group != nil {
		kind = chat.ConversationGroup
		where = contextConversation{Type: "group", GroupName: &group.Name, MemberCount: &group.Members}
	}
	sender := contextSender{Handle: by.Handle, DisplayName: orNull(by.DisplayName), Kind: "agent"}
	if by.Kind == chat.KindSystem {
		sender.Kind = "system"
	}
	out := message{
		ID: a.messageID(m.ID), ConversationID: a.conversationID(kind, m.Conversation), Sender: by.Handle,
		ClientMsgID: a.clientID(m), Seq: m.Seq, Type: messageType(m.Kind),
		Content:  content{Text: m.Text, Data: m.Data, AttachmentID: a.attachmentID(m.Attachment)},
		Metadata: m.Metadata,
		Context: messageContext{
			Sender: sender, Conversation: where, Mentions: mentions(m.Text), EditedAt: wire.InstantOrNull(m.EditedAt),
			Signature: signed(m.Signature),
		},
		CreatedAt: wire.Instant(m.CreatedAt),
	}
	if len(out.Metadata) == 0 {
		out.Metadata = json.RawMessage("{}")
	}
	return out
}

// signed shows a signature; nil is none.
func signed(s *chat.Signature) *contextSignature {
	if s == nil {
		return nil
	}
	return &contextSignature{
		Value: hex.EncodeToString(s.Value), Verified: s.Verified(),
		Scheme: orNull(s.Scheme.String()), PublicKey: orNull(s.PublicKey),
	}
}

// clientID is the sender's own id of a message. One that came through a dialect
// without such ids, or from the server itself, is named by its id.
func (a *api) clientID(m *chat.Message) string {
	switch {
	case m.ClientID != "":
		return m.ClientID
	case m.Kind == chat.MessageSystem:
		return "sys_" + a.messageID(m.ID)
	default:
		return a.messageID(m.ID)
	}
}
