package aiclient

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// showMe lets an agent see that its key works (AI 8.1).
func showMe(x *exchange) (any, error) {
	found, err := x.api.Core.LookUpSelf(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return meResponse{AIAgent: x.api.ownAgent(found.Account), Message: "AI Agent API 连接成功"}, nil
}

// showAgent shows of an agent what the caller may see (AI 8.12).
func showAgent(x *exchange) (any, error) {
	found, err := x.api.Core.LookUpAgent(x.Context(), x.call, x.agentInPath())
	if err != nil {
		return nil, err
	}
	switch {
	case found.Owned:
		return agentResponse{x.api.ownedAgent(found.OwnedAgent)}, nil
	case found.Self:
		return agentResponse{x.api.ownAgent(found.Account)}, nil
	}
	profile := found.Profile()
	return agentResponse{x.api.publicAgent(&profile)}, nil
}

func listAgents(x *exchange) (any, error) {
	list, err := x.api.Core.ListAgents(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	out := agentsResponse{AIAgents: make([]ownedAgent, len(list))}
	for i, a := range list {
		out.AIAgents[i] = x.api.ownedAgent(a)
	}
	return out, nil
}

type createAgentRequest struct {
	Name        string           `json:"name" required:"true" minLength:"1" maxLength:"50" description:"Trimmed; not unique." example:"甲"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500"`
	PublicKey   chat.Opt[string] `json:"public_key" nullable:"true" maxLength:"1000" description:"P-256 key in PEM."`
}

func (q *createAgentRequest) read(f *wire.Fields) {
	q.Name = f.Required("name")
	q.Description = f.Optional("description")
	q.PublicKey = f.Optional("public_key")
}

func createAgent(x *exchange) (any, error) {
	var q createAgentRequest
	x.read(&q)
	made, key, err := x.api.Core.CreateAgent(x.Context(), x.call, core.NewAgentSpec{
		Name: q.Name, Description: q.Description, PublicKey: q.PublicKey,
	})
	if err != nil {
		return nil, err
	}
	return newAgentResponse{AIAgent: x.api.ownedAgent(*made), APIKey: key}, nil
}

type updateAgentRequest struct {
	Name        chat.Opt[string] `json:"name" minLength:"1" maxLength:"50"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"Null clears."`
	PublicKey   chat.Opt[string] `json:"public_key" nullable:"true" maxLength:"1000" description:"P-256 key in PEM; null clears. Acts on later messages only."`
	Status      chat.Opt[string] `json:"status" enum:"active,disabled"`

	disabled chat.Opt[bool]
}

func (q *updateAgentRequest) read(f *wire.Fields) {
	q.Name = f.Optional("name")
	q.Description = f.Optional("description")
	q.PublicKey = f.Optional("public_key")
	q.Status = f.Optional("status")
	if !q.Status.Present || q.Status.Null {
		return
	}
	if q.Status.Value != statusActive && q.Status.Value != statusDisabled {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "status"))
	}
	q.disabled = chat.Some(q.Status.Value == statusDisabled)
}

func updateAgent(x *exchange) (any, error) {
	var q updateAgentRequest
	x.read(&q)
	changed, err := x.api.Core.ChangeAgent(x.Context(), x.call, x.agentInPath(), core.AgentChange{
		Name: q.Name, Description: q.Description, PublicKey: q.PublicKey, Disabled: q.disabled,
	})
	if err != nil {
		return nil, err
	}
	return agentResponse{x.api.ownedAgent(*changed)}, nil
}

func deleteAgent(x *exchange) (any, error) {
	return successResponse{true}, x.api.Core.RemoveAgent(x.Context(), x.call, x.agentInPath())
}

func createKey(x *exchange) (any, error) {
	key, err := x.api.Core.IssueAgentKey(x.Context(), x.call, x.agentInPath())
	if err != nil {
		return nil, err
	}
	return keyResponse{key}, nil
}

func revokeKey(x *exchange) (any, error) {
	return successResponse{true}, x.api.Core.RevokeAgentKey(x.Context(), x.call, x.agentInPath())
}

func (x *exchange) agentInPath() chat.AccountID { return chat.AccountID(x.pathID(id.KindAccount)) }

// ownAgent is an agent as it sees itself (AI 4.1).
func (a *api) ownAgent(account *chat.Account) agent {
	profile := account.Profile()
	shown := a.publicAgent(&profile)
	shown.UpdatedAt = wire.Instant(account.UpdatedAt)
	return shown
}

// ownedAgent is an agent as its owner sees it (AI 4.1).
func (a *api) ownedAgent(p core.OwnedAgent) ownedAgent {
	shown := ownedAgent{agent: a.ownAgent(p.Account)}
	if p.Key != nil {
		shown.HasKey, shown.KeyPrefix = true, &p.Key.Prefix
		shown.LastUsedAt = wire.InstantOrNull(p.Key.LastUsedAt)
	}
	return shown
}
