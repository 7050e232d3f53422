package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// BlockAccount keeps an account from writing to the caller, and the caller from
// writing to it; blocking it again changes nothing (AC 10.6). One that is removed or
// may not act can be blocked, too. It fails with account_unknown, self or protected.
func (s *Service) BlockAccount(ctx context.Context, c Call, handle string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	return s.perform(ctx, c, "block account", nil, func(ctx context.Context, ch *change) error {
		target, err := accused(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		if err := block(ctx, ch, c, target); err != nil {
			return err
		}
		return judge(ctx, ch, target, c.Surface)
	})
}

// accused reads the account that the caller blocks or reports.
func accused(ctx context.Context, r store.Reader, c Call, handle string) (*chat.Account, error) {
	target, err := givenTo(ctx, r, handle)
	if err != nil {
		return nil, err
	}
	if target.ID == c.Actor.Account {
		return nil, chat.Fail(chat.CodeSelf)
	}
	if target.Kind == chat.KindSystem {
		return nil, chat.Fail(chat.CodeProtected)
	}
	return target, nil
}

// block stores a block and tells the one who is blocked, unless it is there.
func block(ctx context.Context, ch *change, c Call, target *chat.Account) error {
	e := store.Edge{Owner: c.Actor.Account, Target: target.ID}
	if _, err := ch.Block(ctx, e); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := ch.SetBlock(ctx, e, ch.at, true); err != nil {
		return err
	}
	if !target.Gone() {
		who, err := profiles(ctx, ch, []chat.AccountID{e.Owner})
		if err != nil {
			return err
		}
		by := who(e.Owner)
		ch.emit(chat.Event{
			Kind: chat.EventAccountBlocked, Actor: e.Owner, Account: e.Target, By: &by, Recipients: []chat.AccountID{e.Target},
		})
	}
	return ch.record(ctx, c, "account.blocked", e.Target, "")
}

// UnblockAccount takes back the caller's own block; what it led to stays (AC 10.7).
// It fails with block_unknown.
func (s *Service) UnblockAccount(ctx context.Context, c Call, handle string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	return s.perform(ctx, c, "unblock account", nil, func(ctx context.Context, ch *change) error {
		a, err := ch.AccountByHandle(ctx, handle)
		if err == nil {
			_, err = ch.Block(ctx, store.Edge{Owner: c.Actor.Account, Target: a.ID})
		}
		if a, err = known(a, err, chat.CodeBlockUnknown); err != nil {
			return err
		}
		return ch.SetBlock(ctx, store.Edge{Owner: c.Actor.Account, Target: a.ID}, ch.at, false)
	})
}
