package crash_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"

	"parley/test/agent"
)

// The fleet: agents in a ring, each of whom knows the one to its left and the one to
// its right, and groups of neighbours.
const (
	fleetSize = 20
	groups    = 4
	groupSize = 7 // neighbouring groups overlap
)

// fleet is what was made before the first kill, and what became of each message.
// Every agent writes, and what it gets it fetches in ways of its own: over sockets
// that it opens again and again, through sync, or both.
type fleet struct {
	agents []*actor
	rooms  []*room

	mu    sync.Mutex
	sent  map[string]*sending // by client_msg_id, of all agents
	count int                 // of answers in this round

	round   int
	replays int // sends that had been stored by a server that did not live to say so
}

// actor is an agent and what it has done.
type actor struct {
	*agent.Agent

	rooms   []*room
	syncs   bool // fetches through sync
	sockets int  // it listens on
	random  *rand.Rand

	// Of the writer:
	last    int      // number of its last message
	waiting *sending // was not answered: to be sent again before anything else

	mu      sync.Mutex
	acked   map[string]bool // what it was offered and acknowledged, or was about to when the server was killed
	settled map[string]bool // of these, what the server has confirmed, which only sync does
}

// room is a direct conversation or a group.
type room struct {
	name    string
	id      string
	direct  bool
	members []*actor
	made    int64 // what is numbered up to here belongs to its making
}

// sending is a message that was sent, as often as it took.
type sending struct {
	by     *actor
	number int // of by's messages, ascending
	room   *room
	draft  agent.Draft
	tried  bool
	stored *agent.Message // nil until it was answered
}

// agents is the scene of a fleet.
func agents(t *testing.T, url string, random *rand.Rand) scene {
	t.Helper()
	network := agent.NewNetwork(netip.Addr{})
	t.Cleanup(network.Close)
	f := &fleet{sent: make(map[string]*sending)}
	for i := range fleetSize {
		a, err := agent.Register(t.Context(), network, url, fmt.Sprintf("robin-%d", i))
		must(t, err)
		f.agents = append(f.agents, &actor{
			Agent: a, syncs: i%4 != 1, sockets: []int{0, 1, 1, 2}[i%4],
			random: rand.New(rand.NewPCG(random.Uint64(), 0)),
			acked:  make(map[string]bool), settled: make(map[string]bool),
		})
	}
	for i, a := range f.agents {
		b := f.agents[(i+1)%fleetSize]
		id, err := agent.Befriend(t.Context(), a.Agent, b.Agent)
		must(t, err)
		f.rooms = append(f.rooms, &room{name: a.Handle + " and " + b.Handle, id: id, direct: true, members: []*actor{a, b}})
	}
	for g := range groups {
		r := &room{name: fmt.Sprintf("group %d", g)}
		clients := make([]*agent.Agent, groupSize)
		for i := range clients {
			a := f.agents[(g*fleetSize/groups+i)%fleetSize]
			r.members, clients[i] = append(r.members, a), a.Agent
		}
		var err error
		r.id, err = agent.Assemble(t.Context(), r.name, clients...)
		must(t, err)
		f.rooms = append(f.rooms, r)
	}
	f.forget(t)
	return f
}

// forget has everybody fetch what came of the making.
func (f *fleet) forget(t *testing.T) {
	t.Helper()
	for _, r := range f.rooms {
		history := r.history(t, r.members[0])
		r.made = history[len(history)-1].Seq
		for _, a := range r.members {
			a.rooms = append(a.rooms, r)
		}
	}
	for _, a := range f.agents {
		list := a.inbox(t)
		_, err := a.Ack(t.Context(), list[len(list)-1].Delivery)
		must(t, err)
	}
}

func (f *fleet) move(_ *testing.T, url string) {
	for _, a := range f.agents {
		a.Move(url)
	}
}

