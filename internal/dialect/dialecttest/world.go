package dialecttest

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/blob"
	"parley/internal/bus/inproc"
	"parley/internal/core"
	"parley/internal/httpx"
	"parley/internal/hub"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
	"parley/internal/testpg"
)

// Engine opens an empty database of one kind.
type Engine struct {
	Name string
	Open func(ctx context.Context, t testing.TB) (store.Store, error)
}

// Engines lists both, SQLite first. Under the race detector there is SQLite alone:
// what a dialect does is the same on both, the engines have a suite of their own
// under the detector, and make test runs the dialects on PostgreSQL without it.
func Engines() []Engine {
	discard := slog.New(slog.DiscardHandler)
	engines := []Engine{
		{"sqlite", func(ctx context.Context, t testing.TB) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: sqlitetest.Path(t), Logger: discard})
		}},
		{"postgres", func(ctx context.Context, t testing.TB) (store.Store, error) {
			return postgres.Open(ctx, postgres.Options{DSN: testpg.New(t), Logger: discard})
		}},
	}
	if raceDetector {
		return engines[:1]
	}
	return engines
}

// EachEngine runs a test for each engine, all at once.
func EachEngine(t *testing.T, test func(t *testing.T, e Engine)) {
	t.Helper()
	t.Parallel()
	for _, e := range Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			test(t, e)
		})
	}
}

// Clock only moves when asked.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Noon is when the clocks of worlds start: in the middle of a rate window.
var Noon = time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)

// Now is the time of the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Mailbox is a Mailer that keeps the codes it was to mail.
type Mailbox struct {
	mu    sync.Mutex
	codes map[string][]core.CodeMail
	fail  error
	came  chan struct{} // closed and replaced with each mail
}

// MailCode keeps a code, or fails as it was told to.
func (m *Mailbox) MailCode(_ context.Context, mail core.CodeMail) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	m.codes[mail.Address] = append(m.codes[mail.Address], mail)
	close(m.came)
	m.came = make(chan struct{})
	return nil
}

// Fail makes mails from now on fail, or with nil succeed again.
func (m *Mailbox) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Code waits for the nth mail to an address, counted from 1, and returns its code.
func (m *Mailbox) Code(t testing.TB, address string, n int) string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		m.mu.Lock()
		mails, came := m.codes[address], m.came
		m.mu.Unlock()
		if len(mails) >= n {
			return mails[n-1].Code
		}
		select {
		case <-came:
		case <-deadline:
			t.Fatalf("%s got %d mails, want %d", address, len(mails), n)
		}
	}
}

// Count is how many mails an address got.
func (m *Mailbox) Count(address string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.codes[address])
}

// World is a core on an empty database with a clock that only moves when asked,
// and a server for one dialect before it. Its clients speak from addresses of their
// own, as if through a trusted proxy.
type World struct {
	Core   *core.Service
	Store  store.Store
	Hub    *hub.Hub
	IDs    *id.Codec
	Blobs  *blob.Store
	Mail   *Mailbox
	Clock  *Clock
	Server *httptest.Server
	serial atomic.Int64
}

// NewWorld makes a world on an engine; mount makes the handler, and change may
// change how the core is built.
func NewWorld(t testing.TB, e Engine, mount func(w *World, clients *httpx.Clients) http.Handler, change ...func(*core.Config)) *World {
	t.Helper()
	s, err := e.Open(t.Context(), t)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	w := &World{
		Store: s, Clock: &Clock{now: Noon},
		Mail: &Mailbox{codes: make(map[string][]core.CodeMail), came: make(chan struct{})},
	}
	var signing [32]byte
	_, _ = rand.Read(signing[:]) // never fails
	if w.Blobs, err = blob.Open(filepath.Join(t.TempDir(), "blobs"), signing); err != nil {
		t.Fatalf("open the blobs: %v", err)
	}
	key, err := s.IDKey(t.Context())
	if err != nil {
		t.Fatalf("read the key of ids: %v", err)
	}
	if w.IDs, err = id.NewCodec(key); err != nil {
		t.Fatalf("make the codec of ids: %v", err)
	}
	bus := inproc.New(inproc.Options{})
	cfg := core.Config{
		Store: s, Bus: bus, Hasher: secret.NewTestHasher(4), Log: slog.New(slog.DiscardHandler), Now: w.Clock.Now,
		Mailer: w.Mail, Blobs: blob.NewKeeper(w.Blobs, 2),
	}
	for _, c := range change {
		c(&cfg)
	}
	if w.Core, err = core.New(cfg); err != nil {
		t.Fatalf("build the core: %v", err)
	}
	if w.Hub, err = hub.New(t.Context(), bus, w.Core, hub.Options{}); err != nil {
		t.Fatalf("build the hub: %v", err)
	}
	w.Server = httptest.NewServer(mount(w, LocalProxy()))
	w.Server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	t.Cleanup(func() {
		w.Server.Close()
		w.Hub.Close()
		w.Core.Close()
		for _, c := range []io.Closer{bus, w.Blobs, s} {
			if err := c.Close(); err != nil {
				t.Errorf("close the world: %v", err)
			}
		}
	})
	return w
}

// LocalProxy trusts the forwarding headers of this machine, which is how the clients
// of worlds have addresses.
func LocalProxy() *httpx.Clients {
	return httpx.NewClients([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
}

// Unreadable is a store whose reads fail while Fail returns an error.
type Unreadable struct {
	store.Store
	Fail func(ctx context.Context) error
}

// View fails or reads.
func (u Unreadable) View(ctx context.Context, fn func(context.Context, store.Reader) error) error {
	if err := u.Fail(ctx); err != nil {
		return err
	}
	return u.Store.View(ctx, fn)
}

// Serial is a number that the world has not given out before.
func (w *World) Serial() int64 { return w.serial.Add(1) }

// Update changes the database past the core, for facts no route can set up.
func (w *World) Update(t testing.TB, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := w.Store.Update(t.Context(), fn); err != nil {
		t.Fatalf("set up facts: %v", err)
	}
}
