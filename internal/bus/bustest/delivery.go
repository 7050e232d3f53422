package bustest

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/bus"
)

func testOrder(t *testing.T, b bus.Bus) {
	const subscribers, last = 3, 300
	var all []*recorder
	for range subscribers {
		r := newRecorder(last)
		b.Subscribe(r.handle)
		all = append(all, r)
	}
	b.Publish(nil) // nothing published is nothing delivered
	for n := 1; n <= last; {
		size := min(1+n%7, last+1-n)
		b.Publish(run(1, n, n+size))
		n += size
	}
	for _, r := range all {
		r.expect(t, 1, last)
	}
}

func testConcurrent(t *testing.T, b bus.Bus) {
	const publishers, last = 8, Queue / 8
	all := []*recorder{newRecorder(publishers * last), newRecorder(publishers * last)}
	for _, r := range all {
		b.Subscribe(r.handle)
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for n := 1; n <= last; n++ {
				b.Publish(run(p, n, n+1))
			}
		})
	}
	wg.Wait()
	for _, r := range all {
		for p := range publishers {
			r.expect(t, p, last)
		}
	}
}

func testOneAtATime(t *testing.T, b bus.Bus) {
	const last = 200
	r := newRecorder(last)
	var inside, overlaps atomic.Int32
	b.Subscribe(func(d bus.Delivery) {
		if inside.Add(1) != 1 {
			overlaps.Add(1)
		}
		r.handle(d)
		inside.Add(-1)
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for n := range last / 4 {
				b.Publish(run(1, n, n+1))
			}
		})
	}
	wg.Wait()
	wait(t, r.arrived, "events")
	if got := overlaps.Load(); got != 0 {
		t.Errorf("got %d overlapping calls of one handler, want none", got)
	}
}

// gate is a handler that stays in its first call until it is released.
type gate struct {
	*recorder
	entered chan struct{}
	release chan struct{}
	once    sync.Once
}

func newGate(want int) *gate {
	return &gate{recorder: newRecorder(want), entered: make(chan struct{}), release: make(chan struct{})}
}

func (g *gate) handle(d bus.Delivery) {
	g.once.Do(func() {
		close(g.entered)
		<-g.release
		for range 100 {
			runtime.Gosched() // whoever does not wait for us gets the time to show it
		}
	})
	g.recorder.handle(d)
}

func testPublishDoesNotWait(t *testing.T, b bus.Bus) {
	const last = 100
	g := newGate(last)
	b.Subscribe(g.handle)
	b.Publish(run(1, 1, 2))
	wait(t, g.entered, "the handler")
	for n := 2; n <= last; n++ {
		b.Publish(run(1, n, n+1)) // would never return if it waited
	}
	close(g.release)
	g.expect(t, 1, last)
}

// testGap floods a subscriber that takes nothing, and checks that what it then
// gets is in order, that each loss has its mark, and that the newest is not lost.
func testGap(t *testing.T, b bus.Bus) {
	const size, last = 10, 4 * Queue
	entered, release, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var got []bus.Delivery
	b.Subscribe(func(d bus.Delivery) {
		if len(got) == 0 {
			close(entered)
			<-release
		}
		got = append(got, d)
		if d.Events[len(d.Events)-1].Position == last {
			close(done)
		}
	})
	b.Publish(run(1, 1, 2))
	wait(t, entered, "the handler")
	for n := 2; n <= last; n += size {
		b.Publish(run(1, n, min(n+size, last+1)))
	}
	close(release)
	wait(t, done, "the newest event")

	next, gaps := 1, 0
	for _, d := range got {
		first := int(d.Events[0].Position)
		if d.Gap {
			gaps++
		}
		if first < next {
			t.Errorf("got number %d after %d", first, next-1)
		}
		if first > next && !d.Gap {
			t.Errorf("numbers %d to %d lost without a mark", next, first-1)
		}
		for i, e := range d.Events {
			if want := first + i; int(e.Position) != want {
				t.Errorf("within a delivery: got number %d, want %d", e.Position, want)
			}
		}
		next = first + len(d.Events)
	}
	if gaps == 0 {
		t.Errorf("got no gap after %d events for a queue of %d", last, Queue)
	}
}

func testSlowNeighbour(t *testing.T, b bus.Bus) {
	slow := newGate(1)
	b.Subscribe(slow.handle)
	const rounds, size = 8, Queue / 2
	for round := range rounds {
		r := newRecorder(size)
		stop := b.Subscribe(r.handle)
		b.Publish(run(round, 1, size+1))
		r.expect(t, round, size)
		stop()
	}
	close(slow.release)
	wait(t, slow.arrived, "the slow subscriber")
}
