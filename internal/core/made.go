package core

import (
	"context"
	"strings"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// This file is about agents that a person makes and has full rights over (AI 10.4 to
// 10.7). What is changed about them is in madechange.go, their keys in madekey.go.

// OwnedAgent is an agent as the person who owns it sees it, with its key of the
// surface called.
type OwnedAgent struct {
	*chat.Account
	Key *chat.Credential // nil: none is live
}

// ShownAgent is an agent as somebody sees it who may look.
type ShownAgent struct {
	OwnedAgent
	Self  bool // the caller is the agent
	Owned bool // the caller owns it; Key is set for owners only
}

// LookUpSelf returns the caller as LookUpAgent does; only agents may call it (AI 8.1).
func (s *Service) LookUpSelf(ctx context.Context, c Call) (*ShownAgent, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	return s.LookUpAgent(ctx, c, c.Actor.Account)
}

// LookUpAgent returns an agent, a disabled or suspended one too, for agents and for
// people who logged in: account_unknown for accounts that are no agents (AI 8.12). A
// system account finds itself only: in this respect it is like an agent.
func (s *Service) LookUpAgent(ctx context.Context, c Call, agent chat.AccountID) (*ShownAgent, error) {
	allowed := c.agent
	if c.Actor.Is == chat.KindHuman {
		allowed = c.human
	}
	if err := allowed(); err != nil {
		return nil, err
	}
	out := &ShownAgent{Self: agent == c.Actor.Account}
	err := s.view(ctx, "look up agent", func(ctx context.Context, r store.Reader) error {
		var err error
		if out.Account, err = liveAccount(ctx, r, agent); err != nil {
			return err
		}
		if out.Kind == chat.KindHuman || out.Kind == chat.KindSystem && !out.Self {
			return chat.Fail(chat.CodeAccountUnknown)
		}
		out.Owned = out.Account.Owned != chat.OwnedByNobody && out.Owner == c.Actor.Account
		if out.Owned {
			out.Key, err = agentKey(ctx, r, c.Surface, out.Account)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListAgents lists the agents of the person who calls, made and claimed alike, in the
// order they were made, at most 1,000 (AI 10.4).
func (s *Service) ListAgents(ctx context.Context, c Call) ([]OwnedAgent, error) {
	if err := c.human(); err != nil {
		return nil, err
	}
	var list []OwnedAgent
	err := s.view(ctx, "list agents", func(ctx context.Context, r store.Reader) error {
		agents, err := r.OwnedBy(ctx, c.Actor.Account, agentsShown)
		if err != nil {
			return err
		}
		list = make([]OwnedAgent, len(agents))
		for i, a := range agents {
			list[i].Account = a
			if list[i].Key, err = agentKey(ctx, r, c.Surface, a); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// NewAgentSpec is what a person says of an agent to be made.
type NewAgentSpec struct {
	Name        string // not unique: it becomes the display name
	Description chat.Opt[string]
	PublicKey   chat.Opt[string] // PEM
}

// CreateAgent makes an agent that the caller owns, and its key, which is returned here
// and nowhere else (AI 10.5). It fails with field_required, field_length,
// public_key_format or agent_cap.
func (s *Service) CreateAgent(ctx context.Context, c Call, in NewAgentSpec) (made *OwnedAgent, key string, err error) {
	if err := c.human(); err != nil {
		return nil, "", err
	}
	if c.Input != nil {
		return nil, "", c.Input
	}
	name, err := trimmed("name", in.Name, 1, limits(c.Surface).AgentName)
	if err != nil {
		return nil, "", err
	}
	about, err := agentDescription(in.Description, limits(c.Surface))
	if err != nil {
		return nil, "", err
	}
	public, err := publicKey(in.PublicKey)
	if err != nil {
		return nil, "", err
	}
	key = newAgentKey()
	err = s.update(ctx, "create agent", func(ctx context.Context, ch *change) error {
		if err := mayMakeAgent(ctx, ch, c); err != nil {
			return err
		}
		handle, err := freeName(ctx, ch, name)
		if err != nil {
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		made = &OwnedAgent{Account: &chat.Account{
			ID: chat.AccountID(n), Kind: chat.KindAgent, MadeBy: c.Surface, State: chat.StateActive,
			Username: handle, NameKey: NameKey(handle), Handle: handle,
			DisplayName: name, Description: about, PublicKey: public,
			Owner: c.Actor.Account, Owned: chat.OwnedByCreator, OwnedAt: ch.at,
			CreatedAt: ch.at, UpdatedAt: ch.at,
		}}
		if err := ch.InsertAccount(ctx, made.Account, ""); err != nil {
			return err
		}
		if made.Key, err = insertKey(ctx, ch, c.Surface, made.ID, key); err != nil {
			return err
		}
		if err := announce(ctx, ch, made.Account); err != nil {
			return err
		}
		return ch.record(ctx, c, "account.created", made.ID, "")
	})
	if err != nil {
		return nil, "", err
	}
	return made, key, nil
}

// mayMakeAgent checks that the caller has room for another agent. Those count that
// were made through the surface called; somebody who has so many in all that further
// ones would not be listed makes no more either.
func mayMakeAgent(ctx context.Context, r store.Reader, c Call) error {
	if _, err := liveAccount(ctx, r, c.Actor.Account); err != nil {
		return err
	}
	agents, err := r.OwnedBy(ctx, c.Actor.Account, agentsShown)
	if err != nil {
		return err
	}
	made := 0
	for _, a := range agents {
		if a.Owned == chat.OwnedByCreator && a.MadeBy == c.Surface {
			made++
		}
	}
	if made >= limits(c.Surface).Agents || len(agents) >= agentsShown {
		return chat.Fail(chat.CodeAgentCap)
	}
	return nil
}

// agentDescription checks the length of a description, which is kept as it was
// written; blank is none.
func agentDescription(given chat.Opt[string], l Limits) (string, error) {
	if utf8.RuneCountInString(given.Value) > l.AgentAbout {
		return "", chat.FailLength("description", 0, l.AgentAbout)
	}
	if strings.TrimSpace(given.Value) == "" {
		return "", nil
	}
	return given.Value, nil
}

// RemoveAgent removes an agent that the caller made, see RemoveAccount (AI 10.7). It
// fails with account_unknown or not_permitted.
func (s *Service) RemoveAgent(ctx context.Context, c Call, agent chat.AccountID) error {
	if err := c.human(); err != nil {
		return err
	}
	var r removal
	err := s.update(ctx, "remove agent", func(ctx context.Context, ch *change) error {
		a, err := madeAgent(ctx, ch, c, agent)
		if err != nil {
			return err
		}
		r = removal{}
		return s.remove(ctx, ch, c, a, &r)
	})
	if err == nil {
		s.removed(ctx, &r)
	}
	return err
}

// madeAgent reads an agent that the caller made: account_unknown for what is no agent,
// not_permitted for the agents of others and for one that the caller only claimed.
func madeAgent(ctx context.Context, r store.Reader, c Call, agent chat.AccountID) (*chat.Account, error) {
	a, err := liveAccount(ctx, r, agent)
	if err != nil {
		return nil, err
	}
	if a.Kind != chat.KindAgent {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	if a.Owned != chat.OwnedByCreator || a.Owner != c.Actor.Account {
		return nil, chat.Fail(chat.CodeNotPermitted)
	}
	return a, nil
}
