package webhook

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	wakeEvery = 30 * time.Second // one account is woken at most so often (AC 7.5)
	maxWakes  = 16               // under way at once
	maxPokes  = 10_000           // accounts that are remembered; others are woken by their next message
	// wakeCount is where the count of messages that wait stops.
	wakeCount = store.PendingLimit
)

// pokes are the messages that accounts are to be woken for. A message that comes too
// soon after a wake waits, and a newer one takes its place.
type pokes struct {
	mu      sync.Mutex
	waiting map[chat.AccountID]chat.Event
	resting map[chat.AccountID]time.Time // woken before: not again until then
}

func newPokes() *pokes {
	return &pokes{waiting: make(map[chat.AccountID]chat.Event), resting: make(map[chat.AccountID]time.Time)}
}

// Wake tells an account's wake webhook of a message, unless the account has fetched
// it or opened a socket by the time it is its turn. It is not tried again.
func (w *Worker) Wake(account chat.AccountID, message chat.Event) {
	if w.pokes.add(account, message) {
		w.Queued()
	}
}

func (p *pokes) add(account chat.AccountID, message chat.Event) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, waits := p.waiting[account]; !waits && len(p.waiting) >= maxPokes {
		return false
	}
	p.waiting[account] = message
	return true
}

// take hands out up to n messages whose accounts have rested, which begin another
// rest.
func (p *pokes) take(now time.Time, n int) map[chat.AccountID]chat.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.resting) >= maxPokes {
		for account, until := range p.resting {
			if !until.After(now) {
				delete(p.resting, account)
			}
		}
	}
	taken := make(map[chat.AccountID]chat.Event)
	for account, message := range p.waiting {
		if len(taken) == n {
			break
		}
		if !p.resting[account].After(now) {
			delete(p.waiting, account)
			p.resting[account] = now.Add(wakeEvery)
			taken[account] = message
		}
	}
	return taken
}

// unrest lets an account be woken at once by its next message: it was not woken.
func (p *pokes) unrest(account chat.AccountID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.resting, account)
}

// next is when take has something to hand out; zero: nothing waits.
func (p *pokes) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first time.Time
	for account := range p.waiting {
		at := p.resting[account]
		if at.IsZero() {
			at = time.UnixMilli(0)
		}
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// wakeUp begins the wakes that are due.
func (l *loop) wakeUp() {
	for account, message := range l.pokes.take(l.Now(), maxWakes-l.wakes) {
		l.wakes++
		l.running.Go(func() {
			l.wake(account, message)
			l.outcomes <- outcome{}
		})
	}
}

// wake sends one.
func (w *Worker) wake(account chat.AccountID, message chat.Event) {
	hook, d, err := w.wakeCall(account, message)
	if err != nil && w.attempts.Err() == nil {
		w.Log.Warn("wake webhook not looked up", "account_id", account, "error", err)
	}
	if hook == nil {
		w.pokes.unrest(account)
		return
	}
	secret, err := w.core.HookSecret(hook)
	if err == nil {
		if d.Body, err = w.body(hook, d); err == nil {
			err = w.attempt(hook, d, secret)
		}
	}
	if err != nil {
		w.Log.Debug("wake webhook failed", "hook_id", hook.ID, "error", sentence(err))
	}
}

// wakeCall is what to send where; a nil hook: nothing, after all.
func (w *Worker) wakeCall(account chat.AccountID, message chat.Event) (hook *chat.Hook, d *chat.Delivery, err error) {
	if w.core.Connected(account) {
		return nil, nil, nil
	}
	err = w.Store.View(w.attempts, func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, account)
		if err != nil || !mayBeTold(a) {
			return err
		}
		waiting, err := r.PendingCount(ctx, account, wakeCount)
		if err != nil || waiting == 0 {
			return err
		}
		hooks, err := r.HooksOf(ctx, []chat.AccountID{account})
		for i := range hooks {
			if hooks[i].Events.Has(chat.HookWake) {
				hook = &hooks[i]
				d = &chat.Delivery{
					// No row has such an id: it only tells this call from others.
					ID:   chat.DeliveryID(1<<62 | rand.Int64N(1<<62)),
					Hook: hook.ID, Account: account, Event: message, CreatedAt: w.Now(),
					Wake: &chat.Wake{Handle: a.Handle, Waiting: waiting},
				}
			}
		}
		return err
	})
	return hook, d, err
}
