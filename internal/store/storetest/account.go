package storetest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"parley/internal/chat"
	"parley/internal/store"
)

func testAccountRoundTrip(f *fixture) {
	want := &chat.Account{
		ID: chat.AccountID(f.id()), Kind: chat.KindHuman, MadeBy: chat.SurfaceOpenCord,
		Username: "Ada.L", NameKey: "ada.l", Handle: "ada", DisplayName: "Ada Lovelace", Description: "counts",
		LoginAddress: "ada@example.org", RecoveryAddress: "ada.recovery@example.org",
		State: chat.StateRestricted, Enforced: true, Disabled: true, Pause: chat.PauseFull,
		Guarded: true, ContactsOnly: true, InvitesContactsOnly: true, Proven: true,
		Owner: 7, Owned: chat.OwnedByClaim, OwnedAt: f.now(), Avatar: "ada/1.png",
		PublicKey: "-----BEGIN PUBLIC KEY-----\n+/==\n-----END PUBLIC KEY-----",
		Hooks:     chat.HookMessageCreated | chat.HookWake, Muting: true,
		Presence:   chat.Presence{Status: chat.StatusBusy, Text: "at the engine", Chosen: true},
		LastSeenAt: f.now(), CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	f.complete(want)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertAccount(ctx, want, "hash 1") })
	other := f.account()

	check := func() {
		f.t.Helper()
		f.same("account", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.Account(ctx, want.ID)
		}), want)
		f.same("account by login", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.AccountByLogin(ctx, want.LoginAddress)
		}), want)
		f.same("account by name", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.AccountByNameKey(ctx, want.NameKey)
		}), want)
		f.same("account by handle", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.AccountByHandle(ctx, want.Handle)
		}), want)
		f.same("accounts", query(f, func(ctx context.Context, r store.Reader) (map[chat.AccountID]*chat.Account, error) {
			return r.Accounts(ctx, []chat.AccountID{want.ID, absent, other.ID, want.ID})
		}), map[chat.AccountID]*chat.Account{want.ID: want, other.ID: other})
	}
	hash := func(want string, id chat.AccountID) {
		f.t.Helper()
		f.same("password hash", query(f, func(ctx context.Context, r store.Reader) (string, error) {
			return r.PasswordHash(ctx, id)
		}), want)
	}
	check()
	hash("hash 1", want.ID)
	hash("", other.ID)

	handle := want.Handle
	want = &chat.Account{
		ID: want.ID, Kind: chat.KindAgent, MadeBy: chat.SurfaceArgon,
		Username: "Grace", NameKey: "grace", Handle: "never-stored", DisplayName: "Grace Hopper", Description: "compiles",
		LoginAddress: "grace@example.org", RecoveryAddress: "grace.recovery@example.org",
		State: chat.StateSuspended, Pause: chat.PauseSend,
		Owner: 8, Owned: chat.OwnedByCreator, OwnedAt: f.now(), Avatar: "grace/2.png", PublicKey: "another", Hooks: chat.HookBlocked,
		Presence:   chat.Presence{Status: chat.StatusAway, Text: "at sea"},
		LastSeenAt: f.now(), CreatedAt: want.CreatedAt, UpdatedAt: f.now(),
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetPasswordHash(ctx, want.ID, "hash 2"); err != nil {
			return err
		}
		return tx.UpdateAccount(ctx, want)
	})
	want.Handle = handle
	check()
	hash("hash 2", want.ID)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetPasswordHash(ctx, want.ID, "") })
	hash("", want.ID)

	missing(f, "account", func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.Account(ctx, absent) })
	missing(f, "login", func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByLogin(ctx, "ada@example.org")
	})
	missing(f, "name", func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByNameKey(ctx, "ada.l")
	})
	missing(f, "handle", func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByHandle(ctx, "never-stored")
	})
	missing(f, "password hash", func(ctx context.Context, r store.Reader) (string, error) { return r.PasswordHash(ctx, absent) })
	f.same("no accounts", len(query(f, func(ctx context.Context, r store.Reader) (map[chat.AccountID]*chat.Account, error) {
		return r.Accounts(ctx, nil)
	})), 0)
}

// Empty names and addresses are absent: any number of accounts may have none, and
// nobody is found by them.
func testAccountEmpty(f *fixture) {
	bare := func(a *chat.Account) { a.Username, a.NameKey, a.DisplayName = "", "", "" }
	want, other := f.account(bare), f.account(bare)
	if want.ID == other.ID {
		f.t.Fatalf("two accounts have the id %d", want.ID)
	}
	f.same("account", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.Account(ctx, want.ID)
	}), want)
	missing(f, "name", func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.AccountByNameKey(ctx, "") })
	missing(f, "login", func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.AccountByLogin(ctx, "") })
}

func testAccountList(f *fixture) {
	list := f.accounts(7)
	gone := list[3]
	gone.State = chat.StateDeleted
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, gone) })
	list = slices.Delete(list, 3, 4)
	if !slices.IsSortedFunc(list, func(a, b *chat.Account) int { return cmp.Compare(a.ID, b.ID) }) {
		f.t.Fatal("ids do not rise in the order they were drawn")
	}

	var got []*chat.Account
	for after := chat.AccountID(0); ; {
		page := query(f, func(ctx context.Context, r store.Reader) ([]*chat.Account, error) {
			return r.AccountList(ctx, after, 4)
		})
		got = append(got, page...)
		if len(page) < 4 {
			break
		}
		after = page[3].ID
	}
	f.same("accounts over two pages", got, list)
}

