package webhook

import (
	"context"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

// claimed is what one transaction has claimed.
type claimed struct {
	runs []*run
	more map[*run][]chat.Delivery // for runs that had room
	cut  map[chat.HookID]int      // how many deliveries were dropped, where that was looked at
}

// claim takes hooks that are due and makes their deliveries ready to be sent. Hooks
// that turn out to have nothing to send are let go in the same transaction.
func (l *loop) claim(ctx context.Context, tx store.Tx, c store.HookClaim, got *claimed) error {
	work, err := tx.ClaimHooks(ctx, c)
	if err != nil || len(work) == 0 {
		return err
	}
	owners := make([]chat.AccountID, len(work))
	for i := range work {
		owners[i] = work[i].Hook.Account
	}
	accounts, err := tx.Accounts(ctx, owners)
	if err != nil {
		return err
	}
	for i := range work {
		w := &work[i]
		r := &run{
			hook: w.Hook, form: l.Forms[w.Hook.Surface], breaker: w.Breaker, began: c.Now, fresh: true,
			underWay: make(map[chat.DeliveryID]bool),
		}
		if !mayBeTold(accounts[w.Hook.Account]) {
			if err := drop(ctx, tx, w.Deliveries); err != nil {
				return err
			}
			w.Deliveries = nil
		}
		if err := l.cut(ctx, tx, c, r, w, got); err != nil {
			return err
		}
		r.unseen = len(w.Deliveries) >= c.Each
		if r.waiting, err = l.prepare(ctx, tx, &r.hook, w.Deliveries); err != nil {
			return err
		}
		if len(r.waiting) > 0 {
			got.runs = append(got.runs, r)
			continue
		}
		if err := tx.ReleaseHook(ctx, r.hook.ID, r.breaker); err != nil {
			return err
		}
	}
	return nil
}

// mayBeTold tells whether anything is to be told to an account live (AC 21.5).
func mayBeTold(a *chat.Account) bool {
	return a != nil && !a.Gone() && !a.Off() && a.Pause != chat.PauseFull
}

// drop takes off their queue the deliveries of an account that is not to be told of
// anything: messages wait in its inbox.
func drop(ctx context.Context, tx store.Tx, deliveries []chat.Delivery) error {
	for i := range deliveries {
		if err := tx.DeleteDelivery(ctx, deliveries[i].ID); err != nil {
			return err
		}
	}
	return nil
}

// cut drops what is too much of a queue. It only looks where the claim says that the
// queue may be long: there was as much as could be claimed, or something that has
// failed before.
func (l *loop) cut(ctx context.Context, tx store.Tx, c store.HookClaim, r *run, w *chat.HookWork, got *claimed) error {
	behind := len(w.Deliveries) >= c.Each ||
		slices.ContainsFunc(w.Deliveries, func(d chat.Delivery) bool { return d.Attempts > 0 })
	if r.form.Backlog == 0 || !behind {
		return nil
	}
	n, err := tx.DropQueue(ctx, r.hook.ID, r.form.Backlog)
	if err != nil {
		return err
	}
	if got.cut[r.hook.ID] = n; n == 0 {
		return nil
	}
	w.Deliveries, err = tx.DueDeliveries(ctx, r.hook.ID, c.Now, c.Each) // those that were claimed are gone
	return err
}

// prepare words deliveries that were not yet, and returns those that can be sent.
func (l *loop) prepare(ctx context.Context, tx store.Tx, h *chat.Hook, deliveries []chat.Delivery) ([]chat.Delivery, error) {
	ready := make([]chat.Delivery, 0, len(deliveries))
	for _, d := range deliveries {
		if d.Body == nil {
			var err error
			if d.Body, err = l.body(h, &d); err != nil {
				d.LastError = sentence(err)
				if err := tx.BuryDelivery(ctx, &d, l.Now()); err != nil {
					return nil, err
				}
				continue
			}
			if err := tx.SetDeliveryBody(ctx, d.ID, d.Body); err != nil {
				return nil, err
			}
		}
		ready = append(ready, d)
	}
	return ready, nil
}

// unclaimed lists up to n deliveries that are due to the hook of a run and not under
// way.
func (l *loop) unclaimed(ctx context.Context, rd store.Reader, r *run, n int) ([]chat.Delivery, error) {
	due, err := rd.DueDeliveries(ctx, r.hook.ID, l.Now(), n+len(r.underWay))
	due = slices.DeleteFunc(due, func(d chat.Delivery) bool { return r.underWay[d.ID] })
	return due[:min(n, len(due))], err
}

// add claims more for a run whose hook is claimed already.
func (l *loop) add(ctx context.Context, tx store.Tx, r *run, got *claimed) error {
	due, err := l.unclaimed(ctx, tx, r, runSize)
	if err != nil {
		return err
	}
	ready, err := l.prepare(ctx, tx, &r.hook, due)
	got.more[r] = ready
	return err
}
