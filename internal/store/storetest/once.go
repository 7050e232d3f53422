package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// replay is what an account's request with a key came to.
func (f *fixture) replay(account chat.AccountID, key, outcome string, at time.Time) store.Replay {
	f.t.Helper()
	r := store.Replay{Account: account, Key: key, Fingerprint: digest(outcome), Outcome: []byte(outcome), At: at}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SaveReplay(ctx, r) })
	return r
}

func findReplay(account chat.AccountID, key string) func(context.Context, store.Reader) (*store.Replay, error) {
	return func(ctx context.Context, r store.Reader) (*store.Replay, error) { return r.Replay(ctx, account, key) }
}

// Keys are per account and told apart by case; saving again replaces.
func testOnceRoundTrip(f *fixture) {
	want := f.replay(1, "key-00001", `{"Result":{"Name":"ä <\u0000>"}}`, f.now())
	f.complete(want)
	other := f.replay(2, "key-00001", `{}`, f.now())
	shouted := f.replay(1, "KEY-00001", `{"Error":{}}`, f.now())
	f.same("first", query(f, findReplay(1, "key-00001")), &want)
	f.same("another account's", query(f, findReplay(2, "key-00001")), &other)
	f.same("in other case", query(f, findReplay(1, "KEY-00001")), &shouted)
	missing(f, "unused key", findReplay(1, "key-00002"))

	again := f.replay(1, "key-00001", `{"Result":2}`, f.now())
	f.same("replaced", query(f, findReplay(1, "key-00001")), &again)
	f.same("another account's, untouched", query(f, findReplay(2, "key-00001")), &other)
}

// The oldest go first, and none that is not older.
func testOncePrune(f *fixture) {
	for i, key := range []string{"c", "a", "b", "d"} {
		f.replay(1, key, `{}`, epoch.Add(time.Duration(i)*time.Second))
	}
	kept := f.replay(1, "e", `{}`, epoch.Add(time.Minute))
	for i, want := range []int{3, 1, 0} {
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, err := tx.PruneReplays(ctx, kept.At, 3)
			if got != want {
				f.t.Errorf("pruned: got %d, want %d", got, want)
			}
			return err
		})
		if i == 0 {
			query(f, findReplay(1, "d"))
			missing(f, "the oldest", findReplay(1, "c"))
		}
	}
	missing(f, "the last of the old ones", findReplay(1, "d"))
	f.same("kept", query(f, findReplay(1, "e")), &kept)
}
