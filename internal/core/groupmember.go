package core

import (
	"context"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

// activeMember returns an account's seat in a group: member_unknown if it has none.
func activeMember(
	ctx context.Context, r store.Reader, group chat.ConversationID, account chat.AccountID,
) (*chat.Member, error) {
	m, err := r.Member(ctx, group, account)
	if m, err = known(m, err, chat.CodeMemberUnknown); err != nil {
		return nil, err
	}
	if !m.Active() {
		return nil, chat.Fail(chat.CodeMemberUnknown)
	}
	return m, nil
}

// RemoveMember ends somebody else's membership, for an admin (AC 16.8). It fails as
// groupSeat does, and with not_permitted (for the creator's, too), account_unknown,
// self or member_unknown.
func (s *Service) RemoveMember(ctx context.Context, c Call, group chat.ConversationID, handle string) error {
	var removed chat.AccountID
	err := s.manage(ctx, c, "remove member", group, handle, func(ctx context.Context, ch *change, m managed) error {
		if m.target.ID == m.admin.ID {
			return chat.Fail(chat.CodeSelf)
		}
		if m.target.ID == m.group.CreatedBy {
			return chat.Fail(chat.CodeNotPermitted)
		}
		removed = m.target.ID
		if err := endSeat(ctx, ch, m.group, m.target.ID, true); err != nil {
			return err
		}
		if _, err := s.tell(ctx, ch, group, m.admin.ID, noticeRemoved, m.facts()); err != nil {
			return err
		}
		return s.regrouped(ctx, ch, group, m.admin.ID)
	})
	if err == nil {
		s.pending.forget(removed)
	}
	return err
}

// PromoteMember makes a member an admin, for an admin; one that is stays so without
// a word (AC 16.9). It fails as groupSeat does, and with not_permitted,
// account_unknown or member_unknown.
func (s *Service) PromoteMember(ctx context.Context, c Call, group chat.ConversationID, handle string) error {
	return s.manage(ctx, c, "promote member", group, handle, func(ctx context.Context, ch *change, m managed) error {
		if m.seat.Role == chat.RoleAdmin {
			return nil
		}
		return s.setRole(ctx, ch, m, chat.RoleAdmin, noticePromoted)
	})
}

// DemoteMember makes an admin an ordinary member, for an admin, who may be the same
// one (AC 16.9). It fails as groupSeat does, and with not_permitted (for the
// creator, too), account_unknown, member_unknown, not_admin or last_admin.
func (s *Service) DemoteMember(ctx context.Context, c Call, group chat.ConversationID, handle string) error {
	return s.manage(ctx, c, "demote member", group, handle, func(ctx context.Context, ch *change, m managed) error {
		switch {
		case m.seat.Role != chat.RoleAdmin:
			return chat.Fail(chat.CodeNotAdmin)
		case m.target.ID == m.group.CreatedBy:
			return chat.Fail(chat.CodeNotPermitted)
		case m.target.ID == m.admin.ID:
			members, err := ch.Members(ctx, group)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(members, func(o chat.Member) bool {
				return o.Role == chat.RoleAdmin && o.Account != m.target.ID
			}) {
				return chat.Fail(chat.CodeLastAdmin)
			}
		}
		return s.setRole(ctx, ch, m, chat.RoleMember, noticeDemoted)
	})
}

// managed is what an act of an admin on a member is decided on.
type managed struct {
	group  *chat.Group
	admin  *chat.Account
	target *chat.Account
	seat   *chat.Member // the target's
}

// facts are what a system message about the act says.
func (m *managed) facts() notice {
	return notice{"agent_handle": m.target.Handle, "actor_handle": m.admin.Handle}
}

// manage runs an act of an admin on the member with a handle. A member that may not
// act is found all the same; outside the group it is unknown.
func (s *Service) manage(
	ctx context.Context, c Call, doing string, group chat.ConversationID, handle string,
	act func(ctx context.Context, ch *change, m managed) error,
) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	return s.perform(ctx, c, doing, nil, func(ctx context.Context, ch *change) error {
		var m managed
		var err error
		if m.group, err = administered(ctx, ch, group, c.Actor.Account); err != nil {
			return err
		}
		if m.admin, err = ch.Account(ctx, c.Actor.Account); err != nil {
			return err
		}
		if m.target, err = givenTo(ctx, ch, handle); err != nil {
			return err
		}
		if m.seat, err = activeMember(ctx, ch, group, m.target.ID); err != nil {
			if chat.CodeOf(err) == chat.CodeMemberUnknown && (m.target.Gone() || m.target.Off()) {
				return chat.Fail(chat.CodeAccountUnknown)
			}
			return err
		}
		return act(ctx, ch, m)
	})
}

