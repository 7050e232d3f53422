package storetest

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// hook stores a webhook of an account.
func (f *fixture) hook(account chat.AccountID) chat.Hook {
	f.t.Helper()
	h := chat.Hook{
		Account: account, Surface: chat.SurfaceAgentChat, URL: "https://" + f.name("host") + ".example/\U0001f9ea",
		Events: chat.HookWake | chat.HookMessageCreated, Secret: []byte{0, 1, 0xff}, CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 1)
		h.ID = chat.HookID(id)
		if err != nil {
			return err
		}
		return tx.InsertHook(ctx, &h)
	})
	return h
}

// enqueue queues an event for a hook at a time.
func (f *fixture) enqueue(h chat.Hook, e chat.Event, at time.Time) chat.Delivery {
	f.t.Helper()
	d := chat.Delivery{Hook: h.ID, Account: h.Account, Event: e, NextAt: at, CreatedAt: at}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.Enqueue(ctx, []chat.Delivery{d}) })
	return d
}

// event with the position of its own id.
func (f *fixture) blocked() chat.Event {
	f.t.Helper()
	return chat.Event{Kind: chat.EventAccountBlocked, Position: chat.Position(f.id()), At: f.now(), Actor: 7}
}

func (f *fixture) claim(now time.Time, hooks, each int) []chat.HookWork {
	f.t.Helper()
	var got []chat.HookWork
	f.update(func(ctx context.Context, tx store.Tx) (err error) {
		got, err = tx.ClaimHooks(ctx, store.HookClaim{Now: now, Until: now.Add(time.Minute), Hooks: hooks, Each: each})
		return err
	})
	return got
}

func (f *fixture) release(id chat.HookID, b chat.Breaker) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.ReleaseHook(ctx, id, b) })
}

func (f *fixture) nextDelivery() time.Time {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (time.Time, error) { return r.NextDelivery(ctx) })
}

func (f *fixture) hookList(account chat.AccountID, after chat.HookID, limit int) []chat.HookStatus {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.HookStatus, error) {
		return r.HookList(ctx, account, after, limit)
	})
}

// hookTrouble is the number of dead letters and of open breakers.
func (f *fixture) hookTrouble(now time.Time) [2]int {
	return query(f, func(ctx context.Context, r store.Reader) ([2]int, error) {
		dead, open, err := r.HookTrouble(ctx, now)
		return [2]int{dead, open}, err
	})
}

func (f *fixture) deadLetters(after chat.DeliveryID, limit int) []chat.DeadLetter {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.DeadLetter, error) {
		return r.DeadLetters(ctx, after, limit)
	})
}

// claimed names hooks that were handed out with how many deliveries each.
func claimed(work []chat.HookWork) []string {
	list := make([]string, len(work))
	for i, w := range work {
		list[i] = fmt.Sprintf("%d: %d", w.Hook.ID, len(w.Deliveries))
	}
	return list
}

func testHookRoundTrip(f *fixture) {
	a, b, c := f.account(), f.account(), f.account()
	first, other, second := f.hook(a.ID), f.hook(b.ID), f.hook(a.ID)
	f.complete(first, "Health") // see testHookHealth
	got := query(f, func(ctx context.Context, r store.Reader) ([]chat.Hook, error) {
		return r.HooksOf(ctx, []chat.AccountID{b.ID, a.ID, absent, a.ID})
	})
	f.same("hooks of accounts", got, []chat.Hook{first, second, other})
	none := query(f, func(ctx context.Context, r store.Reader) ([]chat.Hook, error) { return r.HooksOf(ctx, nil) })
	f.same("hooks of nobody", none, []chat.Hook(nil))
	one := query(f, func(ctx context.Context, r store.Reader) (*chat.Hook, error) { return r.Hook(ctx, other.ID) })
	f.same("hook", one, &other)
	missing(f, "unknown hook", func(ctx context.Context, r store.Reader) (*chat.Hook, error) { return r.Hook(ctx, absent) })

	breaker := chat.Breaker{Failures: 5, Recent: []time.Time{f.now(), f.now()}, OpenUntil: f.now()}
	f.complete(breaker)
	f.release(second.ID, breaker)
	f.enqueue(second, f.blocked(), f.now())
	f.enqueue(second, f.blocked(), f.now())
	all := []chat.HookStatus{{Hook: first}, {Hook: other}, {Hook: second, Breaker: breaker, Queued: 2}}
	f.same("all hooks", f.hookList(0, 0, 10), all)
	f.same("a page of hooks", f.hookList(0, first.ID, 1), all[1:2])
	f.same("hooks of one account", f.hookList(a.ID, 0, 10), []chat.HookStatus{all[0], all[2]})
	f.same("hooks of one account, paged", f.hookList(a.ID, first.ID, 10), all[2:])
	f.same("hooks of an account without", f.hookList(c.ID, 0, 10), []chat.HookStatus(nil))
	f.release(second.ID, chat.Breaker{})
	f.same("a closed breaker", f.hookList(a.ID, first.ID, 10)[0].Breaker, chat.Breaker{})
}

