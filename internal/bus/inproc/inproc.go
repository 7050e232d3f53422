// Package inproc is the event bus of a single node: it hands events from one
// part of the process to the others.
//
// # Design
//
// Each subscriber has a goroutine of its own and a queue of the runs published,
// which are shared between subscribers and never copied. Publish appends and
// returns; no handler is ever waited for. A queue holds Options.Queue events.
// When a run does not fit, what waits there is dropped and the run is delivered
// marked with a gap: the newest events are kept, so that the subscriber learns of
// the loss at once and not with the next change.
//
// Publishers are put into one order, the same for all subscribers. Locks: Bus.mu
// before subscriber.mu; neither is held while a handler runs.
package inproc

import (
	"maps"
	"slices"
	"sync"

	"parley/internal/bus"
	"parley/internal/chat"
)

// DefaultQueue is how many events may wait for one subscriber unless Options
// say otherwise: some 20 MB of short messages, two seconds of a busy server.
const DefaultQueue = 65_536

// Options tune a Bus. The zero value is fit for use.
type Options struct {
	// Queue is how many events may wait for one subscriber; 0 is DefaultQueue.
	// A single run longer than this is still delivered whole.
	Queue int
	// Dropped, if set, is told how many events a subscriber lost each time its
	// queue was full. It is called by Publish and must not block.
	Dropped func(events int)
}

// Bus carries events within one process. It implements bus.Bus.
type Bus struct {
	limit   int
	dropped func(int)

	mu          sync.Mutex
	subscribers map[*subscriber]struct{} // nil once closed
}

var _ bus.Bus = (*Bus)(nil)

// New opens a bus. It has no goroutines of its own; each subscriber brings one.
func New(o Options) *Bus {
	b := &Bus{limit: o.Queue, dropped: o.Dropped, subscribers: map[*subscriber]struct{}{}}
	if b.limit <= 0 {
		b.limit = DefaultQueue
	}
	if b.dropped == nil {
		b.dropped = func(int) {}
	}
	return b
}

// Publish hands events to every subscriber and returns without waiting for
// them. The slice belongs to the bus from then on: the caller must not change
// it. After Close nothing happens.
func (b *Bus) Publish(events []chat.Event) {
	if len(events) == 0 {
		return
	}
	lost := 0
	b.mu.Lock()
	for s := range b.subscribers {
		lost += s.push(events, b.limit)
	}
	b.mu.Unlock()
	if lost > 0 {
		b.dropped(lost)
	}
}

// Subscribe calls handle, in a goroutine of its own, for what is published from
// now on. stop waits for a handler that runs, so handle must not call it; it may
// be called more than once. After Close handle is never called.
func (b *Bus) Subscribe(handle func(bus.Delivery)) (stop func()) {
	s := &subscriber{
		wake: make(chan struct{}, 1),
		quit: make(chan struct{}),
		done: make(chan struct{}),
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subscribers == nil {
		return func() {}
	}
	b.subscribers[s] = struct{}{}
	go s.run(handle)
	return func() {
		b.mu.Lock()
		delete(b.subscribers, s)
		b.mu.Unlock()
		s.stop()
	}
}

// Close ends all subscriptions and waits for the handlers that run; what still
// waits is not delivered. It never fails and may be called more than once.
func (b *Bus) Close() error {
	b.mu.Lock()
	open := slices.Collect(maps.Keys(b.subscribers))
	b.subscribers = nil
	b.mu.Unlock()
	for _, s := range open {
		s.stop()
	}
	return nil
}
