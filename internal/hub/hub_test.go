package hub_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"parley/internal/bus"
	"parley/internal/chat"
	"parley/internal/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ann, ben chat.AccountID = 1, 2
	room     chat.SpaceID   = 101
)

// fixture is a hub between a world and a wire.
type fixture struct {
	*testing.T
	*hub.Hub
	world *world
	wire  *wire
	ends  []error
}

func open(t *testing.T, o hub.Options, earlier ...chat.Event) *fixture {
	t.Helper()
	f := &fixture{T: t, world: newWorld(), wire: &wire{}}
	for _, e := range earlier {
		f.world.write(e)
	}
	o.Ended = func(reason error) { f.ends = append(f.ends, reason) }
	h, err := hub.New(t.Context(), f.wire, f.world, o)
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	t.Cleanup(h.Close)
	f.Hub = h
	return f
}

// happen commits events and delivers them, each at once.
func (f *fixture) happen(events ...chat.Event) {
	for _, e := range events {
		f.wire.Publish([]chat.Event{f.world.write(e)})
		f.wire.deliverAll()
	}
}

func (f *fixture) subscribe(in hub.Interest) *hub.Subscription {
	f.Helper()
	s, err := f.Subscribe(f.Context(), in)
	if err != nil {
		f.Fatalf("subscribe account %d after %d: %v", in.Account, in.After, err)
	}
	return s
}

// expect reads until so many positions have come.
func (f *fixture) expect(s *hub.Subscription, want ...chat.Position) {
	f.Helper()
	var got []chat.Position
	for len(got) < len(want) {
		events, err := s.Next(f.Context())
		if err != nil {
			f.Fatalf("next after %d events: %v, want %d events", len(got), err, len(want))
		}
		for _, e := range events {
			got = append(got, e.Event.Position)
		}
	}
	if !slices.Equal(got, want) {
		at := difference(got, want)
		f.Errorf("got %d positions, want %d; from number %d on: got %v, want %v",
			len(got), len(want), at, got[at:min(at+5, len(got))], want[at:min(at+5, len(want))])
	}
}

func (f *fixture) expectEnd(s *hub.Subscription, want error) {
	f.Helper()
	if events, err := s.Next(f.Context()); !errors.Is(err, want) {
		f.Errorf("next: got %d events and error %v, want %v", len(events), err, want)
	}
}

func positions(first, last chat.Position) []chat.Position {
	var all []chat.Position
	for p := first; p <= last; p++ {
		all = append(all, p)
	}
	return all
}

func many(n int, e chat.Event) []chat.Event { return slices.Repeat([]chat.Event{e}, n) }

func TestResumeReadsManyPagesFromTheStore(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{RingEvents: 10}, many(1500, told(ann))...)
	s := f.subscribe(hub.Interest{Account: ann, After: 3})
	f.happen(told(ann)) // beyond what the first pages know
	f.expect(s, positions(4, 1501)...)
	f.happen(told(ann), told(ben), told(ann))
	f.expect(s, 1502, 1504)
}

func TestResumeFromTheRingReadsNoOldChanges(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{}, many(600, told(ann))...)
	before := f.world.reads
	s := f.subscribe(hub.Interest{Account: ann, After: 100})
	f.expect(s, positions(101, 600)...)
	if got := f.world.reads - before; got != 1 {
		t.Errorf("store asked for changes %d times, want once, for what is newest", got)
	}
}

func TestRingBytesAreBounded(t *testing.T) {
	t.Parallel()
	long := told(ann)
	long.Message = &chat.Message{Text: strings.Repeat("x", 1<<10)}
	f := open(t, hub.Options{RingBytes: 8 << 10}, many(50, long)...)
	before := f.world.reads
	s := f.subscribe(hub.Interest{Account: ann, After: 10})
	f.expect(s, positions(11, 50)...)
	if got := f.world.reads - before; got < 2 {
		t.Errorf("store asked for changes %d times, want more: the ring is too small", got)
	}
}

func TestPositionOutOfRange(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{RingEvents: 10, Replay: 300}, many(1000, told(ann))...)
	drawn := f.world.draw()
	for _, after := range []chat.Position{5, 600, drawn + 1} {
		if s, err := f.Subscribe(t.Context(), hub.Interest{Account: ann, After: after}); !errors.Is(err, hub.ErrPosition) {
			t.Errorf("resume from %d: got %v, %v, want %v", after, s, err, hub.ErrPosition)
		}
	}
	if got := f.Len(); got != 0 {
		t.Errorf("subscriptions: got %d, want 0", got)
	}
	f.expect(f.subscribe(hub.Interest{Account: ann, After: 750}), positions(751, 1000)...)
	// Something without an event has the highest position: nothing was missed.
	s := f.subscribe(hub.Interest{Account: ann, After: drawn})
	f.happen(told(ann))
	f.expect(s, drawn+1)
}

