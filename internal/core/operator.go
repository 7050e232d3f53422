package core

import (
	"context"
	"errors"
	"math"
	"strings"

	"parley/internal/chat"
	"parley/internal/store"
)

// Operations of the operator. They need no account: whoever reaches the admin
// socket or holds the data folder may use them. Each leaves an audit entry.

// audit notes an act of the operator in the transaction that does it.
func (s *Service) audit(ctx context.Context, ch *change, act string, target chat.AccountID, detail string) error {
	return ch.Audit(ctx, store.AuditEntry{
		At: s.now(), Act: act, Target: target, Surface: chat.SurfaceOperator, Detail: detail,
	})
}

// AddAccount makes an account of any kind for the operator. It fails as Register
// does.
func (s *Service) AddAccount(ctx context.Context, kind chat.AccountKind, in Registration) (*chat.Account, error) {
	a, err := s.createAccount(ctx, chat.SurfaceOpenCord, kind, in)
	if err != nil {
		return nil, err
	}
	err = s.update(ctx, "add account", func(ctx context.Context, ch *change) error {
		return s.audit(ctx, ch, "account.create", a.ID, a.Username)
	})
	return a, err
}

// Accounts lists accounts with ids above after, ascending, without removed ones.
func (s *Service) Accounts(ctx context.Context, after chat.AccountID, limit int) ([]*chat.Account, error) {
	var list []*chat.Account
	err := s.view(ctx, "list accounts", func(ctx context.Context, r store.Reader) error {
		var err error
		list, err = r.AccountList(ctx, after, limit)
		return err
	})
	return list, err
}

// FindAccount finds an account by username, handle or login address:
// account_unknown if there is none. Names win over handles, which others may have
// been given for the same word.
func (s *Service) FindAccount(ctx context.Context, word string) (*chat.Account, error) {
	var a *chat.Account
	err := s.view(ctx, "find account", func(ctx context.Context, r store.Reader) error {
		word = strings.TrimSpace(word)
		for _, find := range []func() (*chat.Account, error){
			func() (*chat.Account, error) { return r.AccountByNameKey(ctx, NameKey(word)) },
			func() (*chat.Account, error) { return r.AccountByLogin(ctx, normalAddress(word)) },
			func() (*chat.Account, error) {
				return r.AccountByHandle(ctx, strings.ToLower(strings.TrimPrefix(word, "@")))
			},
		} {
			found, err := find()
			if err == nil && !found.Gone() {
				a = found
				return nil
			}
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		return chat.Fail(chat.CodeAccountUnknown)
	})
	return a, err
}

// Suspend takes an account out of service, or puts it back. It acts on the
// account's next request and ends what it has open; its keys and sessions stay.
func (s *Service) Suspend(ctx context.Context, account chat.AccountID, on bool) (*chat.Account, error) {
	act, state := "account.reinstate", chat.StateActive
	if on {
		act, state = "account.suspend", chat.StateSuspended
	}
	return s.operate(ctx, act, account, chat.EventAccountState, func(_ context.Context, _ *change, a *chat.Account) error {
		a.State, a.Enforced = state, false
		return nil
	})
}

// SetGuard turns the guard of an account on or off. Turning it on marks the
// envelopes that wait as delivered: an account that was open never drained them.
func (s *Service) SetGuard(ctx context.Context, account chat.AccountID, on bool) (*chat.Account, error) {
	act := "account.guard off"
	if on {
		act = "account.guard on"
	}
	defer s.pending.forget(account)
	return s.operate(ctx, act, account, chat.EventAccountUpdated, func(ctx context.Context, ch *change, a *chat.Account) error {
		if on && !a.Guarded {
			if _, err := ch.Acknowledge(ctx, account, chat.MessageID(math.MaxInt64), s.now()); err != nil {
				return err
			}
		}
		a.Guarded = on
		return nil
	})
}

// operate changes one account for the operator, notes it and tells of it.
func (s *Service) operate(ctx context.Context, act string, account chat.AccountID, kind chat.EventKind, apply func(context.Context, *change, *chat.Account) error) (*chat.Account, error) {
	var a *chat.Account
	err := s.update(ctx, act, func(ctx context.Context, ch *change) error {
		var err error
		if a, err = liveAccount(ctx, ch, account); err != nil {
			return err
		}
		if err := apply(ctx, ch, a); err != nil {
			return err
		}
		if err := ch.UpdateAccount(ctx, a); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: kind, Account: account})
		return s.audit(ctx, ch, act, account, "")
	})
	return a, err
}

// SetPassword replaces a password and ends the account's sessions; its keys stay.
func (s *Service) SetPassword(ctx context.Context, account chat.AccountID, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, password)
	if err != nil {
		return chat.Internal("hash password", err)
	}
	return s.update(ctx, "set password", func(ctx context.Context, ch *change) error {
		a, err := liveAccount(ctx, ch, account)
		if err != nil {
			return err
		}
		if a.LoginAddress == "" {
			return chat.FailField(chat.CodeFieldInvalid, "login address")
		}
		if err := ch.SetPasswordHash(ctx, account, hash); err != nil {
			return err
		}
		sessions, err := ch.Credentials(ctx, account, chat.CredentialSession)
		if err != nil {
			return err
		}
		for _, session := range sessions {
			if err := revoke(ctx, ch, session); err != nil {
				return err
			}
		}
		return s.audit(ctx, ch, "account.password", account, "")
	})
}

// AccountKeys lists the keys of an account, of every surface, newest first.
func (s *Service) AccountKeys(ctx context.Context, account chat.AccountID) ([]*chat.Credential, error) {
	var keys []*chat.Credential
	err := s.view(ctx, "list keys", func(ctx context.Context, r store.Reader) error {
		if _, err := liveAccount(ctx, r, account); err != nil {
			return err
		}
		var err error
		keys, err = r.Credentials(ctx, account, chat.CredentialKey)
		return err
	})
	return keys, err
}

// IssueKey makes a key of the /api form for an account; the token is returned
// here and nowhere else.
func (s *Service) IssueKey(ctx context.Context, account chat.AccountID, name string) (*chat.Credential, string, error) {
	l := limits(chat.SurfaceOpenCord)
	label, err := trimmed("name", name, 1, l.KeyName)
	if err != nil {
		return nil, "", err
	}
	k, token, err := s.issueKey(ctx, chat.SurfaceOpenCord, account, label)
	if err != nil {
		return nil, "", err
	}
	err = s.update(ctx, "issue key", func(ctx context.Context, ch *change) error {
		return s.audit(ctx, ch, "key.issue", account, k.Prefix)
	})
	return k, token, err
}

// EndKey ends one key of an account, whichever surface issued it.
func (s *Service) EndKey(ctx context.Context, account chat.AccountID, key chat.CredentialID) error {
	return s.update(ctx, "end key", func(ctx context.Context, ch *change) error {
		keys, err := ch.Credentials(ctx, account, chat.CredentialKey)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.ID == key {
				if err := revoke(ctx, ch, k); err != nil {
					return err
				}
				a, err := liveAccount(ctx, ch, account)
				if err != nil {
					return err
				}
				if err := endClaim(ctx, ch, a, "key_revoked"); err != nil {
					return err
				}
				return s.audit(ctx, ch, "key.end", account, k.Prefix)
			}
		}
		return chat.Fail(chat.CodeCredentialUnknown)
	})
}
