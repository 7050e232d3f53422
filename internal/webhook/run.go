package webhook

import (
	"errors"
	"slices"
	"time"

	"parley/internal/chat"
)

// run is a claimed hook and what is to be sent there. It belongs to the loop: an
// attempt has a copy of the hook, and a delivery until it hands back the outcome.
type run struct {
	hook    chat.Hook // as last seen
	form    Form
	breaker chat.Breaker
	health  chat.HookHealth // of the hook as last seen, not recorded yet
	began   time.Time
	fresh   bool // claimed by this very turn of the loop

	waiting  []chat.Delivery // not begun
	underWay map[chat.DeliveryID]bool
	stopped  bool // nothing more is to begin

	// While not all attempts that may be under way are, there may be more to claim: at
	// once, or when a delivery that failed is due again.
	unseen bool
	later  []time.Time
}

// over tells whether nothing is left to do but to let the hook go.
func (r *run) over() bool { return len(r.underWay) == 0 && (r.stopped || len(r.waiting) == 0) }

// hungry tells whether the run could do more than was claimed for it.
func (r *run) hungry() bool {
	return !r.stopped && len(r.waiting) == 0 && len(r.underWay) > 0 && len(r.underWay) < r.form.AtOnce
}

// seeks tells whether there may be something to claim for a run.
func (r *run) seeks(now time.Time) bool {
	return r.hungry() && (r.unseen || slices.ContainsFunc(r.later, func(t time.Time) bool { return !t.After(now) }))
}

// sought notes that what was due at a time was looked for; more says that not all of
// it was taken.
func (r *run) sought(now time.Time, more bool) {
	r.unseen = more
	r.later = slices.DeleteFunc(r.later, func(t time.Time) bool { return !t.After(now) })
}

// begin starts the attempts that are to be under way by now.
func (l *loop) begin() {
	for _, r := range l.runs {
		if l.closing || !r.fresh && l.Now().Sub(r.began) > runTime {
			r.stopped = true
		}
		for l.room(r) {
			l.start(r)
		}
		r.fresh = false
	}
}

// room tells whether another attempt of a run may begin. The first of each is sure to
// find room, so receivers that hang keep nobody else's waiting.
func (l *loop) room(r *run) bool {
	return !r.stopped && len(r.waiting) > 0 && len(r.underWay) < r.form.AtOnce &&
		(len(r.underWay) == 0 || l.spare > 0)
}

func (l *loop) start(r *run) {
	o := outcome{run: r, delivery: &r.waiting[0], hook: r.hook}
	fresh := r.fresh
	r.waiting = r.waiting[1:]
	if len(r.underWay) > 0 {
		l.spare--
	}
	r.underWay[o.delivery.ID] = true
	l.running.Go(func() {
		l.carry(&o, fresh)
		l.outcomes <- o
	})
}

// take decides what an outcome means. It is recorded by the next turn.
func (l *loop) take(o outcome) {
	r := o.run
	if r == nil {
		l.wakes--
		return
	}
	delete(r.underWay, o.delivery.ID)
	if len(r.underWay) > 0 {
		l.spare++
	}
	if o.hook.UpdatedAt.After(r.hook.UpdatedAt) {
		r.hook, r.health = o.hook, chat.HookHealth{}
	}
	switch {
	case errors.Is(o.err, errAborted), errors.Is(o.err, errOver):
		r.stopped = true
		return
	case o.err == nil:
		if r.form.Breaker {
			r.breaker = succeeded(r.breaker)
		}
	default:
		l.fail(&o)
	}
	r.note(&o)
	l.ended = append(l.ended, o)
}

// fail decides when a delivery is tried again, if at all.
func (l *loop) fail(o *outcome) {
	r, d := o.run, o.delivery
	d.Attempts++
	d.LastError = sentence(o.err)
	wait, again := r.form.retryAfter(d.Attempts, l.Random())
	var known *failure
	if r.form.Final && errors.As(o.err, &known) && known.final {
		again = false
	}
	d.NextAt, o.buried = o.at.Add(wait).Truncate(time.Millisecond), !again
	l.Log.Debug("webhook delivery failed", "hook_id", d.Hook, "delivery_id", d.ID, "attempt", d.Attempts, "error", d.LastError)
	if o.buried {
		l.Log.Warn("webhook delivery given up", "hook_id", d.Hook, "delivery_id", d.ID, "error", d.LastError)
	} else {
		r.later = append(r.later, d.NextAt)
	}
	if !r.form.Breaker {
		return
	}
	wasOpen := !r.breaker.OpenUntil.IsZero()
	r.breaker = failed(r.breaker, o.at)
	r.stopped = true // the breaker decides what comes next
	if !wasOpen && !r.breaker.OpenUntil.IsZero() {
		l.Log.Info("webhook put on hold after failures", "hook_id", d.Hook, "failures", r.breaker.Failures)
	}
}

// note adds an outcome to how the hook fares, unless it was moved since the attempt
// began.
func (r *run) note(o *outcome) {
	if !r.form.Health || !o.hook.UpdatedAt.Equal(r.hook.UpdatedAt) {
		return
	}
	var known *failure
	switch {
	case o.err == nil:
		r.health.LastSuccessAt = o.at
	case errors.As(o.err, &known): // what is wrong here is no business of the owner's
		r.health.LastFailureAt, r.health.LastError = o.at, known.kind
	}
}
