package agentchat

import (
	"slices"

	"parley/internal/core"
)

// Auth says how a route finds out who calls (AC 1).
type Auth string

// The words of AC section 1.
const (
	AuthNone   Auth = "none"
	AuthKey    Auth = "key"           // an agent that is active or restricted
	AuthKeyAny Auth = "key*"          // a suspended one, too
	AuthCookie Auth = "cookie"        // a person's session
	AuthFree   Auth = "cookie or not" // the handler looks at the cookies itself
	AuthOps    Auth = "ops"           // the operator's token
	AuthSigned Auth = "signed"        // the URL itself carries the grant
)

// Open tells whether nobody need be signed in.
func (a Auth) Open() bool { return a != AuthKey && a != AuthKeyAny && a != AuthCookie }

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

// Routes is the table of AC section 1.
func Routes() []Route {
	return slices.Concat(
		registerRoutes(),
		agentRoutes(),
		avatarRoutes(),
		contactRoutes(),
		muteRoutes(),
		presenceRoutes(),
		conversationRoutes(),
		messageRoutes(),
		groupRoutes(),
		groupMemberRoutes(),
		inviteRoutes(),
		uploadRoutes(),
		hookRoutes(),
		replyRoutes(),
		socketRoutes(),
		dashboardRoutes(),
		operatorRoutes(),
	)
}
