package sqlstore

import (
	"context"
	"errors"

	"parley/internal/store"
)

const (
	nextDeleted    = `SELECT id FROM conversations WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1`
	purgeMessages  = `SELECT id FROM messages WHERE conversation_id = $1 ORDER BY seq LIMIT 0 + $2`
	purgeRevisions = `DELETE FROM revisions WHERE message_id IN (SELECT j.value FROM {ints})`
	purgeEnvelopes = `DELETE FROM envelopes WHERE message_id IN (SELECT j.value FROM {ints})`
	purgeRows      = `DELETE FROM messages WHERE id IN (SELECT j.value FROM {ints})`

	purgeMembers      = `DELETE FROM members WHERE conversation_id = $1`
	purgeChannel      = `DELETE FROM channels WHERE conversation_id = $1`
	purgeConversation = `DELETE FROM conversations WHERE id = $1`

	insertAudit = `INSERT INTO audit (id, created_at, actor_id, act, target_id, surface, remote, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
)

// PurgeDeleted removes up to limit messages of deleted conversations, and the
// conversations that have none left.
func (t *Tx) PurgeDeleted(ctx context.Context, limit int) (int, error) {
	gone := 0
	for gone < limit {
		var id int64
		err := t.one(ctx, "find deleted conversation", scan(&id), nextDeleted)
		if errors.Is(err, store.ErrNotFound) {
			return gone, nil
		}
		if err != nil {
			return 0, err
		}
		n, err := t.purge(ctx, id, limit-gone)
		if err != nil {
			return 0, err
		}
		gone += n
	}
	return gone, nil
}

// purge removes up to limit messages of a conversation and, if that leaves room,
// the conversation.
func (t *Tx) purge(ctx context.Context, id int64, limit int) (int, error) {
	var messages []int64
	err := t.each(ctx, "list messages to purge", func(r Row) error {
		var m int64
		err := r.Scan(&m)
		messages = append(messages, m)
		return err
	}, purgeMessages, id, limit)
	if err != nil {
		return 0, err
	}
	if len(messages) > 0 {
		list := t.f.Ints(messages)
		for _, text := range []string{purgeRevisions, purgeEnvelopes, purgeRows} {
			if err := t.exec(ctx, "purge messages", text, list); err != nil {
				return 0, err
			}
		}
	}
	if len(messages) == limit {
		return limit, nil
	}
	for _, text := range []string{purgeMembers, purgeChannel, purgeConversation} {
		if err := t.exec(ctx, "purge conversation", text, id); err != nil {
			return 0, err
		}
	}
	return len(messages) + 1, nil
}

// Audit records an act of an operator or owner.
func (t *Tx) Audit(ctx context.Context, entry store.AuditEntry) error {
	id, err := t.NextID(ctx, 1)
	if err != nil {
		return err
	}
	return t.exec(ctx, "insert audit entry", insertAudit, id, Millis(entry.At), int64(entry.Actor), entry.Act,
		int64(entry.Target), int64(entry.Surface), entry.Remote, entry.Detail)
}
