package chat

import "time"

// MessageKind tells what a message carries.
type MessageKind uint8

// The kinds. The numbers are stored and never change.
const (
	MessageText       MessageKind = 1
	MessageStructured MessageKind = 2
	MessageFile       MessageKind = 3
	MessageSystem     MessageKind = 4
)

// Message is one entry of a conversation. Text is the part every dialect can
// show; Data and Metadata are JSON objects kept byte for byte.
type Message struct {
	ID           MessageID
	Conversation ConversationID
	Seq          int64
	Author       AccountID
	ClientID     string // the sender's own id, unique per author for ever; "" is none
	Kind         MessageKind
	Text         string
	Data         []byte
	Metadata     []byte
	Attachment   AttachmentID // 0: none
	Signature    *Signature   // nil: the sender did not sign it, or edited it since
	CreatedAt    time.Time
	EditedAt     time.Time // zero until the first edit
	RetractedAt  time.Time // zero unless the author took it back
}

// Position returns the message's place in the order of all durable changes.
func (m *Message) Position() Position { return Position(m.ID) }

// MessageView is a message with its author as the profile stands now.
type MessageView struct {
	Message
	By   Profile
	File *Attachment // the file of the message, where a dialect has to show it as text
}

// EnvelopeState is how far one recipient's copy has come; it only moves forward.
type EnvelopeState uint8

// The states. The numbers are stored and never change; 0 must stay the pending
// one, because the index of pending envelopes is built on it.
const (
	EnvelopeStored    EnvelopeState = 0
	EnvelopeDelivered EnvelopeState = 1
	EnvelopeRead      EnvelopeState = 2
	EnvelopeExpired   EnvelopeState = 3
)

// Envelope is one recipient's copy of a message in a direct conversation or
// group. Channels have none: their members keep a cursor.
type Envelope struct {
	Message      MessageID
	Recipient    AccountID
	Conversation ConversationID
	Seq          int64
	State        EnvelopeState
	Hidden       bool      // the recipient, or a retraction, took it out of sight
	DeliveredAt  time.Time // zero: not yet
	ReadAt       time.Time // zero: not yet
}

// MessageRow is a message as one account sees it.
type MessageRow struct {
	MessageView
	// Envelope is the viewer's own; of a message the viewer sent into a direct
	// conversation, the recipient's. nil: there is none to show.
	Envelope *Envelope
	Own      bool // the viewer sent it
	Group    *GroupBrief
}
