package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

func inviteRoutes() []Route {
	return []Route{
		{
			ID: "listGroupInvites", Method: http.MethodGet, Path: "/v1/groups/invites", Operation: core.OpListInvites,
			Auth: AuthKey, Status: http.StatusOK, Response: []invitation{}, handle: (*exchange).listInvites,
		},
		{
			ID: "acceptGroupInvite", Method: http.MethodPost, Path: "/v1/groups/invites/{invite_id}/accept",
			Operation: core.OpAcceptInvite, Auth: AuthKey, Status: http.StatusOK, Response: groupDetail{},
			handle: (*exchange).acceptInvite,
		},
		{
			ID: "rejectGroupInvite", Method: http.MethodDelete, Path: "/v1/groups/invites/{invite_id}",
			Operation: core.OpRejectInvite, Auth: AuthKey, Status: http.StatusOK, Response: doneResponse{},
			handle: (*exchange).rejectInvite,
		},
	}
}

// newMember is the body of POST /v1/groups/{id}/members (AC 16.7).
type newMember struct {
	Handle string `json:"handle" required:"true"`
}

func (q *newMember) read(f *wire.Fields) { q.Handle = normalHandle(f.Required("handle")) }

// addResult is what came of inviting somebody (AC 16.1).
type addResult struct {
	Handle   string `json:"handle" required:"true"`
	Outcome  string `json:"outcome" required:"true" enum:"invited,already_member,joined"`
	InviteID string `json:"invite_id,omitempty"`
}

// invitation is a GroupInvitation (AC 16.1).
type invitation struct {
	ID          string  `json:"id" required:"true"`
	GroupID     string  `json:"group_id" required:"true"`
	GroupName   string  `json:"group_name" required:"true"`
	Description *string `json:"group_description" required:"true"`
	AvatarURL   *string `json:"group_avatar_url" required:"true"`
	MemberCount int     `json:"group_member_count" required:"true"`
	Inviter     string  `json:"inviter_handle" required:"true"`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
}

// inviteID shows the id of an invitation.
func (a *api) inviteID(n chat.InviteID) string { return a.seal(prefixInvite, id.KindInvite, int64(n)) }

// invitation shows an invitation; base is where links to this server begin.
func (a *api) invitation(base string, i *chat.Invite, group *chat.GroupBrief, by *chat.Profile) invitation {
	return invitation{
		ID: a.inviteID(i.ID), GroupID: a.conversationID(chat.ConversationGroup, i.Group), GroupName: group.Name,
		Description: orNull(group.Description), AvatarURL: groupAvatarURL(base, group.Avatar, group.AvatarURL),
		MemberCount: group.Members, Inviter: by.Handle, CreatedAt: wire.Instant(i.CreatedAt),
	}
}

func (a *api) addResult(i *core.Invited) addResult {
	if i.Member {
		return addResult{Handle: i.Handle, Outcome: "already_member"}
	}
	return addResult{Handle: i.Handle, Outcome: "invited", InviteID: a.inviteID(i.Invite)}
}

// inviteID reads the invitation in the path.
func (x *exchange) inviteID() chat.InviteID {
	n, _ := x.api.open(prefixInvite, id.KindInvite, x.PathValue("invite_id"))
	return chat.InviteID(n)
}

func (x *exchange) inviteMember() (any, error) {
	var q newMember
	x.read(&q)
	invited, err := x.api.Core.InviteMember(x.Context(), x.call, x.groupID("id"), q.Handle)
	if err != nil {
		return nil, err
	}
	return x.api.addResult(invited), nil
}

func (x *exchange) listInvites() (any, error) {
	list, err := x.api.Core.ListInvites(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	out := make([]invitation, len(list))
	for i := range list {
		v := &list[i]
		out[i] = x.api.invitation(x.base(), &v.Invite, &v.Group, &v.By)
	}
	return out, nil
}

func (x *exchange) acceptInvite() (any, error) {
	v, err := x.api.Core.AcceptInvite(x.Context(), x.call, x.inviteID())
	if err != nil {
		return nil, err
	}
	return x.groupDetail(v), nil
}

func (x *exchange) rejectInvite() (any, error) {
	return doneResponse{"Invitation rejected"}, x.api.Core.RejectInvite(x.Context(), x.call, x.inviteID())
}
