// Package store is the storage contract: what the core asks of a database.
//
// Two engines keep it, SQLite and PostgreSQL; storetest is the suite that holds
// them to the same behaviour. A store decides nothing: it answers what is there
// and writes what it is told.
//
// # Write order
//
// Update and Send are serialised: one transaction at a time writes, on SQLite
// because there is one writer, on PostgreSQL because each takes one advisory
// lock before anything else. Whatever such a transaction reads is therefore the
// newest committed state and stays so until it ends, ids are handed out in commit
// order, and no rule is decided on a fact that has moved.
package store

import (
	"context"
	"errors"
)

// Sentinel errors. Engines return them wrapped; callers use errors.Is.
var (
	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrLoginTaken: another account has the login address.
	ErrLoginTaken = errors.New("login address taken")
	// ErrNameTaken: another account has the username.
	ErrNameTaken = errors.New("username taken")
	// ErrHandleTaken: the handle belongs, or once belonged, to an account.
	ErrHandleTaken = errors.New("handle taken")
	// ErrConflict: some other unique key is taken. Running the transaction
	// again will see the row that took it.
	ErrConflict = errors.New("conflict")
	// ErrRefused: the database does not take a value, for example because it is
	// out of range. Only the row that holds it is at fault.
	ErrRefused = errors.New("value refused by the database")
	// ErrNewerSchema: the database was written by a newer version.
	ErrNewerSchema = errors.New("database schema is newer than this program")
	// ErrSchemaGap: a migration that this program knows was never applied, or
	// one was applied that it does not know.
	ErrSchemaGap = errors.New("database migrations have a gap")
	// ErrInUse: another process holds the database for itself.
	ErrInUse = errors.New("database is in use by another process")
)

// Store is a database, open and migrated. All methods are safe for concurrent use.
type Store interface {
	Acknowledger

	// View runs fn on one consistent snapshot and writes nothing.
	View(ctx context.Context, fn func(ctx context.Context, r Reader) error) error
	// Update runs fn in one transaction in the write order and commits if fn
	// returns nil. fn may run twice, so it has no effects of its own. Once fn
	// has begun, the end of ctx does not interrupt it.
	Update(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// Send stores a batch of messages in one transaction in the write order.
	// An error means that nothing of the batch was stored.
	Send(ctx context.Context, b Batch) error
	// IDKey is the secret from which public ids are made; it is created with
	// the database and never changes.
	IDKey(ctx context.Context) ([32]byte, error)
	// Name says which engine it is: "sqlite" or "postgres".
	Name() string
	// Close ends all connections. Transactions that run are waited for.
	Close() error
}

// Backuper is a store that can copy itself while it is used.
type Backuper interface {
	// Backup writes a consistent copy to a new file at path, which must not exist.
	Backup(ctx context.Context, path string) error
}
