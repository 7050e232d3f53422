package aiclient_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/bus/inproc"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/netguard"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/webhook"
)

// hookWorld is a world with a worker that has not started: until deliver is called,
// what is queued stays in the queue, where it can be counted.
type hookWorld struct {
	*world

	config webhook.Config
	worker *webhook.Worker
}

// withHooks runs a test on worlds whose webhooks may lead to this machine.
func withHooks(t *testing.T, test func(t *testing.T, w *hookWorld), change ...func(*webhook.Config)) {
	t.Helper()
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	withGuard(t, netguard.Options{Allow: allow, Resolver: nowhere{}}, test, change...)
}

// withGuard runs a test on worlds whose webhooks are guarded so.
func withGuard(t *testing.T, guarded netguard.Options, test func(t *testing.T, w *hookWorld), change ...func(*webhook.Config)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		w, guard := new(hookWorld), netguard.New(guarded)
		w.world = newWorld(t, e, func(cc *core.Config) {
			key, err := cc.Store.IDKey(t.Context())
			if err != nil {
				t.Fatalf("read the key of ids: %v", err)
			}
			ids, err := id.NewCodec(key)
			if err != nil {
				t.Fatalf("make the codec of ids: %v", err)
			}
			link := func(base string, _ *chat.Attachment) string { return base + "/files" }
			w.config = webhook.Config{
				Store: cc.Store, Client: guard, Log: slog.New(slog.DiscardHandler), Now: cc.Now,
				Random: func() float64 { return 0.5 }, // takes the chance out of waits
				Forms: map[chat.Surface]webhook.Form{
					chat.SurfaceAIClient:  {Encoder: aiclient.NewEncoder(ids, "https://chat.example", link), Policy: webhook.AIClientPolicy()},
					chat.SurfaceAgentChat: {Encoder: foreign{}, Policy: webhook.AgentChatPolicy()},
				},
			}
			for _, c := range change {
				c(&w.config)
			}
			w.worker = webhook.New(w.config)
			cc.Hooks, cc.Links = w.worker, webhook.Links{Checker: guard}
			cc.LimitsOff = true // what waits for something polls
		})
		t.Cleanup(w.stop)
		test(t, w)
	})
}

// foreign stands for the form of another dialect.
type foreign struct{}

func (foreign) Body(*chat.Delivery) ([]byte, error) { return []byte(`{"of":"another dialect"}`), nil }

func (foreign) Header(*chat.Delivery, []byte, time.Time) http.Header { return make(http.Header) }

// deliver starts the worker.
func (w *hookWorld) deliver() { w.worker.Start(w.Core) }

// stop stops it and breaks off what is under way.
func (w *hookWorld) stop() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.worker.Stop(ctx)
}

// restart stops the worker and starts another one on a core of its own over the same
// database, as a server does that starts again.
func (w *hookWorld) restart(t *testing.T) {
	t.Helper()
	w.stop()
	bus := inproc.New(inproc.Options{})
	w.worker = webhook.New(w.config)
	rules, err := core.New(core.Config{
		Store: w.Store, Bus: bus, Hasher: secret.NewTestHasher(4), Log: slog.New(slog.DiscardHandler), Now: w.Clock.Now, Hooks: w.worker,
	})
	if err != nil {
		t.Fatalf("build another core: %v", err)
	}
	t.Cleanup(func() {
		w.stop()
		rules.Close()
		if err := bus.Close(); err != nil {
			t.Errorf("close the bus: %v", err)
		}
	})
	w.worker.Start(rules)
}

// wait moves the clock and has the worker look at it.
func (w *hookWorld) wait(d time.Duration) {
	w.Clock.Advance(d)
	w.worker.Queued()
}

// read reads facts past the core.
func (w *hookWorld) read(t *testing.T, fn func(ctx context.Context, r store.Reader) error) {
	t.Helper()
	if err := w.Store.View(t.Context(), fn); err != nil {
		t.Fatalf("read: %v", err)
	}
}

