package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// channels makes n channels of one space.
func channels(t *testing.T, s store.Store, n int) (ids []chat.ConversationID) {
	t.Helper()
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		ids = nil
		first, err := tx.NextID(ctx, n+1)
		if err != nil {
			return err
		}
		space := &chat.Space{ID: chat.SpaceID(first), Name: "space", Owner: 1, CreatedAt: epoch, UpdatedAt: epoch}
		if err := tx.InsertSpace(ctx, space); err != nil {
			return err
		}
		for i := range n {
			c := &chat.Channel{
				ID: chat.ConversationID(first + 1 + int64(i)), Space: space.ID, Name: "channel", CreatedAt: epoch, UpdatedAt: epoch,
			}
			if err := tx.InsertChannel(ctx, c); err != nil {
				return err
			}
			ids = append(ids, c.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("make channels: %v", err)
	}
	return ids
}

// post sends one message to each channel, in one batch.
func post(ctx context.Context, s store.Store, to []chat.ConversationID, text string) error {
	keys := make([]store.SendKey, len(to))
	for i, id := range to {
		keys[i] = store.SendKey{Author: 1, Conversation: id}
	}
	return s.Send(ctx, store.Batch{Keys: keys, Decide: func(f *store.SendFacts) store.Writes {
		var w store.Writes
		for i, id := range to {
			c := f.Conversations[id]
			c.LastSeq++
			c.LastAt = epoch.Add(time.Duration(c.LastSeq) * time.Millisecond)
			w.Moved = append(w.Moved, c)
			w.Messages = append(w.Messages, &chat.Message{
				ID: chat.MessageID(f.FirstID + int64(i)), Conversation: id, Seq: c.LastSeq, Author: 1,
				Kind: chat.MessageText, Text: text, CreatedAt: c.LastAt,
			})
		}
		return w
	}})
}

// The database holds password hashes and private messages.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a name with ? and # and 50%.db")
	s := open(t, path)
	if err := post(t.Context(), s, channels(t, s, 1), "hello"); err != nil {
		t.Fatalf("send: %v", err)
	}
	backup := path + ".backup"
	if err := s.Backup(t.Context(), backup); err != nil {
		t.Fatalf("backup: %v", err)
	}
	for _, name := range []string{path, path + "-wal", path + "-shm", backup} {
		info, err := os.Stat(name)
		if err != nil {
			t.Errorf("stat: %v", err)
			continue
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode of %s: got %o, want 600", filepath.Base(name), got)
		}
	}
}

// A file of another program is refused before anything in it is changed.
func TestOpenForeign(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "other.db")
	foreign(t, path)
	before := read(t, path)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_ = s.Close()
		t.Fatal("open another program's database: got no error")
	}
	if after := read(t, path); after != before {
		t.Errorf("the file has changed: got %d bytes, had %d", len(after), len(before))
	}
}

// The driver breaks with any other version of its C library.
func TestLibraryFitsDriver(t *testing.T) {
	t.Parallel()
	list := func(format, module string) string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", format, module).Output()
		if err != nil {
			t.Fatalf("go list %s: %v", module, err)
		}
		return strings.TrimSpace(string(out))
	}
	got := list("{{.Version}}", "modernc.org/libc")
	for line := range strings.Lines(read(t, list("{{.GoMod}}", "modernc.org/sqlite"))) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "modernc.org/libc" {
			if want := fields[1]; got != want {
				t.Errorf("modernc.org/libc: got %s, want %s as modernc.org/sqlite names it", got, want)
			}
			return
		}
	}
	t.Error("modernc.org/sqlite names no modernc.org/libc")
}

// foreign makes a database of another program.
func foreign(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	_, err = db.ExecContext(t.Context(), `CREATE TABLE notes (text TEXT)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatalf("make another database: %v", err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(b)
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("stat: %v", err)
	}
	return err == nil
}
