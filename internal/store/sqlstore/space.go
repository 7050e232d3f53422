package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

const spaceColumns = `s.id, s.made_by, s.name, s.description, s.owner_id, s.invite_code, s.member_count, s.created_at, s.updated_at`

const (
	spaceByID = `SELECT ` + spaceColumns + ` FROM spaces s WHERE s.id = $1 AND s.deleted_at IS NULL`
	spacesOf  = `SELECT ` + spaceColumns + ` FROM space_members m CROSS JOIN spaces s
		WHERE m.account_id = $1 AND s.id = m.space_id ORDER BY m.ord`

	insertSpace = `INSERT INTO spaces
		(id, made_by, name, description, owner_id, invite_code, member_count, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	updateSpace = `UPDATE spaces SET name = $2, description = $3, owner_id = $4, invite_code = $5, updated_at = $6
		WHERE id = $1 AND deleted_at IS NULL`

	deleteSpace           = `UPDATE spaces SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL`
	deleteSpaceChannels   = `UPDATE conversations SET deleted_at = $2 WHERE space_id = $1 AND deleted_at IS NULL`
	deleteSpaceOverwrites = `DELETE FROM overwrites WHERE conversation_id IN (SELECT conversation_id FROM channels WHERE space_id = $1)`
	deleteSpaceHeld       = `DELETE FROM held_archetypes WHERE space_id = $1`
	deleteSpaceArchetypes = `DELETE FROM archetypes WHERE space_id = $1`
	deleteSpaceMembers    = `DELETE FROM space_members WHERE space_id = $1`

	archetypesOf    = `SELECT id, space_id, name, grants, is_default, is_hidden, is_locked FROM archetypes WHERE space_id = $1 ORDER BY id`
	insertArchetype = `INSERT INTO archetypes (id, space_id, name, grants, is_default, is_hidden, is_locked)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

func scanSpace(r Row, s *chat.Space) error {
	return r.Scan((*number)(&s.ID), (*small)(&s.MadeBy), &s.Name, &s.Description, (*number)(&s.Owner), &s.InviteCode,
		&s.MemberCount, (*millis)(&s.CreatedAt), (*millis)(&s.UpdatedAt))
}

// Space returns a space that is not deleted.
func (t *Tx) Space(ctx context.Context, id chat.SpaceID) (*chat.Space, error) {
	var s chat.Space
	if err := t.one(ctx, "read space", func(r Row) error { return scanSpace(r, &s) }, spaceByID, int64(id)); err != nil {
		return nil, err
	}
	return &s, nil
}

// SpacesOf lists the spaces of a member, earliest joined first. A deleted space
// has no members.
func (t *Tx) SpacesOf(ctx context.Context, account chat.AccountID) ([]*chat.Space, error) {
	var list []*chat.Space
	err := t.each(ctx, "list spaces", func(r Row) error {
		s := new(chat.Space)
		list = append(list, s)
		return scanSpace(r, s)
	}, spacesOf, int64(account))
	return list, err
}

// InsertSpace stores a space, with the member count it states.
func (t *Tx) InsertSpace(ctx context.Context, s *chat.Space) error {
	return t.exec(ctx, "insert space", insertSpace, int64(s.ID), int64(s.MadeBy), s.Name, s.Description, int64(s.Owner),
		s.InviteCode, s.MemberCount, Millis(s.CreatedAt), Millis(s.UpdatedAt))
}

// UpdateSpace stores name, description, owner, invite code and updated time.
func (t *Tx) UpdateSpace(ctx context.Context, s *chat.Space) error {
	return t.hit(ctx, "update space", updateSpace,
		int64(s.ID), s.Name, s.Description, int64(s.Owner), s.InviteCode, Millis(s.UpdatedAt))
}

// DeleteSpace makes a space and all that is in it unknown at once. What the caps
// of a space bound goes right away; its messages are left to PurgeDeleted.
func (t *Tx) DeleteSpace(ctx context.Context, id chat.SpaceID, at time.Time) error {
	if err := t.hit(ctx, "delete space", deleteSpace, int64(id), Millis(at)); err != nil {
		return err
	}
	if err := t.exec(ctx, "delete channels of space", deleteSpaceChannels, int64(id), Millis(at)); err != nil {
		return err
	}
	for _, text := range []string{deleteSpaceOverwrites, deleteSpaceHeld, deleteSpaceArchetypes, deleteSpaceMembers} {
		if err := t.exec(ctx, "clear space", text, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// Archetypes lists the archetypes of a space in the order they were made.
func (t *Tx) Archetypes(ctx context.Context, space chat.SpaceID) ([]chat.Archetype, error) {
	var list []chat.Archetype
	err := t.each(ctx, "list archetypes", func(r Row) error {
		var a chat.Archetype
		err := r.Scan((*number)(&a.ID), (*number)(&a.Space), &a.Name, (*bits)(&a.Grants), &a.Default, &a.Hidden, &a.Locked)
		list = append(list, a)
		return err
	}, archetypesOf, int64(space))
	return list, err
}

// InsertArchetype stores an archetype.
func (t *Tx) InsertArchetype(ctx context.Context, a chat.Archetype) error {
	return t.exec(ctx, "insert archetype", insertArchetype,
		int64(a.ID), int64(a.Space), a.Name, int64(a.Grants), a.Default, a.Hidden, a.Locked)
}