// queued counts what waits for an agent's webhooks.
func (w *hookWorld) queued(t *testing.T, c *client) (n int) {
	t.Helper()
	w.read(t, func(ctx context.Context, r store.Reader) error {
		list, err := r.HookList(ctx, c.account(), 0, 10)
		n = 0
		for _, h := range list {
			n += h.Queued
		}
		return err
	})
	return n
}

// until polls until ok.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// untilEmpty waits until nothing is queued for an agent's webhooks.
func (w *hookWorld) untilEmpty(t *testing.T, c *client) {
	t.Helper()
	until(t, "an empty queue", func() bool { return w.queued(t, c) == 0 })
}

// untilNext waits until the next attempt of any webhook is due after so long.
func (w *hookWorld) untilNext(t *testing.T, after time.Duration) {
	t.Helper()
	until(t, fmt.Sprintf("an attempt due after %v", after), func() (is bool) {
		w.read(t, func(ctx context.Context, r store.Reader) error {
			next, err := r.NextDelivery(ctx)
			is = next.Equal(w.Clock.Now().Add(after))
			return err
		})
		return is
	})
}

// untilShown waits until a member of the agent's webhook is shown as something.
func (c *client) untilShown(t *testing.T, member string, want any) *dialecttest.Response {
	t.Helper()
	var r *dialecttest.Response
	until(t, fmt.Sprintf("%s %v", member, want), func() bool {
		r = c.Get("/ai/webhook").Want(200)
		return r.At(member) == want
	})
	return r
}

// delivered is one request to a receiver.
type delivered struct {
	t      *testing.T
	raw    string
	header http.Header
	body   any
}

// receiver is where webhooks point to: it hands out what came and answers 200, unless
// told otherwise.
type receiver struct {
	*httptest.Server

	calls chan delivered

	mu     sync.Mutex
	answer http.HandlerFunc
}

func receive(t *testing.T, answer ...http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan delivered, 1000), answer: func(http.ResponseWriter, *http.Request) {}}
	for _, a := range answer {
		r.answer = a
	}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		raw, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		answer := r.answer
		r.mu.Unlock()
		r.calls <- delivered{t: t, raw: string(raw), header: q.Header}
		answer(w, q)
	}))
	t.Cleanup(func() {
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

// hang answers nothing until the caller has gone.
func hang(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() }

// get waits for the next request.
func (r *receiver) get(t *testing.T) delivered {
	t.Helper()
	d := dialecttest.Next(t, r.calls)
	if err := json.Unmarshal([]byte(d.raw), &d.body); err != nil {
		t.Fatalf("body of a delivery: %v in %s", err, d.raw)
	}
	return d
}

// at is the value at a path in the body, such as "message.content".
func (d delivered) at(path string) any { return dialecttest.At(d.body, path) }

func (d delivered) is(path string, want any) delivered {
	d.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := d.at(path); got != want {
		d.t.Errorf("delivered %s = %#v, want %#v in %s", path, got, want, d.raw)
	}
	return d
}

// signed asserts the signature and the other headers of a delivery (AI 9.4), and
// returns the id of the delivery.
func (d delivered) signed(key string, at time.Time) (delivery string) {
	d.t.Helper()
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + "." + d.raw))
	delivery = d.header.Get("X-AIClient-Delivery")
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "User-Agent": "aiclient-webhook/1", "Authorization": "",
		"X-AIClient-Signature": "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil)),
	} {
		if got := d.header.Get(name); got != want {
			d.t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, ok := id.ParseUUID(delivery); !ok {
		d.t.Errorf("X-AIClient-Delivery: got %q, want a UUID", delivery)
	}
	return delivery
}

func TestB43DeliverPrivate(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		c := newCast(t, w.world)
		r := receive(t)
		key := c.B.hook(r.URL)
		const text = " 你好\n<&> \U0001F916\u2028"
		w.Clock.Advance(1500 * time.Millisecond)
		sent := c.A.says(c.B, text).Want(200)
		w.Clock.Advance(time.Hour)
		w.deliver()
		d := r.get(t)
		d.signed(key, w.Clock.Now())
		d.is("type", "message").is("message.id", sent.At("message.id")).is("message.from_ai_id", c.A.id)
		d.is("message.content", text).is("message.to_ai_id", c.B.id).is("message.from_ai.id", c.A.id)
		d.is("message.from_ai.name", "A").is("message.from_ai.public_key", nil)
		d.is("message.created_at", "2026-11-21T12:00:31.500Z").is("message.timestamp", 1795262431).is("timestamp", 1795262431)
		for _, absent := range []string{"group_id", "signature", "signature_verified", "signature_scheme"} {
			d.is("message."+absent, dialecttest.Absent{})
		}
		if !strings.Contains(d.raw, `"timestamp":1795262431`) || !strings.Contains(d.raw, "<&>") {
			t.Errorf("body %s, want integers and no HTML escapes", d.raw)
		}
		c.B.untilShown(t, "last_success_at", "2026-11-21T13:00:31.500Z").Is("last_failure_at", nil).Is("last_error", nil)
		if n := len(r.calls); n != 0 {
			t.Errorf("called %d more times, want once", n)
		}
		w.read(t, func(ctx context.Context, rd store.Reader) error { // a 2xx marks the envelope
			u, _ := id.ParseUUID(sent.Text("message.id"))
			n, _ := w.IDs.Open(id.KindMessage, u)
			e, err := rd.Envelope(ctx, chat.MessageID(n), c.B.account())
			if err == nil && e.State != chat.EnvelopeDelivered {
				t.Errorf("envelope: got state %d, want delivered", e.State)
			}
			return err
		})
	})
}

