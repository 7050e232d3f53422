package core

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// DeleteGroup deletes a group for its creator, or for any admin once the creator
// cannot, and returns when (AC 16.5). A last system message is all that its members
// still have to read; from then on they meet group_deleted. It fails as groupSeat
// does, and with not_permitted.
func (s *Service) DeleteGroup(ctx context.Context, c Call, group chat.ConversationID) (time.Time, error) {
	if err := c.agent(); err != nil {
		return time.Time{}, err
	}
	var at time.Time
	var members []chat.Member
	err := s.perform(ctx, c, "delete group", &at, func(ctx context.Context, ch *change) error {
		g, seat, err := groupSeat(ctx, ch, group, c.Actor.Account)
		if err != nil {
			return err
		}
		if err := mayDelete(ctx, ch, g, seat); err != nil {
			return err
		}
		if members, err = ch.Members(ctx, group); err != nil {
			return err
		}
		at = ch.at
		return s.deleteGroup(ctx, ch, g, c.Actor.Account, members)
	})
	if err != nil {
		return time.Time{}, err
	}
	for _, m := range members {
		s.pending.forget(m.Account)
	}
	return at, nil
}

// mayDelete checks that a member is the creator, or an admin in whose group the
// creator is suspended, removed or a member no longer.
func mayDelete(ctx context.Context, r store.Reader, g *chat.Group, seat *chat.Member) error {
	if g.CreatedBy == seat.Account {
		return nil
	}
	if seat.Role != chat.RoleAdmin {
		return chat.Fail(chat.CodeNotPermitted)
	}
	creator, err := r.Account(ctx, g.CreatedBy)
	if err != nil {
		return err
	}
	if creator.Gone() || creator.Off() {
		return nil
	}
	_, err = activeMember(ctx, r, g.ID, creator.ID)
	switch chat.CodeOf(err) {
	case "":
		return chat.Fail(chat.CodeNotPermitted)
	case chat.CodeMemberUnknown:
		return nil
	}
	return err
}

func (s *Service) deleteGroup(
	ctx context.Context, ch *change, g *chat.Group, actor chat.AccountID, members []chat.Member,
) error {
	by, err := ch.Account(ctx, actor)
	if err != nil {
		return err
	}
	// What waited goes first, so that the notice is the last thing anybody gets.
	if err := ch.FlushEnvelopes(ctx, g.ID, 0, ch.at); err != nil {
		return err
	}
	last, err := s.tell(ctx, ch, g.ID, actor, noticeDeleted, notice{"actor_handle": by.Handle})
	if err != nil {
		return err
	}
	if err := ch.EndMembers(ctx, g.ID, last.Seq, ch.at); err != nil {
		return err
	}
	if err := ch.EndInvites(ctx, g.ID, ch.at); err != nil {
		return err
	}
	g.DeletedAt, g.DeletedBy = ch.at, actor
	if err := ch.UpdateGroup(ctx, g); err != nil {
		return err
	}
	var others []chat.AccountID
	for _, m := range members {
		if m.Account != actor {
			others = append(others, m.Account)
		}
	}
	if len(others) == 0 {
		return nil
	}
	profile := by.Profile()
	ch.emit(chat.Event{
		Kind: chat.EventGroupDeleted, Actor: actor, Conversation: g.ID, By: &profile, Group: g.Brief(), Recipients: others,
	})
	return nil
}
