package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/netguard"
	"parley/internal/store"
	"parley/internal/webhook"
)

func TestDelivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	h := w.hook(w.account(), r.URL)
	events := w.queue(h, "one", "two")
	for _, want := range []string{"one", "two"} {
		c := r.get(t)
		if got := c.text(t); got != want || c.header.Get("X-Secret") != "s3cret" {
			t.Errorf("delivered %q with secret %q, want %q with the hook's", got, c.header.Get("X-Secret"), want)
		}
	}
	w.untilEmpty(h)
	want := []chat.MessageID{events[0].Message.ID, events[1].Message.ID}
	if got := w.rules.taken[h.Account]; !slices.Equal(got, want) {
		t.Errorf("noted as delivered: %v, want %v", got, want)
	}
	w.untilNext(time.Time{})
}

// A message is noted as delivered only once a receiver took it, other events never.
func TestNotesMessagesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	h := w.hook(w.account(), r.URL)
	w.update(func(ctx context.Context, tx store.Tx) error {
		return tx.Enqueue(ctx, []chat.Delivery{{
			Hook: h.ID, Account: h.Account, Event: chat.Event{Kind: chat.EventAccountBlocked, At: noon}, NextAt: noon, CreatedAt: noon,
		}})
	})
	w.worker.Queued()
	r.get(t)
	w.untilEmpty(h)
	if len(w.rules.taken) != 0 {
		t.Errorf("noted as delivered: %v, want nothing", w.rules.taken)
	}
}

// Nine attempts with the waits of the contract, the same bytes and id each time, and
// then a dead letter, which can be sent again.
func TestTriesNineTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	r.respond(status(500))
	h := w.hook(w.account(), r.URL)
	w.queue(h, "hello")
	first := r.get(t)
	for i, wait := range []time.Duration{
		10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour,
	} {
		due := w.time().Add(wait)
		// The fifth failure opens the breaker for five minutes: less than the waits
		// from then on.
		w.untilNext(due)
		w.advance(wait)
		again := r.get(t)
		if again.body != first.body || again.header.Get("X-Delivery") != first.header.Get("X-Delivery") {
			t.Errorf("attempt %d: got %+v, want the bytes and id of the first, %+v", i+2, again, first)
		}
		if got, want := again.header.Get("X-Time"), due.Format(time.RFC3339); got != want {
			t.Errorf("attempt %d: signed at %s, want %s", i+2, got, want)
		}
	}
	w.until("a dead letter", func() (any, bool) { return nil, len(w.letters()) == 1 })
	letter := w.letters()[0]
	if letter.Attempts != 9 || letter.LastError != "the receiver answered 500" || string(letter.Body) != first.body ||
		!letter.FailedAt.Equal(w.time()) {
		t.Errorf("dead letter: got %+v", letter)
	}
	w.untilNext(time.Time{})

	r.respond(status(204))
	w.update(func(ctx context.Context, tx store.Tx) error { return tx.ReviveLetter(ctx, letter.ID, w.time()) })
	w.advance(5 * time.Minute) // the breaker is open
	if again := r.get(t); again.body != first.body {
		t.Errorf("sent again: got %s, want the bytes of the first, %s", again.body, first.body)
	}
	w.untilEmpty(h)
	if got := w.rules.taken[h.Account]; len(got) != 1 {
		t.Errorf("noted as delivered: %v, want the message", got)
	}
}

// A receiver is down for an hour: nothing is lost, and the others do not notice.
func TestAnHourDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	down, up := w.receive(), w.receive()
	down.respond(status(500))
	h, other := w.hook(w.account(), down.URL), w.hook(w.account(), up.URL)
	var texts []string
	for i := range 20 {
		texts = append(texts, fmt.Sprint("m", i))
	}
	w.queue(h, texts...)
	w.queue(other, texts...)
	for _, want := range texts {
		if got := up.get(t).text(t); got != want {
			t.Errorf("receiver that is up: got %q, want %q", got, want)
		}
	}
	for range 5 {
		down.get(t)
	}
	for range 11 { // the breaker opens for five minutes, then lets one through
		w.until("an open breaker", func() (any, bool) {
			s := w.status(h)
			return s, s.Breaker.OpenUntil.Equal(w.time().Add(5 * time.Minute))
		})
		w.advance(5 * time.Minute)
		down.get(t)
	}
	select {
	case c := <-down.calls:
		t.Errorf("called while the breaker was open: %+v", c)
	default:
	}
	down.respond(status(200))
	w.until("an open breaker", func() (any, bool) { return nil, w.status(h).Breaker.OpenUntil.After(w.time()) })
	w.advance(time.Hour) // whatever has failed is due again
	w.untilEmpty(h)
	seen := make(map[string]int)
	for range len(down.calls) {
		seen[(<-down.calls).text(t)]++
	}
	if len(seen) != len(texts) {
		t.Errorf("taken: %v, want all %d", seen, len(texts))
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%s was taken %d times, want once", text, n)
		}
	}
	if s := w.status(h); s.Dead != 0 || s.Breaker.Failures != 0 || !s.Breaker.OpenUntil.IsZero() {
		t.Errorf("after recovery: got %+v, want no dead letters and a closed breaker", s)
	}
}

