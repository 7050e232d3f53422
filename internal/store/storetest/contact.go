package storetest

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func edge(owner, target *chat.Account) store.Edge {
	return store.Edge{Owner: owner.ID, Target: target.ID}
}

func testAccountsByHandle(f *fixture) {
	a, b := f.account(), f.account(func(a *chat.Account) { a.State = chat.StateDeleted })
	f.account()
	get := func(handles ...string) map[string]*chat.Account {
		return query(f, func(ctx context.Context, r store.Reader) (map[string]*chat.Account, error) {
			return r.AccountsByHandle(ctx, handles)
		})
	}
	f.same("by handle", get(a.Handle, "nobody", b.Handle, a.Handle), map[string]*chat.Account{a.Handle: a, b.Handle: b})
	f.same("by no handle", len(get()), 0)
}

// A contact keeps its note and time when it is added again.
func testContactRoundTrip(f *fixture) {
	a, b := f.account(), f.account()
	want := &chat.Contact{Owner: a.ID, Target: b.ID, Note: "met at the fair", AddedAt: f.now()}
	f.complete(want)
	find := func(e store.Edge) func(context.Context, store.Reader) (*chat.Contact, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Contact, error) { return r.Contact(ctx, e) }
	}
	missing(f, "contact before", find(edge(a, b)))
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.NoteContact(ctx, edge(a, b), "x") })
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetContact(ctx, edge(a, b), want.AddedAt, true); err != nil {
			return err
		}
		if err := tx.NoteContact(ctx, edge(a, b), want.Note); err != nil {
			return err
		}
		return tx.SetContact(ctx, edge(a, b), f.now(), true)
	})
	f.same("contact", query(f, find(edge(a, b))), want)
	missing(f, "contact the other way", find(edge(b, a)))
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.NoteContact(ctx, edge(a, b), "") })
	want.Note = ""
	f.same("contact without a note", query(f, find(edge(a, b))), want)
	f.contact(a, b, false)
	missing(f, "removed contact", find(edge(a, b)))
}

// Address books are listed by handle, without accounts that may not act.
func testContactList(f *fixture) {
	me, other := f.account(), f.account()
	var want []chat.AccountID
	for i, name := range []string{"m", "b", "z", "a", "x1", "x2", "x3"} {
		a := f.account(func(a *chat.Account) { a.Handle = "peer-" + name })
		f.contact(me, a, true)
		switch i {
		case 1:
			a.State = chat.StateRestricted
		case 4:
			a.State = chat.StateSuspended
		case 5:
			a.State = chat.StateDeleted
		case 6:
			a.Disabled = true
		}
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, a) })
		want = append(want, a.ID)
	}
	want = []chat.AccountID{want[3], want[1], want[0], want[2]}
	f.contact(other, me, true)

	page := func(offset, limit int) (ids []chat.AccountID) {
		f.t.Helper()
		list := query(f, func(ctx context.Context, r store.Reader) ([]chat.Contact, error) {
			list, total, err := r.Contacts(ctx, store.ContactQuery{Owner: me.ID, Offset: offset, Limit: limit})
			if total != len(want) {
				f.t.Errorf("total: got %d, want %d", total, len(want))
			}
			return list, err
		})
		for _, c := range list {
			ids = append(ids, c.Target)
		}
		return ids
	}
	f.same("all", page(0, 10), want)
	f.same("a page", page(1, 2), want[1:3])
	f.same("beyond the end", page(4, 10), []chat.AccountID(nil))
	f.same("among", query(f, func(ctx context.Context, r store.Reader) (map[chat.AccountID]bool, error) {
		return r.ContactsAmong(ctx, me.ID, []chat.AccountID{other.ID, want[2], want[0], absent})
	}), map[chat.AccountID]bool{want[0]: true, want[2]: true})
	f.same("among none", len(query(f, func(ctx context.Context, r store.Reader) (map[chat.AccountID]bool, error) {
		return r.ContactsAmong(ctx, me.ID, nil)
	})), 0)
}

// Those who have an account in their address book watch it, unless a block parts
// them, whichever way.
func testWatchers(f *fixture) {
	me, list := f.account(), f.accounts(5)
	for _, a := range list {
		f.contact(a, me, true)
	}
	f.contact(me, f.account(), true)
	f.block(me, list[1], true)
	f.block(list[3], me, true)
	f.block(list[0], list[2], true)
	watchers := func(limit int) []chat.AccountID {
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.AccountID, error) {
			return r.Watchers(ctx, me.ID, limit)
		})
	}
	want := []chat.AccountID{list[0].ID, list[2].ID, list[4].ID}
	f.same("watchers", watchers(10), want)
	f.same("the first watchers", watchers(2), want[:2])
}

