package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// RemoveAccount removes an account for good, in one transaction: its credentials
// end, its login address and username become free, its memberships end, each
// space it owned passes to the longest-standing active member or is deleted. What
// it wrote stays under the tombstone; its handle is never given again (OC 11.4).
func (s *Service) RemoveAccount(ctx context.Context, account chat.AccountID) error {
	err := s.update(ctx, "remove account", func(ctx context.Context, ch *change) error {
		a, err := liveAccount(ctx, ch, account)
		if err != nil {
			return err
		}
		if err := ch.DeleteCredentials(ctx, account, 0); err != nil {
			return err
		}
		spaces, err := ch.SpacesOf(ctx, account)
		if err != nil {
			return err
		}
		for _, sp := range spaces {
			if err := s.quit(ctx, ch, sp, account); err != nil {
				return err
			}
		}
		detail := a.Username
		entomb(a)
		a.UpdatedAt = s.now()
		if err := ch.UpdateAccount(ctx, a); err != nil {
			return err
		}
		if err := ch.SetPasswordHash(ctx, account, ""); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventAccountRemoved, Account: account})
		return s.audit(ctx, ch, "account.delete", account, detail)
	})
	if err == nil {
		s.pending.forget(account)
		s.wakeJanitor()
	}
	return err
}

// entomb leaves of an account what its messages need. The username of an account
// made through /v1 is its handle and stays taken.
func entomb(a *chat.Account) {
	a.State = chat.StateDeleted
	a.LoginAddress, a.RecoveryAddress = "", ""
	a.DisplayName, a.Description = "", ""
	a.Presence = chat.Presence{}
	if a.MadeBy != chat.SurfaceAgentChat {
		a.Username, a.NameKey = "", ""
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
