package core

import (
	"context"
	"maps"
	"slices"
	"time"

	"parley/internal/chat"
)

// How the janitor works: in small transactions, so that it never holds up a send
// for long.
const (
	sweepEvery = 30 * time.Second
	sweepRows  = 500
)

// wakeJanitor lets the janitor purge what was just deleted.
func (s *Service) wakeJanitor() {
	select {
	case s.purge <- struct{}{}:
	default:
	}
}

// janitor sweeps now and then, when woken, and a last time at the end.
func (s *Service) janitor(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	s.wakeJanitor() // what an earlier run left to purge
	for {
		select {
		case <-tick.C:
		case <-s.purge:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if err := s.storeLastUsed(last); err != nil {
				s.log.Warn("last use of credentials not stored", "error", err)
			}
			if err := s.storeLastSeen(last); err != nil {
				s.log.Warn("last sight of accounts not stored", "error", err)
			}
			return
		}
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("sweep failed", "error", err)
		}
	}
}

// Sweep does the housekeeping until nothing is left to do: it stores when
// credentials were last used and accounts last seen, removes expired sessions and
// mutes, events older than a day, uploads that never came, envelopes that waited
// for too long, outcomes of idempotency keys older than a day, what webhooks never
// took, and the messages of deleted conversations.
func (s *Service) Sweep(ctx context.Context) error {
	if err := s.storeLastUsed(ctx); err != nil {
		return err
	}
	s.tellLapsed(ctx)
	if err := s.storeLastSeen(ctx); err != nil {
		return err
	}
	s.leases.sweep(s.now())
	if err := s.expire(ctx); err != nil {
		return err
	}
	for _, step := range []func(ctx context.Context, c *change) (int, error){
		func(ctx context.Context, ch *change) (int, error) {
			return ch.DeleteExpiredCredentials(ctx, s.now(), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.PruneEvents(ctx, s.now().Add(-eventRetention), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.PruneReplays(ctx, s.now().Add(-onceLife), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.DeleteExpiredCodes(ctx, s.now(), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.DeleteExpiredMutes(ctx, s.now(), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.BuryOldDeliveries(ctx, s.now().Add(-deliveryLife), s.now(), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) {
			return ch.PruneDeadLetters(ctx, s.now().Add(-letterLife), sweepRows)
		},
		func(ctx context.Context, ch *change) (int, error) { return ch.PurgeHooks(ctx, sweepRows) },
		func(ctx context.Context, ch *change) (int, error) { return ch.PurgeDeleted(ctx, sweepRows) },
	} {
		for n := 1; n > 0; {
			err := s.update(ctx, "sweep", func(ctx context.Context, ch *change) error {
				var err error
				n, err = step(ctx, ch)
				return err
			})
			if err != nil {
				return err
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return s.purgeUploads(ctx) // last: the rest does not wait for blob storage
}

// storeLastUsed writes down when credentials were used since the last time.
func (s *Service) storeLastUsed(ctx context.Context) error {
	return inParts(s.used.take(), func(part map[chat.CredentialID]time.Time) error {
		return s.update(ctx, "store last use", func(ctx context.Context, ch *change) error {
			return ch.TouchCredentials(ctx, part)
		})
	})
}

// inParts hands times to do, few enough at once for one transaction of the janitor.
func inParts[ID comparable](all map[ID]time.Time, do func(part map[ID]time.Time) error) error {
	for ids := range slices.Chunk(slices.Collect(maps.Keys(all)), sweepRows) {
		part := make(map[ID]time.Time, len(ids))
		for _, id := range ids {
			part[id] = all[id]
		}
		if err := do(part); err != nil {
			return err
		}
	}
	return nil
}
