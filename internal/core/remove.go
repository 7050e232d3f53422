package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// removal is what is left to do once the removal of an account is committed.
type removal struct {
	accounts []chat.AccountID // that are gone: one, and the agents it had made
	avatars  []string
}

// RemoveAccount removes an account for good, for the operator, in one transaction:
// its credentials end, its addresses and username become free, its memberships end,
// each space it owned passes to the longest-standing active member or is deleted,
// what it kept for itself goes, claims end, and the agents that it made go with it.
// What it wrote stays under the tombstone; its handle is never given again (OC 11.4,
// AC 7.3).
func (s *Service) RemoveAccount(ctx context.Context, account chat.AccountID) error {
	var r removal
	err := s.update(ctx, "remove account", func(ctx context.Context, ch *change) error {
		a, err := liveAccount(ctx, ch, account)
		if err != nil {
			return err
		}
		r = removal{}
		return s.remove(ctx, ch, Call{Surface: chat.SurfaceOperator}, a, &r)
	})
	if err == nil {
		s.removed(ctx, &r)
	}
	return err
}

// remove does what RemoveAccount says, whoever asked for it.
func (s *Service) remove(ctx context.Context, ch *change, c Call, a *chat.Account, r *removal) error {
	if err := s.removeOwned(ctx, ch, c, a.ID, r); err != nil {
		return err
	}
	if err := endClaim(ctx, ch, a, "deleted"); err != nil {
		return err
	}
	spaces, err := ch.SpacesOf(ctx, a.ID)
	if err != nil {
		return err
	}
	for _, sp := range spaces {
		if err := s.quit(ctx, ch, sp, a.ID); err != nil {
			return err
		}
	}
	if err := s.leaveAllGroups(ctx, ch, a); err != nil {
		return err
	}
	for _, clear := range []func() error{
		func() error { return ch.DeleteCredentials(ctx, a.ID, 0) },
		func() error { return ch.SetPasswordHash(ctx, a.ID, "") },
		func() error { return ch.ClearAccount(ctx, a.ID, ch.at) },
		func() error { return ch.DeleteHooksOf(ctx, a.ID) },
	} {
		if err := clear(); err != nil {
			return err
		}
	}
	r.accounts, r.avatars = append(r.accounts, a.ID), append(r.avatars, a.Avatar)
	detail := auditDetail("username", a.Username)
	entomb(a)
	a.UpdatedAt = ch.at
	if err := ch.UpdateAccount(ctx, a); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventAccountRemoved, Actor: c.Actor.Account, Account: a.ID})
	return ch.record(ctx, c, "account.deleted", a.ID, detail)
}

// removeOwned removes the agents that an account made and ends its claims on others.
func (s *Service) removeOwned(ctx context.Context, ch *change, c Call, owner chat.AccountID, r *removal) error {
	for {
		agents, err := ch.OwnedBy(ctx, owner, agentsShown)
		if err != nil || len(agents) == 0 {
			return err
		}
		for _, a := range agents {
			if a.Owned != chat.OwnedByCreator {
				continue
			}
			if err := s.remove(ctx, ch, c, a, r); err != nil {
				return err
			}
		}
		if err := endClaimsOf(ctx, ch, owner); err != nil {
			return err
		}
	}
}

// removed does what follows the commit of a removal.
func (s *Service) removed(ctx context.Context, r *removal) {
	for _, account := range r.accounts {
		s.pending.forget(account)
	}
	for _, avatar := range r.avatars {
		s.dropAvatar(ctx, avatar)
	}
	s.wakeJanitor()
}

// entomb leaves of an account what its messages need. The username of an account
// made through /v1 is its handle and stays taken.
func entomb(a *chat.Account) {
	kept := *a
	*a = chat.Account{
		ID: kept.ID, Kind: kept.Kind, MadeBy: kept.MadeBy, Handle: kept.Handle, State: chat.StateDeleted,
		Guarded: kept.Guarded, CreatedAt: kept.CreatedAt,
	}
	if kept.MadeBy == chat.SurfaceAgentChat {
		a.Username, a.NameKey = kept.Username, kept.NameKey
	}
}

// quit takes an account out of a space, passing the space on if it is the owner.
func (s *Service) quit(ctx context.Context, ch *change, sp *chat.Space, account chat.AccountID) error {
	if sp.Owner == account {
		heir, err := successor(ctx, ch, sp)
		if err != nil {
			return err
		}
		if heir == nil {
			return s.deleteSpace(ctx, ch, account, sp.ID)
		}
		if err := s.passOn(ctx, ch, sp, heir); err != nil {
			return err
		}
	}
	return removeMember(ctx, ch, sp.ID, account)
}

// successor is the longest-standing member beside the owner who may act; nil if
// there is none.
func successor(ctx context.Context, r store.Reader, sp *chat.Space) (*chat.SpaceMember, error) {
	members, err := r.SpaceMembers(ctx, sp.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.AccountID, len(members))
	for i, m := range members {
		ids[i] = m.Account
	}
	accounts, err := r.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range members {
		a := accounts[members[i].Account]
		if a != nil && a.ID != sp.Owner && !a.Gone() && !a.Off() {
			return &members[i], nil
		}
	}
	return nil, nil
}

// passOn makes a member the owner of a space, with the owner archetype.
func (s *Service) passOn(ctx context.Context, ch *change, sp *chat.Space, heir *chat.SpaceMember) error {
	held, err := ch.HeldArchetypes(ctx, sp.ID, heir.Account)
	if err != nil {
		return err
	}
	all, err := ch.Archetypes(ctx, sp.ID)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.Locked && a.Name == archetypeOwner {
			held = append(held, a.ID)
			heir.Grants |= a.Grants
		}
	}
	if err := ch.SetSpaceMember(ctx, *heir, held); err != nil {
		return err
	}
	sp.Owner, sp.UpdatedAt = heir.Account, s.now()
	ch.emit(chat.Event{Kind: chat.EventSpaceUpdated, Space: sp.ID})
	return ch.UpdateSpace(ctx, sp)
}
