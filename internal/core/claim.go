package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// Claim is what a person brings who wants to watch over an agent.
type Claim struct {
	Key       string // of the agent
	UserAgent string // for the audit trail of the agent
}

// ClaimAgent makes the caller the owner of the agent that has a key (AC 22.2). It
// fails with rate_limited, per client address; key_unknown for what is no key of a
// live agent, a system agent's included; claimed if the agent has an owner, be it
// the caller; claim_attempts after five of those in ten minutes. Who made an agent
// owns it, so that cannot be claimed either.
func (s *Service) ClaimAgent(ctx context.Context, c Call, in Claim) (*chat.Account, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if err := s.take(rateClaims, c.Bucket); err != nil {
		return nil, err
	}
	a, err := s.agentByKey(ctx, in.Key)
	if err != nil {
		return nil, err
	}
	failures := accountKey(a.ID)
	if err := s.spent(rateClaimFailures, failures); err != nil {
		return nil, claimRefused(err)
	}
	taken := false
	err = s.update(ctx, "claim agent", func(ctx context.Context, ch *change) error {
		var err error
		// Again, in the order of writing: the key may have gone since.
		if a, err = agentByKey(ctx, ch, in.Key); err != nil {
			return err
		}
		if taken = a.Owned != chat.OwnedByNobody; taken {
			return ch.record(ctx, c, "account.claim_attempted", a.ID,
				auditDetail("ip", c.Remote.String(), "user_agent", in.UserAgent))
		}
		if _, err := liveAccount(ctx, ch, c.Actor.Account); err != nil {
			return err
		}
		a.Owner, a.Owned, a.OwnedAt = c.Actor.Account, chat.OwnedByClaim, ch.at
		if err := ch.UpdateAccount(ctx, a); err != nil {
			return err
		}
		ch.emit(chat.Event{
			Kind: chat.EventOwnerChanged, Actor: c.Actor.Account, Account: a.ID, Recipients: []chat.AccountID{c.Actor.Account},
		})
		return ch.record(ctx, c, "account.claimed", a.ID, "")
	})
	if err != nil {
		return nil, err
	}
	if taken {
		if err := s.take(rateClaimFailures, failures); err != nil {
			return nil, claimRefused(err)
		}
		return nil, chat.Fail(chat.CodeClaimed)
	}
	return a, nil
}

// claimRefused words the refusal of a rate limit as that of claims.
func claimRefused(err error) error {
	var e *chat.Error
	if errors.As(err, &e) {
		return &chat.Error{Code: chat.CodeClaimAttempts, RetryAfter: e.RetryAfter}
	}
	return err
}

func (s *Service) agentByKey(ctx context.Context, key string) (*chat.Account, error) {
	var a *chat.Account
	err := s.view(ctx, "find agent by key", func(ctx context.Context, r store.Reader) error {
		var err error
		a, err = agentByKey(ctx, r, key)
		return err
	})
	return a, err
}

// agentByKey reads the live agent that has a key: key_unknown if there is none.
func agentByKey(ctx context.Context, r store.Reader, key string) (*chat.Account, error) {
	credential, err := r.CredentialByDigest(ctx, secret.DigestOf(key))
	if credential, err = known(credential, err, chat.CodeKeyUnknown); err != nil {
		return nil, err
	}
	if credential.Kind != chat.CredentialKey {
		return nil, chat.Fail(chat.CodeKeyUnknown)
	}
	a, err := r.Account(ctx, credential.Account)
	if a, err = known(a, err, chat.CodeKeyUnknown); err != nil {
		return nil, err
	}
	if a.Gone() || a.Kind != chat.KindAgent {
		return nil, chat.Fail(chat.CodeKeyUnknown)
	}
	return a, nil
}

// ReleaseAgent ends the caller's claim on an agent and lets it go on if it was
// paused (AC 22.2). It fails with account_unknown, and with not_permitted for an
// agent that the caller made.
func (s *Service) ReleaseAgent(ctx context.Context, c Call, handle string) error {
	if err := c.human(); err != nil {
		return err
	}
	return s.update(ctx, "release agent", func(ctx context.Context, ch *change) error {
		a, err := ownedAgent(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		released, err := release(ctx, ch, a)
		if err != nil {
			return err
		}
		if !released {
			return chat.Fail(chat.CodeNotPermitted)
		}
		return ch.record(ctx, c, "account.released", a.ID, "")
	})
}