func TestB44DeliverGroup(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		c := newCast(t, w.world)
		own, b, other := receive(t), receive(t), receive(t)
		c.A.hook(own.URL)
		key := c.B.hook(b.URL)
		c.C.hook(other.URL)
		c.C.Post("/ai/groups/"+c.R+"/join", nil).Want(200)
		sent := c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "大家好"}).Want(200)
		w.deliver()
		for _, r := range []*receiver{b, other} {
			d := r.get(t)
			d.is("type", "group_message").is("message.id", sent.At("message.id")).is("message.group_id", c.R)
			d.is("message.content", "大家好").is("message.from_ai_id", c.A.id).is("message.to_ai_id", dialecttest.Absent{})
			if r == b {
				d.signed(key, w.Clock.Now())
			}
		}
		for _, x := range []*client{c.A, c.B, c.C} {
			w.untilEmpty(t, x)
		}
		// Of the one that joined nobody is told: system messages are none of /ai.
		if n := len(own.calls) + len(b.calls) + len(other.calls); n != 0 {
			t.Errorf("%d more deliveries, want one for each but the sender", n)
		}
	})
}

func TestB45DeliverSigned(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		c := newCast(t, w.world)
		k, r := c.signs(t), receive(t)
		c.B.hook(r.URL)
		signature := k.sign(t, bound("direct", c.A, c.B.id, "signed"))
		c.A.signed(c.B, "signed", signature).Want(200)
		c.A.says(c.B, "unsigned").Want(200)
		c.U1.Patch("/ai/agents/"+c.A.id, object{"public_key": newKeyPair(t).public}).Want(200) // too late for both
		w.deliver()
		for range 2 {
			d := r.get(t).is("message.from_ai.public_key", k.public)
			if d.at("message.content") == "unsigned" {
				d.is("message.signature", dialecttest.Absent{}).is("message.signature_verified", dialecttest.Absent{})
				continue
			}
			d.is("message.signature", signature).is("message.signature_verified", true).is("message.signature_scheme", "bound-v1")
		}
	})
}

