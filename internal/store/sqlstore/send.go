package sqlstore

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// Batches of sends are written by the engines, each in its own way; these
// statements are for the few messages that go with another change.
const (
	moveConversation = `UPDATE conversations
		SET last_seq = $2, last_at = $3, initiator = $4, opened_at = $5, established = $6 WHERE id = $1`
	insertMessage = `INSERT INTO messages
		(id, conversation_id, seq, author_id, client_id, kind, text, data, metadata, attachment_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	insertEnvelopes = `INSERT INTO envelopes (message_id, recipient_id, conversation_id, seq, state, hidden)
		SELECT $2, j.value, $3, $4, $5, FALSE FROM {ints}`
)

// Write stores what was decided about messages.
func (t *Tx) Write(ctx context.Context, w *store.Writes) error {
	for _, c := range w.Directs {
		if err := t.InsertDirect(ctx, c); err != nil {
			return err
		}
	}
	for _, c := range w.Moved {
		err := t.hit(ctx, "move conversation", moveConversation, int64(c.ID), c.LastSeq, Millis(c.LastAt),
			NullID(c.Initiator), Millis(c.OpenedAt), c.Established)
		if err != nil {
			return err
		}
	}
	for _, m := range w.Messages {
		if err := t.insertMessage(ctx, m); err != nil {
			return err
		}
	}
	if err := t.Sign(ctx, w.Messages); err != nil {
		return err
	}
	if err := t.insertEnvelopes(ctx, w.Envelopes); err != nil {
		return err
	}
	for _, e := range w.Contacts {
		if err := t.SetContact(ctx, e, w.At, true); err != nil {
			return err
		}
	}
	if err := t.AppendEvents(ctx, w.Events); err != nil {
		return err
	}
	return t.Enqueue(ctx, w.Deliveries)
}

func (t *Tx) insertMessage(ctx context.Context, m *chat.Message) error {
	return t.exec(ctx, "insert message", insertMessage, int64(m.ID), int64(m.Conversation), m.Seq, int64(m.Author),
		NullText(m.ClientID), int64(m.Kind), m.Text, NullText(m.Data), NullText(m.Metadata), NullID(m.Attachment),
		Millis(m.CreatedAt))
}

// insertEnvelopes stores envelopes, those of one message with one statement.
func (t *Tx) insertEnvelopes(ctx context.Context, list []chat.Envelope) error {
	for len(list) > 0 {
		first := list[0]
		var recipients []int64
		for len(list) > 0 && list[0].Message == first.Message && list[0].State == first.State {
			recipients, list = append(recipients, int64(list[0].Recipient)), list[1:]
		}
		err := t.exec(ctx, "insert envelopes", insertEnvelopes, t.f.Ints(recipients),
			int64(first.Message), int64(first.Conversation), first.Seq, int64(first.State))
		if err != nil {
			return err
		}
	}
	return nil
}
