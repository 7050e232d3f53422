package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// InboxReader answers questions about direct conversations and groups as one
// account sees them: its copies of messages, what it hid, what it has not read.
type InboxReader interface {
	// Envelope returns one recipient's copy of a message, a hidden one included.
	Envelope(ctx context.Context, message chat.MessageID, recipient chat.AccountID) (*chat.Envelope, error)
	// Rows lists messages of a conversation as an account sees them, without those
	// it hid; of retracted ones only those of which it keeps a copy. Envelope and
	// Own are set, By and Group are not.
	Rows(ctx context.Context, q RowQuery) ([]chat.MessageRow, error)
	// Listings lists the conversations of an account: direct ones with a message,
	// and groups it is a member of, without those it hid that saw no newer message.
	// The latest visible message comes first, conversations without one last, then
	// the lower id.
	Listings(ctx context.Context, account chat.AccountID, offset, limit int) ([]Listing, error)
	// Unread says what an account has not read in conversations that it has a seat
	// in. Those without anything are not in the map.
	Unread(ctx context.Context, account chat.AccountID, in []chat.ConversationID) (map[chat.ConversationID]Unread, error)
	// Groups returns those of ids that are groups, deleted ones included.
	Groups(ctx context.Context, ids []chat.ConversationID) (map[chat.ConversationID]*chat.Group, error)
	// StaleEnvelopes lists up to limit pending envelopes of messages older than a
	// time, by recipient. It looks at all that is pending.
	StaleEnvelopes(ctx context.Context, before time.Time, limit int) ([]chat.Envelope, error)
}

// InboxTx moves what InboxReader reads. Envelopes only move forward, and what is
// hidden stays where it is.
type InboxTx interface {
	// Deliver marks stored envelopes of a recipient as delivered at a time and
	// returns how many moved. Messages it has no such envelope of are passed over.
	Deliver(ctx context.Context, recipient chat.AccountID, messages []chat.MessageID, at time.Time) (int, error)
	// Read marks one envelope as read at a time, if it was stored or delivered.
	Read(ctx context.Context, message chat.MessageID, recipient chat.AccountID, at time.Time) error
	// ReadThrough marks a recipient's envelopes of a conversation up to and including
	// a sequence number as read at a time. It returns, by author, the last message
	// of each that moved, and how many envelopes were pending.
	ReadThrough(
		ctx context.Context, seat Seat, through int64, at time.Time,
	) (marks []Reading, pending int, err error)
	// HideMessage takes a message out of an account's sight for good. Its envelope,
	// if it was stored, is delivered at a time.
	HideMessage(ctx context.Context, account chat.AccountID, message chat.MessageID, at time.Time) error
	// HideConversation takes everything up to a sequence number out of a member's
	// sight; -1 hides a conversation without messages.
	HideConversation(ctx context.Context, seat Seat, through int64) error
	// ExpireEnvelopes marks pending envelopes of a recipient as expired.
	ExpireEnvelopes(ctx context.Context, recipient chat.AccountID, messages []chat.MessageID) error
}

// RowQuery asks for a page of a direct conversation or group as one account sees it.
type RowQuery struct {
	Conversation chat.ConversationID
	Viewer       chat.AccountID
	Peer         chat.AccountID // whose envelopes the viewer's own messages show; 0: nobody's
	From, To     int64          // sequence numbers, both included
	Ascending    bool
	Limit        int
}

// Listing is one conversation in an account's list.
type Listing struct {
	Conversation chat.Conversation
	Member       chat.Member
	Last         *chat.Message // the newest one that the account sees; nil: none
}

// Unread is what an account has not read in a conversation.
type Unread struct {
	Count          int
	Oldest, Newest int64 // sequence numbers
}

// Reading is the last message of an author that was marked as read.
type Reading struct {
	Author chat.AccountID
	chat.ReadMark
}
