// Package chaos_test lets 200 clients do everything at once to one server, under
// the race detector. Each client knows what it was answered, so it knows what
// every further answer has to be; at the end the server has to hold exactly what
// the answers add up to.
//
// # Excuses
//
// A client's own acts follow one another, so most of what it meets follows from
// its own model: it is a member where it joined, its messages are where it wrote
// them. What others may do to it in the same moment is announced in the model
// before they do it (a channel is ending, an account is about to be suspended).
// An answer that is no success needs such an announcement as its excuse.
package chaos_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"parley/client"
	"parley/internal/admin"
	"parley/internal/config"
	"parley/internal/server"
	"parley/internal/testpg"
)

// stuck is how long nobody may get an answer.
const stuck = 30 * time.Second

// The two tests are not parallel: each looks for goroutines left behind.

func TestChaosOnSQLite(t *testing.T) {
	chaos(t, "sqlite", 200, time.Minute)
}

func TestChaosOnPostgres(t *testing.T) {
	chaos(t, testpg.New(t), 100, 15*time.Second)
}

func chaos(t *testing.T, database string, clients int, storm time.Duration) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	cfg := config.Default()
	cfg.Data, cfg.Listen, cfg.Limits = t.TempDir(), "127.0.0.1:0", config.Off
	cfg.Database = config.Database(database)
	srv := server.New(cfg, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})))
	if err := srv.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	m := &model{t: t, dms: make(map[[2]*actor]*dm), tally: make(map[string]*[2]int)}
	end := watch(t, &m.answers)

	op, err := admin.Dial(t.Context(), server.SocketPath(cfg.Data))
	if err == nil {
		err = m.populate(t.Context(), srv.URL(), &http.Client{Transport: transport, Timeout: stuck}, op, clients)
	}
	if err == nil {
		m.rage(t.Context(), op, storm)
		m.verify(t.Context())
	}
	end()
	transport.CloseIdleConnections()
	if stopErr := srv.Stop(context.WithoutCancel(t.Context())); stopErr != nil {
		t.Errorf("stop: %v", stopErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.report()
	goleak.VerifyNone(t, before)
}

// watch ends the test binary with the stacks of all goroutines when nobody gets an
// answer any more: a deadlock would otherwise be found by the timeout of the test,
// much later.
func watch(t *testing.T, answers *atomic.Int64) (end func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(stuck)
		defer tick.Stop()
		for last := int64(-1); ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			now := answers.Load()
			if now == last {
				_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2) // the panic follows anyway
				panic(fmt.Sprintf("%s: nobody got an answer for %v", t.Name(), stuck))
			}
			last = now
		}
	}()
	return func() { close(quit); <-ended }
}

// populate makes the accounts, and a few servers to begin with. Keys come from the
// operator: a login each would take as long as the registration.
func (m *model) populate(ctx context.Context, url string, h *http.Client, op *admin.Client, clients int) error {
	c, err := client.New(url, client.WithHTTPClient(h))
	if err != nil {
		return err
	}
	m.actors = make([]*actor, clients)
	var g errgroup.Group
	g.SetLimit(8)
	for i := range clients {
		g.Go(func() error {
			a := &actor{m: m, name: fmt.Sprintf("agent%03d", i), nobody: c, random: rand.New(rand.NewPCG(rand.Uint64(), 0)), in: make(map[*space]bool)}
			u, err := c.Register(ctx, client.Registration{Email: a.name + "@example.com", Username: a.name, Password: password, IsAgent: true})
			if err != nil {
				return err
			}
			key, err := op.CreateKey(ctx, a.name, "chaos")
			if err != nil {
				return err
			}
			m.answers.Add(1)
			a.id, a.c, m.actors[i] = u.ID, c.WithToken(key.Token), a
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("make the accounts: %w", err)
	}
	for _, a := range m.actors[:10] {
		a.createSpace(ctx)
	}
	return nil
}

// rage lets everybody act until the time is up and everything was done at least
// once; on a slow machine that takes longer. Requests that were begun are waited for,
// because only then it is known what became of them.
func (m *model) rage(ctx context.Context, op *admin.Client, storm time.Duration) {
	over := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(over)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			took := time.Since(began)
			if took > storm && len(m.undone()) == 0 || took > 4*storm || m.t.Failed() {
				return
			}
		}
	}()
	var acting sync.WaitGroup
	for _, a := range m.actors {
		acting.Go(func() {
			for !m.t.Failed() {
				select {
				case <-over:
					return
				default:
					a.act(ctx)
				}
			}
		})
	}
	acting.Go(func() { m.operate(ctx, op, over) })
	acting.Wait()
}

// operate suspends accounts and puts them back.
func (m *model) operate(ctx context.Context, op *admin.Client, over <-chan struct{}) {
	for n := 0; ; n++ {
		a := m.actors[rand.IntN(len(m.actors))]
		a.suspension.Add(1) // about to be suspended
		if _, err := op.Suspend(ctx, a.name); err != nil {
			m.t.Errorf("suspend %s: %v", a.name, err)
		}
		a.suspension.Add(1) // suspended
		// It stays so while the others get some answers.
		goal := m.answers.Load() + 200
		tick := time.NewTicker(10 * time.Millisecond)
		ended := false
		for !ended && m.answers.Load() < goal {
			select {
			case <-tick.C:
			case <-over:
				ended = true
			}
		}
		tick.Stop()
		a.suspension.Add(1) // about to be put back
		if _, err := op.Reinstate(ctx, a.name); err != nil {
			m.t.Errorf("reinstate %s: %v", a.name, err)
		}
		a.suspension.Add(1) // free
		if ended {
			m.t.Logf("%d accounts were suspended and put back", n)
			return
		}
	}
}
