package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Pairs are the only parameters of their statement, so the time travels as one
// more of them, under the recipient 0 that nobody is. Of CROSS JOIN and index the
// engines need no telling here: the primary key of envelopes is the pair.
const acknowledgeMany = `UPDATE envelopes SET state = 1, delivered_at = (SELECT j.value FROM {pairs} WHERE j.key = '0')
	FROM {pairs} WHERE envelopes.recipient_id = j.key AND envelopes.message_id = j.value
	AND envelopes.state = 0 AND NOT envelopes.hidden RETURNING recipient_id`

// AcknowledgeMany marks those of the envelopes that are stored and not hidden as
// delivered at a time and returns how many of each recipient moved.
func (t *Tx) AcknowledgeMany(
	ctx context.Context, keys []store.EnvelopeKey, at time.Time,
) (map[chat.AccountID]int, error) {
	list := make(pairs, 0, 1+len(keys))
	list = append(list, [2]int64{0, at.UnixMilli()})
	for _, k := range keys {
		if k.Recipient != 0 {
			list = append(list, [2]int64{int64(k.Recipient), int64(k.Message)})
		}
	}
	moved := make(map[chat.AccountID]int)
	err := t.each(ctx, "acknowledge envelopes", func(r Row) error {
		var recipient chat.AccountID
		err := r.Scan((*number)(&recipient))
		moved[recipient]++
		return err
	}, acknowledgeMany, list.bind(t.f)...)
	return moved, err
}

// Acknowledge is AcknowledgeMany in a transaction of its own.
func (d *DB) Acknowledge(
	ctx context.Context, keys []store.EnvelopeKey, at time.Time,
) (moved map[chat.AccountID]int, err error) {
	err = d.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		moved, err = tx.AcknowledgeMany(ctx, keys, at)
		return err
	})
	return moved, err
}
