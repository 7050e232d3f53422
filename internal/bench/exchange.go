package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// deliveryWait is how long a message may take to reach everybody.
const deliveryWait = time.Minute

// exchange is a set of senders, each with at most one message in flight, and the
// sockets that their messages arrive on.
type exchange struct {
	senders []*sender
	sockets []*socket
	conns   []net.Conn // of the senders

	began  time.Time
	broken chan struct{} // closed when err is set: a socket does not go on
	once   sync.Once
	err    error
	ending atomic.Bool
	served sync.WaitGroup
}

// sender sends a message and waits until it has been delivered everywhere.
type sender struct {
	exchange *exchange
	number   int64 // of the last message
	post     func(number int64) error
	kept     []time.Duration // what deliveries took that count

	// Of the message in flight. The receivers see number through expected.
	expected atomic.Int64
	left     time.Duration // when it was sent, since the exchange began
	took     []time.Duration
	claimed  atomic.Int64  // places in took
	arrived  atomic.Int64  // places that are filled
	done     chan struct{} // holds one signal
	sample   []byte        // the first frame that ever arrived
}

func newExchange() *exchange { return &exchange{began: time.Now(), broken: make(chan struct{})} }

// addSender adds a sender whose messages reach so many sockets. post sends one,
// under the client's id of the sender's number and the number.
func (e *exchange) addSender(reach int, post func(number int64) error) {
	e.senders = append(e.senders, &sender{
		exchange: e, post: post, took: make([]time.Duration, reach), done: make(chan struct{}, 1),
	})
}

// The id that a client gives its message tells which sender it is from and which of
// the sender's messages it is: "s0001-000000000042".
const (
	clientIDKey   = `"client_msg_id":"`
	senderDigits  = 4
	numberDigits  = 12
	clientIDStart = 1 + senderDigits + 1 // where the number stands
)

func clientID(sender int) string {
	return fmt.Sprintf("s%0*d-%0*d", senderDigits, sender, numberDigits, 0)
}

// putNumber writes the number of a message into its client's id, which begins at
// the start of text.
func putNumber(text []byte, number int64) {
	copy(text[clientIDStart:], fmt.Sprintf("%0*d", numberDigits, number))
}

// readClientID is the reverse of clientID and putNumber.
func readClientID(id []byte) (sender int, number int64, err error) {
	if len(id) == clientIDStart+numberDigits {
		sender, err = strconv.Atoi(string(id[1 : 1+senderDigits]))
		if err == nil {
			number, err = strconv.ParseInt(string(id[clientIDStart:]), 10, 64)
		}
	} else {
		err = errors.New("is not one of ours")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("id %q of a message: %w", id, err)
	}
	return sender, number, nil
}

// listen reads all sockets until close. There are no more senders after this.
func (e *exchange) listen() {
	for _, s := range e.sockets {
		e.served.Go(func() {
			if err := e.read(s); err != nil && !e.ending.Load() {
				e.fail(err)
			}
		})
	}
}

func (e *exchange) fail(err error) {
	e.once.Do(func() {
		e.err = err
		close(e.broken)
	})
}

func (e *exchange) read(s *socket) error {
	for {
		frame, err := s.next()
		if err != nil {
			return fmt.Errorf("read a socket: %w", err)
		}
		now := time.Since(e.began)
		if !isMessage(frame) {
			continue
		}
		if err := e.arrive(frame, now); err != nil {
			return err
		}
		if s.acks {
			if err := s.acknowledge(frame); err != nil {
				return fmt.Errorf("acknowledge: %w", err)
			}
		}
	}
}

// arrive counts a delivery. A message that arrives twice on a socket, or when it is
// not in flight, is a fault of the server.
func (e *exchange) arrive(frame []byte, now time.Duration) error {
	id, _ := member(frame, clientIDKey)
	from, number, err := readClientID(id)
	if err != nil {
		return err
	}
	if from >= len(e.senders) {
		return fmt.Errorf("message %q is from nobody", id)
	}
	s := e.senders[from]
	if expected := s.expected.Load(); number != expected {
		return fmt.Errorf("message %q arrived when number %d was in flight", id, expected)
	}
	n := int(s.claimed.Add(1))
	if n > len(s.took) {
		return fmt.Errorf("message %q arrived %d times, want %d", id, n, len(s.took))
	}
	if number == 1 && n == 1 {
		s.sample = bytes.Clone(frame)
	}
	s.took[n-1] = now - s.left
	if int(s.arrived.Add(1)) == len(s.took) {
		s.done <- struct{}{}
	}
	return nil
}

// send sends one message and waits until it has been answered and delivered.
func (s *sender) send(ctx context.Context) error {
	e := s.exchange
	s.number++
	s.claimed.Store(0)
	s.arrived.Store(0)
	s.left = time.Since(e.began)
	s.expected.Store(s.number)
	if err := s.post(s.number); err != nil {
		return err
	}
	timer := time.NewTimer(deliveryWait)
	defer timer.Stop()
	select {
	case <-s.done:
		return nil
	case <-e.broken:
		return e.err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("a message reached %d of %d sockets within %v", s.arrived.Load(), len(s.took), deliveryWait)
	}
}

// slice drives some of the senders and returns what came of it, per delivery.
func (e *exchange) slice(
	ctx context.Context, senders []*sender, p pace, used func() (usage, error),
) (*slice, error) {
	p.Connections = len(senders)
	for _, s := range senders {
		s.kept = s.kept[:0]
	}
	result, err := drive(ctx, p, used, func(i int) error { return senders[i].send(ctx) }, func(i int) {
		senders[i].kept = append(senders[i].kept, senders[i].took...)
	})
	if err != nil {
		return nil, err
	}
	var all []time.Duration
	for _, s := range senders {
		all = append(all, s.kept...)
	}
	slices.Sort(all)
	result.Sends, result.P50, result.P99 = len(all), quantile(all, 0.50), quantile(all, 0.99)
	return result, nil
}

// probe sends one message of each sender.
func (e *exchange) probe(ctx context.Context) error {
	for _, s := range e.senders {
		if err := s.send(ctx); err != nil {
			return fmt.Errorf("try it out: %w", err)
		}
	}
	return nil
}

// close closes all connections and waits for the readers.
func (e *exchange) close() {
	e.ending.Store(true)
	closeAll(e.sockets)
	for _, c := range e.conns {
		_ = c.Close()
	}
	e.served.Wait()
}

// part is one of the things that are measured in turn.
type part struct {
	work     string
	reach    int    // sockets on which a message arrives
	measured *child // whose CPU time counts
	exchange *exchange
	senders  []*sender
}

// inTurn drives a slice of each part, so many times over, so that all see the same
// minutes of the machine.
func (r *rig) inTurn(ctx context.Context, parts []part, repetitions int, p pace) ([][]*slice, error) {
	results := make([][]*slice, len(parts))
	for n := range repetitions {
		for i, part := range parts {
			r.show.part(0, 0, "%d of %d: %s ...", n+1, repetitions, part.work)
			used := func() (usage, error) { return r.used(ctx, part.measured) }
			s, err := part.exchange.slice(ctx, part.senders, p, used)
			if err != nil {
				return nil, fmt.Errorf("measure %s: %w", part.work, err)
			}
			results[i] = append(results[i], s)
			r.show.line("%d of %d: %s %.0f deliveries/s, %.1f us of CPU each, p99 %.1f ms",
				n+1, repetitions, part.work, s.perSecond(), cost(s), millis(s.P99))
		}
	}
	return results, nil
}
