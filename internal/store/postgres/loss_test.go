package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/testpg"
)

// The connection breaks while a batch is being committed. Whether the server got
// to hear of it or not, the batch is stored once and the caller learns no error.
func TestConnectionLostDuringCommit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		cut     cut
		decided int // how often: a batch that was stored is not run again
	}{{"the server never got it", cutRequest, 2}, {"the answer never came", cutAnswer, 1}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dsn := testpg.New(t)
			p := newProxy(t, dsn)
			s := mustOpen(t, p.dsn)
			author, direct := seed(t, s)
			mustSend(t, s, author, direct)
			armed := false
			n, err := sendOne(t, s, author, direct, func() {
				if !armed {
					armed = true
					p.cut.Store(int32(test.cut))
				}
			})
			if err != nil {
				t.Errorf("send: %v", err)
			}
			if n != test.decided {
				t.Errorf("decided: got %d times, want %d", n, test.decided)
			}
			if got := p.cuts.Load(); got != 1 {
				t.Errorf("connections cut: got %d, want 1", got)
			}
			var stored, seq int
			err = raw(t, dsn).QueryRowContext(t.Context(),
				`SELECT (SELECT count(*) FROM messages), (SELECT last_seq FROM conversations)`).Scan(&stored, &seq)
			if err != nil || stored != 2 || seq != 2 {
				t.Errorf("messages and last number: got %d and %d, error %v, want 2 and 2", stored, seq, err)
			}
		})
	}
}

// sendOne sends a message without a client id and returns how often it was
// decided on; each time deciding is called first.
func sendOne(t *testing.T, s store.Store, author *chat.Account, direct *chat.Conversation, deciding func()) (n int, err error) {
	t.Helper()
	err = s.Send(t.Context(), store.Batch{
		Keys: []store.SendKey{{Author: author.ID, Conversation: direct.ID}},
		Decide: func(f *store.SendFacts) store.Writes {
			deciding()
			n++
			c := f.Conversations[direct.ID]
			c.LastSeq++
			c.LastAt = author.CreatedAt.Add(time.Duration(c.LastSeq) * time.Millisecond)
			return store.Writes{Moved: []*chat.Conversation{c}, Messages: []*chat.Message{{
				ID: chat.MessageID(f.FirstID), Conversation: c.ID, Seq: c.LastSeq, Author: author.ID,
				Kind: chat.MessageText, Text: "hello", CreatedAt: c.LastAt,
			}}}
		},
	})
	return n, err
}

// mustSend sends a message that nothing happens to. It also makes a store ready
// for tests that count exchanges with the server: the statements are prepared.
func mustSend(t *testing.T, s store.Store, author *chat.Account, direct *chat.Conversation) {
	t.Helper()
	if n, err := sendOne(t, s, author, direct, func() {}); n == 0 || err != nil {
		t.Fatalf("send: decided %d times, error %v", n, err)
	}
}

// The server is gone for good in the middle of a commit: the error says that the
// batch may be run again, and Send itself has not done so.
func TestServerLostDuringCommit(t *testing.T) {
	t.Parallel()
	p := newProxy(t, testpg.New(t))
	s := mustOpen(t, p.dsn)
	postgres.SetSettleTimeout(s, 300*time.Millisecond)
	author, direct := seed(t, s)
	mustSend(t, s, author, direct)
	n, err := sendOne(t, s, author, direct, func() { p.cut.Store(int32(cutForGood)) })
	if n != 1 || !errors.Is(err, store.ErrConflict) {
		t.Errorf("send: decided %d times, error %v, want once and %v", n, err, store.ErrConflict)
	}
}

// All connections die while idle, as when a server restarts: nobody notices.
func TestConnectionsLostWhileIdle(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	s, db := mustOpen(t, dsn), raw(t, dsn)
	author, direct := seed(t, s)
	for range 3 {
		mustSend(t, s, author, direct)
		terminate(t, db)
		mustSend(t, s, author, direct)
		terminate(t, db)
		update(t, s, func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, author) })
		err := s.View(t.Context(), func(ctx context.Context, r store.Reader) error {
			_, err := r.Account(ctx, author.ID)
			return err
		})
		if err != nil {
			t.Errorf("view after its connections were lost: %v", err)
		}
	}
}

// terminate ends every other session of the database.
func terminate(t *testing.T, db *sql.DB) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatalf("terminate: %v", err)
	}
}

func TestExclusive(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	here, there, db := mustOpen(t, dsn), mustOpen(t, dsn), raw(t, dsn)
	take := func(s *postgres.Store) *postgres.Lease {
		t.Helper()
		l, err := s.Exclusive(t.Context())
		if err != nil {
			t.Fatalf("exclusive: %v", err)
		}
		t.Cleanup(l.Release)
		return l
	}
	refused := func(s *postgres.Store) {
		t.Helper()
		if l, err := s.Exclusive(t.Context()); !errors.Is(err, store.ErrInUse) {
			t.Fatalf("exclusive while another has it: got %v, error %v, want %v", l, err, store.ErrInUse)
		}
	}
	first := take(here)
	refused(there)
	refused(here)
	first.Release()
	first.Release()
	select {
	case <-first.Lost():
		t.Errorf("a released lease says it was lost: %v", first.Err())
	default:
	}
	second := take(there)
	refused(here)

	terminate(t, db)
	select {
	case <-second.Lost():
	case <-time.After(patience):
		t.Fatal("a lease whose connection is gone does not say so")
	}
	if second.Err() == nil {
		t.Error("a lost lease has no error")
	}
	take(here)
	second.Release()
	refused(there)
}

// cut is where a proxy breaks the next exchange.
type cut int32

const (
	cutNothing cut = iota
	cutRequest     // before the server gets the request
	cutAnswer      // when the server has answered it
	cutForGood     // before the server gets the request, and nobody gets through any more
)

// proxy stands between a store and the server.
type proxy struct {
	dsn  string
	cut  atomic.Int32
	cuts atomic.Int32
	dead atomic.Bool
}

func newProxy(t *testing.T, dsn string) *proxy {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatalf("read %s: %v", dsn, err)
	}
	network, server := pgconn.NetworkAddress(config.Host, config.Port)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	p := &proxy{dsn: (&url.URL{
		Scheme: "postgres", User: url.UserPassword(config.User, config.Password), Host: listener.Addr().String(),
		Path: "/" + config.Database, RawQuery: "sslmode=disable",
	}).String()}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			wait.Go(func() { p.serve(client, network, server) })
		}
	})
	t.Cleanup(func() {
		end(listener)
		wait.Wait() // the store is closed by now, and its connections with it
	})
	return p
}

func (p *proxy) serve(client net.Conn, network, address string) {
	defer end(client)
	if p.dead.Load() {
		return
	}
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	defer end(server)
	var hold atomic.Bool // the next answer is withheld
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() {
		defer end(client)
		relay(client, server, func() bool { return !hold.Load() })
	})
	defer end(server)
	relay(server, client, func() bool {
		next := cut(p.cut.Swap(int32(cutNothing)))
		if next != cutNothing {
			p.cuts.Add(1)
		}
		hold.Store(hold.Load() || next == cutAnswer)
		p.dead.Store(p.dead.Load() || next == cutForGood)
		return next != cutRequest && next != cutForGood
	})
}

// end closes what the other side may have closed already.
func end(c io.Closer) { _ = c.Close() }

// relay copies until one side ends or pass says no.
func relay(to io.Writer, from io.Reader, pass func() bool) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil || !pass() {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}
