package server

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// refill answers the hub's questions from the store.
type refill struct{ store store.Store }

// Changes is part of hub.Refill.
func (f refill) Changes(ctx context.Context, after chat.Position, limit int) (events []chat.Event, err error) {
	err = f.store.View(ctx, func(ctx context.Context, r store.Reader) error {
		events, err = r.Changes(ctx, after, limit)
		return err
	})
	return events, err
}

// LastPosition is part of hub.Refill.
func (f refill) LastPosition(ctx context.Context) (last chat.Position, err error) {
	err = f.store.View(ctx, func(ctx context.Context, r store.Reader) error {
		last, err = r.LastPosition(ctx)
		return err
	})
	return last, err
}

// SpacesOf is part of hub.Refill.
func (f refill) SpacesOf(ctx context.Context, account chat.AccountID) (ids []chat.SpaceID, err error) {
	err = f.store.View(ctx, func(ctx context.Context, r store.Reader) error {
		spaces, err := r.SpacesOf(ctx, account)
		ids = make([]chat.SpaceID, len(spaces))
		for i, s := range spaces {
			ids[i] = s.ID
		}
		return err
	})
	return ids, err
}

// MayListen is part of hub.Refill.
func (f refill) MayListen(ctx context.Context, account chat.AccountID, credential chat.CredentialID) (may bool, err error) {
	err = f.store.View(ctx, func(ctx context.Context, r store.Reader) error {
		may = false
		a, err := r.Account(ctx, account)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil || a.Gone() || a.Off() {
			return err
		}
		for _, kind := range []chat.CredentialKind{chat.CredentialKey, chat.CredentialSession} {
			held, err := r.Credentials(ctx, account, kind)
			if err != nil {
				return err
			}
			may = may || slices.ContainsFunc(held, func(c *chat.Credential) bool {
				return c.ID == credential && c.Live(time.Now())
			})
		}
		may = may || credential == 0
		return nil
	})
	return may, err
}
