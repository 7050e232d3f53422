package agentchat

import (
	"errors"
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

func groupRoutes() []Route {
	const group, avatar = "/v1/groups/{id}", "/v1/groups/{id}/avatar"
	return []Route{
		{
			ID: "createGroup", Method: http.MethodPost, Path: "/v1/groups", Operation: core.OpCreateGroup,
			Auth: AuthKey, Status: http.StatusCreated, Request: newGroup{}, Response: createdGroup{},
			handle: (*exchange).createGroup,
		},
		{
			ID: "getGroup", Method: http.MethodGet, Path: group, Operation: core.OpShowGroup,
			Auth: AuthKey, Status: http.StatusOK, Response: groupDetail{}, handle: (*exchange).showGroup,
		},
		{
			ID: "updateGroup", Method: http.MethodPatch, Path: group, Operation: core.OpUpdateGroup,
			Auth: AuthKey, Status: http.StatusOK, Request: groupChange{}, Response: groupDetail{},
			handle: (*exchange).updateGroup,
		},
		{
			ID: "deleteGroup", Method: http.MethodDelete, Path: group, Operation: core.OpDeleteGroup,
			Auth: AuthKey, Status: http.StatusOK, Response: groupDeleted{}, handle: (*exchange).deleteGroup,
		},
		{
			ID: "setGroupAvatar", Method: http.MethodPut, Path: avatar, Operation: core.OpSetGroupAvatar,
			Auth: AuthKey, Status: http.StatusOK, Response: avatarResponse{}, handle: (*exchange).setGroupAvatar,
		},
		{
			ID: "removeGroupAvatar", Method: http.MethodDelete, Path: avatar, Operation: core.OpRemoveGroupAvatar,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).removeGroupAvatar,
		},
	}
}

// groupSettings has one setting with one value (AC 16.1).
type groupSettings struct {
	WhoCanInvite string `json:"who_can_invite" required:"true" enum:"admin"`
}

// readGroupSettings reads the settings of a request. What it finds to be no object
// shows with the next member that is read.
func readGroupSettings(f *wire.Fields) {
	o, _ := f.Object.Object("settings")
	if o == nil {
		return
	}
	const field = "who_can_invite"
	inner := wire.Fields{Object: o}
	if who := inner.Optional(field); who.Present && !who.Null && who.Value != "admin" {
		inner.Fail(chat.FailField(chat.CodeFieldInvalid, "settings."+field))
	}
	var e *chat.Error
	if errors.As(inner.Err(), &e) {
		f.Fail(e)
	}
}

// newGroup is the body of POST /v1/groups (AC 16.2).
type newGroup struct {
	Name        string         `json:"name" required:"true" minLength:"1" maxLength:"100"`
	Description string         `json:"description" maxLength:"500"`
	AvatarURL   string         `json:"avatar_url" format:"uri" maxLength:"2048"`
	Handles     []string       `json:"member_handles" maxItems:"255" description:"Whom to invite."`
	Settings    *groupSettings `json:"settings"`

	avatar chat.Opt[string]
}

func (q *newGroup) read(f *wire.Fields) {
	readGroupSettings(f)
	q.Name, q.Description, q.avatar = f.Required("name"), f.Text("description"), f.Optional("avatar_url")
	for _, handle := range f.Strings("member_handles") {
		q.Handles = append(q.Handles, normalHandle(handle))
	}
}

// groupChange is the body of PATCH /v1/groups/{id} (AC 16.4).
type groupChange struct {
	Name        string         `json:"name" minLength:"1" maxLength:"100"`
	Description *string        `json:"description" maxLength:"500" description:"null clears."`
	AvatarURL   *string        `json:"avatar_url" format:"uri" maxLength:"2048" description:"null clears; an uploaded picture goes either way."`
	Settings    *groupSettings `json:"settings"`

	change core.GroupChange
}

func (q *groupChange) read(f *wire.Fields) {
	readGroupSettings(f)
	q.change = core.GroupChange{
		Name: f.Optional("name"), Description: f.Optional("description"), AvatarURL: f.Optional("avatar_url"),
	}
}