// A subscriber that resumes and then reads more slowly than the server writes
// would read from the store for ever.
func TestSlowReplayEnds(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{RingEvents: 1, Replay: 300}, many(10, told(ann))...)
	s := f.subscribe(hub.Interest{Account: ann, After: 1})
	for range 10 {
		f.happen(many(500, told(ben))...)
		f.happen(told(ann))
		if _, err := s.Next(t.Context()); err != nil {
			if !errors.Is(err, hub.ErrSlow) || !slices.Equal(f.ends, []error{hub.ErrSlow}) {
				t.Errorf("got %v, reported %v, want %v in both", err, f.ends, hub.ErrSlow)
			}
			return
		}
	}
	t.Error("still subscribed, want ErrSlow")
}

func TestFullQueueEndsTheSubscription(t *testing.T) {
	t.Parallel()
	long := told(ann)
	long.Message = &chat.Message{Text: strings.Repeat("x", 1<<10)}
	for name, c := range map[string]struct {
		options hub.Options
		fits    []chat.Event
		event   chat.Event
	}{
		"events": {hub.Options{QueueEvents: 3}, many(3, told(ann)), told(ann)},
		"bytes":  {hub.Options{QueueBytes: 6 << 10}, many(2, long), long},
		"one":    {hub.Options{QueueBytes: 1}, many(1, long), told(ann)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, c.options)
			s := f.subscribe(hub.Interest{Account: ann})
			other := f.subscribe(hub.Interest{Account: ben})
			f.happen(c.fits...)
			f.expect(s, positions(1, chat.Position(len(c.fits)))...)
			f.happen(c.fits...)
			if got := f.Len(); got != 2 {
				t.Fatalf("subscriptions with full queues: got %d, want 2", got)
			}
			f.happen(c.event)
			f.expectEnd(s, hub.ErrSlow)
			if !slices.Equal(f.ends, []error{hub.ErrSlow}) || f.Len() != 1 {
				t.Errorf("got ends %v and %d subscriptions, want [%v] and 1", f.ends, f.Len(), hub.ErrSlow)
			}
			f.happen(told(ben))
			f.expect(other, f.world.end())
		})
	}
}

func TestFilterDeclines(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{}, many(10, told(ann))...)
	odd := func(e *chat.Event) bool { return e.Position%2 == 1 }
	s := f.subscribe(hub.Interest{Account: ann, After: 4, Filter: odd})
	f.expect(s, 5, 7, 9)
	f.happen(many(3, told(ann))...)
	f.expect(s, 11, 13)
}

func TestRepeatedRecipientIsToldOnce(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{})
	s := f.subscribe(hub.Interest{Account: ann})
	f.happen(told(ann, ben, ann), told(ann))
	f.expect(s, 1, 2)
}

func TestEphemeralEventsHaveNoPosition(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{}, joined(room, ann))
	s := f.subscribe(hub.Interest{Account: ann})
	present := chat.Event{Kind: chat.EventPresenceChanged, Space: room, Account: ben, Presence: &chat.Presence{}}
	for range 2 {
		f.wire.Publish([]chat.Event{present})
		f.wire.deliverAll()
	}
	f.happen(said(room))
	f.expect(s, 0, 0, 2)
	f.expect(f.subscribe(hub.Interest{Account: ann, After: 1}), 2)
}

func TestLastReaderLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{}, joined(room, ann))
	first, second := f.subscribe(hub.Interest{Account: ann}), f.subscribe(hub.Interest{Account: ann})
	first.Close()
	f.happen(said(room))
	f.expect(second, 2)
	second.Close()
	f.expectEnd(second, hub.ErrClosed)
	f.happen(left(room, ann), said(room)) // nobody is there to note it
	third := f.subscribe(hub.Interest{Account: ann})
	f.happen(said(room), told(ann))
	f.expect(third, 6)
	if len(f.ends) != 0 {
		t.Errorf("reported ends: got %v, want none for subscriptions that were closed", f.ends)
	}
}

func TestWaitingReaderLearnsOfTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(f *fixture, s *hub.Subscription)
		want error
	}{
		"credential": {func(f *fixture, _ *hub.Subscription) { f.happen(revoked(ann, 7)) }, hub.ErrRevoked},
		"account":    {func(f *fixture, _ *hub.Subscription) { f.happen(revoked(ann, 0)) }, hub.ErrRevoked},
		"removed":    {func(f *fixture, _ *hub.Subscription) { f.happen(about(chat.EventAccountRemoved, ann)) }, hub.ErrRevoked},
		"suspended": {func(f *fixture, _ *hub.Subscription) {
			f.world.bar(ann, true)
			f.happen(about(chat.EventAccountState, ann))
		}, hub.ErrRevoked},
		"closed": {func(_ *fixture, s *hub.Subscription) { s.Close() }, hub.ErrClosed},
		"hub":    {func(f *fixture, _ *hub.Subscription) { f.Close(); f.Close() }, hub.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := open(t, hub.Options{})
				defer f.Close()
				s := f.subscribe(hub.Interest{Account: ann, Credential: 7})
				other := f.subscribe(hub.Interest{Account: ben, Credential: 8})
				f.happen(revoked(ann, 6), about(chat.EventAccountState, ann))
				f.expect(s, 1, 2) // neither is its end
				ended := make(chan error, 1)
				go func() {
					_, err := s.Next(t.Context())
					ended <- err
				}()
				synctest.Wait()
				c.end(f, s)
				synctest.Wait()
				select {
				case err := <-ended:
					if !errors.Is(err, c.want) {
						t.Errorf("got %v, want %v", err, c.want)
					}
				default:
					t.Errorf("reader still waits, want %v", c.want)
				}
				if name != "hub" {
					f.happen(told(ben))
					f.expect(other, f.world.end())
				}
			})
		})
	}
}

func TestClosedHubTakesNoSubscriber(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{})
	handle := f.wire.handle
	closeNow := func(context.Context) { f.Close() }
	f.world.hook = closeNow // in the middle of Subscribe
	for range 2 {
		if s, err := f.Subscribe(t.Context(), hub.Interest{Account: ann}); !errors.Is(err, hub.ErrClosed) {
			t.Errorf("subscribe: got %v, %v, want %v", s, err, hub.ErrClosed)
		}
	}
	handle(bus.Delivery{Events: []chat.Event{told(ann)}}) // too late: nothing happens
	if got := f.Len(); got != 0 {
		t.Errorf("subscriptions: got %d, want 0", got)
	}
}

func TestStoreErrorsLoseNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	f := open(t, hub.Options{RingEvents: 5}, many(1000, told(ann))...)
	for failing := range 5 { // the calls that resuming makes, one after the other
		call := 0
		f.world.hook = func(context.Context) {
			if call++; call == 2*failing {
				f.world.failWith(broken)
			}
		}
		if failing == 0 {
			f.world.failWith(broken)
		}
		if _, err := f.Subscribe(t.Context(), hub.Interest{Account: ann, After: 700}); !errors.Is(err, broken) {
			t.Errorf("subscribe with call %d failing: got %v, want %v", failing, err, broken)
		}
		f.world.failWith(nil)
	}
	f.world.hook = func(context.Context) {}
	if got := f.Len(); got != 0 {
		t.Errorf("subscriptions: got %d, want 0", got)
	}
	s := f.subscribe(hub.Interest{Account: ann, After: 700})
	f.world.failWith(broken)
	f.expectEnd(s, broken)
	f.world.failWith(nil)
	f.expect(s, positions(701, 1000)...)
	f.happen(about(chat.EventAccountState, ann))
	f.world.failWith(broken)
	f.expectEnd(s, broken)
	f.world.failWith(nil)
	f.expect(s, 1001)
	f.world.bar(ann, true)
	f.happen(about(chat.EventAccountState, ann))
	f.world.failWith(broken)
	f.expectEnd(s, broken)
	f.world.failWith(nil)
	f.expectEnd(s, hub.ErrRevoked)

	f.world.failWith(broken)
	if _, err := hub.New(t.Context(), f.wire, f.world, hub.Options{}); !errors.Is(err, broken) {
		t.Errorf("new: got %v, want %v", err, broken)
	}
}

func TestHealerTriesAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := open(t, hub.Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer f.Close()
		s := f.subscribe(hub.Interest{Account: ann})
		f.world.failWith(errors.New("disk on fire"))
		f.wire.Publish([]chat.Event{f.world.write(told(ann)), f.world.write(told(ann))})
		f.wire.lose(1)
		f.wire.deliverAll()
		f.happen(told(ann))
		time.Sleep(time.Minute)
		f.world.failWith(nil)
		f.expect(s, 1, 2, 3)
		if got := strings.Count(log.String(), "disk on fire"); got < 5 || got > 30 {
			t.Errorf("logged %d times in a minute, want a few", got)
		}
	})
}

