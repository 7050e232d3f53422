package core_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/bus"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/store"
)

// heard collects events of one kind as they are published.
type heard struct {
	t    *testing.T
	kind chat.EventKind

	mu     sync.Mutex
	events []chat.Event
	came   chan struct{} // closed and replaced with each delivery
}

// hear begins to collect.
func (f *fixture) hear(kind chat.EventKind) *heard {
	f.t.Helper()
	h := &heard{t: f.t, kind: kind, came: make(chan struct{})}
	f.t.Cleanup(f.bus.Subscribe(func(d bus.Delivery) {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, e := range d.Events {
			if e.Kind == kind {
				h.events = append(h.events, e)
			}
		}
		close(h.came)
		h.came = make(chan struct{})
	}))
	return h
}

// next waits for the nth event, counted from 1.
func (h *heard) next(n int) chat.Event {
	h.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		h.mu.Lock()
		events, came := h.events, h.came
		h.mu.Unlock()
		if len(events) >= n {
			return events[n-1]
		}
		select {
		case <-came:
		case <-deadline:
			h.t.Fatalf("%s: got %d events, want %d", h.kind, len(events), n)
		}
	}
}

// account reads the account of a caller.
func (f *fixture) account(c core.Call) *chat.Account {
	f.t.Helper()
	var a *chat.Account
	err := f.store.View(f.t.Context(), func(ctx context.Context, r store.Reader) (err error) {
		a, err = r.Account(ctx, c.Actor.Account)
		return err
	})
	if err != nil {
		f.t.Fatalf("read account: %v", err)
	}
	return a
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatalf("unexpected error: %v", err)
	}
}

func (f *fixture) addContact(owner, target core.Call) {
	f.t.Helper()
	_, err := f.AddContact(f.t.Context(), owner, f.account(target).Handle)
	f.must(err)
}

// Only a new block is told to the one who is blocked, by the name of the blocker.
func TestBlockIsToldOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := f.join("anna"), f.join("bert")
	blocks, ctx, handle := f.hear(chat.EventAccountBlocked), t.Context(), f.account(b).Handle
	f.must(f.BlockAccount(ctx, a, handle))
	f.must(f.BlockAccount(ctx, a, handle))
	f.must(f.ReportAccount(ctx, a, handle, ""))
	f.must(f.UnblockAccount(ctx, a, handle))
	f.must(f.BlockAccount(ctx, a, handle))
	for n := range 2 {
		e := blocks.next(n + 1)
		if e.Actor != a.Actor.Account || e.By == nil || e.By.Handle != f.account(a).Handle ||
			!slices.Equal(e.Recipients, []chat.AccountID{b.Actor.Account}) {
			t.Errorf("event %d: got %+v, want one by %s for %d", n, e, f.account(a).Handle, b.Actor.Account)
		}
	}
	f.must(f.BlockAccount(ctx, b, f.account(a).Handle))
	if e := blocks.next(3); e.Actor != b.Actor.Account {
		t.Errorf("the third event: got one by %d, want the block of %d", e.Actor, b.Actor.Account)
	}
}

// A change is told to those who have the subject among their contacts, unless a
// block parts them; a sign of life is none.
func TestPresenceIsToldToWatchers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	subject, watcher, blocking, blocked := f.join("subject"), f.join("watcher"), f.join("blocking"), f.join("blocked")
	for _, c := range []core.Call{watcher, blocking, blocked} {
		f.addContact(c, subject)
	}
	f.addContact(subject, f.join("stranger"))
	f.must(f.BlockAccount(ctx, blocking, f.account(subject).Handle))
	f.must(f.BlockAccount(ctx, subject, f.account(blocked).Handle))

	told, id, n := f.hear(chat.EventPresenceChanged), subject.Actor.Account, 0
	want := func(what string, status chat.Status, text string) {
		t.Helper()
		n++
		e := told.next(n)
		if e.Presence == nil || e.Presence.Status != status || e.Presence.Text != text {
			t.Errorf("%s: got %+v, want %d %q", what, e.Presence, status, text)
		}
		if e.Account != id || e.By == nil || e.By.ID != id || !slices.Equal(e.Recipients, []chat.AccountID{watcher.Actor.Account}) {
			t.Errorf("%s: got %+v, want one about %d for %d", what, e, id, watcher.Actor.Account)
		}
	}
	announce := func(status chat.Status, text string) {
		t.Helper()
		_, err := f.AnnouncePresence(ctx, subject, chat.Presence{Status: status, Text: text})
		f.must(err)
	}
	choose := func(in core.PresenceChange) {
		t.Helper()
		_, err := f.SetPresence(ctx, subject, in)
		f.must(err)
	}
	f.SocketOpened(id)(ctx)
	want("first socket", chat.StatusOnline, "")
	f.SocketOpened(id)(ctx)
	f.SocketAlive(id)
	announce(chat.StatusOnline, "") // as it is
	f.SocketClosed(id)
	announce(chat.StatusBusy, "cooking")
	want("announced", chat.StatusBusy, "cooking")
	announce(chat.StatusBusy, "eating")
	want("text alone", chat.StatusBusy, "eating")
	choose(core.PresenceChange{Status: chat.Some(chat.StatusAway)})
	want("chosen", chat.StatusAway, "eating")
	f.SocketClosed(id)
	f.clock.Advance(time.Minute)
	f.must(f.Sweep(ctx)) // what was chosen does not end
	choose(core.PresenceChange{Status: chat.Some(chat.StatusOffline)})
	want("given back", chat.StatusOffline, "eating")
	f.SocketOpened(id)(ctx)
	want("first socket again", chat.StatusOnline, "eating")
	f.SocketClosed(id)
	f.SocketOpened(id)(ctx) // within the grace
	f.SocketClosed(id)
	f.clock.Advance(5 * time.Second)
	want("last socket gone", chat.StatusOffline, "eating")
	announce(chat.StatusOnline, "")
	want("announced without a socket", chat.StatusOnline, "")
	f.clock.Advance(5 * time.Minute)
	want("announced long ago", chat.StatusOffline, "")
}

// What /api shows of others is what they show now.
func TestPresenceShowsInProfiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	a, b := f.join("anna"), f.join("bert")
	sp, _ := f.room(a, b)
	if _, _, err := f.OpenDirect(ctx, a, b.Actor.Account); err != nil {
		t.Fatalf("open direct: %v", err)
	}
	check := func(want chat.Status) {
		t.Helper()
		account, err := f.ShowAccount(ctx, a, b.Actor.Account)
		f.must(err)
		members, err := f.ListMembers(ctx, a, sp.ID)
		f.must(err)
		directs, err := f.ListDirects(ctx, a, 0, chat.Opt[int64]{})
		f.must(err)
		got := []chat.Status{account.Presence.Status, members[1].Profile.Presence.Status, directs.Directs[0].With.Presence.Status}
		if !slices.Equal(got, []chat.Status{want, want, want}) {
			t.Errorf("account, member, direct: got %v, want %d in all", got, want)
		}
	}
	check(chat.StatusOffline)
	f.SocketOpened(b.Actor.Account)(ctx)
	check(chat.StatusOnline)
	f.SocketClosed(b.Actor.Account)
	f.clock.Advance(time.Minute)
	check(chat.StatusOffline)
}
