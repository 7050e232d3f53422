package inproc_test

import (
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"parley/internal/bus"
	"parley/internal/bus/bustest"
	"parley/internal/bus/inproc"
	"parley/internal/chat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContract(t *testing.T) {
	t.Parallel()
	bustest.Run(t, func(*testing.T) bus.Bus {
		return inproc.New(inproc.Options{Queue: bustest.Queue})
	})
}

func TestDroppedEventsAreCounted(t *testing.T) {
	t.Parallel()
	var dropped atomic.Int64
	b := inproc.New(inproc.Options{Queue: 4, Dropped: func(n int) { dropped.Add(int64(n)) }})
	entered, release := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	b.Subscribe(func(bus.Delivery) {
		if once.CompareAndSwap(false, true) {
			close(entered)
			<-release
		}
	})
	b.Publish(make([]chat.Event, 1))
	<-entered
	for range 3 {
		b.Publish(make([]chat.Event, 3)) // the second and third each push out the one before
	}
	if got := dropped.Load(); got != 6 {
		t.Errorf("dropped: got %d events, want 6", got)
	}
	close(release)
	if err := b.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestRunLongerThanTheQueueIsDeliveredWhole(t *testing.T) {
	t.Parallel()
	b := inproc.New(inproc.Options{Queue: 4})
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	got := make(chan bus.Delivery, 1)
	b.Subscribe(func(d bus.Delivery) { got <- d })
	b.Publish(make([]chat.Event, 10))
	if d := <-got; len(d.Events) != 10 || d.Gap {
		t.Errorf("got %d events, gap %v; want 10, no gap", len(d.Events), d.Gap)
	}
}

func BenchmarkPublish(b *testing.B) {
	events := make([]chat.Event, 1)
	eventBus := inproc.New(inproc.Options{})
	for range 4 {
		eventBus.Subscribe(func(bus.Delivery) {})
	}
	b.ReportAllocs()
	for b.Loop() {
		eventBus.Publish(events)
	}
	if err := eventBus.Close(); err != nil {
		b.Errorf("close: %v", err)
	}
}
