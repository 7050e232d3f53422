package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// mailed stores a code that lives for ten minutes from a time.
func (f *fixture) mailed(address string, at time.Time, change ...func(*store.MailedCode)) *store.MailedCode {
	f.t.Helper()
	c := &store.MailedCode{
		ID: chat.CodeID(f.id()), Purpose: 1, Address: address, Digest: [32]byte{1, 2, 3},
		CreatedAt: at, ExpiresAt: at.Add(10 * time.Minute),
	}
	for _, apply := range change {
		apply(c)
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertMailedCode(ctx, c) })
	return c
}

func (f *fixture) mailedCode(id chat.CodeID) *store.MailedCode {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*store.MailedCode, error) { return r.MailedCode(ctx, id) })
}

func (f *fixture) noMailedCode(what string, id chat.CodeID) {
	f.t.Helper()
	missing(f, what, func(ctx context.Context, r store.Reader) (*store.MailedCode, error) { return r.MailedCode(ctx, id) })
}

func testMailedCode(f *fixture) {
	want := f.mailed("ada@example.org", f.now(), func(c *store.MailedCode) {
		c.Account, c.Handle, c.DisplayName, c.Description, c.Guesses = 7, "ada", "Ada", "counts", 2
	})
	f.complete(want)
	f.same("code", f.mailedCode(want.ID), want)

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.CountGuess(ctx, want.ID) })
	want.Guesses++
	f.same("code after a guess", f.mailedCode(want.ID), want)

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteMailedCode(ctx, want.ID) })
	f.noMailedCode("used code", want.ID)
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.DeleteMailedCode(ctx, want.ID) })
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.CountGuess(ctx, want.ID) })
}

// A code takes the place of the one before to the same address for the same purpose,
// and of no other.
func testMailedCodeReplaced(f *fixture) {
	old := f.mailed("ada@example.org", f.now())
	purpose := f.mailed("ada@example.org", f.now(), func(c *store.MailedCode) { c.Purpose = 2 })
	address := f.mailed("bob@example.org", f.now())
	fresh := f.mailed("ada@example.org", f.now())
	f.noMailedCode("replaced code", old.ID)
	for what, c := range map[string]*store.MailedCode{"other purpose": purpose, "other address": address, "new code": fresh} {
		f.same(what, f.mailedCode(c.ID), c)
	}
}

func testMailedCodeExpired(f *fixture) {
	at := f.now()
	for i := range 3 {
		f.mailed(f.name("old"), at.Add(time.Duration(i-20)*time.Minute))
	}
	young := f.mailed("young", at)
	for _, want := range []int{2, 1, 0} {
		var n int
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.DeleteExpiredCodes(ctx, at, 2)
			return err
		})
		f.same("expired codes removed", n, want)
	}
	f.same("code that lives", f.mailedCode(young.ID), young)
}

func testHandleHeld(f *fixture) {
	at := f.now()
	f.mailed("ada@example.org", at, func(c *store.MailedCode) { c.Handle = "ada" })
	f.mailed("eve@example.org", at) // for no handle
	for _, test := range []struct {
		handle, address string
		after           time.Duration
		want            bool
	}{
		{"ada", "bob@example.org", 10*time.Minute - time.Millisecond, true},
		{"ada", "bob@example.org", 10 * time.Minute, false},
		{"ada", "ada@example.org", 0, false},
		{"bob", "bob@example.org", 0, false},
		{"", "bob@example.org", 0, false},
	} {
		got := query(f, func(ctx context.Context, r store.Reader) (bool, error) {
			return r.HandleHeld(ctx, test.handle, test.address, at.Add(test.after))
		})
		if got != test.want {
			f.t.Errorf("%q held from %s after %v: got %t, want %t", test.handle, test.address, test.after, got, test.want)
		}
	}
}

func testAddresses(f *fixture) {
	a := f.account(func(a *chat.Account) { a.LoginAddress, a.RecoveryAddress = "login@example.org", "ada@example.org" })
	byRecovery := func(address string) func(context.Context, store.Reader) (*chat.Account, error) {
		return func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.AccountByRecovery(ctx, address)
		}
	}
	f.same("account by recovery", query(f, byRecovery("ada@example.org")), a)
	missing(f, "login address", byRecovery("login@example.org"))
	missing(f, "no address", byRecovery(""))

	digest, other := [32]byte{1}, [32]byte{2}
	use := func(account chat.AccountID) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error { return tx.InsertAddressUse(ctx, digest, account) }
	}
	f.update(use(1))
	f.update(use(2))
	f.refuse(store.ErrConflict, use(2))
	for d, want := range map[[32]byte]int{digest: 2, other: 0} {
		f.same("uses", query(f, func(ctx context.Context, r store.Reader) (int, error) { return r.AddressUses(ctx, d) }), want)
	}
}

func testSystemAccounts(f *fixture) {
	system := func(a *chat.Account) { a.Kind = chat.KindSystem }
	first := f.account(system)
	f.account()
	f.account(system, func(a *chat.Account) { a.State = chat.StateDeleted })
	second := f.account(system, func(a *chat.Account) { a.State = chat.StateSuspended })
	f.same("system accounts", query(f, func(ctx context.Context, r store.Reader) ([]*chat.Account, error) {
		return r.SystemAccounts(ctx)
	}), []*chat.Account{first, second})
}

