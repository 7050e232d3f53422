package sqlite

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
	"parley/internal/store/storetest"
)

// BenchmarkSend stores batches of messages in a database that holds many, beside
// the same rows written without loading anything.
func BenchmarkSend(b *testing.B) {
	s, err := Open(b.Context(), Options{
		Path: filepath.Join(b.TempDir(), "bench.db"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	d := storetest.NewBench(b, s)
	for _, work := range d.Works() {
		b.Run(work.Name+"/send", func(b *testing.B) {
			d.Measure(b, func() error { return d.Send(b.Context(), work.Batch()) })
		})
		b.Run(work.Name+"/bare", func(b *testing.B) {
			memory := d.Facts(b)
			d.Measure(b, func() error { return s.sendBare(b.Context(), d, memory, work.Batch()) })
		})
	}
}

// sendBare writes what is decided on facts from memory.
func (s *Store) sendBare(ctx context.Context, d *storetest.Bench, memory *store.SendFacts, keys []store.SendKey) error {
	ctx = context.WithoutCancel(ctx)
	session, err := s.writers.Begin(ctx, ctx, nil)
	if err != nil {
		return err
	}
	defer session.Rollback() // no-op after the commit
	s.facts.clear()          // it goes another way
	tx := sqlstore.NewTx(session, s.flavor)
	if memory.FirstID, err = tx.NextID(ctx, len(keys)*store.SendIDs); err != nil {
		return err
	}
	w := d.Decide(keys, memory)
	if err := s.batch.write(ctx, session, tx, &w); err != nil {
		return err
	}
	s.checkpoint.written()
	return session.Commit()
}
