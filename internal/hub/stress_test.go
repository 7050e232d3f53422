package hub_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"parley/internal/bus/inproc"
	"parley/internal/chat"
	"parley/internal/hub"
)

// TestStress runs writer, healer and readers who subscribe, resume and leave at
// once, on a bus that often drops events. Each reader strings together what its
// subscriptions hand it: the whole must be what it was entitled to.
func TestStress(t *testing.T) {
	t.Parallel()
	const readers, writes = 12, 6_000
	w := newWorld()
	b := inproc.New(inproc.Options{Queue: 8})
	h, err := hub.New(t.Context(), b, w, hub.Options{RingEvents: 200, QueueEvents: 100, Replay: 10 * writes})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	first := w.write(told(1)).Position // resuming needs a position

	var wg sync.WaitGroup
	for i := range readers {
		account := chat.AccountID(i%4 + 1)
		wg.Go(func() {
			got, err := follow(t.Context(), h, account, first, 20+10*i)
			if err != nil {
				t.Errorf("account %d: %v", account, err)
			}
			if want := w.entitled(account, first); !slices.Equal(got, want) {
				t.Errorf("account %d: got %d events, want %d; first difference at %d",
					account, len(got), len(want), difference(got, want))
			}
		})
	}
	for n := range writes {
		s, a := chat.SpaceID(101+n%3), chat.AccountID(n%4+1)
		e := said(s)
		switch {
		case n%50 == 13 && w.members[s][a]:
			e = left(s, a)
		case n%10 == 3 && !w.members[s][a]:
			e = joined(s, a)
		case n%97 == 0:
			e = told(a, 4)
		case n%211 == 0:
			e = about(chat.EventAccountState, a)
		}
		b.Publish([]chat.Event{w.write(e)})
	}
	b.Publish([]chat.Event{w.write(last())})
	wg.Wait()
	h.Close()
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// last makes the event after which nothing comes.
func last() chat.Event {
	e := told(1, 2, 3, 4)
	e.Message = &chat.Message{Text: "last"}
	return e
}

// follow reads until the last event, with a new subscription every so many reads.
func follow(ctx context.Context, h *hub.Hub, account chat.AccountID, after chat.Position, every int) ([]chat.Position, error) {
	var got []chat.Position
	for {
		s, err := h.Subscribe(ctx, hub.Interest{Account: account, After: after})
		if err != nil {
			return got, err
		}
		for range every {
			events, err := s.Next(ctx)
			if errors.Is(err, hub.ErrSlow) {
				break
			}
			if err != nil {
				return got, err
			}
			for _, e := range events {
				after = e.Event.Position
				got = append(got, after)
				if e.Event.Message != nil && e.Event.Message.Text == "last" {
					s.Close()
					return got, nil
				}
			}
		}
		s.Close()
	}
}

func difference(a, b []chat.Position) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
