package core

import (
	"context"

	"parley/internal/chat"
)

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

// NewAgentSpec is what a person says of an agent to be made.
type NewAgentSpec struct {
	Name        string
	Description chat.Opt[string]
	PublicKey   chat.Opt[string] // PEM
}

// AgentChange is a partial update of an agent by the person who made it.
type AgentChange struct {
	Name        chat.Opt[string]
	Description chat.Opt[string] // null clears
	PublicKey   chat.Opt[string] // null clears
	Disabled    chat.Opt[bool]
}

func (s *Service) LookUpAgent(ctx context.Context, c Call, agent chat.AccountID) (*ShownAgent, error) {
	return nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) ListAgents(ctx context.Context, c Call) ([]OwnedAgent, error) {
	return nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) CreateAgent(ctx context.Context, c Call, in NewAgentSpec) (made *OwnedAgent, key string, err error) {
	return nil, "", chat.Fail(chat.CodeInternal)
}

func (s *Service) ChangeAgent(ctx context.Context, c Call, agent chat.AccountID, in AgentChange) (*OwnedAgent, error) {
	return nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) RemoveAgent(ctx context.Context, c Call, agent chat.AccountID) error {
	return chat.Fail(chat.CodeInternal)
}

func (s *Service) IssueAgentKey(ctx context.Context, c Call, agent chat.AccountID) (key string, err error) {
	return "", chat.Fail(chat.CodeInternal)
}

func (s *Service) RevokeAgentKey(ctx context.Context, c Call, agent chat.AccountID) error {
	return chat.Fail(chat.CodeInternal)
}
