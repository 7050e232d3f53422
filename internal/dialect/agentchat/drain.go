package agentchat

import (
	"context"
	"errors"
	"slices"

	"parley/internal/chat"
	"parley/internal/hub"
	"parley/internal/wsx"
)

const (
	// drainPage is how many messages are read from the inbox at once, drainMost
	// how many one drain shows (AC 19.4).
	drainPage = 200
	drainMost = 10_000

	// roomShare is the part of the send buffer that may be full when a drain goes
	// on: what is written is what the peer reads.
	roomShare = 4
)

// errGone says that the connection has been closed: there is nothing left to do.
var errGone = errors.New("connection gone")

// pump sends what the subscription has, until that is nothing any more. There is
// one per socket at most; then the goroutine becomes the writer of the connection,
// unless that has one. Usually there is one event, one pump and one write.
func (s *socket) pump() {
	defer s.contain()
	s.lazy = true
	for {
		err := s.pass()
		if err != nil {
			s.lost(err) // and pumping stays set: there is no pump after this one
			return
		}
		if s.rest() {
			s.conn.Flush()
			return
		}
	}
}

// pass drains what is due and then sends until the subscription has nothing left.
func (s *socket) pass() error {
	for {
		if err := s.drainDue(); err != nil {
			return err
		}
		events, err := s.reading.Poll() // only the pump replaces the subscription
		if err != nil {
			return err
		}
		if len(events) == 0 {
			s.live = true
			return nil
		}
		if err := s.deliver(events); err != nil {
			return err
		}
		s.lazy = false
	}
}

// deliver sends events. It stops early when the agent has been let go: the rest is
// read again, after the drain.
func (s *socket) deliver(events []*hub.Shared) error {
	var buffer [16]chat.MessageID
	reached := buffer[:0]
	defer func() { s.reached(reached) }()
	for _, shared := range events {
		e := &shared.Event
		if e.Pause != nil && e.Account == s.call.Actor.Account {
			if released, err := s.move(e); released || err != nil {
				return err
			}
		}
		if s.paused || !s.concerned(e) {
			continue
		}
		frame := shared.Bytes(chat.SurfaceAgentChat, s.sockets.api.liveFrame)
		if frame == nil {
			continue
		}
		if err := s.send(frame, !s.live); err != nil {
			return err
		}
		if e.Kind == chat.EventMessageCreated {
			reached = append(reached, e.Message.ID)
		}
	}
	return nil
}

// concerned tells whether the agent is told of an event that names it: not of its
// own messages, and of nothing that it muted.
func (s *socket) concerned(e *chat.Event) bool {
	me := s.call.Actor.Account
	if e.Message != nil && e.Message.Author == me {
		return false
	}
	return !slices.Contains(e.Quiet, me)
}

// reached acknowledges what was handed to the connection for a client that does
// not do so itself.
func (s *socket) reached(messages []chat.MessageID) {
	if len(messages) > 0 && !s.acks.Load() {
		s.sockets.api.Core.Delivered(s.call.Actor.Account, messages...)
	}
}

// send hands a frame to the connection. A frame that is history, patient, waits
// until the peer has read; a live one that finds no room ends the connection.
func (s *socket) send(frame []byte, patient bool) error {
	hand := s.conn.Send
	switch {
	case patient:
		if err := s.conn.Wait(s.sockets.api.Sockets.SendBuffer / roomShare); err != nil {
			return errGone
		}
	case s.lazy:
		hand = s.conn.Queue
	}
	if err := hand(frame); err != nil {
		return errGone
	}
	return nil
}

// move follows the switch of the agent's owner. released tells that it was let go,
// and that what came meanwhile is to be drained first.
func (s *socket) move(e *chat.Event) (released bool, err error) {
	paused := *e.Pause == chat.PauseFull
	if paused == s.paused {
		return false, nil
	}
	s.paused = paused
	if paused {
		s.offered = e.Position
		return false, nil
	}
	s.drain = e.Position
	return true, s.resubscribe(e.Position)
}

