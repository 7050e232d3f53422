package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// Owners find their agents in the order they were made, without tombstones.
func testOwnedBy(f *fixture) {
	me, other := f.account(), f.account()
	owned := func(by *chat.Account, how chat.Ownership, state chat.AccountState) *chat.Account {
		return f.account(func(a *chat.Account) {
			a.Owner, a.Owned, a.OwnedAt, a.State = by.ID, how, f.now(), state
		})
	}
	a := owned(me, chat.OwnedByClaim, chat.StateActive)
	owned(other, chat.OwnedByClaim, chat.StateActive)
	b := owned(me, chat.OwnedByCreator, chat.StateSuspended)
	owned(me, chat.OwnedByClaim, chat.StateDeleted)
	c := owned(me, chat.OwnedByClaim, chat.StateActive)
	list := func(limit int) []*chat.Account {
		return query(f, func(ctx context.Context, r store.Reader) ([]*chat.Account, error) {
			return r.OwnedBy(ctx, me.ID, limit)
		})
	}
	f.same("owned", list(10), []*chat.Account{a, b, c})
	f.same("owned, two", list(2), []*chat.Account{a, b})
	a.Owner, a.Owned, a.OwnedAt = 0, chat.OwnedByNobody, time.Time{}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, a) })
	f.same("owned after a release", list(10), []*chat.Account{b, c})
}

// The audit trail of an account is read from its end.
func testAuditList(f *fixture) {
	a, b := f.account(), f.account()
	var want []store.AuditEntry
	for i, target := range []*chat.Account{a, b, a, a} {
		e := store.AuditEntry{
			At: f.now(), Actor: chat.AccountID(i + 1), Act: f.name("act"), Target: target.ID,
			Surface: chat.SurfaceAgentChat, Remote: "192.0.2.1", Detail: `{"mode":"full"}`,
		}
		f.complete(e)
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.Audit(ctx, e) })
		if target == a {
			want = append([]store.AuditEntry{e}, want...)
		}
	}
	list := func(before time.Time, limit int) (entries []store.AuditEntry) {
		records := query(f, func(ctx context.Context, r store.Reader) ([]store.AuditRecord, error) {
			return r.AuditList(ctx, a.ID, before, limit)
		})
		for i, e := range records {
			if e.ID <= 0 || i > 0 && e.ID >= records[i-1].ID {
				f.t.Errorf("record %d: got id %d", i, e.ID)
			}
			entries = append(entries, e.AuditEntry)
		}
		return entries
	}
	f.same("all", list(time.Time{}, 10), want)
	f.same("two", list(time.Time{}, 2), want[:2])
	f.same("before the newest", list(want[0].At, 10), want[1:])
	f.same("a moment after the newest", list(want[0].At.Add(time.Nanosecond), 10), want)
	f.same("before all", list(want[2].At, 10), []store.AuditEntry(nil))
}

func testBlocksOf(f *fixture) {
	me := f.account()
	var want []chat.Block
	for range 3 {
		b := chat.Block{Owner: me.ID, Target: f.account().ID, CreatedAt: f.now()}
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.SetBlock(ctx, store.Edge{Owner: b.Owner, Target: b.Target}, b.CreatedAt, true)
		})
		want = append([]chat.Block{b}, want...)
	}
	f.block(f.account(), me, true)
	for _, limit := range []int{2, 10} {
		total := 0
		list := query(f, func(ctx context.Context, r store.Reader) (list []chat.Block, err error) {
			list, total, err = r.BlocksOf(ctx, me.ID, limit)
			return list, err
		})
		f.same("blocks", list, want[:min(limit, 3)])
		f.same("all blocks", total, 3)
	}
}

