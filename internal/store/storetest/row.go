package storetest

import (
	"context"
	"fmt"
	"math"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// rows reads a whole conversation as an account sees it.
func (f *fixture) rows(c *chat.Conversation, viewer *chat.Account, change ...func(*store.RowQuery)) []chat.MessageRow {
	f.t.Helper()
	q := store.RowQuery{Conversation: c.ID, Viewer: viewer.ID, From: 1, To: math.MaxInt64, Limit: 100}
	if c.Kind == chat.ConversationDirect {
		q.Peer = c.Peer(viewer.ID)
	}
	for _, apply := range change {
		apply(&q)
	}
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.MessageRow, error) { return r.Rows(ctx, q) })
}

func (f *fixture) envelope(m *chat.Message, who *chat.Account) *chat.Envelope {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Envelope, error) {
		return r.Envelope(ctx, m.ID, who.ID)
	})
}

func seqs(rows []chat.MessageRow) []int64 {
	list := make([]int64, len(rows))
	for i := range rows {
		list[i] = rows[i].Seq
	}
	return list
}

func (f *fixture) hide(who *chat.Account, m *chat.Message, at time.Time) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.HideMessage(ctx, who.ID, m.ID, at) })
}

func (f *fixture) read(who *chat.Account, m *chat.Message, at time.Time) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.Read(ctx, m.ID, who.ID, at) })
}

// A page is a range of numbers in either direction, cut at the limit after what is
// not to be seen was left out.
func testRowsPages(f *fixture) {
	a, b := f.account(), f.account()
	c := f.direct(a, b)
	var list []*chat.Message
	for i := range 8 {
		list = append(list, f.say([]*chat.Account{a, b}[i%2], c.ID, fmt.Sprint(i+1)))
	}
	f.hide(a, list[6], f.now())
	f.hide(a, list[3], f.now())
	for _, test := range []struct {
		what     string
		from, to int64
		up       bool
		limit    int
		want     []int64
	}{
		{"all", 1, math.MaxInt64, false, 100, []int64{8, 6, 5, 3, 2, 1}},
		{"all upwards", 1, math.MaxInt64, true, 100, []int64{1, 2, 3, 5, 6, 8}},
		{"the last three", 1, math.MaxInt64, false, 3, []int64{8, 6, 5}},
		{"the first three", 1, math.MaxInt64, true, 3, []int64{1, 2, 3}},
		{"between", 3, 6, false, 100, []int64{6, 5, 3}},
		{"a hidden one", 4, 4, false, 100, []int64{}},
		{"nothing", 9, 8, false, 100, []int64{}},
	} {
		got := f.rows(c, a, func(q *store.RowQuery) { q.From, q.To, q.Ascending, q.Limit = test.from, test.to, test.up, test.limit })
		f.same(test.what, seqs(got), test.want)
	}
	f.same("the other side", seqs(f.rows(c, b)), []int64{8, 7, 6, 5, 4, 3, 2, 1})
	f.same("history of the one", f.page(store.HistoryQuery{Conversation: c.ID, Viewer: a.ID, After: 1, Limit: 3}),
		[]chat.Message{*list[7], *list[5], *list[4]})
	f.same("older history of the one", f.page(store.HistoryQuery{
		Conversation: c.ID, Viewer: a.ID, After: 2, Before: list[4].CreatedAt, Limit: 3,
	}), []chat.Message{*list[2]})
}

// In a direct conversation the recipient sees its own envelope and the author the
// recipient's; in a group the author sees none.
func testRowsEnvelopes(f *fixture) {
	a, b := f.account(), f.account()
	direct, group := f.direct(a, b), f.group(a, b)
	at := f.now()
	for _, c := range []*chat.Conversation{direct, group} {
		m := f.say(a, c.ID, "hello")
		stored := &chat.Envelope{Message: m.ID, Recipient: b.ID, Conversation: c.ID, Seq: 1}
		f.same("envelope", f.envelope(m, b), stored)
		view := chat.MessageView{Message: *m}
		f.same("recipient's row", f.rows(c, b), []chat.MessageRow{{MessageView: view, Envelope: stored}})
		own := chat.MessageRow{MessageView: view, Own: true}
		if c.Kind == chat.ConversationDirect {
			own.Envelope = stored
		}
		f.same("author's row", f.rows(c, a), []chat.MessageRow{own})
		f.read(b, m, at)
		read := *stored
		read.State, read.DeliveredAt, read.ReadAt = chat.EnvelopeRead, at, at
		f.complete(&read, "Hidden")
		f.same("envelope that was read", f.envelope(m, b), &read)
		if own.Envelope != nil {
			own.Envelope = &read
		}
		f.same("author's row of what was read", f.rows(c, a), []chat.MessageRow{own})
	}
	missing(f, "an author's envelope", func(ctx context.Context, r store.Reader) (*chat.Envelope, error) {
		return r.Envelope(ctx, f.say(a, direct.ID, "more").ID, a.ID)
	})
}

