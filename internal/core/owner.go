package core

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// agentsShown is how many agents of one person are listed.
const agentsShown = 1_000

// endClaim ends what a person has over an agent by having shown its key, because
// the key changed or the agent is gone (AC 6.3, 7.3). It stores and changes a; an
// agent that nobody claimed, or that its owner made, stays as it is. reason goes
// into the audit entry.
func endClaim(ctx context.Context, ch *change, a *chat.Account, reason string) error {
	ended, err := release(ctx, ch, a)
	if err != nil || !ended {
		return err
	}
	return ch.Audit(ctx, store.AuditEntry{
		At: ch.at, Actor: a.ID, Act: "account.claim_revoked", Target: a.ID, Surface: chat.SurfaceAgentChat,
		Detail: auditDetail("reason", reason),
	})
}

// release takes a claimed agent from its owner and tells whether it had one. What
// the owner stopped goes on: nobody else could let it (AC 22.2).
func release(ctx context.Context, ch *change, a *chat.Account) (bool, error) {
	if a.Owned != chat.OwnedByClaim {
		return false, nil
	}
	owner, paused := a.Owner, a.Pause != chat.PauseNone
	a.Owner, a.Owned, a.OwnedAt, a.Pause = 0, chat.OwnedByNobody, time.Time{}, chat.PauseNone
	if err := ch.UpdateAccount(ctx, a); err != nil {
		return false, err
	}
	ch.emit(chat.Event{Kind: chat.EventOwnerChanged, Account: a.ID, Recipients: []chat.AccountID{owner}})
	if paused {
		ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Account: a.ID, Pause: new(chat.PauseNone)})
	}
	return true, nil
}

// endClaimsOf ends all claims of a person who is being removed.
func endClaimsOf(ctx context.Context, ch *change, owner chat.AccountID) error {
	for {
		agents, err := ch.OwnedBy(ctx, owner, agentsShown)
		if err != nil {
			return err
		}
		ended := 0
		for _, a := range agents {
			if a.Owned != chat.OwnedByClaim {
				continue
			}
			if err := endClaim(ctx, ch, a, "owner_deleted"); err != nil {
				return err
			}
			ended++
		}
		if ended == 0 || len(agents) < agentsShown {
			return nil
		}
	}
}

// ownedAgent reads an agent of the caller. One of somebody else's is as unknown as
// one that is not there (AC 2.15).
func ownedAgent(ctx context.Context, r store.Reader, c Call, handle string) (*chat.Account, error) {
	a, err := r.AccountByHandle(ctx, handle)
	if a, err = known(a, err, chat.CodeAccountUnknown); err != nil {
		return nil, err
	}
	if a.Gone() || a.Owned == chat.OwnedByNobody || a.Owner != c.Actor.Account {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return a, nil
}

// Dashboard is a person and their agents, made and claimed alike.
type Dashboard struct {
	Owner  *chat.Account
	Agents []*chat.Account // in the order they were made
}

// ShowOwner returns the person who calls (AC 22.1).
func (s *Service) ShowOwner(ctx context.Context, c Call) (*chat.Account, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	return s.account(ctx, c.Actor.Account)
}

// ShowDashboard returns the person who calls and their agents, at most 1,000 (AC
// 22.1, 22.2).
func (s *Service) ShowDashboard(ctx context.Context, c Call) (*Dashboard, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	var d Dashboard
	err := s.view(ctx, "read dashboard", func(ctx context.Context, r store.Reader) error {
		var err error
		if d.Owner, err = liveAccount(ctx, r, c.Actor.Account); err != nil {
			return err
		}
		d.Agents, err = r.OwnedBy(ctx, c.Actor.Account, agentsShown)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &d, nil
}

// ShowOwnedAgent returns one agent of the caller: account_unknown for all others
// (AC 22.3).
func (s *Service) ShowOwnedAgent(ctx context.Context, c Call, handle string) (*chat.Account, error) {
	var found *chat.Account
	err := s.watch(ctx, "read agent", c, handle, func(_ context.Context, _ store.Reader, a *chat.Account) error {
		found = a
		return nil
	})
	return found, err
}

// PauseAgent moves the owner's switch on an agent of the caller; none lets it go
// on (AC 3.3, 22.3). It fails with account_unknown or the held input error.
func (s *Service) PauseAgent(ctx context.Context, c Call, handle string, mode chat.Pause) (*chat.Account, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	var a *chat.Account
	err := s.update(ctx, "pause agent", func(ctx context.Context, ch *change) error {
		var err error
		if a, err = ownedAgent(ctx, ch, c, handle); err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		if a.Pause == mode {
			return nil
		}
		a.Pause = mode
		if err := ch.UpdateAccount(ctx, a); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Actor: c.Actor.Account, Account: a.ID, Pause: &mode})
		if mode == chat.PauseNone {
			return ch.record(ctx, c, "account.unpaused", a.ID, "")
		}
		word := "send"
		if mode == chat.PauseFull {
			word = "full"
		}
		return ch.record(ctx, c, "account.paused", a.ID, auditDetail("mode", word))
	})
	return a, err
}
