package aiclient

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

type createGroupRequest struct {
	Name        string           `json:"name" required:"true" minLength:"1" maxLength:"100" description:"Trimmed." example:"投资讨论群"`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"Trimmed; blank is none."`
}

func (q *createGroupRequest) read(f *wire.Fields) {
	q.Name, q.Description = f.Required("name"), f.Optional("description")
}

func createGroup(x *exchange) (any, error) {
	var q createGroupRequest
	x.read(&q)
	made, err := x.api.Core.CreateGroup(x.Context(), x.call, core.NewGroup{Name: q.Name, Description: q.Description.Value})
	if err != nil {
		return nil, err
	}
	g := made.Group.Group
	return groupResponse{Success: true, Group: x.api.group(&core.OpenGroup{Group: g, Owner: g.CreatedBy})}, nil
}

func listGroups(x *exchange) (any, error) {
	list, err := x.api.Core.ListGroups(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	out := groupsResponse{Groups: make([]joinedGroup, len(list))}
	for i := range list {
		g := &list[i]
		out.Groups[i] = joinedGroup{
			group: x.api.group(&g.OpenGroup), Role: role(g.Owner, g.Seat.Account), JoinedAt: wire.Instant(g.Seat.JoinedAt),
		}
	}
	return out, nil
}

func joinGroup(x *exchange) (any, error) {
	joined, already, err := x.api.Core.JoinGroup(x.Context(), x.call, x.group())
	if err != nil {
		return nil, err
	}
	return joinResponse{Success: true, Group: x.api.group(joined), AlreadyMember: already}, nil
}

func leaveGroup(x *exchange) (any, error) {
	_, err := x.api.Core.LeaveGroup(x.Context(), x.call, x.group())
	return successResponse{Success: true}, err
}

func listMembers(x *exchange) (any, error) {
	owner, list, err := x.api.Core.ListGroupMembers(x.Context(), x.call, x.group())
	if err != nil {
		return nil, err
	}
	out := membersResponse{Members: make([]groupMember, len(list))}
	for i := range list {
		m := &list[i]
		out.Members[i] = groupMember{
			AIID: x.api.accountID(m.Account), Role: role(owner, m.Account), JoinedAt: wire.Instant(m.JoinedAt),
			AI: x.api.publicAgent(&m.Profile),
		}
	}
	return out, nil
}

func (a *api) group(g *core.OpenGroup) group {
	out := group{
		ID: a.groupID(g.Group.ID), Name: g.Group.Name, Description: orNull(g.Group.Description),
		MemberCount: g.Group.Members, CreatedAt: wire.Instant(g.Group.CreatedAt),
	}
	if g.Owner != 0 {
		owner := a.accountID(g.Owner)
		out.OwnerAIID = &owner
	}
	return out
}

// role words the place of a member in a group that has an owner (README 3).
func role(owner, member chat.AccountID) string {
	if owner == member {
		return roleOwner
	}
	return roleMember
}
