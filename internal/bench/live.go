package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Live measures the way from POST /v1/messages to the frame on a WebSocket: in
// direct conversations, and in a group of all receivers.
type Live struct {
	Common `embed:""`

	Senders     int           `default:"16" help:"Agents that write, each with one message in flight."`
	Receivers   int           `default:"64" help:"Agents that listen, each on a socket in ack mode."`
	Duration    time.Duration `default:"3s" help:"Length of one measured slice."`
	WarmUp      time.Duration `default:"500ms" help:"Time before each slice that is not measured."`
	Repetitions int           `default:"3" help:"Slices of direct messages and of group messages, in turn."`
}

// The works of Live.
const (
	workDirect = "direct"
	workGroup  = "group"
)

// groupLimit is how many members a group may have (AC 16.1).
const groupLimit = 256

const liveLegend = `direct       a message to one agent, who listens on one socket
group        a message to a group of all receivers
sends/s      messages answered and delivered everywhere; median over the slices
deliveries/s frames of message.new that arrived
cpu us       CPU time of the server per delivery, acknowledgement included
p50, p99     from before the POST to the arrival of the frame
`

func (b *Live) check() error {
	switch {
	case b.Senders < 1 || b.Receivers < 1:
		return errors.New("senders, receivers: one of each is needed")
	case b.Senders+b.Receivers > groupLimit:
		return fmt.Errorf("senders, receivers: %d are more than the %d that a group holds", b.Senders+b.Receivers, groupLimit)
	}
	return errors.Join(b.Common.check(), checkSlices(b.Repetitions, b.WarmUp, b.Duration))
}

// checkSlices checks the options of everything that is measured in slices.
func checkSlices(repetitions int, warmUp, duration time.Duration) error {
	switch {
	case repetitions < 1:
		return fmt.Errorf("repetitions: %d is less than 1", repetitions)
	case duration < 100*time.Millisecond:
		return fmt.Errorf("duration: %v is shorter than 100ms", duration)
	case warmUp < 0:
		return fmt.Errorf("warm-up: %v is less than nothing", warmUp)
	}
	return nil
}

// Measure implements Measurement.
func (b *Live) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	l := &liveRun{Live: b}
	return b.run(ctx, b.Senders+b.Receivers, l.seed, l.measure)
}

// liveRun is one call of Live.Measure.
type liveRun struct {
	*Live

	senders, receivers []agent
	group              string
}

// receiversOf are the agents that sender i writes to: all have their share, and
// with more senders than receivers several share one.
func (l *liveRun) receiversOf(i int) (share []agent) {
	for k := i % len(l.receivers); k < len(l.receivers); k += len(l.senders) {
		share = append(share, l.receivers[k])
	}
	return share
}

func (l *liveRun) seed(ctx context.Context, c *crowd) error {
	all, err := c.agents(ctx, l.Senders+l.Receivers)
	if err != nil {
		return err
	}
	l.senders, l.receivers = all[:l.Senders], all[l.Senders:]
	var threads []thread
	for i, from := range l.senders {
		for _, to := range l.receiversOf(i) {
			threads = append(threads, thread{from.id, to.id})
		}
	}
	if err := c.threads(ctx, threads, 1, false); err != nil {
		return err
	}
	l.group, err = c.group(ctx, all)
	return err
}

func (l *liveRun) measure(ctx context.Context, r *rig) (*Figures, error) {
	e := newExchange()
	defer e.close()
	var err error
	if e.sockets, err = r.listen(ctx, l.receivers, func(int) bool { return true }); err != nil {
		return nil, err
	}
	direct, err := e.addPosters(ctx, r.server.address, l.senders, 1, l.directly)
	if err != nil {
		return nil, err
	}
	group, err := e.addPosters(ctx, r.server.address, l.senders, l.Receivers, func(int) []string {
		return []string{`"conversation_id":"` + l.group + `"`}
	})
	if err != nil {
		return nil, err
	}
	e.listen()
	if err := e.probe(ctx); err != nil {
		return nil, err
	}
	f := &Figures{legend: liveLegend, columns: []column{
		{"sends_per_s", "sends/s", 1},
		{"deliveries_per_s", "deliveries/s", 1},
		columnCPU, columnP50, columnP99, columnDatabase,
	}}
	return f, l.slices(ctx, r, f, []part{
		{workDirect, 1, r.server, e, direct}, {workGroup, l.Receivers, r.server, e, group},
	})
}

// directly is whom sender i writes to, one after the other.
func (l *liveRun) directly(i int) (targets []string) {
	for _, to := range l.receiversOf(i) {
		targets = append(targets, `"to":"`+to.handle+`"`)
	}
	return targets
}

// slices measures both parts in turn and adds a line for each.
func (l *liveRun) slices(ctx context.Context, r *rig, f *Figures, parts []part) error {
	results, err := r.inTurn(ctx, parts, l.Repetitions, pace{WarmUp: l.WarmUp, Duration: l.Duration})
	if err != nil {
		return err
	}
	for i, p := range parts {
		s := results[i]
		rate := over(s, (*slice).perSecond)
		f.add(p.work, rate/float64(p.reach), rate, over(s, cost), over(s, lowMillis), over(s, highMillis), databaseCost(s))
	}
	return nil
}
