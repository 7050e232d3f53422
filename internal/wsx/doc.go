// Package wsx is the server side of WebSockets that every dialect shares: it
// upgrades, reads messages, writes frames without ever waiting for the peer, keeps
// connections alive and ends them with a reason. It knows no dialect.
//
// # Owners
//
// A Group owns its connections: the options that hold for all of them, the one
// ticker that pings them, and their orderly end. A connection owns its socket. The
// library below (gws) answers the handshake and parses what comes in; nothing that
// it wants to write after the handshake reaches the socket by itself (see wire), so
// all frames that go out come from one place and never interleave.
//
// # Lifecycle
//
//	Upgrade -> (Await) -> Start -> (Send, Close) -> Handler.Closed -> Done
//
// Start leaves the connection with one goroutine, the reader. It is not the one of
// net/http, so the request, its buffers and its stack are free once the HTTP
// handler returns. The writer is a second goroutine that lives only while something
// waits: Send, a ping or an end starts it, and it writes what has gathered meanwhile
// in one go. Nothing is delayed in order to gather more. A goroutine that has queued
// frames and has nothing else to do may be the writer itself (Flush).
//
// A connection ends once, for the first cause that is given to end: Close, the peer's
// close frame, a breach of the protocol, a missing pong, a queue that ran full, a
// socket that failed. From then on nothing is queued and no message is handed on.
// The writer writes what is left (or drops it, as the cause demands), then the close
// frame, all within lastWords; then the reader has as long again to see the peer's
// answer, since a socket that is closed with unread input resets the connection and
// takes the close frame with it. The reader is the last: it waits for the writer,
// closes the socket, leaves the group, tells the handler and closes Done.
//
// # Locks
//
// Conn.mu guards what senders, writer and reader share, Group.mu the wheel of
// connections. They are never held together. Under neither is there I/O or a
// callback; arming a deadline, which does not wait, happens under Conn.mu, so that
// the short one of an end is not replaced by the long one of an ordinary write.
package wsx
