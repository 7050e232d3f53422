package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/internal/chat"
	"parley/internal/netguard"
	"parley/internal/store"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
	"parley/internal/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when the clocks of tests start.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is a store and a worker on a clock that only moves when asked.
type world struct {
	t      *testing.T
	store  store.Store
	worker *webhook.Worker
	config webhook.Config
	rules  *rules

	mu  sync.Mutex
	now time.Time
}

// rules stands for the core.
type rules struct {
	mu        sync.Mutex
	taken     map[chat.AccountID][]chat.MessageID
	connected map[chat.AccountID]bool
}

func (r *rules) HookSecret(h *chat.Hook) ([]byte, error) { return h.Secret, nil }

func (r *rules) DeliveredByHooks(_ context.Context, taken map[chat.AccountID][]chat.MessageID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for account, messages := range taken {
		r.taken[account] = append(r.taken[account], messages...)
	}
	return nil
}

func (r *rules) Connected(account chat.AccountID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.connected[account]
}

// words is an encoder that shows what it was given. Texts that cannot be worded are
// "unspeakable".
type words struct{}

func (words) Body(d *chat.Delivery) ([]byte, error) {
	if d.Event.Message != nil && d.Event.Message.Text == "unspeakable" {
		return nil, fmt.Errorf("no words for it")
	}
	text, waiting := "", 0
	if d.Event.Message != nil {
		text = d.Event.Message.Text
	}
	if d.Wake != nil {
		waiting = d.Wake.Waiting
	}
	return json.Marshal(map[string]any{"kind": d.Event.Kind, "text": text, "waiting": waiting, "salt": time.Now().UnixNano()})
}

func (words) Header(d *chat.Delivery, secret []byte, at time.Time) http.Header {
	h := http.Header{
		"X-Delivery": {strconv.FormatInt(int64(d.ID), 10)}, "X-Secret": {string(secret)}, "X-Time": {at.Format(time.RFC3339)},
	}
	if d.Event.Message != nil {
		h.Set("X-Text", d.Event.Message.Text)
	}
	return h
}

func newWorld(t *testing.T, change ...func(*webhook.Config)) *world {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.Path(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	w := &world{
		t: t, store: s, now: noon,
		rules: &rules{taken: make(map[chat.AccountID][]chat.MessageID), connected: make(map[chat.AccountID]bool)},
	}
	w.config = webhook.Config{
		Store: s, Client: netguard.New(netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		Forms: map[chat.Surface]webhook.Form{
			chat.SurfaceAgentChat: {Encoder: words{}, Policy: webhook.AgentChatPolicy()},
			chat.SurfaceAIClient:  {Encoder: words{}, Policy: webhook.AIClientPolicy()},
		},
		Log: slog.New(slog.DiscardHandler), Now: w.time,
	}
	for _, c := range change {
		c(&w.config)
	}
	t.Cleanup(func() {
		w.stop()
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	w.start()
	return w
}

// start starts a worker.
func (w *world) start() {
	w.worker = webhook.New(w.config)
	w.worker.Start(w.rules)
}

// stop stops it and breaks off what is under way.
func (w *world) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.worker.Stop(ctx)
}

func (w *world) time() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// advance moves the clock and has the worker look at it.
func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	w.worker.Queued()
}

func (w *world) update(fn func(ctx context.Context, tx store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatalf("update: %v", err)
	}
}

func read[T any](w *world, fn func(ctx context.Context, r store.Reader) (T, error)) (got T) {
	w.t.Helper()
	err := w.store.View(w.t.Context(), func(ctx context.Context, r store.Reader) (err error) {
		got, err = fn(ctx, r)
		return err
	})
	if err != nil {
		w.t.Fatalf("read: %v", err)
	}
	return got
}

// account stores an agent.
func (w *world) account() chat.AccountID {
	w.t.Helper()
	var id chat.AccountID
	w.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		id = chat.AccountID(n)
		name := "agent" + strconv.FormatInt(n, 10)
		return tx.InsertAccount(ctx, &chat.Account{
			ID: id, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: name, NameKey: name, Handle: name,
			State: chat.StateActive, CreatedAt: noon, UpdatedAt: noon,
		}, "")
	})
	return id
}

// change changes an account.
func (w *world) change(id chat.AccountID, apply func(*chat.Account)) {
	w.t.Helper()
	w.update(func(ctx context.Context, tx store.Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		apply(a)
		return tx.UpdateAccount(ctx, a)
	})
}

// hook stores a webhook of an account.
func (w *world) hook(account chat.AccountID, url string, events ...chat.HookEvents) chat.Hook {
	w.t.Helper()
	h := chat.Hook{
		Account: account, Surface: chat.SurfaceAgentChat, URL: url, Events: chat.HookMessageCreated,
		Secret: []byte("s3cret"), CreatedAt: noon,
	}
	for _, e := range events {
		h.Events = e
	}
	w.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		h.ID = chat.HookID(n)
		if err != nil {
			return err
		}
		return tx.InsertHook(ctx, &h)
	})
	return h
}

