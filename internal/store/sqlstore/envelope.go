package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

// All three speak of the same set, the one the partial index holds: stored and
// not hidden. An acknowledgement passes over what was hidden, because that was
// not offered.
const (
	pending = `SELECT ` + messageColumns + ` FROM envelopes e CROSS JOIN messages m CROSS JOIN conversations c
		WHERE e.recipient_id = $1 AND e.message_id > $2 AND e.state = 0 AND NOT e.hidden
		AND m.id = e.message_id AND c.id = m.conversation_id AND c.deleted_at IS NULL
		ORDER BY e.message_id LIMIT 0 + $3`
	pendingCount = `SELECT count(*) FROM (SELECT 1 FROM envelopes
		WHERE recipient_id = $1 AND state = 0 AND NOT hidden LIMIT 0 + $2) p`
	acknowledge = `UPDATE envelopes SET state = 1, delivered_at = $3
		WHERE recipient_id = $1 AND message_id <= $2 AND state = 0 AND NOT hidden`
)

// Pending lists an account's stored envelopes with ids above after, in the order
// in which they were written, with their messages.
func (t *Tx) Pending(
	ctx context.Context, recipient chat.AccountID, after chat.MessageID, limit int,
) ([]chat.Message, error) {
	return t.messages(ctx, "read pending envelopes", limit, pending, int64(recipient), int64(after), limit)
}

// PendingCount counts an account's stored envelopes, at most up to limit.
func (t *Tx) PendingCount(ctx context.Context, recipient chat.AccountID, limit int) (int, error) {
	var n int
	err := t.one(ctx, "count pending envelopes", scan(&n), pendingCount, int64(recipient), limit)
	return n, err
}

// Acknowledge marks the stored envelopes of a recipient up to and including
// through as delivered at a time and returns how many moved.
func (t *Tx) Acknowledge(ctx context.Context, recipient chat.AccountID, through chat.MessageID, at time.Time) (int, error) {
	return t.affect(ctx, "acknowledge envelopes", acknowledge, int64(recipient), int64(through), Millis(at))
}
