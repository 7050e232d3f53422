package agentchat_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

func TestCreateWebhook(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.agent(t)
		made := a.Post("/v1/webhooks", object{
			"url": "http://127.0.0.1:9999/hook?x=1", "events": []string{"message.read", "message.new", "message.read"},
		}).Want(201)
		made.Is("url", "http://127.0.0.1:9999/hook?x=1").Is("active", true).Is("created_at", "2026-11-21T12:00:30.000Z")
		made.Is("events.0", "message.new").Is("events.1", "message.read").Is("events.2", dialecttest.Absent{})
		hookID, secret := made.Text("id"), made.Text("secret")
		if raw, err := hex.DecodeString(secret); err != nil || len(raw) != 32 || strings.ToLower(secret) != secret {
			t.Errorf("made up secret %q, want 64 lower-case hexadecimal digits", secret)
		}
		if !strings.HasPrefix(hookID, "whk_") || len(hookID) != 26 {
			t.Errorf("id %q, want whk_ and 22 characters", hookID)
		}

		own := a.Post("/v1/webhooks", object{
			"url": "https://receiver.example/hook", "events": []string{"presence.update"}, "secret": strings.Repeat("ö", 16),
		}).Want(201)
		own.Is("secret", strings.Repeat("ö", 16))

		list := a.Get("/v1/webhooks").Want(200)
		list.Is("webhooks.0.id", hookID).Is("webhooks.1.id", own.Text("id")).Is("webhooks.2", dialecttest.Absent{})
		one := a.Get("/v1/webhooks/" + hookID).Want(200)
		one.Is("id", hookID).Is("events.1", "message.read").Is("active", true).Is("created_at", made.At("created_at"))
		for _, r := range []*response{list, one} {
			if strings.Contains(r.Raw, "secret") || strings.Contains(r.Raw, secret) {
				t.Errorf("the secret is shown again: %s", r.Raw)
			}
		}
		a.Delete("/v1/webhooks/"+hookID).Want(200).Is("ok", true)
		code(a.Get("/v1/webhooks/"+hookID), 404, "NOT_FOUND")
		code(a.Delete("/v1/webhooks/"+hookID), 404, "NOT_FOUND")
		a.Get("/v1/webhooks").Want(200).Is("webhooks.0.id", own.Text("id")).Is("webhooks.1", dialecttest.Absent{})
	})
}

func TestWebhookInput(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.agent(t)
		good := func(change object) object {
			body := object{"url": "http://127.0.0.1:9999/", "events": []string{"message.new"}}
			for k, v := range change {
				body[k] = v
			}
			return body
		}
		for _, tc := range []struct {
			field  string
			change object
		}{
			{"url", object{"url": nil}},
			{"url", object{"url": ""}},
			{"url", object{"url": 7}},
			{"url", object{"url": "/hook"}},
			{"url", object{"url": "ftp://example.org/"}},
			{"url", object{"url": "http://example.org/"}}, // not https, and outside the allow list
			{"url", object{"url": "https://10.0.0.1/"}},
			{"url", object{"url": "https://[::1]/"}},
			{"url", object{"url": "https://169.254.169.254/latest"}},
			{"url", object{"url": "https://user:word@example.org/"}},
			{"url", object{"url": "http://127.0.0.1:9999/" + strings.Repeat("x", 2048)}},
			{"events", object{"events": nil}},
			{"events", object{"events": []string{}}},
			{"events", object{"events": "message.new"}},
			{"events", object{"events": []string{"message.new", "message.gone"}}},
			{"events", object{"events": []string{"typing.start"}}},
			{"events", object{"events": []string{"wake"}}},
			{"events", object{"events": []string{""}}},
			{"secret", object{"secret": ""}},
			{"secret", object{"secret": strings.Repeat("x", 15)}},
			{"secret", object{"secret": strings.Repeat("x", 257)}},
			{"secret", object{"secret": 1}},
		} {
			r := code(a.Post("/v1/webhooks", good(tc.change)), 400, "VALIDATION_ERROR")
			if _, absent := r.At("details.fieldErrors." + tc.field).(dialecttest.Absent); absent {
				t.Errorf("%v: got %s, want an error of %s", tc.change, r.Raw, tc.field)
			}
		}
		code(a.Post("/v1/webhooks", "{"), 400, "VALIDATION_ERROR")
		code(a.Post("/v1/webhooks", good(object{"events": []string{"agent.created"}})), 403, "FORBIDDEN")
		code(w.Visitor(t).Post("/v1/webhooks", good(nil)), 401, "UNAUTHORIZED")
		a.Get("/v1/webhooks").Want(200).Is("webhooks.0", dialecttest.Absent{})
		a.Post("/v1/webhooks", good(object{"secret": strings.Repeat("x", 256)})).Want(201)
		a.Post("/v1/webhooks", good(object{"secret": nil})).Want(201)
	})
}

