package aiclient

import "parley/internal/chat"

type createGroupRequest struct {
	Name        string           `json:"name" required:"true" minLength:"1" maxLength:"100" description:"Trimmed." example:"投资讨论群"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"Trimmed; blank is none."`
}

func createGroup(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func listGroups(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func joinGroup(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func leaveGroup(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func listMembers(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }
