package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Storm measures how a server gets through a crowd of agents that all connect at
// the same moment, as after a restart, each with a few messages waiting.
type Storm struct {
	Common `embed:""`

	Sockets     int `default:"5000" help:"Agents that connect at once."`
	Waiting     int `default:"5" help:"Messages that wait for each and are acknowledged."`
	Repetitions int `default:"3" help:"Storms, each of other agents."`
}

const stormLegend = `sockets      agents that connect at the same moment, say HELLO and drain what waits for them
all ms       from that moment until the last has drained and acknowledged; median over the storms
connects/s   sockets divided by that time
p50, p99     from that moment until one agent has
retries      connections that were refused or closed and made again, as clients do
cpu us       CPU time of the server per agent, drain and acknowledgements included
`

func (b *Storm) check() error {
	switch {
	case b.Sockets < 1:
		return fmt.Errorf("sockets: %d is less than 1", b.Sockets)
	case b.Waiting < 0:
		return fmt.Errorf("waiting: %d is less than nothing", b.Waiting)
	case b.Repetitions < 1:
		return fmt.Errorf("repetitions: %d is less than 1", b.Repetitions)
	}
	return b.Common.check()
}

// Measure implements Measurement.
func (b *Storm) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	var agents []agent
	seed := func(ctx context.Context, c *crowd) error {
		all, err := c.agents(ctx, b.Repetitions*b.Sockets+1)
		if err != nil {
			return err
		}
		writer := all[len(all)-1]
		agents = all[:len(all)-1]
		if b.Waiting == 0 {
			return nil
		}
		threads := make([]thread, len(agents))
		for i, a := range agents {
			threads[i] = thread{writer.id, a.id}
		}
		return c.threads(ctx, threads, b.Waiting, true)
	}
	return b.run(ctx, b.Sockets, seed, func(ctx context.Context, r *rig) (*Figures, error) {
		return b.measure(ctx, r, agents)
	})
}

func (b *Storm) measure(ctx context.Context, r *rig, agents []agent) (*Figures, error) {
	var results []*slice
	var retries []float64
	for n := range b.Repetitions {
		r.show.part(0, 0, "%d of %d: storm ...", n+1, b.Repetitions)
		before, err := r.used(ctx, r.server)
		if err != nil {
			return nil, err
		}
		s, again, err := b.storm(ctx, r.server.address, agents[n*b.Sockets:(n+1)*b.Sockets])
		if err != nil {
			return nil, err
		}
		after, err := r.used(ctx, r.server)
		if err != nil {
			return nil, err
		}
		s.CPU, s.Database = after.Child-before.Child, after.Database-before.Database
		results, retries = append(results, s), append(retries, float64(again))
		r.show.line("%d of %d: all there after %.1f s, %.0f us of CPU each, %d retries",
			n+1, b.Repetitions, s.Elapsed.Seconds(), cost(s), again)
	}
	f := &Figures{legend: stormLegend, columns: []column{
		{"sockets", "sockets", 0},
		{"all_ms", "all ms", 1},
		{"connects_per_s", "connects/s", 1},
		columnP50, columnP99,
		{"retries", "retries", 0},
		columnCPU, columnDatabase,
	}}
	all := over(results, func(s *slice) float64 { return millis(s.Elapsed) })
	f.add("storm", float64(b.Sockets), all, over(results, (*slice).perSecond), over(results, lowMillis),
		over(results, highMillis), median(retries), over(results, cost), databaseCost(results))
	return f, nil
}

// storm lets agents connect at once; retries counts how often one tried again.
func (b *Storm) storm(ctx context.Context, address string, agents []agent) (s *slice, retries int64, err error) {
	var again atomic.Int64
	took := make([]time.Duration, len(agents))
	open := make([]*socket, len(agents)) // until the last is there
	defer func() { closeAll(open) }()
	group, groupCtx := errgroup.WithContext(ctx)
	began := time.Now()
	for i, a := range agents {
		group.Go(func() (err error) {
			v := visitor{address: address, token: a.token, waiting: b.Waiting, again: &again}
			open[i], err = v.visit(groupCtx)
			took[i] = time.Since(began)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, fmt.Errorf("connect: %w", err)
	}
	s = &slice{Sends: len(agents), Elapsed: time.Since(began)}
	slices.Sort(took)
	s.P50, s.P99 = quantile(took, 0.50), quantile(took, 0.99)
	return s, again.Load(), nil
}

// The patience of the official clients (AC 19.2, 19.8), and of the bench with them.
const (
	helloWait  = 4 * time.Second
	retryFirst = 500 * time.Millisecond
	retryMost  = 30 * time.Second
	retryTimes = 10
	drainWait  = time.Minute
)

// visitor is one agent of a storm.
type visitor struct {
	address string
	token   string
	waiting int
	seen    int // of those, over all its connections
	again   *atomic.Int64
}

// visit connects, as often as it takes, until everything that waits has come and
// is acknowledged. The caller closes the socket.
func (v *visitor) visit(ctx context.Context) (*socket, error) {
	pause := retryFirst
	for tries := 1; ; tries++ {
		s, err := v.try(ctx)
		if err == nil {
			return s, nil
		}
		if final(err) || tries == retryTimes || ctx.Err() != nil {
			return nil, err
		}
		v.again.Add(1)
		jitter := 0.75 + rand.Float64()/2 //nolint:gosec // spreads reconnects, guards nothing
		if err := wait(ctx, time.Duration(float64(pause)*jitter)); err != nil {
			return nil, err
		}
		pause = min(2*pause, retryMost)
	}
}

// final tells whether clients give up for good: on the close codes that mean so and
// when the key is refused (AC 19.3).
func final(err error) bool {
	const policy = 1008
	var closed *closedError
	var refused *refusedError
	switch {
	case errors.As(err, &closed):
		return closed.code == policy
	case errors.As(err, &refused):
		return !bytes.Contains([]byte(refused.status), []byte(" 503"))
	}
	return false
}

func (v *visitor) try(ctx context.Context) (_ *socket, err error) {
	s, err := openSocket(ctx, v.address, hello{v.token, true, helloWait})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = s.conn.Close()
		}
	}()
	ended := context.AfterFunc(ctx, func() { _ = s.conn.Close() })
	defer ended()
	if err := s.conn.SetDeadline(time.Now().Add(drainWait)); err != nil {
		return nil, err
	}
	for v.seen < v.waiting {
		frame, err := s.next()
		if err != nil {
			return nil, fmt.Errorf("drain: %w", err)
		}
		if !isMessage(frame) {
			continue
		}
		if err := s.acknowledge(frame); err != nil {
			return nil, fmt.Errorf("acknowledge: %w", err)
		}
		v.seen++
	}
	// The answer tells that everything before it was read.
	if err := s.write(opText, []byte(`{"type":"ping"}`)); err != nil {
		return nil, fmt.Errorf("ping: %w", err)
	}
	for {
		frame, err := s.next()
		if err != nil {
			return nil, fmt.Errorf("wait for a pong: %w", err)
		}
		if bytes.HasPrefix(frame, []byte(`{"type":"pong"`)) {
			return s, nil
		}
	}
}