func TestWebhookCap(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, url := w.agent(t), "http://127.0.0.1:9999/"
		a.Put("/v1/agents/me/wake-webhook", object{"url": url, "secret": "s"}).Want(200) // does not count
		first, _ := a.hook(url, "message.new")
		for range 4 {
			a.hook(url, "message.new")
		}
		code(a.Post("/v1/webhooks", object{"url": url, "events": []string{"message.new"}}), 400, "LIMIT_REACHED")
		a.Delete("/v1/webhooks/" + first).Want(200)
		a.hook(url, "message.new")
		w.agent(t).hook(url, "message.new")

		b := w.agent(t)
		codes := dialecttest.Statuses(dialecttest.Together(10, func(int) *response {
			return b.Post("/v1/webhooks", object{"url": url, "events": []string{"message.new"}})
		}))
		if codes[201] != 5 || codes[400] != 5 {
			t.Errorf("ten at once: got %v, want five made and five refused", codes)
		}
	})
}

func TestForeignWebhook(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.agent(t), w.agent(t)
		hookID, _ := a.hook("http://127.0.0.1:9999/", "message.new")
		for _, id := range []string{hookID, "whk_AAAAAAAAAAAAAAAAAAAAAA", "whk_", "x", strings.Replace(hookID, "whk_", "msg_", 1)} {
			code(b.Get("/v1/webhooks/"+id), 404, "NOT_FOUND")
			code(b.Delete("/v1/webhooks/"+id), 404, "NOT_FOUND")
		}
		a.Get("/v1/webhooks/" + hookID).Want(200)
	})
}

// A retry under the same key gets the same answer, secret included, although the
// secret is nowhere stored in the clear.
func TestWebhookReplay(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.agent(t)
		body := object{"url": "http://127.0.0.1:9999/", "events": []string{"message.new"}}
		const key = "Idempotency-Key: hook-0001"
		first := a.Post("/v1/webhooks", body, key).Want(201)
		again := a.Post("/v1/webhooks", body, key).Want(201)
		if again.Raw != first.Raw || again.Header.Get("Idempotent-Replay") != "true" {
			t.Errorf("replay: got %s, want %s", again.Raw, first.Raw)
		}
		a.Get("/v1/webhooks").Want(200).Is("webhooks.1", dialecttest.Absent{})
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			hooks, err := tx.HooksOf(ctx, []chat.AccountID{a.id})
			if err != nil {
				return err
			}
			replay, err := tx.Replay(ctx, a.id, "hook-0001")
			if err != nil {
				return err
			}
			for what, stored := range map[string]string{"hook": string(hooks[0].Secret), "replay": string(replay.Outcome)} {
				if strings.Contains(stored, first.Text("secret")) {
					t.Errorf("the %s holds the secret in the clear: %s", what, stored)
				}
			}
			return nil
		})
	})
}

// Without anything that judges URLs no webhook can be made.
func TestWebhookUnreachable(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		code(a.Post("/v1/webhooks", object{"url": "https://example.org/", "events": []string{"message.new"}}), 422, "WEBHOOK_UNREACHABLE")
		code(a.Put("/v1/agents/me/wake-webhook", object{"url": "https://example.org/", "secret": "s"}), 422, "WEBHOOK_UNREACHABLE")
	})
}

func TestDeliverMessage(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.agent(t), w.agent(t)
		r := receive(t)
		_, secret := b.hook(r.URL, "message.new", "message.read")
		sent := a.Post("/v1/messages", object{
			"to": b.handle, "client_msg_id": "m1", "content": object{"text": "hello <@" + b.handle + ">", "data": json.RawMessage(`{"n":1.0}`)},
		}).Want(201)
		b.Get("/v1/messages/sync").Want(200).Is("0.id", sent.At("id"))
		w.Clock.Advance(time.Hour)
		w.deliver()
		d := r.get(t)
		d.signed(secret, "message.new", w.Clock.Now())
		d.is("timestamp", "2026-11-21T12:00:30.000Z").is("data.id", sent.At("id")).is("data.sender", a.handle)
		d.is("data.conversation_id", sent.At("conversation_id")).is("data.seq", 1).is("data.client_msg_id", "m1")
		d.is("data.context.sender.handle", a.handle).is("data.context.conversation.type", "direct")
		d.is("data.content.text", "hello <@"+b.handle+">").is("data.delivery_id", dialecttest.Absent{})
		if !strings.Contains(d.raw, `"data":{"n":1.0}`) || !strings.Contains(d.raw, "<@") {
			t.Errorf("body %s, want data as it was sent and no HTML escapes", d.raw)
		}
		if status := d.at("data.status"); status == "expired" {
			t.Errorf("status %v in a delivery", status)
		}
		w.until(t, func() bool { return len(b.Get("/v1/messages/sync").Want(200).List("")) == 0 })
		history := b.Get("/v1/messages/" + sent.Text("conversation_id")).Want(200)
		history.Is("0.status", "delivered").Is("0.read_at", nil)
	})
}

