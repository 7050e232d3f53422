package storetest

import (
	"context"
	"fmt"

	"parley/internal/chat"
	"parley/internal/store"
)

// Pending envelopes come in the order of writing, over all conversations.
func testPendingOrder(f *fixture) {
	a, b, me := f.account(), f.account(), f.account()
	group, one, two := f.group(a, b, me), f.direct(a, me), f.direct(b, me)
	var want []chat.Message
	for i := range 12 {
		author, to := a, group.ID
		switch i % 4 {
		case 1:
			to = one.ID
		case 2:
			author, to = b, two.ID
		case 3:
			author = b
		}
		want = append(want, *f.say(author, to, "for me"))
		f.say(me, to, "from me")
	}
	f.same("all", f.pending(me, 0, 100), want)
	f.same("a page", f.pending(me, 0, 5), want[:5])
	f.same("the next", f.pending(me, want[4].ID, 5), want[5:10])
	f.same("the last", f.pending(me, want[9].ID, 5), want[10:])
	f.same("none after the last", f.pending(me, want[11].ID, 5), []chat.Message(nil))
	f.same("nobody's", f.pending(f.account(), 0, 5), []chat.Message(nil))
}

func testPendingCount(f *fixture) {
	a, b := f.account(), f.account()
	c := f.direct(a, b)
	for range 4 {
		f.say(a, c.ID, "hello")
	}
	f.say(b, c.ID, "back")
	for _, test := range []struct {
		account     *chat.Account
		limit, want int
	}{{b, 100, 4}, {b, 4, 4}, {b, 3, 3}, {a, 100, 1}, {f.account(), 100, 0}} {
		got := query(f, func(ctx context.Context, r store.Reader) (int, error) {
			return r.PendingCount(ctx, test.account.ID, test.limit)
		})
		if got != test.want {
			f.t.Errorf("pending up to %d: got %d, want %d", test.limit, got, test.want)
		}
	}
}

// acknowledge moves an account's envelopes up to through, which must be want.
func (f *fixture) acknowledge(who *chat.Account, through chat.MessageID, want int) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		got, err := tx.Acknowledge(ctx, who.ID, through, epoch)
		if got != want {
			f.t.Errorf("acknowledged through %d: got %d, want %d", through, got, want)
		}
		return err
	})
}

func testAcknowledge(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	group, direct := f.group(a, b, d), f.direct(a, b)
	var list []chat.Message
	for range 3 {
		list = append(list, *f.say(a, group.ID, "to all"), *f.say(a, direct.ID, "to one"))
	}
	f.acknowledge(b, list[0].ID-1, 0)
	f.acknowledge(b, list[2].ID, 3)
	f.acknowledge(b, list[2].ID, 0)
	f.same("left", f.pending(b, 0, 10), list[3:])
	f.same("another recipient's", f.pending(d, 0, 10), []chat.Message{list[0], list[2], list[4]})
	f.acknowledge(b, list[5].ID, 3)
	f.same("nothing left", f.pending(b, 0, 10), []chat.Message(nil))
	f.acknowledge(d, absent, 3)
	f.acknowledge(a, absent, 0)
	f.same("pending rows", f.raw("SELECT count(*) FROM envelopes WHERE state = 0"), 0)
	f.same("delivered rows", f.raw(fmt.Sprintf("SELECT count(*) FROM envelopes WHERE state = 1 AND delivered_at = %d", epoch.UnixMilli())), 9)
}
