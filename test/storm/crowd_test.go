package storm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley/test/agent"
	"parley/test/program"
)

// Clients try again after a while that doubles, as the official ones do (AC 19.8, there
// up to 30 s), and
// give up a connection that is not greeted in time (AC 26.6).
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
	greetedIn    = 10 * time.Second

	tryAgainLater = 1013
)

// socket is a place in the crowd: one connection after the other.
type socket struct {
	agent    *agent.Agent
	expected []string
	had      *wave       // the last one in which it had everything
	more     chan []byte // the first message that came after that
}

// wave ends when every socket of a storm has had everything.
type wave struct {
	began time.Time
	left  int // guarded by storm.mu
	done  chan struct{}
}

// gather opens the sockets of all agents at once, so many of each, until ctx ends.
// What should not be is told to fail.
func (s *storm) gather(ctx context.Context, fail func(error), each int) *wave {
	s.sockets = make([]*socket, each*crowd)
	for n := range s.sockets {
		i := n % crowd
		s.sockets[n] = &socket{agent: s.agents[i], expected: s.expected[i], more: make(chan []byte, 1)}
	}
	w := s.expect()
	for _, k := range s.sockets {
		s.running.Go(func() {
			if err := s.keepOpen(ctx, k); err != nil {
				fail(fmt.Errorf("%s: %w", k.agent.Handle, err))
			}
		})
	}
	return w
}

// expect begins a wave.
func (s *storm) expect() *wave {
	w := &wave{began: time.Now(), left: len(s.sockets), done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wave, s.refused, s.cut, s.cutBy = w, 0, 0, nil
	return w
}

// await waits for the end of a wave.
func (s *storm) await(ctx context.Context, t *testing.T, srv *program.Server, w *wave) {
	t.Helper()
	select {
	case <-w.done:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.left > 0 {
		t.Fatalf("%d of %d sockets did not get everything in %v: %v", w.left, len(s.sockets), time.Since(w.began), context.Cause(ctx))
	}
	t.Logf("%d sockets had everything after %v; %d attempts to connect were in vain, %d connections were cut (%v); memory of the server at most %s",
		len(s.sockets), time.Since(w.began).Round(time.Millisecond), s.refused, s.cut, s.cutBy, peak(srv))
}

// keepOpen connects again and again, as clients do, until ctx ends.
func (s *storm) keepOpen(ctx context.Context, k *socket) error {
	for pause := firstPause; ctx.Err() == nil; {
		greeted, err := s.follow(ctx, k)
		if code, reason := agent.CloseOf(err); code >= 0 && code != tryAgainLater && !errors.Is(err, agent.ErrLate) {
			return fmt.Errorf("closed with %d %q: %w", code, reason, err) // clients would give up for good
		}
		if _, wrong := errors.AsType[*wrongFrame](err); wrong {
			return err
		}
		if greeted {
			pause = firstPause
			continue
		}
		timer := time.NewTimer(pause*3/4 + rand.N(pause/2))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, longestPause)
	}
	return nil
}

// follow reads everything from a new connection until it ends.
func (s *storm) follow(ctx context.Context, k *socket) (greeted bool, err error) {
	impatient, cancel := context.WithTimeout(ctx, greetedIn)
	conn, err := k.agent.Listen(impatient)
	cancel()
	if err != nil {
		s.noteRefused()
		return false, err
	}
	// Closing ends a read; a context for each read would cost more than the rest.
	stop := context.AfterFunc(ctx, conn.Close)
	defer stop()
	defer conn.Close()
	ctx = context.WithoutCancel(ctx)
	for i, want := range k.expected {
		frame, err := nextMessage(ctx, conn)
		if err != nil {
			s.noteCut(err)
			return true, err
		}
		if !bytes.Contains(frame, []byte(want)) {
			return true, &wrongFrame{i, frame, want}
		}
	}
	s.complete(k)
	for {
		frame, err := nextMessage(ctx, conn)
		if err != nil {
			return true, err
		}
		select {
		case k.more <- frame:
		default:
			return true, &wrongFrame{len(k.expected), frame, "nothing"}
		}
	}
}

// wrongFrame is a message that should not have come, or not yet.
type wrongFrame struct {
	after int
	frame []byte
	want  string
}

// Error shows the frame.
func (e *wrongFrame) Error() string {
	return fmt.Sprintf("after %d messages: got %s, want %s", e.after, e.frame, e.want)
}

// nextMessage waits for a message, and passes over who comes online meanwhile.
func nextMessage(ctx context.Context, conn *agent.Socket) ([]byte, error) {
	for {
		frame, err := conn.Next(ctx)
		if err != nil || bytes.Contains(frame, []byte(`"type":"message.new"`)) {
			return frame, err
		}
	}
}

// complete notes that a socket has had everything in this wave.
func (s *storm) complete(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.had == s.wave {
		return
	}
	k.had = s.wave
	if s.wave.left--; s.wave.left == 0 {
		close(s.wave.done)
	}
}

func (s *storm) noteRefused() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
}

func (s *storm) noteCut(by error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut++
	s.cutBy = by
}

// sayMore has everybody send one more message to the next, and checks that it is what
// every socket of the recipient gets next.
func (s *storm) sayMore(ctx context.Context, t *testing.T) {
	t.Helper()
	last := make([]string, crowd) // by recipient
	together(t, crowd, func(i int) error {
		d := agent.Draft{To: s.next(i).Handle, ClientID: "last"}
		d.Content.Text = "Land!"
		m, _, err := s.agents[i].Send(ctx, d)
		if err == nil {
			last[(i+1)%crowd] = m.ID
		}
		return err
	})
	for n, k := range s.sockets {
		select {
		case frame := <-k.more:
			if want := last[n%crowd]; !bytes.Contains(frame, []byte(want)) {
				t.Fatalf("%s: got %s, want %s next", k.agent.Handle, frame, want)
			}
		case <-ctx.Done():
			t.Fatalf("%s: the last message did not come: %v", k.agent.Handle, context.Cause(ctx))
		}
	}
}