// Every event with its payload (AC 18.4).
func TestDeliverEvents(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b, system := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, system, func(acc *chat.Account) { acc.Kind = chat.KindSystem })
		r, all := receive(t), receive(t)
		_, secret := a.hook(r.URL, "message.new", "message.read", "presence.update", "contact.blocked", "group.invite.received", "group.deleted")
		w.deliver()
		expect := func(event string) delivered {
			t.Helper()
			d := r.get(t)
			d.signed(secret, event, w.Clock.Now())
			return d
		}

		conversation := a.befriend(b)
		expect("message.new").is("data.sender", b.handle).is("data.seq", 2)
		sent := a.in(conversation, "read this").Want(201)
		b.Post("/v1/messages/"+sent.Text("id")+"/read", nil).Want(200)
		at := "2026-11-21T12:00:30.000Z"
		expect("message.read").is("data.conversation_id", conversation).is("data.through_seq", 3).is("data.seq", 3).
			is("data.message_id", sent.At("id")).is("data.reader", b.handle).is("data.read_by", b.handle).
			is("data.at", at).is("data.read_at", at)

		b.Put("/v1/presence", object{"status": "busy", "custom_message": "thinking"}).Want(200)
		expect("presence.update").is("data.handle", b.handle).is("data.status", "busy").is("data.custom_message", "thinking")

		group := b.Post("/v1/groups", object{"name": "crew", "member_handles": []string{a.handle}}).Want(201).Text("group.id")
		invited := expect("group.invite.received")
		invited.is("data.group_id", group).is("data.group_name", "crew").is("data.inviter_handle", b.handle).
			is("data.group_member_count", 1)
		a.Post("/v1/groups/invites/"+invited.at("data.id").(string)+"/accept", nil).Want(200)
		expect("message.new").is("data.type", "system").is("data.context.conversation.group_name", "crew")
		b.Delete("/v1/groups/" + group).Want(200)
		got := map[string]delivered{}
		for range 2 { // the order is not promised
			d := r.get(t)
			got[d.header.Get("X-AgentChat-Event")] = d
		}
		if d, ok := got["group.deleted"]; ok {
			d.is("data.group_id", group).is("data.deleted_by_handle", b.handle).is("data.deleted_at", at)
		} else {
			t.Errorf("got %v, want group.deleted and its system message", got)
		}
		if d, ok := got["message.new"]; ok {
			d.is("data.content.data.event", "group_deleted")
		} else {
			t.Errorf("got %v, want group.deleted and its system message", got)
		}

		b.Post("/v1/contacts/"+a.handle+"/block", nil).Want(200)
		expect("contact.blocked").is("data.blocked_by", b.handle)

		system.hook(all.URL, "agent.created")
		pending := w.Visitor(t).Post("/v1/register", object{
			"email": "new@example.org", "handle": "newcomer", "display_name": "New",
		}).Want(200).Text("pending_id")
		w.Visitor(t).Post("/v1/register/verify", object{
			"pending_id": pending, "code": w.Mail.Code(t, "new@example.org", 1),
		}).Want(201)
		d := all.get(t)
		d.is("event", "agent.created").is("data.handle", "newcomer").is("data.display_name", "New").is("data.created_at", at)
	})
}

