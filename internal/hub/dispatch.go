package hub

import "parley/internal/chat"

// flushEvery is after how many events of a run the readers are woken: often
// enough that they work while the rest is dispatched, seldom enough that waking
// does not cost more than dispatching.
const flushEvery = 16

// fanout is what dispatching leaves to do once the lock is released.
type fanout struct {
	ended   []*Subscription // since settle: still in the index
	woken   []*Subscription
	reasons []error
}

// end ends a subscription; settle takes it out of the index. The caller holds Hub.mu.
func (f *fanout) end(s *Subscription, reason error) {
	if ended := s.finish(reason); ended {
		f.ended = append(f.ended, s)
		f.woken = append(f.woken, s)
		f.reasons = append(f.reasons, reason)
	}
}

// settle takes what was ended out of the index. The caller holds Hub.mu.
func (h *Hub) settle(f *fanout) {
	for i, s := range f.ended {
		h.detach(s)
		f.ended[i] = nil
	}
	f.ended = f.ended[:0]
}

// flush wakes readers and reports ends. The caller holds no lock.
func (h *Hub) flush(f *fanout) {
	for i, s := range f.woken {
		s.signal()
		f.woken[i] = nil
	}
	for _, reason := range f.reasons {
		h.options.Ended(reason)
	}
	f.woken, f.reasons = f.woken[:0], f.reasons[:0]
}

// dispatch moves the timeline over a run and queues its events. The lock is taken
// for each event anew, so that a long run holds nobody up.
func (h *Hub) dispatch(run []chat.Event) {
	var f fanout
	for i := range run {
		h.mu.Lock()
		h.step(&f, &run[i])
		h.mu.Unlock()
		if i%flushEvery == flushEvery-1 {
			h.flush(&f)
		}
	}
	h.flush(&f)
}

// step dispatches one event. The caller holds Hub.mu.
func (h *Hub) step(f *fanout, event *chat.Event) {
	durable := event.Position != 0
	if h.closed || durable && event.Position <= h.seen {
		return
	}
	e := newShared(event)
	if durable {
		h.seen = event.Position
		h.ring.add(e)
	}
	h.revoke(f, event)
	h.enroll(event)
	switch {
	case len(event.Recipients) > 0:
		for _, id := range event.Recipients {
			h.push(f, h.accounts[id], e)
		}
	case event.Space != 0:
		if s := h.spaces[event.Space]; s != nil {
			for i := range s.members {
				h.push(f, s.members[i].account, e)
			}
		}
	default:
		h.push(f, h.accounts[event.Account], e)
	}
	h.strike(event)
	h.settle(f)
}

// push queues an event for the subscriptions of an account, which may be nil.
func (h *Hub) push(f *fanout, a *account, e *Shared) {
	if a == nil {
		return
	}
	for _, s := range a.subscriptions {
		switch s.push(e) {
		case pushWake:
			f.woken = append(f.woken, s)
		case pushFull:
			f.end(s, ErrSlow)
		case pushDone:
		}
	}
}

// revoke ends the subscriptions whose right to listen the event takes away. An
// account's state may have moved either way: there the readers are told to ask.
func (h *Hub) revoke(f *fanout, e *chat.Event) {
	switch e.Kind {
	case chat.EventAccessRevoked, chat.EventAccountRemoved, chat.EventAccountState:
	default:
		return
	}
	a := h.accounts[e.Account]
	if a == nil {
		return
	}
	for _, s := range a.subscriptions {
		switch {
		case e.Kind == chat.EventAccountState:
			s.doubt()
			f.woken = append(f.woken, s)
		case e.Kind == chat.EventAccountRemoved || e.Credential == 0 || e.Credential == s.credential:
			f.end(s, ErrRevoked)
		}
	}
}
