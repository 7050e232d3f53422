package sqlite

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Acknowledge marks envelopes as delivered, in one transaction. It leaves the
// facts alone, of which the state of an envelope is none.
func (s *Store) Acknowledge(
	ctx context.Context, keys []store.EnvelopeKey, at time.Time,
) (map[chat.AccountID]int, error) {
	defer s.checkpoint.written()
	return s.DB.Acknowledge(ctx, keys, at)
}
