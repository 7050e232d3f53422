package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// This file is about groups that are joined by id (AI 8.5 to 8.11).

// groupsListed bounds the list of an account's groups.
const groupsListed = 1_000

// OpenGroup is a group as /ai shows it.
type OpenGroup struct {
	Group chat.Group
	Owner chat.AccountID // 0: nobody
}

// JoinedGroup is a group with the caller's place in it.
type JoinedGroup struct {
	OpenGroup
	Seat chat.Member
}

// outsider says how an account that is no member of a group is refused: not_member
// where it could join by id, group_unknown where it could not or nothing is left.
func (s *Service) outsider(ctx context.Context, group chat.ConversationID) error {
	return s.view(ctx, "read group", func(ctx context.Context, r store.Reader) error {
		return outsideOpen(ctx, r, group, chat.Fail(chat.CodeGroupUnknown))
	})
}

// openGroup reads a group that is joined by id: group_unknown if it is joined
// otherwise, was deleted or has nobody left.
func openGroup(ctx context.Context, r store.Reader, group chat.ConversationID) (*chat.Group, error) {
	g, err := r.Group(ctx, group)
	if g, err = known(g, err, chat.CodeGroupUnknown); err != nil {
		return nil, err
	}
	if g.Gone() || g.ByInvitation || g.Members == 0 {
		return nil, chat.Fail(chat.CodeGroupUnknown)
	}
	return g, nil
}

// openSeat finds the seat of a member, with the failures of groupSeat but that those
// outside are told what outsider says.
func openSeat(
	ctx context.Context, r store.Reader, group chat.ConversationID, account chat.AccountID,
) (*chat.Member, error) {
	_, m, err := groupSeat(ctx, r, group, account)
	return m, outsideOpen(ctx, r, group, err)
}

// outsideOpen turns the group_unknown of groupSeat into what outsider says.
func outsideOpen(ctx context.Context, r store.Reader, group chat.ConversationID, err error) error {
	if chat.CodeOf(err) != chat.CodeGroupUnknown {
		return err
	}
	if _, err := openGroup(ctx, r, group); err != nil {
		return err
	}
	return chat.Fail(chat.CodeNotMember)
}

// ListGroups lists the groups that the caller is a member of, earliest joined first,
// at most 1,000 (AI 8.6).
func (s *Service) ListGroups(ctx context.Context, c Call) ([]JoinedGroup, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var list []JoinedGroup
	err := s.view(ctx, "list groups", func(ctx context.Context, r store.Reader) error {
		seats, err := r.GroupSeats(ctx, c.Actor.Account, groupsListed)
		if err != nil {
			return err
		}
		ids := make([]chat.ConversationID, len(seats))
		for i := range seats {
			ids[i] = seats[i].Group.ID
		}
		owners, err := r.GroupOwners(ctx, ids)
		if err != nil {
			return err
		}
		list = make([]JoinedGroup, len(seats))
		for i := range seats {
			g := seats[i].Group
			list[i] = JoinedGroup{OpenGroup: OpenGroup{Group: g, Owner: owners[g.ID]}, Seat: seats[i].Member}
		}
		return nil
	})
	return list, err
}

// ownerOf finds the owner of a group, 0 if it has none.
func ownerOf(ctx context.Context, r store.Reader, group chat.ConversationID) (chat.AccountID, error) {
	owners, err := r.GroupOwners(ctx, []chat.ConversationID{group})
	return owners[group], err
}

// JoinGroup makes the caller a member of a group that is joined by id, and says
// whether it was one already, of whatever group (AI 8.7). An invitation of the caller
// that waits is answered with it. The failures are group_unknown; not_permitted for
// whoever an admin removed and nobody invited since; group_full; membership_cap.
func (s *Service) JoinGroup(ctx context.Context, c Call, group chat.ConversationID) (joined *OpenGroup, already bool, err error) {
	if err := c.agent(); err != nil {
		return nil, false, err
	}
	if c.Input != nil {
		return nil, false, c.Input
	}
	err = s.update(ctx, "join group", func(ctx context.Context, ch *change) error {
		_, _, err := groupSeat(ctx, ch, group, c.Actor.Account)
		already = err == nil
		if chat.CodeOf(err) == chat.CodeGroupUnknown {
			err = s.joinByID(ctx, ch, group, c.Actor.Account)
		}
		if err != nil {
			return err
		}
		g, err := ch.Group(ctx, group)
		if err != nil {
			return err
		}
		owner, err := ownerOf(ctx, ch, group)
		joined = &OpenGroup{Group: *g, Owner: owner}
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return joined, already, nil
}

// joinByID decides on an account that is no member.
func (s *Service) joinByID(ctx context.Context, ch *change, group chat.ConversationID, account chat.AccountID) error {
	g, err := openGroup(ctx, ch, group)
	if err != nil {
		return err
	}
	waits, err := ch.OpenInvite(ctx, group, account)
	invited := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	was, err := ch.Member(ctx, group, account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && was.Removed && !invited {
		return chat.Fail(chat.CodeNotPermitted)
	}
	if invited {
		if err := ch.EndInvite(ctx, waits.ID, ch.at); err != nil {
			return err
		}
	}
	return s.enter(ctx, ch, g, account, account)
}

// ListGroupMembers lists the members of a group to one of them, earliest joined
// first, and says who is the owner (AI 8.11). It fails with group_unknown,
// group_deleted or not_member.
func (s *Service) ListGroupMembers(ctx context.Context, c Call, group chat.ConversationID) (owner chat.AccountID, list []chat.MemberView, err error) {
	if err := c.agent(); err != nil {
		return 0, nil, err
	}
	err = s.view(ctx, "list members of group", func(ctx context.Context, r store.Reader) error {
		if _, err := openSeat(ctx, r, group, c.Actor.Account); err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		members, err := r.Members(ctx, group)
		if err != nil {
			return err
		}
		ids := make([]chat.AccountID, len(members))
		for i := range members {
			ids[i] = members[i].Account
		}
		who, err := profiles(ctx, r, ids)
		if err != nil {
			return err
		}
		list = make([]chat.MemberView, len(members))
		for i, m := range members {
			list[i] = chat.MemberView{Member: m, Profile: who(m.Account)}
		}
		owner, err = ownerOf(ctx, r, group)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	return owner, list, nil
}

// ReadGroup returns a page of a group to one of its members: what it may see of the
// messages, its own included, without system messages (AI 8.9). It fails with
// group_unknown, group_deleted, not_member or page_limit.
func (s *Service) ReadGroup(ctx context.Context, c Call, group chat.ConversationID, in TimePage) (*Messages, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var page *Messages
	err := s.view(ctx, "read group messages", func(ctx context.Context, r store.Reader) error {
		m, err := openSeat(ctx, r, group, c.Actor.Account)
		if err != nil {
			return err
		}
		n, err := in.size(c)
		if err != nil {
			return err
		}
		list, err := r.History(ctx, store.HistoryQuery{
			Conversation: group, Viewer: c.Actor.Account, NoSystem: true, After: firstSeen(m) - 1,
			Before: in.Before, Limit: n + 1,
		})
		if err != nil {
			return err
		}
		page, err = pageOf(ctx, r, list[:min(n, len(list))], len(list) > n)
		return err
	})
	return page, err
}