func testHookDelete(f *fixture) {
	a, b := f.account(), f.account()
	h, sibling, other := f.hook(a.ID), f.hook(a.ID), f.hook(b.ID)
	for _, hook := range []chat.Hook{h, sibling, other} {
		f.enqueue(hook, f.blocked(), f.now())
		f.enqueue(hook, f.blocked(), f.now())
	}
	var dead []chat.DeliveryID
	for _, w := range f.claim(f.now(), 10, 1) {
		dead = append(dead, w.Deliveries[0].ID)
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.BuryDelivery(ctx, &w.Deliveries[0], f.now()) })
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHook(ctx, h.ID) })
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.DeleteHook(ctx, h.ID) })
	missing(f, "deleted hook", func(ctx context.Context, r store.Reader) (*chat.Hook, error) { return r.Hook(ctx, h.ID) })
	f.same("what belongs to the sibling", f.hookList(a.ID, 0, 10), []chat.HookStatus{{Hook: sibling, Queued: 1, Dead: 1}})
	letters := f.deadLetters(0, 10)
	f.same("dead letters of others", len(letters), 2)
	for _, l := range letters {
		f.same("deleted hook with a dead letter", l.Hook == h.ID, false)
	}
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.ReviveLetter(ctx, dead[0], f.now()) })
	f.release(h.ID, chat.Breaker{}) // whoever has it in hand lets go of it late
	f.release(sibling.ID, chat.Breaker{})
	f.release(other.ID, chat.Breaker{})
	f.same("hooks that are due", len(f.claim(f.now(), 10, 10)), 2)

	purge := func(limit int) (n int) {
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.PurgeHooks(ctx, limit)
			return err
		})
		return n
	}
	f.same("a page of the purge", purge(1), 1)
	f.same("the rest of the purge", purge(10), 2) // a dead letter and the hook
	f.same("nothing left to purge", purge(10), 0)
	f.same("queues left", f.raw(`SELECT count(*) FROM deliveries WHERE hook_id = $1`, int64(h.ID)), 0)
	f.same("dead letters left", f.raw(`SELECT count(*) FROM dead_letters WHERE hook_id = $1`, int64(h.ID)), 0)
	f.same("hooks left", f.raw(`SELECT count(*) FROM hooks`), 2)

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHooksOf(ctx, a.ID) })
	f.same("what is left at last", f.hookList(0, 0, 10), []chat.HookStatus{{Hook: other, Queued: 1, Dead: 1}})
	f.same("all of an account's purged", purge(10), 3)
	f.same("rows left at last", f.raw(`SELECT count(*) FROM deliveries`)+f.raw(`SELECT count(*) FROM dead_letters`), 2)
}

