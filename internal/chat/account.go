package chat

import "time"

// AccountKind tells people from programs.
type AccountKind uint8

// The kinds. The numbers are stored and never change.
const (
	KindHuman  AccountKind = 1
	KindAgent  AccountKind = 2
	KindSystem AccountKind = 3
)

// String gives the name used by the command line and in logs.
func (k AccountKind) String() string {
	switch k {
	case KindHuman:
		return "human"
	case KindAgent:
		return "agent"
	case KindSystem:
		return "system"
	}
	return "unknown"
}

// AccountState is the first of three switches on an account; trust rules and
// operators move it. The other two are Disabled and Pause. An account acts only
// if all three allow it, and none of them changes another.
type AccountState uint8

// The states. The numbers are stored and never change.
const (
	StateActive     AccountState = 1
	StateRestricted AccountState = 2 // may not open new direct conversations
	StateSuspended  AccountState = 3
	StateDeleted    AccountState = 4 // a tombstone: kept for the messages it wrote
)

// String gives the name used by the command line and in logs.
func (s AccountState) String() string {
	switch s {
	case StateActive:
		return "active"
	case StateRestricted:
		return "restricted"
	case StateSuspended:
		return "suspended"
	case StateDeleted:
		return "deleted"
	}
	return "unknown"
}

// Pause is the owner's switch: it stops sending, or sending and live delivery.
type Pause uint8

// The pauses. The numbers are stored and never change.
const (
	PauseNone Pause = 0
	PauseSend Pause = 1
	PauseFull Pause = 2
)

// Account is one participant: a person, an agent or a system account, whichever
// dialect it was made through.
type Account struct {
	ID          AccountID
	Kind        AccountKind
	MadeBy      Surface
	Username    string // as registered; unique under NameKey; "" once freed by removal
	NameKey     string // folded form of Username; "" once freed
	Handle      string // permanent lower-case address, never given twice
	DisplayName string
	Description string

	LoginAddress    string // lower-cased; "" if the account has no password login
	RecoveryAddress string // lower-cased; "" if there is none

	State    AccountState
	Enforced bool // State was set by the trust rules, not by an operator
	Disabled bool
	Pause    Pause

	// Guarded accounts are protected from floods: one opener per stranger, a
	// cap on new conversations, a bounded backlog.
	Guarded             bool
	ContactsOnly        bool // takes direct messages from contacts only
	InvitesContactsOnly bool // takes group invites from contacts only

	// Proven tells whether a mailed code has shown that LoginAddress is the
	// account's own.
	Proven bool

	// Owner is the human behind an agent, 0 if there is none.
	Owner   AccountID
	Owned   Ownership
	OwnedAt time.Time

	Avatar string // key of the picture in blob storage, "" if there is none

	// PublicKey is what the account's signatures are checked with: a P-256 key as
	// PEM without a newline at the end; "" is none. Only its owner sets it (AI 7.4).
	PublicKey string

	// Hooks is what the account's webhooks listen to, all together; Muting tells
	// whether it may have mutes. Both spare the send path a look.
	Hooks  HookEvents
	Muting bool

	Presence   Presence
	LastSeenAt time.Time // zero: never; may lag by a minute

	CreatedAt time.Time
	UpdatedAt time.Time // last change of profile or presence
}

// Ownership is how a human came to own an agent.
type Ownership uint8

// The ownerships. The numbers are stored and never change.
const (
	OwnedByNobody Ownership = 0
	// OwnedByCreator: the human made the agent and has full rights; it ends only
	// with the account.
	OwnedByCreator Ownership = 1
	// OwnedByClaim: the human showed the agent's key and may watch and pause it;
	// any change of key ends it (AC 22.2).
	OwnedByClaim Ownership = 2
)

// Gone tells whether the account was removed and only its tombstone is left.
func (a *Account) Gone() bool { return a.State == StateDeleted }

// Off tells whether the account may not act: suspended, or disabled by its owner.
func (a *Account) Off() bool { return a.State == StateSuspended || a.Disabled }

// Address is what a profile shows as e-mail: the login address, else the
// recovery address, else nothing.
func (a *Account) Address() string {
	if a.LoginAddress != "" {
		return a.LoginAddress
	}
	return a.RecoveryAddress
}

// Profile is the public part of an account, as authors and members are shown.
// For a removed account only ID, Kind, Handle and Gone are set.
type Profile struct {
	ID          AccountID
	Kind        AccountKind
	Username    string
	Handle      string
	DisplayName string
	Description string
	Avatar      string
	PublicKey   string // where the dialect shows keys: the send path loads it only then
	State       AccountState
	Disabled    bool
	Presence    Presence
	Gone        bool
	CreatedAt   time.Time
}

// Profile returns the public part of the account.
func (a *Account) Profile() Profile {
	if a.Gone() {
		return Profile{ID: a.ID, Kind: a.Kind, Handle: a.Handle, Gone: true, State: StateDeleted}
	}
	return Profile{
		ID: a.ID, Kind: a.Kind, Username: a.Username, Handle: a.Handle, DisplayName: a.DisplayName,
		Description: a.Description, Avatar: a.Avatar, PublicKey: a.PublicKey, State: a.State, Disabled: a.Disabled,
		Presence: a.Presence, CreatedAt: a.CreatedAt,
	}
}

// Status is what an account shows of itself.
type Status uint8

// The statuses. The numbers are stored and never change.
const (
	StatusOffline Status = 0
	StatusOnline  Status = 1
	StatusAway    Status = 2
	StatusBusy    Status = 3
)

// Presence is an account's status and the text beside it.
type Presence struct {
	Status Status
	Text   string // "" is none
	// Chosen is true when the account picked Status itself; a chosen status
	// other than offline is never changed automatically.
	Chosen bool
}
