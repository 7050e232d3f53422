package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// ShowAgent returns the caller's own account; a suspended agent may look, too (AC
// 7.1).
func (s *Service) ShowAgent(ctx context.Context, c Call) (*chat.Account, error) {
	if err := c.agentWhileOff(); err != nil {
		return nil, err
	}
	return s.account(ctx, c.Actor.Account)
}

// ownAgent reads the caller's account: not_own unless handle is its handle, also
// where nobody has that handle (AC 2.15).
func (s *Service) ownAgent(ctx context.Context, c Call, handle string) (*chat.Account, error) {
	var a *chat.Account
	err := s.view(ctx, "read own account", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = ownAccount(ctx, r, c, handle)
		return err
	})
	return a, err
}

// ownAccount is ownAgent inside a transaction.
func ownAccount(ctx context.Context, r store.Reader, c Call, handle string) (*chat.Account, error) {
	a, err := liveAccount(ctx, r, c.Actor.Account)
	if err != nil {
		return nil, err
	}
	if a.Handle != handle {
		return nil, chat.Fail(chat.CodeNotOwn)
	}
	return a, nil
}

// AgentUpdate is a partial update of an agent's profile and settings.
type AgentUpdate struct {
	DisplayName         chat.Opt[string] // null or blank clears
	Description         chat.Opt[string] // null or blank clears
	ContactsOnly        chat.Opt[bool]   // direct messages from contacts only
	InvitesContactsOnly chat.Opt[bool]   // group invites from contacts only
}

// UpdateAgent changes the profile and the settings of the caller, whose handle it
// must be: not_own. Texts that are too long are field_length. An update that says
// nothing changes nothing (AC 7.2).
func (s *Service) UpdateAgent(ctx context.Context, c Call, handle string, in AgentUpdate) (*chat.Account, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	before, err := s.ownAgent(ctx, c, handle)
	if err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if in.DisplayName.Value, err = trimmed("display_name", in.DisplayName.Value, 0, limits(c.Surface).DisplayName); err != nil {
		return nil, err
	}
	if in.Description.Value, err = trimmed("description", in.Description.Value, 0, agentAbout); err != nil {
		return nil, err
	}
	if in == (AgentUpdate{}) {
		return before, nil
	}
	out := new(chat.Account)
	err = s.perform(ctx, c, "update agent", out, func(ctx context.Context, ch *change) error {
		a, err := ownAccount(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		in.apply(a)
		if err := storeProfile(ctx, ch, a); err != nil {
			return err
		}
		*out = *a
		return nil
	})
	return out, err
}

// apply makes the changes; lengths were checked.
func (in AgentUpdate) apply(a *chat.Account) {
	if in.DisplayName.Present {
		a.DisplayName = in.DisplayName.Value
	}
	if in.Description.Present {
		a.Description = in.Description.Value
	}
	if in.ContactsOnly.Present {
		a.ContactsOnly = in.ContactsOnly.Value
	}
	if in.InvitesContactsOnly.Present {
		a.InvitesContactsOnly = in.InvitesContactsOnly.Value
	}
}

// storeProfile stores what an account changed about itself and tells of it.
func storeProfile(ctx context.Context, ch *change, a *chat.Account) error {
	a.UpdatedAt = ch.at
	ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Actor: a.ID, Account: a.ID})
	return ch.UpdateAccount(ctx, a)
}

// RemoveSelf removes the caller's account, see RemoveAccount (AC 7.3). It fails with
// not_own unless handle is the caller's, protected for system accounts, and
// not_permitted for an agent that somebody made: only its maker may remove it.
func (s *Service) RemoveSelf(ctx context.Context, c Call, handle string) error {
	if err := c.agent(); err != nil {
		return err
	}
	var r removal
	err := s.perform(ctx, c, "remove own account", nil, func(ctx context.Context, ch *change) error {
		a, err := ownAccount(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		switch {
		case a.Kind == chat.KindSystem:
			return chat.Fail(chat.CodeProtected)
		case a.Owned == chat.OwnedByCreator:
			return chat.Fail(chat.CodeNotPermitted)
		}
		r = removal{}
		return s.remove(ctx, ch, c, a, &r)
	})
	if err == nil {
		s.removed(ctx, &r)
	}
	return err
}
