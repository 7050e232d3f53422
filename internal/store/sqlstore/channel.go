package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

const channelColumns = `h.conversation_id, h.space_id, h.name, h.topic, h.type, h.position, h.created_at, h.updated_at`

const (
	channelByID = `SELECT ` + channelColumns + ` FROM channels h CROSS JOIN conversations c
		WHERE h.conversation_id = $1 AND c.id = h.conversation_id AND c.deleted_at IS NULL`
	channelsOf = `SELECT ` + channelColumns + ` FROM channels h CROSS JOIN conversations c
		WHERE h.space_id = $1 AND c.id = h.conversation_id AND c.deleted_at IS NULL
		ORDER BY h.position, h.conversation_id`

	insertChannel = `INSERT INTO channels (conversation_id, space_id, name, topic, type, position, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	updateChannel = `UPDATE channels SET name = $2, topic = $3, position = $4, updated_at = $5
		WHERE conversation_id = $1
		AND EXISTS (SELECT 1 FROM conversations c WHERE c.id = channels.conversation_id AND c.deleted_at IS NULL)`

	overwritesOf = `SELECT conversation_id, holder_kind, holder_id, allow, deny FROM overwrites
		WHERE conversation_id = $1 ORDER BY holder_kind, holder_id`
	upsertOverwrite = `INSERT INTO overwrites (conversation_id, holder_kind, holder_id, allow, deny) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (conversation_id, holder_kind, holder_id) DO UPDATE SET allow = excluded.allow, deny = excluded.deny`
	deleteOverwrite   = `DELETE FROM overwrites WHERE conversation_id = $1 AND holder_kind = $2 AND holder_id = $3`
	deleteOverwrites  = `DELETE FROM overwrites WHERE conversation_id = $1`
	settleOverwritten = `UPDATE conversations
		SET overwritten = EXISTS (SELECT 1 FROM overwrites o WHERE o.conversation_id = conversations.id) WHERE id = $1`
)

// Who an overwrite is for, as stored.
const (
	holderArchetype = 1
	holderAccount   = 2
)

func scanChannel(r Row, c *chat.Channel) error {
	return r.Scan((*number)(&c.ID), (*number)(&c.Space), &c.Name, &c.Topic, (*small)(&c.Type), &c.Position,
		(*millis)(&c.CreatedAt), (*millis)(&c.UpdatedAt))
}

func scanOverwrite(r Row, o *chat.Overwrite) error {
	var kind, holder number
	err := r.Scan((*number)(&o.Channel), &kind, &holder, (*bits)(&o.Allow), (*bits)(&o.Deny))
	if kind == holderArchetype {
		o.Archetype = chat.ArchetypeID(holder)
	} else {
		o.Account = chat.AccountID(holder)
	}
	return err
}

// Channel returns one channel of a space that is not deleted.
func (t *Tx) Channel(ctx context.Context, id chat.ConversationID) (*chat.Channel, error) {
	var c chat.Channel
	if err := t.one(ctx, "read channel", func(r Row) error { return scanChannel(r, &c) }, channelByID, int64(id)); err != nil {
		return nil, err
	}
	return &c, nil
}

// Channels lists the channels of a space by position, then creation.
func (t *Tx) Channels(ctx context.Context, space chat.SpaceID) ([]chat.Channel, error) {
	var list []chat.Channel
	err := t.each(ctx, "list channels", func(r Row) error {
		var c chat.Channel
		err := scanChannel(r, &c)
		list = append(list, c)
		return err
	}, channelsOf, int64(space))
	return list, err
}

// InsertChannel stores a channel and its conversation.
func (t *Tx) InsertChannel(ctx context.Context, c *chat.Channel) error {
	err := t.insertConversation(ctx, &chat.Conversation{
		ID: c.ID, Kind: chat.ConversationChannel, Space: c.Space, CreatedAt: c.CreatedAt,
	})
	if err != nil {
		return err
	}
	return t.exec(ctx, "insert channel", insertChannel, int64(c.ID), int64(c.Space), c.Name, c.Topic, int64(c.Type),
		c.Position, Millis(c.CreatedAt), Millis(c.UpdatedAt))
}

// UpdateChannel stores name, topic, position and updated time.
func (t *Tx) UpdateChannel(ctx context.Context, c *chat.Channel) error {
	return t.hit(ctx, "update channel", updateChannel, int64(c.ID), c.Name, c.Topic, c.Position, Millis(c.UpdatedAt))
}

// DeleteChannel makes a channel unknown at once; PurgeDeleted removes the rest.
func (t *Tx) DeleteChannel(ctx context.Context, id chat.ConversationID, at time.Time) error {
	if err := t.hit(ctx, "delete channel", deleteConversation, int64(id), Millis(at)); err != nil {
		return err
	}
	return t.exec(ctx, "delete overwrites of channel", deleteOverwrites, int64(id))
}

// Overwrites lists the entitlement overwrites of a channel.
func (t *Tx) Overwrites(ctx context.Context, channel chat.ConversationID) ([]chat.Overwrite, error) {
	var list []chat.Overwrite
	err := t.each(ctx, "list overwrites", func(r Row) error {
		var o chat.Overwrite
		err := scanOverwrite(r, &o)
		list = append(list, o)
		return err
	}, overwritesOf, int64(channel))
	return list, err
}

// SetOverwrite stores an overwrite, or removes it if it changes nothing.
func (t *Tx) SetOverwrite(ctx context.Context, o chat.Overwrite) error {
	kind, holder := int64(holderArchetype), int64(o.Archetype)
	if o.Account != 0 {
		kind, holder = holderAccount, int64(o.Account)
	}
	var err error
	if o.Allow == 0 && o.Deny == 0 {
		err = t.exec(ctx, "delete overwrite", deleteOverwrite, int64(o.Channel), kind, holder)
	} else {
		err = t.exec(ctx, "set overwrite", upsertOverwrite, int64(o.Channel), kind, holder, int64(o.Allow), int64(o.Deny))
	}
	if err != nil {
		return err
	}
	return t.exec(ctx, "settle overwritten channel", settleOverwritten, int64(o.Channel))
}
