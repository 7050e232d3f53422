package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const (
	messageChanges = `SELECT ` + messageColumns + `, c.space_id, c.low_id, c.high_id
		FROM messages m CROSS JOIN conversations c
		WHERE m.id > $1 AND c.id = m.conversation_id AND c.deleted_at IS NULL ORDER BY m.id LIMIT $2`
	eventChanges   = `SELECT id, kind, created_at, payload FROM events WHERE id > $1 ORDER BY id LIMIT $2`
	membersOfGroup = `SELECT account_id FROM members WHERE conversation_id = $1 AND left_at IS NULL ORDER BY ord`
)

// Changes lists messages and events with positions above after, ascending.
// Recipients of a message are those of now, as is everything about it.
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
	members := make(map[chat.ConversationID][]chat.AccountID)
	for i := range list {
		e := &list[i]
		if e.Space != 0 || len(e.Recipients) > 0 {
			continue
		}
		if _, ok := members[e.Conversation]; !ok {
			if members[e.Conversation], err = t.groupMembers(ctx, e.Conversation); err != nil {
				return nil, err
			}
		}
		e.Recipients = members[e.Conversation]
	}
	return list, nil
}

func (t *Tx) groupMembers(ctx context.Context, id chat.ConversationID) ([]chat.AccountID, error) {
	var list []chat.AccountID
	err := t.each(ctx, "list members of group", func(r Row) error {
		var account chat.AccountID
		err := r.Scan((*number)(&account))
		list = append(list, account)
		return err
	}, membersOfGroup, int64(id))
	return list, err
}

// LastPosition is the highest position drawn so far.
func (t *Tx) LastPosition(ctx context.Context) (chat.Position, error) {
	var last int64
	err := t.one(ctx, "read last position", scan(&last), t.f.LastPosition)
	return chat.Position(last), err
}
