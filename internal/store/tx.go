package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// Reader answers questions on one snapshot. Lists are bounded by the caps of
// their noun or by an explicit limit; single rows that are not there are
// ErrNotFound.
type Reader interface {
	RegisterReader
	ContactReader
	InboxReader
	GroupReader
	AttachmentReader
	HookReader
	OwnerReader
	OnceReader

	// Account returns the account, tombstones included.
	Account(ctx context.Context, id chat.AccountID) (*chat.Account, error)
	// Accounts returns those of ids that exist, tombstones included.
	Accounts(ctx context.Context, ids []chat.AccountID) (map[chat.AccountID]*chat.Account, error)
	// AccountByLogin finds the account with a lower-cased login address.
	AccountByLogin(ctx context.Context, address string) (*chat.Account, error)
	// AccountByNameKey finds the account with a folded username.
	AccountByNameKey(ctx context.Context, key string) (*chat.Account, error)
	// AccountByHandle finds the account a handle was given to, tombstones included.
	AccountByHandle(ctx context.Context, handle string) (*chat.Account, error)
	// AccountList returns accounts with ids above after, ascending, without tombstones.
	AccountList(ctx context.Context, after chat.AccountID, limit int) ([]*chat.Account, error)
	// Agents lists the agents that may act, but for one (0: all), by the time they
	// were made, and counts them all.
	Agents(ctx context.Context, but chat.AccountID, offset, limit int) (list []*chat.Account, total int, err error)
	// PasswordHash returns the encoded hash, "" if the account has no password.
	PasswordHash(ctx context.Context, id chat.AccountID) (string, error)

	// CredentialByDigest finds a credential by the SHA-256 of its token; an
	// expired one is returned too.
	CredentialByDigest(ctx context.Context, digest [32]byte) (*chat.Credential, error)
	// Credentials lists an account's credentials of one kind, newest first,
	// expired ones included, at most 1,000.
	Credentials(ctx context.Context, account chat.AccountID, kind chat.CredentialKind) ([]*chat.Credential, error)

	// Space returns a space that is not deleted.
	Space(ctx context.Context, id chat.SpaceID) (*chat.Space, error)
	// SpacesOf lists the spaces of a member, earliest joined first.
	SpacesOf(ctx context.Context, account chat.AccountID) ([]*chat.Space, error)
	// SpaceMember returns one membership.
	SpaceMember(ctx context.Context, space chat.SpaceID, account chat.AccountID) (*chat.SpaceMember, error)
	// SpaceMembers lists the memberships of a space, earliest joined first.
	SpaceMembers(ctx context.Context, space chat.SpaceID) ([]chat.SpaceMember, error)
	// SpaceCount counts the spaces an account is a member of.
	SpaceCount(ctx context.Context, account chat.AccountID) (int, error)
	// Archetypes lists the archetypes of a space in the order they were made.
	Archetypes(ctx context.Context, space chat.SpaceID) ([]chat.Archetype, error)
	// HeldArchetypes lists the archetypes a member holds beside the default one.
	HeldArchetypes(ctx context.Context, space chat.SpaceID, account chat.AccountID) ([]chat.ArchetypeID, error)
	// Overwrites lists the entitlement overwrites of a channel.
	Overwrites(ctx context.Context, channel chat.ConversationID) ([]chat.Overwrite, error)
	// Channels lists the channels of a space by position, then creation.
	Channels(ctx context.Context, space chat.SpaceID) ([]chat.Channel, error)
	// Channel returns one channel of a space that is not deleted.
	Channel(ctx context.Context, id chat.ConversationID) (*chat.Channel, error)

	// Conversation returns a conversation of any kind that is not deleted.
	Conversation(ctx context.Context, id chat.ConversationID) (*chat.Conversation, error)
	// DirectOf returns the direct conversation of a pair in ascending order.
	DirectOf(ctx context.Context, low, high chat.AccountID) (*chat.Conversation, error)
	// Directs lists an account's direct conversations, but for those with system
	// accounts, latest activity first
	// (time of the last message, else creation; then the higher id), those
	// after the one named if it is not zero.
	Directs(ctx context.Context, account chat.AccountID, after chat.ConversationID, limit int) ([]chat.Conversation, error)

	// Message returns a message, retracted ones included, unless its
	// conversation is deleted.
	Message(ctx context.Context, id chat.MessageID) (*chat.Message, error)
	// History lists messages of a conversation, newest first, without retracted
	// ones and those that the viewer hid.
	History(ctx context.Context, q HistoryQuery) ([]chat.Message, error)

	// Pending lists an account's stored envelopes with ids above after, in the
	// order in which they were written, with their messages.
	Pending(ctx context.Context, recipient chat.AccountID, after chat.MessageID, limit int) ([]chat.Message, error)
	// PendingCount counts an account's stored envelopes, at most up to limit.
	PendingCount(ctx context.Context, recipient chat.AccountID, limit int) (int, error)

	// Changes lists messages and events with positions above after, ascending.
	// A message appears as a message.created event with Message set.
	Changes(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error)
	// LastPosition is the highest position drawn so far.
	LastPosition(ctx context.Context) (chat.Position, error)

	// SendFacts loads what deciding on a set of sends takes, without ids: the
	// result can be decided on, never written.
	SendFacts(ctx context.Context, keys []SendKey) (*SendFacts, error)
}

// HistoryQuery asks for a page of a conversation.
type HistoryQuery struct {
	Conversation chat.ConversationID
	Viewer       chat.AccountID // 0: nobody in particular
	NotBy        chat.AccountID // without what this account wrote; 0: all
	NoSystem     bool           // without system messages
	After        int64          // only higher sequence numbers
	Before       time.Time      // only messages strictly older, at full precision; zero: from the end
	Limit        int
}

