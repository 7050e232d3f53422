package postgres_test

import (
	"context"
	"database/sql"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/storetest"
	"parley/internal/testpg"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		dsn := testpg.New(t)
		return storetest.Database{
			Open:    func(ctx context.Context) (store.Store, error) { return open(ctx, dsn) },
			Raw:     func(t testing.TB) *sql.DB { return raw(t, dsn) },
			Migrate: func(ctx context.Context, version int64) error { return postgres.MigrateTo(ctx, raw(t, dsn), version) },
			Shared:  true,
		}
	})
}

func open(ctx context.Context, dsn string) (*postgres.Store, error) {
	s, err := postgres.Open(ctx, postgres.Options{DSN: dsn, Logger: slog.New(slog.DiscardHandler), MaxConns: 8})
	if err != nil {
		return nil, err
	}
	return s, nil
}

func mustOpen(t *testing.T, dsn string) *postgres.Store {
	t.Helper()
	s, err := open(t.Context(), dsn)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// What cannot work is refused when the store is opened, in words that help.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	latin := latinDatabase(t, dsn)
	for _, test := range []struct {
		name, dsn string
		conns     int
		want      string
	}{
		{"too few connections", dsn, 4, "at least 5"},
		{"no address", "postgres://%", 0, "database address"},
		{"another encoding", latin, 0, "UTF8 is needed"},
		{"no server", "postgres://nobody@127.0.0.1:1/none?connect_timeout=5", 0, "none"},
	} {
		_, err := postgres.Open(t.Context(), postgres.Options{
			DSN: test.dsn, Logger: slog.New(slog.DiscardHandler), MaxConns: test.conns,
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one that says %q", test.name, err, test.want)
		}
	}
}

// latinDatabase makes a database that is not encoded in UTF-8.
func latinDatabase(t *testing.T, dsn string) string {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("read %s: %v", dsn, err)
	}
	name := strings.TrimPrefix(address.Path, "/") + "_latin"
	db := raw(t, dsn)
	_, err = db.ExecContext(t.Context(),
		"CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
	if err != nil {
		t.Fatalf("create a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database: %v", err)
		}
	})
	address.Path = "/" + name
	return address.String()
}

// raw opens the database past the store.
func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatalf("open %s: %v", dsn, err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
