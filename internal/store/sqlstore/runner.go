package sqlstore

import (
	"context"
	"fmt"

	"parley/internal/store"
)

// DB runs transactions on the connections of an engine, which embeds it and adds
// what store.Store asks beyond View and Update.
type DB struct {
	flavor  *Flavor
	writers *Sessions
	readers *Sessions
}

// New returns a runner. The sessions stay the engine's to close.
func New(writers, readers *Sessions, flavor *Flavor) *DB {
	return &DB{flavor: flavor, writers: writers, readers: readers}
}

// View runs fn on one snapshot. The end of ctx interrupts it.
func (d *DB) View(ctx context.Context, fn func(ctx context.Context, r store.Reader) error) error {
	s, err := d.readers.Begin(ctx, ctx, d.flavor.View)
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", d.flavor.Classify(err))
	}
	defer s.Rollback() // nothing was written: this only ends the snapshot
	return fn(ctx, NewTx(s, d.flavor))
}

// Update runs fn in a transaction in the write order and commits if fn returns
// nil. Waiting for a connection ends with ctx; once begun, nothing interrupts it.
func (d *DB) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	running := context.WithoutCancel(ctx)
	s, err := d.writers.Begin(ctx, running, d.flavor.Update)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", d.flavor.Classify(err))
	}
	defer s.Rollback() // no-op after the commit; undoes what fn did if it fails or panics
	if d.flavor.Lock != "" {
		if err := s.Exec(running, d.flavor.Lock); err != nil {
			return fmt.Errorf("take the write lock: %w", d.flavor.Classify(err))
		}
	}
	if err := fn(running, NewTx(s, d.flavor)); err != nil {
		return err
	}
	if err := s.Commit(); err != nil {
		return fmt.Errorf("commit: %w", d.flavor.Classify(err))
	}
	return nil
}
