package agentchat

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/hub"
	"parley/internal/id"
	"parley/internal/wsx"
)

// watchAgain is how soon an agent that cannot be listened for, because it is
// suspended, is tried again.
const watchAgain = 30 * time.Second

// watcher is a person's WebSocket: it shows what all agents of theirs send and
// receive (AC 22.4). It implements wsx.Handler and takes no notice of frames.
//
// One goroutine, run, follows which agents those are; it starts one for each, which
// reads what happens to it. They end with the connection, and stop waits for them.
// The connection ends with all sessions of the person at once, but not with a single
// one: browsers renew theirs every hour.
type watcher struct {
	sockets *sockets
	conn    *wsx.Conn
	call    core.Call
	owner   chat.AccountID
	base    string             // of links
	cancel  context.CancelFunc // ends the goroutines
	greeted chan struct{}      // closed when hello.ok is out, before which nothing is sent

	mu     sync.Mutex
	agents map[chat.AccountID]context.CancelFunc // those watched, and what ends that
}

// watchHello is the first frame of a dashboard.
type watchHello struct {
	Type    string `json:"type"`
	OwnerID string `json:"owner_id"`
}

// watchFrame shows one message to the owner of an agent.
type watchFrame struct {
	Type           string           `json:"type"`
	AgentHandle    string           `json:"agent_handle"`
	ConversationID string           `json:"conversation_id"`
	Payload        dashboardMessage `json:"payload"`
}

// watch opens the socket of a dashboard for whoever has a ticket.
func (x *exchange) watch() (any, error) {
	ss := x.api.sockets
	if ss == nil {
		return nil, chat.Fail(chat.CodeRouteUnknown)
	}
	w := &watcher{
		sockets: ss, call: x.call, base: x.base(), greeted: make(chan struct{}),
		agents: make(map[chat.AccountID]context.CancelFunc),
	}
	var err error
	if w.conn, err = ss.upgrade(x); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(x.Context()))
	w.cancel = cancel
	w.owner, err = x.api.Core.RedeemTicket(ctx, wire.Query(x.Request, "ticket"))
	switch {
	case err == nil:
		ss.running.Go(func() { w.run(ctx) })
	case chat.CodeOf(err) == chat.CodeTokenInvalid:
		w.conn.Close(wsx.CodePolicy, reasonTicket)
	default:
		w.end(err)
	}
	w.conn.Start(w)
	return answered{}, nil
}

// Message implements wsx.Handler.
func (w *watcher) Message([]byte, bool) {}

// Pong implements wsx.Handler.
func (w *watcher) Pong() {}

// Closed implements wsx.Handler.
func (w *watcher) Closed(error) { w.cancel() }

// end closes the connection for the reason that ended a subscription.
func (w *watcher) end(err error) {
	switch {
	case errors.Is(err, context.Canceled): // it is closed
	case errors.Is(err, hub.ErrRevoked):
		w.conn.Close(wsx.CodePolicy, reasonSignedOut)
	case errors.Is(err, hub.ErrClosed):
		w.conn.Close(wsx.CodeGoingAway, reasonShutdown)
	case errors.Is(err, hub.ErrSlow):
		w.conn.Close(wsx.CodeTryAgainLater, reasonOverload)
	default:
		w.sockets.api.trouble("dashboard lost its events", w.call, chat.Internal("watch", err))
		w.conn.Close(wsx.CodeTryAgainLater, reasonTrouble)
	}
}

// run greets, and follows which agents are the person's, until the connection ends.
func (w *watcher) run(ctx context.Context) {
	sub, err := w.sockets.api.Hub.Subscribe(ctx, hub.Interest{Account: w.owner})
	if err != nil {
		w.end(err)
		return
	}
	defer sub.Close()
	if err := w.refresh(ctx); err != nil {
		w.end(err)
		return
	}
	api := w.sockets.api
	_ = w.conn.Send(api.encode(watchHello{"hello.ok", api.seal(prefixOwner, id.KindAccount, int64(w.owner))}))
	close(w.greeted)
	for {
		events, err := sub.Next(ctx)
		for _, e := range events {
			if err == nil && e.Event.Kind == chat.EventOwnerChanged {
				err = w.refresh(ctx)
			}
		}
		if err != nil {
			w.end(err)
			return
		}
	}
}

