package core

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// The trust rules move accounts between active, restricted and suspended by what
// those say whom they wrote to first (AC 21.4). They leave alone what an operator
// set, and never lift a suspension: that is an operator's act.
const (
	restrictBlocks = 15 // in restrictWindow
	restrictWindow = 24 * time.Hour

	suspendBlocks  = 50 // in suspendWindow
	suspendReports = 10
	suspendWindow  = 7 * 24 * time.Hour

	// verdictLife is how long a restricted account is not looked at again.
	verdictLife = time.Minute
)

// complaints are what counts against an account, up to the thresholds.
type complaints struct {
	recentBlocks int // in restrictWindow
	blocks       int // in suspendWindow
	reports      int // in suspendWindow
}

// verdict is the state that complaints call for.
func verdict(c complaints) chat.AccountState {
	switch {
	case c.blocks >= suspendBlocks || c.reports >= suspendReports:
		return chat.StateSuspended
	case c.recentBlocks >= restrictBlocks:
		return chat.StateRestricted
	default:
		return chat.StateActive
	}
}

// judged tells whether the trust rules may move an account.
func judged(a *chat.Account) bool {
	if a.Kind == chat.KindSystem {
		return false
	}
	return a.State == chat.StateActive || a.State == chat.StateRestricted && a.Enforced
}

// complaintsAgainst counts what counts against an account.
func complaintsAgainst(
	ctx context.Context, r store.Reader, account chat.AccountID, now time.Time,
) (c complaints, err error) {
	if c.recentBlocks, err = r.BlocksAgainst(ctx, account, now.Add(-restrictWindow), restrictBlocks); err != nil {
		return c, err
	}
	if c.blocks, err = r.BlocksAgainst(ctx, account, now.Add(-suspendWindow), suspendBlocks); err != nil {
		return c, err
	}
	c.reports, err = r.ReportsAgainst(ctx, account, now.Add(-suspendWindow), suspendReports)
	return c, err
}

// judge moves an account to the state that the complaints against it call for, in
// the transaction that changes them.
func judge(ctx context.Context, ch *change, a *chat.Account, surface chat.Surface) error {
	if !judged(a) {
		return nil
	}
	against, err := complaintsAgainst(ctx, ch, a.ID, ch.at)
	if err != nil {
		return err
	}
	from, to := a.State, verdict(against)
	if from == to {
		return nil
	}
	a.State, a.Enforced, a.UpdatedAt = to, true, ch.at
	if err := ch.UpdateAccount(ctx, a); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventAccountState, Account: a.ID})
	return ch.Audit(ctx, store.AuditEntry{
		At: ch.at, Act: "account.status_changed", Target: a.ID, Surface: surface,
		Detail: auditDetail("from", from.String(), "to", to.String()),
	})
}

// reconsider judges a restricted account that makes a request, at most once a
// minute, and returns what its token stands for then (AC 3.2). If that cannot be
// found out now, the account stays as it is.
func (s *Service) reconsider(ctx context.Context, k Knock, who *resolved) (*resolved, error) {
	now := s.now()
	last := who.judgedAt.Load()
	if now.UnixMilli()-last < verdictLife.Milliseconds() || !who.judgedAt.CompareAndSwap(last, now.UnixMilli()) {
		return who, nil
	}
	stands := true
	err := s.view(ctx, "reconsider restriction", func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, who.actor.Account)
		if err != nil || !judged(a) {
			return err
		}
		against, err := complaintsAgainst(ctx, r, a.ID, now)
		stands = verdict(against) == a.State
		return err
	})
	if err == nil && stands {
		return who, nil
	}
	if err == nil {
		err = s.update(ctx, "reconsider restriction", func(ctx context.Context, ch *change) error {
			a, err := ch.Account(ctx, who.actor.Account)
			if err != nil {
				return err
			}
			return judge(ctx, ch, a, k.Surface)
		})
	}
	if err != nil {
		if ctx.Err() == nil {
			s.log.WarnContext(ctx, "restriction not reconsidered", "account_id", who.actor.Account, "error", err)
		}
		return who, nil
	}
	return s.resolve(ctx, k.Token)
}
