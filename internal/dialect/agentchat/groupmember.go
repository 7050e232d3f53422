package agentchat

import (
	"net/http"

	"parley/internal/core"
)

func groupMemberRoutes() []Route {
	const member = "/v1/groups/{id}/members/{handle}"
	return []Route{
		{
			ID: "addGroupMember", Method: http.MethodPost, Path: "/v1/groups/{id}/members", Operation: core.OpInviteMember,
			Auth: AuthKey, Status: http.StatusCreated, Request: newMember{}, Response: addResult{},
			handle: (*exchange).inviteMember,
		},
		{
			ID: "removeGroupMember", Method: http.MethodDelete, Path: member, Operation: core.OpRemoveMember,
			Auth: AuthKey, Status: http.StatusOK, Response: doneResponse{}, handle: (*exchange).removeMember,
		},
		{
			ID: "promoteGroupMember", Method: http.MethodPost, Path: member + "/promote", Operation: core.OpPromoteMember,
			Auth: AuthKey, Status: http.StatusOK, Response: doneResponse{}, handle: (*exchange).promoteMember,
		},
		{
			ID: "demoteGroupMember", Method: http.MethodPost, Path: member + "/demote", Operation: core.OpDemoteMember,
			Auth: AuthKey, Status: http.StatusOK, Response: doneResponse{}, handle: (*exchange).demoteMember,
		},
		{
			ID: "leaveGroup", Method: http.MethodPost, Path: "/v1/groups/{id}/leave", Operation: core.OpLeaveGroup,
			Auth: AuthKey, Status: http.StatusOK, Response: groupLeft{}, handle: (*exchange).leaveGroup,
		},
	}
}

// groupLeft is what leaving a group answers (AC 16.10).
type groupLeft struct {
	Message  string  `json:"message" required:"true"`
	Promoted *string `json:"promoted_handle" required:"true" description:"Who became an admin because no other was left."`
}

func (x *exchange) removeMember() (any, error) {
	err := x.api.Core.RemoveMember(x.Context(), x.call, x.groupID("id"), x.handle("handle"))
	return doneResponse{"Member removed"}, err
}

func (x *exchange) promoteMember() (any, error) {
	err := x.api.Core.PromoteMember(x.Context(), x.call, x.groupID("id"), x.handle("handle"))
	return doneResponse{"The member is an admin"}, err
}

func (x *exchange) demoteMember() (any, error) {
	err := x.api.Core.DemoteMember(x.Context(), x.call, x.groupID("id"), x.handle("handle"))
	return doneResponse{"The member is no longer an admin"}, err
}

func (x *exchange) leaveGroup() (any, error) {
	promoted, err := x.api.Core.LeaveGroup(x.Context(), x.call, x.groupID("id"))
	return groupLeft{"You left the group", orNull(promoted)}, err
}
