package core

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// What the operator may write on an escalation, in characters.
const (
	escalationNote     = 2_000
	escalationOperator = 100
)

// EscalationView is a request for help and who made it.
type EscalationView struct {
	chat.Escalation
	By chat.Profile
}

// EscalationPage asks for escalations.
type EscalationPage struct {
	Statuses []chat.EscalationStatus // those wanted; none: all
	Before   time.Time               // only those made strictly before; zero: until now
	BeforeID chat.EscalationID       // only those older than this one; 0: all
	Limit    int
}

// ListEscalations lists requests for help, the newest first, for whoever the
// dialect has found to be the operator (AC 24.4).
func (s *Service) ListEscalations(ctx context.Context, c Call, q EscalationPage) ([]EscalationView, error) {
	if c.Input != nil {
		return nil, c.Input
	}
	var views []EscalationView
	err := s.view(ctx, "list escalations", func(ctx context.Context, r store.Reader) error {
		list, err := r.Escalations(ctx, store.EscalationQuery(q))
		if err != nil {
			return err
		}
		views, err = escalationViews(ctx, r, list...)
		return err
	})
	return views, err
}

// EscalationChange is what the operator does with a request for help.
type EscalationChange struct {
	Status   chat.EscalationStatus
	Note     chat.Opt[string] // null clears
	Operator string           // who does it
}

// UpdateEscalation moves a request for help on, for whoever the dialect has found to
// be the operator (AC 24.4). It fails with field_required, field_length and
// escalation_unknown.
func (s *Service) UpdateEscalation(ctx context.Context, c Call, id chat.EscalationID, in EscalationChange) (*EscalationView, error) {
	if c.Input != nil {
		return nil, c.Input
	}
	operator, err := trimmed("X-Ops-Operator", in.Operator, 1, escalationOperator)
	if err != nil {
		return nil, err
	}
	note, err := trimmed("resolution_note", in.Note.Value, 0, escalationNote)
	if err != nil {
		return nil, err
	}
	var views []EscalationView
	err = s.update(ctx, "update escalation", func(ctx context.Context, ch *change) error {
		e, err := ch.Escalation(ctx, id)
		if e, err = known(e, err, chat.CodeEscalationUnknown); err != nil {
			return err
		}
		e.Status, e.Operator, e.UpdatedAt = in.Status, operator, ch.at
		if in.Note.Present {
			e.Note = note
		}
		if err := ch.UpdateEscalation(ctx, e); err != nil {
			return err
		}
		if views, err = escalationViews(ctx, ch, *e); err != nil {
			return err
		}
		// About nobody's account: the owner of the agent that asked is not told.
		c.Surface = chat.SurfaceOperator
		return ch.record(ctx, c, "escalation.updated", 0, auditDetail("operator", operator))
	})
	if err != nil {
		return nil, err
	}
	return &views[0], nil
}

// escalationViews puts the profiles of those who asked beside their requests.
func escalationViews(ctx context.Context, r store.Reader, list ...chat.Escalation) ([]EscalationView, error) {
	askers := make([]chat.AccountID, len(list))
	for i := range list {
		askers[i] = list[i].Account
	}
	accounts, err := r.Accounts(ctx, askers)
	if err != nil {
		return nil, err
	}
	views := make([]EscalationView, len(list))
	for i := range list {
		views[i].Escalation = list[i]
		if a := accounts[list[i].Account]; a != nil {
			views[i].By = a.Profile()
		}
	}
	return views, nil
}