func TestB46TriesAgain(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t, status(500))
		key := b.hook(r.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		first := r.get(t)
		delivery := first.signed(key, w.Clock.Now())
		for _, wait := range []time.Duration{5 * time.Second, 30 * time.Second} {
			w.untilNext(t, wait)
			b.untilShown(t, "last_error", "http_status").Is("last_success_at", nil)
			if wait > 5*time.Second {
				r.respond(status(200))
			}
			w.wait(wait)
			again := r.get(t)
			if got := again.signed(key, w.Clock.Now()); got != delivery || again.raw != first.raw {
				t.Errorf("after %v: got %s with %s, want the bytes and id of the first", wait, got, again.raw)
			}
		}
		b.untilShown(t, "last_success_at", "2026-11-21T12:01:05.000Z").
			Is("last_failure_at", "2026-11-21T12:00:35.000Z").Is("last_error", "http_status")
		w.untilEmpty(t, b)
		if n := len(r.calls); n != 0 {
			t.Errorf("called %d more times, want three", n)
		}
		b.hook(r.URL)
		b.Get("/ai/webhook").Is("last_success_at", nil).Is("last_failure_at", nil).Is("last_error", nil)
	})
}

func TestB47FinalAnswers(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		elsewhere := receive(t)
		a := w.guest(t)
		w.deliver()
		for _, answer := range []http.HandlerFunc{
			status(404),
			func(rw http.ResponseWriter, q *http.Request) { http.Redirect(rw, q, elsewhere.URL, http.StatusFound) },
		} {
			b, r := w.guest(t), receive(t, answer)
			b.hook(r.URL)
			a.says(b, "hello").Want(200)
			r.get(t)
			b.untilShown(t, "last_error", "http_status").Is("last_failure_at", "2026-11-21T12:00:30.000Z").Is("last_success_at", nil)
			if n := w.queued(t, b); n != 0 {
				t.Errorf("%d deliveries wait, want none", n)
			}
			b.Get("/ai/messages").Want(200).Is("messages.0.content", "hello") // it can be read all the same
			r.respond(status(200))
			a.says(b, "again").Want(200) // and the webhook stays
			r.get(t).is("message.content", "again")
		}
		if n := len(elsewhere.calls); n != 0 {
			t.Errorf("the target of a redirect was called %d times", n)
		}
		letters, err := w.Core.DeadLetters(t.Context(), 0, 10)
		if err != nil || len(letters) != 2 {
			t.Errorf("dead letters: got %+v, %v, want two for the operator", letters, err)
		}
	})
}

// Senders do not wait for receivers.
func TestB48HangingReceiver(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		gate := make(chan struct{})
		r := receive(t, func(http.ResponseWriter, *http.Request) { <-gate })
		b.hook(r.URL)
		w.deliver()
		for range 6 { // more than may be under way at once
			a.says(b, "hello").Want(200)
		}
		for range 4 {
			r.get(t)
		}
		a.says(b, "more").Want(200) // while all four hang
		close(gate)
		w.untilEmpty(t, b)
	}, patient)
}

func TestB48TimeOut(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t, hang)
		b.hook(r.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		b.untilShown(t, "last_error", "timeout").Is("last_success_at", nil)
		w.untilNext(t, 5*time.Second) // it is tried again
	}, func(c *webhook.Config) { c.Timeout = 100 * time.Millisecond })
	if got := webhook.New(webhook.Config{}).Timeout; got != 10*time.Second {
		t.Errorf("an attempt ends after %v, want 10 s", got)
	}
}

// patient has attempts take as long as a busy machine may need.
func patient(c *webhook.Config) {
	c.Timeout = time.Minute
	c.Client = netguard.New(netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: time.Minute})
}

