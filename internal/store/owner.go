package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// OwnerReader answers questions about agents and the people behind them, and what
// was written down for owners and operators.
type OwnerReader interface {
	// OwnedBy lists the agents of a human in the order they were made, at most
	// limit, without tombstones.
	OwnedBy(ctx context.Context, owner chat.AccountID, limit int) ([]*chat.Account, error)
	// AuditList lists what was done to an account before a time (zero: until now),
	// the newest first, at most limit.
	AuditList(ctx context.Context, target chat.AccountID, before time.Time, limit int) ([]AuditRecord, error)
	// BlocksOf lists the blocks that an account has set, the newest first, at most
	// limit, and counts all of them.
	BlocksOf(ctx context.Context, owner chat.AccountID, limit int) (list []chat.Block, total int, err error)
	// Meet tells whether two accounts take part in the same conversation: a direct
	// one in which something was written, or a group of which both are active members.
	Meet(ctx context.Context, a, b chat.AccountID) (bool, error)

	// Escalation returns one request for help.
	Escalation(ctx context.Context, id chat.EscalationID) (*chat.Escalation, error)
	// Escalations lists requests for help, the newest first.
	Escalations(ctx context.Context, q EscalationQuery) ([]chat.Escalation, error)
}

// OwnerTx writes down requests for help.
type OwnerTx interface {
	InsertEscalation(ctx context.Context, e *chat.Escalation) error
	// UpdateEscalation stores status, note, operator and updated time.
	UpdateEscalation(ctx context.Context, e *chat.Escalation) error
}

// AuditRecord is an audit entry as it was stored.
type AuditRecord struct {
	ID chat.AuditID
	AuditEntry
}

// EscalationQuery asks for a page of requests for help.
type EscalationQuery struct {
	Statuses []chat.EscalationStatus // those wanted; none: all
	Before   time.Time               // only those made strictly before; zero: until now
	BeforeID chat.EscalationID       // only those with a lower id; 0: all
	Limit    int
}
