package opencord

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// A space is called a server here.

func (x *exchange) space() chat.SpaceID { return chat.SpaceID(x.pathID(id.KindSpace)) }

func listServers(x *exchange) (any, error) {
	spaces, err := x.api.core.ListSpaces(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	out := make([]server, 0, len(spaces))
	for _, s := range spaces {
		out = append(out, x.api.server(s))
	}
	return serversResponse{out}, nil
}

type createServerRequest struct {
	Name        string `json:"name" required:"true" minLength:"1" maxLength:"100" description:"Trimmed." example:"HQ"`
	Description string `json:"description" maxLength:"500" description:"Trimmed; empty is none." example:"Where we meet."`
}

func (q *createServerRequest) read(f *wire.Fields) {
	q.Name = f.Required("name")
	q.Description = f.Text("description")
}

func createServer(x *exchange) (any, error) {
	var q createServerRequest
	x.read(&q)
	return x.server(x.api.core.CreateSpace(x.Context(), x.call, core.NewSpace{Name: q.Name, Description: q.Description}))
}

func showServer(x *exchange) (any, error) {
	return x.server(x.api.core.ShowSpace(x.Context(), x.call, x.space()))
}

type updateServerRequest struct {
	Name             chat.Opt[string] `json:"name" nullable:"true" minLength:"1" maxLength:"100" description:"Trimmed." example:"HQ"`
	Description      chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"Trimmed; null or empty clears it." example:"Where we meet."`
	RegenerateInvite chat.Opt[bool]   `json:"regenerate_invite" nullable:"true" description:"True replaces the invite code; the old one stops working at once." example:"false"`
}

func (q *updateServerRequest) read(f *wire.Fields) {
	q.Name = f.Optional("name")
	q.Description = f.Optional("description")
	q.RegenerateInvite = f.Flag("regenerate_invite")
}

func updateServer(x *exchange) (any, error) {
	var q updateServerRequest
	x.read(&q)
	return x.server(x.api.core.UpdateSpace(x.Context(), x.call, x.space(), core.SpaceChange{
		Name: q.Name, Description: q.Description, RegenerateInvite: q.RegenerateInvite,
	}))
}

func deleteServer(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.DeleteSpace(x.Context(), x.call, x.space())
}

type joinServerRequest struct {
	InviteCode string `json:"invite_code" required:"true" description:"Trimmed; case-sensitive." example:"k3v9q0zt"`
}

func (q *joinServerRequest) read(f *wire.Fields) { q.InviteCode = f.Required("invite_code") }

func joinServer(x *exchange) (any, error) {
	var q joinServerRequest
	x.read(&q)
	return x.server(x.api.core.JoinSpace(x.Context(), x.call, x.space(), q.InviteCode))
}

// nothing is a body in which no member has a meaning.
type nothing struct{}

func (*nothing) read(*wire.Fields) {}

func leaveServer(x *exchange) (any, error) {
	x.readOptional(&nothing{})
	return successResponse{true}, x.api.core.LeaveSpace(x.Context(), x.call, x.space())
}

func listMembers(x *exchange) (any, error) {
	members, err := x.api.core.ListMembers(x.Context(), x.call, x.space())
	if err != nil {
		return nil, err
	}
	out := make([]member, 0, len(members))
	for _, m := range members {
		role := "member"
		if m.Owner {
			role = "owner"
		}
		shown := x.api.publicUser(m.Profile)
		out = append(out, member{UserID: shown.ID, Role: role, JoinedAt: wire.Instant(m.JoinedAt), User: shown})
	}
	return membersResponse{out}, nil
}

// server answers with the space an operation returned.
func (x *exchange) server(s *chat.Space, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return serverResponse{x.api.server(s)}, nil
}

func (a *api) server(s *chat.Space) server {
	return server{
		ID: a.seal(id.KindSpace, int64(s.ID)), Name: s.Name, Description: textOrNull(s.Description),
		InviteCode: s.InviteCode, OwnerID: a.seal(id.KindAccount, int64(s.Owner)), MemberCount: s.MemberCount,
		CreatedAt: wire.Instant(s.CreatedAt), UpdatedAt: wire.Instant(s.UpdatedAt),
	}
}
