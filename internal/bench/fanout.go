package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// Fanout measures what it costs to bring one message to many sockets, beside a
// floor that writes the same bytes to as many and does nothing else.
type Fanout struct {
	Common `embed:""`

	Members     int           `default:"250" help:"Members of the group."`
	Sockets     int           `default:"4" help:"Sockets of each member. The first is one that the server acknowledges for (no ack mode)."`
	Senders     int           `default:"4" help:"Members that write, each with one message in flight."`
	Duration    time.Duration `default:"3s" help:"Length of one measured slice."`
	WarmUp      time.Duration `default:"500ms" help:"Time before each slice that is not measured."`
	Repetitions int           `default:"3" help:"Slices of the server and of the floor, in turn."`
}

// workFanout is the server's line in the report.
const workFanout = "fanout"

const fanoutLegend = `fanout       the server: messages to a group, from the POST to a frame on every socket
floor-frames a program that writes ready-made frames of the same bytes to as many sockets
deliveries/s frames that arrived; median over the slices
cpu us       CPU time of the measured process per frame, load generator not included
p50, p99     from before the message was sent to the arrival of the frame
ratio        CPU time of the floor divided by that of the line
`

func (b *Fanout) check() error {
	switch {
	case b.Members < 2 || b.Members > groupLimit:
		return fmt.Errorf("members: %d is not between 2 and %d", b.Members, groupLimit)
	case b.Sockets < 1:
		return fmt.Errorf("sockets: %d is less than 1", b.Sockets)
	case b.Senders < 1 || b.Senders > b.Members:
		return fmt.Errorf("senders: %d is not between 1 and the %d members", b.Senders, b.Members)
	}
	if err := b.Common.check(); err != nil {
		return err
	}
	return checkSlices(b.Repetitions, b.WarmUp, b.Duration)
}

// reach is on how many sockets a message arrives: its sender gets none.
func (b *Fanout) reach() int { return (b.Members - 1) * b.Sockets }

// Measure implements Measurement.
func (b *Fanout) Measure(ctx context.Context) (*Figures, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	run := &fanoutRun{Fanout: b}
	return b.run(ctx, 2*b.Members*b.Sockets, run.seed, run.measure) // for the floor as well
}

// fanoutRun is one call of Fanout.Measure.
type fanoutRun struct {
	*Fanout

	members []agent
	group   string
}

func (b *fanoutRun) seed(ctx context.Context, c *crowd) (err error) {
	if b.members, err = c.agents(ctx, b.Members); err != nil {
		return err
	}
	b.group, err = c.group(ctx, b.members)
	return err
}

func (b *fanoutRun) measure(ctx context.Context, r *rig) (*Figures, error) {
	full, err := b.full(ctx, r)
	if err != nil {
		return nil, err
	}
	defer full.close()
	if err := full.probe(ctx); err != nil {
		return nil, err
	}
	child, err := r.start(ctx, workFloorFrames)
	if err != nil {
		return nil, err
	}
	floor, err := b.floor(ctx, child, full.senders)
	if err != nil {
		return nil, err
	}
	defer floor.close()
	if err := floor.probe(ctx); err != nil {
		return nil, err
	}
	parts := []part{
		{workFanout, b.reach(), r.server, full, full.senders},
		{workFloorFrames, b.reach(), child, floor, floor.senders},
	}
	results, err := r.inTurn(ctx, parts, b.Repetitions, pace{WarmUp: b.WarmUp, Duration: b.Duration})
	if err != nil {
		return nil, err
	}
	f := &Figures{legend: fanoutLegend, columns: []column{
		{"deliveries_per_s", "deliveries/s", 1}, columnCPU, columnP50, columnP99, columnRatio, columnDatabase,
	}}
	for i, p := range parts {
		s := results[i]
		ratio := over(results[1], cost) / over(s, cost)
		f.add(p.work, over(s, (*slice).perSecond), over(s, cost), over(s, lowMillis), over(s, highMillis), ratio, databaseCost(s))
	}
	return f, nil
}

// full is the group with all its sockets, on the server.
func (b *fanoutRun) full(ctx context.Context, r *rig) (_ *exchange, err error) {
	e := newExchange()
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	var listeners []agent
	for _, m := range b.members {
		for range b.Sockets {
			listeners = append(listeners, m)
		}
	}
	// The first socket of each member does without ack mode: the server notes that
	// its message is delivered, else inboxes would fill up. The others offer it and
	// are silent, so that nothing but frames is compared with the floor.
	e.sockets, err = r.listen(ctx, listeners, func(k int) bool { return k%b.Sockets > 0 })
	if err != nil {
		return nil, err
	}
	_, err = e.addPosters(ctx, r.server.address, b.members[:b.Senders], b.reach(), func(int) []string {
		return []string{`"conversation_id":"` + b.group + `"`}
	})
	if err != nil {
		return nil, err
	}
	for _, s := range e.sockets {
		s.acks = false // whatever it has offered
	}
	e.listen()
	return e, nil
}

// floor is as many sockets on a child that writes what it is given to all of them.
// The frames are those that the senders' first messages arrived in.
func (b *fanoutRun) floor(ctx context.Context, c *child, senders []*sender) (_ *exchange, err error) {
	e := newExchange()
	defer func() {
		if err != nil {
			e.close()
		}
	}()
	for range b.reach() {
		conn, err := dialFrames(ctx, c.address, frameReceiver)
		if err != nil {
			return nil, err
		}
		e.sockets = append(e.sockets, newSocket(conn, false))
	}
	for _, s := range senders {
		conn, err := dialFrames(ctx, c.address, frameSender)
		if err != nil {
			return nil, err
		}
		e.conns = append(e.conns, conn)
		w, err := newFrameWriter(conn, s.sample)
		if err != nil {
			return nil, err
		}
		e.addSender(b.reach(), w.post)
	}
	e.listen()
	return e, nil
}

// dialFrames connects to the floor and waits until it has noted what for.
func dialFrames(ctx context.Context, address string, role byte) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if _, err = conn.Write([]byte{role}); err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return conn, nil
}

// frameWriter hands the floor frames to write: their length, then the frame.
type frameWriter struct {
	conn net.Conn
	text []byte
	at   int // where the client's id begins
}

func newFrameWriter(conn net.Conn, payload []byte) (*frameWriter, error) {
	at := bytes.Index(payload, []byte(clientIDKey))
	if at < 0 {
		return nil, fmt.Errorf("a frame without a client's id: %.200s", payload)
	}
	frame := append(frameHead(opText, len(payload), 0), payload...)
	text := append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)
	return &frameWriter{conn, text, len(text) - len(payload) + at + len(clientIDKey)}, nil
}

// post hands over a frame and waits until it is written.
func (w *frameWriter) post(number int64) error {
	putNumber(w.text[w.at:], number)
	if err := w.conn.SetDeadline(time.Now().Add(deliveryWait)); err != nil {
		return err
	}
	if _, err := w.conn.Write(w.text); err != nil {
		return fmt.Errorf("hand over a frame: %w", err)
	}
	if _, err := io.ReadFull(w.conn, make([]byte, 1)); err != nil {
		return fmt.Errorf("wait until a frame is written: %w", err)
	}
	return nil
}
