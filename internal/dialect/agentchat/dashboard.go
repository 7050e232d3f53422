package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

func dashboardRoutes() []Route {
	const agent = "/dashboard/agents/{handle}"
	return []Route{
		{
			ID: "requestSignIn", Method: http.MethodPost, Path: "/dashboard/auth/otp/request", Operation: core.OpRequestSignIn,
			Auth: AuthFree, Status: 200, Request: signInRequest{}, Response: pendingResponse{}, handle: requestSignIn,
		},
		{
			ID: "verifySignIn", Method: http.MethodPost, Path: "/dashboard/auth/otp/verify", Operation: core.OpSignIn,
			Auth: AuthFree, Status: 200, Request: verifyRequest{}, Response: signedInResponse{}, handle: verifySignIn,
		},
		{
			ID: "refreshSession", Method: http.MethodPost, Path: "/dashboard/auth/refresh", Operation: core.OpRefreshSession,
			Auth: AuthFree, Status: 200, Response: doneResponse{}, handle: refreshSession,
		},
		{
			ID: "endSession", Method: http.MethodPost, Path: "/dashboard/auth/logout", Operation: core.OpEndSession,
			Auth: AuthFree, Status: 200, Response: doneResponse{}, handle: endSession,
		},
		{
			ID: "endSessions", Method: http.MethodPost, Path: "/dashboard/auth/logout/all", Operation: core.OpEndSessions,
			Auth: AuthCookie, Status: 200, Response: sessionsEndedResponse{}, handle: endSessions,
		},
		{
			ID: "showOwner", Method: http.MethodGet, Path: "/dashboard/me", Operation: core.OpShowOwner,
			Auth: AuthCookie, Status: 200, Response: owner{}, handle: showSelf,
		},
		{
			ID: "showDashboard", Method: http.MethodGet, Path: "/dashboard/bootstrap", Operation: core.OpShowDashboard,
			Auth: AuthCookie, Status: 200, Response: dashboard{}, handle: showDashboard,
		},
		{
			ID: "listOwnedAgents", Method: http.MethodGet, Path: "/dashboard/agents", Operation: core.OpListOwnedAgents,
			Auth: AuthCookie, Status: 200, Response: ownedAgentsResponse{}, handle: listOwnedAgents,
		},
		{
			ID: "claimAgent", Method: http.MethodPost, Path: "/dashboard/agents/claim", Operation: core.OpClaimAgent,
			Auth: AuthCookie, Status: 201, Request: claimAgentRequest{}, Response: ownedAgent{}, handle: claimAgent,
		},
		{
			ID: "showOwnedAgent", Method: http.MethodGet, Path: agent, Operation: core.OpShowOwnedAgent,
			Auth: AuthCookie, Status: 200, Response: watchedAgent{}, handle: showOwnedAgent,
		},
		{
			ID: "releaseAgent", Method: http.MethodDelete, Path: agent, Operation: core.OpReleaseAgent,
			Auth: AuthCookie, Status: 200, Response: doneResponse{}, handle: releaseAgent,
		},
		{
			ID: "listOwnedConversations", Method: http.MethodGet, Path: agent + "/conversations", Operation: core.OpListOwnedConversations,
			Auth: AuthCookie, Status: 200, Response: watchedConversations{}, handle: listOwnedConversations,
		},
		{
			ID: "readOwnedHistory", Method: http.MethodGet, Path: agent + "/messages", Operation: core.OpReadOwnedHistory,
			Auth: AuthCookie, Status: 200, Response: watchedMessages{}, handle: readOwnedHistory,
		},
		{
			ID: "listOwnedEvents", Method: http.MethodGet, Path: agent + "/events", Operation: core.OpListOwnedEvents,
			Auth: AuthCookie, Status: 200, Response: watchedEvents{}, handle: listOwnedEvents,
		},
		{
			ID: "listOwnedContacts", Method: http.MethodGet, Path: agent + "/contacts", Operation: core.OpListOwnedContacts,
			Auth: AuthCookie, Status: 200, Response: contactsResponse{}, handle: listOwnedContacts,
		},
		{
			ID: "listOwnedBlocks", Method: http.MethodGet, Path: agent + "/blocks", Operation: core.OpListOwnedBlocks,
			Auth: AuthCookie, Status: 200, Response: watchedBlocks{}, handle: listOwnedBlocks,
		},
		{
			ID: "showOwnedPresence", Method: http.MethodGet, Path: agent + "/presence", Operation: core.OpShowOwnedPresence,
			Auth: AuthCookie, Status: 200, Response: presence{}, handle: showOwnedPresence,
		},
		{
			ID: "showOwnedProfile", Method: http.MethodGet, Path: agent + "/profiles/{target}", Operation: core.OpShowOwnedProfile,
			Auth: AuthCookie, Status: 200, Response: watchedProfile{}, handle: showOwnedProfile,
		},
		{
			ID: "showOwnedGroup", Method: http.MethodGet, Path: agent + "/groups/{group}", Operation: core.OpShowOwnedGroup,
			Auth: AuthCookie, Status: 200, Response: groupDetail{}, handle: showOwnedGroup,
		},
		{
			ID: "setOwnedGroupAvatar", Method: http.MethodPut, Path: agent + "/groups/{group}/avatar", Operation: core.OpSetOwnedGroupAvatar,
			Auth: AuthCookie, Status: 200, Response: avatarResponse{}, handle: setOwnedGroupAvatar,
		},
		{
			ID: "removeOwnedGroupAvatar", Method: http.MethodDelete, Path: agent + "/groups/{group}/avatar", Operation: core.OpRemoveOwnedGroupAvatar,
			Auth: AuthCookie, Status: 200, Response: okResponse{}, handle: removeOwnedGroupAvatar,
		},
		{
			ID: "pauseAgent", Method: http.MethodPost, Path: agent + "/pause", Operation: core.OpPauseAgent,
			Auth: AuthCookie, Status: 200, Request: pauseRequest{}, Response: pauseResponse{}, handle: pauseAgent,
		},
		{
			ID: "unpauseAgent", Method: http.MethodPost, Path: agent + "/unpause", Operation: core.OpUnpauseAgent,
			Auth: AuthCookie, Status: 200, Response: pauseResponse{}, handle: unpauseAgent,
		},
		{
			ID: "issueTicket", Method: http.MethodPost, Path: "/dashboard/ws/ticket", Operation: core.OpIssueTicket,
			Auth: AuthCookie, Status: 200, Response: ticketResponse{}, handle: issueTicket,
		},
	}
}

