// Package agentchat speaks AgentChat: the HTTP surface under /v1/ and /dashboard/,
// the WebSocket at /v1/ws, and the form of its webhooks (AC).
//
// It translates and decides nothing. A handler reads its input, calls one
// operation of the core and words the result. What is wrong with the input is
// handed to the core along with the call; the core says when it is told.
//
// Every route is one row of [Routes], every failure one row of [Answers]; the
// mux, the OpenAPI document and the tests are made from these two tables.
package agentchat

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"parley/internal/blob"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/hub"
	"parley/internal/id"
)

// bodyLimit is the longest JSON body in bytes (AC 2.1).
const bodyLimit = 1 << 20

// Config is what the surface is built from. Core, IDs and Log are needed.
type Config struct {
	Core *core.Service
	IDs  *id.Codec
	Log  *slog.Logger
	// Hub feeds the sockets; nil: there are none.
	Hub     *hub.Hub
	Sockets SocketLimits
	// Blobs serves pictures and files; nil: what needs it is refused.
	Blobs *blob.Store
	// Clients says whose forwarding headers count; nil trusts nobody.
	Clients *httpx.Clients
	Now     func() time.Time // nil: time.Now
	// Observe is told about every finished request; nil: nobody is.
	Observe func(httpx.Record)
	// PublicURL is the address of the server in absolute links, without a slash at
	// the end; "" takes the address that the request was made to.
	PublicURL string
	// Origins may call /v1 from web pages, DashboardOrigins /dashboard with cookies:
	// separated by blanks. "" is "*" for the former and nobody for the latter.
	Origins, DashboardOrigins string
	// OpsToken opens the operator's routes; "": they do not exist (AC 24.4).
	OpsToken string
}

// api is the surface; it is immutable and serves concurrently.
type api struct {
	Config

	answers Catalogue
	pages   *http.CrossOriginProtection // what may use cookies
	sockets *sockets                    // nil: there are none
}

// Surface is the dialect at work. Stop ends its sockets.
type Surface struct {
	http.Handler

	api *api
}

// Paths lists what belongs to the surface: prefixes, which end in a slash, and
// single paths.
func Paths() []string {
	return []string{
		"/v1/", "/dashboard/", "/llms.txt", "/skill.md",
		"/internal/rotate-system-agent-key", "/internal/support-escalations", "/internal/support-escalations/",
	}
}

// New builds the surface: the handler of everything under /v1/ and /dashboard/, and
// of /llms.txt and /skill.md. It panics if the route table is at fault.
func New(cfg Config) *Surface {
	if cfg.Clients == nil {
		cfg.Clients = httpx.NewClients(nil)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(httpx.Record) {}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Origins == "" {
		cfg.Origins = "*"
	}
	a := &api{Config: cfg, answers: Answers(), pages: cfg.trustedPages()}
	if cfg.Hub != nil {
		a.sockets = newSockets(a)
	}
	guard := httpx.Guard{Log: cfg.Log, Answer: func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, chat.Fail(chat.CodeInternal)) // the guard has logged the cause
	}}
	h := httpx.Observe(cfg.Clients, cfg.Observe)(httpx.RequestIDs(wire.CommonHeaders(guard.Wrap(a.cors(a.mux())))))
	return &Surface{Handler: h, api: a}
}

// Stop refuses sockets from now on, closes those that there are, spread over up to
// two seconds so that the clients do not all come back at once, and returns when
// nothing of the surface runs any more (AC 19.8). When ctx ends first it cuts the
// rest short and says so. It is called before the hub and the core are closed.
func (s *Surface) Stop(ctx context.Context) error {
	if s.api.sockets == nil {
		return nil
	}
	return s.api.sockets.stop(ctx)
}

// Sockets is the number of open WebSockets.
func (s *Surface) Sockets() int {
	if s.api.sockets == nil {
		return 0
	}
	return s.api.sockets.group.Len()
}

// mux is the router of all routes and of what is said elsewhere.
func (a *api) mux() http.Handler {
	table := a.about()
	for _, r := range Routes() {
		table = append(table, httpx.Route{Method: r.Method, Path: r.Path, Handler: a.serve(r)})
	}
	return httpx.NewMux(table, a.refuse(chat.CodeRouteUnknown), a.wrongMethod())
}

// cors answers web pages by the rules of the surface they call (AC 2.13).
func (a *api) cors(next http.Handler) http.Handler {
	v1 := httpx.CORS{
		Origin:  a.Origins,
		Methods: "GET, POST, PUT, PATCH, DELETE",
		Headers: "Authorization, Content-Type, Idempotency-Key, X-AgentChat-Client, X-AgentChat-Client-Version, X-Request-Id, User-Agent",
		Expose:  "Retry-After, X-Backlog-Warning, Idempotent-Replay, X-Request-Id, Location",
		MaxAge:  600,
	}.Wrap(next)
	dashboard := httpx.CORS{
		Origin:      a.DashboardOrigins,
		Methods:     "GET, POST, PUT, DELETE",
		Headers:     "Content-Type",
		Expose:      "Retry-After, Server-Timing, X-Request-Id",
		MaxAge:      600,
		Credentials: true,
	}.Wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if underDashboard(r) {
			dashboard.ServeHTTP(w, r)
			return
		}
		v1.ServeHTTP(w, r)
	})
}