// A tombstone is found by id and handle; its name and address are free again, its
// handle never.
func testAccountTombstone(f *fixture) {
	a := f.account(func(a *chat.Account) { a.LoginAddress, a.RecoveryAddress = "x@example.org", "y@example.org" })
	name := a.NameKey
	gone := *a
	gone.State, gone.Username, gone.NameKey, gone.LoginAddress, gone.RecoveryAddress = chat.StateDeleted, "", "", "", ""
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, &gone) })

	f.same("tombstone", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.Account(ctx, a.ID)
	}), &gone)
	f.same("tombstones by id", query(f, func(ctx context.Context, r store.Reader) (map[chat.AccountID]*chat.Account, error) {
		return r.Accounts(ctx, []chat.AccountID{a.ID})
	}), map[chat.AccountID]*chat.Account{a.ID: &gone})
	f.same("tombstone by handle", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByHandle(ctx, a.Handle)
	}), &gone)
	missing(f, "freed name", func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.AccountByNameKey(ctx, name) })

	heir := f.account(func(b *chat.Account) {
		b.Username, b.NameKey, b.LoginAddress, b.RecoveryAddress = a.Username, a.NameKey, a.LoginAddress, a.RecoveryAddress
	})
	f.same("heir of the name", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByNameKey(ctx, name)
	}), heir)
	heir.Handle, heir.ID = a.Handle, absent
	heir.NameKey, heir.LoginAddress, heir.RecoveryAddress = "z", "z@example.org", "zz@example.org"
	f.refuse(store.ErrHandleTaken, func(ctx context.Context, tx store.Tx) error { return tx.InsertAccount(ctx, heir, "") })
}

func testAccountTaken(f *fixture) {
	a := f.account(func(a *chat.Account) { a.LoginAddress, a.RecoveryAddress = "a@example.org", "ra@example.org" })
	b := f.account(func(b *chat.Account) { b.LoginAddress, b.RecoveryAddress = "b@example.org", "rb@example.org" })
	for _, test := range []struct {
		name   string
		want   error
		change func(*chat.Account)
		insert bool // only an insert sets it
	}{
		{"login", store.ErrLoginTaken, func(c *chat.Account) { c.LoginAddress = a.LoginAddress }, false},
		{"name", store.ErrNameTaken, func(c *chat.Account) { c.NameKey = a.NameKey }, false},
		{"recovery", store.ErrConflict, func(c *chat.Account) { c.RecoveryAddress = a.RecoveryAddress }, false},
		{"handle", store.ErrHandleTaken, func(c *chat.Account) { c.Handle = a.Handle }, true},
	} {
		fresh := *b
		fresh.ID = chat.AccountID(f.id())
		fresh.NameKey, fresh.Handle = f.name("k"), f.name("h")
		fresh.LoginAddress, fresh.RecoveryAddress = "", ""
		test.change(&fresh)
		f.refuse(test.want, func(ctx context.Context, tx store.Tx) error { return tx.InsertAccount(ctx, &fresh, "") })
		missing(f, "account refused for its "+test.name, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.Account(ctx, fresh.ID)
		})
		if test.insert {
			continue
		}
		changed := *b
		test.change(&changed)
		f.refuse(test.want, func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, &changed) })
	}
	f.same("account after refused updates", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.Account(ctx, b.ID)
	}), b)
	// Keeping one's own values is no conflict.
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateAccount(ctx, b) })
}

// Twenty at once want the same: one gets it.
func testAccountRace(f *fixture) {
	for _, test := range []struct {
		want   error
		change func(*chat.Account)
	}{
		{store.ErrLoginTaken, func(a *chat.Account) { a.LoginAddress = "race@example.org" }},
		{store.ErrNameTaken, func(a *chat.Account) { a.NameKey = "race" }},
		{store.ErrHandleTaken, func(a *chat.Account) { a.Handle = "race" }},
	} {
		errs := race(20, func(int) error {
			name := f.name("racer")
			a := &chat.Account{
				Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, State: chat.StateActive,
				Username: name, NameKey: name, Handle: name, CreatedAt: f.now(), UpdatedAt: f.now(),
			}
			test.change(a)
			return f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
				id, err := tx.NextID(ctx, 1)
				if err != nil {
					return err
				}
				a.ID = chat.AccountID(id)
				return tx.InsertAccount(ctx, a, "")
			})
		})
		f.oneWinner(errs, test.want)
	}
}

// race calls fn from n goroutines that start together and returns what each got.
func race(n int, fn func(i int) error) []error {
	var wait sync.WaitGroup
	start, errs := make(chan struct{}), make([]error, n)
	for i := range n {
		wait.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wait.Wait()
	return errs
}

// oneWinner asserts that one of a race succeeded and all others met want.
func (f *fixture) oneWinner(errs []error, want error) {
	f.t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, want):
			f.t.Errorf("a loser: got error %v, want %v", err, want)
		}
	}
	if won != 1 {
		f.t.Errorf("winners: got %d of %d, want 1", won, len(errs))
	}
}