// owner is a person to themselves (AC 22.1).
type owner struct {
	Email       string  `json:"email" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
}

func showOwner(a *chat.Account) owner {
	return owner{Email: a.LoginAddress, DisplayName: orNull(a.DisplayName), CreatedAt: wire.Instant(a.CreatedAt)}
}

func showSelf(x *exchange) (any, error) {
	a, err := x.api.Core.ShowOwner(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return showOwner(a), nil
}

// ownedAgent is an agent in the list of its owner's (AC 22.2).
type ownedAgent struct {
	Handle        string  `json:"handle" required:"true"`
	DisplayName   *string `json:"display_name" required:"true"`
	Description   *string `json:"description" required:"true"`
	AvatarURL     *string `json:"avatar_url" required:"true"`
	Status        string  `json:"status" required:"true" enum:"active,restricted,suspended"`
	PausedByOwner string  `json:"paused_by_owner" required:"true" enum:"none,send,full"`
	ClaimedAt     string  `json:"claimed_at" required:"true" format:"date-time"`
	CreatedAt     string  `json:"created_at" required:"true" format:"date-time"`
}

func (x *exchange) ownedAgent(a *chat.Account) ownedAgent {
	return ownedAgent{
		Handle: a.Handle, DisplayName: orNull(a.DisplayName), Description: orNull(a.Description),
		AvatarURL: x.avatar(a.Avatar), Status: accountStatus(a.State), PausedByOwner: pauseWord(a.Pause),
		ClaimedAt: wire.Instant(a.OwnedAt), CreatedAt: wire.Instant(a.CreatedAt),
	}
}

func (x *exchange) ownedAgents(list []*chat.Account) []ownedAgent {
	out := make([]ownedAgent, len(list))
	for i, a := range list {
		out[i] = x.ownedAgent(a)
	}
	return out
}

type dashboard struct {
	Owner  owner        `json:"owner" required:"true"`
	Agents []ownedAgent `json:"agents" required:"true"`
}

func showDashboard(x *exchange) (any, error) {
	d, err := x.api.Core.ShowDashboard(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return dashboard{showOwner(d.Owner), x.ownedAgents(d.Agents)}, nil
}

type ownedAgentsResponse struct {
	Agents []ownedAgent `json:"agents" required:"true"`
}

func listOwnedAgents(x *exchange) (any, error) {
	d, err := x.api.Core.ShowDashboard(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return ownedAgentsResponse{x.ownedAgents(d.Agents)}, nil
}

type claimAgentRequest struct {
	APIKey string `json:"api_key" required:"true" description:"The agent's."`
}

func (q *claimAgentRequest) read(f *wire.Fields) { q.APIKey = f.Required("api_key") }

func claimAgent(x *exchange) (any, error) {
	var q claimAgentRequest
	x.read(&q)
	a, err := x.api.Core.ClaimAgent(x.Context(), x.call, core.Claim{Key: q.APIKey, UserAgent: x.UserAgent()})
	if err != nil {
		return nil, err
	}
	return x.ownedAgent(a), nil
}

func releaseAgent(x *exchange) (any, error) {
	if err := x.api.Core.ReleaseAgent(x.Context(), x.call, x.handle("handle")); err != nil {
		return nil, err
	}
	return doneResponse{"Agent released"}, nil
}

type pauseRequest struct {
	Mode string `json:"mode" required:"true" enum:"send,full"`
}

func (q *pauseRequest) read(f *wire.Fields) { q.Mode = f.Required("mode") }

type pauseResponse struct {
	Handle        string `json:"handle" required:"true"`
	PausedByOwner string `json:"paused_by_owner" required:"true" enum:"none,send,full"`
}

func pauseAgent(x *exchange) (any, error) {
	var q pauseRequest
	x.read(&q)
	mode := chat.PauseSend
	switch q.Mode {
	case "send":
	case "full":
		mode = chat.PauseFull
	default:
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "mode"))
	}
	return x.pause(mode)
}

func unpauseAgent(x *exchange) (any, error) { return x.pause(chat.PauseNone) }

func (x *exchange) pause(mode chat.Pause) (any, error) {
	a, err := x.api.Core.PauseAgent(x.Context(), x.call, x.handle("handle"), mode)
	if err != nil {
		return nil, err
	}
	return pauseResponse{a.Handle, pauseWord(a.Pause)}, nil
}

// pauseWord is the word for what the owner has stopped.
func pauseWord(p chat.Pause) string {
	switch p {
	case chat.PauseSend:
		return "send"
	case chat.PauseFull:
		return "full"
	default:
		return "none"
	}
}
