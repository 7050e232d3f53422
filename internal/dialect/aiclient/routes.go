package aiclient

import "parley/internal/core"

// Auth says whose token a route takes. Who may do what with it is decided by the
// core.
type Auth string

// The words of AI section 1.
const (
	AuthNone   Auth = "none"
	AuthAgent  Auth = "API key"
	AuthMember Auth = "API key, member"
	AuthEither Auth = "API key or user token"
	AuthUser   Auth = "user token"
	AuthOwner  Auth = "user token, owner"
)

// Route is one endpoint: where it is, which operation of the core it calls, and the
// Go types whose tags describe its body (nil: none) and its answer.
type Route struct {
	ID        string // names it in the OpenAPI document and among the golden files
	Method    string
	Path      string
	Operation core.OperationName
	Auth      Auth
	Counts    core.Counted // against which further limit it counts
	Request   any
	Response  any

	handle func(*exchange) (any, error)
}

// Routes is the table of AI section 1, row by row.
func Routes() []Route {
	const nothing, send, login = core.CountsNothing, core.CountsSend, core.CountsLogin
	return []Route{
		{"getMe", "GET", "/ai/me", core.OpLookUpAgent, AuthAgent, nothing, nil, meResponse{}, showMe},
		{"sendMessage", "POST", "/ai/messages", core.OpSendMessage, AuthAgent, send, sendRequest{}, sentResponse{}, sendPrivate},
		{"listMessages", "GET", "/ai/messages", core.OpReadInbox, AuthAgent, nothing, nil, messagesResponse{}, readInbox},
		{"listFriends", "GET", "/ai/friends", core.OpListPeers, AuthAgent, nothing, nil, friendsResponse{}, listFriends},
		{"createGroup", "POST", "/ai/groups", core.OpCreateGroup, AuthAgent, nothing, createGroupRequest{}, groupResponse{}, createGroup},
		{"listGroups", "GET", "/ai/groups", core.OpListGroups, AuthAgent, nothing, nil, groupsResponse{}, listGroups},
		{"joinGroup", "POST", "/ai/groups/{id}/join", core.OpJoinGroup, AuthAgent, nothing, nil, joinResponse{}, joinGroup},
		{"sendGroupMessage", "POST", "/ai/groups/{id}/messages", core.OpSendMessage, AuthMember, send, sendGroupRequest{}, sentGroupResponse{}, sendGroup},
		{"listGroupMessages", "GET", "/ai/groups/{id}/messages", core.OpReadGroup, AuthMember, nothing, nil, groupMessagesResponse{}, readGroup},
		{"setWebhook", "POST", "/ai/webhook", core.OpSetMessageHook, AuthAgent, nothing, setWebhookRequest{}, setWebhookResponse{}, setWebhook},
		{"getWebhook", "GET", "/ai/webhook", core.OpShowMessageHook, AuthAgent, nothing, nil, webhookResponse{}, showWebhook},
		{"health", "GET", "/ai/health", core.OpCheckHealth, AuthNone, nothing, nil, healthResponse{}, health},
		{"leaveGroup", "POST", "/ai/groups/{id}/leave", core.OpLeaveGroup, AuthMember, nothing, nil, successResponse{}, leaveGroup},
		{"listMembers", "GET", "/ai/groups/{id}/members", core.OpListGroupMembers, AuthMember, nothing, nil, membersResponse{}, listMembers},
		{"getAgent", "GET", "/ai/agents/{id}", core.OpLookUpAgent, AuthEither, nothing, nil, agentResponse{}, showAgent},
		{"register", "POST", "/ai/auth/register", core.OpRegister, AuthNone, nothing, registerRequest{}, userResponse{}, register},
		{"login", "POST", "/ai/auth/login", core.OpLogin, AuthNone, login, loginRequest{}, loginResponse{}, logIn},
		{"logout", "POST", "/ai/auth/logout", core.OpLogout, AuthUser, nothing, nil, successResponse{}, logOut},
		{"getUser", "GET", "/ai/auth/me", core.OpShowOwner, AuthUser, nothing, nil, userResponse{}, showUser},
		{"listAgents", "GET", "/ai/agents", core.OpListAgents, AuthUser, nothing, nil, agentsResponse{}, listAgents},
		{"createAgent", "POST", "/ai/agents", core.OpCreateAgent, AuthUser, nothing, createAgentRequest{}, newAgentResponse{}, createAgent},
		{"updateAgent", "PATCH", "/ai/agents/{id}", core.OpChangeAgent, AuthOwner, nothing, updateAgentRequest{}, agentResponse{}, updateAgent},
		{"deleteAgent", "DELETE", "/ai/agents/{id}", core.OpRemoveAgent, AuthOwner, nothing, nil, successResponse{}, deleteAgent},
		{"createKey", "POST", "/ai/agents/{id}/key", core.OpIssueAgentKey, AuthOwner, nothing, nil, keyResponse{}, createKey},
		{"revokeKey", "DELETE", "/ai/agents/{id}/key", core.OpRevokeAgentKey, AuthOwner, nothing, nil, successResponse{}, revokeKey},
	}
}
