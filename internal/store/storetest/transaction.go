package storetest

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// errUndo is how tests make a transaction fail on purpose.
var errUndo = errors.New("undone on purpose")

// A View sees one state from beginning to end, whatever commits meanwhile, also
// in tables it had not read yet.
func testSnapshot(f *fixture) {
	a, b := f.account(), f.account()
	c := f.community(a)
	direct := f.direct(a, b)
	f.say(a, direct.ID, "first")
	writer := f.second()

	type state struct {
		conversation *chat.Conversation
		history      []chat.Message
		pending      int
		changes      int
		last         chat.Position
		space        *chat.Space
	}
	read := func(ctx context.Context, r store.Reader) (s state, err error) {
		var errs [6]error
		s.conversation, errs[0] = r.Conversation(ctx, direct.ID)
		s.history, errs[1] = r.History(ctx, store.HistoryQuery{Conversation: direct.ID, Limit: 10})
		s.pending, errs[2] = r.PendingCount(ctx, b.ID, 10)
		changes, err := r.Changes(ctx, 0, 10)
		s.changes, errs[3] = len(changes), err
		s.last, errs[4] = r.LastPosition(ctx)
		s.space, errs[5] = r.Space(ctx, c.Space.ID)
		return s, errors.Join(errs[:]...)
	}
	check := func(what string, got, want state) {
		f.t.Helper()
		f.same(what+": conversation", got.conversation, want.conversation)
		f.same(what+": history", got.history, want.history)
		f.same(what+": pending", got.pending, want.pending)
		f.same(what+": changes", got.changes, want.changes)
		f.same(what+": last position", got.last, want.last)
		f.same(what+": space", got.space, want.space)
	}
	before := query(f, read)
	got := query(f, func(ctx context.Context, r store.Reader) (state, error) {
		if _, err := r.Account(ctx, a.ID); err != nil { // the snapshot exists from the first read
			return state{}, err
		}
		f.post(writer, store.SendKey{Author: a.ID, Conversation: direct.ID}, "second", f.now())
		err := writer.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			changed := *c.Space
			changed.Name = "renamed"
			return tx.UpdateSpace(ctx, &changed)
		})
		if err != nil {
			return state{}, err
		}
		return read(ctx, r)
	})
	check("while others wrote", got, before)
	after := query(f, read)
	if after.conversation.LastSeq != 2 || after.pending != 2 || len(after.history) != 2 || after.changes != 2 ||
		after.last <= before.last || after.space.Name != "renamed" {
		f.t.Errorf("in the next view: got %+v, want what was written", after)
	}

	if err := f.store.View(f.t.Context(), func(context.Context, store.Reader) error { return errUndo }); !errors.Is(err, errUndo) {
		f.t.Errorf("view: got error %v, want the function's own", err)
	}
}

// tamper writes to many tables; undone, nothing of it may be found.
func (f *fixture) tamper(ctx context.Context, tx store.Tx, c *community, owner *chat.Account) error {
	id, err := tx.NextID(ctx, 3)
	if err != nil {
		return err
	}
	at := f.now()
	gone := *owner
	gone.DisplayName = "tampered"
	channel := chat.Channel{ID: chat.ConversationID(id), Space: c.Space.ID, Name: "tampered", CreatedAt: at, UpdatedAt: at}
	return errors.Join(
		tx.UpdateAccount(ctx, &gone),
		tx.InsertChannel(ctx, &channel),
		tx.DeleteSpaceMember(ctx, c.Space.ID, owner.ID),
		tx.SetOverwrite(ctx, chat.Overwrite{Channel: c.Channel.ID, Account: owner.ID, Deny: 1}),
		tx.AppendEvents(ctx, []chat.Event{{Position: chat.Position(id + 1), Kind: chat.EventSpaceUpdated, At: at}}),
		tx.SetBlock(ctx, store.Edge{Owner: owner.ID, Target: absent}, at, true),
	)
}

// untampered asserts that nothing of tamper is there.
func (f *fixture) untampered(c *community, owner *chat.Account, changes int) {
	f.t.Helper()
	f.same("account", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.Account(ctx, owner.ID)
	}), owner)
	f.same("channels", f.channels(c.Space.ID), []chat.Channel{*c.Channel})
	f.same("space", f.space(c.Space.ID), c.Space)
	f.same("members", len(f.members(c.Space.ID)), c.Space.MemberCount)
	f.same("overwrites", f.overwrites(c.Channel.ID), []chat.Overwrite(nil))
	f.same("changes", len(f.changes(0, 100)), changes)
	f.same("blocks", f.raw("SELECT count(*) FROM blocks"), 0)
}

func testRollback(f *fixture) {
	owner := f.account()
	c := f.community(owner)
	f.say(owner, c.Channel.ID, "hello")
	for range 3 {
		f.refuse(errUndo, func(ctx context.Context, tx store.Tx) error {
			if err := f.tamper(ctx, tx, c, owner); err != nil {
				f.t.Errorf("tamper: %v", err)
			}
			return errUndo
		})
		f.untampered(c, owner, 1)
	}
	// An error that the function swallows: what it returns decides, if the engine
	// can go on at all; half a change is never left.
	err := f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
		if err := f.tamper(ctx, tx, c, owner); err != nil {
			return err
		}
		if err := tx.InsertSpace(ctx, c.Space); err == nil {
			f.t.Error("a space was stored twice")
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		f.t.Errorf("update: got error %v, want %v", err, errUndo)
	}
	f.untampered(c, owner, 1)
	f.say(owner, c.Channel.ID, "still writable")
}

