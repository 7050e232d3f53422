package core

import (
	"context"
	"errors"
	"hash/maphash"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// Session is what a login gives.
type Session struct {
	Token     string // shown once
	ExpiresAt time.Time
	Account   *chat.Account
}

// Login checks a password and starts a session (OC 7.2). An unknown address and a
// wrong password are the same login_failed and take the same time. After ten
// failures of one client with one address in five minutes it is rate_limited,
// right or wrong, with the quota of that bucket; /ai counts attempts where they
// arrive instead (Admit), lets no agents in (AI 10.2), and answers somebody who is
// suspended with account_off.
//
// Attempts of one pair run one after the other, or many at once could guess more
// often than the limit says.
func (s *Service) Login(ctx context.Context, c Call, bucket, address, password string) (*Session, error) {
	if c.Input != nil {
		return nil, c.Input
	}
	address = normalAddress(address)
	l := limits(c.Surface)
	pair := bucket + " " + address
	turn := s.loginTurns[maphash.String(s.seed, pair)%uint64(len(s.loginTurns))]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, chat.Internal("log in", ctx.Err())
	}
	if l.PairedLogin && !s.limitsOff {
		if q := s.logins.Peek(s.now(), pair, loginFailures); q.Remaining == 0 {
			return nil, limited(q, s.now())
		}
	}
	a, err := s.checkLogin(ctx, address, password)
	if err == nil && l.PeopleOnly {
		switch {
		case a.Kind != chat.KindHuman:
			err = chat.Fail(chat.CodeLoginFailed)
		case a.Off(): // a session would open nothing here
			err = chat.Fail(chat.CodeAccountOff)
		}
	}
	if l.PairedLogin && chat.CodeOf(err) == chat.CodeLoginFailed {
		s.logins.Take(s.now(), pair, loginFailures)
	}
	if err != nil {
		return nil, err
	}
	return s.startSession(ctx, c.Surface, a.ID)
}

// checkLogin finds the account whose login address and password these are.
func (s *Service) checkLogin(ctx context.Context, address, password string) (*chat.Account, error) {
	var a *chat.Account
	var hash string
	err := s.view(ctx, "log in", func(ctx context.Context, r store.Reader) error {
		var err error
		if a, err = r.AccountByLogin(ctx, address); err != nil {
			return err
		}
		hash, err = r.PasswordHash(ctx, a.ID)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil || hash == "" {
		if err := s.hasher.VerifyNothing(ctx, password); err != nil {
			return nil, chat.Internal("check password", err)
		}
		return nil, chat.Fail(chat.CodeLoginFailed)
	}
	ok, err := s.hasher.Verify(ctx, hash, password)
	if err != nil {
		return nil, chat.Internal("check password", err)
	}
	if !ok {
		return nil, chat.Fail(chat.CodeLoginFailed)
	}
	return a, nil
}

// startSession issues a session in the form of a surface and ends the oldest
// ones beyond the cap.
func (s *Service) startSession(ctx context.Context, surface chat.Surface, account chat.AccountID) (*Session, error) {
	l := limits(surface)
	out := &Session{Token: secret.NewToken(sessionPrefix(surface))}
	err := s.update(ctx, "start session", func(ctx context.Context, ch *change) error {
		var err error
		if out.Account, err = ch.Account(ctx, account); err != nil {
			return err
		}
		if out.Account.Gone() {
			return chat.Fail(chat.CodeLoginFailed)
		}
		now := s.now()
		sessions, err := ch.Credentials(ctx, account, chat.CredentialSession)
		if err != nil {
			return err
		}
		live := 0
		for _, old := range sessions { // newest first
			if old.Issuer != surface {
				continue
			}
			if old.Live(now) {
				live++
			}
			if live < l.SessionCap && old.Live(now) {
				continue
			}
			if err := revoke(ctx, ch, old); err != nil {
				return err
			}
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		out.ExpiresAt = now.Add(l.SessionLife)
		return ch.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(n), Account: account, Kind: chat.CredentialSession, Issuer: surface,
			Prefix: out.Token[:keyPrefixLength], CreatedAt: now, ExpiresAt: out.ExpiresAt,
		}, secret.DigestOf(out.Token))
	})
	if err != nil {
		return nil, err
	}
	out.Account.Presence = s.PresenceOf(out.Account)
	return out, nil
}

// Logout ends the session that makes the call: session_required for a key. Where only
// people log in, only they log out: token_invalid for anybody else (AI 10.3).
func (s *Service) Logout(ctx context.Context, c Call) error {
	allowed := c.signedInWhileOff
	if limits(c.Surface).PeopleOnly {
		allowed = c.human
	}
	if err := allowed(); err != nil {
		return err
	}
	if c.Actor.Kind != chat.CredentialSession {
		return chat.Fail(chat.CodeSessionRequired)
	}
	return s.update(ctx, "log out", func(ctx context.Context, ch *change) error {
		err := revoke(ctx, ch, &chat.Credential{ID: c.Actor.Credential, Account: c.Actor.Account})
		if errors.Is(err, store.ErrNotFound) {
			return nil // ended in the same moment by somebody else
		}
		return err
	})
}

// revoke ends one credential and what was opened with it.
func revoke(ctx context.Context, ch *change, c *chat.Credential) error {
	if err := ch.DeleteCredential(ctx, c.ID); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Account: c.Account, Credential: c.ID})
	return nil
}
