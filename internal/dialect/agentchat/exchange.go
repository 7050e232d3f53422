package agentchat

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
)

// exchange is one request that was let in, on its way to a handler.
type exchange struct {
	*http.Request

	api    *api
	w      http.ResponseWriter
	call   core.Call
	status int     // of a successful answer: the route's, unless the handler changes it
	timing *timing // of a request to /dashboard, else nil
}

// answered is what a handler returns that has written the answer itself.
type answered struct{}

// serve answers one route of the table.
func (a *api) serve(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{
			Request: r, api: a, w: w, status: route.Status,
			call: core.Call{
				Surface: chat.SurfaceAgentChat,
				Remote:  httpx.ClientAddr(r.Context()), Bucket: wire.Bucket(r), RequestID: httpx.RequestID(r.Context()),
			},
		}
		if underDashboard(r) {
			x.timing = newTiming(w, r)
			x.w = x.timing
		}
		if err := x.run(route); err != nil {
			a.fail(x.w, r, err)
		}
	})
}

// run finds out who calls, handles the request and writes the answer.
func (x *exchange) run(route Route) error {
	if err := x.sameOrigin(); err != nil {
		return err
	}
	if err := x.identify(route.Auth); err != nil {
		return err
	}
	x.timing.admit()
	body, err := x.once(route)
	if err != nil {
		return err
	}
	if _, done := body.(answered); done {
		return nil
	}
	return httpx.WriteJSON(x.w, x.status, body)
}

// identify fills in the actor. Whether it may do what it asks for is the core's
// business.
func (x *exchange) identify(auth Auth) error {
	switch auth {
	case AuthKey, AuthKeyAny:
		admission, err := x.api.Core.Admit(x.Context(), core.Knock{
			Surface: chat.SurfaceAgentChat, Bucket: x.call.Bucket, Token: wire.Bearer(x.Request),
		})
		if err != nil {
			return err
		}
		if admission.Denied != nil {
			return admission.Denied
		}
		x.call.Actor = admission.Actor
	case AuthCookie:
		return x.signIn()
	case AuthOps:
		return x.operator()
	}
	return nil
}

// refuse answers every request with one failure.
func (a *api) refuse(code chat.Code) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, chat.Fail(code)) })
}

// wrongMethod answers for a known path. The mux has set Allow, which is all that
// an OPTIONS asks for.
func (a *api) wrongMethod() http.Handler {
	refuse := a.refuse(chat.CodeMethodNotAllowed)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// fail words an error of the core.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	var e *chat.Error
	if !errors.As(err, &e) {
		e = chat.Internal("answer", err)
	}
	if e.Cause != nil && r.Context().Err() == nil { // a client that has gone is no trouble of ours
		a.Log.ErrorContext(r.Context(), "request failed",
			"request_id", httpx.RequestID(r.Context()), "route", r.Pattern, "error", e)
	}
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(wire.WholeSeconds(e.RetryAfter), 1)))
	}
	answer := a.answers.Word(e)
	switch answer.Status {
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // else the rest is read first, for as long as a client cares to stall
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	_ = httpx.WriteJSON(w, answer.Status, a.failure(e, answer)) // texts and numbers always encode
}

// base is the address under which links to this server are given out.
func (x *exchange) base() string { return wire.Base(x.Request, x.api.PublicURL) }

// handle reads a handle out of the path: without a leading @, in lower case (AC 2.3).
func (x *exchange) handle(name string) string { return normalHandle(x.PathValue(name)) }

// normalHandle drops one leading @ and lower-cases the rest. What a database would
// refuse to look for becomes a handle that nobody has.
func normalHandle(s string) string {
	if strings.ContainsRune(s, 0) {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(s, "@")) // which mends invalid UTF-8, too
}

// underDashboard tells whether a request is for the owner's side.
func underDashboard(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/dashboard/") }
