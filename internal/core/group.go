package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// groupSeat returns a group and the seat of one of its members. Whoever never was
// a member, or left, meets group_unknown; those who were members when the group was
// deleted meet group_deleted (AC 16.1).
func groupSeat(
	ctx context.Context, r store.Reader, group chat.ConversationID, account chat.AccountID,
) (*chat.Group, *chat.Member, error) {
	g, err := r.Group(ctx, group)
	if g, err = known(g, err, chat.CodeGroupUnknown); err != nil {
		return nil, nil, err
	}
	m, err := r.Member(ctx, group, account)
	if m, err = known(m, err, chat.CodeGroupUnknown); err != nil {
		return nil, nil, err
	}
	switch {
	case m.Active():
		return g, m, nil
	case g.Gone() && m.LeftSeq == g.LastSeq: // the deletion wrote the last number and ended all memberships there
		by, err := r.Account(ctx, g.DeletedBy)
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, &chat.Error{
			Code: chat.CodeGroupDeleted, Conversation: g.ID, Handle: by.Handle, Since: g.DeletedAt,
		}
	}
	return nil, nil, chat.Fail(chat.CodeGroupUnknown)
}

// administered is groupSeat for what only admins may do: not_permitted to others.
func administered(
	ctx context.Context, r store.Reader, group chat.ConversationID, account chat.AccountID,
) (*chat.Group, error) {
	g, m, err := groupSeat(ctx, r, group, account)
	if err == nil && m.Role != chat.RoleAdmin {
		err = chat.Fail(chat.CodeNotPermitted)
	}
	return g, err
}

// groupFor is a group as a member sees it, with the failures of groupSeat. Profiles
// of members are cut to what a list shows.
func (s *Service) groupFor(
	ctx context.Context, r store.Reader, group chat.ConversationID, viewer chat.AccountID,
) (*chat.GroupView, error) {
	g, seat, err := groupSeat(ctx, r, group, viewer)
	if err != nil {
		return nil, err
	}
	members, err := r.Members(ctx, group)
	if err != nil {
		return nil, err
	}
	ids := []chat.AccountID{g.CreatedBy}
	for _, m := range members {
		ids = append(ids, m.Account)
	}
	who, err := profiles(ctx, r, ids)
	if err != nil {
		return nil, err
	}
	view := &chat.GroupView{
		Group: *g, Creator: listed(who(g.CreatedBy)), YourRole: seat.Role, Members: make([]chat.MemberView, len(members)),
	}
	for i, m := range members {
		view.Members[i] = chat.MemberView{Member: m, Profile: listed(who(m.Account))}
	}
	return view, nil
}

// listed leaves of a profile what a list of members shows: a large group has to
// fit into the memory of an idempotency key.
func listed(p chat.Profile) chat.Profile {
	p.Description, p.Presence = "", chat.Presence{}
	return p
}

// ShowGroup returns a group to its members: group_unknown, group_deleted (AC 16.3).
func (s *Service) ShowGroup(ctx context.Context, c Call, group chat.ConversationID) (*chat.GroupView, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var view *chat.GroupView
	err := s.view(ctx, "read group", func(ctx context.Context, r store.Reader) error {
		var err error
		view, err = s.groupFor(ctx, r, group, c.Actor.Account)
		return err
	})
	return view, err
}

// NewGroup is a group to be made.
type NewGroup struct {
	Name        string
	Description string           // "" for none
	AvatarURL   chat.Opt[string] // null for none
	Handles     []string         // whom to invite
}

// CreatedGroup is a group that was made and who could be invited into it.
type CreatedGroup struct {
	Group   chat.GroupView
	Invited []Invited // in the order of the handles; those who could not be invited are missing
}

// CreateGroup makes a group of which the caller is the only member, and an admin,
// and invites others into it (AC 16.2, AI 8.5). Restricted and paused agents may. Made
// through /ai it is joined by id and shows newcomers its whole history; elsewhere it is
// joined by invitation and shows them what comes after (README 3). It fails with
// field_required, field_length, field_invalid or membership_cap.
func (s *Service) CreateGroup(ctx context.Context, c Call, in NewGroup) (*CreatedGroup, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	byID := c.Surface == chat.SurfaceAIClient
	g := chat.Group{MadeBy: c.Surface, CreatedBy: c.Actor.Account, ByInvitation: !byID, FromStart: byID}
	fields := GroupChange{Name: chat.Some(in.Name), Description: chat.Some(in.Description), AvatarURL: in.AvatarURL}
	l := limits(c.Surface)
	if _, err := fields.apply(&g, l); err != nil {
		return nil, err
	}
	if len(in.Handles) > l.GroupHandles {
		return nil, chat.FailField(chat.CodeFieldInvalid, "member_handles")
	}
	out := new(CreatedGroup)
	err := s.perform(ctx, c, "create group", out, func(ctx context.Context, ch *change) error {
		if err := anotherGroup(ctx, ch, c.Actor.Account, c.Surface); err != nil {
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		made := g
		made.Conversation = chat.Conversation{ID: chat.ConversationID(n), Kind: chat.ConversationGroup, CreatedAt: ch.at}
		first := chat.Member{Account: c.Actor.Account, Role: chat.RoleAdmin, JoinedSeq: 1, JoinedAt: ch.at}
		if err := ch.InsertGroup(ctx, &made, []chat.Member{first}); err != nil {
			return err
		}
		made.Members = 1
		*out = CreatedGroup{}
		if out.Invited, err = inviteAll(ctx, ch, &made, c.Actor.Account, in.Handles); err != nil {
			return err
		}
		view, err := s.groupFor(ctx, ch, made.ID, c.Actor.Account)
		if err != nil {
			return err
		}
		out.Group = *view
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// anotherGroup fails with membership_cap if an account is a member of as many groups
// as may be of those made through a surface.
func anotherGroup(ctx context.Context, r store.Reader, account chat.AccountID, madeBy chat.Surface) error {
	most := limits(madeBy).GroupMemberships
	if most == 0 {
		return nil
	}
	n, err := r.GroupSeatCount(ctx, account, madeBy)
	if err == nil && n >= most {
		err = chat.Fail(chat.CodeMembershipCap)
	}
	return err
}
