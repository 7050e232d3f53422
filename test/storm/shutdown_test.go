package storm_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"parley/test/agent"
)

// TestShutdown tells a server with many open sockets to stop: each is told so, in a way
// that makes clients come back, and the server ends with 0 in time (AC 19.8).
func TestShutdown(t *testing.T) {
	const agents, socketsOfEach = 50, 10
	const goingAway, reason = 1001, "Server shutting down"
	const shutdownTimeout = 10 * time.Second // as the option has it
	srv := start(t, t.TempDir(), "127.0.0.1:0")
	network := agent.NewNetwork(netip.Addr{})
	t.Cleanup(network.Close)
	sockets := make([]*agent.Socket, agents*socketsOfEach)
	together(t, agents, func(i int) error {
		a, err := agent.Register(t.Context(), network, srv.URL, fmt.Sprintf("tern-%d", i))
		if err != nil {
			return err
		}
		for n := range socketsOfEach {
			if sockets[i*socketsOfEach+n], err = a.Listen(t.Context()); err != nil {
				return err
			}
		}
		return nil
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*shutdownTimeout)
	defer cancel()
	var ending sync.WaitGroup
	for n, s := range sockets {
		ending.Go(func() {
			defer s.Close()
			m, err := s.NextMessage(ctx)
			if code, why := agent.CloseOf(err); code != goingAway || why != reason {
				t.Errorf("socket %d: got %+v, %v, want a close with %d %q", n, m, err, goingAway, reason)
			}
		})
	}
	if err := srv.Stop(shutdownTimeout); err != nil {
		t.Error(err)
	}
	ending.Wait()
}