// resubscribe puts the subscription back to a position, where it waits for the
// drain to end.
func (s *socket) resubscribe(after chat.Position) error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	sub, err := s.subscribe(ctx, after)
	if err != nil {
		return err
	}
	s.mu.Lock()
	old, closed := s.reading, s.closed
	if !closed {
		s.reading = sub
	}
	s.mu.Unlock()
	if closed {
		sub.Close()
		return errGone
	}
	old.Close()
	s.live = false
	return nil
}

// drainDue sends what waits in the inbox above offered and up to drain, oldest
// first, a page at a time.
func (s *socket) drainDue() error {
	if s.paused || s.drain <= s.offered {
		return nil
	}
	for left := drainMost; left > 0 && s.offered < s.drain; left -= drainPage {
		rows, err := s.page()
		if chat.CodeOf(err) == chat.CodePaused {
			s.paused = true // the event that tells so lies above drain
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.show(rows); err != nil {
			return err
		}
	}
	s.offered = s.drain
	return nil
}

func (s *socket) page() ([]chat.MessageRow, error) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return s.sockets.api.Core.Drain(ctx, s.call, s.offered, drainPage)
}

// show sends a page of what waits, up to drain, and moves offered on.
func (s *socket) show(rows []chat.MessageRow) error {
	reached := make([]chat.MessageID, 0, len(rows))
	defer func() { s.reached(reached) }()
	for i := range rows {
		if rows[i].Position() > s.drain {
			s.offered = s.drain
			return nil
		}
		if frame := s.sockets.api.drainFrame(&rows[i]); frame != nil {
			if err := s.send(frame, true); err != nil {
				return err
			}
			reached = append(reached, rows[i].ID)
		}
		s.offered = rows[i].Position()
	}
	if len(rows) < drainPage {
		s.offered = s.drain
	}
	return nil
}

// lost closes the connection for the reason that ended its subscription (AC 19.3),
// or the subscription of a connection that has ended: nobody reads it any more.
func (s *socket) lost(err error) {
	api := s.sockets.api
	s.reading.Close()
	switch {
	case errors.Is(err, errGone):
	case errors.Is(err, hub.ErrClosed):
		s.conn.Close(wsx.CodeGoingAway, reasonShutdown) // or it is closed already
	case errors.Is(err, hub.ErrSlow):
		s.conn.Close(wsx.CodeTryAgainLater, reasonOverload)
	case errors.Is(err, hub.ErrRevoked):
		code, reason := s.revoked()
		s.conn.Close(code, reason)
	default:
		api.trouble("socket lost its events", s.call, chat.Internal("read events", err))
		s.conn.Close(wsx.CodeTryAgainLater, reasonTrouble)
	}
}

// revoked asks why the agent may not listen any more.
func (s *socket) revoked() (code int, reason string) {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	err := s.sockets.api.Core.Barred(ctx, s.call.Actor.Account)
	switch chat.CodeOf(err) {
	case chat.CodeAccountUnknown:
		return wsx.CodePolicy, reasonDeleted
	case chat.CodeAccountOff:
		return wsx.CodePolicy, reasonSuspended
	case chat.CodeTokenInvalid:
		return wsx.CodePolicy, reasonRotated
	}
	s.sockets.api.trouble("reason of a revocation not found", s.call, err)
	return wsx.CodeTryAgainLater, reasonTrouble
}

// liveFrame is an event as all sockets send it, nil if they do not (AC 19.5).
func (a *api) liveFrame(e *chat.Event) []byte {
	switch e.Kind {
	case chat.EventMessageCreated, chat.EventMessageRead, chat.EventPresenceChanged,
		chat.EventTypingStarted, chat.EventTypingStopped, chat.EventInviteCreated, chat.EventGroupDeleted:
	default:
		return nil
	}
	name, data, ok := a.payload(e)
	if !ok {
		return nil
	}
	return a.encode(frame{Type: name, Payload: data})
}

// drainFrame is a message out of the inbox. It has no delivery_id: only the rows of
// sync do.
func (a *api) drainFrame(row *chat.MessageRow) []byte {
	m := a.message(&row.Message, &row.By, row.Group)
	m.Status = stateWord(chat.EnvelopeStored)
	return a.encode(frame{Type: eventName(chat.EventMessageCreated), Payload: m})
}
