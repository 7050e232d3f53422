package chat

import (
	"strconv"
	"time"
)

// Contact is an entry of an account's private address book.
type Contact struct {
	Owner   AccountID
	Target  AccountID
	Note    string // "" is none
	AddedAt time.Time
}

// Block is one account keeping another out.
type Block struct {
	Owner     AccountID
	Target    AccountID
	CreatedAt time.Time
}

// MuteKind tells what a mute silences.
type MuteKind uint8

// The kinds. The numbers are stored and never change.
const (
	MuteAccount      MuteKind = 1
	MuteConversation MuteKind = 2
)

// Mute keeps live deliveries from one account or conversation away from its
// owner. It stops neither storing nor counting.
type Mute struct {
	Owner     AccountID
	Kind      MuteKind
	Target    int64     // an AccountID or a ConversationID
	Until     time.Time // zero: for good
	CreatedAt time.Time
}

// Active tells whether the mute still holds at now.
func (m *Mute) Active(now time.Time) bool { return m.Until.IsZero() || now.Before(m.Until) }

// Attachment is a file announced for one target and uploaded beside the messages.
type Attachment struct {
	ID           AttachmentID
	Uploader     AccountID
	Conversation ConversationID // a group, or 0
	Peer         AccountID      // the recipient of a direct message, or 0
	Filename     string
	ContentType  string
	Size         int64    // bytes
	SHA256       [32]byte // of the content
	CreatedAt    time.Time
	ExpiresAt    time.Time // of the permission to upload
	UploadedAt   time.Time // zero until the content is there
}

// Key is where blob storage keeps the content.
func (a *Attachment) Key() string { return "att/" + strconv.FormatInt(int64(a.ID), 10) }
