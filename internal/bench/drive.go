package bench

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// pace says how a slice is driven.
type pace struct {
	Connections int
	WarmUp      time.Duration
	Duration    time.Duration
}

// slice is what one slice came to.
type slice struct {
	Sends    int // or whatever else the work counts
	Elapsed  time.Duration
	CPU      time.Duration // of the child
	Database time.Duration // CPU of a database server of its own
	P50, P99 time.Duration
}

// perSecond is the rate of the slice.
func (s *slice) perSecond() float64 { return float64(s.Sends) / s.Elapsed.Seconds() }

// perSend divides a time among the sends, in microseconds.
func (s *slice) perSend(d time.Duration) float64 {
	return float64(d.Microseconds()) / float64(max(s.Sends, 1))
}

// usage is the CPU time used so far.
type usage struct{ Child, Database time.Duration }

// The phases of a slice.
const (
	warming int32 = iota
	measuring
	stopping
)

// drive keeps one send in flight per connection, a closed loop, and counts those
// that end inside the measured time. send makes one send on connection i; counted,
// unless it is nil, is told of each one that counts, on the same goroutine.
func drive(
	ctx context.Context, p pace, used func() (usage, error), send func(i int) error, counted func(i int),
) (*slice, error) {
	var phase atomic.Int32
	took := make([][]time.Duration, p.Connections)
	group, ctx := errgroup.WithContext(ctx)
	for i := range p.Connections {
		group.Go(func() error {
			began := time.Now()
			for {
				if err := send(i); err != nil {
					return err
				}
				ended := time.Now()
				switch phase.Load() {
				case measuring:
					took[i] = append(took[i], ended.Sub(began))
					if counted != nil {
						counted(i)
					}
				case stopping:
					return nil
				}
				began = ended
			}
		})
	}
	s := new(slice)
	group.Go(func() error {
		defer phase.Store(stopping)
		if err := wait(ctx, p.WarmUp); err != nil {
			return err
		}
		before, err := used()
		if err != nil {
			return err
		}
		began := time.Now()
		phase.Store(measuring)
		err = wait(ctx, p.Duration)
		phase.Store(stopping)
		s.Elapsed = time.Since(began)
		after, usedErr := used()
		if err := cmp.Or(err, usedErr); err != nil {
			return err
		}
		s.CPU, s.Database = after.Child-before.Child, after.Database-before.Database
		return nil
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := slices.Concat(took...)
	if len(all) == 0 {
		return nil, fmt.Errorf("no send was answered within %v", p.Duration)
	}
	slices.Sort(all)
	s.Sends, s.P50, s.P99 = len(all), quantile(all, 0.50), quantile(all, 0.99)
	return s, nil
}

// wait waits for d, or for the end of ctx, which is an error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// quantile is the value that the share q of the sorted values does not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// median of values, which it sorts; the lower of the middle two.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
