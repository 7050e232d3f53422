package bustest

import (
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/bus"
)

// testEnd checks that end waits for a handler that runs and that none runs after it.
func testEnd(t *testing.T, b bus.Bus, g *gate, end func()) {
	t.Helper()
	b.Publish(run(1, 1, 2))
	wait(t, g.entered, "the handler")
	b.Publish(run(1, 2, 3))

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		end()
		if len(g.of(1)) == 0 {
			t.Error("returned while the handler was running")
		}
	}()
	close(g.release)
	wait(t, ended, "the end")

	before := len(g.of(1))
	b.Publish(run(1, 3, 4))
	end() // again: returns at once
	if got := len(g.of(1)); got != before {
		t.Errorf("handler called after the end: got %d events, want %d", got, before)
	}
}

func testStop(t *testing.T, b bus.Bus) {
	g, other := newGate(1), newRecorder(3)
	stop := b.Subscribe(g.handle)
	b.Subscribe(other.handle)
	testEnd(t, b, g, stop)
	other.expect(t, 1, 3) // the other one goes on
}

func testClose(t *testing.T, b bus.Bus) {
	g := newGate(1)
	stop := b.Subscribe(g.handle)
	testEnd(t, b, g, func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	stop() // after Close: returns at once
	late := newRecorder(1)
	b.Subscribe(late.handle)()
	b.Publish(run(1, 1, 2))
	if got := late.of(1); len(got) != 0 {
		t.Errorf("subscriber of a closed bus: got %v, want nothing", got)
	}
}

func testChurn(t *testing.T, b bus.Bus) {
	const last = 200
	r := newRecorder(last)
	b.Subscribe(r.handle)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				var stopped atomic.Bool
				stop := b.Subscribe(func(bus.Delivery) {
					if stopped.Load() {
						t.Error("handler called after stop")
					}
				})
				stop()
				stopped.Store(true)
			}
		})
	}
	for n := 1; n <= last; n++ {
		b.Publish(run(1, n, n+1))
	}
	wg.Wait()
	r.expect(t, 1, last)
}
