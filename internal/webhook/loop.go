package webhook

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// loop is what only the loop knows.
type loop struct {
	*Worker

	runs    []*run               // hooks that are claimed
	spare   int                  // attempts that may begin beside the one that each run is sure of
	wakes   int                  // under way
	ended   []outcome            // not recorded yet
	next    time.Time            // when a hook is due, as far as is known; zero: none is
	cutting map[chat.HookID]bool // hooks whose queue was too long when it was last looked at
	broken  bool                 // the store has failed: a pause comes before the next try
	closing bool
}

// loop claims and records until Stop is called and all that was begun has ended.
func (w *Worker) loop() {
	l := &loop{Worker: w, spare: maxAttempts - maxRuns, cutting: make(map[chat.HookID]bool)}
	stopping := w.stopping
	for {
		timer := time.NewTimer(l.nap())
		select {
		case o := <-l.outcomes:
			l.take(o)
		case <-l.queued:
			for _, r := range l.runs {
				r.unseen = true
			}
		case <-timer.C:
		case <-stopping:
			stopping, l.closing = nil, true
		}
		timer.Stop()
		l.gather()
		l.turn()
		if l.closing && l.idle() {
			return
		}
	}
}

// idle tells whether nothing is under way.
func (l *loop) idle() bool {
	return l.wakes == 0 && !slices.ContainsFunc(l.runs, func(r *run) bool { return len(r.underWay) > 0 })
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
	if len(l.runs) < maxRuns && !l.next.IsZero() {
		nap = min(nap, l.next.Sub(now))
	}
	for _, r := range l.runs {
		if r.hungry() {
			for _, at := range r.later {
				nap = min(nap, at.Sub(now))
			}
		}
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

// turn records what has ended and begins what is due.
func (l *loop) turn() {
	ctx := context.Background() // what is done is recorded, whoever is about to stop
	if !l.closing {
		l.wakeUp()
	}
	l.begin()
	if len(l.ended) == 0 && !slices.ContainsFunc(l.runs, (*run).over) && !l.due(ctx) {
		return
	}
	got, err := l.settle(ctx)
	if l.broken = err != nil; l.broken {
		l.Log.Error("webhook deliveries not recorded", "outcomes", len(l.ended), "error", err)
		return
	}
	l.settled(got)
	l.begin()
}

// due tells whether there is something to claim, at the price of a read.
func (l *loop) due(ctx context.Context) bool {
	if l.closing {
		return false
	}
	now, found := l.Now(), false
	err := l.Store.View(ctx, func(ctx context.Context, rd store.Reader) (err error) {
		for _, r := range l.runs {
			if !r.seeks(now) {
				continue
			}
			more, err := l.unclaimed(ctx, rd, r, 1)
			if err != nil {
				return err
			}
			if len(more) == 0 {
				r.sought(now, false)
			}
			found = found || len(more) > 0
		}
		l.next, err = rd.NextDelivery(ctx)
		return err
	})
	if l.broken = err != nil; l.broken {
		l.Log.Error("queue of webhooks not read", "error", err)
		return false
	}
	return found || len(l.runs) < maxRuns && !l.next.IsZero() && !l.next.After(now)
}

// settle records what has ended and claims what is due, in one transaction. What a
// receiver took is noted before that: should it fail in between, the receiver gets
// it twice, and no message is lost sight of.
func (l *loop) settle(ctx context.Context) (got *claimed, err error) {
	if taken := takenBy(l.ended); len(taken) > 0 {
		if err := l.core.DeliveredByHooks(ctx, taken); err != nil {
			return nil, err
		}
	}
	err = l.Store.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := l.record(ctx, tx); err != nil {
			return err
		}
		got = &claimed{more: make(map[*run][]chat.Delivery), cut: make(map[chat.HookID]int)}
		if !l.closing {
			if err := l.claimAll(ctx, tx, got); err != nil {
				return err
			}
		}
		var err error
		l.next, err = tx.NextDelivery(ctx)
		return err
	})
	return got, err
}

// record stores what came of deliveries and how hooks fared, and lets go of those that
// are done with.
func (l *loop) record(ctx context.Context, tx store.Tx) error {
	for i := range l.ended {
		if err := l.ended[i].record(ctx, tx); err != nil {
			return err
		}
	}
	for _, r := range l.runs {
		if r.health != (chat.HookHealth{}) {
			fared := r.hook
			fared.Health = r.health
			if err := tx.NoteHealth(ctx, &fared); err != nil {
				return err
			}
		}
		if r.over() {
			if err := tx.ReleaseHook(ctx, r.hook.ID, r.breaker); err != nil {
				return err
			}
		}
	}
	return nil
}

// claimAll claims what is due: for runs that have room, and of hooks that nobody has.
func (l *loop) claimAll(ctx context.Context, tx store.Tx, got *claimed) error {
	now, free := l.Now(), maxRuns
	for _, r := range l.runs {
		if !r.over() {
			free--
		}
		if r.seeks(now) {
			if err := l.add(ctx, tx, r, got); err != nil {
				return err
			}
		}
	}
	if free == 0 {
		return nil
	}
	return l.claim(ctx, tx, store.HookClaim{Now: now, Until: now.Add(lifetime), Hooks: free, Each: runSize}, got)
}

// settled takes over what was recorded and claimed.
func (l *loop) settled(got *claimed) {
	l.ended = nil
	l.runs = slices.DeleteFunc(l.runs, (*run).over)
	now := l.Now()
	for _, r := range l.runs {
		r.health = chat.HookHealth{}
		if more, sought := got.more[r]; sought {
			r.waiting = more
			r.sought(now, len(more) >= runSize)
		}
	}
	l.runs = append(l.runs, got.runs...)
	for hook, n := range got.cut {
		if n > 0 && !l.cutting[hook] {
			l.Log.Info("oldest webhook deliveries dropped", "hook_id", hook, "dropped", n)
		}
		if l.cutting[hook] = n > 0; n == 0 {
			delete(l.cutting, hook)
		}
	}
}

// takenBy lists, by recipient, the messages that receivers took.
func takenBy(ended []outcome) map[chat.AccountID][]chat.MessageID {
	taken := make(map[chat.AccountID][]chat.MessageID)
	for _, o := range ended {
		if d := o.delivery; o.err == nil && d.Event.Kind == chat.EventMessageCreated {
			taken[d.Account] = append(taken[d.Account], d.Event.Message.ID)
		}
	}
	return taken
}

// record stores what came of a delivery.
func (o *outcome) record(ctx context.Context, tx store.Tx) error {
	switch {
	case o.err == nil:
		return tx.DeleteDelivery(ctx, o.delivery.ID)
	case o.buried:
		return tx.BuryDelivery(ctx, o.delivery, o.at)
	default:
		return tx.PostponeDelivery(ctx, o.delivery)
	}
}
