package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/testpg"
)

// patience bounds waiting for something that happens in another goroutine or in
// the server.
const patience = 30 * time.Second

// Whoever waits for its turn must read and draw afterwards: what the holder of
// the lock changes while others wait decides about them.
func TestWaitersReadAndDrawBehindTheLock(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	here, there, db := mustOpen(t, dsn), mustOpen(t, dsn), raw(t, dsn)
	author, direct := seed(t, here)
	var message, updated int64
	var facts *store.SendFacts
	var seen *chat.Account
	results := make(chan error, 2)

	var last int64
	update(t, here, func(ctx context.Context, tx store.Tx) error {
		go func() {
			results <- there.Send(t.Context(), store.Batch{
				Keys: []store.SendKey{{Author: author.ID, Conversation: direct.ID}},
				Decide: func(f *store.SendFacts) store.Writes {
					message, facts = f.FirstID, f
					return store.Writes{}
				},
			})
		}()
		waiting(t, db, 1)
		go func() {
			results <- there.Update(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
				if seen, err = tx.Account(ctx, author.ID); err != nil {
					return err
				}
				updated, err = tx.NextID(ctx, 1)
				return err
			})
		}()
		waiting(t, db, 2)
		changed := *author
		changed.Pause = chat.PauseFull
		block := store.Edge{Owner: direct.Low, Target: direct.High}
		id, err := tx.NextID(ctx, 100)
		last = id + 99
		return errors.Join(err, tx.UpdateAccount(ctx, &changed), tx.SetBlock(ctx, block, author.CreatedAt, true))
	})
	for range cap(results) {
		if err := <-results; err != nil {
			t.Fatalf("a writer that waited: %v", err)
		}
	}
	if message <= last || updated <= last {
		t.Errorf("ids of waiters: got %d and %d, want above %d, drawn while they waited", message, updated, last)
	}
	if got := facts.Accounts[author.ID].Pause; got != chat.PauseFull || len(facts.Blocks) != 1 {
		t.Errorf("facts of a batch that waited: got pause %d and blocks %v, want those just committed", got, facts.Blocks)
	}
	if seen.Pause != chat.PauseFull {
		t.Errorf("account in an update that waited: got pause %d, want the one just committed", seen.Pause)
	}
}

// waiting returns when n sessions wait for an advisory lock of the database.
func waiting(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		var got int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_locks
			WHERE locktype = 'advisory' AND NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&got)
		if err != nil {
			t.Errorf("look at locks: %v", err)
			return
		}
		if got >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("sessions waiting for the lock: got %d, want %d", got, n)
			return
		}
	}
}

// seed stores two accounts and their empty direct conversation.
func seed(t *testing.T, s store.Store) (author *chat.Account, direct *chat.Conversation) {
	t.Helper()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	update(t, s, func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 3)
		if err != nil {
			return err
		}
		for i, name := range []string{"ada", "ben"} {
			a := &chat.Account{
				ID: chat.AccountID(id + int64(i)), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat,
				Username: name, NameKey: name, Handle: name, State: chat.StateActive, CreatedAt: at, UpdatedAt: at,
			}
			if err := tx.InsertAccount(ctx, a, ""); err != nil {
				return err
			}
			if author == nil {
				author = a
			}
		}
		direct = &chat.Conversation{
			ID: chat.ConversationID(id + 2), Kind: chat.ConversationDirect,
			Low: chat.AccountID(id), High: chat.AccountID(id + 1), CreatedAt: at,
		}
		return tx.InsertDirect(ctx, direct)
	})
	return author, direct
}

func update(t *testing.T, s store.Store, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}
