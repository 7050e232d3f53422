package sqlite_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// A backup is one moment: of two channels that always get a message together,
// both have the same number, and no message is missing.
func TestBackupWhileWriting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "parley.db"))
	to := channels(t, s, 2)
	ctx, stop := context.WithCancel(t.Context())
	progress := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		defer close(progress)
		for ctx.Err() == nil {
			if err := post(t.Context(), s, to, "hello"); err != nil {
				t.Errorf("send: %v", err)
				return
			}
			select {
			case progress <- struct{}{}:
			default:
			}
		}
	})
	backups := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")}
	for _, backup := range backups {
		<-progress
		<-progress // this one was begun after the last backup had ended
		if err := s.Backup(t.Context(), backup); err != nil {
			t.Errorf("backup: %v", err)
		}
	}
	stop()
	writer.Wait()
	if t.Failed() {
		return
	}
	want, err := s.IDKey(t.Context())
	if err != nil {
		t.Fatalf("id key: %v", err)
	}
	last := int64(0)
	for _, backup := range backups {
		restored := backup + ".db"
		if err := sqlite.Restore(t.Context(), backup, restored); err != nil {
			t.Fatalf("restore: %v", err)
		}
		r := open(t, restored)
		seqs := []int64{whole(t, r, to[0]), whole(t, r, to[1])}
		if seqs[0] != seqs[1] || seqs[0] <= last {
			t.Errorf("last numbers in the backup: got %v, want two equal ones above %d", seqs, last)
		}
		last = seqs[0]
		if got, err := r.IDKey(t.Context()); got != want || err != nil {
			t.Errorf("id key of the backup: got %x and error %v, want %x", got, err, want)
		}
		if err := post(t.Context(), r, to, "on"); err != nil {
			t.Errorf("send to the restored database: %v", err)
		}
	}
}

// whole checks that a conversation has all its messages and returns how many.
func whole(t *testing.T, s store.Store, id chat.ConversationID) int64 {
	t.Helper()
	var last int64
	err := s.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		c, err := r.Conversation(ctx, id)
		if err != nil {
			return err
		}
		list, err := r.History(ctx, store.HistoryQuery{Conversation: id, Limit: 1 << 30})
		if int64(len(list)) != c.LastSeq {
			t.Errorf("messages: got %d, want %d", len(list), c.LastSeq)
		}
		last = c.LastSeq
		return err
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return last
}

func TestBackupKeepsExistingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "parley.db"))
	path := filepath.Join(dir, "backup")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatalf("write: %v", err)
	}
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("backup over a file: got error %v, want %v", err, fs.ErrExist)
	}
	if got := read(t, path); got != "precious" {
		t.Errorf("the file: got %q, want it untouched", got)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "missing", "backup")); err == nil {
		t.Error("backup into a folder that is not there: got no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	unborn := filepath.Join(dir, "unborn")
	if err := s.Backup(ctx, unborn); err == nil || exists(t, unborn) || exists(t, unborn+".part") {
		t.Errorf("backup that was cancelled: got error %v, want one and no file", err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "parley.db"))
	to := channels(t, s, 4)
	for range 50 {
		if err := post(t.Context(), s, to, "a text that takes some room in the file"); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	good := filepath.Join(dir, "good")
	if err := s.Backup(t.Context(), good); err != nil {
		t.Fatalf("backup: %v", err)
	}
	whole := read(t, good)
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatalf("write: %v", err)
		}
		return path
	}
	middle := len(whole) / 2 / 4096 * 4096 // the head of a page
	broken := whole[:middle] + "scribbled over, as a failing disk would do it" + whole[middle+45:]
	newer := file("newer", whole)
	execute(t, newer, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	gap := file("gap", whole)
	execute(t, gap, `UPDATE goose_db_version SET version_id = -7 WHERE version_id = 1`)
	other := filepath.Join(dir, "other")
	foreign(t, other)
	used := file("used", whole)
	file("used-wal", "log")

	for _, test := range []struct {
		name, from string
		want       error // nil: any
	}{
		{"missing", filepath.Join(dir, "nowhere"), fs.ErrNotExist},
		{"folder", dir, nil},
		{"empty file", file("empty", ""), nil},
		{"text", file("text", "this is no database, whatever its length may say, and longer than a header of 100 bytes is"), nil},
		{"other program", other, nil},
		{"cut off", file("cut", whole[:middle]), nil},
		{"damaged", file("damaged", broken), nil},
		{"newer schema", newer, store.ErrNewerSchema},
		{"with a log", used, fs.ErrExist},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			target := filepath.Join(t.TempDir(), "parley.db")
			err := sqlite.Restore(t.Context(), test.from, target)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("restore: got error %v, want one like %v", err, test.want)
			}
			if left, _ := filepath.Glob(target + "*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		t.Run("target with "+suffix, func(t *testing.T) {
			t.Parallel()
			target := filepath.Join(t.TempDir(), "parley.db")
			if err := os.WriteFile(target+suffix, []byte("precious"), 0o600); err != nil {
				t.Fatalf("write: %v", err)
			}
			if err := sqlite.Restore(t.Context(), good, target); !errors.Is(err, fs.ErrExist) {
				t.Errorf("restore: got error %v, want %v", err, fs.ErrExist)
			}
			if got := read(t, target+suffix); got != "precious" {
				t.Errorf("the file that was there: got %q, want it untouched", got)
			}
		})
	}
}

func execute(t *testing.T, path, statement string) {
	t.Helper()
	db := raw(t, path)
	_, err := db.ExecContext(t.Context(), statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
