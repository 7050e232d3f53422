package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parley/internal/config"
	"parley/internal/store/sqlite"
)

// Restored says what Restore did.
type Restored struct {
	Database string // the file that is in force now
	Aside    string // where the database that was there before is now; "" if there was none
}

// Restore puts a backup in the place of the SQLite database of a data folder. It
// takes the folder's lock, so it refuses while a server runs (store.ErrInUse). A
// database that is there is refused with fs.ErrExist unless replace is set, and is
// then kept under another name. Nothing is changed unless the backup is whole.
func Restore(ctx context.Context, place config.Place, from string, replace bool) (done Restored, err error) {
	if place.Database.Postgres() {
		return done, errors.New("the data is in PostgreSQL: restore it with pg_restore or psql")
	}
	if err := prepareFolder(place.Data, true); err != nil {
		return done, err
	}
	lock, err := lockFolder(place.Data, "restore")
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.release()) }()

	done.Database = databasePath(place.Data)
	_, err = os.Lstat(done.Database)
	exists := err == nil
	switch {
	case exists && !replace:
		return done, fmt.Errorf("%s is there already (--replace keeps it under another name): %w", done.Database, fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return done, fmt.Errorf("look for a database: %w", err)
	}
	fresh := done.Database + ".restored"
	if err := removeFiles(fresh, fresh+".part"); err != nil { // of a restore that was broken off
		return done, err
	}
	if err := sqlite.Restore(ctx, from, fresh); err != nil {
		return done, err
	}
	if exists {
		if done.Aside, err = setAside(done.Database); err != nil {
			return done, errors.Join(err, removeFiles(fresh))
		}
	}
	if err := os.Rename(fresh, done.Database); err != nil {
		return done, fmt.Errorf("put the restored database in place: %w", err)
	}
	return done, syncFolder(place.Data)
}

// setAside renames a database together with the log that belongs to it, the log
// first: a database without its log is whole up to a point, a log under a foreign
// database is not.
func setAside(path string) (string, error) {
	aside := path + "." + time.Now().UTC().Format("20060102T150405.000Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		err := os.Rename(path+suffix, aside+suffix)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("keep the old database: %w", err)
		}
	}
	return aside, nil
}

// removeFiles removes files that may be gone already.
func removeFiles(paths ...string) error {
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove what is not needed any more: %w", err)
		}
	}
	return nil
}

func syncFolder(folder string) error {
	f, err := os.Open(filepath.Clean(folder))
	if err != nil {
		return fmt.Errorf("sync the data folder: %w", err)
	}
	return errors.Join(f.Sync(), f.Close())
}
