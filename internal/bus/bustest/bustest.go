// Package bustest is the contract suite of the event bus: every engine passes it.
package bustest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/bus"
	"parley/internal/chat"
)

// Queue is how many events a bus under test holds for a subscriber that takes
// none; with one more it begins to lose them. Tests that expect to lose nothing
// stay below it.
const Queue = 1024

// Run holds the buses that open returns to the contract. Each is closed by the
// test that opened it. The calling package checks for leaked goroutines with
// goleak.VerifyTestMain.
func Run(t *testing.T, open func(t *testing.T) bus.Bus) {
	for name, test := range map[string]func(*testing.T, bus.Bus){
		"EverySubscriberGetsEverythingInOrder": testOrder,
		"ConcurrentPublishersKeepTheirOrder":   testConcurrent,
		"HandlerRunsOneAtATime":                testOneAtATime,
		"PublishDoesNotWaitForHandlers":        testPublishDoesNotWait,
		"LossIsMarkedWithAGap":                 testGap,
		"SlowSubscriberDoesNotHurtOthers":      testSlowNeighbour,
		"StopWaitsAndIsFinal":                  testStop,
		"SubscribersComeAndGo":                 testChurn,
		"CloseWaitsAndIsFinal":                 testClose,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, b)
		})
	}
}

// event makes number n of a publisher.
func event(publisher, n int) chat.Event {
	return chat.Event{
		Kind: chat.EventSpaceUpdated, Space: chat.SpaceID(publisher), Position: chat.Position(n),
	}
}

// run makes the events of a publisher from first up to and excluding end.
func run(publisher, first, end int) []chat.Event {
	events := make([]chat.Event, 0, end-first)
	for n := first; n < end; n++ {
		events = append(events, event(publisher, n))
	}
	return events
}

// recorder is a handler that keeps what it is given.
type recorder struct {
	mu      sync.Mutex
	events  []chat.Event
	gaps    int
	want    int
	arrived chan struct{} // closed when want events have come
}

func newRecorder(want int) *recorder {
	return &recorder{want: want, arrived: make(chan struct{})}
}

func (r *recorder) handle(d bus.Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.events)
	r.events = append(r.events, d.Events...)
	if d.Gap {
		r.gaps++
	}
	if before < r.want && len(r.events) >= r.want {
		close(r.arrived)
	}
}

// of returns the numbers that came from a publisher.
func (r *recorder) of(publisher int) []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	var numbers []int
	for _, e := range r.events {
		if e.Space == chat.SpaceID(publisher) {
			numbers = append(numbers, int(e.Position))
		}
	}
	return numbers
}

// expect waits for everything and fails unless publisher's numbers are 1 to last.
func (r *recorder) expect(t *testing.T, publisher, last int) {
	t.Helper()
	wait(t, r.arrived, "events")
	want := make([]int, last)
	for i := range want {
		want[i] = i + 1
	}
	if got := r.of(publisher); !slices.Equal(got, want) {
		t.Errorf("publisher %d: got %v, want 1 to %d in order", publisher, got, last)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gaps != 0 {
		t.Errorf("got %d gaps, want none", r.gaps)
	}
}

// wait waits for a signal that comes unless the bus is broken.
func wait(t *testing.T, signal <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-signal:
	case <-time.After(time.Minute):
		t.Fatalf("waited a minute for %s", what)
	}
}
