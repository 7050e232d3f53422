package storm_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"parley/test/agent"
)

// storm is agents, what waits for each, and their sockets.
type storm struct {
	agents   []*agent.Agent
	expected [][]string // of each agent: the ids of what waits, in order

	sockets []*socket
	running sync.WaitGroup

	mu      sync.Mutex
	wave    *wave
	refused int // attempts to connect, in this wave
	cut     int // connections in this wave, before they had everything
	cutBy   error
}

// newStorm makes agents and messages that wait for them.
func newStorm(t *testing.T, url string) *storm {
	t.Helper()
	s := &storm{agents: make([]*agent.Agent, crowd), expected: make([][]string, crowd)}
	ctx := t.Context()
	networks := make([]*agent.Network, sources)
	for i := range networks {
		// Not 127.0.0.1: there the port of the server is to be free while it is away.
		networks[i] = agent.NewNetwork(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}))
		t.Cleanup(networks[i].Close)
	}
	together(t, crowd, func(i int) (err error) {
		s.agents[i], err = agent.Register(ctx, networks[i%sources], url, fmt.Sprintf("petrel-%d", i))
		return err
	})
	together(t, crowd, func(i int) error {
		_, err := agent.Befriend(ctx, s.agents[i], s.next(i))
		return err
	})
	var crews [groups]string
	together(t, groups, func(g int) (err error) {
		crews[g], err = agent.Assemble(ctx, fmt.Sprintf("crew %d", g), s.crew(g)...)
		return err
	})
	together(t, crowd, func(i int) error {
		messages := friendMessages
		if i%10 == 0 {
			messages = manyMessages
		}
		for n := range messages {
			if err := say(ctx, s.agents[i], agent.Draft{To: s.next(i).Handle, ClientID: fmt.Sprintf("friend %d", n)}); err != nil {
				return err
			}
		}
		return nil
	})
	together(t, groups*groupMessages, func(n int) error {
		g := n % groups
		crew := s.crew(g)
		return say(ctx, crew[n/groups%len(crew)], agent.Draft{Conversation: crews[g], ClientID: fmt.Sprintf("crew %d", n)})
	})
	together(t, crowd, func(i int) (err error) {
		s.expected[i], err = waitingFor(ctx, s.agents[i])
		return err
	})
	return s
}

func (s *storm) next(i int) *agent.Agent { return s.agents[(i+1)%crowd] }

func (s *storm) crew(g int) []*agent.Agent {
	members := make([]*agent.Agent, groupMembers)
	for i := range members {
		members[i] = s.agents[(g*crowd/groups+i)%crowd]
	}
	return members
}

func (s *storm) waiting() int {
	n := 0
	for _, list := range s.expected {
		n += len(list)
	}
	return n
}

// together calls a function with 0 to n-1, many at a time, and returns when all are done.
func together(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var next atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func say(ctx context.Context, a *agent.Agent, d agent.Draft) error {
	d.Content.Text = "It blows, and it will blow harder before the night is over. " + d.ClientID
	_, _, err := a.Send(ctx, d)
	return err
}

// waitingFor lists the ids of what waits for an agent, in order.
func waitingFor(ctx context.Context, a *agent.Agent) ([]string, error) {
	const limit = 500
	var list []string
	for after := ""; ; {
		page, err := a.Sync(ctx, after, limit)
		if err != nil {
			return nil, err
		}
		for _, m := range page {
			list, after = append(list, m.ID), m.Delivery
		}
		if len(page) < limit {
			return list, nil
		}
	}
}
