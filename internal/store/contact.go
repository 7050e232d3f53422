package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// ContactReader answers questions about what accounts think of each other:
// contacts, blocks, reports and mutes.
type ContactReader interface {
	// AccountsByHandle returns those of the handles that were ever given, with
	// their accounts, tombstones included.
	AccountsByHandle(ctx context.Context, handles []string) (map[string]*chat.Account, error)

	// Contact returns one entry of an account's address book.
	Contact(ctx context.Context, e Edge) (*chat.Contact, error)
	// Contacts lists a page of an account's address book, ascending by handle, and
	// how many entries there are in all. Entries for accounts that are removed,
	// suspended or disabled are neither listed nor counted.
	Contacts(ctx context.Context, q ContactQuery) (page []chat.Contact, total int, err error)
	// ContactsAmong tells which of targets an account has in its address book.
	ContactsAmong(ctx context.Context, owner chat.AccountID, targets []chat.AccountID) (map[chat.AccountID]bool, error)
	// Watchers lists those who have an account in their address book and are
	// neither blocked by it nor block it, ascending by id.
	Watchers(ctx context.Context, account chat.AccountID, limit int) ([]chat.AccountID, error)

	// Block returns one block.
	Block(ctx context.Context, e Edge) (*chat.Block, error)
	// BlocksAgainst counts, up to limit, those who have blocked an account after
	// since and whom it had messaged first: a direct conversation exists that the
	// account initiated.
	BlocksAgainst(ctx context.Context, account chat.AccountID, since time.Time, limit int) (int, error)
	// ReportsAgainst counts reports in the same way.
	ReportsAgainst(ctx context.Context, account chat.AccountID, since time.Time, limit int) (int, error)
	// Report returns the report of one account about another.
	Report(ctx context.Context, e Edge) (*Report, error)
	// Evidence lists what an account wrote to another in their direct
	// conversation, newest first, retracted messages included.
	Evidence(ctx context.Context, e Edge, limit int) ([]Evidence, error)

	// Mute returns one mute, an expired one included. target is an AccountID or a
	// ConversationID, as kind says.
	Mute(ctx context.Context, owner chat.AccountID, kind chat.MuteKind, target int64) (*chat.Mute, error)
	// Mutes lists every mute of the owners, expired ones included, in no order.
	Mutes(ctx context.Context, owners []chat.AccountID) ([]chat.Mute, error)
	// ConversationKinds tells what kinds of conversations ids are; those that are
	// deleted are left out.
	ConversationKinds(ctx context.Context, ids []chat.ConversationID) (map[chat.ConversationID]chat.ConversationKind, error)
}

// ContactTx writes them. Contacts and blocks are set by Tx.SetContact and
// Tx.SetBlock.
type ContactTx interface {
	// NoteContact replaces the note of a contact, "" clears it. It is ErrNotFound
	// when there is no such contact.
	NoteContact(ctx context.Context, e Edge, note string) error
	// InsertReport is ErrConflict when the reporter has reported the target before.
	InsertReport(ctx context.Context, r *Report) error

	// SetMute stores a mute in the place of the one with the same target.
	SetMute(ctx context.Context, m chat.Mute) error
	// DeleteMute is ErrNotFound when there was none.
	DeleteMute(ctx context.Context, owner chat.AccountID, kind chat.MuteKind, target int64) error
	// DeleteExpiredMutes removes up to limit that ended at now or before.
	DeleteExpiredMutes(ctx context.Context, now time.Time, limit int) (int, error)

	// TouchAccounts records when accounts were last seen, unless a later time is
	// known; ids that are gone are passed over.
	TouchAccounts(ctx context.Context, seen map[chat.AccountID]time.Time) error
}

// ContactQuery asks for a page of an address book.
type ContactQuery struct {
	Owner         chat.AccountID
	Offset, Limit int
}

// Report is one account's complaint about another, for operators.
type Report struct {
	ID        int64
	Reporter  chat.AccountID
	Target    chat.AccountID
	Reason    string     // "" is none
	Evidence  []Evidence // what the target last wrote to the reporter, newest first
	CreatedAt time.Time
}

// Evidence is a message with what it said before.
type Evidence struct {
	Message chat.Message
	Earlier []Revision // oldest first
}

// Revision is the text of a message before an edit.
type Revision struct {
	Text       string
	Signature  *chat.Signature // nil: it was not signed
	ReplacedAt time.Time
}
