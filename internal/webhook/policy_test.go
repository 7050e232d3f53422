package webhook_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/netguard"
	"parley/internal/store"
	"parley/internal/webhook"
)

// even takes the chance out of waits.
func even(c *webhook.Config) { c.Random = func() float64 { return 0.5 } }

// messageHook stores a webhook as /ai makes it.
func (w *world) messageHook(account chat.AccountID, url string) chat.Hook {
	w.t.Helper()
	h := chat.Hook{
		Account: account, Surface: chat.SurfaceAIClient, URL: url, Events: chat.HookMessageCreated,
		Secret: []byte("s3cret"), CreatedAt: noon, UpdatedAt: noon,
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

// health is how the store says that a hook fares.
func (w *world) health(h chat.Hook) chat.HookHealth {
	w.t.Helper()
	return read(w, func(ctx context.Context, r store.Reader) (*chat.Hook, error) { return r.Hook(ctx, h.ID) }).Health
}

// untilHealth waits for it.
func (w *world) untilHealth(h chat.Hook, want chat.HookHealth) {
	w.t.Helper()
	w.until(fmt.Sprintf("health %+v", want), func() (any, bool) { got := w.health(h); return got, got == want })
}

// texts answers by the text of the message, 200 to what is not named.
func texts(answers map[string]http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for text, answer := range answers {
			if strings.Contains(r.Header.Get("X-Text"), text) {
				answer(w, r)
			}
		}
	}
}

// hang answers nothing until the caller has gone.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// Four attempts with the waits of AI 9.5, and then a dead letter.
func TestTriesFourTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, even)
	r := w.receive()
	r.respond(status(503))
	h := w.messageHook(w.account(), r.URL)
	w.queue(h, "hello")
	first := r.get(t)
	for i, wait := range []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute} {
		w.untilNext(w.time().Add(wait))
		w.advance(wait)
		again := r.get(t)
		if again.body != first.body || again.header.Get("X-Delivery") != first.header.Get("X-Delivery") {
			t.Errorf("attempt %d: got %+v, want the bytes and id of the first, %+v", i+2, again, first)
		}
	}
	w.until("a dead letter", func() (any, bool) { return nil, len(w.letters()) == 1 })
	if l := w.letters()[0]; l.Attempts != 4 || string(l.Body) != first.body {
		t.Errorf("dead letter: got %+v, want that of four attempts", l)
	}
	w.untilNext(time.Time{})
	w.untilHealth(h, chat.HookHealth{LastFailureAt: w.time(), LastError: chat.HookErrorStatus})
}

// What waits is spread, by a fifth each way.
func TestWaitsAreSpread(t *testing.T) {
	t.Parallel()
	for random, want := range map[float64]time.Duration{0: 4 * time.Second, 0.25: 4500 * time.Millisecond, 0.999_999: 6 * time.Second} {
		w := newWorld(t, func(c *webhook.Config) { c.Random = func() float64 { return random } })
		r := w.receive()
		r.respond(status(500))
		w.queue(w.messageHook(w.account(), r.URL), "hello")
		var next time.Time
		w.until("the next attempt", func() (any, bool) {
			next = w.next()
			return next, next.After(noon) && next.Sub(noon) < 10*time.Second // neither queued nor claimed
		})
		if got := next.Sub(noon).Round(10 * time.Millisecond); got != want {
			t.Errorf("chance of %v: next attempt after %v, want %v", random, got, want)
		}
	}
}

// Which answers are tried again, and which are not.
func TestFinalAnswers(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	t.Cleanup(elsewhere.Close)
	w := newWorld(t, even)
	for code, final := range map[int]bool{
		301: true, 302: true, 304: true, 307: true, 308: true, 400: true, 401: true, 403: true, 404: true, 410: true, 422: true,
		600: true, 999: true,
		408: false, 429: false, 500: false, 501: false, 502: false, 503: false, 504: false, 599: false,
	} {
		r := w.receive()
		r.respond(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", elsewhere.URL)
			rw.WriteHeader(code)
		})
		h := w.messageHook(w.account(), r.URL)
		w.queue(h, "hello")
		r.get(t)
		w.untilHealth(h, chat.HookHealth{LastFailureAt: noon, LastError: chat.HookErrorStatus})
		if s := w.status(h); s.Dead == 1 != final || s.Queued == 0 != final {
			t.Errorf("%d: got %d dead and %d queued, want that it is final: %t", code, s.Dead, s.Queued, final)
		}
		if n := len(r.calls); n != 0 {
			t.Errorf("%d: called %d more times, want once", code, n)
		}
	}
}

// raw is the address of a listener that does as it likes with connections.
func raw(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				serve(c)
				_ = c.Close() // the other side may have closed it
			})
		}
	})
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Errorf("close the listener: %v", err)
		}
		all.Wait()
	})
	return l.Addr().String()
}