func testBlockRoundTrip(f *fixture) {
	a, b := f.account(), f.account()
	want := &chat.Block{Owner: a.ID, Target: b.ID, CreatedAt: f.now()}
	find := func(e store.Edge) func(context.Context, store.Reader) (*chat.Block, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Block, error) { return r.Block(ctx, e) }
	}
	missing(f, "block before", find(edge(a, b)))
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetBlock(ctx, edge(a, b), want.CreatedAt, true); err != nil {
			return err
		}
		return tx.SetBlock(ctx, edge(a, b), f.now(), true)
	})
	f.same("block", query(f, find(edge(a, b))), want)
	missing(f, "block the other way", find(edge(b, a)))
	f.block(a, b, false)
	missing(f, "removed block", find(edge(a, b)))
}

// Only those whom the account wrote to first count against it, each once, and
// only for a while.
func testComplaints(f *fixture) {
	target, list := f.account(), f.accounts(6)
	start := f.now()
	for i, a := range list {
		c := f.direct(target, a)
		switch i {
		case 0: // nothing was ever said
		case 1: // the other one began
			f.say(a, c.ID, "hello")
			f.say(target, c.ID, "hello yourself")
		default:
			f.say(target, c.ID, "buy this")
		}
	}
	group := f.group(target, list[0])
	f.say(target, group.ID, "buy this")

	at := make([]time.Time, len(list))
	for i, a := range list {
		at[i] = f.now()
		f.update(func(ctx context.Context, tx store.Tx) error {
			if err := tx.SetBlock(ctx, edge(a, target), at[i], true); err != nil {
				return err
			}
			n, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			return tx.InsertReport(ctx, &store.Report{ID: n, Reporter: a.ID, Target: target.ID, CreatedAt: at[i]})
		})
	}
	f.block(list[5], list[4], true)
	for _, test := range []struct {
		since       time.Time
		limit, want int
	}{
		{start, 100, 4},
		{start, 4, 4},
		{start, 3, 3},
		{at[2], 100, 3},
		{at[3].Add(-time.Millisecond), 100, 3},
		{at[5], 100, 0},
	} {
		for what, count := range map[string]func(context.Context, store.Reader) (int, error){
			"blocks": func(ctx context.Context, r store.Reader) (int, error) {
				return r.BlocksAgainst(ctx, target.ID, test.since, test.limit)
			},
			"reports": func(ctx context.Context, r store.Reader) (int, error) {
				return r.ReportsAgainst(ctx, target.ID, test.since, test.limit)
			},
		} {
			if got := query(f, count); got != test.want {
				f.t.Errorf("%s since %v up to %d: got %d, want %d", what, test.since, test.limit, got, test.want)
			}
		}
	}
	f.block(list[5], target, false)
	f.same("blocks after one was removed", query(f, func(ctx context.Context, r store.Reader) (int, error) {
		return r.BlocksAgainst(ctx, target.ID, start, 100)
	}), 3)
}

// A report keeps what the target wrote to the reporter as it was, with what it
// said before edits, whatever becomes of the messages.
func testReport(f *fixture) {
	target, reporter := f.account(), f.account()
	talk, group := f.direct(target, reporter), f.group(target, reporter)
	f.say(target, talk.ID, "too old")
	signed := f.text(store.SendKey{Author: target.ID, Conversation: talk.ID}, "one")
	signed.message.Signature = signature()
	first := f.deliver(f.store, signed)
	f.say(reporter, talk.ID, "not the target's")
	f.say(target, group.ID, "not to the reporter alone")
	signed.message.Text = "two"
	second := f.deliver(f.store, signed)
	editedAt := []time.Time{f.now(), f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error {
		for i, text := range []string{"one, nicer", "one, nicest"} {
			if err := tx.EditMessage(ctx, first.ID, text, editedAt[i]); err != nil {
				return err
			}
		}
		return tx.RetractMessage(ctx, second.ID, editedAt[1])
	})
	first.Text, first.Signature, first.EditedAt = "one, nicest", nil, editedAt[1]
	second.RetractedAt = editedAt[1]
	want := []store.Evidence{
		{Message: *second},
		{Message: *first, Earlier: []store.Revision{
			{Text: "one", Signature: signature(), ReplacedAt: editedAt[0]}, {Text: "one, nicer", ReplacedAt: editedAt[1]},
		}},
	}
	f.complete(want[1].Earlier[0])
	evidence := func(e store.Edge) []store.Evidence {
		return query(f, func(ctx context.Context, r store.Reader) ([]store.Evidence, error) { return r.Evidence(ctx, e, 2) })
	}
	f.same("evidence", evidence(edge(target, reporter)), want)
	f.same("evidence of strangers", evidence(edge(f.account(), reporter)), []store.Evidence(nil))

	report := &store.Report{
		ID: f.id(), Reporter: reporter.ID, Target: target.ID, Reason: "spam \x01 \"quoted\"", Evidence: want, CreatedAt: f.now(),
	}
	f.complete(report)
	find := func(e store.Edge) func(context.Context, store.Reader) (*store.Report, error) {
		return func(ctx context.Context, r store.Reader) (*store.Report, error) { return r.Report(ctx, e) }
	}
	missing(f, "report before", find(edge(reporter, target)))
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertReport(ctx, report) })
	f.same("report", query(f, find(edge(reporter, target))), report)
	missing(f, "report the other way", find(edge(target, reporter)))
	twin := *report
	twin.ID = f.id()
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error { return tx.InsertReport(ctx, &twin) })
}

