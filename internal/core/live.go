package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// What the hub asks to keep live subscriptions true. These answer the server
// itself, not a caller: nobody's rights are checked.

// Changes lists committed events and messages above a position, ascending.
func (s *Service) Changes(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error) {
	var events []chat.Event
	err := s.view(ctx, "read changes", func(ctx context.Context, r store.Reader) error {
		var err error
		events, err = r.Changes(ctx, after, limit)
		return err
	})
	return events, err
}

// LastPosition is the highest position drawn so far.
func (s *Service) LastPosition(ctx context.Context) (chat.Position, error) {
	var p chat.Position
	err := s.view(ctx, "read last position", func(ctx context.Context, r store.Reader) error {
		var err error
		p, err = r.LastPosition(ctx)
		return err
	})
	return p, err
}

// SpacesOf lists the spaces an account is a member of.
func (s *Service) SpacesOf(ctx context.Context, account chat.AccountID) ([]chat.SpaceID, error) {
	var ids []chat.SpaceID
	err := s.view(ctx, "read memberships", func(ctx context.Context, r store.Reader) error {
		spaces, err := r.SpacesOf(ctx, account)
		if err != nil {
			return err
		}
		ids = make([]chat.SpaceID, len(spaces))
		for i, sp := range spaces {
			ids[i] = sp.ID
		}
		return nil
	})
	return ids, err
}

// MayListen tells whether an account exists and may act, and whether a
// credential of it (0: any) is still live.
func (s *Service) MayListen(ctx context.Context, account chat.AccountID, credential chat.CredentialID) (bool, error) {
	ok := false
	err := s.view(ctx, "check listener", func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if a.Gone() || a.Off() {
			return nil
		}
		if credential == 0 {
			ok = true
			return nil
		}
		for _, kind := range []chat.CredentialKind{chat.CredentialSession, chat.CredentialKey} {
			list, err := r.Credentials(ctx, account, kind)
			if err != nil {
				return err
			}
			for _, c := range list {
				if c.ID == credential && c.Live(s.now()) {
					ok = true
				}
			}
		}
		return nil
	})
	return ok, err
}
