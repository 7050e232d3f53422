package agentchat

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/hub"
	"parley/internal/wsx"
)

// stage is how far a socket has come with its greeting.
type stage uint8

const (
	stageWaiting stage = iota // for a first frame
	stageGreeted              // it came, or was not needed
	stageRefused
)

// socket is one agent's WebSocket. It implements wsx.Handler, whose methods run in
// the goroutine of the reader.
//
// What is committed reaches the client in two pieces, divided by one position:
// what waits in its inbox up to there is drained, what has a higher one comes from
// the hub. So nothing overtakes, doubles or falls in between, whatever happens
// while the drain goes on; the subscription is behind until the drain is done, so
// nothing queues up for it either.
//
// While the agent is fully paused nothing is sent; when it is let go, what came
// meanwhile is drained in the same way (AC 3.3).
type socket struct {
	sockets *sockets
	conn    *wsx.Conn
	call    core.Call
	handle  string
	stage   stage       // of the reader
	acks    atomic.Bool // the client acknowledges (AC 19.4)
	rate    frameRate   // of the reader

	mu      sync.Mutex
	reading *hub.Subscription // nil until the socket is open
	closed  bool
	pumping bool // there is a pump, or will be
	again   bool // and it is to look once more

	attending bool // the agent counts as online for this socket

	// Of the pump:
	paused  bool
	offered chat.Position // what waits up to here was offered
	drain   chat.Position // what waits up to here is to be drained
	live    bool          // the subscription has caught up
	lazy    bool          // live frames are queued, to be flushed when the pump is done
}

// late closes a socket that has not said HELLO in time.
func (s *socket) late() {
	s.stage = stageRefused
	s.conn.Close(wsx.CodePolicy, reasonHelloLate)
}

// greet reads the first frame, which has to be a HELLO with a key (AC 19.2).
func (s *socket) greet(f clientFrame) {
	s.stage = stageGreeted
	if f.kind() != "hello" {
		s.conn.Close(wsx.CodePolicy, reasonHelloFirst)
		return
	}
	// In a goroutine of its own, for its stack: what looking into the database takes
	// would stay with the reader for as long as the socket is open.
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.contain()
		if err := s.authenticate(f); err != nil {
			s.refuse(err)
		}
	}()
	<-done
}

// contain ends one socket, and not the program, when what serves it panics.
func (s *socket) contain() {
	if p := recover(); p != nil {
		s.sockets.api.Log.Error("socket panicked", "request_id", s.call.RequestID, "panic", p, "stack", string(debug.Stack()))
		s.conn.Close(wsx.CodeInternal, "internal error")
	}
}

func (s *socket) authenticate(f clientFrame) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	leave, err := s.sockets.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := s.admit(ctx, f.key()); err != nil {
		return err
	}
	s.acks.Store(f.offersAck())
	return s.open(ctx)
}

// admit finds out whose key it is and whether that agent may listen.
func (s *socket) admit(ctx context.Context, key string) error {
	api := s.sockets.api
	admission, err := api.Core.Admit(ctx, core.Knock{Surface: chat.SurfaceAgentChat, Bucket: s.call.Bucket, Token: key})
	if err != nil {
		return err
	}
	if admission.Denied != nil {
		return admission.Denied
	}
	s.call.Actor = admission.Actor
	listener, err := api.Core.Listen(ctx, s.call)
	if err != nil {
		return err
	}
	s.handle, s.paused = listener.Handle, listener.Paused
	s.drain = listener.Since
	return nil
}

// open subscribes, says hello.ok, which is the first frame, and starts the pump.
func (s *socket) open(ctx context.Context) error {
	s.pumping = true // a notice before the pump has begun starts none
	sub, err := s.subscribe(ctx, s.drain)
	if errors.Is(err, hub.ErrRevoked) {
		return chat.Fail(chat.CodeTokenInvalid) // since it was admitted
	}
	if err != nil {
		return err
	}
	// Who reads the welcome finds the agent online.
	account := s.call.Actor.Account
	tell := s.sockets.api.Core.SocketOpened(account)
	if err := s.conn.Send(s.welcome()); err != nil {
		s.sockets.api.Core.SocketClosed(account)
		sub.Close()
		return err
	}
	// Closed comes after this: it is for the same goroutine, or one not yet started.
	s.mu.Lock()
	s.attending, s.reading = true, sub
	s.mu.Unlock()
	s.sockets.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		tell(ctx)
		cancel()
		s.pump()
	})
	return nil
}

// subscribe begins a subscription to everything above a position.
func (s *socket) subscribe(ctx context.Context, after chat.Position) (*hub.Subscription, error) {
	return s.sockets.api.Hub.Subscribe(ctx, hub.Interest{
		Account: s.call.Actor.Account, Credential: s.call.Actor.Credential,
		After: after, Resume: true, Notify: s.notify,
	})
}

// welcome is the frame that tells of success.
func (s *socket) welcome() []byte {
	granted := []string{}
	if s.acks.Load() {
		granted = append(granted, "ack")
	}
	return s.sockets.api.encode(struct {
		Type         string   `json:"type"`
		Capabilities []string `json:"capabilities"`
		Handle       string   `json:"handle"`
	}{"hello.ok", granted, s.handle})
}

// notify makes sure that there is a pump. The hub calls it.
func (s *socket) notify() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.pumping:
		s.again = true
	default:
		s.pumping = true
		s.sockets.running.Go(s.pump) // not after Closed, so not after stop has begun to wait
	}
}

// rest ends the pump unless there was a notice meanwhile.
func (s *socket) rest() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.again && !s.closed {
		s.again = false
		return false
	}
	s.pumping = false
	return true
}

// Message implements wsx.Handler.
func (s *socket) Message(data []byte, binary bool) {
	f := readFrame(data, binary)
	if s.stage == stageWaiting {
		s.greet(f)
		return
	}
	s.take(f)
}

// Pong implements wsx.Handler.
func (s *socket) Pong() {
	s.mu.Lock()
	attending := s.attending
	s.mu.Unlock()
	if attending {
		s.sockets.api.Core.SocketAlive(s.call.Actor.Account)
	}
}

// Closed implements wsx.Handler.
func (s *socket) Closed(error) {
	s.mu.Lock()
	s.closed = true
	sub, attending := s.reading, s.attending
	s.mu.Unlock()
	if sub != nil {
		sub.Close()
	}
	if attending {
		s.sockets.api.Core.SocketClosed(s.call.Actor.Account)
	}
}
