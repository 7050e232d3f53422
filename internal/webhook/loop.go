package webhook

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// loop is what only the loop knows.
type loop struct {
	*Worker

	runs    int       // under way
	wakes   int       // under way
	ended   []outcome // not recorded yet
	next    time.Time // when a hook is due, as far as is known; zero: none is
	broken  bool      // the store has failed: a pause comes before the next try
	closing bool
}

// loop claims and records until Stop is called and all that was begun has ended.
func (w *Worker) loop() {
	l := &loop{Worker: w}
	stopping := w.stopping
	for {
		timer := time.NewTimer(l.nap())
		select {
		case o := <-l.outcomes:
			l.take(o)
		case <-l.queued:
		case <-timer.C:
		case <-stopping:
			stopping, l.closing = nil, true
		}
		timer.Stop()
		l.gather()
		l.turn()
		if l.closing && l.runs+l.wakes == 0 {
			return
		}
	}
}

// nap is how long there is nothing to do unless somebody says so.
func (l *loop) nap() time.Duration {
	if l.broken {
		return retryPause
	}
	nap := longestNap
	if l.closing {
		return nap
	}
	now := l.Now()
	if l.runs < maxRuns && !l.next.IsZero() {
		nap = min(nap, l.next.Sub(now))
	}
	if at := l.pokes.next(); l.wakes < maxWakes && !at.IsZero() {
		nap = min(nap, at.Sub(now))
	}
	return max(nap, 0)
}

// gather takes the outcomes that wait.
func (l *loop) gather() {
	for {
		select {
		case o := <-l.outcomes:
			l.take(o)
		default:
			return
		}
	}
}

// take decides what an outcome means. It is recorded by the next turn.
func (l *loop) take(o outcome) {
	switch {
	case o.run == nil:
		l.wakes--
		return
	case o.delivery == nil:
		l.runs--
	case o.err == nil:
		o.run.breaker = succeeded(o.run.breaker)
	case errors.Is(o.err, errAborted):
		return
	default:
		l.fail(&o)
	}
	l.ended = append(l.ended, o)
}

// fail decides when a delivery is tried again, if at all.
func (l *loop) fail(o *outcome) {
	d := o.delivery
	d.Attempts++
	d.LastError = sentence(o.err)
	wait, again := retryAfter(d.Attempts)
	d.NextAt, o.buried = o.at.Add(wait), !again
	wasOpen := !o.run.breaker.OpenUntil.IsZero()
	o.run.breaker = failed(o.run.breaker, o.at)
	l.Log.Debug("webhook delivery failed", "hook_id", d.Hook, "delivery_id", d.ID, "attempt", d.Attempts, "error", d.LastError)
	if o.buried {
		l.Log.Warn("webhook delivery given up", "hook_id", d.Hook, "delivery_id", d.ID, "error", d.LastError)
	}
	if !wasOpen && !o.run.breaker.OpenUntil.IsZero() {
		l.Log.Info("webhook put on hold after failures", "hook_id", d.Hook, "failures", o.run.breaker.Failures)
	}
}

// turn records what has ended and begins what is due.
func (l *loop) turn() {
	ctx := context.Background() // what is done is recorded, whoever is about to stop
	if !l.closing {
		l.wakeUp()
	}
	if len(l.ended) == 0 && !l.due(ctx) {
		return
	}
	begin, err := l.settle(ctx)
	if l.broken = err != nil; l.broken {
		l.Log.Error("webhook deliveries not recorded", "outcomes", len(l.ended), "error", err)
		return
	}
	l.ended = nil
	for _, r := range begin {
		l.runs++
		l.running.Go(func() { l.work(r) })
	}
}

// due tells whether a hook can be claimed, at the price of a read.
func (l *loop) due(ctx context.Context) bool {
	if l.closing || l.runs == maxRuns {
		return false
	}
	err := l.Store.View(ctx, func(ctx context.Context, r store.Reader) (err error) {
		l.next, err = r.NextDelivery(ctx)
		return err
	})
	if l.broken = err != nil; l.broken {
		l.Log.Error("queue of webhooks not read", "error", err)
		return false
	}
	return !l.next.IsZero() && !l.next.After(l.Now())
}

// settle records what has ended and claims what is due, in one transaction. What a
// receiver took is noted before that: should it fail in between, the receiver gets
// it twice, and no message is lost sight of.
func (l *loop) settle(ctx context.Context) (begin []*run, err error) {
	if taken := takenBy(l.ended); len(taken) > 0 {
		if err := l.core.DeliveredByHooks(ctx, taken); err != nil {
			return nil, err
		}
	}
	now := l.Now()
	claim := store.HookClaim{Now: now, Until: now.Add(lifetime), Hooks: maxRuns - l.runs, Each: runSize}
	err = l.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		for i := range l.ended {
			if err := l.ended[i].record(ctx, tx); err != nil {
				return err
			}
		}
		begin = nil
		if !l.closing && claim.Hooks > 0 {
			var err error
			if begin, err = l.claim(ctx, tx, claim); err != nil {
				return err
			}
		}
		var err error
		l.next, err = tx.NextDelivery(ctx)
		return err
	})
	return begin, err
}

// takenBy lists, by recipient, the messages that receivers took.
func takenBy(ended []outcome) map[chat.AccountID][]chat.MessageID {
	taken := make(map[chat.AccountID][]chat.MessageID)
	for _, o := range ended {
		if d := o.delivery; d != nil && o.err == nil && d.Event.Kind == chat.EventMessageCreated {
			taken[d.Account] = append(taken[d.Account], d.Event.Message.ID)
		}
	}
	return taken
}

// record stores what came of a delivery, or lets go of the hook.
func (o *outcome) record(ctx context.Context, tx store.Tx) error {
	switch {
	case o.delivery == nil:
		return tx.ReleaseHook(ctx, o.run.hook.ID, o.run.breaker, o.run.health)
	case o.err == nil:
		return tx.DeleteDelivery(ctx, o.delivery.ID)
	case o.buried:
		return tx.BuryDelivery(ctx, o.delivery, o.at)
	default:
		return tx.PostponeDelivery(ctx, o.delivery)
	}
}
