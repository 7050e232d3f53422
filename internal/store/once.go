package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// Replay is what a request with an idempotency key came to.
type Replay struct {
	Account     chat.AccountID
	Key         string   // the client's own, unique per account
	Fingerprint [32]byte // of the request
	Outcome     []byte   // a JSON document of the core's
	At          time.Time
}

// OnceReader answers what requests with an idempotency key came to.
type OnceReader interface {
	// Replay returns what is remembered under an account's key, however old it is.
	Replay(ctx context.Context, account chat.AccountID, key string) (*Replay, error)
}

// OnceTx remembers what requests with an idempotency key came to.
type OnceTx interface {
	// SaveReplay remembers an outcome in place of any under the same key.
	SaveReplay(ctx context.Context, r Replay) error
	// PruneReplays forgets up to limit outcomes from before a time, the oldest
	// first, and returns how many went.
	PruneReplays(ctx context.Context, before time.Time, limit int) (int, error)
}
