package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

const (
	refreshRemembered = 30 * time.Second // how long a token that was used still leads to the new pair
	refreshTimeout    = 10 * time.Second
	refreshesKept     = 10_000
)

// refreshes makes everybody who shows the same refresh token get the same new pair:
// a browser with several tabs renews in all of them at once.
type refreshes struct {
	flight singleflight.Group

	mu    sync.Mutex
	pairs map[secret.Digest]refreshed
	order []secret.Digest // of pairs, the oldest first
}

type refreshed struct {
	pair *SignedIn
	at   time.Time
}

func newRefreshes() *refreshes { return &refreshes{pairs: make(map[secret.Digest]refreshed)} }

// find returns the pair that a token led to a moment ago, nil if there is none.
func (r *refreshes) find(token secret.Digest, now time.Time) *SignedIn {
	r.mu.Lock()
	defer r.mu.Unlock()
	if old, ok := r.pairs[token]; ok && now.Sub(old.at) < refreshRemembered {
		return old.pair
	}
	return nil
}

// keep remembers what a token led to, and forgets what is too old or too much.
func (r *refreshes) keep(token secret.Digest, pair *SignedIn, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pairs[token] = refreshed{pair, now}
	r.order = append(r.order, token)
	for len(r.order) > refreshesKept || now.Sub(r.pairs[r.order[0]].at) >= refreshRemembered {
		delete(r.pairs, r.order[0])
		r.order = r.order[1:]
	}
}

// RefreshSession trades a refresh token for a new pair and ends the old one (AC
// 22.1). The same token gives the same pair for 30 s. It fails with rate_limited,
// token_missing, token_invalid, account_off, and with refresh_down if it cannot be
// found out just now.
func (s *Service) RefreshSession(ctx context.Context, c Call, token string) (*SignedIn, error) {
	if err := s.take(rateRefresh, c.Bucket); err != nil {
		return nil, err
	}
	if token == "" {
		return nil, chat.Fail(chat.CodeTokenMissing)
	}
	digest := secret.DigestOf(token)
	result, err, _ := s.refreshes.flight.Do(string(digest[:]), func() (any, error) {
		// Others wait for it, too: it does not end with the first one's patience.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
		defer cancel()
		return s.refresh(ctx, digest)
	})
	if chat.CodeOf(err) == chat.CodeInternal {
		return nil, &chat.Error{Code: chat.CodeRefreshDown, Cause: err}
	}
	pair, _ := result.(*SignedIn)
	return pair, err
}

func (s *Service) refresh(ctx context.Context, token secret.Digest) (*SignedIn, error) {
	if old := s.refreshes.find(token, s.now()); old != nil {
		if _, err := s.resolve(ctx, old.Session); err != nil {
			return nil, err // it was ended in the meantime
		}
		return old, nil
	}
	pair := newPair()
	err := s.update(ctx, "refresh session", func(ctx context.Context, ch *change) error {
		c, err := ch.CredentialByDigest(ctx, token)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil || c.Kind != chat.CredentialRefresh || !c.Live(ch.at) {
			return chat.Fail(chat.CodeTokenInvalid)
		}
		if pair.Owner, err = ch.Account(ctx, c.Account); err != nil {
			return err
		}
		if pair.Owner.Off() {
			return chat.Fail(chat.CodeAccountOff)
		}
		if err := endPair(ctx, ch, c.Account, c.ID); err != nil {
			return err
		}
		return insertPair(ctx, ch, pair)
	})
	if err != nil {
		return nil, err
	}
	s.refreshes.keep(token, pair, s.now())
	return pair, nil
}
