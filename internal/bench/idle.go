package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Idle measures how much memory the server keeps for sockets that only wait.
type Idle struct {
	Common `embed:""`

	Sockets int `default:"5000" help:"Sockets, each of an agent of its own."`
}

const idleLegend = `sockets      authenticated sockets that nothing is sent on, each of an agent of its own
KB/socket    resident memory of the server that they added, after a garbage collection
KB before    resident memory of the server before, with a fifth as many sockets open
`

const (
	// warmShare is the part of the sockets that is opened before: what grows once
	// has grown then.
	warmShare = 5

	// Memory is read until two readings differ by no more than steady.
	steady       = 128 << 10
	steadyRounds = 20
	steadyPause  = 250 * time.Millisecond
)

func (b *Idle) check() error {
	if b.Sockets < warmShare {
		return fmt.Errorf("sockets: %d are fewer than %d", b.Sockets, warmShare)
	}
	return b.Common.check()
}

// Measure implements Measurement.
func (b *Idle) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	var agents []agent
	warm := b.Sockets / warmShare
	seed := func(ctx context.Context, c *crowd) (err error) {
		agents, err = c.agents(ctx, warm+b.Sockets)
		return err
	}
	return b.run(ctx, warm+b.Sockets, seed, func(ctx context.Context, r *rig) (*Figures, error) {
		return b.measure(ctx, r, agents[:warm], agents[warm:])
	})
}

func (b *Idle) measure(ctx context.Context, r *rig, warm, agents []agent) (*Figures, error) {
	before, end, err := r.keep(ctx, warm)
	if err != nil {
		return nil, err
	}
	defer end()
	r.show.line("%.1f MB resident with %d sockets", megabytes(before), len(warm))
	after, end, err := r.keep(ctx, agents)
	if err != nil {
		return nil, err
	}
	defer end()
	r.show.line("%.1f MB resident with %d sockets", megabytes(after), len(warm)+len(agents))
	f := &Figures{legend: idleLegend, columns: []column{
		{"sockets", "sockets", 0}, {"kb_per_socket", "KB/socket", 2}, {"kb_before", "KB before", 0},
	}}
	const kilobyte = 1 << 10
	f.add("idle", float64(len(agents)), float64(after-before)/float64(len(agents))/kilobyte, float64(before)/kilobyte)
	return f, nil
}

// keep opens a socket for each agent, keeps them alive until end is called, and
// says how much memory the server needs with them.
func (r *rig) keep(ctx context.Context, agents []agent) (resident int64, end func(), err error) {
	e := newExchange()
	if e.sockets, err = r.listen(ctx, agents, func(int) bool { return true }); err != nil {
		return 0, nil, err
	}
	e.listen()
	if resident, err = r.resident(ctx); err == nil {
		select {
		case <-e.broken: // what was measured is less than what was asked for
			err = e.err
		default:
		}
	}
	if err != nil {
		e.close()
		return 0, nil, err
	}
	return resident, e.close, nil
}

// resident is the memory of the server, in bytes, when it has come to rest.
func (r *rig) resident(ctx context.Context) (int64, error) {
	last := int64(0)
	for range steadyRounds {
		answer, err := r.server.tell(order{Resident: true})
		if err != nil {
			return 0, err
		}
		if moved := answer.Resident - last; -steady <= moved && moved <= steady {
			return answer.Resident, nil
		}
		last = answer.Resident
		if err := wait(ctx, steadyPause); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("the memory of the server does not come to rest: is somebody else using it?")
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