// Receivers that hang hold up nobody but themselves, and each is called once at a time.
func TestHangingReceivers(t *testing.T) {
	t.Parallel()
	calls := new(counted)
	w := newWorld(t, func(c *webhook.Config) { c.Timeout = 200 * time.Millisecond }, calls.wrap)
	hanging, healthy := w.receive(), w.receive()
	hanging.respond(hang)
	calls.host = strings.TrimPrefix(hanging.URL, "http://")
	bad, good := w.hook(w.account(), hanging.URL), w.hook(w.account(), healthy.URL)
	w.queue(bad, "1", "2", "3", "4", "5", "6")
	hanging.get(t)
	w.queue(good, "a", "b", "c")
	for _, want := range []string{"a", "b", "c"} {
		if got := healthy.get(t).text(t); got != want {
			t.Errorf("healthy receiver: got %q, want %q", got, want)
		}
	}
	w.until("an open breaker", func() (any, bool) { s := w.status(bad); return s, !s.Breaker.OpenUntil.IsZero() })
	if s := w.status(bad); s.Queued != 6 {
		t.Errorf("queue of the hanging receiver: got %+v, want all six", s)
	}
	if n := calls.most.Load(); n != 1 {
		t.Errorf("the hanging receiver was called %d times at once, want once", n)
	}
}

// More receivers hang than the worker serves at once.
func TestManyHangingReceivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *webhook.Config) { c.Timeout = 100 * time.Millisecond })
	hanging, healthy := w.receive(), w.receive()
	hanging.respond(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	for range 40 {
		w.queue(w.hook(w.account(), hanging.URL), "x")
	}
	good := w.hook(w.account(), healthy.URL)
	w.queue(good, "through")
	if got := healthy.get(t).text(t); got != "through" {
		t.Errorf("healthy receiver: got %q, want what was queued", got)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "the receiver answered 307"},
		"not found": {status(404), "the receiver answered 404"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}, "EOF"},
		"cut off in the header": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("HTTP/1.1 200 O"))
				_ = conn.Close()
			}
		}, "unexpected EOF"},
		"no HTTP": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("\xff\x00 nonsense\r\n\r\n"))
				_ = conn.Close()
			}
		}, "malformed"},
		"late": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "the receiver did not answer in time"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(c *webhook.Config) { c.Timeout = 500 * time.Millisecond })
			r := w.receive()
			r.respond(tc.answer)
			h := w.hook(w.account(), r.URL)
			w.queue(h, "hello")
			first := r.get(t)
			w.untilNext(noon.Add(10 * time.Second))
			if b := w.status(h).Breaker; b.Failures != 1 {
				t.Errorf("breaker: got %+v, want one failure", b)
			}
			w.stop()
			if d := w.claimOne(10 * time.Second); d.Attempts != 1 || !strings.Contains(d.LastError, tc.want) {
				t.Errorf("after the failure: got %d attempts and %q, want 1 and %q", d.Attempts, d.LastError, tc.want)
			}
			r.respond(status(200))
			w.start()
			w.advance(2 * time.Minute) // past that claim
			if again := r.get(t); again.body != first.body {
				t.Errorf("second attempt: got %s, want the bytes of the first, %s", again.body, first.body)
			}
			w.untilEmpty(h)
		})
	}
}

// An answer without end, or a large one, is not read to its end.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	r.respond(func(rw http.ResponseWriter, q *http.Request) {
		for q.Context().Err() == nil {
			if _, err := rw.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	})
	h := w.hook(w.account(), r.URL)
	w.queue(h, "hello")
	r.get(t)
	w.untilEmpty(h)
}

