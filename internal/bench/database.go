package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"parley/internal/config"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// database is the pair of databases of one run, on one engine.
type database interface {
	// exists tells whether an earlier run has left them.
	exists(ctx context.Context) (bool, error)
	// create makes the server's database, empty, and opens it.
	create(ctx context.Context) (store.Store, error)
	// make stores f in the server's database and copies it for the bare writer.
	make(ctx context.Context, f *fixture, tell func(done int)) error
	// where names them, for those who have to remove what is left of a run.
	where() string
	// place says where the database of a work is; a work without one gets the
	// zero value.
	place(work string) config.Place
	// settle brings both to rest, so that all slices begin alike.
	settle(ctx context.Context) error
	// used is the CPU time of the database's own server processes so far.
	used(ctx context.Context) (time.Duration, error)
	// close lets go of both; with remove it deletes what a server of its own has.
	close(ctx context.Context, remove bool) error
}

// sqliteFile is the database in a data folder.
func sqliteFile(folder string) string { return filepath.Join(folder, "parley.db") }

// filePair is the pair on SQLite: a data folder each, below one folder.
type filePair struct {
	folder  string
	settled []*sql.Conn // kept open: each run of settle needs them
	pools   []*sql.DB
}

func (p *filePair) place(work string) config.Place {
	return config.Place{Data: filepath.Join(p.folder, work), Database: "sqlite"}
}

func (p *filePair) where() string { return "the databases in " + p.folder }

func (p *filePair) exists(context.Context) (bool, error) {
	for _, work := range []string{workSend, workFloorBare} {
		_, err := os.Stat(p.place(work).Data)
		if !errors.Is(err, os.ErrNotExist) {
			return err == nil, err
		}
	}
	return false, nil
}

func (p *filePair) create(ctx context.Context) (store.Store, error) {
	data := p.place(workSend).Data
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	return sqlite.Open(ctx, sqlite.Options{Path: sqliteFile(data), Logger: slog.New(slog.DiscardHandler)})
}

func (p *filePair) make(ctx context.Context, f *fixture, tell func(done int)) error {
	s, err := p.create(ctx)
	if err != nil {
		return err
	}
	if err := seedAndClose(ctx, s, f); err != nil {
		return err
	}
	from, to := sqliteFile(p.place(workSend).Data), sqliteFile(p.place(workFloorBare).Data)
	if err := fillFile(ctx, from, f, tell); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return copyFile(from, to)
}

func seedAndClose(ctx context.Context, s store.Store, f *fixture) error {
	return errors.Join(f.seed(ctx, s), s.Close())
}

// fillFile stores the messages with all that makes it quick: nothing is synced
// until the end, and the log is copied into the database in large pieces.
func fillFile(ctx context.Context, name string, f *fixture, tell func(done int)) error {
	db, err := sql.Open("sqlite", fileDSN(name)+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)"+
		"&_pragma=cache_size(-262144)&_pragma=wal_autocheckpoint(16384)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	err = fill(ctx, db, f, `UPDATE counters SET value = $1 WHERE name = 'ids'`, tell)
	return errors.Join(err, db.Close()) // the last to close copies the log and removes it
}

func fileDSN(name string) string {
	return "file:" + (&url.URL{Path: filepath.ToSlash(name)}).EscapedPath()
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy the database: %w", err)
	}
	return out.Sync()
}

// settle lets both logs begin anew. It does so from this process, beside the
// children: nothing is sent at that time.
func (p *filePair) settle(ctx context.Context) error {
	if p.settled == nil {
		if err := p.connect(ctx); err != nil {
			return err
		}
	}
	for _, conn := range p.settled {
		if _, _, err := checkpoint(ctx, conn, "RESTART"); err != nil {
			return err
		}
	}
	return nil
}

func (p *filePair) connect(ctx context.Context) error {
	for _, work := range []string{workSend, workFloorBare} {
		db, err := sql.Open("sqlite", fileDSN(sqliteFile(p.place(work).Data))+"?_pragma=busy_timeout(5000)")
		if err != nil {
			return err
		}
		p.pools = append(p.pools, db)
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		p.settled = append(p.settled, conn)
	}
	return nil
}

func (p *filePair) used(context.Context) (time.Duration, error) { return 0, nil }

func (p *filePair) close(context.Context, bool) error {
	var errs []error
	for _, conn := range p.settled {
		errs = append(errs, conn.Close())
	}
	for _, db := range p.pools {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
