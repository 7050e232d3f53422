package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/pressly/goose/v3"
)

// MigrateTo makes a new file a database of ours with an older schema.
func MigrateTo(ctx context.Context, path string, version int64) (err error) {
	db, err := connect(path, writerParams, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id = %d`, applicationID)); err != nil {
		return err
	}
	m, err := migrations()
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(m.Dialect, db, m.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}
