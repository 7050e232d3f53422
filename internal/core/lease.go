package core

import (
	"container/list"
	"context"
	"sync"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
)

// The numbers of AC 20. The bounds are ours: beyond them what ends soonest goes,
// which makes two programs of one agent answer the same message at worst.
const (
	leaseLife     = 600 * time.Second
	leaseShortest = 5 * time.Second
	leaseLongest  = 3_600 * time.Second
	claimLife     = 10 * time.Minute
	claimBatch    = 200 // messages of one call
	leaseName     = 200 // characters of a session, holder or message
	leasesPerOne  = 100
	claimsPerOne  = 5_000
)

// leases are which sessions of an agent are in the foreground, and which program
// of it answers which message (AC 20). They live in memory only.
type leases struct {
	mu    sync.Mutex
	desks map[chat.AccountID]*desk
}

func newLeases() *leases { return &leases{desks: make(map[chat.AccountID]*desk)} }

// desk is what one agent's programs have told each other. Its claims all live
// equally long, so queue has them in the order in which they end.
type desk struct {
	sessions map[string]time.Time     // when they end
	claims   map[string]*list.Element // of claim, by message
	queue    *list.List
}

type claim struct {
	message, holder string
	ends            time.Time
}

// at runs fn on an agent's desk as it stands at now.
func (l *leases) at(account chat.AccountID, now time.Time, fn func(d *desk)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.desks[account]
	if d == nil {
		d = &desk{sessions: make(map[string]time.Time), claims: make(map[string]*list.Element), queue: list.New()}
		l.desks[account] = d
	}
	d.clear(now)
	fn(d)
	if d.empty() {
		delete(l.desks, account)
	}
}

// sweep forgets what has ended.
func (l *leases) sweep(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for account, d := range l.desks {
		if d.clear(now); d.empty() {
			delete(l.desks, account)
		}
	}
}

func (d *desk) empty() bool { return len(d.sessions) == 0 && len(d.claims) == 0 }

// clear drops what has ended at now.
func (d *desk) clear(now time.Time) {
	for session, ends := range d.sessions {
		if !now.Before(ends) {
			delete(d.sessions, session)
		}
	}
	for e := d.queue.Front(); e != nil && !now.Before(e.Value.(*claim).ends); e = d.queue.Front() {
		d.drop(e)
	}
}

func (d *desk) drop(e *list.Element) {
	delete(d.claims, e.Value.(*claim).message)
	d.queue.Remove(e)
}

// hold puts a session into the foreground.
func (d *desk) hold(session string, ends time.Time) {
	d.sessions[session] = ends
	if len(d.sessions) <= leasesPerOne {
		return
	}
	var first string
	for other, at := range d.sessions {
		if other != session && (first == "" || at.Before(d.sessions[first])) {
			first = other
		}
	}
	delete(d.sessions, first)
}

// claim gives a message to a holder, unless another has it.
func (d *desk) claim(message, holder string, ends time.Time) bool {
	if e := d.claims[message]; e != nil {
		c := e.Value.(*claim)
		if c.holder != holder {
			return false
		}
		c.ends = ends
		d.queue.MoveToBack(e)
		return true
	}
	if len(d.claims) >= claimsPerOne {
		d.drop(d.queue.Front())
	}
	d.claims[message] = d.queue.PushBack(&claim{message, holder, ends})
	return true
}

// ShowActive tells whether a session of the caller is in the foreground.
func (s *Service) ShowActive(_ context.Context, c Call) (active bool, err error) {
	if err := c.agent(); err != nil {
		return false, err
	}
	s.leases.at(c.Actor.Account, s.now(), func(d *desk) { active = len(d.sessions) > 0 })
	return active, nil
}

// SetActive puts a session of the caller into the foreground for some seconds, 600
// if nothing is said, at least 5 and at most 3,600; it returns when that ends. All
// sessions without a name are one. It fails with field_length.
func (s *Service) SetActive(_ context.Context, c Call, session string, seconds chat.Opt[int64]) (time.Time, error) {
	if err := leaseInput(c, "session_id", session); err != nil {
		return time.Time{}, err
	}
	life := leaseLife
	if seconds.Present && !seconds.Null {
		bounded := min(max(seconds.Value, int64(leaseShortest/time.Second)), int64(leaseLongest/time.Second))
		life = time.Duration(bounded) * time.Second
	}
	now := s.now()
	ends := now.Add(life)
	s.leases.at(c.Actor.Account, now, func(d *desk) { d.hold(session, ends) })
	return ends, nil
}

// ClearActive takes a session of the caller out of the foreground and tells whether
// any is left there. It fails with field_length.
func (s *Service) ClearActive(_ context.Context, c Call, session string) (active bool, err error) {
	if err := leaseInput(c, "session_id", session); err != nil {
		return false, err
	}
	s.leases.at(c.Actor.Account, s.now(), func(d *desk) {
		delete(d.sessions, session)
		active = len(d.sessions) > 0
	})
	return active, nil
}

// ReplyClaim is a program of an agent that wants to be the one to answer.
type ReplyClaim struct {
	Messages []string // ids as clients have them; unknown ones will do
	Holder   string   // the program, in its own words
	Defer    bool     // not if a session is in the foreground
}

// ReplyClaims is how far a claim came.
type ReplyClaims struct {
	Claimed  int  // so many of the messages, from the first on
	Deferred bool // a session is in the foreground
}

// ClaimReply is ClaimReplies for a single message.
func (s *Service) ClaimReply(_ context.Context, c Call, in ReplyClaim) (ReplyClaims, error) {
	return s.claim(c, in, "message_id", 1)
}

// ClaimReplies gives messages to a holder for ten minutes, in order, up to the first
// that another holder has; its own it keeps for longer. It takes 1 to 200 messages.
// Its errors: field_required, field_length, field_invalid.
func (s *Service) ClaimReplies(_ context.Context, c Call, in ReplyClaim) (ReplyClaims, error) {
	return s.claim(c, in, "message_ids", claimBatch)
}

func (s *Service) claim(c Call, in ReplyClaim, field string, most int) (out ReplyClaims, err error) {
	if err := leaseInput(c, "holder", in.Holder); err != nil {
		return out, err
	}
	if in.Holder == "" {
		return out, chat.FailField(chat.CodeFieldRequired, "holder")
	}
	if len(in.Messages) == 0 || len(in.Messages) > most {
		return out, chat.FailField(chat.CodeFieldInvalid, field)
	}
	for _, m := range in.Messages {
		if n := utf8.RuneCountInString(m); n < 1 || n > leaseName {
			return out, chat.FailLength(field, 1, leaseName)
		}
	}
	now := s.now()
	s.leases.at(c.Actor.Account, now, func(d *desk) {
		if out.Deferred = in.Defer && len(d.sessions) > 0; out.Deferred {
			return
		}
		for _, m := range in.Messages {
			if !d.claim(m, in.Holder, now.Add(claimLife)) {
				return
			}
			out.Claimed++
		}
	})
	return out, nil
}

// leaseInput lets agents in whose input is right so far and whose name for a session
// or holder is not too long.
func leaseInput(c Call, field, name string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	if utf8.RuneCountInString(name) > leaseName {
		return chat.FailLength(field, 0, leaseName)
	}
	return nil
}
