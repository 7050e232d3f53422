package agentchat_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/netguard"
	"parley/internal/store"
	"parley/internal/webhook"
)

// hookWorld is a world with a worker that has not started: until deliver is called,
// what is queued stays in the queue, where it can be counted.
type hookWorld struct {
	*world

	worker *webhook.Worker
}

func withHooks(t *testing.T, test func(t *testing.T, w *hookWorld)) {
	t.Helper()
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := new(hookWorld)
			guard := netguard.New(netguard.Options{
				Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Resolver: nowhere{},
			})
			w.world = newWorld(t, e, func(cc *core.Config, _ *agentchat.Config) {
				key, err := cc.Store.IDKey(t.Context())
				if err != nil {
					t.Fatalf("read the key of ids: %v", err)
				}
				ids, err := id.NewCodec(key)
				if err != nil {
					t.Fatalf("make the codec of ids: %v", err)
				}
				w.worker = webhook.New(webhook.Config{
					Store: cc.Store, Client: guard, Log: slog.New(slog.DiscardHandler), Now: cc.Now,
					Forms: map[chat.Surface]webhook.Form{chat.SurfaceAgentChat: {
						Encoder: agentchat.NewEncoder(ids, "https://chat.example"), Policy: webhook.AgentChatPolicy(),
					}},
				})
				cc.Hooks, cc.Links = w.worker, guard
			})
			t.Cleanup(func() {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				w.worker.Stop(ctx)
			})
			test(t, w)
		})
	}
}

// nowhere resolves no name.
type nowhere struct{}

func (nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such host")
}

// deliver starts the worker.
func (w *hookWorld) deliver() { w.worker.Start(w.Core) }

// queued lists the events in the queues of an agent's webhooks, by their core names.
func (w *hookWorld) queued(t *testing.T, a *agent) string {
	t.Helper()
	var kinds []string
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		kinds = nil
		now := w.Clock.Now().Add(time.Hour)
		work, err := tx.ClaimHooks(ctx, store.HookClaim{Now: now, Until: now, Hooks: 100, Each: 100})
		for _, h := range work {
			for _, d := range h.Deliveries {
				if d.Account == a.id {
					kinds = append(kinds, string(d.Event.Kind))
				}
			}
			if err := tx.ReleaseHook(ctx, h.Hook.ID, h.Breaker); err != nil {
				return err
			}
		}
		return err
	})
	return strings.Join(kinds, " ")
}

// delivered is one request to a receiver.
type delivered struct {
	t      *testing.T
	raw    string
	header http.Header
	body   any
}

// receiver is where webhooks point to: it answers 200 and hands out what came.
type receiver struct {
	*httptest.Server

	calls chan delivered
}

func receive(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{calls: make(chan delivered, 100)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		raw, _ := io.ReadAll(q.Body)
		r.calls <- delivered{t: t, raw: string(raw), header: q.Header}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) get(t *testing.T) delivered {
	t.Helper()
	d := dialecttest.Next(t, r.calls)
	if err := json.Unmarshal([]byte(d.raw), &d.body); err != nil {
		t.Fatalf("body of a delivery: %v in %s", err, d.raw)
	}
	return d
}

// at is the value at a path in the body, such as "data.content.text".
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

// verify checks a signature header as the official client does (AC 18.5).
func verify(header, body, secret string, now time.Time) error {
	mac := func(text string) string {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(text))
		return hex.EncodeToString(m.Sum(nil))
	}
	if !strings.Contains(header, "=") {
		if header != mac(body) {
			return fmt.Errorf("bare signature %s does not match", header)
		}
		return nil
	}
	fields := make(map[string]string)
	for part := range strings.SplitSeq(header, ",") {
		k, v, _ := strings.Cut(part, "=")
		fields[k] = v
	}
	stamp, err := strconv.ParseInt(fields["t"], 10, 64)
	if err != nil {
		return err
	}
	if age := now.Sub(time.Unix(stamp, 0)).Abs(); age > 300*time.Second {
		return fmt.Errorf("signature is %v old", age)
	}
	if fields["v1"] != mac(fields["t"]+"."+body) {
		return fmt.Errorf("timestamped signature %s does not match", header)
	}
	return nil
}

// signed asserts both signatures and the other headers of a delivery.
func (d delivered) signed(secret, event string, now time.Time) {
	d.t.Helper()
	for _, name := range []string{"X-AgentChat-Signature", "Agentchat-Signature"} {
		if err := verify(d.header.Get(name), d.raw, secret, now); err != nil {
			d.t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(d.header.Get("X-AgentChat-Signature"), "=") || !strings.HasPrefix(d.header.Get("Agentchat-Signature"), "t=") {
		d.t.Errorf("forms of the signatures: %v", d.header)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "AgentChat-Webhook/1", "X-AgentChat-Event": event,
	} {
		if got := d.header.Get(name); got != want {
			d.t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if id := d.header.Get("X-AgentChat-Delivery"); !strings.HasPrefix(id, "whd_") || len(id) != 26 {
		d.t.Errorf("X-AgentChat-Delivery: got %q, want whd_ and 22 characters", id)
	}
	d.is("event", event)
}

// hook makes a webhook for events, and returns its id and secret.
func (a *agent) hook(url string, events ...string) (id, secret string) {
	a.T.Helper()
	r := a.Post("/v1/webhooks", object{"url": url, "events": events}).Want(201)
	return r.Text("id"), r.Text("secret")
}
