package wsx

import (
	"encoding/binary"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lxzan/gws"
)

const (
	// lastWords is how long a connection that ends may take to write what is left and
	// its close frame, and then again to wait for the peer's answer.
	lastWords = 2 * time.Second

	// frameCost is counted for each waiting frame on top of its bytes.
	frameCost = 32

	// keepCap is up to which capacity an emptied queue is kept: idle connections
	// should stay small.
	keepCap = 4

	// maxReason is what fits into a control frame beside the code.
	maxReason = 123
)

// Handler receives what comes in. Its methods are called one at a time, by the
// goroutine that reads the connection, so none may wait for Done.
type Handler interface {
	// Message gets a whole message of the peer, which is valid until it returns. The
	// next one is not read before that.
	Message(data []byte, binary bool)

	// Pong tells that the peer has shown to be alive.
	Pong()

	// Closed is the last call and tells why the connection ended: a *CloseError if
	// one of the sides said so, else what happened to the socket.
	Closed(why error)
}

// Conn is one connection. Methods may be called from any goroutine.
type Conn struct {
	group       *Group
	nc          net.Conn
	ws          *gws.Conn
	done        chan struct{}
	slot, index int         // in group.wheel; guarded by Group.mu
	awaiting    atomic.Bool // a ping is unanswered

	// Of Upgrade, then of the reader:
	handler Handler
	header  http.Header // for the 101; nil once it is out
	reply   []byte      // the close frame that the library wants sent
	gone    error       // what the library ended with
	readErr error       // what the socket ended with
	late    func()      // of Await; nil once there was a message, or the call

	handling, peerClosed bool

	mu        sync.Mutex
	queue     [][]byte
	waiting   int           // bytes in queue or being written
	room      chan struct{} // of Wait; closed when waiting is down to roomAt, and at the end
	roomAt    int
	pongFor   []byte
	pongDue   bool // only the latest ping is answered, so pings cannot pile up
	pingDue   bool
	writeBy   time.Time // the deadline of the socket
	writing   bool      // there is a writer
	ended     error
	dropping  bool // what waits is not to be written
	lastFrame []byte
	written   chan struct{} // made when ended is set; closed when the writer has written its last
}

// Start begins to read and to call the handler. It is called once, after Upgrade, and
// does not wait: the HTTP handler should return soon after, to free what the request
// holds. Send and Close may come before it.
func (c *Conn) Start(handler Handler) {
	c.handler = handler
	go c.read()
}

// Send queues a text frame and returns at once. The bytes must never change again;
// they are not copied, so the same frame may be sent to any number of connections.
// Frames arrive in the order of the calls. It fails with ErrClosed if the connection
// has been closed, and with ErrSlow if the frame finds no room, which closes it.
func (c *Conn) Send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.put(frame); err != nil {
		return err
	}
	c.wakeWriter()
	return nil
}

// Queue is Send, but whoever calls it calls Flush soon after. It saves the goroutine
// that writes where there is one already that has nothing else to do.
func (c *Conn) Queue(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.put(frame)
}

// Flush writes what waits, unless somebody else is at it, and returns when nothing
// waits any more: a peer that reads slowly is waited for.
func (c *Conn) Flush() {
	c.mu.Lock()
	idle := c.writing || len(c.queue) == 0
	if !idle {
		c.writing = true
	}
	c.mu.Unlock()
	if !idle {
		c.write()
	}
}

// put puts a frame into the queue. The caller holds mu.
func (c *Conn) put(frame []byte) error {
	if c.ended != nil {
		return ErrClosed
	}
	size := len(frame) + frameCost
	if c.waiting+size > c.group.options.SendBuffer {
		o := &c.group.options
		c.end(&CloseError{Code: o.SlowCode, Reason: o.SlowReason, Cause: ErrSlow}, true)
		return ErrSlow
	}
	c.queue = append(c.queue, frame)
	c.waiting += size
	return nil
}

// Wait returns when no more than size bytes wait for the peer, counted as
// Options.SendBuffer counts them, so that a sender with much to send goes no
// faster than the peer reads. It fails with ErrClosed once the connection has been
// closed, which a peer that reads nothing brings about (Options.WriteTimeout). One
// goroutine at a time may wait.
func (c *Conn) Wait(size int) error {
	c.mu.Lock()
	for c.ended == nil && c.waiting > size {
		room := make(chan struct{})
		c.room, c.roomAt = room, size
		c.mu.Unlock()
		<-room
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	if c.ended != nil {
		return ErrClosed
	}
	return nil
}

// Close ends the connection: what waits is written, then a close frame with the code
// and the reason (of which 123 bytes are sent). It does not wait; Done tells when all
// is over, a few seconds later at most. Only the first end of a connection counts, so
// further calls do nothing.
func (c *Conn) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(&CloseError{Code: code, Reason: reason}, false)
}

// Done is closed after Handler.Closed has returned.
func (c *Conn) Done() <-chan struct{} { return c.done }

// ping asks the peer for a sign of life.
func (c *Conn) ping() {
	c.awaiting.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.pingDue = true
		c.wakeWriter()
	}
}

// expectPong ends the connection if the last ping is unanswered.
func (c *Conn) expectPong() {
	if !c.awaiting.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(&CloseError{Code: CodeGoingAway, Reason: "Heartbeat timeout", Cause: ErrHeartbeat}, true)
}

// pong answers a ping of the peer.
func (c *Conn) pong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended == nil {
		c.pongFor, c.pongDue = payload, true
		c.wakeWriter()
	}
}

// end sets the reason of the end, unless there is one, and has the writer say its
// last words. The caller holds mu.
func (c *Conn) end(why *CloseError, drop bool) {
	c.endWith(why, closeFrame(why.Code, why.Reason), drop)
}

// endWith is end with a close frame of its own, or none. The caller holds mu.
func (c *Conn) endWith(why error, frame []byte, drop bool) {
	if c.ended != nil {
		return
	}
	c.ended, c.lastFrame, c.dropping = why, frame, drop
	c.written = make(chan struct{})
	c.pingDue = false
	c.makeRoom(0)
	if drop {
		c.queue, c.pongDue = nil, false
	}
	_ = c.nc.SetWriteDeadline(time.Now().Add(lastWords)) // fails on a closed socket only; nobody moves it any more
	c.wakeWriter()
}

// makeRoom lets go who waits for it, if there is as much room as that. The caller
// holds mu.
func (c *Conn) makeRoom(waiting int) {
	if c.room != nil && waiting <= c.roomAt {
		close(c.room)
		c.room = nil
	}
}

func (c *Conn) isEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended != nil
}

// closeFrame encodes a close frame; a reason too long is cut between characters.
func closeFrame(code int, reason string) []byte {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	frame := make([]byte, 0, 4+len(reason))
	frame = append(frame, final|opClose, byte(2+len(reason)))
	frame = binary.BigEndian.AppendUint16(frame, uint16(code))
	return append(frame, reason...)
}
