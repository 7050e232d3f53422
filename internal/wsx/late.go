package wsx

import "time"

// lateAgain is how soon a peer is looked at again when something waited to be read.
const lateAgain = time.Second

// Await bounds the time until the first message: if the peer has sent none after d,
// late is called, once, by the goroutine that reads, like the methods of the Handler.
// It is to Close. Await is called between Upgrade and Start.
//
// The time is not over while something of the peer waits to be read or handled: a
// server that is short of time itself may come round late to what arrived long ago.
// That is why the reader itself looks, at a deadline of its socket: a timer could
// fire when the message has been read already, but by a goroutine or thread that has
// to wait for its turn.
func (c *Conn) Await(d time.Duration, late func()) {
	c.late = late
	c.readBy(time.Now().Add(d))
}

// readBy sets the deadline of the reader; the zero time is none. At the end of the
// connection it is for the writer to set.
func (c *Conn) readBy(at time.Time) (open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != nil {
		return false
	}
	_ = c.nc.SetReadDeadline(at) // or reading fails anyway
	return true
}

// heard ends the wait for the first message.
func (c *Conn) heard() {
	if c.late != nil {
		c.late = nil
		c.readBy(time.Time{})
	}
}

// overdue deals with a deadline that has passed, and tells whether to read on.
func (c *Conn) overdue() bool {
	late := c.late
	if late == nil {
		return false
	}
	var next time.Time
	unread := c.Unread()
	if unread {
		next = time.Now().Add(lateAgain)
	}
	switch open := c.readBy(next); {
	case !open:
		// The connection is ending, and the writer may still be at its last words. It
		// sets a deadline when it is done; should it have done so already, this is it.
		c.late = nil
		_ = c.nc.SetReadDeadline(time.Now().Add(2 * lastWords))
	case !unread:
		c.late, c.handling = nil, true
		late()
		c.handling = false
	}
	return true
}
