package storetest

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Envelopes are acknowledged one by one, in any order, of many recipients at once;
// only those that wait move, and each only once.
func testAcknowledgeMany(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	group, direct := f.group(a, b, d), f.direct(a, b)
	all, one, late := f.say(a, group.ID, "to all"), f.say(a, direct.ID, "to one"), f.say(a, group.ID, "late")
	at := epoch.Add(time.Second)
	many := func(want map[chat.AccountID]int, keys ...store.EnvelopeKey) {
		f.t.Helper()
		got, err := f.store.Acknowledge(f.t.Context(), keys, at)
		if err != nil {
			f.t.Fatalf("acknowledge: %v", err)
		}
		f.same("moved", got, want)
	}
	many(map[chat.AccountID]int{b.ID: 1, d.ID: 1},
		store.EnvelopeKey{Recipient: d.ID, Message: all.ID}, store.EnvelopeKey{Recipient: b.ID, Message: one.ID},
		store.EnvelopeKey{Recipient: b.ID, Message: one.ID}, // twice
		store.EnvelopeKey{Recipient: a.ID, Message: all.ID}, // its own
		store.EnvelopeKey{Recipient: d.ID, Message: one.ID}, // not to it
		store.EnvelopeKey{Recipient: b.ID, Message: absent},
		store.EnvelopeKey{Message: all.ID},
	)
	f.same("left for b", f.pending(b, 0, 10), []chat.Message{*all, *late})
	f.same("left for d", f.pending(d, 0, 10), []chat.Message{*late})
	f.same("rows with that time", f.raw(fmt.Sprintf("SELECT count(*) FROM envelopes WHERE state = 1 AND delivered_at = %d", at.UnixMilli())), 2)

	many(map[chat.AccountID]int{}, store.EnvelopeKey{Recipient: d.ID, Message: all.ID}) // again
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.RetractMessage(ctx, late.ID, at) })
	many(map[chat.AccountID]int{}, store.EnvelopeKey{Recipient: d.ID, Message: late.ID}) // hidden
	many(map[chat.AccountID]int{})
	f.acknowledgeCrowd()
}

// acknowledgeCrowd has everybody in a large group acknowledge the same messages: one
// that all wait for, one that some had before, one that only strangers ask for.
func (f *fixture) acknowledgeCrowd() {
	f.t.Helper()
	members := f.accounts(80)
	author, crowd := members[0], members[1:]
	group := f.group(members...)
	fresh, partly := f.say(author, group.ID, "fresh"), f.say(author, group.ID, "partly")
	alone := f.say(author, f.direct(author, crowd[0]).ID, "alone")
	acknowledge := func(at time.Time, keys []store.EnvelopeKey) map[chat.AccountID]int {
		got, err := f.store.Acknowledge(f.t.Context(), keys, at)
		if err != nil {
			f.t.Fatalf("acknowledge: %v", err)
		}
		return got
	}
	var early, keys []store.EnvelopeKey
	want := map[chat.AccountID]int{}
	for i, a := range crowd {
		for _, m := range []*chat.Message{fresh, partly, alone} {
			keys = append(keys, store.EnvelopeKey{Recipient: a.ID, Message: m.ID})
		}
		want[a.ID] = 2
		if i%50 == 0 {
			early = append(early, store.EnvelopeKey{Recipient: a.ID, Message: partly.ID})
			want[a.ID] = 1
		}
	}
	want[crowd[0].ID]++ // alone was for it
	first, second := epoch.Add(time.Minute), epoch.Add(time.Hour)
	f.same("early", acknowledge(first, early), map[chat.AccountID]int{crowd[0].ID: 1, crowd[50].ID: 1})
	f.same("all", acknowledge(second, append(keys, keys...)), want)
	f.same("all again", acknowledge(second.Add(time.Hour), keys), map[chat.AccountID]int{})
	at := func(when time.Time) int {
		return f.raw(fmt.Sprintf("SELECT count(*) FROM envelopes WHERE state = 1 AND delivered_at = %d", when.UnixMilli()))
	}
	f.same("rows with the first time", at(first), len(early))
	f.same("rows with the second time", at(second), 2*len(crowd)-len(early)+1)
	f.same("left", f.pending(crowd[7], 0, 10), []chat.Message{})
}
