package hub

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/internal/chat"
)

// keepCap is up to which capacity an emptied queue is kept for the next events:
// an idle subscription should stay small.
const keepCap = 16

// pollTimeout bounds each question that Poll asks the store.
const pollTimeout = 10 * time.Second

// Subscription is the live view of one account. One goroutine at a time reads it.
type Subscription struct {
	hub        *Hub
	account    *account
	credential chat.CredentialID
	filter     func(*chat.Event) bool
	notify     func()        // nil: the reader waits at wake
	wake       chan struct{} // holds a token when there may be something to take
	slot       int           // in account.subscriptions; guarded by Hub.mu

	// Of the reader:
	past *past     // while behind
	lent []*Shared // what was returned last

	mu      sync.Mutex
	queue   []*Shared
	bytes   int           // in queue
	last    chat.Position // the highest queued: an account may be named twice among recipients
	waiting bool          // the reader is, or will be, at wake, or wants to be notified
	behind  bool          // the reader is in the past: only ephemeral events are queued
	doubted bool          // the right to listen is to be asked for
	ended   error
}

// Next waits for events and returns everything that waits, at least one, in
// ascending position. The slice is valid until the next call, the events for
// ever. It fails with the reason of the subscription's end (ErrSlow, ErrRevoked,
// ErrClosed), with that of ctx, or with what the store answers; in the last two
// cases nothing is lost and Next may be called again.
func (s *Subscription) Next(ctx context.Context) ([]*Shared, error) {
	for {
		events, waiting, err := s.step(func() (context.Context, context.CancelFunc) { return ctx, func() {} })
		if err != nil {
			return nil, err
		}
		if events = s.wanted(events); len(events) > 0 {
			return events, nil
		}
		if !waiting {
			continue
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Poll returns what waits, like Next, but never waits for events: nil means that
// there are none, and that Notify will be called when there may be some. To know
// that, it may have to ask the store, for at most ten seconds: while it catches up,
// and when the right to listen is in doubt. After an error that is no end of the
// subscription nobody is notified: the caller polls again, or gives up. Poll is
// only for subscriptions with Notify, which are not read with Next.
func (s *Subscription) Poll() ([]*Shared, error) {
	for {
		events, waiting, err := s.step(briefly)
		if err != nil || waiting {
			return nil, err
		}
		if events = s.wanted(events); len(events) > 0 {
			return events, nil
		}
	}
}

// Close ends the subscription; a waiting Next returns ErrClosed. It may be called
// more than once, from any goroutine.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	if s.finish(ErrClosed) {
		s.hub.detach(s)
	}
	s.hub.mu.Unlock()
	s.signal()
}

// wanted drops what the filter declines.
func (s *Subscription) wanted(events []*Shared) []*Shared {
	if s.filter == nil {
		return events
	}
	return slices.DeleteFunc(events, func(e *Shared) bool { return !s.filter(&e.Event) })
}

// briefly is the context of what Poll asks the store.
func briefly() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), pollTimeout)
}

// step does one step of reading: it may return nothing. waiting tells that there
// was nothing to do, and that the reader will be told when there is. asking makes
// the context of a question to the store; most steps ask none.
func (s *Subscription) step(asking func() (context.Context, context.CancelFunc)) (events []*Shared, waiting bool, err error) {
	clear(s.lent) // the events may be the last ones to hold on to
	s.mu.Lock()
	switch {
	case s.ended != nil:
		defer s.mu.Unlock()
		return nil, false, s.ended
	case s.doubted:
		s.doubted = false
		s.mu.Unlock()
		ctx, cancel := asking()
		defer cancel()
		return nil, false, s.ask(ctx)
	case s.behind:
		s.mu.Unlock()
		ctx, cancel := asking()
		defer cancel()
		events, err = s.replay(ctx)
		return events, false, err
	case len(s.queue) > 0:
		defer s.mu.Unlock()
		free := s.lent[:0]
		if cap(free) > keepCap {
			free = nil
		}
		s.lent, s.queue, s.bytes = s.queue, free, 0
		return s.lent, false, nil
	}
	s.waiting = true
	s.mu.Unlock()
	return nil, true, nil
}

// replay takes the next stretch of the past, or turns live where it ends.
func (s *Subscription) replay(ctx context.Context) ([]*Shared, error) {
	h, p := s.hub, s.past
	h.mu.Lock()
	if p.cursor >= h.seen {
		s.mu.Lock()
		s.behind = false
		s.mu.Unlock()
		h.mu.Unlock()
		s.past = nil
		return nil, nil
	}
	h.mu.Unlock()
	next, err := h.stretch(ctx, p.cursor)
	if err != nil {
		return nil, err
	}
	if p.budget -= next.read; p.budget < 0 {
		return nil, h.end(s, ErrSlow)
	}
	p.cursor = next.end
	return slices.DeleteFunc(next.events, func(e *Shared) bool { return !p.sees(&e.Event) }), nil
}

// ask ends the subscription with ErrRevoked unless the store says that it may go on.
func (s *Subscription) ask(ctx context.Context) error {
	may, err := s.hub.refill.MayListen(ctx, s.account.id, s.credential)
	if err != nil {
		s.doubt()
		return fmt.Errorf("read right to listen: %w", err)
	}
	if !may {
		return s.hub.end(s, ErrRevoked)
	}
	return nil
}

// end ends one subscription from outside of dispatching, unless it has ended, and
// returns the reason that holds.
func (h *Hub) end(s *Subscription, reason error) error {
	var f fanout
	h.mu.Lock()
	f.end(s, reason)
	h.settle(&f)
	h.mu.Unlock()
	h.flush(&f)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// What push leaves to its caller.
type pushed uint8

const (
	pushDone pushed = iota
	pushWake        // the reader is to be woken
	pushFull        // there is no room: the subscription is to be ended
)

// push queues an event. The caller holds Hub.mu.
func (s *Subscription) push(e *Shared) pushed {
	position := e.Event.Position
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil || position != 0 && (s.behind || position <= s.last) {
		return pushDone
	}
	o := &s.hub.options
	if n := len(s.queue); n > 0 && (n >= o.QueueEvents || s.bytes+e.size > o.QueueBytes) {
		if s.behind {
			return pushDone // it is ephemeral: only those are queued
		}
		return pushFull
	}
	s.queue = append(s.queue, e)
	s.bytes += e.size
	s.last = max(s.last, position)
	if s.waiting {
		s.waiting = false
		return pushWake
	}
	return pushDone
}

// doubt makes the reader ask for the right to listen before it takes anything.
func (s *Subscription) doubt() {
	s.mu.Lock()
	s.doubted = true
	s.mu.Unlock()
}

// finish ends the subscription unless it has ended. The caller holds Hub.mu.
func (s *Subscription) finish(reason error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return false
	}
	s.ended, s.queue, s.bytes = reason, nil, 0
	return true
}

// signal wakes the reader. One that is not waiting looks once more for nothing.
// The caller holds no lock.
func (s *Subscription) signal() {
	if s.notify != nil {
		s.notify()
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
