package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	memberColumns = `b.conversation_id, b.account_id, b.role, b.joined_seq, b.joined_at, b.left_seq, b.left_at, b.hidden_seq, b.removed`
	memberBySeat  = `SELECT ` + memberColumns + ` FROM members b WHERE b.conversation_id = $1 AND b.account_id = $2`
	activeMembers = `SELECT ` + memberColumns + ` FROM members b
		WHERE b.conversation_id = $1 AND b.left_at IS NULL ORDER BY b.ord`

	groupColumns = conversationColumns + `, g.made_by, g.name, g.description, g.avatar, g.avatar_url, g.created_by,
			g.by_invitation, g.from_start, g.deleted_at, g.deleted_by,
			(SELECT count(*) FROM members b WHERE b.conversation_id = g.conversation_id AND b.left_at IS NULL)`
	groupByID = `SELECT ` + groupColumns + ` FROM groups g CROSS JOIN conversations c
		WHERE g.conversation_id = $1 AND c.id = g.conversation_id AND c.deleted_at IS NULL`
	groupsOf = `SELECT b.conversation_id FROM members b CROSS JOIN groups g
		WHERE b.account_id = $1 AND b.conversation_id > $2 AND b.left_at IS NULL AND g.conversation_id = b.conversation_id
		ORDER BY b.conversation_id LIMIT 0 + $3`

	groupSeats = `SELECT ` + groupColumns + `, ` + memberColumns + ` FROM members b CROSS JOIN groups g CROSS JOIN conversations c
		WHERE b.account_id = $1 AND b.left_at IS NULL AND g.conversation_id = b.conversation_id
		AND c.id = g.conversation_id AND c.deleted_at IS NULL
		ORDER BY b.joined_at, b.conversation_id LIMIT 0 + $2`
	groupSeatCount = `SELECT count(*) FROM members b CROSS JOIN groups g
		WHERE b.account_id = $1 AND b.left_at IS NULL AND g.conversation_id = b.conversation_id AND g.made_by = $2`
	// The members are gone through only where the creator is not among them.
	groupOwners = `SELECT g.conversation_id, COALESCE(
			(SELECT b.account_id FROM members b
				WHERE b.conversation_id = g.conversation_id AND b.account_id = g.created_by AND b.left_at IS NULL),
			(SELECT b.account_id FROM members b
				WHERE b.conversation_id = g.conversation_id AND b.role = 2 AND b.left_at IS NULL ORDER BY b.ord LIMIT 1))
		FROM {ints} CROSS JOIN groups g WHERE g.conversation_id = j.value`

	insertGroup = `INSERT INTO groups (conversation_id, made_by, name, description, avatar, avatar_url, created_by,
		by_invitation, from_start, created_at, deleted_at, deleted_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`
	updateGroup = `UPDATE groups SET name = $2, description = $3, avatar = $4, avatar_url = $5, deleted_at = $6, deleted_by = $7
		WHERE conversation_id = $1`

	// Who comes back is last in the order of joining, as if new.
	setMember = `INSERT INTO members (conversation_id, account_id, ord, role, joined_seq, joined_at)
		VALUES ($1, $2, (SELECT COALESCE(max(b.ord), 0) + 1 FROM members b WHERE b.conversation_id = $1), $3, $4, $5)
		ON CONFLICT (conversation_id, account_id) DO UPDATE SET ord = excluded.ord, role = excluded.role,
			joined_seq = excluded.joined_seq, joined_at = excluded.joined_at, left_seq = NULL, left_at = NULL, removed = FALSE`
	setRole = `UPDATE members SET role = $3 WHERE conversation_id = $1 AND account_id = $2 AND left_at IS NULL`

	endMember = `UPDATE members SET left_seq = $3, left_at = $4, removed = $5
		WHERE conversation_id = $1 AND account_id = $2 AND left_at IS NULL`
	endMembers = `UPDATE members SET left_seq = $2, left_at = $3 WHERE conversation_id = $1 AND left_at IS NULL`

	// The set that the index of what is unread holds, and of it what is pending:
	// SQLite takes the index only if its condition is there word for word.
	flushable      = ` AND conversation_id = $1 AND state < 2 AND NOT hidden AND state = 0`
	flushEnvelopes = `UPDATE envelopes SET state = 1, delivered_at = $2 WHERE recipient_id = $3` + flushable
	flushGroup     = `UPDATE envelopes SET state = 1, delivered_at = $2 WHERE recipient_id IN
		(SELECT b.account_id FROM members b WHERE b.conversation_id = $1 AND b.left_at IS NULL)` + flushable
)

func scanMember(r Row, m *chat.Member) error { return r.Scan(memberDest(m)...) }

func memberDest(m *chat.Member) []any {
	return []any{
		(*number)(&m.Conversation), (*number)(&m.Account), (*small)(&m.Role), (*number)(&m.JoinedSeq),
		(*millis)(&m.JoinedAt), (*number)(&m.LeftSeq), (*millis)(&m.LeftAt), (*number)(&m.HiddenSeq), &m.Removed,
	}
}