// What an owner is told of an attempt that failed, and whether there is another one.
func TestWhatWentWrong(t *testing.T) {
	t.Parallel()
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(tlsServer.Close)
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := refusing.Addr().String()
	if err := refusing.Close(); err != nil {
		t.Fatal(err)
	}
	silent := func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<16)); _, _ = c.Read(make([]byte, 1)) }
	says := func(text string) func(net.Conn) {
		return func(c net.Conn) { _, _ = c.Read(make([]byte, 1<<16)); _, _ = c.Write([]byte(text)) }
	}
	for name, tc := range map[string]struct {
		url   string
		kind  string
		final bool
	}{
		"nobody listens":          {"http://" + nobody, chat.HookErrorConnect, false},
		"no such name":            {"https://nowhere.example/", chat.HookErrorConnect, false},
		"cut off":                 {"http://" + raw(t, func(net.Conn) {}), chat.HookErrorConnect, false},
		"cut off in the answer":   {"http://" + raw(t, says("HTTP/1.1 20")), chat.HookErrorConnect, false},
		"no HTTP":                 {"http://" + raw(t, says("\xff\x00 nonsense\r\n\r\n")), chat.HookErrorConnect, false},
		"unknown authority":       {tlsServer.URL, chat.HookErrorTLS, false},
		"no TLS":                  {"https://" + raw(t, says("HTTP/1.1 200 OK\r\n\r\n")), chat.HookErrorTLS, false},
		"cut off while shaking":   {"https://" + raw(t, func(net.Conn) {}), chat.HookErrorTLS, false},
		"silent":                  {"http://" + raw(t, silent), chat.HookErrorTimeout, false},
		"silent while shaking":    {"https://" + raw(t, silent), chat.HookErrorTimeout, false},
		"an address of this host": {"https://[::1]:8443/", chat.HookErrorBlocked, true},
		"no URL any more":         {"ftp://nowhere.example/", chat.HookErrorBlocked, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := time.Minute
			if tc.kind == chat.HookErrorTimeout {
				patience = 100 * time.Millisecond
			}
			w := newWorld(t, even, patient(patience))
			h := w.messageHook(w.account(), tc.url)
			w.queue(h, "hello")
			w.untilHealth(h, chat.HookHealth{LastFailureAt: noon, LastError: tc.kind})
			if s := w.status(h); s.Dead == 1 != tc.final || s.Queued == 0 != tc.final {
				t.Errorf("got %d dead and %d queued, want that it is final: %t", s.Dead, s.Queued, tc.final)
			}
			for _, l := range w.letters() {
				if strings.Contains(l.LastError, "nowhere.example") {
					t.Errorf("last error %q names the host", l.LastError)
				}
			}
		})
	}
}

// patient has attempts take so long, for a machine that may be busy, and for those that
// are to time out.
func patient(d time.Duration) func(*webhook.Config) {
	return func(c *webhook.Config) {
		c.Timeout = d
		c.Client = netguard.New(netguard.Options{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Resolver: nowhere{},
			ConnectTimeout: time.Minute, TLSTimeout: d, Timeout: time.Minute,
		})
	}
}

// nowhere resolves no name.
type nowhere struct{}

func (nowhere) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// At most four attempts of one hook are under way, and 64 in all; each hook that is
// served is sure of one.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	calls := new(counted)
	w := newWorld(t, patient(time.Minute), calls.wrap)
	r := w.receive()
	gate := make(chan struct{})
	r.respond(func(http.ResponseWriter, *http.Request) { <-gate })
	list := make([]string, 10)
	for i := range list {
		list[i] = fmt.Sprint("m", i)
	}
	w.queue(w.messageHook(w.account(), r.URL), list...)
	for range 4 {
		r.get(t)
	}
	for range 39 {
		w.queue(w.messageHook(w.account(), r.URL), list...)
	}
	for range 60 {
		r.get(t)
	}
	if n := calls.now.Load(); n != 64 {
		t.Errorf("%d attempts are under way, want 64", n)
	}
	close(gate)
	for range 400 - 64 {
		r.get(t)
	}
	w.untilNext(time.Time{})
	if n := calls.most.Load(); n != 64 {
		t.Errorf("%d attempts were under way at once, want 64 at most", n)
	}
	r.respond(hang)
	w.queue(w.messageHook(w.account(), r.URL), list...)
	for range 4 { // there is room again
		r.get(t)
	}
}

