package wsx

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Close codes of RFC 6455 (7.4) and its registry that servers send.
const (
	CodeNormal        = 1000
	CodeGoingAway     = 1001
	CodeProtocol      = 1002
	CodeNoStatus      = 1005 // only reported: the peer's close frame held no code
	CodePolicy        = 1008
	CodeTooLarge      = 1009
	CodeInternal      = 1011
	CodeTryAgainLater = 1013
)

var (
	// ErrNotWebSocket says that the request asks for no upgrade that this package
	// offers. Nothing has been written: the caller answers it.
	ErrNotWebSocket = errors.New("not a WebSocket request")

	// ErrClosed says that the connection or the group has ended or is about to.
	ErrClosed = errors.New("connection closed")

	// ErrSlow says that the peer reads more slowly than it is sent to.
	ErrSlow = errors.New("peer reads too slowly")

	// ErrHeartbeat says that the peer did not answer a ping in time.
	ErrHeartbeat = errors.New("no pong in time")
)

// CloseError tells with which close frame a connection ended.
type CloseError struct {
	Code   int
	Reason string
	ByPeer bool  // the peer's close frame; else ours
	Cause  error // ErrSlow or ErrHeartbeat if that was why; else nil
}

// Error implements error.
func (e *CloseError) Error() string {
	by := "server"
	if e.ByPeer {
		by = "peer"
	}
	return fmt.Sprintf("closed by %s with %d %q", by, e.Code, e.Reason)
}

// Unwrap returns Cause.
func (e *CloseError) Unwrap() error { return e.Cause }

// Options hold for all connections of a group. A zero field stands for the default
// named beside it.
type Options struct {
	// MaxFrame is the size in bytes up to which a message of the peer is taken
	// (2 MiB). A larger one ends the connection with 1009.
	MaxFrame int

	// SendBuffer is how many bytes may wait for the peer (4 MiB), each frame counted
	// with a little on top for its place in the queue. What exceeds it ends the
	// connection with SlowCode (1013) and SlowReason ("overload").
	SendBuffer int
	SlowCode   int
	SlowReason string

	// PingEvery is the time between two pings (45 s), PongWithin the time for the
	// answer (30 s), which has to be the shorter one. Both are kept to a 45th part
	// of PingEvery. No answer ends the connection with 1001 "Heartbeat timeout".
	PingEvery  time.Duration
	PongWithin time.Duration

	// WriteTimeout is how long the peer may take to accept 64 KiB (10 s, kept to an
	// eighth), after which the connection is cut.
	WriteTimeout time.Duration
}

func (o Options) withDefaults() Options {
	const mib = 1 << 20
	o.MaxFrame = cmp.Or(o.MaxFrame, 2*mib)
	o.SendBuffer = cmp.Or(o.SendBuffer, 4*mib)
	o.SlowCode = cmp.Or(o.SlowCode, CodeTryAgainLater)
	o.SlowReason = cmp.Or(o.SlowReason, "overload")
	o.PingEvery = cmp.Or(o.PingEvery, 45*time.Second)
	o.PongWithin = cmp.Or(o.PongWithin, 30*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	return o
}
