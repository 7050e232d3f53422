package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes a consistent copy to a new file at path, which must not exist,
// while the database is used.
//
// It is VACUUM INTO and not the online backup interface: that one begins again
// whenever another connection has written, and would not end under load. The
// copy is one snapshot, without free pages. As long as it is being made the log
// cannot begin anew and grows. The end of ctx interrupts it.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.backup(ctx, path); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	db, err := connect(s.path, backupParams, 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it has written nothing
	return writeNew(path, func(part string) error {
		if _, err := db.ExecContext(ctx, `VACUUM INTO $1`, part); err != nil {
			return fmt.Errorf("copy the database: %w", classify(err))
		}
		return nil
	})
}

// Restore puts a backup in the place of a database that does not exist: neither
// the file to nor a log beside it may be there. It refuses a file that is damaged
// or no Parley database, and one that was written by a newer version
// (store.ErrNewerSchema). Nothing is left behind when it fails.
func Restore(ctx context.Context, from, to string) error {
	if err := restore(ctx, from, to); err != nil {
		return fmt.Errorf("restore %s to %s: %w", from, to, err)
	}
	return nil
}

func restore(ctx context.Context, from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a file")
	}
	// What is only in the log would be lost without a word.
	if err := absent(from+"-wal", from+"-journal"); err != nil {
		return fmt.Errorf("a database in use, not a backup: %w", err)
	}
	if err := absent(to, to+"-wal", to+"-shm", to+"-journal"); err != nil {
		return err
	}
	return writeNew(to, func(part string) error {
		if err := copyFile(ctx, from, part); err != nil {
			return err
		}
		return inspect(ctx, part) // the copy: the original may change under our eyes
	})
}

// inspect checks that a file is a whole database of ours that this program knows.
func inspect(ctx context.Context, path string) error {
	db, err := connect(path, frozenParams, 1)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it has written nothing
	empty, err := identify(ctx, db)
	if err != nil {
		return err
	}
	if empty {
		return errForeign
	}
	var verdict string // "ok", or the first fault
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return fmt.Errorf("check integrity: %w", classify(err))
	}
	if verdict != "ok" {
		return fmt.Errorf("the file is damaged: %s", verdict)
	}
	return nil
}

// writeNew lets fill write a file beside path, and gives it the name path when it
// is complete and on the disk. So no half-written file ever has that name. An
// existing one is refused: the name is taken first, with an empty file.
func writeNew(path string, fill func(part string) error) (err error) {
	if err := create(path); err != nil {
		return err
	}
	part := path + ".part"
	if err := create(part); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part), os.Remove(path))
		}
	}()
	if err := fill(part); err != nil {
		return err
	}
	if err := sync(part); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return sync(filepath.Dir(path))
}

func create(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return file.Close()
}

func copyFile(ctx context.Context, from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	return ctx.Err()
}

// sync forces a file, or the names in a folder, to the disk.
func sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// absent fails with fs.ErrExist if one of the files is there.
func absent(paths ...string) error {
	for _, path := range paths {
		switch _, err := os.Lstat(path); {
		case err == nil:
			return fmt.Errorf("%s: %w", path, fs.ErrExist)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
	}
	return nil
}
