package opencord

import "parley/internal/core"

// Auth says who may use a route. To this package only AuthNone matters; the rest
// is decided by the core and stands here for readers.
type Auth string

// The words of OC section 1.
const (
	AuthNone        Auth = "none"
	AuthAccount     Auth = "required"
	AuthSession     Auth = "session"
	AuthInvite      Auth = "required + invite"
	AuthMember      Auth = "member"
	AuthOwner       Auth = "owner"
	AuthAuthor      Auth = "author"
	AuthAuthorOwner Auth = "author or owner"
	AuthParticipant Auth = "participant"
)

// Route is one endpoint: where it is, which operation of the core it calls, and
// the Go types whose tags describe its body (nil: none) and its answer.
type Route struct {
	ID        string // names it in the OpenAPI document and among the golden files
	Method    string
	Path      string
	Operation core.OperationName
	Auth      Auth
	Status    int // of success
	Request   any
	Response  any

	handle func(*exchange) (any, error)
}

// Routes is the table of OC section 1, then the hedges. A PATCH is served for PUT
// too.
func Routes() []Route {
	return []Route{
		{"register", "POST", "/api/auth/register", core.OpRegister, AuthNone, 201, registerRequest{}, userResponse{}, register},
		{"login", "POST", "/api/auth/login", core.OpLogin, AuthNone, 200, loginRequest{}, loginResponse{}, login},
		{"getMe", "GET", "/api/auth/me", core.OpShowSelf, AuthAccount, 200, nil, userResponse{}, showSelf},
		{"createKey", "POST", "/api/auth/api-key", core.OpCreateKey, AuthAccount, 201, createKeyRequest{}, newKeyResponse{}, createKey},
		{"listKeys", "GET", "/api/auth/api-key", core.OpListKeys, AuthAccount, 200, nil, keysResponse{}, listKeys},
		{"revokeKey", "DELETE", "/api/auth/api-key/{id}", core.OpRevokeKey, AuthAccount, 200, nil, successResponse{}, revokeKey},
		{"listServers", "GET", "/api/servers", core.OpListSpaces, AuthAccount, 200, nil, serversResponse{}, listServers},
		{"createServer", "POST", "/api/servers", core.OpCreateSpace, AuthAccount, 201, createServerRequest{}, serverResponse{}, createServer},
		{"getServer", "GET", "/api/servers/{id}", core.OpShowSpace, AuthMember, 200, nil, serverResponse{}, showServer},
		{"updateServer", "PATCH", "/api/servers/{id}", core.OpUpdateSpace, AuthOwner, 200, updateServerRequest{}, serverResponse{}, updateServer},
		{"deleteServer", "DELETE", "/api/servers/{id}", core.OpDeleteSpace, AuthOwner, 200, nil, successResponse{}, deleteServer},
		{"joinServer", "POST", "/api/servers/{id}/join", core.OpJoinSpace, AuthInvite, 200, joinServerRequest{}, serverResponse{}, joinServer},
		{"leaveServer", "POST", "/api/servers/{id}/leave", core.OpLeaveSpace, AuthMember, 200, nil, successResponse{}, leaveServer},
		{"listMembers", "GET", "/api/servers/{id}/members", core.OpListMembers, AuthMember, 200, nil, membersResponse{}, listMembers},
		{"listChannels", "GET", "/api/servers/{id}/channels", core.OpListChannels, AuthMember, 200, nil, channelsResponse{}, listChannels},
		{"createChannel", "POST", "/api/servers/{id}/channels", core.OpCreateChannel, AuthOwner, 201, createChannelRequest{}, channelResponse{}, createChannel},
		{"updateChannel", "PATCH", "/api/channels/{id}", core.OpUpdateChannel, AuthOwner, 200, updateChannelRequest{}, channelResponse{}, updateChannel},
		{"deleteChannel", "DELETE", "/api/channels/{id}", core.OpDeleteChannel, AuthOwner, 200, nil, successResponse{}, deleteChannel},
		{"listMessages", "GET", "/api/channels/{id}/messages", core.OpListMessages, AuthMember, 200, nil, messagesResponse{}, listMessages},
		{"sendMessage", "POST", "/api/channels/{id}/messages", core.OpSendMessage, AuthMember, 201, contentRequest{}, messageResponse{}, sendMessage},
		{"editMessage", "PATCH", "/api/messages/{id}", core.OpEditMessage, AuthAuthor, 200, contentRequest{}, messageResponse{}, editMessage},
		{"deleteMessage", "DELETE", "/api/messages/{id}", core.OpDeleteMessage, AuthAuthorOwner, 200, nil, successResponse{}, deleteMessage},
		{"listDMs", "GET", "/api/dm", core.OpListDirects, AuthAccount, 200, nil, directsResponse{}, listDirects},
		{"openDM", "POST", "/api/dm", core.OpOpenDirect, AuthAccount, 201, openDirectRequest{}, directResponse{}, openDirect},
		{"listDMMessages", "GET", "/api/dm/{id}/messages", core.OpListMessages, AuthParticipant, 200, nil, messagesResponse{}, listDirectMessages},
		{"sendDMMessage", "POST", "/api/dm/{id}/messages", core.OpSendMessage, AuthParticipant, 201, contentRequest{}, messageResponse{}, sendDirectMessage},
		{"editDMMessage", "PATCH", "/api/dm/messages/{id}", core.OpEditMessage, AuthAuthor, 200, contentRequest{}, messageResponse{}, editDirectMessage},
		{"deleteDMMessage", "DELETE", "/api/dm/messages/{id}", core.OpRetractMessage, AuthAuthor, 200, nil, successResponse{}, deleteDirectMessage},
		{"getUser", "GET", "/api/users/{id}", core.OpShowAccount, AuthAccount, 200, nil, publicUserResponse{}, showUser},
		{"updateMe", "PATCH", "/api/users/me", core.OpUpdateProfile, AuthAccount, 200, updateProfileRequest{}, userResponse{}, updateProfile},
		{"setStatus", "PATCH", "/api/users/me/status", core.OpSetPresence, AuthAccount, 200, setStatusRequest{}, userResponse{}, setStatus},

		{"leaveServerAlias", "DELETE", "/api/servers/{id}/leave", core.OpLeaveSpace, AuthMember, 200, nil, successResponse{}, leaveServer},
		{"getChannel", "GET", "/api/channels/{id}", core.OpShowChannel, AuthMember, 200, nil, channelResponse{}, showChannel},
		{"getMeAlias", "GET", "/api/users/me", core.OpShowSelf, AuthAccount, 200, nil, userResponse{}, showSelf},
		{"logout", "POST", "/api/auth/logout", core.OpLogout, AuthSession, 200, nil, successResponse{}, logout},
	}
}
