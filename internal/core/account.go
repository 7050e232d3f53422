package core

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// Registration is what a new account brings.
type Registration struct {
	Address  string
	Password string
	Username string
	Agent    bool
}

// Register makes an account with a password login (OC 7.1). Nobody need be
// signed in. It fails with address_invalid, password_short, password_long,
// username_invalid, address_taken or username_taken.
func (s *Service) Register(ctx context.Context, c Call, in Registration) (*chat.Account, error) {
	if c.Input != nil {
		return nil, c.Input
	}
	kind := chat.KindHuman
	if in.Agent {
		kind = chat.KindAgent
	}
	return s.createAccount(ctx, c.Surface, kind, in)
}

// createAccount makes an account for anybody who may: a newcomer or an operator.
func (s *Service) createAccount(ctx context.Context, surface chat.Surface, kind chat.AccountKind, in Registration) (*chat.Account, error) {
	a := &chat.Account{
		Kind: kind, MadeBy: surface, State: chat.StateActive,
		Username: normalUsername(in.Username, limits(surface)), LoginAddress: normalAddress(in.Address),
	}
	if err := checkAddress(a.LoginAddress); err != nil {
		return nil, err
	}
	if err := checkPassword(in.Password); err != nil {
		return nil, err
	}
	if err := checkUsername(a.Username, limits(surface)); err != nil {
		return nil, err
	}
	a.NameKey, a.DisplayName = NameKey(a.Username), a.Username

	// Refuse what is taken before paying for the hash; the transaction below
	// asks again.
	if err := s.view(ctx, "register", func(ctx context.Context, r store.Reader) error { return untaken(ctx, r, a) }); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return nil, chat.Internal("hash password", err)
	}
	err = s.update(ctx, "register", func(ctx context.Context, ch *change) error {
		if err := untaken(ctx, ch, a); err != nil {
			return err
		}
		var err error
		if a.Handle, err = freeHandle(ctx, ch, a.Username); err != nil {
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		a.ID = chat.AccountID(n)
		a.CreatedAt = s.now()
		a.UpdatedAt = a.CreatedAt
		return ch.InsertAccount(ctx, a, hash)
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// untaken checks that address and username are free, the address first.
func untaken(ctx context.Context, r store.Reader, a *chat.Account) error {
	if _, err := r.AccountByLogin(ctx, a.LoginAddress); err == nil {
		return chat.Fail(chat.CodeAddressTaken)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if reservedName(a.NameKey) {
		return chat.Fail(chat.CodeUsernameTaken)
	}
	if _, err := r.AccountByNameKey(ctx, a.NameKey); err == nil {
		return chat.Fail(chat.CodeUsernameTaken)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return nil
}

// ShowSelf returns the caller's own account; a suspended one may look, too.
func (s *Service) ShowSelf(ctx context.Context, c Call) (*chat.Account, error) {
	if err := c.signedInWhileOff(); err != nil {
		return nil, err
	}
	return s.account(ctx, c.Actor.Account)
}

// ShowAccount returns any account that still exists: account_unknown otherwise
// (OC 11.1).
func (s *Service) ShowAccount(ctx context.Context, c Call, account chat.AccountID) (*chat.Account, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	return s.account(ctx, account)
}

func (s *Service) account(ctx context.Context, account chat.AccountID) (*chat.Account, error) {
	var a *chat.Account
	err := s.view(ctx, "read account", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = liveAccount(ctx, r, account)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.Presence = s.PresenceOf(a)
	return a, nil
}

// liveAccount reads an account that was not removed.
func liveAccount(ctx context.Context, r store.Reader, account chat.AccountID) (*chat.Account, error) {
	a, err := r.Account(ctx, account)
	if a, err = known(a, err, chat.CodeAccountUnknown); err != nil {
		return nil, err
	}
	if a.Gone() {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return a, nil
}

// UpdateProfile changes the caller's display name; null or blank resets it to
// the username (OC 11.2). It fails with nothing_to_update or field_length.
func (s *Service) UpdateProfile(ctx context.Context, c Call, displayName chat.Opt[string]) (*chat.Account, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if !displayName.Present {
		return nil, chat.Fail(chat.CodeNothingToUpdate)
	}
	name := strings.TrimSpace(displayName.Value)
	if upper := limits(c.Surface).DisplayName; utf8.RuneCountInString(name) > upper {
		return nil, chat.FailLength("display_name", 1, upper)
	}
	var a *chat.Account
	err := s.update(ctx, "update profile", func(ctx context.Context, ch *change) error {
		var err error
		if a, err = liveAccount(ctx, ch, c.Actor.Account); err != nil {
			return err
		}
		a.DisplayName, a.UpdatedAt = name, ch.at
		if name == "" {
			a.DisplayName = a.Username
		}
		ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Account: a.ID})
		return ch.UpdateAccount(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	a.Presence = s.PresenceOf(a)
	return a, nil
}

// PresenceChange is a partial update of one's own presence.
type PresenceChange struct {
	Status chat.Opt[chat.Status]
	Text   chat.Opt[string] // null or blank clears
}

// SetPresence stores a chosen status, a text beside it, or both (OC 11.3). It
// fails with nothing_to_update or status_text_long. Choosing offline gives the
// choice back.
func (s *Service) SetPresence(ctx context.Context, c Call, in PresenceChange) (*chat.Account, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if !in.Text.Present && (!in.Status.Present || in.Status.Null) {
		return nil, chat.Fail(chat.CodeNothingToUpdate)
	}
	text := strings.TrimSpace(in.Text.Value)
	if upper := limits(c.Surface).StatusText; utf8.RuneCountInString(text) > upper {
		return nil, &chat.Error{Code: chat.CodeStatusTextLong, Field: "custom_status", Max: upper}
	}
	var a *chat.Account
	var before chat.Presence
	err := s.update(ctx, "set presence", func(ctx context.Context, ch *change) error {
		var err error
		if a, err = liveAccount(ctx, ch, c.Actor.Account); err != nil {
			return err
		}
		before = s.live.show(a.ID, a.Presence, ch.at)
		if in.Status.Present && !in.Status.Null {
			a.Presence.Status = in.Status.Value
			a.Presence.Chosen = in.Status.Value != chat.StatusOffline
		}
		if in.Text.Present {
			a.Presence.Text = text
		}
		a.UpdatedAt = ch.at
		return ch.UpdateAccount(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	a.Presence = s.PresenceOf(a)
	if before.Status != a.Presence.Status || before.Text != a.Presence.Text {
		s.tellPresence(ctx, false, a.ID)
	}
	return a, nil
}
