package aiclient_test

import (
	"context"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/netguard"
	"parley/internal/store"
)

// The texts of AI 5 that webhooks are refused with.
const (
	textHookURL     = "webhook_url 无效"
	textHookBlocked = "webhook_url 不允许指向该地址"
)

// somewhere is a URL that may be set where the loopback range is allowed.
const somewhere = "http://127.0.0.1:9999/hook?x=1"

// hook sets a webhook and returns its secret.
func (c *client) hook(url string) (secret string) {
	c.T.Helper()
	return c.Post("/ai/webhook", object{"webhook_url": url}).Want(200).Text("webhook_secret")
}

// noHook is what is shown when there is no webhook.
const noHook = `{"webhook_url":null,"updated_at":null,"last_success_at":null,"last_failure_at":null,"last_error":null}`

func TestB41SetWebhook(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, other := w.guest(t), w.guest(t)
		w.Clock.Advance(time.Second)
		r := a.Post("/ai/webhook", object{"webhook_url": somewhere}).Want(200).Is("success", true).Is("webhook_url", somewhere)
		secret := r.Text("webhook_secret")
		if !regexp.MustCompile(`^whsec_[A-Za-z0-9_-]{43}$`).MatchString(secret) {
			t.Errorf("secret %q, want whsec_ and 43 characters", secret)
		}
		shown := a.Get("/ai/webhook").Want(200).Is("webhook_url", somewhere).Is("updated_at", "2026-11-21T12:00:31.000Z")
		shown.Is("last_success_at", nil).Is("last_failure_at", nil).Is("last_error", nil)
		if strings.Contains(shown.Raw, "secret") || strings.Contains(shown.Raw, secret) {
			t.Errorf("the secret is shown again: %s", shown.Raw)
		}
		w.Clock.Advance(time.Minute)
		if again := a.hook(somewhere); again == secret {
			t.Errorf("set again: got the secret %q of before, want a new one", again)
		}
		a.Get("/ai/webhook").Want(200).Is("updated_at", "2026-11-21T12:01:31.000Z")
		if r := other.Get("/ai/webhook").Want(200); r.Raw != noHook {
			t.Errorf("another agent's: got %s, want none", r.Raw)
		}
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			hooks, err := tx.HooksOf(ctx, []chat.AccountID{a.account()})
			if len(hooks) != 1 || strings.Contains(string(hooks[0].Secret), "whsec_") {
				t.Errorf("stored: got %+v, want one whose secret is sealed", hooks)
			}
			return err
		})
	})
}

func TestB42ClearWebhook(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		none := func() {
			t.Helper()
			if r := a.Get("/ai/webhook").Want(200); r.Raw != noHook {
				t.Errorf("got %s, want nulls", r.Raw)
			}
		}
		none()
		for _, clear := range []any{nil, ""} {
			for range 2 { // clearing what is not there is fine
				r := a.Post("/ai/webhook", object{"webhook_url": clear}).Want(200)
				if want := `{"success":true,"webhook_url":null}`; r.Raw != want {
					t.Errorf("clear with %v: got %s, want %s", clear, r.Raw, want)
				}
				none()
			}
			a.hook(somewhere)
		}
		fails(t, a.Post("/ai/webhook", object{}), 400, textMissing("webhook_url"))
		for _, wrong := range []any{1, true, []string{somewhere}, object{"url": somewhere}, "http://127.0.0.1:9999/\x00"} {
			fails(t, a.Post("/ai/webhook", object{"webhook_url": wrong}), 400, textInvalid("webhook_url"))
		}
		for _, body := range []string{"", "{", "[]", "\"x\"", "{\"webhook_url\":\"\xff\"}"} {
			fails(t, a.Post("/ai/webhook", body), 400, textBadJSON)
		}
		fails(t, a.Post("/ai/webhook", `{"webhook_url":"`+strings.Repeat("x", 65536)+`"}`), 413, textTooLarge)
		a.Get("/ai/webhook").Want(200).Is("webhook_url", somewhere) // none of that has touched it
	})
}

// Webhooks are for agents that may act.
func TestWebhookWhoMay(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		for _, c := range []*client{w.visitor(t), w.visitor(t).with("x"), w.person(t)} {
			fails(t, c.Post("/ai/webhook", "{"), 401, textBadKey)
			fails(t, c.Get("/ai/webhook"), 401, textBadKey)
		}
		for _, off := range []func(*chat.Account){
			func(a *chat.Account) { a.Disabled = true },
			func(a *chat.Account) { a.State = chat.StateSuspended },
		} {
			c := w.guest(t, off)
			fails(t, c.Post("/ai/webhook", "{"), 403, textDisabled)
			fails(t, c.Get("/ai/webhook"), 403, textDisabled)
		}
		paused := w.guest(t, func(a *chat.Account) { a.Pause = chat.PauseFull })
		paused.hook(somewhere)
		restricted := w.guest(t, func(a *chat.Account) { a.State = chat.StateRestricted })
		restricted.hook(somewhere)
	})
}

