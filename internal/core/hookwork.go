package core

import (
	"context"
	"time"

	"parley/internal/chat"
)

// How long what is queued for webhooks is kept. The nine attempts at a delivery take
// 31 hours; behind a breaker that stays open most of a queue is never tried, and
// would grow without end.
const (
	deliveryLife = 72 * time.Hour      // in its queue: then it is a dead letter
	letterLife   = 30 * 24 * time.Hour // of a dead letter
)

// DeliveredByHooks notes, by recipient, messages that webhooks took: envelopes that
// are stored become delivered (AC 15.3).
func (s *Service) DeliveredByHooks(ctx context.Context, taken map[chat.AccountID][]chat.MessageID) error {
	moved := make(map[chat.AccountID]int, len(taken))
	err := s.update(ctx, "note deliveries by hooks", func(ctx context.Context, ch *change) error {
		for account, messages := range taken {
			n, err := ch.Deliver(ctx, account, messages, ch.at)
			if err != nil {
				return err
			}
			moved[account] = n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for account, n := range moved {
		s.pending.add(account, -n)
	}
	return nil
}
