package sqlite

import (
	"context"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// A load that scans a table is right, fast in every small test, and ruins a large
// server. The lists themselves (json_each, a virtual table) are scanned.
func TestLoadsUseIndexes(t *testing.T) {
	t.Parallel()
	s, _ := openEmpty(t)
	l := sqlstore.NewLoader(s.flavor, []store.SendKey{
		{Author: 1, Peer: 2, ClientID: "a"}, {Author: 1, Conversation: 10}, {Author: 1, Conversation: 11}, {Author: 1, Conversation: 12, Attachment: 30},
	}, nil)
	loads := l.First()
	for _, c := range []*chat.Conversation{
		{ID: 10, Kind: chat.ConversationChannel, Space: 20, Overwritten: true},
		{ID: 11, Kind: chat.ConversationDirect, Low: 1, High: 2},
		{ID: 12, Kind: chat.ConversationGroup},
	} {
		l.Facts.Conversations[c.ID] = c
	}
	loads = append(loads, l.Second()...)
	if want := 11; len(loads) != want {
		t.Fatalf("loads: got %d, want %d", len(loads), want)
	}
	session, err := s.readers.Begin(t.Context(), t.Context(), nil)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer session.Rollback()
	for _, load := range loads {
		plan := explain(t, session, load)
		if len(plan) == 0 {
			t.Errorf("%s: no plan", load.Doing)
		}
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "VIRTUAL TABLE") {
				t.Errorf("%s: got %q in the plan, want a search by an index", load.Doing, step)
			}
		}
	}
}

func explain(t *testing.T, s *sqlstore.Session, load sqlstore.Load) (steps []string) {
	t.Helper()
	rows, err := s.Query(context.Background(), "EXPLAIN QUERY PLAN "+load.Text, load.Args...)
	if err != nil {
		t.Fatalf("explain %s: %v", load.Doing, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatalf("explain %s: %v", load.Doing, err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("explain %s: %v", load.Doing, err)
	}
	return steps
}
