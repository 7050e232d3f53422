package storetest

import (
	"context"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) readHook(id chat.HookID) chat.Hook {
	f.t.Helper()
	return *query(f, func(ctx context.Context, r store.Reader) (*chat.Hook, error) { return r.Hook(ctx, id) })
}

// What is not told of how a hook fared stays as it is known, and everything that
// returns a hook knows it. What is told of a hook that was moved since is passed over.
func testHookHealth(f *fixture) {
	h, other := f.hook(f.account().ID), f.hook(f.account().ID)
	fared := func(what string, since chat.HookHealth) {
		f.t.Helper()
		fresh := h
		fresh.Health = since
		f.update(func(ctx context.Context, tx store.Tx) error {
			moved := fresh
			moved.UpdatedAt = fresh.UpdatedAt.Add(-time.Millisecond)
			moved.Health = chat.HookHealth{LastSuccessAt: f.now(), LastFailureAt: f.now(), LastError: chat.HookErrorBlocked}
			if err := tx.NoteHealth(ctx, &moved); err != nil {
				return err
			}
			return tx.NoteHealth(ctx, &fresh)
		})
		f.same(what, f.readHook(h.ID), h)
	}
	fared("nothing was tried", chat.HookHealth{})
	h.Health.LastFailureAt, h.Health.LastError = f.now(), chat.HookErrorTimeout
	fared("a failure", h.Health)
	fared("nothing since", chat.HookHealth{})
	h.Health.LastSuccessAt = f.now()
	fared("a success", chat.HookHealth{LastSuccessAt: h.Health.LastSuccessAt})
	h.Health.LastFailureAt, h.Health.LastError = f.now(), chat.HookErrorStatus
	fared("another failure", chat.HookHealth{LastFailureAt: h.Health.LastFailureAt, LastError: h.Health.LastError})
	h.Health = chat.HookHealth{LastSuccessAt: f.now(), LastFailureAt: f.now(), LastError: chat.HookErrorTLS}
	fared("both", h.Health)

	f.complete(h)
	f.complete(h.Health)
	f.same("hooks of the account", query(f, func(ctx context.Context, r store.Reader) ([]chat.Hook, error) {
		return r.HooksOf(ctx, []chat.AccountID{h.Account})
	}), []chat.Hook{h})
	f.same("in the list", f.hookList(0, 0, 10), []chat.HookStatus{{Hook: h}, {Hook: other}})
	f.enqueue(h, f.blocked(), f.now())
	f.same("claimed", f.claim(f.now(), 1, 1)[0].Hook, h)
}

// A hook that is moved keeps what it is and what is queued, and starts anew in how
// it fares.
func testHookMove(f *fixture) {
	h, other := f.hook(f.account().ID), f.hook(f.account().ID)
	f.enqueue(h, f.blocked(), f.now())
	f.update(func(ctx context.Context, tx store.Tx) error {
		for _, fared := range []chat.Hook{h, other} {
			fared.Health = chat.HookHealth{LastSuccessAt: epoch, LastFailureAt: epoch, LastError: chat.HookErrorConnect}
			if err := tx.NoteHealth(ctx, &fared); err != nil {
				return err
			}
		}
		return nil
	})
	want := other
	want.Health = chat.HookHealth{LastSuccessAt: epoch, LastFailureAt: epoch, LastError: chat.HookErrorConnect}
	h.URL, h.Secret, h.UpdatedAt = "https://elsewhere.example/?a=1&b", []byte{2, 0, 0xfe}, f.now()
	given := h
	given.Account, given.Surface, given.Events, given.CreatedAt = absent, chat.SurfaceArgon, 0, f.now() // not moved by it
	move := func(ctx context.Context, tx store.Tx) error { return tx.MoveHook(ctx, &given) }
	f.update(move)
	f.same("moved hook", f.readHook(h.ID), h)
	f.same("another hook", f.readHook(other.ID), want)
	work := f.claim(f.now(), 10, 10)
	f.same("what is queued", claimed(work), []string{fmt.Sprintf("%d: 1", h.ID)})
	f.same("where it goes", work[0].Hook, h)

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteHook(ctx, h.ID) })
	f.refuse(store.ErrNotFound, move)
	given.ID = absent
	f.refuse(store.ErrNotFound, move)
}

// Of a queue that is too long the newest stay, whenever they are due; other queues
// and dead letters are left alone.
func testDropQueue(f *fixture) {
	a := f.account()
	h, other := f.hook(a.ID), f.hook(a.ID)
	start := f.now()
	var queued []chat.Delivery
	for i := range 6 {
		// The newest are due first.
		queued = append(queued, f.enqueue(h, f.blocked(), start.Add(time.Duration(-i)*time.Second)))
		f.enqueue(other, f.blocked(), start)
	}
	drop := func(keep, want int) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error {
			n, err := tx.DropQueue(ctx, h.ID, keep)
			f.same(fmt.Sprintf("dropped, to keep %d", keep), n, want)
			return err
		})
	}
	sources := func() (list []chat.Position) {
		f.t.Helper()
		for _, w := range f.claim(f.now().Add(time.Hour), 10, 100) {
			f.release(w.Hook.ID, chat.Breaker{})
			for _, d := range w.Deliveries {
				if d.Hook == h.ID {
					list = append(list, d.Event.Position)
				}
			}
		}
		return list
	}
	drop(7, 0)
	drop(6, 0)
	drop(4, 2)
	f.same("what is left", sources(), []chat.Position{
		queued[5].Event.Position, queued[4].Event.Position, queued[3].Event.Position, queued[2].Event.Position,
	})
	f.update(func(ctx context.Context, tx store.Tx) error {
		work, err := tx.ClaimHooks(ctx, store.HookClaim{Now: start, Until: start.Add(time.Minute), Hooks: 1, Each: 1})
		if err != nil {
			return err
		}
		f.same("the hook that is due first", work[0].Hook.ID, h.ID)
		if err := tx.BuryDelivery(ctx, &work[0].Deliveries[0], f.now()); err != nil {
			return err
		}
		return tx.ReleaseHook(ctx, h.ID, chat.Breaker{})
	})
	drop(0, 3)
	f.same("nothing is left", sources(), []chat.Position(nil))
	drop(0, 0)
	f.same("dead letters", len(f.deadLetters(0, 10)), 1)
	f.same("the other queue", f.hookList(a.ID, h.ID, 10)[0].Queued, 6)
	f.enqueue(h, f.blocked(), start)
	f.same("queued afterwards", len(sources()), 1)
}
