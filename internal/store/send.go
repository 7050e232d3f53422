package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// SendKey names what one send is about, so that a batch can load its facts in a
// handful of statements. Either Conversation or Peer is set.
type SendKey struct {
	Author       chat.AccountID
	ClientID     string              // "" is none: nothing to replay
	Conversation chat.ConversationID // a channel, direct conversation or group
	Peer         chat.AccountID      // the other side of a direct conversation that need not exist
	Attachment   chat.AttachmentID   // 0: none
}

// Batch is a set of sends that are stored together or not at all.
type Batch struct {
	Keys []SendKey
	// Ask, called with the facts loaded so far, names what must be counted
	// exactly before deciding. It may be called again if the batch is rerun.
	Ask func(*SendFacts) Questions
	// Decide says what to write. It is pure but for the facts, which it moves
	// forward message by message, and may be called again with fresh facts.
	Decide func(*SendFacts) Writes
}

// Questions are about what rules need only now and then.
type Questions struct {
	Pending   []chat.AccountID // recipients: count their stored envelopes
	Cold      []chat.AccountID // authors: count their unanswered new conversations with guarded accounts
	ColdSince time.Time        // ... whose first message is not older
	Mutes     []chat.AccountID // recipients that may have mutes: list them
	Hooks     []chat.AccountID // recipients with webhooks: list them
	Keys      []chat.AccountID // authors: fill in their public keys
}

// Any tells whether there is a question.
func (q Questions) Any() bool {
	return len(q.Pending)+len(q.Cold)+len(q.Mutes)+len(q.Hooks)+len(q.Keys) > 0
}

// PendingLimit is where the exact count of pending envelopes stops.
const PendingLimit = 10_001

// Edge is a directed relation between two accounts: Owner blocks Target, or has
// Target in its contacts.
type Edge struct{ Owner, Target chat.AccountID }

// Seat is an account's place in a conversation.
type Seat struct {
	Conversation chat.ConversationID
	Account      chat.AccountID
}

// ReplayKey is an author's own id for a message.
type ReplayKey struct {
	Author   chat.AccountID
	ClientID string
}

// ColdCount says how many direct conversations an account opened, with accounts
// that are guarded, that are not established.
type ColdCount struct {
	Count  int
	Oldest time.Time // first message of the oldest one counted
}

// SendFacts is everything the rules may look at, as of one moment in the write
// order. What is not in a map is not there.
type SendFacts struct {
	// Conversations that are not deleted: those named, and those of the pairs named.
	Conversations map[chat.ConversationID]*chat.Conversation
	// Directs finds the conversation of a pair in ascending order.
	Directs map[[2]chat.AccountID]chat.ConversationID
	// Accounts: authors, peers, both sides of direct conversations, members of
	// groups; with ID, Kind, MadeBy, Username, Handle, DisplayName, State, Disabled,
	// Pause, Guarded, ContactsOnly, Hooks and Muting set.
	Accounts map[chat.AccountID]*chat.Account
	// Grants: an author's entitlements in the space of a channel, if a member.
	Grants map[Seat]chat.Entitlements
	// Overwrites of channels that have any, and what archetypes the authors
	// hold there (the default one included).
	Overwrites map[chat.ConversationID][]chat.Overwrite
	Held       map[Seat][]chat.ArchetypeID
	// Members of groups, in the order they joined, and the groups' names.
	Members map[chat.ConversationID][]chat.AccountID
	Names   map[chat.ConversationID]string
	// Blocks and Contacts between the two sides of direct conversations.
	Blocks   map[Edge]bool
	Contacts map[Edge]bool
	// Replays: messages already stored under an author's own id.
	Replays map[ReplayKey]*chat.Message
	// Attachments named; with ID, Uploader, Conversation, Peer and Filename set. nil: no
	// key names one.
	Attachments map[chat.AttachmentID]*chat.Attachment
	// Pending, Cold, Mutes and Hooks answer the questions asked. Mutes may have
	// expired; of hooks ID, Account, Surface and Events are set.
	Pending map[chat.AccountID]int
	Cold    map[chat.AccountID]ColdCount
	Mutes   map[chat.AccountID][]chat.Mute
	Hooks   map[chat.AccountID][]chat.Hook

	// FirstID is the first of SendIDs ids per key, drawn for this batch; 0 if
	// the facts were loaded for reading only.
	FirstID int64
}

// NewSendFacts returns facts with nothing in them, for about n sends.
func NewSendFacts(n int) *SendFacts {
	return &SendFacts{
		Conversations: make(map[chat.ConversationID]*chat.Conversation, n),
		Directs:       make(map[[2]chat.AccountID]chat.ConversationID, n),
		Accounts:      make(map[chat.AccountID]*chat.Account, 2*n),
		Grants:        make(map[Seat]chat.Entitlements),
		Overwrites:    make(map[chat.ConversationID][]chat.Overwrite),
		Held:          make(map[Seat][]chat.ArchetypeID),
		Members:       make(map[chat.ConversationID][]chat.AccountID),
		Names:         make(map[chat.ConversationID]string),
		Blocks:        make(map[Edge]bool),
		Contacts:      make(map[Edge]bool),
		Replays:       make(map[ReplayKey]*chat.Message),
		Pending:       make(map[chat.AccountID]int),
		Cold:          make(map[chat.AccountID]ColdCount),
		Mutes:         make(map[chat.AccountID][]chat.Mute),
		Hooks:         make(map[chat.AccountID][]chat.Hook),
	}
}

// SendIDs is how many ids are drawn for each message of a batch: its own, that
// of a conversation it opens, and that of the event which says so.
const SendIDs = 3

// Writes is what a batch stores.
type Writes struct {
	Directs    []*chat.Conversation // new direct conversations, as they are at the end of the batch
	Moved      []*chat.Conversation // existing ones: LastSeq, LastAt, Initiator, OpenedAt, Established
	Messages   []*chat.Message
	Envelopes  []chat.Envelope
	Contacts   []Edge // stored unless there
	Events     []chat.Event
	Deliveries []chat.Delivery // as for HookTx.Enqueue
	At         time.Time       // when contacts and conversations were made
}

// Empty tells whether there is nothing to write.
func (w *Writes) Empty() bool {
	return len(w.Directs)+len(w.Moved)+len(w.Messages)+len(w.Envelopes)+len(w.Contacts)+len(w.Events)+
		len(w.Deliveries) == 0
}

// SendTx writes messages that go with another change; those that stand alone go
// through Store.Send.
type SendTx interface {
	// Write stores what was decided about messages. Ids and positions were drawn
	// with NextID; a conversation in Moved that is not there is ErrNotFound.
	Write(ctx context.Context, w *Writes) error
}