func TestB49EndlessAnswer(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		cut := make(chan struct{})
		r := receive(t, func(rw http.ResponseWriter, _ *http.Request) {
			defer close(cut)
			for {
				if _, err := rw.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		})
		b.hook(r.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		b.untilShown(t, "last_success_at", "2026-11-21T12:00:30.000Z").Is("last_error", nil)
		<-cut
		w.untilEmpty(t, b)
	}, patient)
}

func TestB50Restart(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t, status(503))
		key := b.hook(r.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		first := r.get(t)
		w.untilNext(t, 5*time.Second)
		w.stop()
		a.says(b, "sent meanwhile").Want(200)
		r.respond(status(200))
		w.restart(t)
		r.get(t).is("message.content", "sent meanwhile")
		w.wait(5 * time.Second)
		again := r.get(t)
		if again.signed(key, w.Clock.Now()) != first.header.Get("X-AIClient-Delivery") || again.raw != first.raw {
			t.Errorf("after the restart: got %s, want %s again", again.raw, first.raw)
		}
		w.untilEmpty(t, b)
	})
}

// rebinding resolves every name to a public address once, and to this machine then.
type rebinding struct {
	mu    sync.Mutex
	asked map[string]bool
}

func (r *rebinding) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.asked[host] {
		r.asked[host] = true
		return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
	}
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

func TestB53Rebinding(t *testing.T) {
	attacker := &rebinding{asked: make(map[string]bool)}
	withGuard(t, netguard.Options{Resolver: attacker}, func(t *testing.T, w *hookWorld) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		refused := make(chan error, 1)
		go func() {
			_, err := l.Accept() // until the listener is closed
			refused <- err
		}()
		a, b := w.guest(t), w.guest(t)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		b.hook("https://at" + port + ".example:" + port + "/")
		a.says(b, "hello").Want(200)
		w.deliver()
		b.untilShown(t, "last_error", "blocked").Is("last_success_at", nil)
		if n := w.queued(t, b); n != 0 {
			t.Errorf("%d deliveries wait, want none: it is final", n)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if <-refused == nil {
			t.Error("a connection was made")
		}
	})
}

// A receiver that hangs, or floods, delays nobody else's deliveries.
func TestHangingReceiverOfAnother(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		bad, good := receive(t, hang), receive(t)
		w.deliver()
		for _, b := range w.guests(t, 20) {
			b.hook(bad.URL)
			for range 6 {
				a.says(b, "hello").Want(200)
			}
		}
		c := w.guest(t)
		c.hook(good.URL)
		a.says(c, "through").Want(200)
		good.get(t).is("message.content", "through")
		c.untilShown(t, "last_success_at", "2026-11-21T12:00:30.000Z")
	}, patient)
}

// One message is told to webhooks of several dialects, to each in its own form.
func TestEachWebhookInItsOwnForm(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r, other := receive(t), receive(t)
		b.hook(r.URL)
		in := core.NewHook{URL: other.URL, Events: chat.HookMessageCreated}
		if _, err := w.Core.CreateHook(t.Context(), b.through(chat.SurfaceAgentChat), in); err != nil {
			t.Fatalf("make a webhook of /v1: %v", err)
		}
		sent := a.says(b, "hello").Want(200)
		w.deliver()
		r.get(t).is("type", "message").is("message.id", sent.At("message.id"))
		other.get(t).is("of", "another dialect")
		w.untilEmpty(t, b)
	})
}

