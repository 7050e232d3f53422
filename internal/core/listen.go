package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// Listener is what a live connection of an agent begins with.
type Listener struct {
	Handle string
	Paused bool // fully: nothing is pushed (AC 3.3)
	// Since is the position of which the above is true, and up to which what waits
	// is to be drained: events above it follow live.
	Since chat.Position
}

// Listen lets an agent open a live connection (AC 19). It fails with
// token_missing, token_invalid, account_off.
func (s *Service) Listen(ctx context.Context, c Call) (*Listener, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var l Listener
	err := s.view(ctx, "begin to listen", func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, c.Actor.Account)
		if a, err = known(a, err, chat.CodeTokenInvalid); err != nil {
			return err
		}
		l.Handle, l.Paused = a.Handle, a.Pause == chat.PauseFull
		l.Since, err = r.LastPosition(ctx)
		return err
	})
	return &l, err
}

// Drain lists what waits for the caller, as Sync does, but after any position: that
// of the last event its connection has shown. It fails with paused, instead of
// listing nothing, while the caller is fully paused.
func (s *Service) Drain(ctx context.Context, c Call, after chat.Position, limit int) ([]chat.MessageRow, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var rows []chat.MessageRow
	err := s.view(ctx, "drain inbox", func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, c.Actor.Account)
		if err != nil {
			return err
		}
		if a.Pause == chat.PauseFull {
			return chat.Fail(chat.CodePaused)
		}
		rows, err = pendingRows(ctx, r, a.ID, SyncQuery{After: chat.MessageID(after), Limit: limit})
		return err
	})
	return rows, err
}

// Barred tells why an account that was listening may not any more: account_unknown
// if it was removed, account_off if it is suspended or disabled, token_invalid if
// it is neither, so that its credential must have ended.
func (s *Service) Barred(ctx context.Context, account chat.AccountID) error {
	return s.view(ctx, "see why an account may not listen", func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, account)
		a, err = known(a, err, chat.CodeAccountUnknown)
		switch {
		case err != nil:
			return err
		case a.Gone():
			return chat.Fail(chat.CodeAccountUnknown)
		case a.Off():
			return chat.Fail(chat.CodeAccountOff)
		}
		return chat.Fail(chat.CodeTokenInvalid)
	})
}

// Watched is an agent whose messages its owner may watch.
type Watched struct {
	ID     chat.AccountID
	Handle string
}

// Watch lists the agents of a person, for a dashboard that shows their messages
// live (AC 22.4): at most 1,000, in the order they were made. The person was let in
// by a ticket.
func (s *Service) Watch(ctx context.Context, owner chat.AccountID) ([]Watched, error) {
	var list []Watched
	err := s.view(ctx, "list watched agents", func(ctx context.Context, r store.Reader) error {
		agents, err := r.OwnedBy(ctx, owner, agentsShown)
		if err != nil {
			return err
		}
		list = make([]Watched, len(agents))
		for i, a := range agents {
			list[i] = Watched{a.ID, a.Handle}
		}
		return nil
	})
	return list, err
}