// Tx is a transaction in the write order: it reads the newest state and writes.
type Tx interface {
	Reader
	RegisterTx
	ContactTx
	SendTx
	InboxTx
	AcknowledgeTx
	GroupTx
	AttachmentTx
	HookTx
	OwnerTx
	OnceTx

	// NextID draws n consecutive ids and returns the first. They are higher
	// than every id drawn before.
	NextID(ctx context.Context, n int) (int64, error)

	// InsertAccount stores a new account, its handle and its password hash
	// ("" for none). It fails with ErrLoginTaken, ErrNameTaken or ErrHandleTaken.
	InsertAccount(ctx context.Context, a *chat.Account, passwordHash string) error
	// UpdateAccount stores every field of an account but the handle.
	UpdateAccount(ctx context.Context, a *chat.Account) error
	// SetPasswordHash replaces the hash; "" unsets the password.
	SetPasswordHash(ctx context.Context, id chat.AccountID, hash string) error

	InsertCredential(ctx context.Context, c *chat.Credential, digest [32]byte) error
	// DeleteCredential is ErrNotFound when it was not there.
	DeleteCredential(ctx context.Context, id chat.CredentialID) error
	// DeleteCredentials ends all credentials of an account but keep (0: none).
	DeleteCredentials(ctx context.Context, account chat.AccountID, keep chat.CredentialID) error
	// DeleteExpiredCredentials removes up to limit that expired before now.
	DeleteExpiredCredentials(ctx context.Context, now time.Time, limit int) (int, error)
	// TouchCredentials records when credentials were last used; ids that are
	// gone are passed over.
	TouchCredentials(ctx context.Context, used map[chat.CredentialID]time.Time) error

	InsertSpace(ctx context.Context, s *chat.Space) error
	// UpdateSpace stores name, description, owner, invite code and updated time.
	UpdateSpace(ctx context.Context, s *chat.Space) error
	// DeleteSpace makes a space, its memberships, archetypes and channels
	// unknown at once; PurgeDeleted removes the messages afterwards.
	DeleteSpace(ctx context.Context, id chat.SpaceID, at time.Time) error
	InsertArchetype(ctx context.Context, a chat.Archetype) error
	// InsertSpaceMember adds a member who holds the archetypes named beside
	// the default one, and raises the member count. ErrConflict if already there.
	InsertSpaceMember(ctx context.Context, m chat.SpaceMember, held []chat.ArchetypeID) error
	// SetSpaceMember replaces what a member holds and is granted.
	SetSpaceMember(ctx context.Context, m chat.SpaceMember, held []chat.ArchetypeID) error
	// DeleteSpaceMember removes a member, what it held and its own overwrites,
	// and lowers the member count.
	DeleteSpaceMember(ctx context.Context, space chat.SpaceID, account chat.AccountID) error
	// SetOverwrite stores an overwrite, replacing the one for the same holder;
	// empty Allow and Deny remove it.
	SetOverwrite(ctx context.Context, o chat.Overwrite) error

	// InsertChannel stores a channel and its conversation.
	InsertChannel(ctx context.Context, c *chat.Channel) error
	// UpdateChannel stores name, topic, position and updated time.
	UpdateChannel(ctx context.Context, c *chat.Channel) error
	// DeleteChannel makes a channel unknown at once; see PurgeDeleted.
	DeleteChannel(ctx context.Context, id chat.ConversationID, at time.Time) error
	// InsertDirect stores an empty direct conversation and its two members.
	InsertDirect(ctx context.Context, c *chat.Conversation) error

	// EditMessage replaces the text and keeps the old one as a revision.
	EditMessage(ctx context.Context, id chat.MessageID, text string, at time.Time) error
	// DeleteMessage removes a message with its revisions and envelopes. The
	// conversation's last number and time stay.
	DeleteMessage(ctx context.Context, id chat.MessageID) error
	// RetractMessage marks a message as taken back; it also marks the envelopes of
	// recipients who are not guarded as hidden, so that they are not offered.
	RetractMessage(ctx context.Context, id chat.MessageID, at time.Time) error

	// Acknowledge marks the stored envelopes of a recipient up to and including
	// through as delivered at a time and returns how many moved.
	Acknowledge(ctx context.Context, recipient chat.AccountID, through chat.MessageID, at time.Time) (int, error)

	// SetBlock and SetContact store or remove one directed relation.
	SetBlock(ctx context.Context, e Edge, at time.Time, on bool) error
	SetContact(ctx context.Context, e Edge, at time.Time, on bool) error

	// AppendEvents stores events whose positions were drawn with NextID.
	AppendEvents(ctx context.Context, events []chat.Event) error
	// PruneEvents removes up to limit events older than before.
	PruneEvents(ctx context.Context, before time.Time, limit int) (int, error)
	// PurgeDeleted removes up to limit messages of deleted conversations, and
	// the conversations that have none left. It returns how many rows went; 0
	// means nothing is left to purge.
	PurgeDeleted(ctx context.Context, limit int) (int, error)
	// Audit records an act of an operator or owner.
	Audit(ctx context.Context, entry AuditEntry) error
}

// AuditEntry is one act worth remembering.
type AuditEntry struct {
	At      time.Time
	Actor   chat.AccountID // 0: an operator
	Act     string         // the operation's name
	Target  chat.AccountID
	Surface chat.Surface
	Remote  string // the client's address
	Detail  string
}
