package sqlite

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A cache that was full forgot everything while a batch was being loaded, also what
// the batch had found in it: those sends met conversations that were not there.
func TestFullCacheForgetsNothingOfItsBatch(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "parley.db"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	s.facts.kept = 2
	const pairs = 6
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		at := time.UnixMilli(1)
		for i := range chat.AccountID(2 * pairs) {
			name := fmt.Sprint("a", i)
			err := tx.InsertAccount(ctx, &chat.Account{
				ID: 100 + i, Kind: chat.KindAgent, Username: name, NameKey: name, Handle: name, State: chat.StateActive, CreatedAt: at, UpdatedAt: at,
			}, "")
			if err != nil {
				return err
			}
		}
		for i := range chat.AccountID(pairs) {
			err := tx.InsertDirect(ctx, &chat.Conversation{
				ID: chat.ConversationID(1 + i), Kind: chat.ConversationDirect, Low: 100 + 2*i, High: 101 + 2*i, CreatedAt: at,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	for first := range chat.AccountID(pairs) {
		var keys []store.SendKey
		for i := range first + 1 { // what was there before, and one more
			keys = append(keys, store.SendKey{Author: 100 + 2*i, Peer: 101 + 2*i})
		}
		err := s.Send(t.Context(), store.Batch{Keys: keys, Decide: func(f *store.SendFacts) store.Writes {
			if len(f.Conversations) != len(keys) || len(f.Accounts) != 2*len(keys) {
				t.Errorf("%d sends: got %d conversations and %d accounts, want all", len(keys), len(f.Conversations), len(f.Accounts))
			}
			return store.Writes{}
		}})
		if err != nil {
			t.Fatalf("send: %v", err)
		}
	}
}
