package core

import (
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// maxCounts bounds how many recipients are remembered; beyond it all are
// forgotten and counted anew.
const maxCounts = 100_000

// pendingCounts remembers how many envelopes wait for a guarded recipient. It is
// a hint: near the thresholds, and when it is old, the store counts.
type pendingCounts struct {
	mu sync.Mutex
	of map[chat.AccountID]pendingCount
}

type pendingCount struct {
	n         int
	countedAt time.Time
}

func newPendingCounts() *pendingCounts {
	return &pendingCounts{of: make(map[chat.AccountID]pendingCount)}
}

// trusted tells whether the hint is good enough to decide by.
func (p *pendingCounts) trusted(account chat.AccountID, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.of[account]
	return ok && c.n < backlogExact && now.Sub(c.countedAt) < pendingTrust
}

func (p *pendingCounts) get(account chat.AccountID) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.of[account].n
}

// counted stores what the store counted, plus what the batch added since.
func (p *pendingCounts) counted(account chat.AccountID, n int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.of) >= maxCounts {
		clear(p.of)
	}
	p.of[account] = pendingCount{n: n, countedAt: now}
}

// add moves a hint that is there.
func (p *pendingCounts) add(account chat.AccountID, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c, ok := p.of[account]; ok {
		c.n = max(c.n+n, 0)
		p.of[account] = c
	}
}

// forget makes the next send to the account count.
func (p *pendingCounts) forget(account chat.AccountID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, account)
}

// waiting is the number of envelopes that wait for a guarded recipient, as this
// batch has to see it.
func waiting(f *store.SendFacts, hints *pendingCounts, account chat.AccountID) int {
	if n, ok := f.Pending[account]; ok {
		return n
	}
	n := hints.get(account)
	f.Pending[account] = n
	return n
}
