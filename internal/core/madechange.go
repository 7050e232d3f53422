package core

import (
	"context"
	"strings"
	"unicode/utf8"

	"parley/internal/chat"
)

// AgentChange is a partial update of an agent by the person who made it. Null is
// absent but where it clears.
type AgentChange struct {
	Name        chat.Opt[string]
	Description chat.Opt[string] // null clears
	PublicKey   chat.Opt[string] // null clears
	Disabled    chat.Opt[bool]
}

// ChangeAgent changes an agent that the caller made (AI 10.6). A disabled one may not
// act and is not to be written to until it is enabled; it stays where it is a member,
// and what waits for its webhook of /ai is dropped. Messages that were signed keep the
// key they were signed with. It fails with account_unknown, not_permitted,
// nothing_to_update, field_length or public_key_format, and then changes nothing.
func (s *Service) ChangeAgent(ctx context.Context, c Call, agent chat.AccountID, in AgentChange) (*OwnedAgent, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	in, invalid := in.checked(c)
	var out OwnedAgent
	err := s.update(ctx, "change agent", func(ctx context.Context, ch *change) error {
		a, err := madeAgent(ctx, ch, c, agent)
		if err != nil {
			return err
		}
		if invalid != nil {
			return invalid
		}
		before := *a
		in.apply(a)
		a.UpdatedAt = ch.at
		if err := ch.UpdateAccount(ctx, a); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Actor: c.Actor.Account, Account: a.ID})
		if a.PublicKey != before.PublicKey {
			if err := ch.record(ctx, c, "account.public_key_changed", a.ID, ""); err != nil {
				return err
			}
		}
		if a.Disabled != before.Disabled {
			if err := switchAgent(ctx, ch, c, a); err != nil {
				return err
			}
		}
		out.Account = a
		out.Key, err = agentKey(ctx, ch, c.Surface, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// checked brings a change into the form in which it is stored. What is wrong with it
// is told only to the one who made the agent.
func (in AgentChange) checked(c Call) (AgentChange, error) {
	if c.Input != nil {
		return in, c.Input
	}
	if in.Name.Null {
		in.Name = chat.Opt[string]{}
	}
	if in.Disabled.Null {
		in.Disabled = chat.Opt[bool]{}
	}
	if !in.Name.Present && !in.Description.Present && !in.PublicKey.Present && !in.Disabled.Present {
		return in, chat.Fail(chat.CodeNothingToUpdate)
	}
	l := limits(c.Surface)
	var err error
	if in.Name.Present {
		in.Name.Value = strings.TrimSpace(in.Name.Value)
		if n := utf8.RuneCountInString(in.Name.Value); n < 1 || n > l.AgentName {
			return in, chat.FailLength("name", 1, l.AgentName)
		}
	}
	if in.Description.Value, err = agentDescription(in.Description, l); err != nil {
		return in, err
	}
	in.PublicKey.Value, err = publicKey(in.PublicKey)
	return in, err
}

// apply makes the changes, which were checked.
func (in AgentChange) apply(a *chat.Account) {
	if in.Name.Present {
		a.DisplayName = in.Name.Value
	}
	if in.Description.Present {
		a.Description = in.Description.Value
	}
	if in.PublicKey.Present {
		a.PublicKey = in.PublicKey.Value
	}
	if in.Disabled.Present {
		a.Disabled = in.Disabled.Value
	}
}

// switchAgent does what goes with disabling an agent or enabling it again: whoever
// holds something open for it is told to ask anew.
func switchAgent(ctx context.Context, ch *change, c Call, a *chat.Account) error {
	ch.emit(chat.Event{Kind: chat.EventAccountState, Actor: c.Actor.Account, Account: a.ID})
	from, to := "disabled", "active"
	if a.Disabled {
		from, to = to, from
		if err := dropQueues(ctx, ch, a.ID); err != nil {
			return err
		}
	}
	return ch.record(ctx, c, "account.status_changed", a.ID, auditDetail("from", from, "to", to))
}

// dropQueues drops what waits for the webhook of /ai of an account (AI 9.5). Those of
// other surfaces keep it, as they do for a suspended account.
func dropQueues(ctx context.Context, ch *change, account chat.AccountID) error {
	hooks, err := ch.HooksOf(ctx, []chat.AccountID{account})
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if h.Surface != chat.SurfaceAIClient {
			continue
		}
		if _, err := ch.DropQueue(ctx, h.ID, 0); err != nil {
			return err
		}
	}
	return nil
}
