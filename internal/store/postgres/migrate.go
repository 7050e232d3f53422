package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"parley/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// prepare checks the server, brings the schema up to date and returns the key of
// public ids. One process at a time does so: the others wait at the lock of a
// session, which ends with its connection.
func prepare(ctx context.Context, config *pgx.ConnConfig) (key [32]byte, err error) {
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := checkServer(ctx, db); err != nil {
		return key, err
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return key, fmt.Errorf("connect for the migration lock: %w", err)
	}
	// Given back only now, and then db.Close ends its session, and with it the lock.
	defer func() { err = errors.Join(err, lock.Close()) }()
	if _, err := lock.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, keyMigrate); err != nil {
		return key, fmt.Errorf("wait for the migration lock: %w", err)
	}
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return key, fmt.Errorf("read embedded migrations: %w", err)
	}
	m := sqlstore.Migrations{
		Dialect:      goose.DialectPostgres,
		Files:        files,
		VersionTable: `SELECT count(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')`,
	}
	if err := m.Apply(ctx, db); err != nil {
		return key, err
	}
	return readIDKey(ctx, db)
}

// readIDKey returns the key of public ids and makes it if there is none.
func readIDKey(ctx context.Context, db *sql.DB) (key [32]byte, err error) {
	rand.Read(key[:])
	_, err = db.ExecContext(ctx,
		`INSERT INTO meta (name, value) VALUES ('id_key', $1) ON CONFLICT (name) DO NOTHING`, key[:])
	if err != nil {
		return key, fmt.Errorf("make the key of ids: %w", err)
	}
	var stored []byte
	if err := db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'id_key'`).Scan(&stored); err != nil {
		return key, fmt.Errorf("read the key of ids: %w", err)
	}
	if copy(key[:], stored) != len(key) || len(stored) != len(key) {
		return key, fmt.Errorf("the key of ids has %d bytes", len(stored))
	}
	return key, nil
}
