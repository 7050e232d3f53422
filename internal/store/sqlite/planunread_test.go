package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// What is not read is found by its index, and acknowledgements, of which there is one
// per recipient and message, do not write to it.
func TestAcknowledgementsLeaveTheIndexOfTheUnreadAlone(t *testing.T) {
	t.Parallel()
	s, path := openEmpty(t)
	session, err := s.readers.Begin(t.Context(), t.Context(), nil)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer session.Rollback()
	args := []any{1, 1, 1, 1, 1, 1, 1, 1, 1, 1} // as many as the longest text takes

	reading := statementsOf(t, s.flavor, path, func(ctx context.Context, tx *sqlstore.Tx) error {
		if _, err := tx.Unread(ctx, 1, nil); err != nil {
			return err
		}
		_, _, err := tx.ReadThrough(ctx, store.Seat{Conversation: 1, Account: 2}, 3, time.UnixMilli(4))
		return err
	})
	if len(reading) != 2 {
		t.Fatalf("reading: got %q, want two statements", reading)
	}
	for _, text := range reading {
		plan := strings.Join(explain(t, session, sqlstore.Load{Doing: text, Text: text, Args: args[:strings.Count(text, "$")]}), "; ")
		if !strings.Contains(plan, "USING INDEX envelopes_unread (recipient_id=? AND conversation_id=? AND seq") {
			t.Errorf("%s: got the plan %q, want a search by envelopes_unread", text, plan)
		}
	}

	writing := statementsOf(t, s.flavor, path, func(ctx context.Context, tx *sqlstore.Tx) error {
		_, err := tx.AcknowledgeMany(ctx, []store.EnvelopeKey{{Recipient: 1, Message: 2}}, time.UnixMilli(3))
		return err
	})
	writing = append(writing, acknowledgeText(8))
	for _, text := range writing {
		written := writtenBy(t, session, text, args[:max(1, strings.Count(text, "?"))])
		if written["envelopes_unread"] || !written["envelopes_pending"] {
			t.Errorf("%s: writes to %v, want envelopes_pending and not envelopes_unread", text, written)
		}
	}
}

// writtenBy returns the tables and indexes that a statement opens to write.
func writtenBy(t *testing.T, s *sqlstore.Session, text string, args []any) map[string]bool {
	t.Helper()
	names := map[int]string{}
	roots, err := s.Query(t.Context(), "SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
	if err != nil {
		t.Fatalf("list tables: %v", err)
	}
	defer func() { _ = roots.Close() }()
	for roots.Next() {
		var name string
		var root int
		if err := roots.Scan(&name, &root); err != nil {
			t.Fatalf("list tables: %v", err)
		}
		names[root] = name
	}
	if err := roots.Err(); err != nil {
		t.Fatalf("list tables: %v", err)
	}
	steps, err := s.Query(t.Context(), "EXPLAIN "+text, args...)
	if err != nil {
		t.Fatalf("explain %s: %v", text, err)
	}
	defer func() { _ = steps.Close() }()
	written := map[string]bool{}
	for steps.Next() {
		var code string
		var root int
		var unused sql.RawBytes
		if err := steps.Scan(&unused, &code, &unused, &root, &unused, &unused, &unused, &unused); err != nil {
			t.Fatalf("explain %s: %v", text, err)
		}
		if code == "OpenWrite" {
			written[names[root]] = true
		}
	}
	if err := steps.Err(); err != nil {
		t.Fatalf("explain %s: %v", text, err)
	}
	return written
}