// names resolves every name to one address.
type names struct{ addr netip.Addr }

func (n names) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{n.addr}, nil
}

// A name that was public when the webhook was made points to the server's own network
// by now.
func TestAttackByRebinding(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1"} {
		w := newWorld(t, func(c *webhook.Config) {
			c.Client = netguard.New(netguard.Options{Resolver: names{netip.MustParseAddr(addr)}})
		})
		h := w.hook(w.account(), "https://receiver.example/hook")
		w.queue(h, "secret")
		w.untilNext(noon.Add(10 * time.Second))
		d := w.claimOne(10 * time.Second)
		if !strings.Contains(d.LastError, "blocked") || strings.Contains(d.LastError, "receiver.example") {
			t.Errorf("%s: last error %q, want that it was blocked, without the URL", addr, d.LastError)
		}
	}
}

// claimOne takes what the worker would take after a time, past the worker.
func (w *world) claimOne(after time.Duration) chat.Delivery {
	w.t.Helper()
	var d chat.Delivery
	w.update(func(ctx context.Context, tx store.Tx) error {
		at := w.time().Add(after)
		work, err := tx.ClaimHooks(ctx, store.HookClaim{Now: at, Until: at.Add(time.Minute), Hooks: 1, Each: 1})
		if err != nil {
			return err
		}
		if len(work) != 1 || len(work[0].Deliveries) != 1 {
			return fmt.Errorf("claimed %+v, want one delivery", work)
		}
		d = work[0].Deliveries[0]
		return nil
	})
	return d
}

// A worker dies between claim and result: after the claim has run out another one
// sends the same bytes.
func TestAWorkerDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	h := w.hook(w.account(), r.URL)
	w.stop()
	w.queue(h, "hello")
	d := w.claimOne(0)
	body := []byte(`{"text":"as the dead worker worded it"}`)
	w.update(func(ctx context.Context, tx store.Tx) error { return tx.SetDeliveryBody(ctx, d.ID, body) })
	w.start()
	w.untilNext(noon.Add(time.Minute))
	w.advance(time.Minute)
	if got := r.get(t).body; got != string(body) {
		t.Errorf("got %s, want the stored bytes %s", got, body)
	}
	w.untilEmpty(h)
}

// Stopping breaks off what hangs; that is no failure, and the next start sends it.
func TestStopBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	r.respond(func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	h := w.hook(w.account(), r.URL)
	w.queue(h, "one", "two")
	first := r.get(t)
	w.stop()
	if s := w.status(h); s.Queued != 2 || s.Breaker.Failures != 0 {
		t.Errorf("after the stop: got %+v, want both queued and no failure", s)
	}
	r.respond(status(200))
	w.start()
	if again := r.get(t); again.body != first.body {
		t.Errorf("after the start: got %s, want %s", again.body, first.body)
	}
	w.untilEmpty(h)
}

// Stopping waits for an attempt that ends in time, and records it.
func TestStopWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	gate := make(chan struct{})
	r.respond(func(http.ResponseWriter, *http.Request) { <-gate })
	h := w.hook(w.account(), r.URL)
	w.queue(h, "one", "two")
	r.get(t)
	stopped := make(chan struct{})
	go func() {
		w.worker.Stop(context.Background())
		close(stopped)
	}()
	close(gate)
	<-stopped
	if got := len(w.rules.taken[h.Account]); got < 1 {
		t.Errorf("noted as delivered: %d, want what was under way", got)
	}
	if s := w.status(h); s.Queued != 2-len(w.rules.taken[h.Account]) {
		t.Errorf("queued: %d, want what was not delivered", s.Queued)
	}
}

func TestHookRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	gate := make(chan struct{})
	r.respond(func(http.ResponseWriter, *http.Request) { <-gate })
	h, other := w.hook(w.account(), r.URL), w.hook(w.account(), r.URL)
	w.queue(h, "one", "two", "three")
	r.get(t)
	w.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHook(ctx, h.ID) })
	close(gate)
	w.queue(other, "other")
	if got := r.get(t).text(t); got != "other" {
		t.Errorf("got %q, want nothing of a hook that was removed", got)
	}
	w.untilEmpty(other)
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters: got %+v, want none", letters)
	}
}

