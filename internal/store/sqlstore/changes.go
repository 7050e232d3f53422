package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const (
	messageChanges = `SELECT ` + messageColumns + `, c.space_id, c.low_id, c.high_id
		FROM messages m CROSS JOIN conversations c
		WHERE m.id > $1 AND c.id = m.conversation_id AND c.deleted_at IS NULL ORDER BY m.id LIMIT 0 + $2`
	eventChanges = `SELECT id, kind, created_at, payload FROM events WHERE id > $1 ORDER BY id LIMIT 0 + $2`
	enclosedTo   = `SELECT e.message_id, e.recipient_id FROM {ints} CROSS JOIN envelopes e WHERE e.message_id = j.value
		ORDER BY e.message_id, e.recipient_id`
)

// Changes lists messages and events with positions above after, ascending.
// Recipients of a message in a group are its author and those who have an envelope.
func (t *Tx) Changes(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error) {
	created, err := t.created(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	var others []chat.Event
	err = t.each(ctx, "read events", func(r Row) error {
		var e chat.Event
		var kind, payload string
		if err := r.Scan((*number)(&e.Position), &kind, (*millis)(&e.At), &payload); err != nil {
			return err
		}
		e.Kind = chat.EventKind(kind)
		if err := decodeEvent(&e, payload); err != nil {
			return err
		}
		others = append(others, e)
		return nil
	}, eventChanges, int64(after), limit)
	if err != nil {
		return nil, err
	}
	merged := make([]chat.Event, 0, min(len(created)+len(others), limit))
	for len(merged) < limit && len(created)+len(others) > 0 {
		if len(others) == 0 || len(created) > 0 && created[0].Position < others[0].Position {
			merged, created = append(merged, created[0]), created[1:]
		} else {
			merged, others = append(merged, others[0]), others[1:]
		}
	}
	return merged, nil
}

// created reads messages as the events of their creation.
func (t *Tx) created(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error) {
	var list []chat.Event
	var m chat.Message
	var space chat.SpaceID
	var low, high chat.AccountID
	dest := append(messageDest(&m), (*number)(&space), (*number)(&low), (*number)(&high))
	err := t.each(ctx, "read messages", func(r Row) error {
		m = chat.Message{}
		if err := r.Scan(dest...); err != nil {
			return err
		}
		stored := m
		e := chat.Event{
			Position: stored.Position(), Kind: chat.EventMessageCreated, At: stored.CreatedAt, Actor: stored.Author,
			Space: space, Conversation: stored.Conversation, Message: &stored,
		}
		if low != 0 {
			e.Recipients = []chat.AccountID{low, high}
		}
		list = append(list, e)
		return nil
	}, messageChanges, int64(after), limit)
	if err != nil {
		return nil, err
	}
	return list, t.addressGroups(ctx, list)
}

// addressGroups fills in the recipients of messages in groups.
func (t *Tx) addressGroups(ctx context.Context, list []chat.Event) error {
	var ids []int64
	in := make(map[chat.MessageID]*chat.Event)
	for i := range list {
		e := &list[i]
		if e.Space == 0 && len(e.Recipients) == 0 {
			e.Recipients = []chat.AccountID{e.Actor}
			ids, in[e.Message.ID] = append(ids, int64(e.Message.ID)), e
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return t.each(ctx, "read recipients", func(r Row) error {
		var message chat.MessageID
		var recipient chat.AccountID
		err := r.Scan((*number)(&message), (*number)(&recipient))
		if e := in[message]; e != nil && recipient != e.Actor {
			e.Recipients = append(e.Recipients, recipient)
		}
		return err
	}, enclosedTo, t.f.Ints(ids))
}

// LastPosition is the highest position drawn so far.
func (t *Tx) LastPosition(ctx context.Context) (chat.Position, error) {
	var last int64
	err := t.one(ctx, "read last position", scan(&last), t.f.LastPosition)
	return chat.Position(last), err
}
