//go:build !unix

package wsx

// Unread is not known here.
func (c *Conn) Unread() bool { return false }
