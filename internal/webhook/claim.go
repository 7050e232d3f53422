package webhook

import (
	"context"
	"fmt"

	"parley/internal/chat"
	"parley/internal/store"
)

// claim takes hooks that are due and makes their deliveries ready to be sent. Hooks
// that turn out to have nothing to send are let go in the same transaction.
func (l *loop) claim(ctx context.Context, tx store.Tx, c store.HookClaim) ([]*run, error) {
	work, err := tx.ClaimHooks(ctx, c)
	if err != nil || len(work) == 0 {
		return nil, err
	}
	owners := make([]chat.AccountID, len(work))
	for i := range work {
		owners[i] = work[i].Hook.Account
	}
	accounts, err := tx.Accounts(ctx, owners)
	if err != nil {
		return nil, err
	}
	var runs []*run
	for i := range work {
		w := &work[i]
		r := &run{hook: w.Hook, breaker: w.Breaker}
		if r.deliveries, err = l.prepare(ctx, tx, w, mayBeTold(accounts[w.Hook.Account])); err != nil {
			return nil, err
		}
		if len(r.deliveries) > 0 {
			runs = append(runs, r)
			continue
		}
		if err := tx.ReleaseHook(ctx, r.hook.ID, r.breaker, r.health); err != nil {
			return nil, err
		}
	}
	return runs, nil
}

// mayBeTold tells whether anything is to be told to an account live (AC 21.5).
func mayBeTold(a *chat.Account) bool {
	return a != nil && !a.Gone() && !a.Off() && a.Pause != chat.PauseFull
}

// prepare words the deliveries of a hook that were not yet, and returns those that
// can be sent. If its account is not to be told of anything, they are dropped:
// messages wait in its inbox.
func (l *loop) prepare(ctx context.Context, tx store.Tx, w *chat.HookWork, told bool) ([]chat.Delivery, error) {
	ready := make([]chat.Delivery, 0, len(w.Deliveries))
	for _, d := range w.Deliveries {
		if !told {
			if err := tx.DeleteDelivery(ctx, d.ID); err != nil {
				return nil, err
			}
			continue
		}
		if d.Body == nil {
			var err error
			if d.Body, err = l.body(&w.Hook, &d); err != nil {
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

// body words a delivery in the form of the surface that the hook was made through.
func (w *Worker) body(h *chat.Hook, d *chat.Delivery) ([]byte, error) {
	encoder := w.Encoders[h.Surface]
	if encoder == nil {
		return nil, errNoSurface(h)
	}
	return encoder.Body(d)
}

func errNoSurface(h *chat.Hook) error { return fmt.Errorf("%s is switched off", h.Surface) }