func TestAtOnceOfOneHook(t *testing.T) {
	t.Parallel()
	calls := new(counted)
	w := newWorld(t, patient(time.Minute), calls.wrap)
	r := w.receive()
	gate := make(chan struct{})
	r.respond(func(http.ResponseWriter, *http.Request) { <-gate })
	h := w.messageHook(w.account(), r.URL)
	for i := range 12 { // one by one: each finds the hook claimed already
		w.queue(h, fmt.Sprint("m", i))
		if i < 4 {
			r.get(t)
		}
	}
	close(gate)
	for range 8 {
		r.get(t)
	}
	w.untilEmpty(h)
	if n := calls.most.Load(); n != 4 {
		t.Errorf("%d attempts were under way at once, want four", n)
	}
}

// A delivery that hangs or fails holds up nothing else of its hook: neither what is
// queued later nor what has failed before and is due again.
func TestOneFailsOthersGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, even, patient(time.Minute))
	r := w.receive()
	gate := make(chan struct{})
	var tries atomic.Int32
	r.respond(texts(map[string]http.HandlerFunc{
		"hanging": func(http.ResponseWriter, *http.Request) { <-gate },
		"flaky": func(w http.ResponseWriter, _ *http.Request) {
			if tries.Add(1) == 1 {
				w.WriteHeader(http.StatusInternalServerError)
			}
		},
	}))
	h := w.messageHook(w.account(), r.URL)
	next := func(want string) {
		t.Helper()
		if got := r.get(t).text(t); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	w.queue(h, "hanging")
	next("hanging")
	w.queue(h, "flaky")
	next("flaky")
	w.untilHealth(h, chat.HookHealth{LastFailureAt: noon, LastError: chat.HookErrorStatus}) // told while the other hangs
	w.queue(h, "later")
	next("later")
	w.untilHealth(h, chat.HookHealth{LastSuccessAt: noon, LastFailureAt: noon, LastError: chat.HookErrorStatus})
	w.advance(5 * time.Second)
	next("flaky")
	close(gate)
	w.untilEmpty(h)
	if b := w.status(h).Breaker; b.Failures != 0 || len(b.Recent) != 0 {
		t.Errorf("breaker: got %+v, want one that counts nothing", b)
	}
}

// What has failed is tried again when its time has come, by the clock of the machine,
// although another attempt of its hook hangs and nothing new is queued.
func TestRetryBesideOneThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, patient(time.Minute), func(c *webhook.Config) {
		policy := webhook.AIClientPolicy()
		policy.Waits = []time.Duration{20 * time.Millisecond}
		c.Now, c.Forms[chat.SurfaceAIClient] = time.Now, webhook.Form{Encoder: words{}, Policy: policy}
	})
	r := w.receive()
	r.respond(texts(map[string]http.HandlerFunc{"hanging": hang, "failing": status(503)}))
	h := w.messageHook(w.account(), r.URL)
	w.advance(time.Since(noon))
	w.queue(h, "hanging", "failing")
	seen := make(map[string]int)
	for range 3 {
		seen[r.get(t).text(t)]++
	}
	if seen["failing"] != 2 {
		t.Errorf("called %v, want two attempts at what fails", seen)
	}
}

// No breaker keeps a hook from being tried.
func TestNoBreaker(t *testing.T) {
	t.Parallel()
	w := newWorld(t, even)
	r := w.receive()
	r.respond(status(500))
	h := w.messageHook(w.account(), r.URL)
	var list []string
	for i := range 20 {
		list = append(list, fmt.Sprint("m", i))
	}
	w.queue(h, list...)
	for range list {
		r.get(t)
	}
	w.untilNext(noon.Add(5 * time.Second))
	if b := w.status(h).Breaker; !b.OpenUntil.IsZero() || b.Failures != 0 {
		t.Errorf("breaker: got %+v, want a closed one", b)
	}
	r.respond(status(200))
	w.advance(5 * time.Second)
	w.untilEmpty(h)
}

