package core

import (
	"context"
	"time"

	"parley/internal/chat"
)

// Hooks sends events to webhooks. Its methods are called after the commit, on the
// path of whoever made the change: they return at once.
type Hooks interface {
	// Queued says that deliveries were queued.
	Queued()
	// Wake says that a message came for an account with a wake webhook and no open
	// socket (AC 7.5).
	Wake(account chat.AccountID, message chat.Event)
}

// noHooks is for a core without webhooks: what is queued waits.
type noHooks struct{}

// Queued does nothing.
func (noHooks) Queued() {}

// Wake does nothing.
func (noHooks) Wake(chat.AccountID, chat.Event) {}

// outbox is what one change has for webhooks.
type outbox struct {
	deliveries []chat.Delivery // stored with the change
	pokes      []poke          // told after it
}

// poke is a message for an account that wants to be woken.
type poke struct {
	account chat.AccountID
	message chat.Event
}

// add queues an event, now, for those of an account's hooks that listen to it; file is
// that of its message, if there is one.
func (o *outbox) add(e *chat.Event, file *chat.Attachment, a *chat.Account, hooks []chat.Hook, now time.Time) {
	slim := *e
	slim.Recipients, slim.Quiet = []chat.AccountID{a.ID}, nil
	for _, h := range hooks {
		if h.Account == a.ID && h.Events.Has(chat.HookEvent(e.Kind)) && shown(e, h.Surface) {
			o.deliveries = append(o.deliveries, chat.Delivery{
				Hook: h.ID, Account: a.ID, Event: slim, File: file, NextAt: now, CreatedAt: now,
			})
		}
	}
	if wakes(e, a) {
		o.pokes = append(o.pokes, poke{account: a.ID, message: slim})
	}
}

// shown tells whether a surface shows what an event tells of: in /ai there are no
// system messages, and no conversations with system accounts.
func shown(e *chat.Event, surface chat.Surface) bool {
	if surface != chat.SurfaceAIClient || e.Message == nil {
		return true
	}
	return e.Message.Kind != chat.MessageSystem && (e.Group != nil || e.By == nil || e.By.Kind != chat.KindSystem)
}

// and returns both together.
func (o outbox) and(other outbox) outbox {
	return outbox{append(o.deliveries, other.deliveries...), append(o.pokes, other.pokes...)}
}

// deliver queues the event of a message for the webhooks of a recipient who is to
// be told of it live.
func (r *sendRun) deliver(e *chat.Event, recipient *chat.Account) {
	if listens(e, recipient) {
		r.out.add(e, r.facts.Attachments[e.Message.Attachment], recipient, r.facts.Hooks[recipient.ID], r.now)
	}
}

// tellHooks says what a committed change had for webhooks.
func (s *Service) tellHooks(o outbox) {
	if len(o.deliveries) > 0 {
		s.hooks.Queued()
	}
	for _, p := range o.pokes {
		if !s.Connected(p.account) {
			s.hooks.Wake(p.account, p.message)
		}
	}
}

// listens tells whether any webhook of an account is to be told of an event.
func listens(e *chat.Event, a *chat.Account) bool {
	if a.Gone() || a.Off() {
		return false
	}
	bit := chat.HookEvent(e.Kind)
	return bit != 0 && a.Hooks.Has(bit) || wakes(e, a)
}

func wakes(e *chat.Event, a *chat.Account) bool {
	return e.Kind == chat.EventMessageCreated && a.Hooks.Has(chat.HookWake)
}

// wrote tells whether an account is the author of the message that an event is of:
// it is told of it neither by sockets nor by webhooks.
func wrote(e *chat.Event, account chat.AccountID) bool {
	return e.Message != nil && e.Message.Author == account
}

// mutable tells whether mutes keep events of a kind away (AC 11).
func mutable(k chat.EventKind) bool {
	return k == chat.EventMessageCreated || k == chat.EventTypingStarted || k == chat.EventTypingStopped
}

// address finds out who is not to be told live of the events of a change, and
// queues them for the webhooks of those who are.
func (c *change) address(ctx context.Context) error {
	accounts, err := c.recipients(ctx)
	if err != nil || len(accounts) == 0 {
		return err
	}
	muted, err := c.muted(ctx, accounts)
	if err != nil {
		return err
	}
	type listener struct {
		event   *chat.Event
		account *chat.Account
	}
	var listeners []listener
	var owners []chat.AccountID
	for i := range c.events {
		e := &c.events[i]
		quiet := make(map[chat.AccountID]bool, len(e.Quiet))
		for _, id := range e.Quiet {
			quiet[id] = true
		}
		for _, id := range e.Recipients {
			switch a := accounts[id]; {
			case a == nil || quiet[id] || wrote(e, id):
			case a.Pause == chat.PauseFull || muted(e, id):
				e.Quiet = append(e.Quiet, id)
			case listens(e, a):
				listeners, owners = append(listeners, listener{e, a}), append(owners, id)
			}
		}
	}
	hooks, err := c.HooksOf(ctx, owners)
	if err != nil {
		return err
	}
	for _, l := range listeners {
		c.out.add(l.event, nil, l.account, hooks, c.at)
	}
	return c.Enqueue(ctx, c.out.deliveries)
}

// recipients loads all who are named as recipients of the events of a change.
func (c *change) recipients(ctx context.Context) (map[chat.AccountID]*chat.Account, error) {
	var ids []chat.AccountID
	for i := range c.events {
		ids = append(ids, c.events[i].Recipients...)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	return c.Accounts(ctx, ids)
}

// muted returns a function that tells who has muted the source of an event.
func (c *change) muted(
	ctx context.Context, accounts map[chat.AccountID]*chat.Account,
) (func(e *chat.Event, account chat.AccountID) bool, error) {
	asked := false
	for i := range c.events {
		asked = asked || mutable(c.events[i].Kind)
	}
	var muting []chat.AccountID
	for id, a := range accounts {
		if asked && a.Muting {
			muting = append(muting, id)
		}
	}
	mutes, err := c.Mutes(ctx, muting)
	if err != nil {
		return nil, err
	}
	of := make(map[chat.AccountID][]chat.Mute, len(muting))
	for _, m := range mutes {
		of[m.Owner] = append(of[m.Owner], m)
	}
	return func(e *chat.Event, account chat.AccountID) bool {
		return mutable(e.Kind) && silenced(of[account], e, c.at)
	}, nil
}

// silenced tells whether one of an account's mutes keeps an event away.
func silenced(mutes []chat.Mute, e *chat.Event, now time.Time) bool {
	for i := range mutes {
		m := &mutes[i]
		from := m.Kind == chat.MuteAccount && m.Target == int64(e.Actor) ||
			m.Kind == chat.MuteConversation && m.Target == int64(e.Conversation)
		if from && m.Active(now) {
			return true
		}
	}
	return false
}
