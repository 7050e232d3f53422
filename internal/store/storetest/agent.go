package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// The agents that may act are listed by the time they were made, then by id, but for
// the one who asks. Suspended, disabled and removed ones are neither listed nor
// counted, restricted and paused ones are.
func testAgents(f *fixture) {
	base := f.now()
	at := func(seconds int, change ...func(*chat.Account)) *chat.Account {
		f.t.Helper()
		return f.account(append(change, func(a *chat.Account) { a.CreatedAt = base.Add(time.Duration(seconds) * time.Second) })...)
	}
	third, first, second := at(20), at(0), at(10, func(a *chat.Account) { a.State = chat.StateRestricted })
	tie := at(20, func(a *chat.Account) { a.Pause = chat.PauseFull })
	last := at(30, func(a *chat.Account) { a.PublicKey, a.Guarded = "key", true })
	human := at(5, func(a *chat.Account) { a.Kind = chat.KindHuman })
	at(6, func(a *chat.Account) { a.Kind = chat.KindSystem })
	off := []*chat.Account{
		at(7, func(a *chat.Account) { a.State = chat.StateSuspended }),
		at(8, func(a *chat.Account) { a.State = chat.StateDeleted }),
		at(9, func(a *chat.Account) { a.Disabled = true }),
	}
	check := func(what string, but *chat.Account, offset, limit, wantTotal int, want ...*chat.Account) {
		f.t.Helper()
		total := 0
		got := query(f, func(ctx context.Context, r store.Reader) (list []*chat.Account, err error) {
			id := chat.AccountID(0)
			if but != nil {
				id = but.ID
			}
			list, total, err = r.Agents(ctx, id, offset, limit)
			return list, err
		})
		f.same(what, got, want)
		f.same("total of "+what, total, wantTotal)
	}
	check("all", nil, 0, 10, 5, first, second, third, tie, last)
	check("the others", third, 0, 10, 4, first, second, tie, last)
	check("the others, of one who is not listed", human, 0, 10, 5, first, second, third, tie, last)
	check("a page", nil, 0, 2, 5, first, second)
	check("the next page", nil, 2, 2, 5, third, tie)
	check("a page of the others", first, 1, 2, 4, third, tie)
	check("the end", nil, 4, 2, 5, last)
	check("beyond", nil, 5, 2, 5)

	f.update(func(ctx context.Context, tx store.Tx) error {
		first.Disabled = true
		if err := tx.UpdateAccount(ctx, first); err != nil {
			return err
		}
		off[0].State, off[2].Disabled = chat.StateActive, false
		if err := tx.UpdateAccount(ctx, off[0]); err != nil {
			return err
		}
		return tx.UpdateAccount(ctx, off[2])
	})
	check("after a change of state", nil, 0, 10, 6, off[0], off[2], second, third, tie, last)
}

// Public keys are told when they are asked for, as they are at that moment. A batch
// that does not ask has none, also of accounts that an earlier one asked about.
func testQuestionKeys(f *fixture) {
	signer, plain := f.account(func(a *chat.Account) { a.PublicKey = "key 1" }), f.account()
	c := f.direct(signer, plain)
	keys := []store.SendKey{{Author: signer.ID, Conversation: c.ID}, {Author: plain.ID, Conversation: c.ID}}
	batch := func(what string, asked []chat.AccountID, wantSigner string) {
		f.t.Helper()
		err := f.store.Send(f.t.Context(), store.Batch{
			Keys: keys,
			Ask:  func(*store.SendFacts) store.Questions { return store.Questions{Keys: asked} },
			Decide: func(facts *store.SendFacts) store.Writes {
				f.same(what, facts.Accounts[signer.ID].PublicKey, wantSigner)
				f.same(what+", of an account without", facts.Accounts[plain.ID].PublicKey, "")
				f.same(what+", the rest of the account", brief(facts.Accounts[signer.ID]), brief(signer))
				f.same(what+", accounts", len(facts.Accounts), 2)
				return store.Writes{}
			},
		})
		if err != nil {
			f.t.Fatalf("%s: %v", what, err)
		}
	}
	batch("key", ids(signer, plain, signer), "key 1")
	batch("key of who is not asked about", ids(plain), "")
	batch("key, though nobody asked", nil, "")
	batch("key asked for again", append(ids(signer), absent), "key 1")
	signer.PublicKey = "key 2"
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, signer) })
	batch("key that was replaced", ids(signer), "key 2")
	batch("replaced key, though nobody asked", nil, "")
}
