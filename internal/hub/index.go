package hub

import (
	"slices"

	"parley/internal/chat"
)

// account is an account with at least one subscription, or one being made. All
// fields are guarded by Hub.mu.
type account struct {
	id            chat.AccountID
	subscriptions []*Subscription
	subscribing   int // calls of Subscribe that need the entry

	ready bool     // seats are the spaces it is a member of
	seats []seat   // once ready
	notes []change // what passed until then
}

// seat and place are the two ends of a membership. Each knows where the other
// stands, so that taking one out searches nothing.
type seat struct {
	space *space
	place int
}

type place struct {
	account *account
	seat    int
}

// space is a space with members in the index.
type space struct {
	id      chat.SpaceID
	members []place
}

// change is one join, or one leave.
type change struct {
	space  chat.SpaceID
	member bool
}

// enter returns the entry of an account for a call of Subscribe, which leaves it
// with exit. It fails with ErrClosed.
func (h *Hub) enter(id chat.AccountID) (*account, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	a := h.accounts[id]
	if a == nil {
		a = &account{id: id}
		h.accounts[id] = a
		h.loading[a] = struct{}{}
	}
	a.subscribing++
	return a, nil
}

func (h *Hub) exit(a *account) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a.subscribing--
	h.forget(a)
}

// attach adds a subscription to the index. The caller holds Hub.mu.
func (h *Hub) attach(s *Subscription) {
	s.slot = len(s.account.subscriptions)
	s.account.subscriptions = append(s.account.subscriptions, s)
	h.count++
}

// detach takes a subscription out of the index. The caller holds Hub.mu.
func (h *Hub) detach(s *Subscription) {
	a := s.account
	last := len(a.subscriptions) - 1
	moved := a.subscriptions[last]
	a.subscriptions[s.slot], moved.slot = moved, s.slot
	a.subscriptions[last] = nil
	a.subscriptions = a.subscriptions[:last]
	h.count--
	h.forget(a)
}

// forget drops an account that nobody needs any more. The caller holds Hub.mu.
func (h *Hub) forget(a *account) {
	if len(a.subscriptions) > 0 || a.subscribing > 0 {
		return
	}
	for len(a.seats) > 0 {
		h.leave(a, len(a.seats)-1)
	}
	delete(h.accounts, a.id)
	delete(h.loading, a)
}

// fill makes an account ready: spaces is what the store had at some time since
// the entry was made and not after seen. The caller holds Hub.mu.
func (h *Hub) fill(a *account, spaces []chat.SpaceID) {
	if a.ready {
		return
	}
	a.ready = true
	delete(h.loading, a)
	a.seats = make([]seat, 0, len(spaces))
	for _, id := range spaces {
		h.join(a, id)
	}
	for _, c := range a.notes {
		h.apply(a, c)
	}
	a.notes = nil
}

// note applies a change, now or as soon as the account is ready.
func (h *Hub) note(a *account, c change) {
	if !a.ready {
		a.notes = append(a.notes, c)
		return
	}
	h.apply(a, c)
}

func (h *Hub) apply(a *account, c change) {
	if c.member {
		h.join(a, c.space)
		return
	}
	at := slices.IndexFunc(a.seats, func(s seat) bool { return s.space.id == c.space })
	if at >= 0 {
		h.leave(a, at)
	}
}

// enroll makes a joining account a member, before the join is queued.
func (h *Hub) enroll(e *chat.Event) {
	if a := h.accounts[e.Account]; a != nil && joins(e) {
		h.note(a, change{e.Space, true})
	}
}

// strike ends memberships, after the event that ends them was queued.
func (h *Hub) strike(e *chat.Event) {
	switch {
	case leaves(e):
		if a := h.accounts[e.Account]; a != nil {
			h.note(a, change{e.Space, false})
		}
	case dissolves(e):
		for a := range h.loading {
			h.note(a, change{e.Space, false})
		}
		for h.spaces[e.Space] != nil { // the last leave removes it
			members := h.spaces[e.Space].members
			last := members[len(members)-1]
			h.leave(last.account, last.seat)
		}
	}
}

// join is nothing for a member.
func (h *Hub) join(a *account, id chat.SpaceID) {
	if slices.ContainsFunc(a.seats, func(s seat) bool { return s.space.id == id }) {
		return
	}
	s := h.spaces[id]
	if s == nil {
		s = &space{id: id}
		h.spaces[id] = s
	}
	a.seats = append(a.seats, seat{s, len(s.members)})
	s.members = append(s.members, place{a, len(a.seats) - 1})
}

// leave gives up a seat: the last of each list takes the place that is freed.
func (h *Hub) leave(a *account, at int) {
	s, hole := a.seats[at].space, a.seats[at].place

	last := len(s.members) - 1
	s.members[hole] = s.members[last]
	s.members[hole].account.seats[s.members[hole].seat].place = hole
	s.members[last] = place{}
	s.members = s.members[:last]
	if last == 0 {
		delete(h.spaces, s.id)
	}

	last = len(a.seats) - 1
	if at < last {
		a.seats[at] = a.seats[last]
		a.seats[at].space.members[a.seats[at].place].seat = at
	}
	a.seats[last] = seat{}
	a.seats = a.seats[:last]
}
