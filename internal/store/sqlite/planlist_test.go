package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Lists that grow with the server, and what runs with each webhook, are found by an
// index too. A list of all agents may be read from end to end, of their own index.
func TestListsUseIndexes(t *testing.T) {
	t.Parallel()
	s, path := openEmpty(t)
	for name, run := range map[string]func(ctx context.Context, tx *sqlstore.Tx) error{
		"agents":      func(ctx context.Context, tx *sqlstore.Tx) error { _, _, err := tx.Agents(ctx, 1, 2, 3); return err },
		"group seats": func(ctx context.Context, tx *sqlstore.Tx) error { _, err := tx.GroupSeats(ctx, 1, 2); return err },
		"group seat count": func(ctx context.Context, tx *sqlstore.Tx) error {
			_, err := tx.GroupSeatCount(ctx, 1, chat.SurfaceAIClient)
			return err
		},
		"group owners": func(ctx context.Context, tx *sqlstore.Tx) error {
			_, err := tx.GroupOwners(ctx, []chat.ConversationID{1, 2})
			return err
		},
		"history": func(ctx context.Context, tx *sqlstore.Tx) error {
			_, err := tx.History(ctx, store.HistoryQuery{Conversation: 1, NotBy: 2, NoSystem: true, Limit: 3})
			return err
		},
		"public keys": func(ctx context.Context, tx *sqlstore.Tx) error {
			return tx.Answer(ctx, store.Questions{Keys: []chat.AccountID{1, 2}}, store.NewSendFacts(0))
		},
		"due deliveries": func(ctx context.Context, tx *sqlstore.Tx) error {
			_, err := tx.DueDeliveries(ctx, 1, time.UnixMilli(1), 2)
			return err
		},
		"drop queue":  func(ctx context.Context, tx *sqlstore.Tx) error { _, err := tx.DropQueue(ctx, 1, 2); return err },
		"note health": func(ctx context.Context, tx *sqlstore.Tx) error { return tx.NoteHealth(ctx, &chat.Hook{ID: 1}) },
		"sign": func(ctx context.Context, tx *sqlstore.Tx) error {
			return tx.Sign(ctx, []*chat.Message{{ID: 1, Signature: new(chat.Signature)}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := statementsOf(t, s.flavor, path, run)
			if len(texts) == 0 {
				t.Fatal("nothing was asked of the database")
			}
			session, err := s.readers.Begin(t.Context(), t.Context(), nil)
			if err != nil {
				t.Fatalf("begin: %v", err)
			}
			defer session.Rollback()
			for _, text := range texts {
				for _, step := range explain(t, session, sqlstore.Load{Doing: text, Text: text, Args: []any{1, 1, 1, 1, 1, 1, 1}}) {
					if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "VIRTUAL TABLE") && !strings.Contains(step, "INDEX accounts_agents") {
						t.Errorf("%s: got %q in the plan, want a search by an index", text, step)
					}
				}
			}
		})
	}
}

// statementsOf returns the texts of the statements that fn runs, as SQLite gets them.
func statementsOf(
	t *testing.T, flavor *sqlstore.Flavor, path string, fn func(ctx context.Context, tx *sqlstore.Tx) error,
) []string {
	t.Helper()
	plain, err := connect(path, commonParams, 1)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer func() { _ = plain.Close() }()
	spy := &spy{driver: plain.Driver(), name: "file:" + path + "?" + commonParams}
	db := sql.OpenDB(spy)
	defer func() { _ = db.Close() }()
	session, err := sqlstore.NewSessions(db, 1, flavor).Begin(t.Context(), t.Context(), nil)
	if err != nil {
		t.Fatalf("begin: %v", err)
	}
	defer session.Rollback()
	if err := fn(t.Context(), sqlstore.NewTx(session, flavor)); err != nil {
		t.Fatalf("run: %v", err)
	}
	return spy.texts
}

// spy connects to a database and notes what is prepared there.
type spy struct {
	driver driver.Driver
	name   string
	texts  []string
}

func (s *spy) Driver() driver.Driver { return s.driver }

func (s *spy) Connect(context.Context) (driver.Conn, error) {
	conn, err := s.driver.Open(s.name)
	return &spiedConn{Conn: conn, spy: s}, err
}

type spiedConn struct {
	driver.Conn
	spy *spy
}

func (c *spiedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.spy.texts = append(c.spy.texts, text)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
}

func (c *spiedConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
}

// openEmpty opens a new database for a test.
func openEmpty(t *testing.T) (s *Store, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "parley.db")
	s, err := Open(t.Context(), Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, path
}
