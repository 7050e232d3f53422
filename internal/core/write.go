package core

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// change is one transaction of an operation: the store's, and the events that
// tell of it.
type change struct {
	store.Tx
	at     time.Time // of the change: the same in every run of the closure
	events []chat.Event
	out    outbox // what webhooks get of the events
}

// emit notes an event, to be stored with the change and published after it.
func (c *change) emit(e chat.Event) { c.events = append(c.events, e) }

// update runs fn in one transaction in the write order, stores the events it
// emitted with it, and publishes them after the commit. An *chat.Error of fn is
// passed on; anything else becomes internal.
func (s *Service) update(ctx context.Context, doing string, fn func(ctx context.Context, c *change) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return chat.Internal(doing, ctx.Err())
	}
	defer func() { <-s.turn }()

	var events []chat.Event
	var out outbox
	at := s.now()
	err := s.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		c := &change{Tx: tx, at: at}
		if err := fn(ctx, c); err != nil {
			return err
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		events, out = c.events, c.out
		return nil
	})
	if err != nil {
		return asError(doing, err)
	}
	s.publish(events)
	s.tellHooks(out)
	return nil
}

// settle gives the events of a change their positions, finds out whom they are
// not to reach live, queues them for webhooks and stores those that last. The
// creation of a message has its position already: its id.
func (c *change) settle(ctx context.Context) error {
	if len(c.events) == 0 {
		return nil
	}
	var lasting []chat.Event
	for i := range c.events {
		e := &c.events[i]
		if e.At.IsZero() {
			e.At = c.at
		}
		if e.Kind.Ephemeral() || e.Kind == chat.EventMessageCreated {
			continue
		}
		n, err := c.NextID(ctx, 1)
		if err != nil {
			return err
		}
		e.Position = chat.Position(n)
	}
	if err := c.address(ctx); err != nil {
		return err
	}
	for _, e := range c.events {
		if !e.Kind.Ephemeral() && e.Kind != chat.EventMessageCreated {
			lasting = append(lasting, e)
		}
	}
	// In the order of writing, as they are published; ephemeral ones last.
	slices.SortStableFunc(c.events, func(a, b chat.Event) int {
		return cmp.Compare(uint64(a.Position-1), uint64(b.Position-1))
	})
	if len(lasting) == 0 {
		return nil
	}
	return c.AppendEvents(ctx, lasting)
}

// publish tells the caches and the bus about committed events, in that order: a
// caller that was answered meets no stale cache.
func (s *Service) publish(events []chat.Event) {
	for i := range events {
		switch e := &events[i]; e.Kind {
		case chat.EventAccountState, chat.EventAccountRemoved, chat.EventAccessRevoked:
			s.tokens.forget(e.Account)
		case chat.EventMessageCreated:
			if s.welcome {
				s.support.offer(e)
			}
		}
	}
	if len(events) > 0 {
		s.bus.Publish(events)
	}
}

// view runs fn on one snapshot, with the same treatment of errors as update.
func (s *Service) view(ctx context.Context, doing string, fn func(ctx context.Context, r store.Reader) error) error {
	if err := s.store.View(ctx, fn); err != nil {
		return asError(doing, err)
	}
	return nil
}

// asError makes sure that what leaves the core is an *chat.Error.
func asError(doing string, err error) error {
	var e *chat.Error
	if errors.As(err, &e) {
		return e
	}
	return chat.Internal(doing, err)
}

// known turns store.ErrNotFound into the code that says what was not found.
func known[T any](v T, err error, unknown chat.Code) (T, error) {
	if errors.Is(err, store.ErrNotFound) {
		return v, chat.Fail(unknown)
	}
	return v, err
}
