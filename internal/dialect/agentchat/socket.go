package agentchat

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/wsx"
)

const (
	// authenticating is how many sockets are authenticated at once, and
	// admissionWait how long one waits for its turn: a crowd that reconnects is
	// told to come back and not to give up (README 8).
	authenticating = 32
	admissionWait  = time.Second

	// storeTimeout bounds what a socket asks of the core at a time.
	storeTimeout = 10 * time.Second

	// closeSpread is over how long the sockets are closed at the end, at most.
	closeSpread = 2 * time.Second
	closeApart  = time.Millisecond
)

// The reasons with which sockets are closed (AC 19.3).
const (
	reasonToken      = "Invalid token"
	reasonHelloLate  = "HELLO frame required"
	reasonHelloFirst = "HELLO frame required first"
	reasonRotated    = "API key rotated"
	reasonDeleted    = "Account deleted"
	reasonSuspended  = "Account suspended"
	reasonShutdown   = "Server shutting down"
	reasonOverload   = "overload"
	reasonTicket     = "Invalid ticket"
	reasonSignedOut  = "Signed out"
	reasonTrouble    = "try again later"
)

// SocketLimits bound the sockets of a surface. A zero field is as the contract says.
type SocketLimits struct {
	HelloWithin time.Duration // from the upgrade to the HELLO frame: 5 s
	PingEvery   time.Duration // 45 s
	PongWithin  time.Duration // 30 s
	SendBuffer  int           // bytes that may wait for the peer: 4 MiB
}

// The key stands in a header or in the first frame, so the handler looks for it
// itself; that of a dashboard is its ticket.
func socketRoutes() []Route {
	return []Route{
		{"connect", "GET", "/v1/ws", core.OpListen, AuthNone, http.StatusSwitchingProtocols, nil, nil, (*exchange).connect},
		{
			"watch", "GET", "/v1/ws/dashboard", core.OpWatch, AuthSigned, http.StatusSwitchingProtocols,
			nil, nil, (*exchange).watch,
		},
	}
}

// sockets are the open WebSockets of a surface.
//
// A socket of an agent has one goroutine of its own, the reader of its connection.
// Whatever is to be sent is sent by a pump, a goroutine that lives only while the
// socket's subscription has something to read (drain.go). A dashboard has a
// goroutine per agent that it watches: there are few.
type sockets struct {
	api       *api
	group     *wsx.Group
	admission chan struct{} // holds a token per socket that is being authenticated
	running   sync.WaitGroup
}

func newSockets(a *api) *sockets {
	a.Sockets.HelloWithin = cmp.Or(a.Sockets.HelloWithin, 5*time.Second)
	a.Sockets.SendBuffer = cmp.Or(a.Sockets.SendBuffer, 4<<20)
	return &sockets{
		api: a,
		group: wsx.NewGroup(wsx.Options{
			SendBuffer: a.Sockets.SendBuffer, SlowCode: wsx.CodeTryAgainLater, SlowReason: reasonOverload,
			PingEvery: a.Sockets.PingEvery, PongWithin: a.Sockets.PongWithin,
		}),
		admission: make(chan struct{}, authenticating),
	}
}

// stop refuses upgrades, closes all sockets, spread over up to two seconds, and
// returns when nothing of them runs any more (AC 19.8). The end of ctx cuts it short.
func (ss *sockets) stop(ctx context.Context) error {
	spread := min(time.Duration(ss.group.Len())*closeApart, closeSpread)
	err := ss.group.CloseAll(ctx, wsx.CodeGoingAway, reasonShutdown, spread)
	ss.running.Wait()
	return err
}

