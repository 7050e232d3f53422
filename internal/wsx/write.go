package wsx

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	final    = 0x80 // the frame is the last, and for us the only one, of its message
	opText   = 0x1
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xA
	maxShort = 125 // the longest payload whose length stands in the second byte

	// scratchSize is how much is gathered for one write. Larger frames are written
	// from where they lie.
	scratchSize = 16 << 10

	// keepFrames is up to which capacity a scratch keeps its list of frames.
	keepFrames = 512

	// maxHeader is the size of the longest header that a server writes.
	maxHeader = 10

	// pieceSize is how much is written under one deadline.
	pieceSize = 64 << 10
)

// scratch is what a writer works with; the group pools them.
type scratch struct {
	bytes  []byte
	frames [][]byte
	cost   int  // of the frames in bytes, as counted in Conn.waiting
	last   bool // these are the last words
}

// wakeWriter makes sure that there is a writer. The caller holds mu.
func (c *Conn) wakeWriter() {
	if !c.writing {
		c.writing = true
		go c.write()
	}
}

// write is the writer: it goes on until nothing waits any more.
func (c *Conn) write() {
	s := c.group.scratches.Get().(*scratch)
	for c.take(s) {
		err := c.writeAll(s)
		clear(s.frames)
		s.frames, s.bytes = s.frames[:0], s.bytes[:0]
		switch {
		case err != nil:
			c.mu.Lock()
			c.endWith(fmt.Errorf("write to peer: %w", err), nil, true)
			c.mu.Unlock()
			_ = c.nc.Close() // wakes the reader
		case s.last:
			_ = c.nc.SetReadDeadline(time.Now().Add(lastWords))
		default:
			continue
		}
		close(c.written) // and writing stays set: there is no writer after this one
		break
	}
	if cap(s.frames) > keepFrames {
		s.frames = nil
	}
	c.group.scratches.Put(s)
}

// take moves what waits to s. It answers false, and the writer is none any more, if
// there is nothing.
func (c *Conn) take(s *scratch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.cost = 0
	s.last = c.ended != nil
	if len(c.queue) == 0 && !c.pingDue && !c.pongDue && !s.last {
		c.writing = false
		return false
	}
	if c.pongDue {
		s.bytes = append(s.bytes, final|opPong, byte(len(c.pongFor)))
		s.bytes = append(s.bytes, c.pongFor...)
		c.pongFor, c.pongDue = nil, false
	}
	if c.pingDue {
		s.bytes = append(s.bytes, final|opPing, 0)
		c.pingDue = false
	}
	s.frames = append(s.frames, c.queue...)
	clear(c.queue)
	c.queue = c.queue[:0]
	if cap(c.queue) > keepCap {
		c.queue = nil
	}
	return true
}

// writeAll writes what take has found, gathered as far as it fits into the scratch,
// and the last words if they are due. It stops early, between two frames, if they
// are to be dropped.
func (c *Conn) writeAll(s *scratch) error {
	for _, frame := range s.frames {
		if len(s.bytes) > 0 && len(s.bytes)+maxHeader+len(frame) > cap(s.bytes) {
			if dropping, err := c.flush(s, nil); dropping || err != nil {
				return err
			}
		}
		s.bytes = appendHeader(s.bytes, len(frame))
		s.cost += len(frame) + frameCost
		if len(s.bytes)+len(frame) <= cap(s.bytes) {
			s.bytes = append(s.bytes, frame...)
			continue
		}
		if dropping, err := c.flush(s, frame); dropping || err != nil {
			return err
		}
	}
	if s.last {
		s.bytes = append(s.bytes, c.lastFrame...) // does not change once ended is set
	}
	_, err := c.flush(s, nil)
	return err
}

// flush writes what is gathered, and then the payload that did not fit, and takes it
// off what waits. It tells whether the rest is to be dropped; that is never so once
// the last words have been taken.
func (c *Conn) flush(s *scratch, payload []byte) (dropping bool, err error) {
	if err := c.writePieces(s.bytes); err != nil {
		return false, err
	}
	if err := c.writePieces(payload); err != nil {
		return false, err
	}
	s.bytes = s.bytes[:0]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting -= s.cost
	c.makeRoom(c.waiting)
	s.cost = 0
	return c.dropping && !s.last, nil
}

// writePieces writes p, with a deadline for each piece, or the one of the end.
func (c *Conn) writePieces(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), pieceSize)
		c.mu.Lock()
		c.allowTime()
		c.mu.Unlock()
		if _, err := c.nc.Write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// allowTime moves the deadline of the socket on, unless there is nearly as much time
// left anyway: moving it costs a tenth of a write. The caller holds mu.
func (c *Conn) allowTime() {
	if c.ended != nil {
		return
	}
	now, timeout := time.Now(), c.group.options.WriteTimeout
	if c.writeBy.Sub(now) < timeout-timeout/8 {
		c.writeBy = now.Add(timeout)
		_ = c.nc.SetWriteDeadline(c.writeBy)
	}
}

// appendHeader appends the header of a text frame of size bytes.
func appendHeader(b []byte, size int) []byte {
	switch {
	case size <= maxShort:
		return append(b, final|opText, byte(size))
	case size <= 0xFFFF:
		return binary.BigEndian.AppendUint16(append(b, final|opText, 126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(b, final|opText, 127), uint64(size))
	}
}
