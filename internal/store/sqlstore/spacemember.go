package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const (
	spaceMember  = `SELECT space_id, account_id, grants, joined_at FROM space_members WHERE space_id = $1 AND account_id = $2`
	spaceMembers = `SELECT space_id, account_id, grants, joined_at FROM space_members WHERE space_id = $1 ORDER BY ord`
	spaceCount   = `SELECT count(*) FROM space_members WHERE account_id = $1`
	heldByMember = `SELECT archetype_id FROM held_archetypes WHERE space_id = $1 AND account_id = $2 ORDER BY archetype_id`

	insertSpaceMember = `INSERT INTO space_members (space_id, account_id, ord, grants, joined_at) VALUES ($1, $2, $3, $4, $5)`
	updateSpaceMember = `UPDATE space_members SET grants = $3 WHERE space_id = $1 AND account_id = $2`
	deleteSpaceMember = `DELETE FROM space_members WHERE space_id = $1 AND account_id = $2`
	addMemberCount    = `UPDATE spaces SET member_count = member_count + $2 WHERE id = $1`
	insertHeld        = `INSERT INTO held_archetypes (space_id, account_id, archetype_id) VALUES ($1, $2, $3)`
	deleteHeld        = `DELETE FROM held_archetypes WHERE space_id = $1 AND account_id = $2`

	deleteMemberOverwrites = `DELETE FROM overwrites WHERE holder_kind = 2 AND holder_id = $2
		AND conversation_id IN (SELECT conversation_id FROM channels WHERE space_id = $1)`
	settleSpaceOverwritten = `UPDATE conversations
		SET overwritten = EXISTS (SELECT 1 FROM overwrites o WHERE o.conversation_id = conversations.id)
		WHERE space_id = $1 AND overwritten`
)

func scanSpaceMember(r Row, m *chat.SpaceMember) error {
	return r.Scan((*number)(&m.Space), (*number)(&m.Account), (*bits)(&m.Grants), (*millis)(&m.JoinedAt))
}

// SpaceMember returns one membership.
func (t *Tx) SpaceMember(ctx context.Context, space chat.SpaceID, account chat.AccountID) (*chat.SpaceMember, error) {
	var m chat.SpaceMember
	err := t.one(ctx, "read membership", func(r Row) error { return scanSpaceMember(r, &m) },
		spaceMember, int64(space), int64(account))
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// SpaceMembers lists the memberships of a space, earliest joined first.
func (t *Tx) SpaceMembers(ctx context.Context, space chat.SpaceID) ([]chat.SpaceMember, error) {
	var list []chat.SpaceMember
	err := t.each(ctx, "list members of space", func(r Row) error {
		var m chat.SpaceMember
		err := scanSpaceMember(r, &m)
		list = append(list, m)
		return err
	}, spaceMembers, int64(space))
	return list, err
}

// SpaceCount counts the spaces an account is a member of.
func (t *Tx) SpaceCount(ctx context.Context, account chat.AccountID) (int, error) {
	var n int
	err := t.one(ctx, "count spaces", scan(&n), spaceCount, int64(account))
	return n, err
}

// HeldArchetypes lists the archetypes a member holds beside the default one.
func (t *Tx) HeldArchetypes(ctx context.Context, space chat.SpaceID, account chat.AccountID) ([]chat.ArchetypeID, error) {
	var list []chat.ArchetypeID
	err := t.each(ctx, "list held archetypes", func(r Row) error {
		var id chat.ArchetypeID
		err := r.Scan((*number)(&id))
		list = append(list, id)
		return err
	}, heldByMember, int64(space), int64(account))
	return list, err
}

// InsertSpaceMember adds a member and raises the member count.
func (t *Tx) InsertSpaceMember(ctx context.Context, m chat.SpaceMember, held []chat.ArchetypeID) error {
	ord, err := t.NextID(ctx, 1)
	if err != nil {
		return err
	}
	err = t.exec(ctx, "insert membership", insertSpaceMember,
		int64(m.Space), int64(m.Account), ord, int64(m.Grants), Millis(m.JoinedAt))
	if err != nil {
		return err
	}
	if err := t.insertHeld(ctx, m, held); err != nil {
		return err
	}
	return t.exec(ctx, "raise member count", addMemberCount, int64(m.Space), 1)
}

// SetSpaceMember replaces what a member holds and is granted.
func (t *Tx) SetSpaceMember(ctx context.Context, m chat.SpaceMember, held []chat.ArchetypeID) error {
	err := t.hit(ctx, "update membership", updateSpaceMember, int64(m.Space), int64(m.Account), int64(m.Grants))
	if err != nil {
		return err
	}
	if err := t.exec(ctx, "clear held archetypes", deleteHeld, int64(m.Space), int64(m.Account)); err != nil {
		return err
	}
	return t.insertHeld(ctx, m, held)
}

func (t *Tx) insertHeld(ctx context.Context, m chat.SpaceMember, held []chat.ArchetypeID) error {
	for _, id := range held {
		if err := t.exec(ctx, "insert held archetype", insertHeld, int64(m.Space), int64(m.Account), int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteSpaceMember removes a member, what it held and its own overwrites, and
// lowers the member count.
func (t *Tx) DeleteSpaceMember(ctx context.Context, space chat.SpaceID, account chat.AccountID) error {
	if err := t.hit(ctx, "delete membership", deleteSpaceMember, int64(space), int64(account)); err != nil {
		return err
	}
	if err := t.exec(ctx, "delete held archetypes", deleteHeld, int64(space), int64(account)); err != nil {
		return err
	}
	n, err := t.affect(ctx, "delete overwrites of member", deleteMemberOverwrites, int64(space), int64(account))
	if err != nil {
		return err
	}
	if n > 0 {
		if err := t.exec(ctx, "settle overwritten channels", settleSpaceOverwritten, int64(space)); err != nil {
			return err
		}
	}
	return t.exec(ctx, "lower member count", addMemberCount, int64(space), -1)
}
