package hub_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"parley/internal/bus"
	"parley/internal/chat"
)

// world is a store and what happens in it: it answers the hub's questions, and
// it knows, told in another way, who was entitled to what.
type world struct {
	hook func(ctx context.Context) // called around every question

	mu      sync.Mutex
	fail    error
	last    chat.Position
	events  []chat.Event
	members map[chat.SpaceID]map[chat.AccountID]bool
	barred  map[chat.AccountID]bool
	ended   map[chat.CredentialID]bool
	issued  map[chat.CredentialID]chat.AccountID
	seen    map[chat.AccountID][]chat.Position // whom each event was for
	reads   int                                // calls of Changes
}

func newWorld() *world {
	return &world{
		hook:    func(context.Context) {},
		members: map[chat.SpaceID]map[chat.AccountID]bool{},
		barred:  map[chat.AccountID]bool{},
		ended:   map[chat.CredentialID]bool{},
		issued:  map[chat.CredentialID]chat.AccountID{},
		seen:    map[chat.AccountID][]chat.Position{},
	}
}

// write commits an event at the next position and returns it.
func (w *world) write(e chat.Event) chat.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	e.Position = w.last
	if e.Kind == chat.EventMemberJoined {
		if w.members[e.Space] == nil {
			w.members[e.Space] = map[chat.AccountID]bool{}
		}
		w.members[e.Space][e.Account] = true
	}
	audience := slices.Compact(slices.Sorted(slices.Values(e.Recipients)))
	if len(audience) == 0 && e.Space != 0 {
		audience = slices.Collect(maps.Keys(w.members[e.Space]))
	} else if len(audience) == 0 {
		audience = []chat.AccountID{e.Account}
	}
	for _, a := range audience {
		w.seen[a] = append(w.seen[a], e.Position)
	}
	switch e.Kind {
	case chat.EventMemberLeft:
		delete(w.members[e.Space], e.Account)
	case chat.EventSpaceDeleted:
		delete(w.members, e.Space)
	case chat.EventAccountRemoved:
		w.barred[e.Account] = true
	case chat.EventAccessRevoked:
		for c, a := range w.issued {
			if a == e.Account && (e.Credential == 0 || e.Credential == c) {
				w.ended[c] = true
			}
		}
	}
	w.events = append(w.events, e)
	return e
}

// populate makes accounts 1 to n members of a space, as if from before all events.
func (w *world) populate(s chat.SpaceID, n int) {
	w.members[s] = map[chat.AccountID]bool{}
	for i := range n {
		w.members[s][chat.AccountID(i+1)] = true
	}
}

// draw takes a position for something that has no event.
func (w *world) draw() chat.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	return w.last
}

func (w *world) bar(account chat.AccountID, barred bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.barred[account] = barred
}

func (w *world) issue(account chat.AccountID) chat.CredentialID {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := chat.CredentialID(len(w.issued) + 1)
	w.issued[c] = account
	return c
}

// entitled lists what an account may see after a position.
func (w *world) entitled(account chat.AccountID, after chat.Position) []chat.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.seen[account]
	i, _ := slices.BinarySearch(all, after+1)
	return slices.Clone(all[i:])
}

func (w *world) end() chat.Position {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

func (w *world) failWith(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fail = err
}

func (w *world) Changes(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error) {
	w.hook(ctx)
	defer w.hook(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	i, _ := slices.BinarySearchFunc(w.events, after+1, func(e chat.Event, p chat.Position) int {
		return int(e.Position - p)
	})
	return slices.Clone(w.events[i:min(i+limit, len(w.events))]), w.fail
}

func (w *world) LastPosition(ctx context.Context) (chat.Position, error) {
	w.hook(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.fail
}

func (w *world) SpacesOf(ctx context.Context, account chat.AccountID) ([]chat.SpaceID, error) {
	w.hook(ctx)
	defer w.hook(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	var spaces []chat.SpaceID
	for id, members := range w.members {
		if members[account] {
			spaces = append(spaces, id)
		}
	}
	return spaces, w.fail
}

func (w *world) MayListen(ctx context.Context, account chat.AccountID, c chat.CredentialID) (bool, error) {
	w.hook(ctx)
	defer w.hook(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.barred[account] && !w.ended[c], w.fail
}

// wire is a bus whose deliveries the test makes.
type wire struct {
	handle  func(bus.Delivery)
	waiting []chat.Event
	lost    bool
}

func (b *wire) Publish(events []chat.Event) { b.waiting = append(b.waiting, events...) }

func (b *wire) Subscribe(handle func(bus.Delivery)) func() {
	b.handle = handle
	return func() { b.handle = nil }
}

func (b *wire) Close() error { return nil }

// deliver hands over the next n events that wait.
func (b *wire) deliver(n int) {
	n = min(n, len(b.waiting))
	if n == 0 {
		return
	}
	d := bus.Delivery{Events: slices.Clone(b.waiting[:n]), Gap: b.lost}
	b.waiting, b.lost = b.waiting[n:], false
	b.handle(d)
}

func (b *wire) deliverAll() { b.deliver(len(b.waiting)) }

// lose drops the next n events that wait.
func (b *wire) lose(n int) {
	n = min(n, len(b.waiting))
	b.waiting, b.lost = b.waiting[n:], b.lost || n > 0
}

// The events tests write.

func joined(s chat.SpaceID, a chat.AccountID) chat.Event {
	return chat.Event{Kind: chat.EventMemberJoined, Space: s, Account: a}
}

func left(s chat.SpaceID, a chat.AccountID) chat.Event {
	return chat.Event{Kind: chat.EventMemberLeft, Space: s, Account: a}
}

func said(s chat.SpaceID) chat.Event {
	return chat.Event{Kind: chat.EventMessageCreated, Space: s, Message: &chat.Message{Text: "hello"}}
}

func told(to ...chat.AccountID) chat.Event {
	return chat.Event{Kind: chat.EventMessageCreated, Recipients: to, Message: &chat.Message{Text: "psst"}}
}

func dissolved(s chat.SpaceID, members ...chat.AccountID) chat.Event {
	return chat.Event{Kind: chat.EventSpaceDeleted, Space: s, Recipients: members}
}

func about(kind chat.EventKind, a chat.AccountID) chat.Event {
	return chat.Event{Kind: kind, Account: a}
}

func revoked(a chat.AccountID, c chat.CredentialID) chat.Event {
	return chat.Event{Kind: chat.EventAccessRevoked, Account: a, Credential: c}
}

func describe(e chat.Event) string {
	return fmt.Sprintf("%d %s space %d account %d to %v", e.Position, e.Kind, e.Space, e.Account, e.Recipients)
}