// message is an event of a message with a text.
func (w *world) message(text string) chat.Event {
	w.t.Helper()
	var e chat.Event
	w.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		m := &chat.Message{ID: chat.MessageID(n), Conversation: 1, Seq: n, Author: 1, Kind: chat.MessageText, Text: text, CreatedAt: noon}
		e = chat.Event{Position: m.Position(), Kind: chat.EventMessageCreated, At: noon, Message: m}
		return err
	})
	return e
}

// queue queues messages for a hook and tells the worker.
func (w *world) queue(h chat.Hook, texts ...string) []chat.Event {
	w.t.Helper()
	var list []chat.Delivery
	var events []chat.Event
	for _, text := range texts {
		e := w.message(text)
		events = append(events, e)
		list = append(list, chat.Delivery{Hook: h.ID, Account: h.Account, Event: e, NextAt: w.time(), CreatedAt: w.time()})
	}
	w.update(func(ctx context.Context, tx store.Tx) error { return tx.Enqueue(ctx, list) })
	w.worker.Queued()
	return events
}

// status is what the store says of a hook.
func (w *world) status(h chat.Hook) chat.HookStatus {
	w.t.Helper()
	list := read(w, func(ctx context.Context, r store.Reader) ([]chat.HookStatus, error) {
		return r.HookList(ctx, h.Account, h.ID-1, 1)
	})
	if len(list) == 0 || list[0].Hook.ID != h.ID {
		return chat.HookStatus{}
	}
	return list[0]
}

func (w *world) letters() []chat.DeadLetter {
	w.t.Helper()
	return read(w, func(ctx context.Context, r store.Reader) ([]chat.DeadLetter, error) {
		return r.DeadLetters(ctx, 0, 100)
	})
}

func (w *world) next() time.Time {
	w.t.Helper()
	return read(w, func(ctx context.Context, r store.Reader) (time.Time, error) { return r.NextDelivery(ctx) })
}

// until polls until ok, which says what it saw.
func (w *world) until(what string, ok func() (saw any, done bool)) {
	w.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		saw, done := ok()
		if done {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("waited for %s, saw %v", what, saw)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-w.t.Context().Done():
			w.t.Fatal("the test has ended")
		}
	}
}

// untilNext waits until a hook is due at a time and not before.
func (w *world) untilNext(at time.Time) {
	w.t.Helper()
	w.until("the next delivery at "+at.String(), func() (any, bool) {
		next := w.next()
		return next, next.Equal(at)
	})
}

// untilEmpty waits until nothing is queued for a hook.
func (w *world) untilEmpty(h chat.Hook) {
	w.t.Helper()
	w.until("an empty queue", func() (any, bool) {
		s := w.status(h)
		return s, s.Queued == 0
	})
}

// call is one request that a receiver got.
type call struct {
	body   string
	header http.Header
}

// receiver is a server that webhooks point to.
type receiver struct {
	*httptest.Server

	calls chan call

	mu     sync.Mutex
	answer http.HandlerFunc
}

// counted is a client that counts its calls.
type counted struct {
	webhook.Client

	host      string       // whose calls are counted; "": all
	now, most atomic.Int32 // under way, and at once so far
}

// wrap puts it in the place of the client of a worker.
func (c *counted) wrap(cfg *webhook.Config) { c.Client, cfg.Client = cfg.Client, c }

func (c *counted) Do(r *http.Request) (*http.Response, error) {
	if c.host == "" || c.host == r.URL.Host {
		n := c.now.Add(1)
		defer c.now.Add(-1)
		for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); old = c.most.Load() {
		}
	}
	return c.Client.Do(r)
}

// receive makes a receiver that answers 200.
func (w *world) receive() *receiver {
	w.t.Helper()
	r := &receiver{calls: make(chan call, 1000)}
	r.respond(func(http.ResponseWriter, *http.Request) {})
	r.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		answer := r.answer
		r.mu.Unlock()
		r.calls <- call{string(body), q.Header}
		answer(rw, q)
	}))
	w.t.Cleanup(func() {
		r.CloseClientConnections()
		r.Close()
	})
	return r
}

// respond sets how it answers from now on.
func (r *receiver) respond(h http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = h
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// get waits for the next call.
func (r *receiver) get(t *testing.T) call {
	t.Helper()
	select {
	case c := <-r.calls:
		return c
	case <-time.After(time.Minute):
		t.Fatal("the receiver was not called")
		return call{}
	}
}

// text is the text of the message that a call told of.
func (c call) text(t *testing.T) string {
	t.Helper()
	var body struct{ Text string }
	if err := json.Unmarshal([]byte(c.body), &body); err != nil {
		t.Fatalf("body %q: %v", c.body, err)
	}
	return body.Text
}