// A worker that reports about a hook that went away meanwhile meets no error.
func testHookGone(f *fixture) {
	h := f.hook(f.account().ID)
	f.enqueue(h, f.blocked(), f.now())
	work := f.claim(f.now(), 1, 1)
	d := work[0].Deliveries[0]
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHook(ctx, h.ID) })
	for name, step := range map[string]func(ctx context.Context, tx store.Tx) error{
		"body":     func(ctx context.Context, tx store.Tx) error { return tx.SetDeliveryBody(ctx, d.ID, []byte("x")) },
		"delete":   func(ctx context.Context, tx store.Tx) error { return tx.DeleteDelivery(ctx, d.ID) },
		"postpone": func(ctx context.Context, tx store.Tx) error { return tx.PostponeDelivery(ctx, &d) },
		"bury":     func(ctx context.Context, tx store.Tx) error { return tx.BuryDelivery(ctx, &d, f.now()) },
		"release":  func(ctx context.Context, tx store.Tx) error { return tx.ReleaseHook(ctx, h.ID, chat.Breaker{}) },
		"health":   func(ctx context.Context, tx store.Tx) error { return tx.NoteHealth(ctx, &h) },
	} {
		if err := f.store.Update(f.t.Context(), step); err != nil {
			f.t.Errorf("%s after the hook has gone: got %v, want no error", name, err)
		}
	}
	f.same("dead letters", f.deadLetters(0, 10), []chat.DeadLetter(nil))
	f.same("next delivery", f.nextDelivery(), time.Time{})
}

func testDeliveryRoundTrip(f *fixture) {
	h := f.hook(f.account().ID)
	at, pause := f.now(), chat.PauseSend
	e := chat.Event{
		Position: chat.Position(f.id()), Kind: chat.EventMessageCreated, At: f.now(), Actor: 1, Space: 2, Conversation: 3,
		Account: 4, Credential: 5,
		Message: &chat.Message{
			ID: 6, Conversation: 7, Seq: 8, Author: 9, ClientID: "c", Kind: chat.MessageText, Text: "\ufffd <&> \u2028",
			Data: []byte(`{ "a" : 1.0 }`), Metadata: []byte(`{"b":"\u00e9"}`), Attachment: 10,
			Signature: signature(), CreatedAt: f.now(),
		},
		Channel:  &chat.Channel{ID: 11, CreatedAt: f.now(), UpdatedAt: f.now()},
		Presence: &chat.Presence{Status: chat.StatusBusy, Text: "x"},
		By: &chat.Profile{
			ID: 12, Handle: "ada", PublicKey: "k", Disabled: true, CreatedAt: f.now(), Presence: chat.Presence{Text: "y"},
		},
		Group:  &chat.GroupBrief{Name: "crew", Members: 3},
		Pause:  &pause,
		Invite: &chat.Invite{ID: 13, Group: 14, Inviter: 15, Invitee: 16, CreatedAt: f.now()},
		Read:   &chat.ReadMark{Message: 17, Seq: 18}, Recipients: []chat.AccountID{19}, Quiet: []chat.AccountID{20},
	}
	f.complete(e)
	file := chat.Attachment{ID: 10, Filename: "a \u2028 <b>"}
	want := chat.Delivery{Hook: h.ID, Account: h.Account, Event: e, File: &file, NextAt: at, CreatedAt: at}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.Enqueue(ctx, []chat.Delivery{want}) })
	work := f.claim(at, 1, 1)
	got := work[0].Deliveries[0]
	want.ID = got.ID
	f.same("delivery", work, []chat.HookWork{{Hook: h, Deliveries: []chat.Delivery{want}}})
	if got.ID <= chat.DeliveryID(e.Position) {
		f.t.Errorf("id of a delivery: got %d, want above all drawn before (%d)", got.ID, e.Position)
	}

	body := []byte{0xff, 0, 'x'}
	want.Attempts, want.NextAt, want.LastError, want.Body = 3, f.now(), "connection refused", body
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetDeliveryBody(ctx, want.ID, body); err != nil {
			return err
		}
		if err := tx.PostponeDelivery(ctx, &want); err != nil {
			return err
		}
		return tx.ReleaseHook(ctx, h.ID, chat.Breaker{})
	})
	f.same("when it is due", f.nextDelivery(), want.NextAt)
	work = f.claim(want.NextAt, 1, 1)
	f.same("postponed delivery", work[0].Deliveries, []chat.Delivery{want})

	// A dead letter keeps everything and comes back without its attempts.
	want.Attempts, want.LastError = 9, "status 500"
	failed := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.BuryDelivery(ctx, &want, failed); err != nil {
			return err
		}
		return tx.ReleaseHook(ctx, h.ID, chat.Breaker{})
	})
	f.same("when nothing is queued", f.nextDelivery(), time.Time{})
	want.NextAt = time.Time{}
	f.same("dead letters", f.deadLetters(0, 10), []chat.DeadLetter{{Delivery: want, FailedAt: failed}})
	f.same("dead letters after the last", f.deadLetters(want.ID, 10), []chat.DeadLetter(nil))

	again := f.now()
	revive := func(ctx context.Context, tx store.Tx) error { return tx.ReviveLetter(ctx, want.ID, again) }
	f.update(revive)
	f.refuse(store.ErrNotFound, revive)
	f.same("when the letter is due", f.nextDelivery(), again)
	want.Attempts, want.LastError, want.NextAt, want.CreatedAt = 0, "", again, again
	f.same("revived delivery", f.claim(again, 1, 1)[0].Deliveries, []chat.Delivery{want})
	f.same("dead letters left", f.deadLetters(0, 10), []chat.DeadLetter(nil))
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteDelivery(ctx, want.ID) })
	f.same("deliveries left", f.raw(`SELECT count(*) FROM deliveries`), 0)
}