// What /v1 can say and /ai cannot becomes text.
func TestDeliverMessageOfAnotherDialect(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t)
		b.hook(r.URL)
		through := a.through(chat.SurfaceAgentChat)
		file, err := w.Core.ReserveUpload(t.Context(), through, core.NewUpload{
			To: chat.Some(b.name), Filename: "plan\nb.pdf", ContentType: "application/pdf", Size: 3, SHA256: strings.Repeat("0", 64),
		})
		if err != nil {
			t.Fatalf("announce a file: %v", err)
		}
		w.deliver()
		for _, tc := range []struct {
			in   core.NewMessage
			want string
		}{
			{core.NewMessage{Text: "plain"}, "plain"},
			{core.NewMessage{Data: []byte(`{ "n" : 1.0 }`)}, `{ "n" : 1.0 }`},
			{core.NewMessage{Text: "all", Data: []byte(`{}`), Attachment: file.ID}, "all\n{}\nplan_b.pdf https://chat.example/files"},
		} {
			tc.in.Kind, tc.in.Peer, tc.in.ClientID = chat.ConversationDirect, b.account(), tc.want
			if _, err := w.Core.SendMessage(t.Context(), through, tc.in); err != nil {
				t.Fatalf("send %q: %v", tc.want, err)
			}
			r.get(t).is("message.content", tc.want).is("type", "message")
		}
	})
}

// Whose webhooks are told of what.
func TestQueuedForWhom(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		system := w.guest(t, func(acc *chat.Account) { acc.Kind = chat.KindSystem })
		listening := func(change ...func(*chat.Account)) *client {
			c := w.guest(t)
			c.hook(somewhere)
			for _, apply := range change {
				w.alter(t, c, apply)
			}
			return c
		}
		b, paused, half := listening(), listening(func(a *chat.Account) { a.Pause = chat.PauseFull }),
			listening(func(a *chat.Account) { a.Pause = chat.PauseSend })
		muting := listening()
		w.alter(t, muting, func(a *chat.Account) { a.Muting = true })
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetMute(ctx, chat.Mute{
				Owner: muting.account(), Kind: chat.MuteAccount, Target: int64(a.account()), CreatedAt: w.Clock.Now(),
			})
		})
		for c, want := range map[*client]int{b: 1, paused: 0, half: 1, muting: 0} {
			a.says(c, "hello").Want(200)
			if got := w.queued(t, c); got != want {
				t.Errorf("%s: %d queued, want %d", c.name, got, want)
			}
		}
		in := core.NewMessage{Kind: chat.ConversationDirect, Peer: b.account(), ClientID: "x", Text: "welcome"}
		call := system.through(chat.SurfaceAgentChat)
		call.Actor.Is = chat.KindSystem
		if _, err := w.Core.SendMessage(t.Context(), call, in); err != nil {
			t.Fatalf("send as a system account: %v", err)
		}
		if got := w.queued(t, b); got != 1 {
			t.Errorf("after a message of a system account, which /ai does not show: %d queued, want no more", got)
		}
		fails(t, b.says(b, "to myself"), 400, textSelf)
		fails(t, a.signed(b, "forged", "zz"), 400, textSigFormat)
		if got := w.queued(t, b); got != 1 {
			t.Errorf("after sends that were refused: %d queued, want no more", got)
		}
	})
}

// What waits is dropped when the webhook is cleared, the agent disabled, suspended or
// deleted.
func TestPendingAreDropped(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		c := newCast(t, w.world)
		agents := make([]*client, 4)
		r := receive(t, status(503))
		w.deliver()
		for i := range agents {
			agents[i] = c.U1.makes(fmt.Sprint("agent ", i))
			agents[i].hook(r.URL)
			c.A.says(agents[i], "hello").Want(200)
			r.get(t)
		}
		for _, b := range agents {
			b.untilShown(t, "last_error", "http_status")
		}
		r.respond(status(200))
		cleared, disabled, suspended, deleted := agents[0], agents[1], agents[2], agents[3]
		cleared.Post("/ai/webhook", object{"webhook_url": nil}).Want(200)
		c.U1.Patch("/ai/agents/"+disabled.id, object{"status": "disabled"}).Want(200)
		w.alter(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		c.U1.Delete("/ai/agents/" + deleted.id).Want(200)
		if n := w.queued(t, disabled); n != 0 {
			t.Errorf("disabled: %d wait, want none", n)
		}
		c.U1.Patch("/ai/agents/"+disabled.id, object{"status": "active"}).Want(200)
		cleared.hook(r.URL)
		w.wait(5 * time.Second)
		for _, b := range agents {
			w.untilEmpty(t, b)
		}
		c.A.says(disabled, "after that").Want(200) // its webhook stays
		r.get(t).is("message.content", "after that")
		w.untilEmpty(t, disabled)
		if n := len(r.calls); n != 0 {
			t.Errorf("%d more deliveries, want those dropped", n)
		}
	})
}

