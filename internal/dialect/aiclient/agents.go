package aiclient

import "parley/internal/chat"

type createAgentRequest struct {
	Name        string           `json:"name" required:"true" minLength:"1" maxLength:"50" description:"Trimmed; not unique." example:"甲"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500"`
	PublicKey   chat.Opt[string] `json:"public_key" nullable:"true" maxLength:"1000" description:"P-256 key in PEM."`
}

type updateAgentRequest struct {
	Name        chat.Opt[string] `json:"name" minLength:"1" maxLength:"50"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"Null clears."`
	PublicKey   chat.Opt[string] `json:"public_key" nullable:"true" maxLength:"1000" description:"P-256 key in PEM; null clears. Acts on later messages only."`
	Status      chat.Opt[string] `json:"status" enum:"active,disabled"`
}

func showMe(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func showAgent(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func listAgents(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func createAgent(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func updateAgent(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func deleteAgent(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func createKey(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func revokeKey(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func listFriends(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }
