package postgres

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

const (
	// Nobody else draws between the two functions: the lock is held.
	drawIDs = `SELECT setval('ids', nextval('ids') + $1 - 1)`

	// The counter itself is ahead of any snapshot, so it is no answer: what a
	// running transaction has drawn will be committed below it.
	lastPosition = `SELECT GREATEST((SELECT COALESCE(max(id), 0) FROM messages), (SELECT COALESCE(max(id), 0) FROM events))`
)

// newFlavor says what PostgreSQL does its own way. Lists travel as arrays.
func newFlavor() *sqlstore.Flavor {
	return &sqlstore.Flavor{
		IntsTable:  `unnest($1::bigint[]) AS j(value)`,
		PairsTable: `unnest($1::bigint[], $2::bigint[]) AS j(key, value)`,
		KeysTable:  `unnest($1::text[], $2::bigint[]) AS j(key, value)`,
		Ints:       func(values []int64) any { return values },
		Pairs:      func(keys, values []int64) []any { return []any{keys, values} },
		Keys:       func(keys []string, values []int64) []any { return []any{keys, values} },

		Lock:         fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, keyWrite),
		DrawIDs:      drawIDs,
		LastPosition: lastPosition,

		View:     &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Update:   &sql.TxOptions{Isolation: sql.LevelReadCommitted},
		Classify: classify,
	}
}

// Codes of SQLSTATE.
const uniqueViolation = "23505"

// classify names what an error of the server means. Constraints are known by the
// names that the migrations give their indexes.
func classify(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) || e.Code != uniqueViolation {
		return err
	}
	return fmt.Errorf("%w (%w)", taken(e.ConstraintName), err)
}

func taken(constraint string) error {
	switch constraint {
	case "accounts_login_address":
		return store.ErrLoginTaken
	case "accounts_name_key":
		return store.ErrNameTaken
	case "accounts_handle":
		return store.ErrHandleTaken
	}
	return store.ErrConflict
}