// A URL that is replaced while deliveries wait gets them, signed with its own secret.
func TestReplacedWebhookGetsWhatWaits(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		before, after := receive(t, status(503)), receive(t)
		b.hook(before.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		first := before.get(t)
		w.untilNext(t, 5*time.Second)
		key := b.hook(after.URL)
		b.Get("/ai/webhook").Want(200).Is("last_error", nil).Is("last_failure_at", nil)
		w.wait(5 * time.Second)
		again := after.get(t)
		if again.signed(key, w.Clock.Now()) != first.header.Get("X-AIClient-Delivery") || again.raw != first.raw {
			t.Errorf("got %s, want the bytes and id of the first attempt, %s", again.raw, first.raw)
		}
		w.untilEmpty(t, b)
	})
}

// An edit through another dialect changes nothing of what was queued before.
func TestDeliveryAsCommitted(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t)
		b.hook(r.URL)
		sent := a.says(b, "as it was sent").Want(200)
		u, _ := id.ParseUUID(sent.Text("message.id"))
		n, _ := w.IDs.Open(id.KindMessage, u)
		ref := core.MessageRef{Kind: chat.ConversationDirect, Message: chat.MessageID(n)}
		if _, err := w.Core.EditMessage(t.Context(), a.through(chat.SurfaceOpenCord), ref, "edited"); err != nil {
			t.Fatalf("edit: %v", err)
		}
		w.deliver()
		r.get(t).is("message.content", "as it was sent").is("message.id", sent.At("message.id"))
	})
}

// What a dead letter holds can be sent again by the operator, to the URL of then.
func TestRedrive(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		r := receive(t, status(410))
		b.hook(r.URL)
		a.says(b, "hello").Want(200)
		w.deliver()
		first := r.get(t)
		b.untilShown(t, "last_error", "http_status")
		r.respond(status(200))
		key := b.hook(r.URL)
		if n, err := w.Core.ReviveDeadLetters(t.Context()); n != 1 || err != nil {
			t.Fatalf("revive: got %d, %v, want one", n, err)
		}
		again := r.get(t)
		if again.signed(key, w.Clock.Now()); again.raw != first.raw {
			t.Errorf("sent again: got %s, want %s", again.raw, first.raw)
		}
		w.untilEmpty(t, b)
	})
}

// Only new messages have a form.
func TestEncoderRefusesOtherEvents(t *testing.T) {
	t.Parallel()
	ids, err := id.NewCodec([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	e := aiclient.NewEncoder(ids, "", nil)
	for _, kind := range slices.Concat(aiclient.EventsNotOffered(), aiclient.EventsOffered()) {
		if body, err := e.Body(&chat.Delivery{Event: chat.Event{Kind: kind}}); err == nil {
			t.Errorf("%s without a message: got %s, want an error", kind, body)
		}
	}
	body, err := e.Body(&chat.Delivery{
		File: &chat.Attachment{Filename: "a.txt"},
		Event: chat.Event{
			Kind: chat.EventMessageCreated, Message: &chat.Message{ID: 1, Author: 2}, By: &chat.Profile{ID: 2, Username: "ada"},
		},
	})
	if err != nil || !strings.Contains(string(body), `"content":"a.txt"`) {
		t.Errorf("a file on a server without a public address: got %s, %v, want its name alone", body, err)
	}
}
