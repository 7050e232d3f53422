package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"

	"parley/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// errForeign: the file is a database, but not one of ours.
var errForeign = errors.New("not a Parley database")

func migrations() (*sqlstore.Migrations, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	return &sqlstore.Migrations{
		Dialect:      goose.DialectSQLite3,
		Files:        files,
		VersionTable: `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`,
	}, nil
}

// identify says whether the file is empty, and fails unless it is that or a
// database of ours that this program can use. It changes nothing.
func identify(ctx context.Context, db *sql.DB) (empty bool, err error) {
	var owner, tables int
	err = db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&owner, &tables)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errForeign, classify(err))
	}
	if owner == 0 && tables == 0 {
		return true, nil
	}
	if owner != applicationID {
		return false, errForeign
	}
	m, err := migrations()
	if err != nil {
		return false, err
	}
	return false, m.Check(ctx, db)
}

// migrate marks an empty file as ours and brings the schema up to date.
func migrate(ctx context.Context, db *sql.DB, empty bool) error {
	if empty {
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
			return fmt.Errorf("mark the database: %w", classify(err))
		}
	}
	m, err := migrations()
	if err != nil {
		return err
	}
	return m.Apply(ctx, db)
}