func (f *fleet) writeUntil(t *testing.T, answers int, then func()) {
	t.Helper()
	f.round++
	f.count = 0
	enough, over := make(chan struct{}), make(chan struct{})
	reached := sync.OnceFunc(func() { close(enough) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var acting sync.WaitGroup
	for _, a := range f.agents {
		for range a.sockets { // before the writer, whose source of chance makes theirs
			random := rand.New(rand.NewPCG(a.random.Uint64(), 0))
			acting.Go(func() {
				for a.listen(ctx, t, random) {
				}
			})
		}
		acting.Go(func() {
			for {
				if !f.write(t, a, answers, reached) || a.syncs && a.random.IntN(4) == 0 && !a.fetch(t) {
					reached() // the server is gone, or was never there for this one
					return
				}
				select {
				case <-over:
					return
				default:
				}
			}
		})
	}
	<-enough
	then()
	close(over)
	cancel()
	acting.Wait()
}

// write sends one message, the one that was not answered if there is such a one, and
// tells whether the server is still there.
func (f *fleet) write(t *testing.T, a *actor, answers int, reached func()) bool {
	s := a.waiting
	if s == nil {
		s = f.draft(a)
	}
	m, replay, err := a.Send(t.Context(), s.draft)
	again := s.tried
	s.tried, a.waiting = true, s
	switch {
	case agent.StatusOf(err) != 0:
		t.Errorf("%s in %s: got %v, want 201 or no answer at all", s.draft.ClientID, s.room.name, err)
		return false
	case err != nil:
		return false
	case replay && !again:
		t.Errorf("%s in %s: got a replay of %+v, but it was never sent before", s.draft.ClientID, s.room.name, m)
	}
	a.waiting = nil
	f.mu.Lock()
	defer f.mu.Unlock()
	s.stored = m
	if replay {
		f.replays++
	}
	if f.count++; f.count >= answers {
		reached()
	}
	return true
}

// draft makes up a message.
func (f *fleet) draft(a *actor) *sending {
	a.last++
	s := &sending{by: a, number: a.last, room: a.rooms[a.random.IntN(len(a.rooms))]}
	s.draft.ClientID = fmt.Sprintf("%s-%d", a.Handle, a.last)
	s.draft.Content.Text = "text of " + s.draft.ClientID
	if s.room.direct {
		s.draft.To = s.room.members[0].Handle
		if s.room.members[0] == a {
			s.draft.To = s.room.members[1].Handle
		}
	} else {
		s.draft.Conversation = s.room.id
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[s.draft.ClientID] = s
	return s
}

// fetch reads a page of what waits, acknowledges a part of it, and tells whether the
// server is still there.
func (a *actor) fetch(t *testing.T) bool {
	page, err := a.Sync(t.Context(), "", 1+a.random.IntN(20))
	if err != nil {
		return gone(t, a, err)
	}
	if len(page) == 0 {
		return true
	}
	page = page[:1+a.random.IntN(len(page))]
	a.note(a.acked, page...)
	if _, err := a.Ack(t.Context(), page[len(page)-1].Delivery); err != nil {
		return gone(t, a, err)
	}
	a.note(a.settled, page...)
	return true
}

// gone complains about an answer that is an error, and returns false.
func gone(t *testing.T, a *actor, err error) bool {
	if agent.StatusOf(err) != 0 {
		t.Errorf("%s: got %v, want 200 or no answer at all", a.Handle, err)
	}
	return false
}

// listen opens a socket, acknowledges most messages that it gets, leaves after
// some, and tells whether to come back.
func (a *actor) listen(ctx context.Context, t *testing.T, random *rand.Rand) bool {
	socket, err := a.Listen(ctx)
	if err != nil {
		return a.comeBack(t, err)
	}
	defer socket.Close()
	last := make(map[string]int64)
	for range 1 + random.IntN(80) {
		m, err := socket.NextMessage(ctx)
		if err != nil {
			return a.comeBack(t, err)
		}
		if m.Seq <= last[m.Conversation] {
			t.Errorf("%s: a socket got number %d of %s after %d", a.Handle, m.Seq, m.Conversation, last[m.Conversation])
		}
		last[m.Conversation] = m.Seq
		if random.IntN(4) == 0 {
			continue
		}
		a.note(a.acked, *m)
		if err := socket.Ack(ctx, m.ID); err != nil {
			return a.comeBack(t, err)
		}
	}
	return true
}

// comeBack tells whether a socket has only been asked to try again; a server that was
// killed says nothing.
func (a *actor) comeBack(t *testing.T, err error) bool {
	const tryAgainLater = 1013
	code, reason := agent.CloseOf(err)
	if code >= 0 && code != tryAgainLater {
		t.Errorf("%s: the server closed a socket with %d %q", a.Handle, code, reason)
	}
	return code == tryAgainLater
}

func (a *actor) note(in map[string]bool, list ...agent.Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, m := range list {
		in[m.ID] = true
	}
}

func (f *fleet) result() string {
	return fmt.Sprintf("%d messages were answered, %d of them by a server that had not stored them itself", len(f.sent), f.replays)
}