// What arrives while the healer reads follows it, also when it is too much to hold.
func TestDeliveriesDuringHealing(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]int{"held": 5, "too many": 150, "more than a page": 700} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := open(t, hub.Options{RingEvents: 100, QueueEvents: 5_000, QueueBytes: 16 << 20})
				defer f.Close()
				s := f.subscribe(hub.Interest{Account: ann})
				rounds := 2
				f.world.hook = func(context.Context) { // in the healer
					if rounds > 0 {
						rounds--
						f.happen(many(meanwhile, told(ann))...)
					}
				}
				f.wire.Publish([]chat.Event{f.world.write(told(ann)), f.world.write(told(ann))})
				f.wire.lose(1)
				f.wire.deliverAll()
				f.expect(s, positions(1, chat.Position(2+2*meanwhile))...)
				synctest.Wait()
				// Healed: what comes now waits for nobody.
				before := f.world.reads
				f.happen(told(ann))
				now, cancel := context.WithCancel(t.Context())
				cancel()
				if events, err := s.Next(now); len(events) != 1 || f.world.reads != before {
					t.Errorf("after healing: got %d events, error %v, %d reads of the store, want 1 event, no read",
						len(events), err, f.world.reads-before)
				}
			})
		})
	}
}

func TestDeliveriesWhileTheHubStarts(t *testing.T) {
	t.Parallel()
	f := &fixture{T: t, world: newWorld(), wire: &wire{}}
	for range 10 {
		f.world.write(told(ann))
	}
	f.world.hook = func(context.Context) {
		if f.wire.handle != nil {
			f.happen(told(ann)) // from 11 on
		}
	}
	var err error
	if f.Hub, err = hub.New(t.Context(), f.wire, f.world, hub.Options{}); err != nil {
		t.Fatalf("new: %v", err)
	}
	defer f.Close()
	f.world.hook = func(context.Context) {}
	f.expect(f.subscribe(hub.Interest{Account: ann, After: 2}), positions(3, 12)...)
}

// TestPoll: a subscription that is notified is told once that it may read, reads
// without waiting, and is told again only after it has found nothing.
func TestPoll(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{})
	notices := 0
	s := f.subscribe(hub.Interest{Account: ann, Notify: func() { notices++ }})
	for round := range 3 {
		if events, err := s.Poll(); events != nil || err != nil {
			t.Fatalf("poll with nothing there: got %d events and %v, want none", len(events), err)
		}
		f.happen(told(ann), told(ann, ben), told(ben))
		if notices != round+1 {
			t.Errorf("notices after round %d: got %d, want one a round", round, notices)
		}
		if events, err := s.Poll(); len(events) != 2 || err != nil {
			t.Errorf("poll: got %d events and %v, want 2", len(events), err)
		}
	}
}

// TestPollEnds: whatever ends a subscription that is notified notifies it.
func TestPollEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(f *fixture, s *hub.Subscription)
		want error
	}{
		{"removed", func(f *fixture, _ *hub.Subscription) { f.happen(about(chat.EventAccountRemoved, ann)) }, hub.ErrRevoked},
		{"suspended", func(f *fixture, _ *hub.Subscription) {
			f.world.bar(ann, true)
			f.happen(about(chat.EventAccountState, ann))
		}, hub.ErrRevoked},
		{"slow", func(f *fixture, _ *hub.Subscription) { f.happen(told(ann), told(ann), told(ann)) }, hub.ErrSlow},
		{"closed", func(_ *fixture, s *hub.Subscription) { s.Close() }, hub.ErrClosed},
		{"hub closed", func(f *fixture, _ *hub.Subscription) { f.Close() }, hub.ErrClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := open(t, hub.Options{QueueEvents: 2})
			notices := 0
			s := f.subscribe(hub.Interest{Account: ann, Notify: func() { notices++ }})
			if _, err := s.Poll(); err != nil {
				t.Fatalf("poll: %v", err)
			}
			c.end(f, s)
			if notices == 0 {
				t.Error("the end was not announced")
			}
			if _, err := s.Poll(); !errors.Is(err, c.want) {
				t.Errorf("poll: got %v, want %v", err, c.want)
			}
		})
	}
}

// TestResumeFromNothing: who found no event at all resumes from before the first,
// and what happens before the first reading does not fill the queue.
func TestResumeFromNothing(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{QueueEvents: 2, RingEvents: 3})
	f.happen(told(ann)) // between the look at the store and Subscribe
	s := f.subscribe(hub.Interest{Account: ann, Resume: true})
	for range 8 {
		f.happen(told(ann))
	}
	f.expect(s, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	f.happen(told(ann))
	f.expect(s, 10)
}

// TestEphemeralWhileBehind: what has no position waits until a subscriber has caught
// up, and does not end one that takes its time.
func TestEphemeralWhileBehind(t *testing.T) {
	t.Parallel()
	f := open(t, hub.Options{QueueEvents: 2})
	f.happen(told(ann))
	s := f.subscribe(hub.Interest{Account: ann, Resume: true})
	for range 5 {
		f.wire.Publish([]chat.Event{about(chat.EventTypingStarted, ann)})
		f.wire.deliverAll()
	}
	f.happen(told(ann))
	f.expect(s, 1, 2, 0, 0)
	f.happen(told(ann))
	f.expect(s, 3)
}
