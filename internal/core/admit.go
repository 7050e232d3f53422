package core

import (
	"context"
	"errors"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/ratelimit"
	"parley/internal/secret"
	"parley/internal/store"
)

// Knock is a request before anything is known about it.
type Knock struct {
	Surface chat.Surface
	Bucket  string // the client address as rate limits see it
	Token   string // "" if there was none
	// Anonymous requests count by address even with a valid key, such as
	// registration and login.
	Anonymous bool
	// Also is what the request counts as besides, where the surface has a limit for
	// it (AI 6).
	Also Counted
}

// Counted is what some requests count as besides being requests.
type Counted uint8

// What there is.
const (
	CountsNothing Counted = iota
	CountsLogin           // by client address, whatever comes of it
	CountsSend            // by agent, once it is known and may act
)

// Admission is what Admit found out.
type Admission struct {
	Actor Actor
	// Denied says why Actor is nobody: token_missing or token_invalid. It
	// matters only to routes that need an account.
	Denied error
	// Quota is of the limit that the request counted against last.
	Quota chat.Quota
}

// Admit counts a request against its rate limit and finds out who makes it. It
// fails with rate_limited or with internal; the quota is known all the same.
func (s *Service) Admit(ctx context.Context, k Knock) (Admission, error) {
	now := s.now()
	var a Admission
	who, err := s.resolve(ctx, k.Token)
	if err == nil && who.restricted {
		who, err = s.reconsider(ctx, k, who)
	}
	if err == nil {
		a.Actor = who.actor
		s.used.touch(who.actor.Credential, now)
	} else {
		a.Denied = err
	}

	l := limits(k.Surface)
	key, limit := k.Bucket, l.RequestsPerAddress
	switch {
	case a.Denied != nil || k.Anonymous:
	case l.RequestsPerAgent > 0 && who.actor.Is != chat.KindHuman:
		key, limit = "a"+accountKey(who.actor.Account), l.RequestsPerAgent
	case l.RequestsPerKey > 0 && who.actor.Kind == chat.CredentialKey:
		key, limit = "k"+strconv.FormatInt(int64(who.actor.Credential), 36), l.RequestsPerKey
	}
	if s.limitsOff || limit == 0 {
		a.Quota = unlimited(now, limit, time.Minute)
	} else {
		q := s.requests[k.Surface].Take(now, key, limit)
		a.Quota = quota(q)
		if !q.OK {
			return a, limited(q, now)
		}
	}
	if chat.CodeOf(a.Denied) == chat.CodeInternal {
		return a, a.Denied
	}
	switch {
	case k.Also == CountsLogin:
		return a, s.countAlso(&a, rateLogins, k.Bucket)
	case k.Also == CountsSend && a.Denied == nil && a.Actor.Is != chat.KindHuman && !a.Actor.off:
		return a, s.countAlso(&a, rateSendRequests, accountKey(a.Actor.Account))
	}
	return a, nil
}

// countAlso counts a request against a further limit.
func (s *Service) countAlso(a *Admission, which rate, key string) error {
	now, limit := s.now(), s.rates.specs[which].limit
	if s.limitsOff {
		a.Quota = unlimited(now, limit, s.rates.specs[which].window)
		return nil
	}
	q := s.rates.limiters[which].Take(now, key, limit)
	a.Quota = quota(q)
	if !q.OK {
		return limited(q, now)
	}
	return nil
}

// PeekQuota tells what a client address has left for requests without a key, and
// counts nothing.
func (s *Service) PeekQuota(surface chat.Surface, bucket string) chat.Quota {
	limit := limits(surface).RequestsPerAddress
	if s.limitsOff {
		return unlimited(s.now(), limit, time.Minute)
	}
	return quota(s.requests[surface].Peek(s.now(), bucket, limit))
}

// unlimited is the quota shown while limits are off.
func unlimited(now time.Time, limit int, window time.Duration) chat.Quota {
	return chat.Quota{Limit: limit, Remaining: limit, Reset: now.Truncate(window).Add(window)}
}

// resolve finds out whose token it is.
func (s *Service) resolve(ctx context.Context, token string) (*resolved, error) {
	if token == "" {
		return nil, chat.Fail(chat.CodeTokenMissing)
	}
	digest := secret.DigestOf(token)
	r, generation := s.tokens.get(digest)
	if r == nil {
		var err error
		if r, err = s.readToken(ctx, digest); err != nil {
			return nil, err
		}
		s.tokens.put(digest, r, generation)
	}
	if !r.expiresAt.IsZero() && !s.now().Before(r.expiresAt) {
		return nil, chat.Fail(chat.CodeTokenInvalid)
	}
	return r, nil
}

func (s *Service) readToken(ctx context.Context, digest secret.Digest) (*resolved, error) {
	var r *resolved
	err := s.store.View(ctx, func(ctx context.Context, v store.Reader) error {
		c, err := v.CredentialByDigest(ctx, digest)
		if err != nil {
			return err
		}
		a, err := v.Account(ctx, c.Account)
		if err != nil {
			return err
		}
		if a.Gone() || c.Kind == chat.CredentialRefresh { // which renews and does nothing else
			return store.ErrNotFound
		}
		r = &resolved{
			actor: Actor{
				Account: a.ID, Credential: c.ID, Kind: c.Kind, Is: a.Kind, off: a.Off(), enforced: a.Enforced && !a.Disabled,
			},
			issuer:     c.Issuer,
			expiresAt:  c.ExpiresAt,
			restricted: a.State == chat.StateRestricted && a.Enforced,
		}
		return nil
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, chat.Fail(chat.CodeTokenInvalid)
	}
	if err != nil {
		return nil, chat.Internal("resolve token", err)
	}
	return r, nil
}

// limited is the refusal of a rate limit.
func limited(q ratelimit.Quota, now time.Time) *chat.Error {
	facts := quota(q)
	return &chat.Error{
		Code: chat.CodeRateLimited, Quota: &facts,
		RetryAfter: time.Duration(q.RetryAfter(now)) * time.Second,
	}
}

func quota(q ratelimit.Quota) chat.Quota {
	return chat.Quota{Limit: q.Limit, Remaining: q.Remaining, Reset: q.Reset}
}