// An account that may not be told of anything is not: what is queued is dropped.
func TestAccountSilenced(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(*chat.Account){
		"suspended": func(a *chat.Account) { a.State = chat.StateSuspended },
		"disabled":  func(a *chat.Account) { a.Disabled = true },
		"paused":    func(a *chat.Account) { a.Pause = chat.PauseFull },
		"removed":   func(a *chat.Account) { a.State = chat.StateDeleted },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.receive()
			r.respond(status(500))
			h := w.hook(w.account(), r.URL)
			w.queue(h, "tried once")
			r.get(t)
			w.untilNext(noon.Add(10 * time.Second))
			w.change(h.Account, silence)
			w.queue(h, "never tried")
			w.advance(10 * time.Second)
			w.untilEmpty(h)
			if len(r.calls) != 0 || len(w.letters()) != 0 {
				t.Errorf("got %d calls and %d dead letters, want none", len(r.calls), len(w.letters()))
			}
		})
	}
}

// An account that is silenced while its deliveries are under way gets no more of them.
func TestSilencedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	gate := make(chan struct{})
	r.respond(func(http.ResponseWriter, *http.Request) { <-gate })
	h := w.hook(w.account(), r.URL)
	w.queue(h, "one", "two", "three")
	r.get(t)
	w.change(h.Account, func(a *chat.Account) { a.Pause = chat.PauseFull })
	close(gate)
	w.untilEmpty(h)
	if len(r.calls) != 0 {
		t.Errorf("got %d more calls, want none", len(r.calls))
	}
}

// What cannot be worded is given up at once, and does not stand in the way.
func TestUnspeakable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	h := w.hook(w.account(), r.URL)
	foreign := h
	foreign.Surface = chat.SurfaceArgon
	w.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		foreign.ID = chat.HookID(n)
		if err != nil {
			return err
		}
		return tx.InsertHook(ctx, &foreign)
	})
	w.queue(foreign, "lost")
	w.queue(h, "unspeakable", "plain")
	if got := r.get(t).text(t); got != "plain" {
		t.Errorf("got %q, want what can be worded", got)
	}
	w.untilEmpty(h)
	w.untilEmpty(foreign)
	var errs []string
	for _, l := range w.letters() {
		errs = append(errs, l.LastError)
	}
	if want := []string{"argon is switched off", "no words for it"}; !slices.Equal(errs, want) {
		t.Errorf("dead letters: got %q, want %q", errs, want)
	}
}

// failing is a store whose updates fail for a while.
type failing struct {
	store.Store

	left atomic.Int32
}

var errDisk = errors.New("disk full")

func (f *failing) Update(ctx context.Context, fn func(ctx context.Context, tx store.Tx) error) error {
	if f.left.Add(-1) >= 0 {
		return errDisk
	}
	return f.Store.Update(ctx, fn)
}

// A result that could not be recorded is recorded later: nothing is sent twice while
// the worker lives.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	broken := new(failing)
	w := newWorld(t, func(c *webhook.Config) {
		broken.Store = c.Store
		c.Store = broken
	})
	r := w.receive()
	r.respond(func(http.ResponseWriter, *http.Request) { broken.left.Store(2) })
	h := w.hook(w.account(), r.URL)
	w.queue(h, "hello")
	r.get(t)
	w.until("the result", func() (any, bool) {
		w.worker.Queued()
		s := w.status(h)
		return s, s.Queued == 0
	})
	if len(r.calls) != 0 {
		t.Errorf("sent %d more times, want once", len(r.calls))
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	seen := make(chan webhook.Attempt, 10)
	w := newWorld(t, func(c *webhook.Config) { c.Observe = func(a webhook.Attempt) { seen <- a } })
	r := w.receive()
	r.respond(status(500))
	h := w.hook(w.account(), r.URL)
	w.queue(h, "hello")
	if a := <-seen; a.Surface != chat.SurfaceAgentChat || a.Err == nil || a.Wake || a.Took <= 0 {
		t.Errorf("observed %+v, want a failure", a)
	}
	r.respond(status(200))
	w.untilNext(noon.Add(10 * time.Second))
	w.advance(10 * time.Second)
	if a := <-seen; a.Err != nil {
		t.Errorf("observed %+v, want a success", a)
	}
	w.untilEmpty(h)
}

func TestStopWithoutStart(t *testing.T) {
	t.Parallel()
	worker := webhook.New(webhook.Config{})
	worker.Stop(t.Context())
	worker.Stop(t.Context())
}