// An event is queued for a hook once, whatever has happened to the first; what has
// no position is another event each time.
func testEnqueueOnce(f *fixture) {
	a := f.account()
	h, other := f.hook(a.ID), f.hook(a.ID)
	at, e := f.now(), f.blocked()
	f.enqueue(h, e, at)
	f.enqueue(h, e, at)
	f.enqueue(other, e, at)
	read := chat.Event{Kind: chat.EventMessageRead, At: at}
	f.enqueue(other, read, at)
	f.enqueue(other, read, at)
	f.same("queued", claimed(f.claim(at, 10, 10)), []string{fmt.Sprintf("%d: 1", h.ID), fmt.Sprintf("%d: 3", other.ID)})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.Enqueue(ctx, nil) })
}

// Hooks are handed out by how long they have been due, none of them to two, and
// none before it is let go or the claim has run out.
func testClaimHooks(f *fixture) {
	a := f.account()
	late, early, later := f.hook(a.ID), f.hook(a.ID), f.hook(a.ID)
	start := f.now()
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	for i := range 5 {
		f.enqueue(late, f.blocked(), second(10+i))
	}
	f.enqueue(early, f.blocked(), second(20))
	f.enqueue(early, f.blocked(), second(5))
	f.enqueue(later, f.blocked(), second(30))
	f.same("next delivery", f.nextDelivery(), second(5))
	f.same("too early", claimed(f.claim(second(4), 10, 10)), []string{})
	f.same("one hook", claimed(f.claim(second(12), 1, 10)), []string{fmt.Sprintf("%d: 1", early.ID)})
	f.same("the next, cut off", claimed(f.claim(second(12), 10, 2)), []string{fmt.Sprintf("%d: 2", late.ID)})
	f.same("nothing for a third", claimed(f.claim(second(12), 10, 10)), []string{})
	f.same("next delivery beside claims", f.nextDelivery(), second(30))

	// What is queued for a hook that is held waits for it.
	f.enqueue(early, f.blocked(), second(12))
	f.same("a hook that is held", claimed(f.claim(second(13), 10, 10)), []string{})
	f.release(early.ID, chat.Breaker{})
	f.same("a hook that was let go", claimed(f.claim(second(13), 10, 10)), []string{fmt.Sprintf("%d: 2", early.ID)})

	// Nobody lets go of the claim of a worker that has died.
	f.same("before the claims run out", claimed(f.claim(second(71), 10, 10)), []string{fmt.Sprintf("%d: 1", later.ID)})
	f.same("after the claims have run out", claimed(f.claim(second(72), 10, 10)), []string{fmt.Sprintf("%d: 5", late.ID)})
	f.same("and the other", claimed(f.claim(second(73), 10, 10)), []string{fmt.Sprintf("%d: 3", early.ID)})
}

