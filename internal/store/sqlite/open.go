package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Options say where the database is and how it is used.
type Options struct {
	Path    string       // the file; created with mode 0600 if it is not there
	Logger  *slog.Logger // required
	Readers int          // connections for snapshots; 0 means 4
}

const defaultReaders = 4

// Store is an open database. It implements store.Store and store.Backuper.
type Store struct {
	*sqlstore.DB // View
	path         string
	flavor       *sqlstore.Flavor
	idKey        [32]byte

	pools      []*sql.DB // to close, in order; the writer's is the last
	writers    *sqlstore.Sessions
	readers    *sqlstore.Sessions
	checkpoint *checkpointer

	// Used by whoever holds the writer.
	batch *batchWriter
	facts *factCache
}

var (
	_ store.Store    = (*Store)(nil)
	_ store.Backuper = (*Store)(nil)
)

// Open opens or creates a database, brings its schema up to date and starts the
// checkpointer. It fails with store.ErrNewerSchema or store.ErrSchemaGap before
// anything is changed. The caller makes sure that no other process has the file.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{path: o.Path, flavor: newFlavor(), batch: newBatchWriter(), facts: newFactCache(factsKept)}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", o.Path, err), s.closePools())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) error {
	// SQLite would create the file with the mode of the umask; the log and its
	// index take the mode of the file.
	file, err := os.OpenFile(o.Path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	readers := o.Readers
	if readers == 0 {
		readers = defaultReaders
	}
	pools := make([]*sql.DB, 3)
	for i, p := range []struct {
		params string
		size   int
	}{{readerParams, readers}, {checkpointParams, 1}, {writerParams, 1}} {
		if pools[i], err = connect(o.Path, p.params, p.size); err != nil {
			return err
		}
		s.pools = append(s.pools, pools[i])
	}
	reader, log, writer := pools[0], pools[1], pools[2]
	if err := checkLibrary(ctx, reader); err != nil {
		return err
	}
	// Asked through a reader: the first connection of the writer already changes
	// a file that is not in WAL mode.
	empty, err := identify(ctx, reader)
	if err != nil {
		return err
	}
	if err := migrate(ctx, writer, empty); err != nil {
		return err
	}
	if s.idKey, err = readIDKey(ctx, writer); err != nil {
		return err
	}
	s.writers = sqlstore.NewSessions(writer, 1, s.flavor)
	s.readers = sqlstore.NewSessions(reader, readers, s.flavor)
	s.DB = sqlstore.New(s.writers, s.readers, s.flavor)
	s.checkpoint, err = startCheckpointer(ctx, log, s.writers, o.Logger)
	return err
}

// readIDKey returns the key of public ids and makes it if there is none.
func readIDKey(ctx context.Context, db *sql.DB) (key [32]byte, err error) {
	rand.Read(key[:])
	_, err = db.ExecContext(ctx,
		`INSERT INTO meta (name, value) VALUES ('id_key', $1) ON CONFLICT (name) DO NOTHING`, key[:])
	if err != nil {
		return key, fmt.Errorf("make the key of ids: %w", classify(err))
	}
	var stored []byte
	if err := db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'id_key'`).Scan(&stored); err != nil {
		return key, fmt.Errorf("read the key of ids: %w", classify(err))
	}
	if copy(key[:], stored) != len(key) || len(stored) != len(key) {
		return key, fmt.Errorf("the key of ids has %d bytes", len(stored))
	}
	return key, nil
}

// Update runs fn in one transaction in the write order.
func (s *Store) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	defer s.checkpoint.written()
	return s.DB.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		s.facts.clear() // whatever fn writes
		return fn(ctx, tx)
	})
}

// IDKey is the secret from which public ids are made.
func (s *Store) IDKey(context.Context) ([32]byte, error) { return s.idKey, nil }

// Name is "sqlite".
func (s *Store) Name() string { return "sqlite" }

// Close waits for transactions that run, copies the log into the database and
// closes all connections. Nothing else may be called any more.
func (s *Store) Close() error {
	s.checkpoint.stop()
	return errors.Join(s.readers.Close(), s.writers.Close(), s.closePools())
}

// closePools closes the writer last: the last connection to go copies what is
// left of the log and removes it.
func (s *Store) closePools() error {
	var errs []error
	for _, db := range s.pools {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