// groupDetail is a group as a member sees it (AC 16.1).
type groupDetail struct {
	ID            string        `json:"id" required:"true" description:"Also the id of its conversation."`
	Name          string        `json:"name" required:"true"`
	Description   *string       `json:"description" required:"true"`
	AvatarURL     *string       `json:"avatar_url" required:"true"`
	CreatedBy     string        `json:"created_by" required:"true" description:"Handle."`
	Settings      groupSettings `json:"settings" required:"true"`
	MemberCount   int           `json:"member_count" required:"true"`
	CreatedAt     string        `json:"created_at" required:"true" format:"date-time"`
	LastMessageAt *string       `json:"last_message_at" required:"true" format:"date-time"`
	Members       []groupMember `json:"members" required:"true" description:"In the order they joined."`
	YourRole      string        `json:"your_role" required:"true" enum:"admin,member"`
}

type groupMember struct {
	Handle      string  `json:"handle" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	AvatarURL   *string `json:"avatar_url" required:"true"`
	Role        string  `json:"role" required:"true" enum:"admin,member"`
	JoinedAt    string  `json:"joined_at" required:"true" format:"date-time"`
}

// createdGroup is what POST /v1/groups answers.
type createdGroup struct {
	Group      groupDetail `json:"group" required:"true"`
	AddResults []addResult `json:"add_results" required:"true" description:"Who could not be invited is missing."`
}

// groupDeleted is what DELETE /v1/groups/{id} answers.
type groupDeleted struct {
	Message   string `json:"message" required:"true"`
	DeletedAt string `json:"deleted_at" required:"true" format:"date-time"`
}

// groupDetail shows a group.
func (x *exchange) groupDetail(v *chat.GroupView) groupDetail {
	g := &v.Group
	d := groupDetail{
		ID: x.api.conversationID(chat.ConversationGroup, g.ID), Name: g.Name, Description: orNull(g.Description),
		AvatarURL: groupAvatarURL(x.base(), g.Avatar, g.AvatarURL), CreatedBy: v.Creator.Handle,
		Settings: groupSettings{WhoCanInvite: "admin"}, MemberCount: g.Members, CreatedAt: wire.Instant(g.CreatedAt),
		LastMessageAt: wire.InstantOrNull(g.LastAt), YourRole: roleWord(v.YourRole), Members: make([]groupMember, len(v.Members)),
	}
	for i, m := range v.Members {
		d.Members[i] = groupMember{
			Handle: m.Profile.Handle, DisplayName: orNull(m.Profile.DisplayName),
			AvatarURL: x.avatar(m.Profile.Avatar), Role: roleWord(m.Role), JoinedAt: wire.Instant(m.JoinedAt),
		}
	}
	return d
}

// groupAvatarURL shows the picture of a group: an uploaded one, or one elsewhere.
func groupAvatarURL(base, key, elsewhere string) *string {
	if key != "" {
		return avatarURL(base, key)
	}
	return orNull(elsewhere)
}

func roleWord(r chat.MemberRole) string {
	if r == chat.RoleAdmin {
		return "admin"
	}
	return "member"
}

func (x *exchange) createGroup() (any, error) {
	var q newGroup
	x.read(&q)
	made, err := x.api.Core.CreateGroup(x.Context(), x.call, core.NewGroup{
		Name: q.Name, Description: q.Description, AvatarURL: q.avatar, Handles: q.Handles,
	})
	if err != nil {
		return nil, err
	}
	out := createdGroup{Group: x.groupDetail(&made.Group), AddResults: make([]addResult, len(made.Invited))}
	for i := range made.Invited {
		out.AddResults[i] = x.api.addResult(&made.Invited[i])
	}
	return out, nil
}

func (x *exchange) showGroup() (any, error) {
	v, err := x.api.Core.ShowGroup(x.Context(), x.call, x.groupID("id"))
	if err != nil {
		return nil, err
	}
	return x.groupDetail(v), nil
}

func (x *exchange) updateGroup() (any, error) {
	var q groupChange
	x.read(&q)
	v, err := x.api.Core.UpdateGroup(x.Context(), x.call, x.groupID("id"), q.change)
	if err != nil {
		return nil, err
	}
	return x.groupDetail(v), nil
}

func (x *exchange) deleteGroup() (any, error) {
	at, err := x.api.Core.DeleteGroup(x.Context(), x.call, x.groupID("id"))
	return groupDeleted{"Group deleted", wire.Instant(at)}, err
}

func (x *exchange) setGroupAvatar() (any, error) {
	key, err := x.api.Core.SetGroupAvatar(x.Context(), x.call, x.groupID("id"), x.picture())
	return avatarResponse{key, x.avatar(key)}, err
}

func (x *exchange) removeGroupAvatar() (any, error) {
	return okay(x.api.Core.RemoveGroupAvatar(x.Context(), x.call, x.groupID("id")))
}
