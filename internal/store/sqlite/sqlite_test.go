package sqlite_test

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"testing"

	"parley/internal/store"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
	"parley/internal/store/storetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Database {
		path := sqlitetest.Path(t)
		return storetest.Database{
			Open: func(ctx context.Context) (store.Store, error) {
				return sqlite.Open(ctx, sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
			},
			Raw: func(t testing.TB) *sql.DB { return raw(t, path) },
			Migrate: func(ctx context.Context, version int64) error {
				if err := os.Remove(path); err != nil { // its schema is the newest
					return err
				}
				return sqlite.MigrateTo(ctx, path, version)
			},
		}
	})
}

// raw opens the file past the store.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
