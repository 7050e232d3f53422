package hub_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"parley/internal/bus"
	"parley/internal/chat"
	"parley/internal/hub"
)

// crowd opens a hub with n accounts in one space, one subscription each.
func crowd(b *testing.B, n int, o hub.Options) (*world, *wire, []*hub.Subscription) {
	b.Helper()
	w, bus := newWorld(), &wire{}
	w.populate(room, n)
	h, err := hub.New(b.Context(), bus, w, o)
	if err != nil {
		b.Fatalf("new: %v", err)
	}
	b.Cleanup(h.Close)
	all := make([]*hub.Subscription, n)
	for i := range all {
		if all[i], err = h.Subscribe(b.Context(), hub.Interest{Account: chat.AccountID(i + 1)}); err != nil {
			b.Fatalf("subscribe: %v", err)
		}
	}
	return w, bus, all
}

// BenchmarkFanOut is the time the dispatcher needs for one event, by subscriber.
// Nobody is waiting; the queues are emptied off the clock.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w, wire, all := crowd(b, n, hub.Options{})
			position := w.end()
			const round = 256
			events := make([]chat.Event, 1)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				position++
				events[0] = said(room)
				events[0].Position = position
				wire.handle(bus.Delivery{Events: events})
				if i%round == round-1 {
					b.StopTimer()
					for _, s := range all {
						if _, err := s.Next(b.Context()); err != nil {
							b.Fatal(err)
						}
					}
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/subscriber")
		})
	}
}

// BenchmarkDelivery is the time from the bus until 1,000 readers, each waiting in
// a goroutine of its own, have all been handed a run of events.
func BenchmarkDelivery(b *testing.B) {
	const n = 1_000
	for _, run := range []int{1, 64} {
		b.Run(fmt.Sprintf("run=%d", run), func(b *testing.B) {
			w, wire, all := crowd(b, n, hub.Options{})
			position := w.end()
			ctx, cancel := context.WithCancel(b.Context())
			var readers, handed sync.WaitGroup
			for _, s := range all {
				readers.Go(func() {
					for {
						events, err := s.Next(ctx)
						if err != nil {
							return
						}
						handed.Add(-len(events))
					}
				})
			}
			events := make([]chat.Event, run)
			b.ReportAllocs()
			for b.Loop() {
				for i := range events {
					position++
					events[i] = said(room)
					events[i].Position = position
				}
				handed.Add(n * run)
				wire.handle(bus.Delivery{Events: events})
				handed.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*run), "ns/delivery")
			cancel()
			readers.Wait()
		})
	}
}

// BenchmarkSubscribe is one subscription from now on, opened and closed.
func BenchmarkSubscribe(b *testing.B) {
	w, wire := newWorld(), &wire{}
	w.write(joined(room, ann))
	h, err := hub.New(b.Context(), wire, w, hub.Options{})
	if err != nil {
		b.Fatalf("new: %v", err)
	}
	defer h.Close()
	b.ReportAllocs()
	for b.Loop() {
		s, err := h.Subscribe(b.Context(), hub.Interest{Account: ann})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// BenchmarkIdle is the memory of an idle subscription: its own, and that of its
// account with one membership.
func BenchmarkIdle(b *testing.B) {
	const n = 10_000
	for b.Loop() {
		var before, after runtime.MemStats
		var accounts []*hub.Subscription
		w, wire := newWorld(), &wire{}
		w.populate(room, n)
		h, err := hub.New(b.Context(), wire, w, hub.Options{})
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			s, err := h.Subscribe(b.Context(), hub.Interest{Account: chat.AccountID(i + 1)})
			if err != nil {
				b.Fatal(err)
			}
			accounts = append(accounts, s)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/subscription")
		runtime.KeepAlive(accounts)
		h.Close()
	}
}
