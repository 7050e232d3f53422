package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	hookColumns = `h.id, h.account_id, h.surface, h.url, h.events, h.secret, h.created_at,
		h.updated_at, h.last_success_at, h.last_failure_at, h.last_failure`
	breakerColumns = `h.failures, h.recent, h.open_until`

	hooksOf = `SELECT ` + hookColumns + ` FROM {ints} CROSS JOIN hooks h
		WHERE h.account_id = j.value AND NOT h.deleted ORDER BY h.account_id, h.id`
	hookByID = `SELECT ` + hookColumns + ` FROM hooks h WHERE h.id = $1 AND NOT h.deleted`
	hookList = `SELECT ` + hookColumns + `, ` + breakerColumns + `,
			(SELECT count(*) FROM (SELECT 1 FROM deliveries d WHERE d.hook_id = h.id LIMIT 0 + $1) q),
			(SELECT count(*) FROM (SELECT 1 FROM dead_letters d WHERE d.hook_id = h.id LIMIT 0 + $1) l)
		FROM hooks h WHERE h.id > $2 AND NOT h.deleted`
	hookListAll = hookList + ` ORDER BY h.id LIMIT 0 + $3`
	hookListOf  = hookList + ` AND h.account_id = $4 ORDER BY h.id LIMIT 0 + $3`

	insertHook = `INSERT INTO hooks (id, account_id, surface, url, events, secret, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	moveHook = `UPDATE hooks SET url = $2, secret = $3, updated_at = $4, last_success_at = NULL, last_failure_at = NULL,
		last_failure = '' WHERE id = $1 AND NOT deleted`
	deleteHook = `UPDATE hooks SET deleted = TRUE, ready_at = NULL WHERE id = $1 AND NOT deleted`

	nextDeletedHook = `SELECT h.id FROM hooks h WHERE h.deleted ORDER BY h.id LIMIT 1`
	purgeQueue      = `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE hook_id = $1 LIMIT 0 + $2)`
	purgeLetters    = `DELETE FROM dead_letters WHERE id IN (SELECT id FROM dead_letters WHERE hook_id = $1 LIMIT 0 + $2)`
	purgeHook       = `DELETE FROM hooks WHERE id = $1`

	nextDelivery = `SELECT min(ready_at) FROM hooks WHERE ready_at IS NOT NULL`
	readyHooks   = `SELECT ` + hookColumns + `, ` + breakerColumns + ` FROM hooks h
		WHERE h.ready_at <= $1 ORDER BY h.ready_at, h.id LIMIT 0 + $2`
	holdHook    = `UPDATE hooks SET held_until = $2, ready_at = $2 WHERE id = $1`
	releaseHook = `UPDATE hooks SET failures = $2, recent = $3, open_until = $4, held_until = $4,
			ready_at = (SELECT CASE WHEN min(d.next_at) < $4 THEN $4 ELSE min(d.next_at) END
				FROM deliveries d WHERE d.hook_id = $1)
		WHERE id = $1 AND NOT deleted`
	noteHealth = `UPDATE hooks SET
			last_success_at = COALESCE($3, last_success_at), last_failure_at = COALESCE($4, last_failure_at),
			last_failure = CASE WHEN $4 IS NULL THEN last_failure ELSE $5 END
		WHERE id = $1 AND updated_at = $2 AND NOT deleted`
	// What is queued while the hook is held is looked at when it is let go.
	readyHook = `UPDATE hooks SET ready_at = CASE WHEN held_until > $2 THEN held_until ELSE $2 END
		WHERE id = $1 AND (ready_at IS NULL OR ready_at > $2)`
)

func hookDest(h *chat.Hook) []any {
	return []any{
		(*number)(&h.ID), (*number)(&h.Account), (*small)(&h.Surface), &h.URL, (*word)(&h.Events), &h.Secret,
		(*millis)(&h.CreatedAt), (*millis)(&h.UpdatedAt), (*millis)(&h.Health.LastSuccessAt),
		(*millis)(&h.Health.LastFailureAt), &h.Health.LastError,
	}
}

// recent is the stored form of the times of failures: a JSON list of milliseconds,
// or nothing.
type recent []time.Time

// Scan implements sql.Scanner.
func (r *recent) Scan(src any) error {
	var list text
	if err := list.Scan(src); err != nil || list == "" {
		*r = nil
		return err
	}
	var stamps []int64
	if err := json.Unmarshal([]byte(list), &stamps); err != nil {
		return fmt.Errorf("times of failures: %w", err)
	}
	times := make([]time.Time, len(stamps))
	for i, ms := range stamps {
		times[i] = time.UnixMilli(ms).UTC()
	}
	*r = times
	return nil
}

func (r recent) stored() string {
	if len(r) == 0 {
		return ""
	}
	list := []byte{'['}
	for i, at := range r {
		if i > 0 {
			list = append(list, ',')
		}
		list = fmt.Appendf(list, "%d", at.UnixMilli())
	}
	return string(append(list, ']'))
}

func breakerDest(b *chat.Breaker) []any {
	return []any{&b.Failures, (*recent)(&b.Recent), (*millis)(&b.OpenUntil)}
}

// HooksOf lists the hooks of accounts, ascending by account and hook.
func (t *Tx) HooksOf(ctx context.Context, accounts []chat.AccountID) ([]chat.Hook, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	var list []chat.Hook
	err := t.each(ctx, "list hooks of accounts", func(r Row) error {
		var h chat.Hook
		err := r.Scan(hookDest(&h)...)
		list = append(list, h)
		return err
	}, hooksOf, t.f.Ints(unique(numbers(accounts))))
	return list, err
}

// Hook returns one hook.
func (t *Tx) Hook(ctx context.Context, id chat.HookID) (*chat.Hook, error) {
	var h chat.Hook
	if err := t.one(ctx, "read hook", scan(hookDest(&h)...), hookByID, int64(id)); err != nil {
		return nil, err
	}
	return &h, nil
}

// HookList returns hooks with ids above after, of one account if it is not zero.
func (t *Tx) HookList(
	ctx context.Context, account chat.AccountID, after chat.HookID, limit int,
) ([]chat.HookStatus, error) {
	statement, args := hookListAll, []any{store.HookCountLimit, int64(after), limit}
	if account != 0 {
		statement, args = hookListOf, append(args, int64(account))
	}
	var list []chat.HookStatus
	err := t.each(ctx, "list hooks", func(r Row) error {
		var s chat.HookStatus
		dest := append(hookDest(&s.Hook), breakerDest(&s.Breaker)...)
		err := r.Scan(append(dest, &s.Queued, &s.Dead)...)
		list = append(list, s)
		return err
	}, statement, args...)
	return list, err
}

// InsertHook stores a hook with a closed breaker.
func (t *Tx) InsertHook(ctx context.Context, h *chat.Hook) error {
	return t.exec(ctx, "insert hook", insertHook, int64(h.ID), int64(h.Account), int64(h.Surface), h.URL,
		int64(h.Events), h.Secret, Millis(h.CreatedAt), Millis(h.UpdatedAt))
}

// MoveHook stores URL, Secret and UpdatedAt of a hook and forgets how it fared.
func (t *Tx) MoveHook(ctx context.Context, h *chat.Hook) error {
	return t.hit(ctx, "move hook", moveHook, int64(h.ID), h.URL, h.Secret, Millis(h.UpdatedAt))
}

// DeleteHook makes a hook, its queue and its dead letters unknown.
func (t *Tx) DeleteHook(ctx context.Context, id chat.HookID) error {
	return t.hit(ctx, "delete hook", deleteHook, int64(id))
}

// DeleteHooksOf does that with all hooks of an account.
func (t *Tx) DeleteHooksOf(ctx context.Context, account chat.AccountID) error {
	hooks, err := t.HooksOf(ctx, []chat.AccountID{account})
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if err := t.DeleteHook(ctx, h.ID); err != nil {
			return err
		}
	}
	return nil
}

// PurgeHooks removes up to limit deliveries and dead letters of deleted hooks, and
// the hooks that have none left.
func (t *Tx) PurgeHooks(ctx context.Context, limit int) (int, error) {
	gone := 0
	for gone < limit {
		var id int64
		err := t.one(ctx, "find deleted hook", scan(&id), nextDeletedHook)
		if errors.Is(err, store.ErrNotFound) {
			return gone, nil
		}
		if err != nil {
			return 0, err
		}
		for _, statement := range []string{purgeQueue, purgeLetters} {
			n, err := t.affect(ctx, "purge deliveries of hook", statement, id, limit-gone)
			if err != nil {
				return 0, err
			}
			gone += n
		}
		if gone < limit {
			if err := t.exec(ctx, "purge hook", purgeHook, id); err != nil {
				return 0, err
			}
			gone++
		}
	}
	return gone, nil
}

// NextDelivery is when ClaimHooks has something to hand out next.
func (t *Tx) NextDelivery(ctx context.Context) (time.Time, error) {
	var at millis
	err := t.one(ctx, "read next delivery", scan(&at), nextDelivery)
	return time.Time(at), err
}

// ClaimHooks takes hooks that have something due, the longest due first.
func (t *Tx) ClaimHooks(ctx context.Context, c store.HookClaim) ([]chat.HookWork, error) {
	var list []chat.HookWork
	err := t.each(ctx, "find hooks with deliveries due", func(r Row) error {
		var w chat.HookWork
		err := r.Scan(append(hookDest(&w.Hook), breakerDest(&w.Breaker)...)...)
		list = append(list, w)
		return err
	}, readyHooks, c.Now.UnixMilli(), c.Hooks)
	if err != nil {
		return nil, err
	}
	for i := range list {
		w := &list[i]
		if err := t.exec(ctx, "hold hook", holdHook, int64(w.Hook.ID), Millis(c.Until)); err != nil {
			return nil, err
		}
		limit := c.Each
		if !w.Breaker.OpenUntil.IsZero() {
			limit = 1
		}
		if w.Deliveries, err = t.DueDeliveries(ctx, w.Hook.ID, c.Now, limit); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// ReleaseHook gives a hook back with the state of its breaker.
func (t *Tx) ReleaseHook(ctx context.Context, id chat.HookID, b chat.Breaker) error {
	return t.exec(ctx, "release hook", releaseHook,
		int64(id), b.Failures, recent(b.Recent).stored(), Millis(b.OpenUntil))
}

// NoteHealth stores how a hook fared, unless it was moved since.
func (t *Tx) NoteHealth(ctx context.Context, h *chat.Hook) error {
	return t.exec(ctx, "note health of hook", noteHealth, int64(h.ID), Millis(h.UpdatedAt),
		Millis(h.Health.LastSuccessAt), Millis(h.Health.LastFailureAt), h.Health.LastError)
}