// refresh begins to watch the agents that have come, and ends it for those gone.
func (w *watcher) refresh(ctx context.Context) error {
	agents, err := w.sockets.api.Core.Watch(ctx, w.owner)
	if err != nil {
		return err
	}
	w.mu.Lock()
	gone := maps.Clone(w.agents)
	w.mu.Unlock()
	for _, a := range agents {
		if gone[a.ID] == nil {
			if err := w.follow(ctx, a); err != nil {
				return err
			}
		}
		delete(gone, a.ID)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, stop := range gone {
		stop()
		delete(w.agents, id)
	}
	return nil
}

// follow starts to watch an agent: what is committed from now on is shown.
func (w *watcher) follow(ctx context.Context, a core.Watched) error {
	sub, err := w.subscribe(ctx, a, 0)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	w.mu.Lock()
	w.agents[a.ID] = stop
	w.mu.Unlock()
	w.sockets.running.Go(func() { w.read(ctx, a, sub) })
	return nil
}

// subscribe listens for an agent; nil if that is not possible just now.
func (w *watcher) subscribe(ctx context.Context, a core.Watched, after chat.Position) (*hub.Subscription, error) {
	sub, err := w.sockets.api.Hub.Subscribe(ctx, hub.Interest{Account: a.ID, After: after})
	if errors.Is(err, hub.ErrRevoked) || errors.Is(err, hub.ErrPosition) {
		return nil, nil
	}
	return sub, err
}

// read shows what happens to an agent until ctx ends. What ends the agent's own
// connections, such as a new key, need not end this.
func (w *watcher) read(ctx context.Context, a core.Watched, sub *hub.Subscription) {
	select {
	case <-w.greeted:
	case <-ctx.Done():
	}
	var after chat.Position
	for {
		if sub == nil {
			select {
			case <-time.After(watchAgain):
			case <-ctx.Done():
				return
			}
			after = 0
		} else {
			err := w.show(ctx, a, sub, &after)
			sub.Close()
			if !errors.Is(err, hub.ErrRevoked) {
				w.end(err)
				return
			}
		}
		var err error
		if sub, err = w.subscribe(ctx, a, after); err != nil {
			w.end(err)
			return
		}
	}
}

// show sends what a subscription of an agent brings until it ends, and keeps where
// it has come.
func (w *watcher) show(ctx context.Context, a core.Watched, sub *hub.Subscription, after *chat.Position) error {
	for {
		events, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			*after = max(*after, e.Event.Position)
			if !w.due(a.ID, &e.Event) {
				continue
			}
			if err := w.conn.Send(w.frame(a, &e.Event)); err != nil {
				return context.Canceled
			}
		}
	}
}

// due tells whether an event is shown as this agent's: of the messages that several
// agents of one owner receive, one is shown.
func (w *watcher) due(agent chat.AccountID, e *chat.Event) bool {
	if e.Kind != chat.EventMessageCreated || e.Space != 0 || e.By == nil {
		return false
	}
	if e.Message.Author == agent {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, to := range e.Recipients {
		if to != e.Message.Author && w.agents[to] != nil {
			return to == agent
		}
	}
	return false
}

func (w *watcher) frame(a core.Watched, e *chat.Event) []byte {
	row := w.sockets.api.dashboardRow(w.base, &chat.MessageRow{
		MessageView: chat.MessageView{Message: *e.Message, By: *e.By}, Own: e.Message.Author == a.ID, Group: e.Group,
	})
	return w.sockets.api.encode(watchFrame{
		Type: eventName(e.Kind), AgentHandle: a.Handle, ConversationID: row.ConversationID, Payload: row,
	})
}
