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

const idleLegend = `idle-first   the first crowd that a fresh server meets, with all that grows only once
idle         another crowd, after the first has left: what a socket needs
sockets      authenticated sockets that nothing is sent on, each of an agent of its own
KB/socket    resident memory of the server that they added, after a garbage collection
KB before    resident memory of the server before
`

const (
	// Memory is read until two readings differ by no more than steady.
	steady       = 128 << 10
	steadyRounds = 20
	steadyPause  = 250 * time.Millisecond

	// leaveWait is a little more than the time for which the server waits for an
	// agent to come back.
	leaveWait = 6 * time.Second
)

func (b *Idle) check() error {
	if b.Sockets < 1 {
		return fmt.Errorf("sockets: %d is less than 1", b.Sockets)
	}
	return b.Common.check()
}

// Measure implements Measurement.
func (b *Idle) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	var agents []agent
	seed := func(ctx context.Context, c *crowd) (err error) {
		agents, err = c.agents(ctx, 2*b.Sockets)
		return err
	}
	return b.run(ctx, b.Sockets, seed, func(ctx context.Context, r *rig) (*Figures, error) {
		return b.measure(ctx, r, agents)
	})
}

func (b *Idle) measure(ctx context.Context, r *rig, agents []agent) (*Figures, error) {
	f := &Figures{legend: idleLegend, columns: []column{
		{"sockets", "sockets", 0},
		{"kb_per_socket", "KB/socket", 2},
		{"kb_before", "KB before", 0},
	}}
	if err := b.crowd(ctx, r, f, "idle-first", agents[:b.Sockets]); err != nil {
		return nil, err
	}
	r.show.part(0, 0, "waiting until the first crowd is forgotten ...")
	if err := wait(ctx, leaveWait); err != nil {
		return nil, err
	}
	return f, b.crowd(ctx, r, f, "idle", agents[b.Sockets:])
}

// crowd measures one crowd and adds a line for it.
func (b *Idle) crowd(ctx context.Context, r *rig, f *Figures, work string, agents []agent) error {
	before, err := r.resident(ctx)
	if err != nil {
		return err
	}
	after, err := r.keep(ctx, agents)
	if err != nil {
		return err
	}
	const kilobyte = 1 << 10
	each := float64(after-before) / float64(len(agents)) / kilobyte
	r.show.line("%s: %.2f KB for each of %d sockets", work, each, len(agents))
	f.add(work, float64(len(agents)), each, float64(before)/kilobyte)
	return nil
}

// keep opens a socket for each agent and says how much memory the server needs
// while they are open.
func (r *rig) keep(ctx context.Context, agents []agent) (resident int64, err error) {
	e := newExchange()
	defer e.close()
	if e.sockets, err = r.listen(ctx, agents, func(int) bool { return true }); err != nil {
		return 0, err
	}
	e.listen() // answers pings
	if resident, err = r.resident(ctx); err != nil {
		return 0, err
	}
	select {
	case <-e.broken: // what was measured is less than what was asked for
		return 0, e.err
	default:
		return resident, nil
	}
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