func testDirectory(f *fixture) {
	named := func(handle string, change ...func(*chat.Account)) *chat.Account {
		return f.account(append(change, func(a *chat.Account) { a.Handle = handle })...)
	}
	viewer := f.account()
	bot := named("ada-9")
	restricted := named("adam", func(a *chat.Account) { a.State = chat.StateRestricted })
	system := named("ada", func(a *chat.Account) { a.Kind = chat.KindSystem })
	for handle, change := range map[string]func(*chat.Account){
		"adas":  func(a *chat.Account) { a.State = chat.StateSuspended },
		"adat":  func(a *chat.Account) { a.State = chat.StateDeleted },
		"adau":  func(a *chat.Account) { a.Disabled = true },
		"adav":  func(a *chat.Account) { a.Kind = chat.KindHuman },
		"adb":   func(*chat.Account) {},
		"a-da":  func(*chat.Account) {},
		"xadam": func(*chat.Account) {},
	} {
		named(handle, change)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		at := f.now()
		for _, e := range []store.Edge{
			{Owner: viewer.ID, Target: restricted.ID}, {Owner: bot.ID, Target: viewer.ID}, {Owner: system.ID, Target: bot.ID},
		} {
			if err := tx.SetContact(ctx, e, at, true); err != nil {
				return err
			}
		}
		return nil
	})
	type page struct {
		Entries []store.DirectoryEntry
		Total   int
	}
	all := []store.DirectoryEntry{{Account: *system}, {Account: *bot}, {Account: *restricted, Contact: true}}
	for _, test := range []struct {
		query store.DirectoryQuery
		want  page
	}{
		{store.DirectoryQuery{Prefix: "ada", Limit: 10}, page{all, 3}},
		{store.DirectoryQuery{Prefix: "ada", Limit: 2}, page{all[:2], 3}},
		{store.DirectoryQuery{Prefix: "ada", Limit: 2, Offset: 2}, page{all[2:], 3}},
		{store.DirectoryQuery{Prefix: "ada", Limit: 2, Offset: 3}, page{nil, 3}},
		{store.DirectoryQuery{Prefix: "adam", Limit: 10}, page{all[2:], 1}},
		{store.DirectoryQuery{Prefix: "ada-", Limit: 10}, page{all[1:2], 1}},
		{store.DirectoryQuery{Prefix: "%da", Limit: 10}, page{}},
		{store.DirectoryQuery{Prefix: "a_a", Limit: 10}, page{}},
		{store.DirectoryQuery{Prefix: `a\`, Limit: 10}, page{}},
		{store.DirectoryQuery{Prefix: "aÿ", Limit: 10}, page{}},
	} {
		test.query.Viewer = viewer.ID
		got := query(f, func(ctx context.Context, r store.Reader) (p page, err error) {
			p.Entries, p.Total, err = r.Directory(ctx, test.query)
			return p, err
		})
		f.same("directory of "+test.query.Prefix, got, test.want)
	}
}

// What an account kept for itself goes; what others keep about it stays, as do its
// blocks.
func testClearAccount(f *fixture) {
	a, b := f.account(), f.account()
	at := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error {
		for _, e := range []store.Edge{{Owner: a.ID, Target: b.ID}, {Owner: b.ID, Target: a.ID}} {
			for _, err := range []error{
				tx.SetContact(ctx, e, at, true), tx.SetBlock(ctx, e, at, true),
				tx.SetMute(ctx, chat.Mute{Owner: e.Owner, Kind: chat.MuteAccount, Target: int64(e.Target), CreatedAt: at}),
				tx.InsertInvite(ctx, &chat.Invite{
					ID: chat.InviteID(100 + e.Owner), Group: chat.ConversationID(e.Owner), Inviter: e.Owner, Invitee: e.Target, CreatedAt: at,
				}),
				tx.InsertInvite(ctx, &chat.Invite{
					ID: chat.InviteID(200 + e.Owner), Group: chat.ConversationID(e.Owner), Inviter: e.Owner, Invitee: absent, CreatedAt: at,
				}),
			} {
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	ended := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.ClearAccount(ctx, a.ID, ended) })

	for what, test := range map[string]struct {
		statement string
		owner     chat.AccountID
		want      int
	}{
		"contacts of a":         {`SELECT count(*) FROM contacts WHERE owner_id = $1`, a.ID, 0},
		"contacts of b":         {`SELECT count(*) FROM contacts WHERE owner_id = $1`, b.ID, 1},
		"mutes of a":            {`SELECT count(*) FROM mutes WHERE owner_id = $1`, a.ID, 0},
		"mutes of b":            {`SELECT count(*) FROM mutes WHERE owner_id = $1`, b.ID, 1},
		"blocks of a":           {`SELECT count(*) FROM blocks WHERE owner_id = $1`, a.ID, 1},
		"blocks of b":           {`SELECT count(*) FROM blocks WHERE owner_id = $1`, b.ID, 1},
		"open invites to a":     {`SELECT count(*) FROM invites WHERE invitee_id = $1 AND ended_at IS NULL`, a.ID, 0},
		"open invites from a":   {`SELECT count(*) FROM invites WHERE inviter_id = $1 AND ended_at IS NULL`, a.ID, 0},
		"open invites from b":   {`SELECT count(*) FROM invites WHERE inviter_id = $1 AND ended_at IS NULL`, b.ID, 1},
		"ended invites from a":  {`SELECT count(*) FROM invites WHERE inviter_id = $1 AND ended_at IS NOT NULL`, a.ID, 2},
		"ended invites of both": {`SELECT count(*) FROM invites WHERE $1 <> 0 AND ended_at IS NOT NULL`, a.ID, 3},
	} {
		if got := f.raw(test.statement, int64(test.owner)); got != test.want {
			f.t.Errorf("%s: got %d, want %d", what, got, test.want)
		}
	}
}
