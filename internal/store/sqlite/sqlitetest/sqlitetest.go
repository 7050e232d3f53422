// Package sqlitetest gives tests SQLite databases whose schema is there already.
// Under the race detector migrating takes longer than most tests.
package sqlitetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"parley/internal/store/sqlite"
)

// template is an empty database, made once by each test program.
var template = sync.OnceValues(makeTemplate)

// Path returns the file of a new, empty database, which goes with the test.
func Path(t testing.TB) string {
	t.Helper()
	content, err := template()
	if err != nil {
		t.Fatalf("make the template of databases: %v", err)
	}
	path := filepath.Join(t.TempDir(), "parley.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatalf("copy the template of databases: %v", err)
	}
	return path
}

func makeTemplate() (content []byte, err error) {
	folder, err := os.MkdirTemp("", "parley-template-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "parley.db")
	s, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	if err := forgetKey(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// forgetKey removes the key of public ids, so that each copy makes one of its own.
func forgetKey(path string) (err error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	res, err := db.ExecContext(context.Background(), `DELETE FROM meta WHERE name = 'id_key'`)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("%d keys of ids removed (%w)", n, err)
	}
	return nil
}
