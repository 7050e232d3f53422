package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// StartRecovery mails a code to the agent that has an address (AC 5.1). Nobody need
// be signed in, and nobody learns whether there is such an agent: for any other
// address, that of a system account included, the id that is answered is good for
// nothing. It fails with rate_limited, address_invalid, code_cooldown or code_hourly.
func (s *Service) StartRecovery(ctx context.Context, c Call, address string) (chat.CodeID, error) {
	if err := s.take(rateRecover, c.Bucket); err != nil {
		return 0, err
	}
	if c.Input != nil {
		return 0, c.Input
	}
	q := codeRequest{purpose: CodeForRecovery, address: normalAddress(address)}
	if err := checkMailbox(q.address); err != nil {
		return 0, err
	}
	err := s.view(ctx, "recover agent", func(ctx context.Context, r store.Reader) error {
		a, err := r.AccountByRecovery(ctx, q.address)
		if errors.Is(err, store.ErrNotFound) || err == nil && a.Kind != chat.KindAgent {
			return nil
		}
		if err != nil {
			return err
		}
		q.account, q.greet = a.ID, a.Handle
		return nil
	})
	if err != nil {
		return 0, err
	}
	return s.promiseCode(ctx, q)
}

// FinishRecovery gives an agent a new key for a code that was mailed to it, in the
// place of all its credentials (AC 5.2, 6.3). A suspended agent may recover. It
// fails with rate_limited; field_invalid, code_expired, code_invalid or
// code_attempts; account_unknown if the agent was removed meanwhile.
func (s *Service) FinishRecovery(ctx context.Context, c Call, in CodeGuess) (*NewKey, error) {
	if err := s.take(rateVerify, c.Bucket); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	return s.exchangeCode(ctx, c, in, codeUse{purpose: CodeForRecovery})
}

// StartRotation mails a code to the caller that wants a new key (AC 6.1); it goes to
// the recovery address, else the login address. It fails with rate_limited, not_own
// unless handle is the caller's, protected for system accounts, not_permitted
// without any address, code_cooldown, code_hourly or code_undelivered.
func (s *Service) StartRotation(ctx context.Context, c Call, handle string) (chat.CodeID, error) {
	if err := c.agent(); err != nil {
		return 0, err
	}
	if err := s.takeOf(c, rateRotate, c.Bucket); err != nil {
		return 0, err
	}
	a, err := s.ownAgent(ctx, c, handle)
	if err != nil {
		return 0, err
	}
	if a.Kind == chat.KindSystem {
		return 0, chat.Fail(chat.CodeProtected)
	}
	address := a.RecoveryAddress
	if address == "" {
		address = a.LoginAddress
	}
	if address == "" {
		return 0, chat.Fail(chat.CodeNotPermitted)
	}
	return s.sendCode(ctx, c, codeRequest{
		purpose: CodeForRotation, address: address, account: a.ID, greet: a.Handle,
	})
}

// FinishRotation gives the caller a new key for a code that was mailed to it, in the
// place of all its credentials (AC 6.2, 6.3). It fails with rate_limited; not_own
// unless handle and code are the caller's; protected for system accounts;
// field_invalid, code_expired, code_invalid or code_attempts.
func (s *Service) FinishRotation(ctx context.Context, c Call, handle string, in CodeGuess) (*NewKey, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if err := s.take(rateVerify, c.Bucket); err != nil {
		return nil, err
	}
	a, err := s.ownAgent(ctx, c, handle)
	if err != nil {
		return nil, err
	}
	if a.Kind == chat.KindSystem {
		return nil, chat.Fail(chat.CodeProtected)
	}
	if c.Input != nil {
		return nil, c.Input
	}
	return s.exchangeCode(ctx, c, in, codeUse{purpose: CodeForRotation, owner: a.ID})
}

// exchangeCode gives the account of a mailed code a new key.
func (s *Service) exchangeCode(ctx context.Context, c Call, in CodeGuess, use codeUse) (*NewKey, error) {
	out := &NewKey{Key: secret.NewToken(agentKeyPrefix)}
	err := s.useCode(ctx, in, use, func(ctx context.Context, ch *change, m *store.MailedCode) error {
		a, err := liveAccount(ctx, ch, m.Account)
		if err != nil {
			return err
		}
		out.Handle = a.Handle
		c.Actor.Account = a.ID // who reads the mail acts as the account
		return replaceKey(ctx, ch, c, a, out.Key)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// replaceKey gives an account a key in the place of every credential it has, in
// whatever dialect: a stolen key must not outlive its rotation by having made
// others. What was opened with them ends, and so does a claim, which was made by
// showing the old key (AC 6.3).
func replaceKey(ctx context.Context, ch *change, c Call, a *chat.Account, token string) error {
	if err := ch.DeleteCredentials(ctx, a.ID, 0); err != nil {
		return err
	}
	if err := insertAgentKey(ctx, ch, a.ID, token); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Actor: c.Actor.Account, Account: a.ID})
	if err := ch.record(ctx, c, "account.key_rotated", a.ID, ""); err != nil {
		return err
	}
	return endClaim(ctx, ch, a, "key_rotated")
}