func testPanic(f *fixture) {
	owner := f.account()
	c := f.community(owner)
	panics := func(what string, fn func()) {
		f.t.Helper()
		defer func() {
			if got := recover(); got != "on purpose" {
				f.t.Errorf("%s: got panic %v, want the function's own", what, got)
			}
		}()
		fn()
	}
	for range 20 { // more often than there are connections
		panics("update", func() {
			_ = f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
				if err := f.tamper(ctx, tx, c, owner); err != nil {
					f.t.Errorf("tamper: %v", err)
				}
				panic("on purpose")
			})
		})
		panics("view", func() {
			_ = f.store.View(f.t.Context(), func(context.Context, store.Reader) error { panic("on purpose") })
		})
	}
	f.untampered(c, owner, 0)
	f.say(owner, c.Channel.ID, "still writable")
}

// A context that ended starts nothing; one that ends later does not interrupt a
// transaction that writes.
func testContext(f *fixture) {
	owner := f.account()
	c := f.community(owner)
	ended, end := context.WithCancel(f.t.Context())
	end()
	update := f.store.Update(ended, func(context.Context, store.Tx) error {
		f.t.Error("an update ran under a context that had ended")
		return nil
	})
	view := f.store.View(ended, func(ctx context.Context, r store.Reader) error {
		_, err := r.Account(ctx, owner.ID)
		return err
	})
	for _, err := range []error{update, view} {
		if !errors.Is(err, context.Canceled) {
			f.t.Errorf("under a context that had ended: got error %v, want %v", err, context.Canceled)
		}
	}

	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	err := f.store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetBlock(ctx, store.Edge{Owner: owner.ID, Target: 1}, f.now(), true); err != nil {
			return err
		}
		cancel()
		return tx.SetBlock(ctx, store.Edge{Owner: owner.ID, Target: 2}, f.now(), true)
	})
	if err != nil {
		f.t.Errorf("update whose context ended half-way: %v", err)
	}
	f.same("blocks", f.raw("SELECT count(*) FROM blocks"), 2)
	f.say(owner, c.Channel.ID, "still writable")
}

// A transaction sees what it wrote and the newest that others committed.
func testOwnWrites(f *fixture) {
	owner := f.account()
	c := f.community(owner)
	m := f.say(owner, c.Channel.ID, "hello")
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.EditMessage(ctx, m.ID, "edited", f.now()); err != nil {
			return err
		}
		got, err := tx.Message(ctx, m.ID)
		if err != nil {
			return err
		}
		f.same("edited text", got.Text, "edited")
		if err := tx.DeleteSpace(ctx, c.Space.ID, f.now()); err != nil {
			return err
		}
		if _, err := tx.Message(ctx, m.ID); !errors.Is(err, store.ErrNotFound) {
			f.t.Errorf("message of the deleted space: got error %v, want %v", err, store.ErrNotFound)
		}
		spaces, err := tx.SpacesOf(ctx, owner.ID)
		f.same("spaces", len(spaces), 0)
		return err
	})

	// Read, then write what was read plus one: no update may be lost.
	const rounds = 20
	stores := []store.Store{f.store, f.second()}
	errs := race(rounds, func(i int) error {
		return stores[i%2].Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
			a, err := tx.Account(ctx, owner.ID)
			if err != nil {
				return err
			}
			a.Description += "x"
			return tx.UpdateAccount(ctx, a)
		})
	})
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		f.t.Fatalf("update: %v", errs[i])
	}
	a := query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.Account(ctx, owner.ID) })
	f.same("updates that stayed", len(a.Description), rounds)
}

// testEdges stores values at the ends of what columns hold.
func testEdges(f *fixture) {
	text := "'\"\\ $1 %s {ints} \ufffd \U0001f9ea e\u0301 \u202eright\u202c"
	moments := []time.Time{
		time.UnixMilli(0).UTC(), // not the zero time
		time.UnixMilli(-1).UTC(),
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC),
	}
	for i, at := range moments {
		a := f.account(func(a *chat.Account) {
			a.DisplayName, a.Description, a.Presence.Text = text, text, text
			a.NameKey, a.Handle = f.name(text), f.name(text)
			a.CreatedAt, a.UpdatedAt = at, at
		})
		f.same("account", query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
			return r.AccountByNameKey(ctx, a.NameKey)
		}), a)
		key := f.credential(a, chat.CredentialKey, at)
		f.same("credential", f.credentials(a, chat.CredentialKey), []*chat.Credential{key})
		c := f.community(a)
		for bit := i; bit < 64; bit += len(moments) {
			set := chat.Entitlements(1) << bit
			archetype := c.archetype(set | 1)
			f.overwrite(chat.Overwrite{Channel: c.Channel.ID, Archetype: archetype.ID, Allow: set, Deny: ^set})
			m := c.join(f.account(), ^set, archetype.ID)
			f.same("membership", query(f, func(ctx context.Context, r store.Reader) (*chat.SpaceMember, error) {
				return r.SpaceMember(ctx, c.Space.ID, m.Account)
			}), &m)
			f.same("grants of an author", f.facts(store.SendKey{Author: m.Account, Conversation: c.Channel.ID}).Grants,
				map[store.Seat]chat.Entitlements{{Conversation: c.Channel.ID, Account: m.Account}: ^set})
		}
		for _, o := range f.overwrites(c.Channel.ID) {
			if o.Deny != ^o.Allow || o.Allow == 0 {
				f.t.Errorf("overwrite: got allow %x and deny %x, want complements", o.Allow, o.Deny)
			}
		}
	}
}
