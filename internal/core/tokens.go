package core

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
)

// maxTokens bounds the cache of resolved tokens. Beyond it, arbitrary entries go.
const maxTokens = 100_000

// resolved is what a token stands for.
type resolved struct {
	actor     Actor
	issuer    chat.Surface
	expiresAt time.Time // zero: never

	restricted bool         // by the trust rules: to be reconsidered
	judgedAt   atomic.Int64 // when that was done last, in Unix milliseconds
}

// tokenCache remembers what tokens stand for, so that a request does not ask the
// store. Only found tokens are kept. Whoever changes an account or ends a
// credential calls forget after the commit; a look-up that began before that may
// not store what it read, which generation sees to.
type tokenCache struct {
	mu         sync.RWMutex
	byDigest   map[secret.Digest]*resolved
	byAccount  map[chat.AccountID][]secret.Digest
	generation uint64
}

func newTokenCache() *tokenCache {
	return &tokenCache{
		byDigest:  make(map[secret.Digest]*resolved),
		byAccount: make(map[chat.AccountID][]secret.Digest),
	}
}

// get returns the entry, if any, and the generation to pass to put.
func (t *tokenCache) get(d secret.Digest) (*resolved, uint64) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byDigest[d], t.generation
}

// put stores what was read from the store when the generation was still the same.
func (t *tokenCache) put(d secret.Digest, r *resolved, generation uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.generation != generation {
		return
	}
	if _, ok := t.byDigest[d]; ok {
		return
	}
	for account := range t.byAccount {
		if len(t.byDigest) < maxTokens {
			break
		}
		t.drop(account)
	}
	t.byDigest[d] = r
	t.byAccount[r.actor.Account] = append(t.byAccount[r.actor.Account], d)
}

// forget drops everything known of an account.
func (t *tokenCache) forget(account chat.AccountID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.generation++
	t.drop(account)
}

func (t *tokenCache) drop(account chat.AccountID) {
	for _, d := range t.byAccount[account] {
		delete(t.byDigest, d)
	}
	delete(t.byAccount, account)
}

// lastUsed collects when credentials were used, until the janitor stores it.
type lastUsed struct {
	mu sync.Mutex
	at map[chat.CredentialID]time.Time
}

func newLastUsed() *lastUsed { return &lastUsed{at: make(map[chat.CredentialID]time.Time)} }

func (l *lastUsed) touch(id chat.CredentialID, at time.Time) {
	l.mu.Lock()
	l.at[id] = at
	l.mu.Unlock()
}

// take returns what was collected since the last time.
func (l *lastUsed) take() map[chat.CredentialID]time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.at
	l.at = make(map[chat.CredentialID]time.Time)
	return at
}