func (s *Service) setRole(ctx context.Context, ch *change, m managed, role chat.MemberRole, event string) error {
	if err := ch.SetRole(ctx, m.group.ID, m.target.ID, role); err != nil {
		return err
	}
	if _, err := s.tell(ctx, ch, m.group.ID, m.admin.ID, event, m.facts()); err != nil {
		return err
	}
	return s.regrouped(ctx, ch, m.group.ID, m.admin.ID)
}

// LeaveGroup ends the caller's membership and returns the handle of the member that
// became an admin because the caller was the last one, "" if none did (AC 16.10).
// A group that nobody is left in stays as a shell that nobody sees. It fails as
// groupSeat does; through /ai outsiders of a group that is joined by id are told
// not_member (AI 8.10).
func (s *Service) LeaveGroup(ctx context.Context, c Call, group chat.ConversationID) (promoted string, err error) {
	if err := c.agent(); err != nil {
		return "", err
	}
	if c.Input != nil {
		return "", c.Input
	}
	err = s.perform(ctx, c, "leave group", &promoted, func(ctx context.Context, ch *change) error {
		leaver, err := ch.Account(ctx, c.Actor.Account)
		if err != nil {
			return err
		}
		promoted, err = s.leave(ctx, ch, group, leaver)
		if c.Surface == chat.SurfaceAIClient {
			err = outsideOpen(ctx, ch, group, err)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	s.pending.forget(c.Actor.Account)
	return promoted, nil
}

// leavePage is how many groups are looked up at a time when an account leaves all.
const leavePage = 500

// leaveAllGroups takes an account that is being removed out of its groups, each as
// a normal leave (AC 7.3).
func (s *Service) leaveAllGroups(ctx context.Context, ch *change, leaver *chat.Account) error {
	for {
		groups, err := ch.GroupsOf(ctx, leaver.ID, 0, leavePage)
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, group := range groups {
			if _, err := s.leave(ctx, ch, group, leaver); err != nil {
				return err
			}
		}
	}
}

// leave takes a member out of a group, and makes the earliest-joined of the rest an
// admin if there is none among them: its handle is returned.
func (s *Service) leave(
	ctx context.Context, ch *change, group chat.ConversationID, leaver *chat.Account,
) (promoted string, err error) {
	g, _, err := groupSeat(ctx, ch, group, leaver.ID)
	if err != nil {
		return "", err
	}
	if err := endSeat(ctx, ch, g, leaver.ID, false); err != nil {
		return "", err
	}
	rest, err := ch.Members(ctx, group)
	if err != nil {
		return "", err
	}
	if len(rest) == 0 {
		return "", ch.EndInvites(ctx, group, ch.at)
	}
	if _, err := s.tell(ctx, ch, group, leaver.ID, noticeLeft, notice{"agent_handle": leaver.Handle}); err != nil {
		return "", err
	}
	if !slices.ContainsFunc(rest, func(m chat.Member) bool { return m.Role == chat.RoleAdmin }) {
		heir, err := ch.Account(ctx, rest[0].Account)
		if err != nil {
			return "", err
		}
		if err := ch.SetRole(ctx, group, heir.ID, chat.RoleAdmin); err != nil {
			return "", err
		}
		facts := notice{"agent_handle": heir.Handle, "actor_handle": nil}
		if _, err := s.tell(ctx, ch, group, leaver.ID, noticePromoted, facts); err != nil {
			return "", err
		}
		promoted = heir.Handle
	}
	return promoted, s.regrouped(ctx, ch, group, leaver.ID)
}

// endSeat ends a membership at the last number there is. What still waited counts
// as delivered: the account can no longer read it. Who was removed comes back by
// invitation only.
func endSeat(ctx context.Context, ch *change, g *chat.Group, account chat.AccountID, removed bool) error {
	if err := ch.FlushEnvelopes(ctx, g.ID, account, ch.at); err != nil {
		return err
	}
	return ch.EndMember(ctx, chat.Member{
		Conversation: g.ID, Account: account, LeftSeq: g.LastSeq, LeftAt: ch.at, Removed: removed,
	})
}
