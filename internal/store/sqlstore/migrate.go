package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"

	"parley/internal/store"
)

// Migrations are the numbered schema changes of one engine.
type Migrations struct {
	Dialect goose.Dialect
	Files   fs.FS // the numbered files at its root
	// VersionTable counts the tables named goose_db_version: 0 for a database
	// that was never migrated.
	VersionTable string
	// Options are passed on, such as a lock against several programs that
	// migrate at once.
	Options []goose.ProviderOption
}

// Check fails as CheckVersions does and changes nothing.
func (m *Migrations) Check(ctx context.Context, db *sql.DB) error {
	_, err := m.check(ctx, db)
	return err
}

// Apply brings the schema up to date, each migration in a transaction of its own.
// It checks first: a database that does not fit is not touched.
func (m *Migrations) Apply(ctx context.Context, db *sql.DB) error {
	provider, err := m.check(ctx, db)
	if err != nil {
		return err
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (m *Migrations) check(ctx context.Context, db *sql.DB) (*goose.Provider, error) {
	options := append([]goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}, m.Options...)
	provider, err := goose.NewProvider(m.Dialect, db, m.Files, options...)
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	var known []int64
	for _, s := range provider.ListSources() {
		known = append(known, s.Version)
	}
	applied, err := m.applied(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("read applied migrations: %w", err)
	}
	return provider, CheckVersions(applied, known)
}

func (m *Migrations) applied(ctx context.Context, db *sql.DB) ([]int64, error) {
	var tables int
	if err := db.QueryRowContext(ctx, m.VersionTable).Scan(&tables); err != nil {
		return nil, err
	}
	if tables == 0 {
		return nil, nil
	}
	versions, err := database.NewStore(m.Dialect, goose.DefaultTablename)
	if err != nil {
		return nil, err
	}
	rows, err := versions.ListMigrations(ctx, db)
	if err != nil {
		return nil, err
	}
	var applied []int64
	for _, r := range rows {
		if r.Version > 0 { // 0 only says that the table was made
			applied = append(applied, r.Version)
		}
	}
	return applied, nil
}

// CheckVersions compares the migrations that a database has had with those the
// program knows. It fails with store.ErrNewerSchema if the database is ahead of
// the program, and with store.ErrSchemaGap if a migration below the newest
// applied one was left out or is not known.
func CheckVersions(applied, known []int64) error {
	if len(applied) == 0 {
		return nil
	}
	newest := slices.Max(applied)
	if len(known) == 0 || newest > slices.Max(known) {
		return fmt.Errorf("migration %d: %w", newest, store.ErrNewerSchema)
	}
	for _, v := range applied {
		if !slices.Contains(known, v) {
			return fmt.Errorf("migration %d is applied but not known: %w", v, store.ErrSchemaGap)
		}
	}
	for _, v := range known {
		if v < newest && !slices.Contains(applied, v) {
			return fmt.Errorf("migration %d was left out: %w", v, store.ErrSchemaGap)
		}
	}
	return nil
}