// What was taken back is gone for the author and those who are not guarded, and for
// whoever never had a copy.
func testRowsRetracted(f *fixture) {
	author, open, late := f.account(), f.account(), f.account()
	guarded := f.account(func(a *chat.Account) { a.Guarded = true })
	c := f.group(author, open, guarded)
	m := f.say(author, c.ID, "oops")
	f.say(author, c.ID, "fine")
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetMember(ctx, chat.Member{Conversation: c.ID, Account: late.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: f.now()}); err != nil {
			return err
		}
		return tx.RetractMessage(ctx, m.ID, f.now())
	})
	for _, test := range []struct {
		who  *chat.Account
		want []int64
	}{{author, []int64{2}}, {open, []int64{2}}, {late, []int64{2}}, {guarded, []int64{2, 1}}} {
		f.same("rows", seqs(f.rows(c, test.who)), test.want)
	}
	f.hide(guarded, m, f.now())
	f.same("rows after hiding", seqs(f.rows(c, guarded)), []int64{2})
}

// An envelope moves forward only, and each time is kept.
func testEnvelopeForward(f *fixture) {
	a, b := f.account(), f.account()
	c := f.direct(a, b)
	m, other := f.say(a, c.ID, "one"), f.say(a, c.ID, "two")
	first, second, third := f.now(), f.now(), f.now()
	deliver := func(want int, at time.Time, list ...chat.MessageID) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, err := tx.Deliver(ctx, b.ID, list, at)
			if got != want {
				f.t.Errorf("delivered: got %d, want %d", got, want)
			}
			return err
		})
	}
	deliver(1, first, m.ID, absent)
	deliver(0, second, m.ID)
	want := &chat.Envelope{
		Message: m.ID, Recipient: b.ID, Conversation: c.ID, Seq: 1, State: chat.EnvelopeDelivered, DeliveredAt: first,
	}
	f.same("delivered", f.envelope(m, b), want)
	f.read(b, m, second)
	f.read(b, m, third)
	deliver(0, third, m.ID)
	want.State, want.ReadAt = chat.EnvelopeRead, second
	f.same("read", f.envelope(m, b), want)
	f.same("another", f.envelope(other, b).State, chat.EnvelopeStored)

	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.ExpireEnvelopes(ctx, b.ID, []chat.MessageID{m.ID, other.ID})
	})
	f.same("what was read does not expire", f.envelope(m, b), want)
	expired := &chat.Envelope{Message: other.ID, Recipient: b.ID, Conversation: c.ID, Seq: 2, State: chat.EnvelopeExpired}
	f.same("expired", f.envelope(other, b), expired)
	f.read(b, other, third)
	deliver(0, third, other.ID)
	f.same("expired for good", f.envelope(other, b), expired)
	f.same("nothing is offered", f.pending(b, 0, 10), []chat.Message(nil))
}

// Hiding delivers what was stored and changes nobody else's copy.
func testHideMessage(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	c := f.group(a, b, d)
	m, read := f.say(a, c.ID, "one"), f.say(a, c.ID, "two")
	at, later := f.now(), f.now()
	f.read(b, read, at)
	for range 2 {
		f.hide(b, m, at)
		f.hide(b, read, later)
		f.hide(a, m, at)
		at = f.now()
	}
	f.same("hidden while stored", f.envelope(m, b), &chat.Envelope{
		Message: m.ID, Recipient: b.ID, Conversation: c.ID, Seq: 1, State: chat.EnvelopeDelivered, Hidden: true,
		DeliveredAt: later.Add(-time.Millisecond),
	})
	if e := f.envelope(read, b); e.State != chat.EnvelopeRead || !e.Hidden {
		f.t.Errorf("hidden after reading: got %+v, want it read and hidden", e)
	}
	f.same("not offered", f.pending(b, 0, 10), []chat.Message(nil))
	f.same("offered to another", f.pending(d, 0, 10), []chat.Message{*m, *read})
	f.same("the author's rows", seqs(f.rows(c, a)), []int64{2})
	f.same("the recipient's rows", f.rows(c, b), []chat.MessageRow(nil))
	f.same("another's rows", seqs(f.rows(c, d)), []int64{2, 1})
}

// Old envelopes are found by the age of their message, whosever they are.
func testStaleEnvelopes(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	c := f.group(a, b, d)
	old, young := f.say(a, c.ID, "old"), f.say(a, c.ID, "young")
	f.hide(d, old, f.now())
	find := func(before time.Time, limit int) []chat.Envelope {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.Envelope, error) {
			return r.StaleEnvelopes(ctx, before, limit)
		})
	}
	f.same("none is older", find(old.CreatedAt, 10), []chat.Envelope(nil))
	f.same("one is older", find(young.CreatedAt, 10), []chat.Envelope{*f.envelope(old, b)})
	all := find(young.CreatedAt.Add(time.Nanosecond), 10)
	f.same("all", all, []chat.Envelope{*f.envelope(old, b), *f.envelope(young, b), *f.envelope(young, d)})
	f.same("a limit", find(young.CreatedAt.Add(time.Hour), 2), all[:2])
}
