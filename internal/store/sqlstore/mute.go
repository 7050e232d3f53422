package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

const (
	muteColumns = `b.owner_id, b.kind, b.target_id, b.until_at, b.created_at`
	muteByKey   = `SELECT ` + muteColumns + ` FROM mutes b WHERE b.owner_id = $1 AND b.kind = $2 AND b.target_id = $3`
	mutesOf     = `SELECT ` + muteColumns + ` FROM {ints} CROSS JOIN mutes b WHERE b.owner_id = j.value`

	conversationKinds = `SELECT c.id, c.kind FROM {ints} CROSS JOIN conversations c
		WHERE c.id = j.value AND c.deleted_at IS NULL`

	setMute = `INSERT INTO mutes (owner_id, kind, target_id, until_at, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (owner_id, kind, target_id) DO UPDATE SET until_at = excluded.until_at, created_at = excluded.created_at`
	deleteMute         = `DELETE FROM mutes WHERE owner_id = $1 AND kind = $2 AND target_id = $3`
	deleteExpiredMutes = `DELETE FROM mutes WHERE (owner_id, kind, target_id) IN
		(SELECT owner_id, kind, target_id FROM mutes WHERE until_at <= $1 ORDER BY until_at LIMIT 0 + $2)`
)

func scanMute(r Row, m *chat.Mute) error {
	return r.Scan((*number)(&m.Owner), (*small)(&m.Kind), (*number)(&m.Target),
		(*millis)(&m.Until), (*millis)(&m.CreatedAt))
}

// Mute returns one mute, an expired one included.
func (t *Tx) Mute(ctx context.Context, owner chat.AccountID, kind chat.MuteKind, target int64) (*chat.Mute, error) {
	var m chat.Mute
	err := t.one(ctx, "read mute", func(r Row) error { return scanMute(r, &m) }, muteByKey, int64(owner), int64(kind), target)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Mutes lists every mute of the owners.
func (t *Tx) Mutes(ctx context.Context, owners []chat.AccountID) ([]chat.Mute, error) {
	if len(owners) == 0 {
		return nil, nil
	}
	var list []chat.Mute
	err := t.each(ctx, "list mutes", func(r Row) error {
		var m chat.Mute
		err := scanMute(r, &m)
		list = append(list, m)
		return err
	}, mutesOf, t.f.Ints(numbers(owners)))
	return list, err
}

// ConversationKinds tells what kinds of conversations ids are.
func (t *Tx) ConversationKinds(
	ctx context.Context, ids []chat.ConversationID,
) (map[chat.ConversationID]chat.ConversationKind, error) {
	kinds := make(map[chat.ConversationID]chat.ConversationKind, len(ids))
	if len(ids) == 0 {
		return kinds, nil
	}
	err := t.each(ctx, "read kinds of conversations", func(r Row) error {
		var id chat.ConversationID
		var kind chat.ConversationKind
		err := r.Scan((*number)(&id), (*small)(&kind))
		kinds[id] = kind
		return err
	}, conversationKinds, t.f.Ints(numbers(ids)))
	return kinds, err
}

// SetMute stores a mute in the place of the one with the same target.
func (t *Tx) SetMute(ctx context.Context, m chat.Mute) error {
	return t.exec(ctx, "set mute", setMute, int64(m.Owner), int64(m.Kind), m.Target, Millis(m.Until), Millis(m.CreatedAt))
}

// DeleteMute is store.ErrNotFound when there was none.
func (t *Tx) DeleteMute(ctx context.Context, owner chat.AccountID, kind chat.MuteKind, target int64) error {
	return t.hit(ctx, "delete mute", deleteMute, int64(owner), int64(kind), target)
}

// DeleteExpiredMutes removes up to limit that ended at now or before.
func (t *Tx) DeleteExpiredMutes(ctx context.Context, now time.Time, limit int) (int, error) {
	return t.affect(ctx, "delete expired mutes", deleteExpiredMutes, now.UnixMilli(), limit)
}
