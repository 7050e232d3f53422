package storetest

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func testDirectRoundTrip(f *fixture) {
	a, b := f.account(), f.account()
	want := f.direct(b, a)
	find := func(low, high *chat.Account) func(context.Context, store.Reader) (*chat.Conversation, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
			return r.DirectOf(ctx, low.ID, high.ID)
		}
	}
	f.same("conversation", f.conversation(want.ID), want)
	f.same("conversation of the pair", query(f, find(a, b)), want)
	missing(f, "conversation of another pair", find(a, f.account()))
	missing(f, "conversation", func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
		return r.Conversation(ctx, absent)
	})

	twin := *want
	twin.ID = chat.ConversationID(f.id())
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error { return tx.InsertDirect(ctx, &twin) })

	full := &chat.Conversation{
		ID: want.ID, Kind: chat.ConversationDirect, LastSeq: 2, CreatedAt: want.CreatedAt,
		Low: a.ID, High: b.ID, Initiator: b.ID, Established: true,
	}
	full.OpenedAt = f.say(b, want.ID, "hello").CreatedAt
	full.LastAt = f.say(a, want.ID, "hello to you").CreatedAt
	f.complete(full, "Space", "Overwritten")
	f.same("conversation after an answer", f.conversation(want.ID), full)
}

func testDirectRace(f *fixture) {
	a, b := f.account(), f.account()
	f.oneWinner(race(20, func(int) error {
		low, high := chat.Pair(a.ID, b.ID)
		return f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
			id, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			return tx.InsertDirect(ctx, &chat.Conversation{
				ID: chat.ConversationID(id), Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: f.now(),
			})
		})
	}), store.ErrConflict)
}

// Directs are listed by their latest activity, ties by the higher id, over pages
// of any size. Those with system accounts are not, unless one of them asks.
func testDirectList(f *fixture) {
	const peers = 25
	me, rng := f.account(), rand.New(rand.NewPCG(1, 2))
	var want []chat.Conversation
	ties := f.now()
	for i, peer := range f.accounts(peers) {
		c := f.direct(me, peer)
		switch i % 3 {
		case 0: // nothing said yet, made at its own time
		case 1: // several with the same latest time
			f.post(f.store, store.SendKey{Author: me.ID, Conversation: c.ID}, "tie", ties.Add(time.Second))
		case 2:
			f.post(f.store, store.SendKey{Author: peer.ID, Conversation: c.ID}, "any", ties.Add(time.Duration(rng.IntN(2000))*time.Millisecond))
		}
		want = append(want, *f.conversation(c.ID))
	}
	system := f.account(func(a *chat.Account) { a.Kind = chat.KindSystem })
	welcome := f.direct(system, me)
	f.say(system, welcome.ID, "not listed")
	f.same("of the system account", query(f, func(ctx context.Context, r store.Reader) ([]chat.Conversation, error) {
		return r.Directs(ctx, system.ID, 0, 2)
	}), []chat.Conversation{*f.conversation(welcome.ID)})
	stranger := f.account()
	f.say(stranger, f.direct(stranger, f.account()).ID, "not mine")
	active := func(c chat.Conversation) time.Time {
		if c.LastAt.IsZero() {
			return c.CreatedAt
		}
		return c.LastAt
	}
	slices.SortFunc(want, func(a, b chat.Conversation) int {
		return cmp.Or(active(b).Compare(active(a)), cmp.Compare(b.ID, a.ID))
	})

	list := func(after chat.ConversationID, limit int) []chat.Conversation {
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.Conversation, error) {
			return r.Directs(ctx, me.ID, after, limit)
		})
	}
	f.same("all", list(0, peers+1), want)
	for _, size := range []int{1, 4, peers} {
		var got []chat.Conversation
		for after := chat.ConversationID(0); ; {
			page := list(after, size)
			if len(page) > size {
				f.t.Fatalf("page: got %d conversations, limit %d", len(page), size)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].ID
		}
		f.same("pages", got, want)
	}
}

// Members of a group come in the order they joined, which is the order given.
func testGroupRoundTrip(f *fixture) {
	list := f.accounts(5)
	order := []*chat.Account{list[3], list[0], list[4], list[1]}
	want := f.group(order...)
	f.same("conversation", f.conversation(want.ID), want)
	facts := f.facts(store.SendKey{Author: list[0].ID, Conversation: want.ID})
	f.same("members", facts.Members[want.ID], ids(order...))

	f.say(list[0], want.ID, "hello")
	for i, a := range list {
		n := 1
		if i == 0 || i == 2 { // the author, and no member
			n = 0
		}
		f.same("pending", len(f.pending(a, 0, 10)), n)
	}
}

// ids returns the ids of accounts.
func ids(accounts ...*chat.Account) []chat.AccountID {
	list := make([]chat.AccountID, len(accounts))
	for i, a := range accounts {
		list[i] = a.ID
	}
	return list
}
