package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// SQLite takes a partial index only where its condition stands word for word:
// "state = 0 AND NOT hidden" for what is pending, "read_at IS NULL AND NOT hidden"
// for what is not read. The latter holds what has expired as well, which counts as
// unread no more: "state < 2" leaves it out.
const (
	envelopeColumns = `e.message_id, e.recipient_id, e.conversation_id, e.seq, e.state, e.hidden, e.delivered_at, e.read_at`
	envelopeByKey   = `SELECT ` + envelopeColumns + ` FROM envelopes e WHERE e.message_id = $1 AND e.recipient_id = $2`

	// What account $2 sees of a message: not what it hid, and of what was taken
	// back only its own copy, if it was let keep one.
	seen = ` AND NOT EXISTS (SELECT 1 FROM hides h WHERE h.account_id = $2 AND h.message_id = m.id)
		AND (m.retracted_at IS NULL OR EXISTS (SELECT 1 FROM envelopes k
			WHERE k.message_id = m.id AND k.recipient_id = $2 AND NOT k.hidden))`

	rowsFrom = `SELECT ` + messageColumns + `, ` + envelopeColumns + `
		FROM messages m LEFT JOIN envelopes e ON e.message_id = m.id
			AND e.recipient_id = CASE WHEN m.author_id = $2 THEN $3 ELSE $2 END
		WHERE m.conversation_id = $1 AND m.seq >= $4 AND m.seq <= $5` + seen
	rowsDown = rowsFrom + ` ORDER BY m.seq DESC LIMIT 0 + $6`
	rowsUp   = rowsFrom + ` ORDER BY m.seq LIMIT 0 + $6`

	// The list is sorted by what the account sees, which no index knows.
	listings = `SELECT ` + conversationColumns + `, ` + memberColumns + `, ` + messageColumns + `
		FROM (SELECT b.conversation_id, b.account_id, (SELECT m.id FROM messages m
					WHERE m.conversation_id = b.conversation_id AND m.seq >= b.joined_seq AND m.seq > b.hidden_seq` + seen + `
					ORDER BY m.seq DESC LIMIT 1) AS last_id
				FROM members b CROSS JOIN conversations c
				WHERE b.account_id = $2 AND b.left_at IS NULL AND c.id = b.conversation_id AND c.deleted_at IS NULL
				AND (c.kind = 3 OR c.last_seq > 0)
				AND (b.hidden_seq = 0 OR c.last_seq > 0 AND c.last_seq > b.hidden_seq)) AS o
			JOIN conversations c ON c.id = o.conversation_id
			JOIN members b ON b.conversation_id = o.conversation_id AND b.account_id = o.account_id
			LEFT JOIN messages m ON m.id = o.last_id
		ORDER BY m.created_at DESC NULLS LAST, c.id LIMIT 0 + $1 OFFSET $3`

	unreadIn = `SELECT b.conversation_id, count(*), min(e.seq), max(e.seq)
		FROM {ints} CROSS JOIN members b CROSS JOIN envelopes e
		WHERE b.conversation_id = j.value AND b.account_id = $2
		AND e.recipient_id = b.account_id AND e.conversation_id = b.conversation_id
		AND e.seq >= b.joined_seq AND e.seq > b.hidden_seq AND e.read_at IS NULL AND NOT e.hidden AND e.state < 2
		GROUP BY b.conversation_id`
	groupsByID = `SELECT ` + groupColumns + ` FROM {ints} CROSS JOIN groups g CROSS JOIN conversations c
		WHERE g.conversation_id = j.value AND c.id = g.conversation_id AND c.deleted_at IS NULL`
	staleEnvelopes = `SELECT ` + envelopeColumns + ` FROM envelopes e CROSS JOIN messages m
		WHERE e.state = 0 AND NOT e.hidden AND m.id = e.message_id AND m.created_at < $1
		ORDER BY e.recipient_id, e.message_id LIMIT 0 + $2`

	deliverEnvelopes = `UPDATE envelopes SET state = 1, delivered_at = $3
		WHERE message_id IN (SELECT j.value FROM {ints}) AND recipient_id = $2 AND state = 0 AND NOT hidden`
	expireEnvelopes = `UPDATE envelopes SET state = 3
		WHERE message_id IN (SELECT j.value FROM {ints}) AND recipient_id = $2 AND state = 0 AND NOT hidden`
	readEnvelope = `UPDATE envelopes SET state = 2, read_at = $3, delivered_at = COALESCE(delivered_at, $3)
		WHERE message_id = $1 AND recipient_id = $2 AND state < 2`

	unreadThrough = ` WHERE recipient_id = $1 AND conversation_id = $2 AND seq <= $3 AND read_at IS NULL AND NOT hidden AND state < 2`
	readMarks     = `SELECT m.author_id, max(u.message_id), max(u.seq), sum(u.pending)
		FROM (SELECT message_id, seq, CASE WHEN state = 0 THEN 1 ELSE 0 END AS pending FROM envelopes` + unreadThrough + `) AS u
			CROSS JOIN messages m
		WHERE m.id = u.message_id GROUP BY m.author_id ORDER BY m.author_id`
	readThrough = `UPDATE envelopes SET state = 2, read_at = $4, delivered_at = COALESCE(delivered_at, $4)` + unreadThrough

	insertHide = `INSERT INTO hides (account_id, message_id) VALUES ($1, $2)
		ON CONFLICT (account_id, message_id) DO NOTHING`
	hideEnvelope = `UPDATE envelopes SET hidden = TRUE, state = CASE WHEN state = 0 THEN 1 ELSE state END,
			delivered_at = CASE WHEN state = 0 THEN $3 ELSE delivered_at END
		WHERE message_id = $1 AND recipient_id = $2 AND NOT hidden`
	hideConversation = `UPDATE members SET hidden_seq = $3 WHERE conversation_id = $1 AND account_id = $2`
)