// Accounts meet where something was written between them, or in a group of which
// both are active members.
func testMeet(f *fixture) {
	a, b, c, d := f.account(), f.account(), f.account(), f.account()
	meet := func(what string, x, y *chat.Account, want bool) {
		f.t.Helper()
		for _, pair := range [][2]*chat.Account{{x, y}, {y, x}} {
			f.same(what, query(f, func(ctx context.Context, r store.Reader) (bool, error) {
				return r.Meet(ctx, pair[0].ID, pair[1].ID)
			}), want)
		}
	}
	meet("strangers", a, b, false)
	empty := f.direct(a, b)
	meet("in an empty conversation", a, b, false)
	f.say(a, empty.ID, "hello")
	meet("in a conversation", a, b, true)

	f.group(a, c)
	g := f.group(b, c, d)
	f.community(a, d)
	meet("in a group", a, c, true)
	meet("in groups with the same third", a, d, false)
	meet("in a group before leaving", b, d, true)
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.EndMember(ctx, chat.Member{Conversation: g.ID, Account: d.ID, LeftAt: f.now()})
	})
	meet("in a group that one has left", b, d, false)
}

func (f *fixture) escalation(change ...func(*chat.Escalation)) chat.Escalation {
	f.t.Helper()
	e := chat.Escalation{
		ID: chat.EscalationID(f.id()), Account: 7, Category: "bug", Text: f.name("text"), Status: chat.EscalationOpen,
		CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	for _, c := range change {
		c(&e)
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertEscalation(ctx, &e) })
	return e
}

func testEscalationRoundTrip(f *fixture) {
	want := f.escalation(func(e *chat.Escalation) { e.Note, e.Operator = "known", "ada" })
	f.complete(want)
	get := func(ctx context.Context, r store.Reader) (*chat.Escalation, error) { return r.Escalation(ctx, want.ID) }
	f.same("escalation", query(f, get), &want)

	want.Status, want.Note, want.Operator, want.UpdatedAt = chat.EscalationResolved, "", "bob", f.now()
	changed := want
	changed.Account, changed.Category, changed.Text, changed.CreatedAt = 0, "", "", time.Time{}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateEscalation(ctx, &changed) })
	f.same("escalation after a change", query(f, get), &want)

	missing(f, "escalation that is not there", func(ctx context.Context, r store.Reader) (*chat.Escalation, error) {
		return r.Escalation(ctx, absent)
	})
	changed.ID = absent
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.UpdateEscalation(ctx, &changed) })
}

func testEscalationList(f *fixture) {
	var all []chat.Escalation // the newest first
	for _, s := range []chat.EscalationStatus{
		chat.EscalationOpen, chat.EscalationDiscarded, chat.EscalationInProgress, chat.EscalationResolved, chat.EscalationOpen,
	} {
		all = append([]chat.Escalation{f.escalation(func(e *chat.Escalation) { e.Status = s })}, all...)
	}
	for _, test := range []struct {
		name  string
		query store.EscalationQuery
		want  []chat.Escalation
	}{
		{"all", store.EscalationQuery{Limit: 10}, all},
		{"two", store.EscalationQuery{Limit: 2}, all[:2]},
		{"open", store.EscalationQuery{Statuses: []chat.EscalationStatus{chat.EscalationOpen}, Limit: 10}, []chat.Escalation{all[0], all[4]}},
		{
			"of two statuses",
			store.EscalationQuery{Statuses: []chat.EscalationStatus{chat.EscalationDiscarded, chat.EscalationInProgress}, Limit: 10},
			[]chat.Escalation{all[2], all[3]},
		},
		{"before a time", store.EscalationQuery{Before: all[1].CreatedAt, Limit: 10}, all[2:]},
		{"before an id", store.EscalationQuery{BeforeID: all[2].ID, Limit: 10}, all[3:]},
		{"before all", store.EscalationQuery{BeforeID: all[4].ID, Limit: 10}, nil},
	} {
		f.same(test.name, query(f, func(ctx context.Context, r store.Reader) ([]chat.Escalation, error) {
			return r.Escalations(ctx, test.query)
		}), test.want)
	}
}