// What is due of one hook is listed as it would be handed out, also to whoever holds
// the hook already.
func testDueDeliveries(f *fixture) {
	a := f.account()
	h, other := f.hook(a.ID), f.hook(a.ID)
	start := f.now()
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	late := f.enqueue(h, f.blocked(), second(3))
	early := f.enqueue(h, f.blocked(), second(1))
	f.enqueue(other, f.blocked(), second(1))
	due := func(at time.Time, limit int) []chat.Position {
		list := query(f, func(ctx context.Context, r store.Reader) ([]chat.Delivery, error) {
			return r.DueDeliveries(ctx, h.ID, at, limit)
		})
		var found []chat.Position
		for _, d := range list {
			found = append(found, d.Event.Position)
		}
		return found
	}
	f.same("too early", due(second(1).Add(-time.Millisecond), 10), []chat.Position(nil))
	f.same("the first", due(second(1), 10), []chat.Position{early.Event.Position})
	f.same("both", due(second(3), 10), []chat.Position{early.Event.Position, late.Event.Position})
	f.same("as many as asked for", due(second(3), 1), []chat.Position{early.Event.Position})
	f.claim(second(3), 10, 10)
	f.same("of a hook that is held", due(second(3), 10), []chat.Position{early.Event.Position, late.Event.Position})
}

// An open breaker holds the queue, also for what is queued later; afterwards one
// delivery is handed out to try.
func testClaimBreaker(f *fixture) {
	h := f.hook(f.account().ID)
	start := f.now()
	for range 3 {
		f.enqueue(h, f.blocked(), start)
	}
	f.claim(start, 1, 1)
	open := start.Add(time.Minute)
	f.release(h.ID, chat.Breaker{Failures: 5, Recent: []time.Time{start}, OpenUntil: open})
	f.same("next delivery", f.nextDelivery(), open)
	f.enqueue(h, f.blocked(), start)
	f.same("next delivery after another", f.nextDelivery(), open)
	f.same("trouble while it is open", f.hookTrouble(open.Add(-time.Millisecond)), [2]int{0, 1})
	f.same("trouble afterwards", f.hookTrouble(open), [2]int{0, 0})
	f.same("open", claimed(f.claim(open.Add(-time.Millisecond), 1, 10)), []string{})
	work := f.claim(open, 1, 10)
	f.same("half open", claimed(work), []string{fmt.Sprintf("%d: 1", h.ID)})
	f.same("breaker", work[0].Breaker, chat.Breaker{Failures: 5, Recent: []time.Time{start}, OpenUntil: open})
	f.release(h.ID, chat.Breaker{})
	f.same("closed", claimed(f.claim(open, 1, 10)), []string{fmt.Sprintf("%d: 4", h.ID)})
}

func testDeliveryAge(f *fixture) {
	h := f.hook(f.account().ID)
	start := f.now()
	for i := range 4 {
		f.enqueue(h, f.blocked(), start.Add(time.Duration(i)*time.Second))
	}
	at := start.Add(time.Hour)
	old := func(before time.Time, limit int) (n int) {
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.BuryOldDeliveries(ctx, before, at, limit)
			return err
		})
		return n
	}
	f.same("older than the first", old(start, 10), 0)
	f.same("a page", old(start.Add(3*time.Second), 2), 2)
	f.same("the rest", old(start.Add(3*time.Second), 2), 1)
	letters := f.deadLetters(0, 10)
	f.same("dead letters", len(letters), 3)
	f.same("trouble", f.hookTrouble(at), [2]int{3, 0})
	f.same("a page of dead letters", f.deadLetters(letters[0].ID, 1), letters[1:2])
	f.same("queue", claimed(f.claim(at, 1, 10)), []string{fmt.Sprintf("%d: 1", h.ID)})
	prune := func(before time.Time, limit int) (n int) {
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.PruneDeadLetters(ctx, before, limit)
			return err
		})
		return n
	}
	f.same("none is old", prune(at, 10), 0)
	f.same("a page of old letters", prune(at.Add(time.Millisecond), 2), 2)
	f.same("the last one", prune(at.Add(time.Millisecond), 2), 1)
	f.same("letters left", f.deadLetters(0, 10), []chat.DeadLetter(nil))
}