func testMutes(f *fixture) {
	me, peer, other := f.account(), f.account(), f.account()
	find := func(m chat.Mute) func(context.Context, store.Reader) (*chat.Mute, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Mute, error) {
			return r.Mute(ctx, m.Owner, m.Kind, m.Target)
		}
	}
	set := func(m chat.Mute) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetMute(ctx, m) })
	}
	account := chat.Mute{Owner: me.ID, Kind: chat.MuteAccount, Target: int64(peer.ID), Until: f.now(), CreatedAt: f.now()}
	f.complete(&account)
	talk := chat.Mute{Owner: me.ID, Kind: chat.MuteConversation, Target: int64(peer.ID), CreatedAt: f.now()}
	others := chat.Mute{Owner: other.ID, Kind: chat.MuteAccount, Target: int64(peer.ID), Until: f.now(), CreatedAt: f.now()}
	missing(f, "mute before", find(account))
	for _, m := range []chat.Mute{account, talk, others} {
		set(m)
	}
	f.same("mute of an account", query(f, find(account)), &account)
	f.same("mute of a conversation", query(f, find(talk)), &talk)
	account.Until, account.CreatedAt = f.now(), f.now()
	set(account)
	f.same("mute set again", query(f, find(account)), &account)

	of := func(owners ...chat.AccountID) []chat.Mute {
		f.t.Helper()
		list := query(f, func(ctx context.Context, r store.Reader) ([]chat.Mute, error) { return r.Mutes(ctx, owners) })
		slices.SortFunc(list, func(a, b chat.Mute) int { return int(10*(a.Owner-b.Owner)) + int(a.Kind) - int(b.Kind) })
		return list
	}
	f.same("mutes of one", of(me.ID), []chat.Mute{account, talk})
	f.same("mutes of several", of(other.ID, peer.ID, me.ID, absent), []chat.Mute{account, talk, others})
	f.same("mutes of nobody", of(), []chat.Mute(nil))

	expire := func(now time.Time, limit, want int) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, err := tx.DeleteExpiredMutes(ctx, now, limit)
			if got != want {
				f.t.Errorf("expired at %v: got %d, want %d", now, got, want)
			}
			return err
		})
	}
	expire(others.Until.Add(-time.Millisecond), 10, 0)
	expire(others.Until, 10, 1)
	missing(f, "expired mute", find(others))
	expire(account.Until, 0, 0)
	expire(account.Until.Add(time.Hour), 1, 1)
	f.same("what never expires", of(me.ID), []chat.Mute{talk})

	remove := func(ctx context.Context, tx store.Tx) error { return tx.DeleteMute(ctx, me.ID, talk.Kind, talk.Target) }
	f.update(remove)
	f.refuse(store.ErrNotFound, remove)
	missing(f, "removed mute", find(talk))
}

func testConversationKinds(f *fixture) {
	a, b := f.account(), f.account()
	direct, group, gone := f.direct(a, b), f.group(a, b), f.community(a)
	channel := f.community(b).Channel.ID
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteSpace(ctx, gone.Space.ID, f.now()) })
	kinds := func(ids ...chat.ConversationID) map[chat.ConversationID]chat.ConversationKind {
		return query(f, func(ctx context.Context, r store.Reader) (map[chat.ConversationID]chat.ConversationKind, error) {
			return r.ConversationKinds(ctx, ids)
		})
	}
	f.same("kinds", kinds(direct.ID, absent, channel, gone.Channel.ID, group.ID), map[chat.ConversationID]chat.ConversationKind{
		direct.ID: chat.ConversationDirect, channel: chat.ConversationChannel, group.ID: chat.ConversationGroup,
	})
	f.same("of none", len(kinds()), 0)
}

func testTouchAccounts(f *fixture) {
	a, b, c := f.account(), f.account(), f.account()
	early, late := f.now(), f.now()
	touch := func(seen map[chat.AccountID]time.Time) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.TouchAccounts(ctx, seen) })
	}
	touch(map[chat.AccountID]time.Time{a.ID: late, b.ID: early, absent: late})
	touch(map[chat.AccountID]time.Time{a.ID: early, b.ID: late})
	touch(nil)
	a.LastSeenAt, b.LastSeenAt = late, late
	for _, want := range []*chat.Account{a, b, c} {
		f.same("account", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.Account(ctx, want.ID)
		}), want)
	}
}
