package sqlite

import (
	"context"
	"fmt"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Send stores a batch of messages in one transaction.
//
// There is no savepoint, and the big inserts roll the whole transaction back when
// they fail (OR ROLLBACK): SQLite then keeps no copies of the pages it changes,
// which is worth a third of a send. The price is paid by a batch that fails,
// which its caller runs again.
func (s *Store) Send(ctx context.Context, b store.Batch) error {
	defer s.checkpoint.written()
	running := context.WithoutCancel(ctx)
	session, err := s.writers.Begin(ctx, running, nil)
	if err != nil {
		return fmt.Errorf("begin batch: %w", classify(err))
	}
	defer session.Rollback() // no-op after the commit; undoes all if Decide panics
	tx := sqlstore.NewTx(session, s.flavor)
	facts, err := s.facts.load(running, tx, b.Keys)
	if err != nil {
		return err
	}
	if b.Ask != nil {
		if q := b.Ask(facts); q.Any() {
			if err := tx.Answer(running, q, facts); err != nil {
				return err
			}
		}
	}
	if facts.FirstID, err = tx.NextID(running, max(1, len(b.Keys))*store.SendIDs); err != nil {
		return err
	}
	w := b.Decide(facts)
	if w.Empty() {
		return nil
	}
	if err := s.batch.write(running, session, tx, &w); err != nil {
		return err
	}
	if err := session.CommitAnd(func(err error) { s.facts.committed(&w, err) }); err != nil {
		return fmt.Errorf("commit batch: %w", classify(err))
	}
	return nil
}
