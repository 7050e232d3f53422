package hub

import (
	"context"
	"fmt"

	"parley/internal/chat"
)

// Interest says what a subscriber wants to be told.
type Interest struct {
	// Account is whose view it is. It has been authenticated.
	Account chat.AccountID
	// Credential is what it was authenticated with; the subscription ends with
	// it. 0: only the account counts.
	Credential chat.CredentialID
	// After is the position of the last event already known; 0: from now on.
	After chat.Position
	// Resume makes After 0 mean the position before the first event, for those
	// who found nothing there and want everything since.
	Resume bool
	// Filter, if set, tells which events are wanted. It runs in Next, at the
	// time of reading, and may ask the core; what it declines took a place in
	// the queue.
	Filter func(*chat.Event) bool
	// Notify, if set, is called when there may be something to read: at least
	// once after each Poll that returned nothing, and at the end. Such a
	// subscription is read with Poll and needs no goroutine while it is idle.
	// Notify is called with no lock held, from any goroutine, and must not block.
	// It may be called for nothing, even after Close.
	Notify func()
}

// Subscribe begins a subscription. From now on means that everything committed
// after Subscribe has returned is delivered; what was committed while it ran may
// be. The caller closes the subscription. It fails with ErrRevoked, ErrPosition,
// ErrClosed, with what else ended the subscription meanwhile, or with what the
// store answers.
func (h *Hub) Subscribe(ctx context.Context, in Interest) (*Subscription, error) {
	a, err := h.enter(in.Account)
	if err != nil {
		return nil, err
	}
	defer h.exit(a)
	if err := h.load(ctx, a); err != nil {
		return nil, err
	}
	past, err := h.origin(ctx, a, in)
	if err != nil {
		return nil, err
	}
	s := &Subscription{
		hub: h, account: a, credential: in.Credential, filter: in.Filter, notify: in.Notify,
		past: past, behind: past != nil,
	}
	if s.notify == nil {
		s.wake = make(chan struct{}, 1)
	}
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil, ErrClosed
	}
	h.attach(s)
	h.mu.Unlock()

	// Only now: a revocation from here on finds the subscription in the index.
	if err := s.ask(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// load makes an account ready and brings seen up to now, so that nothing that
// happened before the subscription can end it.
func (h *Hub) load(ctx context.Context, a *account) error {
	h.mu.Lock()
	ready := a.ready
	h.mu.Unlock()
	var spaces []chat.SpaceID
	if !ready {
		var err error
		if spaces, err = h.refill.SpacesOf(ctx, a.id); err != nil {
			return fmt.Errorf("read spaces: %w", err)
		}
	}
	if err := h.pull(ctx); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ready {
		h.fill(a, spaces)
	}
	return nil
}

// origin returns the past a subscription has to go through first, nil if none.
func (h *Hub) origin(ctx context.Context, a *account, in Interest) (*past, error) {
	after := in.After
	if after == 0 && !in.Resume {
		return nil, nil
	}
	b := before{account: a.id, member: map[chat.SpaceID]bool{}}
	cursor, read := after, 0
	for {
		h.mu.Lock()
		if cursor >= h.seen {
			beyond := after > h.seen
			p := &past{account: a.id, cursor: after, spaces: b.spaces(a.seats), budget: read + h.options.Replay}
			h.mu.Unlock()
			if beyond {
				if err := h.drawn(ctx, after); err != nil {
					return nil, err
				}
			}
			return p, nil
		}
		h.mu.Unlock()
		s, err := h.stretch(ctx, cursor)
		if err != nil {
			return nil, err
		}
		if read += s.read; read > h.options.Replay {
			return nil, fmt.Errorf("resume from %d: %w", after, ErrPosition)
		}
		for _, e := range s.events {
			b.add(&e.Event)
		}
		cursor = s.end
	}
}

// drawn checks a position beyond the last event. It may be that of something
// which has no event; one that was never drawn is not of this server's history.
func (h *Hub) drawn(ctx context.Context, position chat.Position) error {
	last, err := h.refill.LastPosition(ctx)
	if err != nil {
		return fmt.Errorf("read last position: %w", err)
	}
	if position > last {
		return fmt.Errorf("resume from %d: %w", position, ErrPosition)
	}
	return nil
}
