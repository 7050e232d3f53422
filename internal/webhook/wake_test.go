package webhook_test

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/webhook"
)

// mail stores a message for an account, as the core would, and wakes it.
func (w *world) mail(to chat.AccountID, text string) chat.Event {
	w.t.Helper()
	var e chat.Event
	w.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 2)
		if err != nil {
			return err
		}
		c := &chat.Conversation{
			ID: chat.ConversationID(n), Kind: chat.ConversationGroup, LastSeq: 1, LastAt: noon, CreatedAt: noon,
		}
		if err := tx.InsertGroup(ctx, &chat.Group{Conversation: *c, Name: "crew"}, []chat.Member{{Account: to, JoinedAt: noon}}); err != nil {
			return err
		}
		m := &chat.Message{
			ID: chat.MessageID(n + 1), Conversation: c.ID, Seq: 1, Author: 1, Kind: chat.MessageText, Text: text, CreatedAt: noon,
		}
		e = chat.Event{Position: m.Position(), Kind: chat.EventMessageCreated, At: noon, Conversation: c.ID, Message: m}
		return tx.Write(ctx, &store.Writes{
			Messages:  []*chat.Message{m},
			Envelopes: []chat.Envelope{{Message: m.ID, Recipient: to, Conversation: c.ID, Seq: 1}},
		})
	})
	w.worker.Wake(to, e)
	return e
}

// waiting is the count that a wake told of.
func (c call) waiting(t *testing.T) int {
	t.Helper()
	var body struct{ Waiting int }
	if err := json.Unmarshal([]byte(c.body), &body); err != nil {
		t.Fatalf("body %q: %v", c.body, err)
	}
	return body.Waiting
}

// An account is woken once in 30 seconds at most, for the newest message.
func TestWake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	a := w.account()
	w.hook(a, r.URL, chat.HookWake)
	w.mail(a, "first")
	first := r.get(t)
	if first.text(t) != "first" || first.waiting(t) != 1 || first.header.Get("X-Secret") != "s3cret" {
		t.Errorf("first wake: got %+v", first)
	}
	w.mail(a, "second")
	w.mail(a, "third")
	w.advance(29 * time.Second)
	w.advance(time.Second)
	second := r.get(t)
	if second.text(t) != "third" || second.waiting(t) != 3 {
		t.Errorf("second wake: got %+v, want the third message of three", second)
	}
	if got, want := second.header.Get("X-Time"), noon.Add(30*time.Second).Format(time.RFC3339); got != want {
		t.Errorf("second wake at %s, want %s", got, want)
	}
	if first.header.Get("X-Delivery") == second.header.Get("X-Delivery") {
		t.Errorf("both wakes have the id %s, want one each", first.header.Get("X-Delivery"))
	}
	if n := len(w.rules.taken); n != 0 {
		t.Errorf("a wake marked messages as delivered: %v", w.rules.taken)
	}
}

// A wake that fails is not tried again; the next message tries.
func TestWakeFails(t *testing.T) {
	t.Parallel()
	seen := make(chan webhook.Attempt, 10)
	w := newWorld(t, func(c *webhook.Config) { c.Observe = func(a webhook.Attempt) { seen <- a } })
	r := w.receive()
	r.respond(status(500))
	a := w.account()
	w.hook(a, r.URL, chat.HookWake)
	w.mail(a, "first")
	r.get(t)
	if got := <-seen; !got.Wake || got.Err == nil {
		t.Errorf("observed %+v, want a wake that failed", got)
	}
	w.advance(time.Hour)
	w.mail(a, "second")
	if got := r.get(t).text(t); got != "second" {
		t.Errorf("woken for %q, want the next message alone", got)
	}
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters of wakes: %+v", letters)
	}
}

// Whoever need not or may not be woken is not.
func TestNotWoken(t *testing.T) {
	t.Parallel()
	for name, prevent := range map[string]func(w *world, a chat.AccountID){
		"connected": func(w *world, a chat.AccountID) { w.rules.connected[a] = true },
		"paused":    func(w *world, a chat.AccountID) { w.change(a, func(a *chat.Account) { a.Pause = chat.PauseFull }) },
		"suspended": func(w *world, a chat.AccountID) { w.change(a, func(a *chat.Account) { a.State = chat.StateSuspended }) },
		"without such hook": func(w *world, a chat.AccountID) {
			w.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHooksOf(ctx, a) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			quiet, loud := w.receive(), w.receive()
			a, other := w.account(), w.account()
			w.hook(a, quiet.URL, chat.HookWake)
			w.hook(other, loud.URL, chat.HookWake)
			w.rules.mu.Lock()
			prevent(w, a)
			w.rules.mu.Unlock()
			w.mail(a, "hello")
			w.advance(time.Minute)
			w.mail(other, "hello") // a turn of the loop after the one that passed over a
			loud.get(t)
			w.stop()
			if n := len(quiet.calls); n != 0 {
				t.Errorf("woken %d times, want not at all", n)
			}
		})
	}
}

// Who has fetched its messages by the time it may be woken again is left alone, and
// woken at once by the next one.
func TestWakeIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	a := w.account()
	w.hook(a, r.URL, chat.HookWake)
	w.mail(a, "first")
	r.get(t)
	last := w.mail(a, "second")
	w.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Acknowledge(ctx, a, last.Message.ID, noon)
		return err
	})
	w.advance(30 * time.Second)
	w.mail(a, "third")
	if c := r.get(t); c.text(t) != "third" || c.waiting(t) != 1 {
		t.Errorf("got %+v, want the third message alone", c)
	}
}

// Many accounts are woken, more than at once.
func TestWakeMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.receive()
	want := make(map[string]bool)
	for i := range 40 {
		a, text := w.account(), "m"+strconv.Itoa(i)
		w.hook(a, r.URL, chat.HookWake)
		w.mail(a, text)
		want[text] = true
	}
	for range 40 {
		delete(want, r.get(t).text(t))
	}
	if len(want) != 0 {
		t.Errorf("not woken for: %v", want)
	}
}
