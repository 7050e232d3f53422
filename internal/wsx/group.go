package wsx

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lxzan/gws"
)

// slots is how many parts the time between two pings is divided into. A connection
// sits in the slot in which it came, so each tick visits two slots only and the
// pings are spread over time as the arrivals were.
const slots = 45

// Group is a set of connections with the same options. Methods may be called from
// any goroutine.
type Group struct {
	options   Options
	upgrader  *gws.Upgrader
	scratches sync.Pool // of *scratch
	tick      time.Duration
	pongTicks int // from a ping to the look for its pong

	stop    func() // ends the heartbeat; may be called more than once
	stopped chan struct{}

	mu     sync.Mutex
	wheel  [slots][]*Conn
	now    int // the slot of this tick
	length int
	closed bool
}

// NewGroup makes a group and starts its heartbeat, which CloseAll ends.
func NewGroup(options Options) *Group {
	options = options.withDefaults()
	tick := max(options.PingEvery/slots, 1)
	stop := make(chan struct{})
	g := &Group{
		options: options,
		upgrader: gws.NewUpgrader(events{}, &gws.ServerOption{
			ReadMaxPayloadSize: options.MaxFrame,
			ReadBufferSize:     readBuffer,
			CheckUtf8Enabled:   true,
			ParallelGolimit:    1, // sizes a channel that only parallel handling uses
			NewSession:         func() gws.SessionStorage { return nil },
		}),
		scratches: sync.Pool{New: func() any { return &scratch{bytes: make([]byte, 0, scratchSize)} }},
		tick:      tick,
		pongTicks: min(max(int((options.PongWithin+tick-1)/tick), 1), slots-1),
		stop:      sync.OnceFunc(func() { close(stop) }),
		stopped:   make(chan struct{}),
	}
	go g.beat(stop)
	return g
}

// Len is the number of connections, those about to end included.
func (g *Group) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.length
}

// CloseAll refuses upgrades from now on, closes all connections with code and reason,
// evenly spread over the given time so that the peers do not all come back at once,
// and returns when they have ended and the heartbeat has. When ctx ends first the
// rest is closed and cut without waiting for any peer, and the error says so.
func (g *Group) CloseAll(ctx context.Context, code int, reason string, spread time.Duration) error {
	conns := g.shut()
	start := time.Now()
	for i, c := range conns {
		waitUntil(ctx, start.Add(spread*time.Duration(i)/time.Duration(len(conns))))
		c.Close(code, reason)
	}
	cut := 0
	for _, c := range conns {
		select {
		case <-c.done:
			continue
		default:
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			cut++
			_ = c.nc.Close() // wakes reader and writer, which do the rest
			<-c.done
		}
	}
	g.stop()
	<-g.stopped
	if cut > 0 {
		return fmt.Errorf("close connections: %d cut: %w", cut, context.Cause(ctx))
	}
	return nil
}

// shut refuses further connections and returns those that there are.
func (g *Group) shut() []*Conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	conns := make([]*Conn, 0, g.length)
	for _, slot := range g.wheel {
		conns = append(conns, slot...)
	}
	return conns
}

// waitUntil waits for the time, or for ctx. It does not bother about less than a
// millisecond, which timers do not keep anyway.
func waitUntil(ctx context.Context, at time.Time) {
	wait := time.Until(at)
	if wait < time.Millisecond {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (g *Group) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// add fails if the group has been closed.
func (g *Group) add(c *Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	c.slot, c.index = g.now, len(g.wheel[g.now])
	g.wheel[g.now] = append(g.wheel[g.now], c)
	g.length++
	return true
}

func (g *Group) remove(c *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	slot := g.wheel[c.slot]
	last := len(slot) - 1
	slot[c.index] = slot[last]
	slot[c.index].index = c.index
	slot[last] = nil
	g.wheel[c.slot] = slot[:last]
	g.length--
}

// beat pings every connection once per turn of the wheel, and looks pongTicks later
// whether it has answered.
func (g *Group) beat(stop <-chan struct{}) {
	defer close(g.stopped)
	ticker := time.NewTicker(g.tick)
	defer ticker.Stop()
	var due, late []*Conn
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		g.mu.Lock()
		g.now = (g.now + 1) % slots
		due = append(due, g.wheel[g.now]...)
		late = append(late, g.wheel[(g.now-g.pongTicks+slots)%slots]...)
		g.mu.Unlock()
		for _, c := range late {
			c.expectPong()
		}
		for _, c := range due {
			c.ping()
		}
		clear(due)
		clear(late)
		due, late = due[:0], late[:0]
	}
}