func TestB51BlockedAddresses(t *testing.T) {
	withGuard(t, netguard.Options{Resolver: fixed{"93.184.216.34", "10.0.0.7"}}, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		for _, url := range []string{
			"https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/", "https://10.0.0.1/", "https://[::ffff:127.0.0.1]/",
			"https://localhost/", "https://LOCALHOST./", "https://db.internal/", "https://printer.local/", "https://x.localhost/",
			"https://0.0.0.0/", "https://100.64.0.1/", "https://192.168.1.1:8443/", "https://[fd00::1]/", "https://[64:ff9b::7f00:1]/",
			"https://inside.example/", // one of its addresses is of the server's own network
			"https://[fe80::1%25eth0]/",
		} {
			if r := a.Post("/ai/webhook", object{"webhook_url": url}); r.Status != 400 || r.At("error") != textHookBlocked {
				t.Errorf("%s: got %d %s, want that the address is blocked", url, r.Status, r.Raw)
			}
		}
		if r := a.Get("/ai/webhook").Want(200); r.Raw != noHook {
			t.Errorf("got %s, want none", r.Raw)
		}
	})
}

func TestB52BadURLs(t *testing.T) {
	withGuard(t, netguard.Options{Resolver: nowhere{}}, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		long := "https://h.example/" + strings.Repeat("x", 2048-len("https://h.example/"))
		a.hook(long)
		for _, url := range []string{
			"ftp://h.example/", "https://u:p@h.example/", "https://u@h.example/", "/x", "https://h.example:22/", "https://2130706433/",
			"https://0x7f000001/", "https://127.1/", "https://0177.0.0.1/", "https://h.example/#top", "https://h.example/#",
			"https://", "https:///x", "h.example", " ", "https://h.example:/", "https://h.example:99999/", "https://h .example/",
			"javascript:alert(1)", "https://h.example/\n", long + "x", "https://h.example/" + strings.Repeat("ö", 1020),
		} {
			if r := a.Post("/ai/webhook", object{"webhook_url": url}); r.Status != 400 || r.At("error") != textHookURL {
				t.Errorf("%q: got %d %s, want that the URL is bad", url, r.Status, r.Raw)
			}
		}
		a.Get("/ai/webhook").Want(200).Is("webhook_url", long)
	})
}

func TestB54PlainHTTP(t *testing.T) {
	withGuard(t, netguard.Options{Resolver: nowhere{}}, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		for _, url := range []string{"http://h.example/", "http://93.184.216.34/", "http://127.0.0.1/"} {
			fails(t, a.Post("/ai/webhook", object{"webhook_url": url}), 400, textHookURL)
		}
	})
}

// Where a network is allowed, http is, too, for hosts all of whose addresses lie in it.
func TestAllowedNetwork(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	withGuard(t, netguard.Options{Allow: allow, Resolver: fixed{"10.0.0.7", "10.0.0.8"}}, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		a.hook("http://10.1.2.3/")
		a.hook("http://inside.example/")
		fails(t, a.Post("/ai/webhook", object{"webhook_url": "http://93.184.216.34/"}), 400, textHookURL)
		fails(t, a.Post("/ai/webhook", object{"webhook_url": "https://127.0.0.1/"}), 400, textHookBlocked)
	})
}

// fixed resolves every name to the same addresses.
type fixed []string

func (f fixed) LookupNetIP(context.Context, string, string) (addrs []netip.Addr, err error) {
	for _, text := range f {
		addrs = append(addrs, netip.MustParseAddr(text))
	}
	return addrs, nil
}

// Webhooks set at once leave one, and the secret that its setter was told.
func TestSetWebhookRace(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.guest(t), w.guest(t)
		receivers := []*receiver{receive(t), receive(t), receive(t), receive(t)}
		answers := dialecttest.Together(len(receivers), func(i int) *dialecttest.Response {
			return a.Post("/ai/webhook", object{"webhook_url": receivers[i].URL})
		})
		at := a.Get("/ai/webhook").Want(200).Text("webhook_url")
		b.says(a, "hello").Want(200)
		w.deliver()
		for i, r := range receivers {
			if r.URL == at {
				r.get(t).signed(answers[i].Want(200).Text("webhook_secret"), w.Clock.Now())
			}
		}
		w.untilEmpty(t, a)
		for _, r := range receivers {
			if len(r.calls) != 0 {
				t.Errorf("%s: called besides, want one webhook", r.URL)
			}
		}
	})
}

// The webhook of /ai and those of /v1 know nothing of each other.
func TestWebhookBesideThoseOfOtherDialects(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.guest(t)
		through := a.through(chat.SurfaceAgentChat)
		made, err := w.Core.CreateHook(t.Context(), through, core.NewHook{URL: somewhere, Events: chat.HookMessageCreated})
		if err != nil {
			t.Fatalf("make a webhook of /v1: %v", err)
		}
		if err := w.Core.SetWakeHook(t.Context(), through, somewhere, "s"); err != nil {
			t.Fatalf("make a wake webhook: %v", err)
		}
		if r := a.Get("/ai/webhook").Want(200); r.Raw != noHook {
			t.Errorf("beside webhooks of /v1: got %s, want none", r.Raw)
		}
		a.hook(somewhere + "&y=2")
		if hooks, err := w.Core.ListHooks(t.Context(), through); err != nil || len(hooks) != 1 || hooks[0].ID != made.ID {
			t.Errorf("webhooks of /v1: got %+v, %v, want the one that was made", hooks, err)
		}
		a.Post("/ai/webhook", object{"webhook_url": nil}).Want(200)
		bits := func() (bits chat.HookEvents) {
			w.Update(t, func(ctx context.Context, tx store.Tx) error {
				acc, err := tx.Account(ctx, a.account())
				bits = acc.Hooks
				return err
			})
			return bits
		}
		if got, want := bits(), chat.HookMessageCreated|chat.HookWake; got != want {
			t.Errorf("after clearing: the account listens to %b, want %b", got, want)
		}
	})
}
