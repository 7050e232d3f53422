package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// evidenceKept is how many of the target's last messages to the reporter go with a
// report.
const evidenceKept = 20

// ReportAccount notes a complaint for the operator, with what the target last wrote
// to the caller, and blocks the target (AC 10.8). It fails with account_unknown,
// self, protected, field_length or reported: an account can be reported once by the
// same caller, ever.
func (s *Service) ReportAccount(ctx context.Context, c Call, handle, reason string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	if err := checkNote("reason", reason); err != nil {
		return err
	}
	return s.perform(ctx, c, "report account", nil, func(ctx context.Context, ch *change) error {
		target, err := accused(ctx, ch, c, handle)
		if err != nil {
			return err
		}
		if err := report(ctx, ch, c, target, reason); err != nil {
			return err
		}
		if err := block(ctx, ch, c, target); err != nil {
			return err
		}
		return judge(ctx, ch, target, c.Surface)
	})
}

// report stores a report with its evidence.
func report(ctx context.Context, ch *change, c Call, target *chat.Account, reason string) error {
	_, err := ch.Report(ctx, store.Edge{Owner: c.Actor.Account, Target: target.ID})
	if err == nil {
		return chat.Fail(chat.CodeReported)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	evidence, err := ch.Evidence(ctx, store.Edge{Owner: target.ID, Target: c.Actor.Account}, evidenceKept)
	if err != nil {
		return err
	}
	id, err := ch.NextID(ctx, 1)
	if err != nil {
		return err
	}
	err = ch.InsertReport(ctx, &store.Report{
		ID: id, Reporter: c.Actor.Account, Target: target.ID, Reason: reason, Evidence: evidence, CreatedAt: ch.at,
	})
	if err != nil {
		return err
	}
	return ch.record(ctx, c, "account.reported", target.ID, "")
}
