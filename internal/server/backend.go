package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"parley/internal/admin"
	"parley/internal/blob"
	"parley/internal/bus/inproc"
	"parley/internal/config"
	"parley/internal/core"
	"parley/internal/id"
	"parley/internal/netguard"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
)

const (
	databaseFile = "parley.db"
	socketFile   = "admin.sock"
)

// SocketPath is where the server of a data folder listens for its operator.
func SocketPath(data string) string { return filepath.Join(data, socketFile) }

func databasePath(data string) string { return filepath.Join(data, databaseFile) }

// BackendConfig says how to open a Backend. Log is needed.
type BackendConfig struct {
	Place     config.Place
	LimitsOff bool
	Log       *slog.Logger
	// Purpose is shown to others who find the data in use, such as "serve".
	Purpose string
	// Create makes the data folder and the database if they are missing; without
	// it a place without data is an error.
	Create  bool
	Outside Outside
	// Hooks makes what sends events to webhooks, once the store is open; nil: what
	// is queued waits for a server.
	Hooks func(b *Backend) core.Hooks
	// Observe is told about finished batches of sends; nil: nobody is.
	Observe func(core.BatchStats)
}

// Backend is a server without its listeners: the data folder's lock, the store,
// the bus and the core. A command uses one when no server runs.
type Backend struct {
	Core  *core.Service
	Codec *id.Codec
	Blobs *blob.Store
	Guard *netguard.Client // for calls to addresses that others chose

	log   *slog.Logger
	data  string
	store store.Store
	bus   *inproc.Bus
	lease *postgres.Lease // nil with SQLite
	close []func() error  // in the order in which things were opened
}

// OpenBackend takes the lock and opens everything behind it: store.ErrInUse if
// another process has the data. Close ends it.
func OpenBackend(ctx context.Context, cfg BackendConfig) (*Backend, error) {
	b := &Backend{log: cfg.Log, data: cfg.Place.Data}
	if err := b.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Backend) open(ctx context.Context, cfg BackendConfig) error {
	if err := prepareFolder(b.data, cfg.Create); err != nil {
		return err
	}
	lock, err := lockFolder(b.data, cfg.Purpose)
	if err != nil {
		return err
	}
	b.onClose(lock.release)
	if err := b.openStore(ctx, cfg); err != nil {
		return err
	}
	key, err := b.store.IDKey(ctx)
	if err != nil {
		return fmt.Errorf("read the key of ids: %w", err)
	}
	if b.Codec, err = id.NewCodec(key); err != nil {
		return err
	}
	b.bus = inproc.New(inproc.Options{Dropped: func(events int) {
		cfg.Log.Warn("events dropped by the bus", "events", events)
	}})
	b.onClose(b.bus.Close)
	rules := core.Config{
		Store: b.store, Bus: b.bus, Log: cfg.Log, LimitsOff: cfg.LimitsOff, Observe: cfg.Observe,
		Hasher: secret.NewHasher(runtime.GOMAXPROCS(0)),
	}
	if err := b.outside(&rules, cfg.Outside, key); err != nil {
		return err
	}
	if cfg.Hooks != nil {
		rules.Hooks = cfg.Hooks(b)
	}
	if b.Core, err = core.New(rules); err != nil {
		return err
	}
	b.onClose(func() error { b.Core.Close(); return nil })
	return nil
}

func (b *Backend) openStore(ctx context.Context, cfg BackendConfig) error {
	if cfg.Place.Database.Postgres() {
		s, err := postgres.Open(ctx, postgres.Options{DSN: string(cfg.Place.Database), Logger: cfg.Log})
		if err != nil {
			return fmt.Errorf("--database: %w", err)
		}
		b.store = s
		b.onClose(s.Close)
		if b.lease, err = s.Exclusive(ctx); err != nil {
			return fmt.Errorf("--database: another Parley server has this database; end it, or run the command on its machine: %w", err)
		}
		b.onClose(func() error { b.lease.Release(); return nil })
		return nil
	}
	path := databasePath(b.data)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && !cfg.Create {
		return fmt.Errorf("--data: there is no database in %s: name the folder of the server, or start one with `parley serve`", b.data)
	}
	s, err := sqlite.Open(ctx, sqlite.Options{Path: path, Logger: cfg.Log})
	if err != nil {
		return err
	}
	b.store = s
	b.onClose(s.Close)
	return nil
}

func (b *Backend) onClose(f func() error) { b.close = append(b.close, f) }

// Close answers the sends that wait, closes everything in reverse and gives the
// lock back. Nothing else may be called any more.
func (b *Backend) Close() error {
	var errs []error
	for i := len(b.close) - 1; i >= 0; i-- {
		errs = append(errs, b.close[i]())
	}
	b.close = nil
	return errors.Join(errs...)
}

// Admin serves the operator's commands.
func (b *Backend) Admin() http.Handler {
	cfg := admin.Config{Core: b.Core, Codec: b.Codec, Log: b.log}
	if s, ok := b.store.(store.Backuper); ok {
		cfg.Backup = s.Backup
	}
	return admin.Handler(cfg)
}

// engine names the store for people.
func (b *Backend) engine() string {
	if b.lease != nil {
		return "PostgreSQL"
	}
	return "SQLite"
}
