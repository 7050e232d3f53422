//go:build unix

package wsx

import (
	"net"
	"syscall"
)

// Unread tells whether the peer has sent something that waits to be read from the
// socket. It is for deadlines on the peer: a server that is short of time itself
// may not have come round to reading what arrived long ago. Where the socket
// cannot be asked the answer is no.
func (c *Conn) Unread() bool {
	nc := c.nc
	if secure, ok := nc.(interface{ NetConn() net.Conn }); ok {
		nc = secure.NetConn()
	}
	source, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := source.SyscallConn()
	if err != nil {
		return false
	}
	unread := false
	var peek [1]byte
	// Control and not Read, which would wait for the reader.
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), peek[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		unread = err == nil && n > 0
	})
	return err == nil && unread
}