// Who is told of what, before anything is sent.
func TestQueuedForWhom(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b, deaf, muting, paused := w.agent(t), w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		const url = "http://127.0.0.1:9999/"
		for _, x := range []*agent{a, b, muting, paused} {
			x.hook(url, "message.new")
		}
		deaf.hook(url, "message.read")
		a.befriend(b)
		if got := w.queued(t, a) + "|" + w.queued(t, b); got != "message.created|message.created" {
			t.Errorf("after a message each way: queued %q, want one for each", got)
		}
		a.send(deaf, "hello").Want(201)
		if got := w.queued(t, deaf); got != "" {
			t.Errorf("a webhook for other events: queued %q", got)
		}
		muting.Post("/v1/mutes", object{"target_kind": "agent", "target_handle": a.handle}).Want(201)
		a.send(muting, "hello").Want(201)
		if got := w.queued(t, muting); got != "" {
			t.Errorf("the sender is muted: queued %q", got)
		}
		b.send(muting, "hello").Want(201)
		if got := w.queued(t, muting); got != "message.created" {
			t.Errorf("another sender: queued %q, want its message", got)
		}
		w.change(t, paused, func(acc *chat.Account) { acc.Pause = chat.PauseFull })
		a.send(paused, "hello").Want(201)
		if got := w.queued(t, paused); got != "" {
			t.Errorf("fully paused: queued %q", got)
		}
		w.change(t, paused, func(acc *chat.Account) { acc.Pause = chat.PauseSend })
		b.send(paused, "hello").Want(201)
		if got := w.queued(t, paused); got != "message.created" {
			t.Errorf("paused for sending: queued %q, want the message", got)
		}
		// A replay is not told again.
		body := object{"to": b.handle, "client_msg_id": "once", "content": object{"text": "x"}}
		a.Post("/v1/messages", body).Want(201)
		a.Post("/v1/messages", body).Want(200)
		if got := w.queued(t, b); got != "message.created message.created" {
			t.Errorf("after a replay: queued %q, want two", got)
		}
	})
}

// What is queued goes with its webhook, and webhooks go with their account.
func TestRemovedWithQueue(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.agent(t), w.agent(t)
		const url = "http://127.0.0.1:9999/"
		first, _ := b.hook(url, "message.new")
		b.hook(url, "message.new")
		a.befriend(b)
		if got := w.queued(t, b); got != "message.created message.created" {
			t.Fatalf("queued %q, want one for each webhook", got)
		}
		b.Delete("/v1/webhooks/" + first).Want(200)
		if got := w.queued(t, b); got != "message.created" {
			t.Errorf("queued %q, want that of the other webhook", got)
		}
		a.send(b, "one more").Want(201)
		if got := w.queued(t, b); got != "message.created message.created" {
			t.Errorf("after another message: queued %q, want both for the other webhook", got)
		}
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.PurgeHooks(ctx, 100)
			if n != 2 {
				t.Errorf("purged %d rows, want the webhook and its one delivery", n)
			}
			return err
		})
		b.Delete("/v1/agents/" + b.handle).Want(200)
		if got := w.queued(t, b); got != "" {
			t.Errorf("queued for a removed account: %q", got)
		}
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			hooks, err := tx.HooksOf(ctx, []chat.AccountID{b.id})
			if len(hooks) != 0 {
				t.Errorf("webhooks of a removed account: %+v", hooks)
			}
			return err
		})
	})
}

// The last webhook that listens to an event ends the looking for it.
func TestAccountNotesItsHooks(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.agent(t)
		const url = "http://127.0.0.1:9999/"
		hooks := func() (bits chat.HookEvents) {
			w.Update(t, func(ctx context.Context, tx store.Tx) error {
				acc, err := tx.Account(ctx, a.id)
				bits = acc.Hooks
				return err
			})
			return bits
		}
		one, _ := a.hook(url, "message.new", "group.deleted")
		two, _ := a.hook(url, "message.new", "presence.update")
		a.Put("/v1/agents/me/wake-webhook", object{"url": url, "secret": "s"}).Want(200)
		want := chat.HookMessageCreated | chat.HookGroupDeleted | chat.HookPresence | chat.HookWake
		if got := hooks(); got != want {
			t.Errorf("with three webhooks: got %b, want %b", got, want)
		}
		a.Delete("/v1/webhooks/" + one).Want(200)
		if got, want := hooks(), chat.HookMessageCreated|chat.HookPresence|chat.HookWake; got != want {
			t.Errorf("with two: got %b, want %b", got, want)
		}
		a.Delete("/v1/webhooks/" + two).Want(200)
		a.Delete("/v1/agents/me/wake-webhook").Want(200)
		if got := hooks(); got != 0 {
			t.Errorf("without webhooks: got %b, want none", got)
		}
	})
}

