package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const conversationColumns = `c.id, c.kind, c.last_seq, c.last_at, c.created_at, c.space_id, c.overwritten,
	c.low_id, c.high_id, c.initiator, c.opened_at, c.established`

const (
	conversationByID = `SELECT ` + conversationColumns + ` FROM conversations c WHERE c.id = $1 AND c.deleted_at IS NULL`
	directOf         = `SELECT ` + conversationColumns + ` FROM conversations c
		WHERE c.kind = 2 AND c.low_id = $1 AND c.high_id = $2 AND c.deleted_at IS NULL`

	// An account's direct conversations are found by two indexes and sorted: an
	// index by activity would move with every message.
	directsFrom = `SELECT ` + conversationColumns + ` FROM (
			SELECT id FROM conversations WHERE kind = 2 AND low_id = $1
			UNION
			SELECT id FROM conversations WHERE kind = 2 AND high_id = $1
		) own CROSS JOIN conversations c
		WHERE c.id = own.id AND c.deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM accounts a
			WHERE a.id = CASE WHEN c.low_id = $1 THEN c.high_id ELSE c.low_id END AND a.kind = 3)`
	directsOrder = ` ORDER BY COALESCE(c.last_at, c.created_at) DESC, c.id DESC LIMIT 0 + $2`
	directsFirst = directsFrom + directsOrder
	directsAfter = directsFrom + ` AND (COALESCE(c.last_at, c.created_at), c.id) <
		(SELECT COALESCE(p.last_at, p.created_at), p.id FROM conversations p WHERE p.id = $3)` + directsOrder

	insertConversation = `INSERT INTO conversations (id, kind, last_seq, last_at, space_id, overwritten,
		low_id, high_id, initiator, opened_at, established, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	deleteConversation = `UPDATE conversations SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL`

	insertMember = `INSERT INTO members (conversation_id, account_id, ord, role, joined_seq, joined_at)
		VALUES ($1, $2, $3, $4, $5, $6)`
)

func scanConversation(r Row, c *chat.Conversation) error {
	return r.Scan(conversationDest(c)...)
}

func conversationDest(c *chat.Conversation) []any {
	return []any{
		(*number)(&c.ID), (*small)(&c.Kind), (*number)(&c.LastSeq), (*millis)(&c.LastAt), (*millis)(&c.CreatedAt),
		(*number)(&c.Space), &c.Overwritten, (*number)(&c.Low), (*number)(&c.High), (*number)(&c.Initiator),
		(*millis)(&c.OpenedAt), &c.Established,
	}
}

// Conversation returns a conversation of any kind that is not deleted.
func (t *Tx) Conversation(ctx context.Context, id chat.ConversationID) (*chat.Conversation, error) {
	return t.conversation(ctx, "read conversation", conversationByID, int64(id))
}

// DirectOf returns the direct conversation of a pair in ascending order.
func (t *Tx) DirectOf(ctx context.Context, low, high chat.AccountID) (*chat.Conversation, error) {
	return t.conversation(ctx, "find direct conversation", directOf, int64(low), int64(high))
}

func (t *Tx) conversation(ctx context.Context, doing, text string, args ...any) (*chat.Conversation, error) {
	var c chat.Conversation
	if err := t.one(ctx, doing, func(r Row) error { return scanConversation(r, &c) }, text, args...); err != nil {
		return nil, err
	}
	return &c, nil
}

// Directs lists an account's direct conversations with people and agents, latest
// activity first.
func (t *Tx) Directs(
	ctx context.Context, account chat.AccountID, after chat.ConversationID, limit int,
) ([]chat.Conversation, error) {
	text, args := directsFirst, []any{int64(account), limit}
	if after != 0 {
		text, args = directsAfter, append(args, int64(after))
	}
	var list []chat.Conversation
	err := t.each(ctx, "list direct conversations", func(r Row) error {
		var c chat.Conversation
		err := scanConversation(r, &c)
		list = append(list, c)
		return err
	}, text, args...)
	return list, err
}

// InsertDirect stores a direct conversation, as far as it has come, and its two
// members.
func (t *Tx) InsertDirect(ctx context.Context, c *chat.Conversation) error {
	if err := t.insertConversation(ctx, c); err != nil {
		return err
	}
	return t.insertMembers(ctx, c.ID, []chat.Member{
		{Account: c.Low, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: c.CreatedAt},
		{Account: c.High, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: c.CreatedAt},
	})
}

func (t *Tx) insertConversation(ctx context.Context, c *chat.Conversation) error {
	return t.exec(ctx, "insert conversation", insertConversation,
		int64(c.ID), int64(c.Kind), c.LastSeq, Millis(c.LastAt), NullID(c.Space), c.Overwritten,
		NullID(c.Low), NullID(c.High), NullID(c.Initiator), Millis(c.OpenedAt), c.Established, Millis(c.CreatedAt))
}

func (t *Tx) insertMembers(ctx context.Context, id chat.ConversationID, members []chat.Member) error {
	for i, m := range members {
		err := t.exec(ctx, "insert member", insertMember,
			int64(id), int64(m.Account), i+1, int64(m.Role), m.JoinedSeq, Millis(m.JoinedAt))
		if err != nil {
			return err
		}
	}
	return nil
}
