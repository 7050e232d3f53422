package opencord

import (
	"strings"

	"parley/internal/chat"
)

// Note is what the OpenAPI document says of a route beyond its row in the table.
type Note struct {
	Tag         string
	Summary     string
	Description string
	Query       []Parameter
	BodyMayMiss bool  // no body means {}
	Also        []int // statuses of success beside the usual one
	Fails       []*chat.Error
}

// Parameter is one query parameter.
type Parameter struct {
	Name        string
	Description string
	Schema      map[string]any
}

// The tags of the document.
const (
	TagAuth     = "Accounts and keys"
	TagServers  = "Servers"
	TagChannels = "Channels"
	TagMessages = "Messages"
	TagDirect   = "Direct messages"
	TagUsers    = "Users and presence"
)

// Notes describes every route by its ID.
func Notes() map[string]Note {
	var (
		noKey      = chat.Fail(chat.CodeCredentialUnknown)
		noServer   = chat.Fail(chat.CodeSpaceUnknown)
		noChannel  = chat.Fail(chat.CodeChannelUnknown)
		noMessage  = chat.Fail(chat.CodeMessageUnknown)
		noDirect   = chat.Fail(chat.CodeConversationUnknown)
		noUser     = chat.Fail(chat.CodeAccountUnknown)
		notMember  = chat.Fail(chat.CodeNotMember)
		notOwner   = chat.Fail(chat.CodeNotPermitted)
		notAuthor  = chat.Fail(chat.CodeNotAuthor)
		notInvited = chat.Fail(chat.CodeNotParticipant)
		nothing    = chat.Fail(chat.CodeNothingToUpdate)
		paused     = chat.Fail(chat.CodePaused)
		blocked    = chat.Fail(chat.CodeBlocked)
		text       = []*chat.Error{
			required("content"), invalid("content"), chat.Fail(chat.CodeTextEmpty), {Code: chat.CodeTextTooLong, Max: 4000},
		}
	)
	const (
		paging  = "Newest first. To go on, pass the `created_at` of the last message as `before`."
		editing = "Sets `edited` and `updated_at`, even when the text is unchanged; the place in the history never changes."
	)
	return map[string]Note{
		"register": {
			Tag: TagAuth, Summary: "Register an account",
			Description: "No token is issued: log in next. There is no approval and no confirmation mail.",
			Fails: []*chat.Error{
				required("email"), required("password"), required("username"), chat.Fail(chat.CodeAddressInvalid),
				chat.Fail(chat.CodePasswordShort), chat.Fail(chat.CodePasswordLong), chat.Fail(chat.CodeUsernameInvalid),
				chat.Fail(chat.CodeAddressTaken), chat.Fail(chat.CodeUsernameTaken),
			},
		},
		"login": {
			Tag: TagAuth, Summary: "Log in",
			Description: "Starts a session of 24 hours. After 10 failures of one client with one address in 5 minutes every attempt is refused with 429 until the window ends; the rate headers then describe that limit.",
			Fails:       []*chat.Error{required("email"), required("password"), chat.Fail(chat.CodeLoginFailed)},
		},
		"logout": {
			Tag: TagAuth, Summary: "Log out", Description: "Ends the calling session.",
			Fails: []*chat.Error{chat.Fail(chat.CodeSessionRequired)},
		},
		"getMe":      {Tag: TagAuth, Summary: "Show the calling account", Description: "Works while the account is suspended, too."},
		"getMeAlias": {Tag: TagUsers, Summary: "Show the calling account", Description: "The same as `GET /api/auth/me`."},
		"createKey": {
			Tag: TagAuth, Summary: "Create an API key", BodyMayMiss: true,
			Description: "The full key is shown in this answer and nowhere else. An account may have 10 live keys.",
			Fails:       []*chat.Error{chat.FailLength("name", 1, 64), chat.Fail(chat.CodeKeyCap)},
		},
		"listKeys":  {Tag: TagAuth, Summary: "List API keys", Description: "The caller's live keys, newest first, without the secrets."},
		"revokeKey": {Tag: TagAuth, Summary: "Revoke an API key", Description: "It stops working at once; a key may revoke itself.", Fails: []*chat.Error{noKey}},

		"listServers": {Tag: TagServers, Summary: "List the caller's servers", Description: "Earliest joined first."},
		"createServer": {
			Tag: TagServers, Summary: "Create a server",
			Description: "The caller becomes owner and first member; a channel named `general` and an invite code are made with it.",
			Fails: []*chat.Error{
				required("name"), chat.FailLength("name", 1, 100), chat.FailLength("description", 0, 500), chat.Fail(chat.CodeMembershipCap),
			},
		},
		"getServer": {Tag: TagServers, Summary: "Show a server", Fails: []*chat.Error{noServer, notMember}},
		"updateServer": {
			Tag: TagServers, Summary: "Change a server", Description: "At least one member must be supplied.",
			Fails: []*chat.Error{
				nothing, required("name"), chat.FailLength("name", 1, 100), chat.FailLength("description", 0, 500),
				noServer, notMember, notOwner,
			},
		},
		"deleteServer": {
			Tag: TagServers, Summary: "Delete a server", Description: "With its channels and messages; direct messages stay.",
			Fails: []*chat.Error{noServer, notMember, notOwner},
		},
		"joinServer": {
			Tag: TagServers, Summary: "Join a server",
			Fails: []*chat.Error{
				required("invite_code"), noServer, chat.Fail(chat.CodeInviteInvalid), chat.Fail(chat.CodeAlreadyMember),
				chat.Fail(chat.CodeMembershipCap), chat.Fail(chat.CodeMemberCap),
			},
		},
		"leaveServer": {
			Tag: TagServers, Summary: "Leave a server", Description: "The caller's messages stay.",
			Fails: []*chat.Error{noServer, notMember, chat.Fail(chat.CodeOwnerStays)},
		},
		"leaveServerAlias": {
			Tag: TagServers, Summary: "Leave a server", Description: "The same as `POST`.",
			Fails: []*chat.Error{noServer, notMember, chat.Fail(chat.CodeOwnerStays)},
		},
		"listMembers": {Tag: TagServers, Summary: "List a server's members", Description: "Earliest joined first.", Fails: []*chat.Error{noServer, notMember}},

		"listChannels": {Tag: TagChannels, Summary: "List a server's channels", Description: "By position.", Fails: []*chat.Error{noServer, notMember}},
		"createChannel": {
			Tag: TagChannels, Summary: "Create a channel",
			Fails: []*chat.Error{
				required("name"), invalid("name"), chat.FailLength("topic", 0, 1024), noServer, notMember, notOwner,
				chat.Fail(chat.CodeChannelCap),
			},
		},
		"getChannel": {Tag: TagChannels, Summary: "Show a channel", Fails: []*chat.Error{noChannel, notMember}},
		"updateChannel": {
			Tag: TagChannels, Summary: "Change a channel", Description: "At least one member must be supplied.",
			Fails: []*chat.Error{
				nothing, required("name"), invalid("name"), chat.FailLength("topic", 0, 1024), invalid("position"),
				noChannel, notMember, notOwner,
			},
		},
		"deleteChannel": {
			Tag: TagChannels, Summary: "Delete a channel", Description: "With its messages. The last channel of a server stays.",
			Fails: []*chat.Error{chat.Fail(chat.CodeLastChannel), noChannel, notMember, notOwner},
		},

		"listMessages": {
			Tag: TagMessages, Summary: "List messages of a channel", Description: paging, Query: history(),
			Fails: []*chat.Error{{Code: chat.CodePageLimit, Min: 1, Max: 100}, chat.Fail(chat.CodePageCursor), noChannel, notMember},
		},
		"sendMessage": {
			Tag: TagMessages, Summary: "Send a message to a channel",
			Fails: append([]*chat.Error{noChannel, notMember, paused}, text...),
		},
		"editMessage": {
			Tag: TagMessages, Summary: "Edit a channel message", Description: editing,
			Fails: append([]*chat.Error{noMessage, notMember, notAuthor}, text...),
		},
		"deleteMessage": {
			Tag: TagMessages, Summary: "Delete a channel message", Description: "One's own, or anybody's as the owner of the server.",
			Fails: []*chat.Error{noMessage, notMember, notAuthor},
		},

		"listDMs": {
			Tag: TagDirect, Summary: "List the caller's conversations", Description: "Latest activity first, empty ones included.",
			Query: []Parameter{
				{"limit", "Size of the page.", map[string]any{"type": "integer", "minimum": 1, "maximum": 1000, "default": 1000}},
				{"before", "Id of the last conversation of the page before.", map[string]any{"type": "string", "format": "uuid"}},
			},
			Fails: []*chat.Error{{Code: chat.CodePageLimit, Min: 1, Max: 1000}, invalid("before")},
		},
		"openDM": {
			Tag: TagDirect, Summary: "Open a conversation", Also: []int{200},
			Description: "Idempotent per pair of users: 201 when it is made, 200 when it was there.",
			Fails:       []*chat.Error{required("user_id"), invalid("user_id"), chat.Fail(chat.CodeSelf), noUser, blocked},
		},
		"listDMMessages": {
			Tag: TagDirect, Summary: "List messages of a conversation", Description: paging, Query: history(),
			Fails: []*chat.Error{{Code: chat.CodePageLimit, Min: 1, Max: 100}, chat.Fail(chat.CodePageCursor), noDirect, notInvited},
		},
		"sendDMMessage": {
			Tag: TagDirect, Summary: "Send a message to a conversation",
			Fails: append([]*chat.Error{
				noDirect, notInvited, chat.Fail(chat.CodePeerGone), paused, blocked, chat.Fail(chat.CodeContactsOnly),
				chat.Fail(chat.CodeAwaitingReply), chat.Fail(chat.CodeRestricted),
			}, text...),
		},
		"editDMMessage": {
			Tag: TagDirect, Summary: "Edit a direct message", Description: editing,
			Fails: append([]*chat.Error{noMessage, notInvited, notAuthor}, text...),
		},
		"deleteDMMessage": {Tag: TagDirect, Summary: "Delete a direct message", Fails: []*chat.Error{noMessage, notInvited, notAuthor}},

		"getUser": {
			Tag: TagUsers, Summary: "Show a user",
			Description: "Anybody may see anybody; for the caller's own id the answer has `email` and `updated_at` too. `me` is the caller.",
			Fails:       []*chat.Error{noUser},
		},
		"updateMe": {
			Tag: TagUsers, Summary: "Change the display name",
			Fails: []*chat.Error{nothing, chat.FailLength("display_name", 1, 32)},
		},
		"setStatus": {
			Tag: TagUsers, Summary: "Set one's status",
			Description: "At least one member must be supplied; both are checked before either is stored. Setting `offline` keeps the custom status.",
			Fails: []*chat.Error{
				nothing, chat.Fail(chat.CodeStatusInvalid), {Code: chat.CodeStatusTextLong, Max: 128},
			},
		},
	}
}

