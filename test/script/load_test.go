package script_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/client"
)

// load writes to a channel from several goroutines until it is stopped.
type load struct {
	channel client.ChannelID
	end     context.CancelFunc
	running sync.WaitGroup

	mu       sync.Mutex
	answered map[client.MessageID]bool // messages that the server said were stored
	marked   map[client.MessageID]bool // ... before the mark
	grown    chan struct{}             // closed and replaced with every answer
	err      error
}

// enough is how many messages have to be there before a script goes on.
const enough = 50

func background(ts *testscript.TestScript, w *world, args []string) {
	const form = "load start TOKEN CHANNEL, load mark, load stop, load through NAME, load check TOKEN"
	usage(ts, len(args) > 0, form)
	switch args[0] {
	case "start":
		usage(ts, len(args) == 3 && w.load == nil, form)
		c, err := client.New(ts.Getenv("URL"), client.WithToken(args[1]))
		ts.Check(err)
		w.load = startLoad(w.ctx, c, client.ChannelID(args[2]))
		ts.Check(w.load.more(w.ctx, enough))
	case "mark":
		// What comes before the mark is not the last that was written.
		ts.Check(w.load.mark(w.ctx))
	case "stop":
		w.load.stop()
		ts.Check(w.load.err)
	case "through":
		stop(ts, w, args[1:])
		w.load.stop()
		if client.StatusOf(w.load.err) != 0 {
			ts.Fatalf("a message while the server stopped: got %v, want an answer or none", w.load.err)
		}
		w.load.marked = w.load.answered
	case "check":
		usage(ts, len(args) == 2, form)
		c, err := client.New(ts.Getenv("URL"), client.WithToken(args[1]))
		ts.Check(err)
		w.load.check(w.ctx, ts, c)
	default:
		usage(ts, false, form)
	}
}

func startLoad(parent context.Context, c *client.Client, channel client.ChannelID) *load {
	ctx, end := context.WithCancel(parent)
	l := &load{channel: channel, end: end, answered: make(map[client.MessageID]bool), grown: make(chan struct{})}
	for writer := range 4 {
		l.running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				// A request that was begun is waited for: only then it is known what
				// became of it.
				m, err := c.Send(parent, channel, fmt.Sprintf("writer %d, message %d", writer, n))
				l.note(m, err)
				if err != nil {
					return
				}
			}
		})
	}
	return l
}

func (l *load) note(m *client.Message, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.err = err
	} else {
		l.answered[m.ID] = true
	}
	close(l.grown)
	l.grown = make(chan struct{})
}

// more waits for n more answers.
func (l *load) more(ctx context.Context, n int) error {
	l.mu.Lock()
	want := len(l.answered) + n
	l.mu.Unlock()
	for {
		l.mu.Lock()
		have, err, grown := len(l.answered), l.err, l.grown
		l.mu.Unlock()
		if err != nil || have >= want {
			return err
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// mark remembers what was answered so far.
func (l *load) mark(ctx context.Context) error {
	l.mu.Lock()
	l.marked = make(map[client.MessageID]bool, len(l.answered))
	for id := range l.answered {
		l.marked[id] = true
	}
	l.mu.Unlock()
	return l.more(ctx, enough)
}

func (l *load) stop() {
	l.end()
	l.running.Wait()
}

// check looks for every marked message in the channel of another server.
func (l *load) check(ctx context.Context, ts *testscript.TestScript, c *client.Client) {
	seen := make(map[client.MessageID]bool)
	for m, err := range c.History(ctx, l.channel, client.Page{Limit: 100}) {
		ts.Check(err)
		if seen[m.ID] {
			ts.Fatalf("message %s is there twice", m.ID)
		}
		seen[m.ID] = true
	}
	missing := make(map[client.MessageID]bool)
	for id := range l.marked {
		if !seen[id] {
			missing[id] = true
		}
	}
	if len(missing) > 0 {
		ts.Fatalf("%d of %d messages are missing: %v", len(missing), len(l.marked), sorted(missing))
	}
	ts.Logf("%d messages are there, %d of them from before the mark", len(seen), len(l.marked))
}

// sorted is for messages about sets.
func sorted[T ~string](set map[T]bool) []T {
	list := make([]T, 0, len(set))
	for v := range set {
		list = append(list, v)
	}
	slices.Sort(list)
	return list
}
