package core

import (
	"context"
	"maps"
	"sync"
	"time"

	"parley/internal/chat"
)

// What an account shows of itself is what it chose through /api, if it did, and
// lasts until it chooses again. Else it is automatic: what its sockets say and what
// it announced through /v1 (AC 12). That is kept here, in memory, and every reader
// compares times, so what is shown changes on time without anything running; attend
// only tells the watchers of it a moment later. A restart begins with everybody
// offline, as it ends every socket.
const (
	presenceLife  = 5 * time.Minute // without a sign of life
	presenceGrace = 5 * time.Second // for a new socket after the last one
	attendEvery   = time.Second
)

// presences is who is there now.
type presences struct {
	mu sync.Mutex
	of map[chat.AccountID]*attendance
	// lapsing are those of them without a socket: they end by themselves.
	lapsing map[chat.AccountID]*attendance
	seen    map[chat.AccountID]time.Time // not stored yet
}

// attendance is the automatic presence of one account that is not just offline.
type attendance struct {
	sockets int
	status  chat.Status
	until   time.Time // reads as offline from then on
	leaving bool      // the last socket has gone and until is the end of the grace
}

func newPresences() *presences {
	return &presences{
		of:      make(map[chat.AccountID]*attendance),
		lapsing: make(map[chat.AccountID]*attendance),
		seen:    make(map[chat.AccountID]time.Time),
	}
}

// at is what an attendance, or none, shows at a time.
func (a *attendance) at(now time.Time) chat.Status {
	if a == nil || !now.Before(a.until) {
		return chat.StatusOffline
	}
	return a.status
}

// opened notes a socket and tells whether the status changed.
func (p *presences) opened(account chat.AccountID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[account] = now
	a := p.of[account]
	before := a.at(now)
	if a == nil {
		a = new(attendance)
		p.of[account] = a
	}
	if a.sockets == 0 && (!a.leaving || before == chat.StatusOffline) {
		a.status = chat.StatusOnline
	}
	a.sockets++
	a.leaving, a.until = false, now.Add(presenceLife)
	delete(p.lapsing, account)
	return a.status != before
}

// closed notes that a socket has gone. With the last one the account leaves.
func (p *presences) closed(account chat.AccountID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[account] = now
	a := p.of[account]
	if a == nil || a.sockets == 0 {
		return
	}
	if a.sockets--; a.sockets > 0 {
		return
	}
	if a.status == chat.StatusOffline {
		delete(p.of, account)
		return
	}
	a.leaving = true
	if end := now.Add(presenceGrace); end.Before(a.until) {
		a.until = end
	}
	p.lapsing[account] = a
}

// alive notes a sign of life of an account with a socket.
func (p *presences) alive(account chat.AccountID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[account] = now
	if a := p.of[account]; a != nil && a.sockets > 0 {
		a.until = now.Add(presenceLife)
	}
}

// announce takes the status that an account gives itself.
func (p *presences) announce(account chat.AccountID, status chat.Status, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[account] = now
	a := p.of[account]
	if a == nil {
		a = new(attendance)
		p.of[account] = a
	}
	a.status, a.leaving, a.until = status, false, now.Add(presenceLife)
	switch {
	case a.sockets > 0:
	case status == chat.StatusOffline:
		delete(p.of, account)
		delete(p.lapsing, account)
	default:
		p.lapsing[account] = a
	}
}

// lapsed takes out those whose presence has ended by itself.
func (p *presences) lapsed(now time.Time) []chat.AccountID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var gone []chat.AccountID
	for account, a := range p.lapsing {
		if !now.Before(a.until) {
			delete(p.of, account)
			delete(p.lapsing, account)
			gone = append(gone, account)
		}
	}
	return gone
}

// show is the presence of an account of which stored is in the database.
func (p *presences) show(account chat.AccountID, stored chat.Presence, now time.Time) chat.Presence {
	if stored.Chosen {
		return stored
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return chat.Presence{Status: p.of[account].at(now), Text: stored.Text}
}

// lastSeen is when an account was last seen, of which stored is in the database.
func (p *presences) lastSeen(account chat.AccountID, stored time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := p.seen[account]; at.After(stored) {
		return at
	}
	return stored
}

// unstored returns what the database does not know yet of who was seen when; stored
// tells that it does.
func (p *presences) unstored() map[chat.AccountID]time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen)
}

func (p *presences) stored(seen map[chat.AccountID]time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for account, at := range seen {
		if p.seen[account].Equal(at) {
			delete(p.seen, account)
		}
	}
}

// attend tells of presences that have ended by themselves, until ctx ends.
func (s *Service) attend(ctx context.Context) {
	tick := time.NewTicker(attendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.tellLapsed(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) tellLapsed(ctx context.Context) {
	s.tellPresence(ctx, true, s.live.lapsed(s.now())...)
}

// storeLastSeen writes down when accounts were seen since the last time.
func (s *Service) storeLastSeen(ctx context.Context) error {
	return inParts(s.live.unstored(), func(part map[chat.AccountID]time.Time) error {
		err := s.update(ctx, "store last seen", func(ctx context.Context, ch *change) error {
			return ch.TouchAccounts(ctx, part)
		})
		if err == nil {
			s.live.stored(part)
		}
		return err
	})
}