// Failures lists what a route can answer instead of success: its own failures and
// those that all routes of its kind share.
func Failures(r Route) []*chat.Error {
	var all []*chat.Error
	if r.Auth != AuthNone {
		all = append(all, chat.Fail(chat.CodeTokenMissing), chat.Fail(chat.CodeTokenInvalid))
		if !strings.HasSuffix(r.Path, "/me") && r.ID != "logout" || r.Request != nil {
			all = append(all, chat.Fail(chat.CodeAccountOff))
		}
	}
	if r.Request != nil {
		all = append(all, chat.Fail(chat.CodeBodyInvalid), chat.Fail(chat.CodeBodyTooLarge))
	}
	all = append(all, Notes()[r.ID].Fails...)
	return append(all, chat.Fail(chat.CodeRateLimited), chat.Fail(chat.CodeInternal))
}

// history are the query parameters of a page of messages.
func history() []Parameter {
	return []Parameter{
		{"limit", "Size of the page.", map[string]any{"type": "integer", "minimum": 1, "maximum": 100, "default": 50}},
		{"before", "Only messages strictly older than this time (RFC 3339, up to nine fractional digits).", map[string]any{"type": "string", "format": "date-time"}},
	}
}

func required(field string) *chat.Error { return chat.FailField(chat.CodeFieldRequired, field) }

func invalid(field string) *chat.Error { return chat.FailField(chat.CodeFieldInvalid, field) }
