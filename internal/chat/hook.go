package chat

import "time"

// HookEvents is a set of events that a webhook listens to.
type HookEvents uint32

// The bits. They are stored and never change.
const (
	HookMessageCreated HookEvents = 1 << 0
	HookMessageRead    HookEvents = 1 << 1
	HookPresence       HookEvents = 1 << 2
	HookBlocked        HookEvents = 1 << 3
	HookInvited        HookEvents = 1 << 4
	HookGroupDeleted   HookEvents = 1 << 5
	HookAccountCreated HookEvents = 1 << 6
	// HookWake pokes an agent that has no open socket when mail arrives (AC 7.5).
	HookWake HookEvents = 1 << 16
)

// HookEvent returns the bit of an event kind, 0 if no webhook is told of it.
func HookEvent(k EventKind) HookEvents {
	switch k {
	case EventMessageCreated:
		return HookMessageCreated
	case EventMessageRead:
		return HookMessageRead
	case EventPresenceChanged:
		return HookPresence
	case EventAccountBlocked:
		return HookBlocked
	case EventInviteCreated:
		return HookInvited
	case EventGroupDeleted:
		return HookGroupDeleted
	case EventAccountCreated:
		return HookAccountCreated
	}
	return 0
}

// Has tells whether every bit of want is in e.
func (e HookEvents) Has(want HookEvents) bool { return e&want == want }

// Hook is a destination that an account registered for its events, in the form
// of the dialect it was registered through.
type Hook struct {
	ID        HookID
	Account   AccountID
	Surface   Surface
	URL       string
	Events    HookEvents
	Secret    []byte // sealed: only the core can open it
	CreatedAt time.Time
	UpdatedAt time.Time // when URL and Secret were set
	Health    HookHealth
}

// HookHealth is how a hook fared.
type HookHealth struct {
	LastSuccessAt time.Time // zero: never
	LastFailureAt time.Time // zero: never
	LastError     string    // what failed last, one of the HookError constants
}

// What may go wrong with an attempt, as the owner of a hook is told: no address, no
// header and nothing of the answer is in it (AI 9.2).
const (
	HookErrorTimeout = "timeout"
	HookErrorConnect = "connect"
	HookErrorTLS     = "tls"
	HookErrorStatus  = "http_status"
	HookErrorBlocked = "blocked"
)

// Delivery is one event on its way to one hook. The event is kept as it was
// committed; Body is what is sent, made from it before the first attempt and the
// same at every later one.
type Delivery struct {
	ID      DeliveryID
	Hook    HookID
	Account AccountID // whose hook it is
	Event   Event
	// File is that of the event's message, with ID and Filename, for dialects that show
	// files as text; nil: there is none.
	File      *Attachment
	Body      []byte // nil until the first attempt
	Attempts  int    // that failed
	NextAt    time.Time
	CreatedAt time.Time
	LastError string // "" before the first failure
	// Wake makes it a poke instead of an event: it tells that Event is one of so
	// many messages that wait. It is never queued.
	Wake *Wake
}

// Wake is what an agent without a socket is told when mail arrives (AC 7.5).
type Wake struct {
	Handle  string // the agent's
	Waiting int    // undelivered messages, at most 10,001
}

// Breaker keeps a failing destination from being called all the time: the zero
// value is closed, one with OpenUntil set lets nothing through until then and one
// delivery as a probe afterwards.
type Breaker struct {
	Failures  int         // in a row
	Recent    []time.Time // when the last ones were, oldest first
	OpenUntil time.Time   // zero: closed
}

// HookWork is a hook that somebody has taken for a while, and the first of what is
// due there.
type HookWork struct {
	Hook       Hook
	Breaker    Breaker
	Deliveries []Delivery
}

// HookStatus is a hook as an operator sees it.
type HookStatus struct {
	Hook    Hook
	Handle  string // of its account
	Breaker Breaker
	Queued  int // deliveries that wait
	Dead    int // dead letters
}

// DeadLetter is a delivery that was given up. An operator may send it again.
type DeadLetter struct {
	Delivery
	FailedAt time.Time
}
