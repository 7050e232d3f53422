package bench

import (
	"context"
	"fmt"
	"net"
)

// Inbox measures how agents catch up over REST: a page of sync, an acknowledgement,
// and so on until nothing waits (AC 15), beside a floor that reads and marks the
// same rows.
type Inbox struct {
	Common `embed:""`

	Agents      int `default:"25" help:"Agents that catch up in one slice."`
	Waiting     int `default:"2000" help:"Messages that wait for each."`
	Connections int `default:"8" help:"Connections, each of one agent at a time."`
	Repetitions int `default:"3" help:"Slices of the server and of the floor, in turn, each with other agents."`
}

const (
	inboxThreads = 4 // conversations of each agent that the messages are in

	workInbox = "inbox"
)

const inboxLegend = `inbox        the server: pages of 200 over REST, each acknowledged
floor-rows   the same rows read with one SELECT a page and marked with one UPDATE, nothing else
rows/s       messages fetched and acknowledged; median over the slices
cpu us       CPU time of the measured process per message
p50, p99     for one page, with its acknowledgement
ratio        CPU time of the floor, and of its database, divided by that of the line
`

func (b *Inbox) check() error {
	switch {
	case b.Agents < 1:
		return fmt.Errorf("agents: %d is less than 1", b.Agents)
	case b.Waiting < inboxThreads:
		return fmt.Errorf("waiting: %d are fewer than %d", b.Waiting, inboxThreads)
	case b.Connections < 1 || b.Connections > 1000:
		return fmt.Errorf("connections: %d is not between 1 and 1000", b.Connections)
	case b.Repetitions < 1:
		return fmt.Errorf("repetitions: %d is less than 1", b.Repetitions)
	}
	return b.Common.check()
}

// waiting is how many messages wait for one agent: as many in each thread.
func (b *Inbox) waiting() int { return b.Waiting / inboxThreads * inboxThreads }

// Measure implements Measurement.
func (b *Inbox) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	var agents []agent
	seed := func(ctx context.Context, c *crowd) error {
		readers := 2 * b.Repetitions * b.Agents
		all, err := c.agents(ctx, readers+inboxThreads)
		if err != nil {
			return err
		}
		agents = all[:readers]
		var threads []thread
		for _, to := range agents {
			for _, from := range all[readers:] {
				threads = append(threads, thread{from.id, to.id})
			}
		}
		return c.threads(ctx, threads, b.Waiting/inboxThreads, true)
	}
	return b.run(ctx, b.Connections, seed, func(ctx context.Context, r *rig) (*Figures, error) {
		return b.measure(ctx, r, agents)
	})
}

func (b *Inbox) measure(ctx context.Context, r *rig, agents []agent) (*Figures, error) {
	floor, err := r.start(ctx, workFloorRows)
	if err != nil {
		return nil, err
	}
	works := []string{workInbox, workFloorRows}
	results := make([][]*slice, len(works))
	for n := range b.Repetitions {
		for i, work := range works {
			r.show.part(0, 0, "%d of %d: %s ...", n+1, b.Repetitions, work)
			share := agents[:b.Agents]
			agents = agents[b.Agents:]
			s, err := b.slice(ctx, r, work, floor, share)
			if err != nil {
				return nil, fmt.Errorf("measure %s: %w", work, err)
			}
			if want := b.Agents * b.waiting(); s.Sends != want {
				return nil, fmt.Errorf("measure %s: %d rows were acknowledged, want %d", work, s.Sends, want)
			}
			results[i] = append(results[i], s)
			r.show.line("%d of %d: %s %.0f rows/s, %.2f us of CPU each, p99 of a page %.1f ms",
				n+1, b.Repetitions, work, s.perSecond(), cost(s), millis(s.P99))
		}
	}
	f := &Figures{legend: inboxLegend, columns: []column{
		{"rows_per_s", "rows/s", 1}, columnCPU, columnP50, columnP99, columnRatio, columnDatabase,
	}}
	whole := func(s *slice) float64 { return s.perSend(s.CPU + s.Database) }
	for i, work := range works {
		s := results[i]
		ratio := over(results[1], whole) / over(s, whole)
		f.add(work, over(s, (*slice).perSecond), over(s, cost), over(s, lowMillis), over(s, highMillis), ratio, databaseCost(s))
	}
	return f, nil
}

// slice lets agents catch up, at the server or past it.
func (b *Inbox) slice(ctx context.Context, r *rig, work string, floor *child, agents []agent) (*slice, error) {
	measured := r.server
	if work == workFloorRows {
		measured = floor
	}
	before, err := r.used(ctx, measured)
	if err != nil {
		return nil, err
	}
	var s *slice
	if work == workFloorRows {
		share := &inboxShare{Connections: b.Connections}
		for _, a := range agents {
			share.Recipients = append(share.Recipients, int64(a.id))
		}
		answer, err := floor.tell(order{Inbox: share})
		if err != nil {
			return nil, err
		}
		s = answer.Slice
	} else if s, err = b.overREST(ctx, r.server.address, agents); err != nil {
		return nil, err
	}
	after, err := r.used(ctx, measured)
	if err != nil {
		return nil, err
	}
	s.CPU, s.Database = after.Child-before.Child, after.Database-before.Database
	return s, nil
}

// overREST lets agents catch up at the server.
func (b *Inbox) overREST(ctx context.Context, address string, agents []agent) (*slice, error) {
	var pagers []pager
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range b.Connections {
		p, err := dialSync(ctx, address, agents)
		if err != nil {
			return nil, err
		}
		pagers, conns = append(pagers, p), append(conns, p.client.conn)
	}
	return drainAll(ctx, len(agents), pagers)
}