// Of what waits for one hook the newest thousand are kept; it is said once.
func TestBacklog(t *testing.T) {
	t.Parallel()
	logged := new(lines)
	w := newWorld(t, even, func(c *webhook.Config) { c.Log = slog.New(slog.NewTextHandler(logged, nil)) })
	var answer atomic.Int32
	answer.Store(503)
	r := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		if text := q.Header.Get("X-Text"); q.URL.Path == "/ai" && slices.Contains([]string{"m0", "m1", "m2"}, text) {
			t.Errorf("%s was sent, want it dropped", text)
		}
		rw.WriteHeader(int(answer.Load()))
	}))
	t.Cleanup(r.Close)
	w.stop()
	a, b := w.account(), w.account()
	h, other := w.messageHook(a, r.URL+"/ai"), w.hook(b, r.URL)
	bulk := func(h chat.Hook, from, to int) {
		w.update(func(ctx context.Context, tx store.Tx) error {
			var list []chat.Delivery
			first, err := tx.NextID(ctx, to-from)
			for i := range to - from {
				m := &chat.Message{ID: chat.MessageID(first + int64(i)), Author: 1, Kind: chat.MessageText, Text: fmt.Sprint("m", from+i), CreatedAt: noon}
				e := chat.Event{Position: m.Position(), Kind: chat.EventMessageCreated, At: noon, Message: m}
				list = append(list, chat.Delivery{Hook: h.ID, Account: h.Account, Event: e, NextAt: w.time(), CreatedAt: w.time()})
			}
			if err != nil {
				return err
			}
			return tx.Enqueue(ctx, list)
		})
	}
	bulk(h, 0, 1003)
	bulk(other, 0, 1003) // that of /v1 has no such bound
	w.start()
	w.until("a claim", func() (any, bool) { s := w.status(h); return s, s.Queued == 1000 })
	if s := w.status(other); s.Queued != 1003 {
		t.Errorf("queue of the other surface: got %d, want all", s.Queued)
	}
	bulk(h, 1003, 1020)
	w.worker.Queued()
	w.until("another claim", func() (any, bool) { s := w.status(h); return s, s.Queued == 1000 })
	w.untilNext(noon.Add(5 * time.Second)) // all have failed
	answer.Store(200)
	w.advance(5 * time.Second) // for those that have failed
	w.untilEmpty(h)
	w.stop()
	taken := w.rules.taken[a]
	if slices.Sort(taken); len(slices.Compact(taken)) != 1000 {
		t.Errorf("taken %d messages, want the newest thousand", len(taken))
	}
	if n := strings.Count(logged.String(), "oldest webhook deliveries dropped"); n != 1 {
		t.Errorf("said %d times that deliveries were dropped, want once: %s", n, logged)
	}
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A hook is moved while a run goes on: what has not begun goes to the new URL with the
// new secret, and how the old one fared is not told of the new.
func TestMovedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, even, patient(time.Minute))
	before, after := w.receive(), w.receive()
	gate := make(chan struct{})
	before.respond(func(rw http.ResponseWriter, _ *http.Request) {
		<-gate
		rw.WriteHeader(http.StatusServiceUnavailable)
	})
	h := w.messageHook(w.account(), before.URL)
	w.queue(h, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10")
	for range 4 {
		before.get(t)
	}
	h.URL, h.Secret, h.UpdatedAt = after.URL, []byte("n3w"), noon.Add(time.Millisecond)
	w.update(func(ctx context.Context, tx store.Tx) error { return tx.MoveHook(ctx, &h) })
	gate <- struct{}{} // one fails, and makes room
	for range 6 {
		if c := after.get(t); c.header.Get("X-Secret") != "n3w" {
			t.Errorf("signed with %q, want the new secret", c.header.Get("X-Secret"))
		}
	}
	w.untilHealth(h, chat.HookHealth{LastSuccessAt: noon})
	close(gate)
	w.untilNext(noon.Add(5 * time.Second)) // the others have failed, too
	if got := w.health(h); got != (chat.HookHealth{LastSuccessAt: noon}) {
		t.Errorf("health %+v, want nothing of the old URL", got)
	}
	w.advance(5 * time.Second)
	for range 4 {
		after.get(t)
	}
	w.untilEmpty(h)
	if n := len(before.calls); n != 0 {
		t.Errorf("the old URL was called %d more times, want no more", n)
	}
}

// A run that is stopped for good leaves what it had not begun to the next one.
func TestStopWithRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, even)
	r := w.receive()
	r.respond(hang)
	h := w.messageHook(w.account(), r.URL)
	w.queue(h, "1", "2", "3", "4", "5", "6")
	for range 4 {
		r.get(t)
	}
	w.stop()
	if s := w.status(h); s.Queued != 6 || s.Hook.Health != (chat.HookHealth{}) {
		t.Errorf("after the stop: got %+v, want all queued and no failure", s)
	}
	r.respond(status(200))
	w.start()
	for range 6 {
		r.get(t)
	}
	w.untilEmpty(h)
}

// judged is a checker with one answer.
type judged struct{ err error }

func (j judged) CheckURL(context.Context, string) error { return j.err }

// What a guard says of a URL in the words of the core.
func TestLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		said error
		want chat.Code
	}{
		{nil, ""},
		{fmt.Errorf("%w: no host", netguard.ErrURL), chat.CodeHookURL},
		{fmt.Errorf("%w: 10.0.0.1", netguard.ErrBlocked), chat.CodeHookBlocked},
		{context.Canceled, chat.CodeInternal},
	} {
		if got := chat.CodeOf(webhook.Links{Checker: judged{tc.said}}.CheckURL(t.Context(), "x")); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.said, got, tc.want)
		}
	}
}
