package sqlstore

import (
	"context"
	"fmt"

	"parley/internal/store"
)

// Tx answers store.Reader and store.Tx on a transaction that somebody else begins
// and ends. It is for one goroutine.
type Tx struct {
	s *Session
	f *Flavor
}

var _ store.Tx = (*Tx)(nil)

// NewTx returns the shared statements over a session.
func NewTx(s *Session, f *Flavor) *Tx { return &Tx{s: s, f: f} }

// NextID draws n consecutive ids and returns the first.
func (t *Tx) NextID(ctx context.Context, n int) (int64, error) {
	var last int64
	if err := t.one(ctx, "draw ids", scan(&last), t.f.DrawIDs, n); err != nil {
		return 0, err
	}
	return last - int64(n) + 1, nil
}

// scan returns a row function that fills dest.
func scan(dest ...any) func(Row) error {
	return func(r Row) error { return r.Scan(dest...) }
}

// each runs a query and hands every row to row.
func (t *Tx) each(ctx context.Context, doing string, row func(Row) error, text string, args ...any) error {
	_, err := t.rows(ctx, doing, row, text, args)
	return err
}

// one runs a query for a single row and fails with store.ErrNotFound if there is
// none.
func (t *Tx) one(ctx context.Context, doing string, row func(Row) error, text string, args ...any) error {
	n, err := t.rows(ctx, doing, row, text, args)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", doing, store.ErrNotFound)
	}
	return err
}

func (t *Tx) rows(ctx context.Context, doing string, row func(Row) error, text string, args []any) (n int, err error) {
	rows, err := t.s.Query(ctx, text, args...)
	if err != nil {
		return 0, t.fail(doing, err)
	}
	defer rows.Close() // its error is in rows.Err
	for rows.Next() {
		if err := row(rows); err != nil {
			return n, t.fail(doing, err)
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return n, t.fail(doing, err)
	}
	return n, nil
}

// exec runs a statement that may touch any number of rows.
func (t *Tx) exec(ctx context.Context, doing, text string, args ...any) error {
	if err := t.s.Exec(ctx, text, args...); err != nil {
		return t.fail(doing, err)
	}
	return nil
}

// affect runs a statement and returns how many rows it touched.
func (t *Tx) affect(ctx context.Context, doing, text string, args ...any) (int, error) {
	n, err := t.s.Affect(ctx, text, args...)
	if err != nil {
		return 0, t.fail(doing, err)
	}
	return n, nil
}

// hit runs a statement that must touch a row and fails with store.ErrNotFound if
// it touches none.
func (t *Tx) hit(ctx context.Context, doing, text string, args ...any) error {
	n, err := t.affect(ctx, doing, text, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", doing, store.ErrNotFound)
	}
	return err
}

func (t *Tx) fail(doing string, err error) error {
	return fmt.Errorf("%s: %w", doing, t.f.Classify(err))
}
