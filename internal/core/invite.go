package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// invitesShown bounds the list of invitations.
const invitesShown = 1_000

// Invited is what came of inviting somebody.
type Invited struct {
	Handle string
	Member bool          // it is a member already: there is no invitation
	Invite chat.InviteID // new, or the one that waits already
}

// InviteMember invites the account with a handle into a group, for an admin (AC
// 16.7). It fails as groupSeat does, with not_permitted, and then in this order:
// account_unknown, self, blocked, contacts_only, rate_limited, group_full.
func (s *Service) InviteMember(ctx context.Context, c Call, group chat.ConversationID, handle string) (*Invited, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	out := new(Invited)
	err := s.perform(ctx, c, "invite member", out, func(ctx context.Context, ch *change) error {
		g, err := administered(ctx, ch, group, c.Actor.Account)
		if err != nil {
			return err
		}
		by, err := ch.Account(ctx, c.Actor.Account)
		if err != nil {
			return err
		}
		invited, err := invite(ctx, ch, g, by, handle)
		if err == nil {
			*out = *invited
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// inviteAll invites those who can be invited into a new group.
func inviteAll(
	ctx context.Context, ch *change, g *chat.Group, inviter chat.AccountID, handles []string,
) ([]Invited, error) {
	by, err := ch.Account(ctx, inviter)
	if err != nil {
		return nil, err
	}
	var out []Invited
	seen := map[string]bool{by.Handle: true}
	for _, handle := range handles {
		if seen[handle] {
			continue
		}
		seen[handle] = true
		invited, err := invite(ctx, ch, g, by, handle)
		var refused *chat.Error
		switch {
		case err == nil:
			out = append(out, *invited)
		case !errors.As(err, &refused):
			return nil, err
		case refused.Code == chat.CodeRateLimited:
			return out, nil // of a new group nobody waits or is in already, so the rest would be refused too
		}
	}
	return out, nil
}

// invite decides on one invitation, in the order of AC 16.7, and makes it.
func invite(ctx context.Context, ch *change, g *chat.Group, by *chat.Account, handle string) (*Invited, error) {
	target, err := apparent(ctx, ch, handle)
	if err != nil {
		return nil, err
	}
	if target.ID == by.ID {
		return nil, chat.Fail(chat.CodeSelf)
	}
	facts, err := ch.SendFacts(ctx, []store.SendKey{{Author: by.ID, Peer: target.ID}})
	if err != nil {
		return nil, err
	}
	if blocked(facts, by.ID, target.ID) {
		return nil, chat.Fail(chat.CodeBlocked)
	}
	if _, err := activeMember(ctx, ch, g.ID, target.ID); err == nil {
		return &Invited{Handle: target.Handle, Member: true}, nil
	} else if chat.CodeOf(err) != chat.CodeMemberUnknown {
		return nil, err
	}
	waits, err := ch.OpenInvite(ctx, g.ID, target.ID)
	if err == nil {
		return &Invited{Handle: target.Handle, Invite: waits.ID}, nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if target.InvitesContactsOnly && !facts.Contacts[store.Edge{Owner: target.ID, Target: by.ID}] {
		return nil, chat.Fail(chat.CodeContactsOnly)
	}
	if err := mayInvite(ctx, ch, by); err != nil {
		return nil, err
	}
	if g.Members >= limits(g.MadeBy).GroupMembers {
		return nil, chat.Fail(chat.CodeGroupFull)
	}
	return newInvite(ctx, ch, g, by, target)
}

// mayInvite checks the limit on invitations of one account.
func mayInvite(ctx context.Context, ch *change, by *chat.Account) error {
	n, oldest, err := ch.InvitesSince(ctx, by.ID, ch.at.Add(-inviteWindow))
	if err != nil {
		return err
	}
	if n < agentChatLimits().GroupInvites {
		return nil
	}
	return &chat.Error{
		Code: chat.CodeRateLimited, Rule: chat.RuleGroupInvites, RetryAfter: oldest.Add(inviteWindow).Sub(ch.at),
	}
}

func newInvite(ctx context.Context, ch *change, g *chat.Group, by, target *chat.Account) (*Invited, error) {
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return nil, err
	}
	i := &chat.Invite{
		ID: chat.InviteID(n), Group: g.ID, Inviter: by.ID, Invitee: target.ID, CreatedAt: ch.at,
	}
	if err := ch.InsertInvite(ctx, i); err != nil {
		return nil, err
	}
	profile, brief := by.Profile(), g.Brief()
	brief.Description, brief.Avatar, brief.AvatarURL = g.Description, g.Avatar, g.AvatarURL
	ch.emit(chat.Event{
		Kind: chat.EventInviteCreated, Actor: by.ID, Conversation: g.ID, By: &profile, Group: brief, Invite: i,
		Recipients: []chat.AccountID{target.ID},
	})
	return &Invited{Handle: target.Handle, Invite: i.ID}, nil
}

// ListInvites lists the invitations to the caller that wait for its answer, oldest
// first, at most 1,000 (AC 16.11).
func (s *Service) ListInvites(ctx context.Context, c Call) ([]chat.InviteView, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var out []chat.InviteView
	err := s.view(ctx, "list invites", func(ctx context.Context, r store.Reader) error {
		list, err := r.InvitesTo(ctx, c.Actor.Account, invitesShown)
		if err != nil {
			return err
		}
		ids := make([]chat.AccountID, len(list))
		for i := range list {
			ids[i] = list[i].Inviter
		}
		who, err := profiles(ctx, r, ids)
		if err != nil {
			return err
		}
		out = make([]chat.InviteView, len(list))
		for i := range list {
			out[i] = chat.InviteView{Invite: list[i].Invite, Group: list[i].Group, By: who(list[i].Inviter)}
		}
		return nil
	})
	return out, err
}

// AcceptInvite makes the caller a member of the group it was invited into (AC
// 16.12). One that is a member already is shown the group, so that accepting twice
// is accepting once. It fails with invite_unknown, group_deleted if the caller was a
// member at the end, group_full, or membership_cap.
func (s *Service) AcceptInvite(ctx context.Context, c Call, id chat.InviteID) (*chat.GroupView, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	out := new(chat.GroupView)
	err := s.perform(ctx, c, "accept invite", out, func(ctx context.Context, ch *change) error {
		i, err := inviteTo(ctx, ch, id, c.Actor.Account)
		if err != nil {
			return err
		}
		_, _, err = groupSeat(ctx, ch, i.Group, c.Actor.Account)
		outside := chat.CodeOf(err) == chat.CodeGroupUnknown
		switch {
		case outside && !i.Open():
			return chat.Fail(chat.CodeInviteUnknown)
		case err != nil && !outside:
			return err
		}
		if i.Open() {
			if err := ch.EndInvite(ctx, i.ID, ch.at); err != nil {
				return err
			}
		}
		if outside {
			g, err := ch.Group(ctx, i.Group)
			if err != nil {
				return err
			}
			if err := s.enter(ctx, ch, g, i.Invitee, i.Inviter); err != nil {
				return err
			}
		}
		view, err := s.groupFor(ctx, ch, i.Group, c.Actor.Account)
		if err == nil {
			*out = *view
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// enter makes an account a member of a group, unless it fails with group_full or
// membership_cap. The system message speaks in the name of the inviter, wherever that
// is by now, or of whoever came by itself; where newcomers do not see the whole history
// it is the first that they see.
func (s *Service) enter(ctx context.Context, ch *change, g *chat.Group, account, speaker chat.AccountID) error {
	if g.Members >= limits(g.MadeBy).GroupMembers {
		return chat.Fail(chat.CodeGroupFull)
	}
	if err := anotherGroup(ctx, ch, account, g.MadeBy); err != nil {
		return err
	}
	newcomer, err := ch.Account(ctx, account)
	if err != nil {
		return err
	}
	m := chat.Member{
		Conversation: g.ID, Account: newcomer.ID, Role: chat.RoleMember, JoinedSeq: g.LastSeq + 1, JoinedAt: ch.at,
	}
	if g.FromStart {
		m.JoinedSeq = 1
	}
	if err := ch.SetMember(ctx, m); err != nil {
		return err
	}
	if _, err := s.tell(ctx, ch, g.ID, speaker, noticeJoined, notice{"agent_handle": newcomer.Handle}); err != nil {
		return err
	}
	return s.regrouped(ctx, ch, g.ID, newcomer.ID)
}

// RejectInvite ends an invitation to the caller that waits: invite_unknown if it
// does not. The inviter is not told (AC 16.13).
func (s *Service) RejectInvite(ctx context.Context, c Call, id chat.InviteID) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	return s.perform(ctx, c, "reject invite", nil, func(ctx context.Context, ch *change) error {
		i, err := inviteTo(ctx, ch, id, c.Actor.Account)
		if err != nil {
			return err
		}
		if !i.Open() {
			return chat.Fail(chat.CodeInviteUnknown)
		}
		return ch.EndInvite(ctx, i.ID, ch.at)
	})
}

// inviteTo reads an invitation, an ended one included, that is addressed to an
// account: invite_unknown otherwise.
func inviteTo(ctx context.Context, r store.Reader, id chat.InviteID, account chat.AccountID) (*chat.Invite, error) {
	i, err := r.Invite(ctx, id)
	if i, err = known(i, err, chat.CodeInviteUnknown); err != nil {
		return nil, err
	}
	if i.Invitee != account {
		return nil, chat.Fail(chat.CodeInviteUnknown)
	}
	return i, nil
}