// enter waits for a turn to authenticate, which leave gives back. It fails with
// unavailable when that takes too long.
func (ss *sockets) enter(ctx context.Context) (leave func(), err error) {
	leave = func() { <-ss.admission }
	select {
	case ss.admission <- struct{}{}:
		return leave, nil
	default:
	}
	timer := time.NewTimer(admissionWait)
	defer timer.Stop()
	select {
	case ss.admission <- struct{}{}:
		return leave, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil, &chat.Error{Code: chat.CodeUnavailable, RetryAfter: time.Second}
}

// upgrade turns the request into a connection. One that asks for no upgrade has
// bad input.
func (ss *sockets) upgrade(x *exchange) (*wsx.Conn, error) {
	conn, err := ss.group.Upgrade(x.w, x.Request)
	switch {
	case errors.Is(err, wsx.ErrNotWebSocket):
		return nil, chat.FailField(chat.CodeFieldRequired, "Upgrade")
	case errors.Is(err, wsx.ErrClosed):
		return nil, &chat.Error{Code: chat.CodeUnavailable, RetryAfter: time.Second}
	case err != nil:
		return nil, chat.Internal("upgrade", err)
	}
	return conn, nil
}

// connect opens the socket of an agent. With a key in the header everything is
// checked before the upgrade and refused over HTTP [D28]; else the first frame
// brings the key (AC 19.2).
func (x *exchange) connect() (any, error) {
	ss := x.api.sockets
	if ss == nil {
		return nil, chat.Fail(chat.CodeRouteUnknown)
	}
	s := &socket{sockets: ss, call: x.call}
	if len(x.Header.Values("Authorization")) == 0 {
		return answered{}, s.await(x)
	}
	leave, err := ss.enter(x.Context())
	if err != nil {
		return nil, err
	}
	defer leave()
	s.stage = stageGreeted
	if err := s.admit(x.Context(), wire.Bearer(x.Request)); err != nil {
		return nil, err
	}
	if s.conn, err = ss.upgrade(x); err != nil {
		return nil, err
	}
	if offersAck(strings.Split(x.Header.Get("X-AgentChat-Capabilities"), ",")) {
		s.acks.Store(true)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context()), storeTimeout)
	defer cancel()
	if err := s.open(ctx); err != nil {
		s.refuse(err)
	}
	s.conn.Start(s)
	return answered{}, nil
}

// await opens a socket that has five seconds to say HELLO.
func (s *socket) await(x *exchange) (err error) {
	if s.conn, err = s.sockets.upgrade(x); err != nil {
		return err
	}
	if slices.ContainsFunc([]string{"key", "api_key", "token", "access_token"}, x.URL.Query().Has) {
		s.stage = stageRefused
		s.refuse(chat.Fail(chat.CodeTokenInvalid))
	} else {
		s.conn.Await(s.sockets.api.Sockets.HelloWithin, s.late)
	}
	s.conn.Start(s)
	return nil
}

// refuse closes a socket that was not let in. Only what will not get better by
// itself is said to be final.
func (s *socket) refuse(err error) {
	if errors.Is(err, wsx.ErrClosed) {
		return // by the client, who did not wait for us
	}
	switch chat.CodeOf(err) {
	case chat.CodeTokenMissing, chat.CodeTokenInvalid, chat.CodeAccountOff:
		_ = s.conn.Send(s.sockets.api.helloError(err))
		s.conn.Close(wsx.CodePolicy, reasonToken)
	default:
		s.sockets.api.trouble("socket not opened", s.call, err)
		s.conn.Close(wsx.CodeTryAgainLater, reasonTrouble)
	}
}

// trouble logs what is nobody's fault but ours.
func (a *api) trouble(what string, c core.Call, err error) {
	if chat.CodeOf(err) == chat.CodeInternal {
		a.Log.Error(what, "request_id", c.RequestID, "error", err)
	}
}

// helloError words why a HELLO was refused; clients may pass it over.
func (a *api) helloError(err error) []byte {
	var e *chat.Error
	if !errors.As(err, &e) {
		e = chat.Internal("greet", err)
	}
	answer := a.answers.Word(e)
	return a.encode(frame{Type: "hello.error", Payload: failure{Code: answer.Code, Message: answer.Text}})
}

// frame is what goes over a socket (AC 19.1).
type frame struct {
	Type    string `json:"type"`
	Payload any    `json:"payload,omitempty"`
}

// encode is the JSON of a frame, without escapes for HTML. nil stands for what
// cannot be encoded, which is logged: nothing that was let in is like that.
func (a *api) encode(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		a.Log.Error("frame not encoded", "error", err)
		return nil
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}

// offersAck tells whether a client acknowledges messages itself.
func offersAck(capabilities []string) bool {
	return slices.ContainsFunc(capabilities, func(c string) bool { return strings.TrimSpace(c) == "ack" })
}