func TestWakeWebhook(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.agent(t), w.agent(t)
		const path = "/v1/agents/me/wake-webhook"
		b.Delete(path).Want(200).Is("state", "none")
		old, r := receive(t), receive(t)
		b.Put(path, object{"url": old.URL, "secret": "old"}).Want(200).Is("state", "active")
		set := b.Put(path, object{"url": r.URL, "secret": "wörd"}).Want(200)
		if set.Raw != `{"state":"active"}` {
			t.Errorf("got %s, want the state alone", set.Raw)
		}
		b.Get("/v1/webhooks").Want(200).Is("webhooks.0", dialecttest.Absent{})
		w.deliver()
		sent := a.send(b, "wake up").Want(201)
		d := r.get(t)
		d.signed("wörd", "wake", w.Clock.Now())
		d.is("timestamp", "2026-11-21T12:00:30.000Z").is("data.handle", b.handle).is("data.undelivered_count", 1).
			is("data.conversation_id", sent.At("conversation_id")).is("data.message_id", sent.At("id")).is("data.sender", a.handle)
		b.Get("/v1/messages/sync").Want(200).Is("0.id", sent.At("id")) // it changes no delivery state

		// With a socket open nobody is woken; the next message after it is.
		w.Clock.Advance(time.Minute)
		w.Core.SocketOpened(b.id)(t.Context())
		b.send(a, "hello").Want(201)
		a.send(b, "not this").Want(201)
		w.Core.SocketClosed(b.id)
		b.Post("/v1/mutes", object{"target_kind": "agent", "target_handle": a.handle}).Want(201)
		a.send(b, "nor this").Want(201)
		b.Delete("/v1/mutes/agent/" + a.handle).Want(200)
		a.send(b, "but this").Want(201)
		r.get(t).is("data.undelivered_count", 4)
		if len(old.calls) != 0 {
			t.Errorf("the replaced webhook was called %d times", len(old.calls))
		}

		b.Delete(path).Want(200).Is("state", "none")
		b.Delete(path).Want(200).Is("state", "none")
	})
}

// What nobody could deliver for three days is given up, and dropped after a month;
// until then the operator can have it sent again.
func TestOldDeliveries(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a, b := w.agent(t), w.agent(t)
		b.hook("http://127.0.0.1:9999/", "message.new")
		a.send(b, "hello").Want(201)
		sweep := func(after time.Duration) []chat.DeadLetter {
			t.Helper()
			w.Clock.Advance(after)
			if err := w.Core.Sweep(t.Context()); err != nil {
				t.Fatalf("sweep: %v", err)
			}
			letters, err := w.Core.DeadLetters(t.Context(), 0, 10)
			if err != nil {
				t.Fatalf("list dead letters: %v", err)
			}
			return letters
		}
		if letters := sweep(72 * time.Hour); len(letters) != 0 {
			t.Errorf("after three days: dead letters %+v, want none", letters)
		}
		letters := sweep(time.Minute)
		if len(letters) != 1 || w.queued(t, b) != "" {
			t.Fatalf("after more than three days: dead letters %+v and a queue of %q, want one and none", letters, w.queued(t, b))
		}
		if err := w.Core.ReviveDeadLetter(t.Context(), letters[0].ID); err != nil {
			t.Fatalf("revive: %v", err)
		}
		if err := w.Core.ReviveDeadLetter(t.Context(), letters[0].ID); chat.CodeOf(err) != chat.CodeDeliveryUnknown {
			t.Errorf("revive again: got %v, want %s", err, chat.CodeDeliveryUnknown)
		}
		if got := w.queued(t, b); got != "message.created" {
			t.Errorf("revived: queued %q, want the message", got)
		}
		sweep(73 * time.Hour)
		if letters := sweep(31 * 24 * time.Hour); len(letters) != 0 {
			t.Errorf("after a month: dead letters %+v, want none", letters)
		}
	})
}

func TestWakeWebhookInput(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		a := w.agent(t)
		const path, url = "/v1/agents/me/wake-webhook", "http://127.0.0.1:9999/"
		for _, body := range []object{
			{},
			{"url": url},
			{"secret": "s"},
			{"url": url, "secret": ""},
			{"url": url, "secret": strings.Repeat("x", 257)},
			{"url": "https://10.0.0.1/", "secret": "s"},
			{"url": "http://example.org/", "secret": "s"},
			{"url": "x", "secret": "s"},
			{"url": url + strings.Repeat("x", 2048), "secret": "s"},
		} {
			code(a.Put(path, body), 400, "VALIDATION_ERROR")
		}
		a.Put(path, object{"url": url, "secret": strings.Repeat("ö", 256)}).Want(200)
		code(w.Visitor(t).Put(path, object{"url": url, "secret": "s"}), 401, "UNAUTHORIZED")
		code(w.Visitor(t).Delete(path), 401, "UNAUTHORIZED")
	})
}
