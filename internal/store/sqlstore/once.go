package sqlstore

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	replayByKey = `SELECT r.fingerprint, r.result, r.created_at FROM replays r WHERE r.account_id = $1 AND r.key = $2`
	saveReplay  = `INSERT INTO replays (account_id, key, fingerprint, result, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, result = excluded.result,
			created_at = excluded.created_at`
	pruneReplays = `DELETE FROM replays WHERE (account_id, key) IN
		(SELECT r.account_id, r.key FROM replays r WHERE r.created_at < $1 ORDER BY r.created_at LIMIT 0 + $2)`
)

// Replay returns what is remembered under an account's key.
func (t *Tx) Replay(ctx context.Context, account chat.AccountID, key string) (*store.Replay, error) {
	r := store.Replay{Account: account, Key: key}
	var outcome string
	err := t.one(ctx, "read replay", scan((*digest)(&r.Fingerprint), &outcome, (*millis)(&r.At)),
		replayByKey, int64(account), key)
	if err != nil {
		return nil, err
	}
	r.Outcome = []byte(outcome)
	return &r, nil
}

// SaveReplay remembers an outcome in place of any under the same key.
func (t *Tx) SaveReplay(ctx context.Context, r store.Replay) error {
	return t.exec(ctx, "save replay", saveReplay,
		int64(r.Account), r.Key, r.Fingerprint[:], string(r.Outcome), Millis(r.At))
}

// PruneReplays forgets up to limit outcomes from before a time.
func (t *Tx) PruneReplays(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.affect(ctx, "prune replays", pruneReplays, ceilMillis(before), limit)
}

// digest reads the bytes of a SHA-256.
type digest [32]byte

// Scan implements sql.Scanner.
func (d *digest) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok || len(b) != len(d) {
		return fmt.Errorf("digest stored as %d bytes of %T", len(b), src)
	}
	copy(d[:], b)
	return nil
}