func groupDest(g *chat.Group) []any {
	return append(conversationDest(&g.Conversation), (*small)(&g.MadeBy), &g.Name, &g.Description, &g.Avatar,
		&g.AvatarURL, (*number)(&g.CreatedBy), &g.ByInvitation, &g.FromStart, (*millis)(&g.DeletedAt),
		(*number)(&g.DeletedBy), &g.Members)
}

// Group returns a group, a deleted one included.
func (t *Tx) Group(ctx context.Context, id chat.ConversationID) (*chat.Group, error) {
	var g chat.Group
	if err := t.one(ctx, "read group", scan(groupDest(&g)...), groupByID, int64(id)); err != nil {
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

// GroupsOf lists the groups that an account is an active member of.
func (t *Tx) GroupsOf(
	ctx context.Context, account chat.AccountID, after chat.ConversationID, limit int,
) ([]chat.ConversationID, error) {
	var list []chat.ConversationID
	err := t.each(ctx, "list groups of account", func(r Row) error {
		var id chat.ConversationID
		err := r.Scan((*number)(&id))
		list = append(list, id)
		return err
	}, groupsOf, int64(account), int64(after), limit)
	return list, err
}

// GroupSeats lists the active memberships of an account in groups.
func (t *Tx) GroupSeats(ctx context.Context, account chat.AccountID, limit int) ([]store.GroupSeat, error) {
	var list []store.GroupSeat
	err := t.each(ctx, "list memberships of account", func(r Row) error {
		var s store.GroupSeat
		err := r.Scan(append(groupDest(&s.Group), memberDest(&s.Member)...)...)
		list = append(list, s)
		return err
	}, groupSeats, int64(account), limit)
	return list, err
}

// GroupSeatCount counts the active memberships of an account in groups of a surface.
func (t *Tx) GroupSeatCount(ctx context.Context, account chat.AccountID, madeBy chat.Surface) (int, error) {
	var n int
	err := t.one(ctx, "count memberships of account", scan(&n), groupSeatCount, int64(account), int64(madeBy))
	return n, err
}

// GroupOwners says whom groups have as their owner.
func (t *Tx) GroupOwners(
	ctx context.Context, groups []chat.ConversationID,
) (map[chat.ConversationID]chat.AccountID, error) {
	owners := make(map[chat.ConversationID]chat.AccountID, len(groups))
	if len(groups) == 0 {
		return owners, nil
	}
	err := t.each(ctx, "find owners of groups", func(r Row) error {
		var group chat.ConversationID
		var owner chat.AccountID
		err := r.Scan((*number)(&group), (*number)(&owner))
		if owner != 0 {
			owners[group] = owner
		}
		return err
	}, groupOwners, t.f.Ints(unique(numbers(groups))))
	return owners, err
}

// InsertGroup stores an empty group with its members, in the order given.
func (t *Tx) InsertGroup(ctx context.Context, g *chat.Group, members []chat.Member) error {
	if err := t.insertConversation(ctx, &g.Conversation); err != nil {
		return err
	}
	err := t.exec(ctx, "insert group", insertGroup, int64(g.ID), int64(g.MadeBy), g.Name, g.Description, g.Avatar, g.AvatarURL,
		int64(g.CreatedBy), g.ByInvitation, g.FromStart, Millis(g.CreatedAt), Millis(g.DeletedAt), NullID(g.DeletedBy))
	if err != nil {
		return err
	}
	return t.insertMembers(ctx, g.ID, members)
}

// UpdateGroup stores what may change of a group.
func (t *Tx) UpdateGroup(ctx context.Context, g *chat.Group) error {
	return t.hit(ctx, "update group", updateGroup, int64(g.ID), g.Name, g.Description, g.Avatar, g.AvatarURL,
		Millis(g.DeletedAt), NullID(g.DeletedBy))
}

// SetMember makes an account the newest member of a group.
func (t *Tx) SetMember(ctx context.Context, m chat.Member) error {
	return t.exec(ctx, "set member", setMember,
		int64(m.Conversation), int64(m.Account), int64(m.Role), m.JoinedSeq, Millis(m.JoinedAt))
}

// SetRole changes what an active member may do.
func (t *Tx) SetRole(ctx context.Context, id chat.ConversationID, account chat.AccountID, role chat.MemberRole) error {
	return t.hit(ctx, "set role", setRole, int64(id), int64(account), int64(role))
}

// EndMember ends an active membership.
func (t *Tx) EndMember(ctx context.Context, m chat.Member) error {
	return t.hit(ctx, "end membership", endMember, int64(m.Conversation), int64(m.Account), m.LeftSeq, Millis(m.LeftAt), m.Removed)
}

// EndMembers ends every active membership of a group.
func (t *Tx) EndMembers(ctx context.Context, id chat.ConversationID, seq int64, at time.Time) error {
	return t.exec(ctx, "end memberships", endMembers, int64(id), seq, Millis(at))
}

// FlushEnvelopes marks the pending envelopes of a group as delivered.
func (t *Tx) FlushEnvelopes(ctx context.Context, id chat.ConversationID, recipient chat.AccountID, at time.Time) error {
	if recipient == 0 {
		return t.exec(ctx, "flush envelopes of group", flushGroup, int64(id), Millis(at))
	}
	return t.exec(ctx, "flush envelopes of member", flushEnvelopes, int64(id), Millis(at), int64(recipient))
}