func envelopeDest(e *chat.Envelope) []any {
	return []any{
		(*number)(&e.Message), (*number)(&e.Recipient), (*number)(&e.Conversation), (*number)(&e.Seq),
		(*small)(&e.State), (*flag)(&e.Hidden), (*millis)(&e.DeliveredAt), (*millis)(&e.ReadAt),
	}
}

// Envelope returns one recipient's copy of a message.
func (t *Tx) Envelope(
	ctx context.Context, message chat.MessageID, recipient chat.AccountID,
) (*chat.Envelope, error) {
	var e chat.Envelope
	err := t.one(ctx, "read envelope", scan(envelopeDest(&e)...), envelopeByKey, int64(message), int64(recipient))
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// Rows lists messages of a conversation as an account sees them.
func (t *Tx) Rows(ctx context.Context, q store.RowQuery) ([]chat.MessageRow, error) {
	statement := rowsDown
	if q.Ascending {
		statement = rowsUp
	}
	list := make([]chat.MessageRow, 0, min(q.Limit, 64))
	err := t.each(ctx, "read history", func(r Row) error {
		var row chat.MessageRow
		var e chat.Envelope
		if err := r.Scan(append(messageDest(&row.Message), envelopeDest(&e)...)...); err != nil {
			return err
		}
		row.Own = row.Author == q.Viewer
		if e.Message != 0 {
			row.Envelope = &e
		}
		list = append(list, row)
		return nil
	}, statement, int64(q.Conversation), int64(q.Viewer), int64(q.Peer), q.From, q.To, q.Limit)
	return list, err
}

// Listings lists the conversations of an account.
func (t *Tx) Listings(ctx context.Context, account chat.AccountID, offset, limit int) ([]store.Listing, error) {
	var list []store.Listing
	err := t.each(ctx, "list conversations", func(r Row) error {
		var l store.Listing
		var last chat.Message
		dest := append(conversationDest(&l.Conversation), memberDest(&l.Member)...)
		if err := r.Scan(append(dest, messageDest(&last)...)...); err != nil {
			return err
		}
		if last.ID != 0 {
			l.Last = &last
		}
		list = append(list, l)
		return nil
	}, listings, limit, int64(account), offset)
	return list, err
}

// Unread says what an account has not read in conversations.
func (t *Tx) Unread(
	ctx context.Context, account chat.AccountID, in []chat.ConversationID,
) (map[chat.ConversationID]store.Unread, error) {
	unread := make(map[chat.ConversationID]store.Unread)
	err := t.each(ctx, "count unread messages", func(r Row) error {
		var id chat.ConversationID
		var u store.Unread
		err := r.Scan((*number)(&id), &u.Count, &u.Oldest, &u.Newest)
		unread[id] = u
		return err
	}, unreadIn, t.f.Ints(unique(numbers(in))), int64(account))
	return unread, err
}

// Groups returns those of ids that are groups.
func (t *Tx) Groups(ctx context.Context, ids []chat.ConversationID) (map[chat.ConversationID]*chat.Group, error) {
	groups := make(map[chat.ConversationID]*chat.Group, len(ids))
	if len(ids) == 0 {
		return groups, nil
	}
	err := t.each(ctx, "read groups", func(r Row) error {
		var g chat.Group
		err := r.Scan(groupDest(&g)...)
		groups[g.ID] = &g
		return err
	}, groupsByID, t.f.Ints(unique(numbers(ids))))
	return groups, err
}

// StaleEnvelopes lists up to limit pending envelopes of messages older than a time.
func (t *Tx) StaleEnvelopes(ctx context.Context, before time.Time, limit int) ([]chat.Envelope, error) {
	var list []chat.Envelope
	err := t.each(ctx, "find stale envelopes", func(r Row) error {
		var e chat.Envelope
		err := r.Scan(envelopeDest(&e)...)
		list = append(list, e)
		return err
	}, staleEnvelopes, ceilMillis(before), limit)
	return list, err
}

// Deliver marks stored envelopes of a recipient as delivered.
func (t *Tx) Deliver(
	ctx context.Context, recipient chat.AccountID, messages []chat.MessageID, at time.Time,
) (int, error) {
	return t.affect(ctx, "deliver envelopes", deliverEnvelopes, t.f.Ints(numbers(messages)), int64(recipient), Millis(at))
}

// ExpireEnvelopes marks pending envelopes of a recipient as expired.
func (t *Tx) ExpireEnvelopes(ctx context.Context, recipient chat.AccountID, messages []chat.MessageID) error {
	return t.exec(ctx, "expire envelopes", expireEnvelopes, t.f.Ints(numbers(messages)), int64(recipient))
}

// Read marks one envelope as read.
func (t *Tx) Read(ctx context.Context, message chat.MessageID, recipient chat.AccountID, at time.Time) error {
	return t.exec(ctx, "read envelope", readEnvelope, int64(message), int64(recipient), Millis(at))
}

// ReadThrough marks a recipient's envelopes of a conversation as read.
func (t *Tx) ReadThrough(
	ctx context.Context, seat store.Seat, through int64, at time.Time,
) (marks []store.Reading, pending int, err error) {
	err = t.each(ctx, "find unread messages", func(r Row) error {
		var m store.Reading
		var n int
		err := r.Scan((*number)(&m.Author), (*number)(&m.Message), &m.Seq, &n)
		marks, pending = append(marks, m), pending+n
		return err
	}, readMarks, int64(seat.Account), int64(seat.Conversation), through)
	if err != nil || len(marks) == 0 {
		return nil, 0, err
	}
	err = t.exec(ctx, "read envelopes", readThrough, int64(seat.Account), int64(seat.Conversation), through, Millis(at))
	return marks, pending, err
}

// HideMessage takes a message out of an account's sight.
func (t *Tx) HideMessage(ctx context.Context, account chat.AccountID, message chat.MessageID, at time.Time) error {
	if err := t.exec(ctx, "hide message", insertHide, int64(account), int64(message)); err != nil {
		return err
	}
	return t.exec(ctx, "hide envelope", hideEnvelope, int64(message), int64(account), Millis(at))
}

// HideConversation takes everything up to a sequence number out of a member's sight.
func (t *Tx) HideConversation(ctx context.Context, seat store.Seat, through int64) error {
	return t.exec(ctx, "hide conversation", hideConversation, int64(seat.Conversation), int64(seat.Account), through)
}
