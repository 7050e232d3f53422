package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const messageColumns = `m.id, m.conversation_id, m.seq, m.author_id, m.client_id, m.kind, m.text, m.data, m.metadata,
	m.attachment_id, m.signature, m.created_at, m.edited_at, m.retracted_at`

const (
	messageByID = `SELECT ` + messageColumns + ` FROM messages m CROSS JOIN conversations c
		WHERE m.id = $1 AND c.id = m.conversation_id AND c.deleted_at IS NULL`

	historyFrom = `SELECT ` + messageColumns + ` FROM conversations c CROSS JOIN messages m
		WHERE c.id = $1 AND c.deleted_at IS NULL AND m.conversation_id = c.id AND m.seq > $4
		AND m.retracted_at IS NULL AND m.author_id <> $5 AND m.kind <> $6
		AND NOT EXISTS (SELECT 1 FROM hides h WHERE h.account_id = $3 AND h.message_id = m.id)`
	historyOrder = ` ORDER BY m.seq DESC LIMIT 0 + $2`
	historyLast  = historyFrom + historyOrder

	// Times rise strictly with the numbers, so the last number before a time is
	// found by halving the range of numbers, without an index by time. Messages
	// may be missing: each probe looks at the nearest one at or below the middle.
	// Up to low all messages are older than the time, above high none is.
	historyBefore = `WITH RECURSIVE probe (low, high) AS (
			SELECT CAST(0 AS BIGINT), last_seq FROM conversations WHERE id = $1
			UNION ALL
			SELECT
				CASE WHEN n.created_at >= $7 AND n.seq > p.low THEN p.low ELSE (p.low + p.high + 1) / 2 END,
				CASE WHEN n.created_at >= $7 AND n.seq > p.low THEN n.seq - 1 ELSE p.high END
			FROM probe p LEFT JOIN messages n ON n.id = (
				SELECT o.id FROM messages o WHERE o.conversation_id = $1 AND o.seq <= (p.low + p.high + 1) / 2
				ORDER BY o.seq DESC LIMIT 1)
			WHERE p.low < p.high
		)
		` + historyFrom + ` AND m.seq <= (SELECT max(low) FROM probe)` + historyOrder

	insertRevision = `INSERT INTO revisions (message_id, n, text, signature, replaced_at)
		SELECT m.id, (SELECT count(*) + 1 FROM revisions r WHERE r.message_id = m.id), m.text, m.signature, $2
		FROM messages m WHERE m.id = $1`
	editMessage = `UPDATE messages SET text = $2, signature = NULL, edited_at = $3 WHERE id = $1`
	signMessage = `UPDATE messages SET signature = $2 WHERE id = $1`

	deleteMessage          = `DELETE FROM messages WHERE id = $1`
	deleteMessageRevisions = `DELETE FROM revisions WHERE message_id = $1`
	deleteMessageEnvelopes = `DELETE FROM envelopes WHERE message_id = $1`

	retractMessage = `UPDATE messages SET retracted_at = $2 WHERE id = $1`
	hideEnvelopes  = `UPDATE envelopes SET hidden = TRUE WHERE message_id = $1
		AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.id = envelopes.recipient_id AND a.guarded)`
)

func scanMessage(r Row, m *chat.Message) error {
	return r.Scan(messageDest(m)...)
}

func messageDest(m *chat.Message) []any {
	return []any{
		(*number)(&m.ID), (*number)(&m.Conversation), (*number)(&m.Seq), (*number)(&m.Author), (*text)(&m.ClientID),
		(*small)(&m.Kind), (*text)(&m.Text), &m.Data, &m.Metadata,
		(*number)(&m.Attachment),
		signature{&m.Signature},
		(*millis)(&m.CreatedAt), (*millis)(&m.EditedAt),
		(*millis)(&m.RetractedAt),
	}
}

// Message returns a message, retracted ones included.
func (t *Tx) Message(ctx context.Context, id chat.MessageID) (*chat.Message, error) {
	var m chat.Message
	if err := t.one(ctx, "read message", func(r Row) error { return scanMessage(r, &m) }, messageByID, int64(id)); err != nil {
		return nil, err
	}
	return &m, nil
}

// History lists messages of a conversation, newest first, without retracted ones
// and those that the viewer hid.
func (t *Tx) History(ctx context.Context, q store.HistoryQuery) ([]chat.Message, error) {
	without := chat.MessageKind(0)
	if q.NoSystem {
		without = chat.MessageSystem
	}
	statement := historyLast
	args := []any{int64(q.Conversation), q.Limit, int64(q.Viewer), q.After, int64(q.NotBy), int64(without)}
	if !q.Before.IsZero() {
		statement, args = historyBefore, append(args, ceilMillis(q.Before))
	}
	return t.messages(ctx, "read history", q.Limit, statement, args...)
}

func (t *Tx) messages(ctx context.Context, doing string, limit int, text string, args ...any) ([]chat.Message, error) {
	list := make([]chat.Message, 0, min(limit, 64))
	err := t.each(ctx, doing, func(r Row) error {
		var m chat.Message
		err := scanMessage(r, &m)
		list = append(list, m)
		return err
	}, text, args...)
	return list, err
}

// EditMessage replaces the text and keeps the old one, with its signature, as a
// revision.
func (t *Tx) EditMessage(ctx context.Context, id chat.MessageID, text string, at time.Time) error {
	if err := t.hit(ctx, "keep revision", insertRevision, int64(id), Millis(at)); err != nil {
		return err
	}
	return t.exec(ctx, "edit message", editMessage, int64(id), text, Millis(at))
}

// DeleteMessage removes a message with its revisions and envelopes.
func (t *Tx) DeleteMessage(ctx context.Context, id chat.MessageID) error {
	if err := t.hit(ctx, "delete message", deleteMessage, int64(id)); err != nil {
		return err
	}
	if err := t.exec(ctx, "delete revisions", deleteMessageRevisions, int64(id)); err != nil {
		return err
	}
	return t.exec(ctx, "delete envelopes", deleteMessageEnvelopes, int64(id))
}

// RetractMessage marks a message as taken back and hides it from recipients who
// are not guarded.
func (t *Tx) RetractMessage(ctx context.Context, id chat.MessageID, at time.Time) error {
	if err := t.hit(ctx, "retract message", retractMessage, int64(id), Millis(at)); err != nil {
		return err
	}
	return t.exec(ctx, "hide envelopes", hideEnvelopes, int64(id))
}
