package wsx

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/lxzan/gws"
)

// events passes on what the library has read. All is called by the reader.
type events struct{ gws.BuiltinEventHandler }

func connOf(ws *gws.Conn) *Conn { return (*Conn)(ws.NetConn().(*wire)) }

// OnMessage implements gws.Event.
func (events) OnMessage(ws *gws.Conn, message *gws.Message) {
	defer func() { _ = message.Close() }() // gives the buffer back
	if c := connOf(ws); !c.isEnded() {
		c.heard()
		c.handling = true
		c.handler.Message(message.Bytes(), message.Opcode == gws.OpcodeBinary)
		c.handling = false
	}
}

// OnPing implements gws.Event.
func (events) OnPing(ws *gws.Conn, payload []byte) { connOf(ws).pong(payload) }

// OnPong implements gws.Event.
func (events) OnPong(ws *gws.Conn, _ []byte) {
	c := connOf(ws)
	c.awaiting.Store(false)
	if !c.isEnded() {
		c.handling = true
		c.handler.Pong()
		c.handling = false
	}
}

// OnClose implements gws.Event.
func (events) OnClose(ws *gws.Conn, err error) { connOf(ws).gone = err }

// read is the reader, and brings the connection to its end.
func (c *Conn) read() {
	frame, why := c.verdict(c.readAll())
	if frame == nil {
		_ = c.nc.Close() // so that the writer does not wait for somebody who has gone
	}
	c.mu.Lock()
	c.endWith(why, frame, true)
	why = c.ended
	c.mu.Unlock()
	<-c.written
	if frame != nil && !c.peerClosed {
		c.drain()
	}
	_ = c.nc.Close() // the writer may have done so
	c.group.remove(c)
	c.handler.Closed(why)
	close(c.done)
}

// readAll reads until the connection cannot be read any further. A panic ends this
// connection and not the program. The parser's own is the peer's doing: gws takes the
// 64-bit length of a frame for a signed number.
func (c *Conn) readAll() (failure error) {
	defer func() {
		p := recover()
		switch {
		case p == nil:
		case c.handling:
			failure = fmt.Errorf("handle what the peer sent: panic: %v\n%s", p, debug.Stack())
		default:
			c.reply = closeFrame(CodeProtocol, "protocol error")
		}
	}()
	c.ws.ReadLoop()
	return nil
}

// verdict tells with which close frame the end of reading is to be answered, nil if
// nobody is there to get it, and why it ended.
func (c *Conn) verdict(failure error) (frame []byte, why error) {
	if failure != nil {
		return closeFrame(CodeInternal, "internal error"), failure
	}
	if c.readErr != nil {
		return nil, fmt.Errorf("read from peer: %w", c.readErr)
	}
	if peer, ok := errors.AsType[*gws.CloseError](c.gone); ok {
		c.peerClosed = true
		return c.reply, &CloseError{Code: cmp.Or(int(peer.Code), CodeNoStatus), Reason: string(peer.Reason), ByPeer: true}
	}
	// A breach of the protocol. The library has made the frame: two bytes of header,
	// two of code, and a reason that begins with its name.
	code := int(binary.BigEndian.Uint16(c.reply[2:]))
	reason := strings.TrimPrefix(string(c.reply[4:]), "gws: ")
	return closeFrame(code, reason), &CloseError{Code: code, Reason: reason}
}

// drain reads on until the peer closes the socket too, or the time that the writer has
// set for it is over. The peer learns from the closed half that we are done.
func (c *Conn) drain() {
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	var waste [512]byte
	for {
		if _, err := c.nc.Read(waste[:]); err != nil {
			return
		}
	}
}
