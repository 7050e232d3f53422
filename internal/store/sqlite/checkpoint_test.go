package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// limitFrames is 16 MB, from where on the log is to begin anew.
const limitFrames = 16 << 20 / 4096

// logFrames asks how many pages the log holds that may still be needed.
func logFrames(t *testing.T, db *sql.DB) int {
	t.Helper()
	var busy, frames, copied int
	if err := db.QueryRowContext(t.Context(), `PRAGMA wal_checkpoint(NOOP)`).Scan(&busy, &frames, &copied); err != nil {
		t.Fatalf("look at the log: %v", err)
	}
	return frames
}

// The log begins anew while others read and write, so that it does not grow with
// what is written.
func TestCheckpointUnderLoad(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	s := open(t, path)
	to := channels(t, s, 8)

	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				err := s.View(ctx, func(ctx context.Context, r store.Reader) error {
					_, err := r.History(ctx, store.HistoryQuery{Conversation: to[0], Limit: 20})
					return err
				})
				if err != nil && !errors.Is(err, context.Canceled) && ctx.Err() == nil {
					t.Errorf("read: %v", err)
				}
			}
		})
	}
	defer readers.Wait()
	defer stop()

	const batch = 8 * 16 << 10
	const written = 64 << 20
	text := strings.Repeat("x", batch/len(to))
	for range written / batch {
		if err := post(t.Context(), s, to, text); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatalf("stat: %v", err)
	}
	if info.Size() >= written {
		t.Errorf("size of the log after %d bytes were written: got %d, want less", written, info.Size())
	}

	// What is left goes with one of the next transactions.
	db := raw(t, path)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if err := post(t.Context(), s, to, "small"); err != nil {
			t.Fatalf("send: %v", err)
		}
		frames := logFrames(t, db)
		if frames < limitFrames {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("pages in the log: got %d, want fewer than %d", frames, limitFrames)
		}
	}
}

// A long snapshot keeps the log from beginning anew. Writing goes on, slowed by
// no more than the short waits of the attempts, and once the snapshot ends the
// log is short again.
func TestCheckpointAfterLongSnapshot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	s := open(t, path)
	to := channels(t, s, 8)
	text := strings.Repeat("x", 64<<10)

	err := s.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		if _, err := r.LastPosition(ctx); err != nil { // the snapshot begins with the first read
			return err
		}
		for range 64 { // 32 MB
			if err := post(ctx, s, to, text); err != nil {
				return err
			}
		}
		list, err := r.History(ctx, store.HistoryQuery{Conversation: to[0], Limit: 1})
		if len(list) > 0 {
			t.Errorf("messages in a snapshot from before: got %d, want none", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatalf("write beside a snapshot: %v", err)
	}
	db := raw(t, path)
	if frames := logFrames(t, db); frames < 32<<20/4096 {
		t.Fatalf("pages in the log beside a snapshot: got %d, want all that was written", frames)
	}
	for deadline := time.Now().Add(20 * time.Second); logFrames(t, db) >= limitFrames; {
		if err := post(t.Context(), s, to, "small"); err != nil {
			t.Fatalf("send: %v", err)
		}
		if time.Now().After(deadline) {
			t.Fatal("the log never began anew after the snapshot ended")
		}
	}
}

// Closing leaves one file with everything in it.
func TestCloseEmptiesLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "parley.db")
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	to := channels(t, s, 1)
	if err := post(t.Context(), s, to, "hello"); err != nil {
		t.Fatalf("send: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
	if exists(t, path+"-wal") {
		t.Error("the log is still there")
	}
	again := open(t, path)
	err = again.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		list, err := r.History(ctx, store.HistoryQuery{Conversation: to[0], Limit: 10})
		if len(list) != 1 {
			t.Errorf("messages after closing: got %d, want 1", len(list))
		}
		return err
	})
	if err != nil {
		t.Fatalf("read: %v", err)
	}
}
