package aiclient

import (
	"errors"
	"net/http"
	"strconv"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/id"
)

// exchange is one request that was let in, on its way to a handler.
type exchange struct {
	*http.Request

	api    *api
	auth   Auth
	call   core.Call
	status int // of the answer: 200 unless the handler changes it
}

// serve answers one route of the table.
func (a *api) serve(route Route) http.Handler {
	return a.admitted(route.Counts, func(w http.ResponseWriter, r *http.Request, admission core.Admission) {
		if route.Auth != AuthNone && admission.Denied != nil {
			a.refuseToken(w, r, route.Auth, admission.Denied)
			return
		}
		x := &exchange{
			Request: r, api: a, auth: route.Auth, status: http.StatusOK,
			call: core.Call{
				Actor: admission.Actor, Surface: chat.SurfaceAIClient, Bucket: wire.Bucket(r),
				Remote: httpx.ClientAddr(r.Context()), RequestID: httpx.RequestID(r.Context()),
			},
		}
		body, err := route.handle(x)
		if err == nil {
			err = httpx.WriteJSON(w, x.status, body)
		}
		if err != nil {
			a.refuseToken(w, r, route.Auth, err)
		}
	})
}

// admitted counts a request before anything else is said about it, and tells next
// who makes it.
func (a *api) admitted(also core.Counted, next func(http.ResponseWriter, *http.Request, core.Admission)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		admission, err := a.Core.Admit(r.Context(), core.Knock{
			Surface: chat.SurfaceAIClient, Bucket: wire.Bucket(r), Token: wire.Bearer(r), Also: also,
		})
		wire.SetQuota(w.Header(), admission.Quota)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		next(w, r, admission)
	})
}

// preflights shows the quota on preflight answers, which are not counted.
func (a *api) preflights(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			a.peek(w, r)
		}
		next.ServeHTTP(w, r)
	})
}

// peek shows what the client's address has left, and counts nothing.
func (a *api) peek(w http.ResponseWriter, r *http.Request) {
	wire.SetQuota(w.Header(), a.Core.PeekQuota(chat.SurfaceAIClient, wire.Bucket(r)))
}

// refuse answers every request with one failure.
func (a *api) refuse(code chat.Code) http.Handler {
	return a.admitted(core.CountsNothing, func(w http.ResponseWriter, r *http.Request, _ core.Admission) {
		a.fail(w, r, chat.Fail(code))
	})
}

// wrongMethod answers for a known path. The mux has set Allow, which is all that an
// OPTIONS asks for.
func (a *api) wrongMethod() http.Handler {
	refuse := a.refuse(chat.CodeMethodNotAllowed)
	options := a.admitted(core.CountsNothing, func(w http.ResponseWriter, _ *http.Request, _ core.Admission) {
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			options.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// refuseToken is fail where a token that is missing, or of the wrong kind, is told in
// the words for what the route needs: a person's login or an agent's key (AI 3).
func (a *api) refuseToken(w http.ResponseWriter, r *http.Request, auth Auth, err error) {
	if code := chat.CodeOf(err); (auth == AuthUser || auth == AuthOwner) && (code == chat.CodeTokenMissing || code == chat.CodeTokenInvalid) {
		err = chat.Fail(chat.CodeSessionRequired)
	}
	a.fail(w, r, err)
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
	if e.Quota != nil {
		wire.SetQuota(h, *e.Quota)
	}
	answer := a.answers.Word(e)
	if wait := waitOf(answer, e); wait > 0 {
		h.Set("Retry-After", strconv.Itoa(wait))
	}
	switch answer.Status {
	case http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // else the rest is read first, for as long as a client cares to stall
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	}
	_ = httpx.WriteJSON(w, answer.Status, bodyOf(answer, e)) // a text always encodes
}

// pathID opens the public id in the path. One that is malformed or names another kind
// of thing is 0, which nothing has: the core answers that it is unknown.
func (x *exchange) pathID(kind id.Kind) int64 {
	n, _ := x.api.open(kind, x.PathValue("id"))
	return n
}

// open reads a public id; ok is false unless this server made it.
func (a *api) open(kind id.Kind, text string) (n int64, ok bool) {
	u, ok := id.ParseUUID(text)
	if !ok {
		return 0, false
	}
	return a.IDs.Open(kind, u)
}

func (a *api) seal(kind id.Kind, n int64) string { return a.IDs.Seal(kind, n).String() }

func (a *api) accountID(n chat.AccountID) string { return a.seal(id.KindAccount, int64(n)) }

func (a *api) groupID(n chat.ConversationID) string { return a.seal(id.KindConversation, int64(n)) }

func (a *api) messageID(n chat.MessageID) string { return a.seal(id.KindMessage, int64(n)) }
