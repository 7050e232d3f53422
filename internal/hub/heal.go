package hub

import (
	"context"
	"fmt"
	"time"

	"parley/internal/bus"
	"parley/internal/chat"
)

// pageSize is how many changes are read from the store, or taken from the ring, at once.
const pageSize = 256

// While the store cannot be read the healer tries again, at growing distances.
const (
	healRetry    = 50 * time.Millisecond
	healRetryMax = 5 * time.Second
)

// handle takes a delivery of the bus.
func (h *Hub) handle(d bus.Delivery) {
	if h.hold(d) {
		return
	}
	h.dispatch(d.Events)
}

// hold keeps a delivery back if something before it was lost and not yet healed.
func (h *Hub) hold(d bus.Delivery) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !d.Gap && !h.healing {
		return false
	}
	// What no longer fits is in the store: one more gap.
	if d.Gap || len(h.held)+len(d.Events) > h.options.RingEvents {
		h.gap, h.held = true, nil
	}
	h.held = append(h.held, d.Events...)
	h.healing = true
	select {
	case h.heal <- struct{}{}:
	default:
	}
	return true
}

// healer heals gaps until ctx ends.
func (h *Hub) healer(ctx context.Context) {
	defer close(h.healed)
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.heal:
		}
		for wait := healRetry; ; wait = min(2*wait, healRetryMax) {
			err := h.catchUp(ctx)
			if err == nil || ctx.Err() != nil {
				break
			}
			h.options.Log.Error("reading missed events", "error", err, "retry_in", wait)
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
		}
	}
}

// catchUp reads what was lost and then dispatches what was held back meanwhile.
// On an error everything stays held.
func (h *Hub) catchUp(ctx context.Context) error {
	for {
		h.mu.Lock()
		gap := h.gap
		h.gap = false
		h.mu.Unlock()
		if gap {
			if err := h.pull(ctx); err != nil {
				h.mu.Lock()
				h.gap = true
				h.mu.Unlock()
				return err
			}
		}
		h.mu.Lock()
		if h.gap {
			h.mu.Unlock()
			continue
		}
		run := h.held
		h.held = nil
		if len(run) == 0 {
			h.healing = false
			h.mu.Unlock()
			return nil
		}
		h.mu.Unlock()
		h.dispatch(run)
	}
}

// pull dispatches what the store has after seen, up to its end: after it, seen
// covers everything that was committed before the call. It fails with ErrClosed
// or with what the store answers.
func (h *Hub) pull(ctx context.Context) error {
	for {
		h.mu.Lock()
		after, closed := h.seen, h.closed
		h.mu.Unlock()
		if closed {
			return ErrClosed
		}
		run, err := h.refill.Changes(ctx, after, pageSize)
		if err != nil {
			return fmt.Errorf("read changes: %w", err)
		}
		h.dispatch(run)
		if len(run) < pageSize {
			return nil
		}
	}
}

// stretch is a run of events already dispatched.
type stretch struct {
	events []*Shared
	end    chat.Position // everything up to here is in events, or was before them
	read   int           // how many changes had to be read from the store
}

// stretch returns what follows cursor, which is below seen.
func (h *Hub) stretch(ctx context.Context, cursor chat.Position) (stretch, error) {
	h.mu.Lock()
	seen := h.seen
	if cursor >= h.ring.floor {
		events := h.ring.after(cursor, pageSize)
		h.mu.Unlock()
		if len(events) < pageSize {
			return stretch{events: events, end: seen}, nil
		}
		return stretch{events: events, end: events[pageSize-1].Event.Position}, nil
	}
	h.mu.Unlock()

	run, err := h.refill.Changes(ctx, cursor, pageSize)
	if err != nil {
		return stretch{}, fmt.Errorf("read changes: %w", err)
	}
	s := stretch{end: seen, read: len(run)}
	for i := range run {
		if run[i].Position > seen {
			return s, nil // not dispatched yet: not of this timeline
		}
		s.events = append(s.events, newShared(&run[i]))
	}
	if len(run) == pageSize {
		s.end = run[pageSize-1].Position
	}
	return s, nil
}
