package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Options say where the database is and how it is used.
type Options struct {
	// DSN is a postgres:// address or a list of key=value, as libpq has them. The
	// database exists, is encoded in UTF-8 and belongs to the user.
	DSN    string
	Logger *slog.Logger // required
	// MaxConns is how many connections are opened at most, but for Exclusive; 0
	// means 16. Four are for writing, the rest for reading, at least one.
	MaxConns int
}

const (
	defaultConns = 16
	sendConns    = 2
	updateConns  = 2

	minVersion = 150000 // server_version_num
)

// Store is an open database. It implements store.Store.
type Store struct {
	*sqlstore.DB // View and Update
	log          *slog.Logger
	config       *pgx.ConnConfig
	idKey        [32]byte

	settleTimeout time.Duration

	batches *pgxpool.Pool // for Send
	pools   []*sql.DB     // to close after the sessions
	writers *sqlstore.Sessions
	readers *sqlstore.Sessions
}

var _ store.Store = (*Store)(nil)

// Open connects to a database and brings its schema up to date, while other
// processes that open it wait. It fails with store.ErrNewerSchema or
// store.ErrSchemaGap before anything is changed.
func Open(ctx context.Context, o Options) (*Store, error) {
	config, err := pgx.ParseConfig(o.DSN)
	if err != nil {
		return nil, fmt.Errorf("read database address: %w", err) // pgx leaves the password out
	}
	s := &Store{log: o.Logger, config: configure(config, common()), settleTimeout: settleTimeout}
	if err := s.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s on %s: %w", config.Database, config.Host, err), s.closePools())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o Options) (err error) {
	conns := o.MaxConns
	if conns == 0 {
		conns = defaultConns
	}
	views := conns - sendConns - updateConns
	if views < 1 {
		return fmt.Errorf("%d connections are too few: at least %d", conns, sendConns+updateConns+1)
	}
	if s.idKey, err = prepare(ctx, configure(s.config, unbounded())); err != nil {
		return err
	}

	pool, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return err
	}
	pool.ConnConfig = configure(s.config, writing(), batching())
	pool.MaxConns, pool.MinConns = sendConns, 0
	if s.batches, err = pgxpool.NewWithConfig(ctx, pool); err != nil {
		return err
	}
	flavor := newFlavor()
	updates := s.pool(configure(s.config, writing()), updateConns)
	s.writers = sqlstore.NewSessions(updates, updateConns, flavor)
	s.readers = sqlstore.NewSessions(s.pool(configure(s.config, reading()), views), views, flavor)
	s.DB = sqlstore.New(s.writers, s.readers, flavor)
	return nil
}

// pool returns a pool of size connections for the shared SQL.
func (s *Store) pool(config *pgx.ConnConfig, size int) *sql.DB {
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	s.pools = append(s.pools, db)
	return db
}

// checkServer refuses servers that are too old and databases whose texts are not
// UTF-8: they would refuse or change what clients write.
func checkServer(ctx context.Context, db *sql.DB) error {
	var encoding, version string
	err := db.QueryRowContext(ctx,
		`SELECT current_setting('server_encoding'), current_setting('server_version_num')`).Scan(&encoding, &version)
	if err != nil {
		return fmt.Errorf("look at the server: %w", err)
	}
	if n, err := strconv.Atoi(version); err != nil || n < minVersion {
		return fmt.Errorf("the server's version number is %s: at least %d is needed", version, minVersion)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database is encoded in %s: UTF8 is needed", encoding)
	}
	return nil
}

// IDKey is the secret from which public ids are made.
func (s *Store) IDKey(context.Context) ([32]byte, error) { return s.idKey, nil }

// Name is "postgres".
func (s *Store) Name() string { return "postgres" }

// Close waits for transactions that run and closes all connections. Nothing else
// may be called any more. A lease of Exclusive is released by its holder.
func (s *Store) Close() error {
	return errors.Join(s.writers.Close(), s.readers.Close(), s.closePools())
}

func (s *Store) closePools() error {
	if s.batches != nil {
		s.batches.Close()
	}
	var errs []error
	for _, db := range s.pools {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
