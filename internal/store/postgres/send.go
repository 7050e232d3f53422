package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"parley/internal/store"
)

// sendAttempts is how many connections Send tries: each that it has may have died
// while idle, and then a new one.
const sendAttempts = sendConns + 1

// errLost: the connection broke, and nothing was committed.
var errLost = errors.New("connection to the database lost")

// unsettled says that the connection broke while a transaction was being
// committed. It does not unwrap to errLost, which would say that nothing was.
type unsettled struct {
	transaction string // the server's id of it
	cause       error
}

func (u *unsettled) Error() string { return "unknown whether a batch was stored: " + u.cause.Error() }

// Send stores a batch of messages in one transaction: a round trip that takes the
// write lock and loads all facts, another one for counts if any are asked for,
// and one that writes and commits. The end of ctx interrupts the first two.
func (s *Store) Send(ctx context.Context, b store.Batch) error {
	for attempt := 1; ; attempt++ {
		err := s.send(ctx, b)
		var u *unsettled
		if errors.As(err, &u) {
			err = s.settle(ctx, u)
		}
		if !errors.Is(err, errLost) || attempt == sendAttempts || ctx.Err() != nil {
			return err
		}
		s.log.WarnContext(ctx, "send starts again on another connection", "attempt", attempt, "error", err)
	}
}

func (s *Store) send(ctx context.Context, b store.Batch) error {
	conn, err := s.batches.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to send: %w", err)
	}
	defer release(ctx, conn)

	l := newLoader(b.Keys)
	if err := run(ctx, conn, l.load()); err != nil {
		return fmt.Errorf("load facts: %w", err)
	}
	if b.Ask != nil {
		if q := b.Ask(l.facts); q.Any() {
			if err := run(ctx, conn, l.answer(q)); err != nil {
				return fmt.Errorf("answer what a batch asks: %w", err)
			}
		}
	}
	w := b.Decide(l.facts)
	if w.Empty() {
		return nil // release ends the transaction
	}
	batch, err := write(&w)
	if err != nil {
		return err
	}
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	err = run(writing, conn, batch)
	if errors.Is(err, errLost) {
		return &unsettled{transaction: l.transaction, cause: err}
	}
	if err != nil {
		return fmt.Errorf("write batch: %w", err)
	}
	return nil
}

// run sends a pipeline and handles its results.
func run(ctx context.Context, conn *pgxpool.Conn, batch *pgx.Batch) error {
	err := conn.SendBatch(ctx, batch).Close()
	switch {
	case err == nil:
		return nil
	case conn.Conn().IsClosed():
		return fmt.Errorf("%w: %w", errLost, err)
	}
	return classify(err)
}

// release gives a connection back. What it has not committed is undone.
func release(ctx context.Context, conn *pgxpool.Conn) {
	const idle = 'I'
	if !conn.Conn().IsClosed() && conn.Conn().PgConn().TxStatus() != idle {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
		defer cancel()
		// A connection that cannot even do this is closed by the pool.
		_, _ = conn.Exec(ctx, "ROLLBACK")
	}
	conn.Release()
}

// settle finds out whether the transaction was committed, and returns nil if so.
// If not, its error is errLost.
func (s *Store) settle(ctx context.Context, u *unsettled) error {
	s.log.WarnContext(ctx, "connection lost during commit, asking for the outcome", "error", u.cause)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.settleTimeout)
	defer cancel()
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		status, err := s.status(ctx, u.transaction)
		switch {
		case err == nil && status == "committed":
			return nil
		case err == nil && status == "aborted":
			return fmt.Errorf("%w before the commit: %w", errLost, u.cause)
		case err == nil:
			err = fmt.Errorf("transaction %s is %q", u.transaction, status)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w: %s", store.ErrConflict, u, err.Error()) // err may be errLost, this is not
		}
	}
}

// status asks the server about a transaction. With the lock held it has ended.
func (s *Store) status(ctx context.Context, transaction string) (status string, err error) {
	conn, err := s.batches.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release(ctx, conn)
	batch := &pgx.Batch{}
	batch.Queue(begin)
	batch.Queue(takeLock, keyWrite)
	batch.Queue(`SELECT COALESCE(pg_xact_status($1::text::xid8), 'unknown')`, transaction).QueryRow(
		func(row pgx.Row) error { return row.Scan(&status) })
	batch.Queue(commit)
	return status, run(ctx, conn, batch)
}
