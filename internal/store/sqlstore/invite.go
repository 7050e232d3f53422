package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	inviteColumns = `i.id, i.conversation_id, i.inviter_id, i.invitee_id, i.created_at, i.ended_at`
	inviteByID    = `SELECT ` + inviteColumns + ` FROM invites i WHERE i.id = $1`
	openInvite    = `SELECT ` + inviteColumns + ` FROM invites i
		WHERE i.conversation_id = $1 AND i.invitee_id = $2 AND i.ended_at IS NULL`
	invitesTo = `SELECT ` + inviteColumns + `, g.name, g.description, g.avatar, g.avatar_url,
			(SELECT count(*) FROM members b WHERE b.conversation_id = g.conversation_id AND b.left_at IS NULL)
		FROM invites i CROSS JOIN groups g
		WHERE i.invitee_id = $1 AND i.ended_at IS NULL AND g.conversation_id = i.conversation_id
		ORDER BY i.id LIMIT 0 + $2`
	invitesSince = `SELECT count(*), min(created_at) FROM invites WHERE inviter_id = $1 AND created_at > $2`

	insertInvite = `INSERT INTO invites (id, conversation_id, inviter_id, invitee_id, created_at, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6)`
	endInvite  = `UPDATE invites SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL`
	endInvites = `UPDATE invites SET ended_at = $2 WHERE conversation_id = $1 AND ended_at IS NULL`
)

func inviteDest(i *chat.Invite) []any {
	return []any{
		(*number)(&i.ID), (*number)(&i.Group), (*number)(&i.Inviter), (*number)(&i.Invitee),
		(*millis)(&i.CreatedAt), (*millis)(&i.EndedAt),
	}
}

// Invite returns an invitation, an ended one included.
func (t *Tx) Invite(ctx context.Context, id chat.InviteID) (*chat.Invite, error) {
	return t.invite(ctx, "read invite", inviteByID, int64(id))
}

// OpenInvite returns the invitation of an account into a group that waits.
func (t *Tx) OpenInvite(ctx context.Context, group chat.ConversationID, invitee chat.AccountID) (*chat.Invite, error) {
	return t.invite(ctx, "find open invite", openInvite, int64(group), int64(invitee))
}

func (t *Tx) invite(ctx context.Context, doing, text string, args ...any) (*chat.Invite, error) {
	var i chat.Invite
	if err := t.one(ctx, doing, scan(inviteDest(&i)...), text, args...); err != nil {
		return nil, err
	}
	return &i, nil
}

// InvitesTo lists the invitations of an account that wait, oldest first.
func (t *Tx) InvitesTo(ctx context.Context, invitee chat.AccountID, limit int) ([]store.GroupInvite, error) {
	var list []store.GroupInvite
	err := t.each(ctx, "list invites", func(r Row) error {
		var i store.GroupInvite
		g := &i.Group
		err := r.Scan(append(inviteDest(&i.Invite), &g.Name, &g.Description, &g.Avatar, &g.AvatarURL, &g.Members)...)
		list = append(list, i)
		return err
	}, invitesTo, int64(invitee), limit)
	return list, err
}

// InvitesSince counts the invitations that an account made after a time.
func (t *Tx) InvitesSince(ctx context.Context, inviter chat.AccountID, since time.Time) (int, time.Time, error) {
	var n int
	var oldest time.Time
	err := t.one(ctx, "count invites", scan(&n, (*millis)(&oldest)), invitesSince, int64(inviter), since.UnixMilli())
	return n, oldest, err
}

// InsertInvite stores an invitation.
func (t *Tx) InsertInvite(ctx context.Context, i *chat.Invite) error {
	return t.exec(ctx, "insert invite", insertInvite, int64(i.ID), int64(i.Group), int64(i.Inviter), int64(i.Invitee),
		Millis(i.CreatedAt), Millis(i.EndedAt))
}

// EndInvite ends an invitation that waits.
func (t *Tx) EndInvite(ctx context.Context, id chat.InviteID, at time.Time) error {
	return t.hit(ctx, "end invite", endInvite, int64(id), Millis(at))
}

// EndInvites ends the invitations into a group that wait.
func (t *Tx) EndInvites(ctx context.Context, group chat.ConversationID, at time.Time) error {
	return t.exec(ctx, "end invites of group", endInvites, int64(group), Millis(at))
}
