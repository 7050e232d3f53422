package core

import (
	"context"
	"errors"
	"slices"

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
		if events, err = r.Changes(ctx, after, limit); err != nil {
			return err
		}
		return s.completeMessages(ctx, r, events)
	})
	return events, err
}

// completeMessages adds to the creation of messages what its event had beside the
// message, as of now: author, group, and who is not to be told live.
func (s *Service) completeMessages(ctx context.Context, r store.Reader, events []chat.Event) error {
	var created []*chat.Event
	var who []chat.AccountID
	var in []chat.ConversationID
	for i := range events {
		if e := &events[i]; e.Kind == chat.EventMessageCreated {
			created = append(created, e)
			who = append(append(who, e.Actor), e.Recipients...)
			if e.Space == 0 {
				in = append(in, e.Conversation)
			}
		}
	}
	if len(created) == 0 {
		return nil
	}
	slices.Sort(who)
	accounts, err := r.Accounts(ctx, slices.Compact(who))
	if err != nil {
		return err
	}
	groups, err := r.Groups(ctx, in)
	if err != nil {
		return err
	}
	for _, e := range created {
		by := profileIn(accounts, e.Actor)
		e.By = &by
		if g := groups[e.Conversation]; g != nil {
			e.Group = g.Brief()
		}
	}
	return s.hush(ctx, r, created, accounts)
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
