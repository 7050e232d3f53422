package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const (
	memberColumns = `b.conversation_id, b.account_id, b.role, b.joined_seq, b.joined_at, b.left_seq, b.left_at, b.hidden_seq`
	memberBySeat  = `SELECT ` + memberColumns + ` FROM members b WHERE b.conversation_id = $1 AND b.account_id = $2`
	activeMembers = `SELECT ` + memberColumns + ` FROM members b
		WHERE b.conversation_id = $1 AND b.left_at IS NULL ORDER BY b.ord`

	groupByID = `SELECT ` + conversationColumns + `, g.made_by, g.name, g.description, g.avatar, g.avatar_url, g.created_by,
			g.by_invitation, g.from_start, g.deleted_at, g.deleted_by,
			(SELECT count(*) FROM members b WHERE b.conversation_id = g.conversation_id AND b.left_at IS NULL)
		FROM groups g CROSS JOIN conversations c
		WHERE g.conversation_id = $1 AND c.id = g.conversation_id AND c.deleted_at IS NULL`
)

func scanMember(r Row, m *chat.Member) error {
	return r.Scan((*number)(&m.Conversation), (*number)(&m.Account), (*small)(&m.Role), (*number)(&m.JoinedSeq),
		(*millis)(&m.JoinedAt), (*number)(&m.LeftSeq), (*millis)(&m.LeftAt), (*number)(&m.HiddenSeq))
}

// Group returns a group, a deleted one included.
func (t *Tx) Group(ctx context.Context, id chat.ConversationID) (*chat.Group, error) {
	var g chat.Group
	dest := append(conversationDest(&g.Conversation), (*small)(&g.MadeBy), &g.Name, &g.Description, &g.Avatar,
		&g.AvatarURL, (*number)(&g.CreatedBy), &g.ByInvitation, &g.FromStart, (*millis)(&g.DeletedAt),
		(*number)(&g.DeletedBy), &g.Members)
	if err := t.one(ctx, "read group", scan(dest...), groupByID, int64(id)); err != nil {
		return nil, err
	}
	return &g, nil
}

// Member returns an account's place in a direct conversation or group.
func (t *Tx) Member(ctx context.Context, id chat.ConversationID, account chat.AccountID) (*chat.Member, error) {
	var m chat.Member
	err := t.one(ctx, "read member", func(r Row) error { return scanMember(r, &m) }, memberBySeat, int64(id), int64(account))
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// Members lists the active members of a group in the order they joined.
func (t *Tx) Members(ctx context.Context, id chat.ConversationID) ([]chat.Member, error) {
	var list []chat.Member
	err := t.each(ctx, "list members", func(r Row) error {
		var m chat.Member
		err := scanMember(r, &m)
		list = append(list, m)
		return err
	}, activeMembers, int64(id))
	return list, err
}
