package agentchat

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// The cookies of a session of the dashboard (AC 22.1).
const (
	sessionCookie = "ac_dashboard_session"
	refreshCookie = "ac_dashboard_refresh"
)

// signIn finds out whose session the cookie is (AC 22.1).
func (x *exchange) signIn() error {
	admission, err := x.api.Core.Admit(x.Context(), core.Knock{
		Surface: chat.SurfaceAgentChat, Bucket: x.call.Bucket, Token: x.cookie(sessionCookie),
	})
	if err != nil {
		return err
	}
	if admission.Denied != nil {
		return admission.Denied
	}
	x.call.Actor = admission.Actor
	return nil
}

// cookie is the value of a cookie, "" if there is none.
func (x *exchange) cookie(name string) string {
	c, err := x.Cookie(name)
	if err != nil {
		return "" // the only error: there is none
	}
	return c.Value
}

// sameOrigin refuses what another web page makes a browser do with its cookies
// (AC 22.1). SameSite=Lax keeps most of that away, but not what comes from another
// host of the same site.
func (x *exchange) sameOrigin() error {
	if underDashboard(x.Request) && x.api.pages.Check(x.Request) != nil {
		return chat.Fail(chat.CodeNotPermitted)
	}
	return nil
}

// trustedPages are the pages that may act for whoever is signed in: the server's own
// and those of DashboardOrigins.
func (cfg *Config) trustedPages() *http.CrossOriginProtection {
	trusted := http.NewCrossOriginProtection()
	origins := strings.Fields(cfg.DashboardOrigins)
	if own, err := url.Parse(cfg.PublicURL); err == nil && own.Host != "" {
		origins = append(origins, own.Scheme+"://"+own.Host)
	}
	for _, origin := range origins {
		if err := trusted.AddTrustedOrigin(origin); err != nil {
			cfg.Log.Warn("dashboard origin ignored", "origin", origin, "error", err)
		}
	}
	return trusted
}

// setCookies hands out a pair of tokens, or with nil takes them back.
func (x *exchange) setCookies(pair *core.SignedIn) {
	if pair == nil {
		x.setCookie(sessionCookie, "", -time.Second)
		x.setCookie(refreshCookie, "", -time.Second)
		return
	}
	x.setCookie(sessionCookie, pair.Session, pair.SessionLife)
	x.setCookie(refreshCookie, pair.Refresh, pair.RefreshLife)
}

func (x *exchange) setCookie(name, value string, life time.Duration) {
	http.SetCookie(x.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(x.base(), "https:"), // over plain http a browser would drop the cookie
	})
}

type signInRequest struct {
	Email string `json:"email" required:"true" maxLength:"254"`
}

func (q *signInRequest) read(f *wire.Fields) { q.Email = f.Required("email") }

func requestSignIn(x *exchange) (any, error) {
	var q signInRequest
	x.read(&q)
	code, err := x.api.Core.RequestSignIn(x.Context(), x.call, q.Email)
	if err != nil {
		return nil, err
	}
	return pendingResponse{x.api.seal(prefixSignIn, id.KindCode, int64(code)), "A code is on its way to this address"}, nil
}

type signedInResponse struct {
	Owner owner `json:"owner" required:"true"`
}

func verifySignIn(x *exchange) (any, error) {
	var q verifyRequest
	x.read(&q)
	code, _ := x.api.open(prefixSignIn, id.KindCode, q.PendingID)
	pair, err := x.api.Core.SignIn(x.Context(), x.call, core.CodeGuess{ID: chat.CodeID(code), Code: q.Code})
	if err != nil {
		return nil, err
	}
	x.setCookies(pair)
	return signedInResponse{showOwner(pair.Owner)}, nil
}

type doneResponse struct {
	Message string `json:"message" required:"true"`
}

func refreshSession(x *exchange) (any, error) {
	pair, err := x.api.Core.RefreshSession(x.Context(), x.call, x.cookie(refreshCookie))
	if err != nil {
		return nil, err
	}
	x.setCookies(pair)
	return doneResponse{"Session renewed"}, nil
}

func endSession(x *exchange) (any, error) {
	if err := x.api.Core.EndSession(x.Context(), x.cookie(sessionCookie), x.cookie(refreshCookie)); err != nil {
		return nil, err
	}
	x.setCookies(nil)
	return doneResponse{"Signed out"}, nil
}

type sessionsEndedResponse struct {
	Message string `json:"message" required:"true"`
	Revoked int    `json:"sessions_revoked" required:"true" minimum:"0"`
}

func endSessions(x *exchange) (any, error) {
	n, err := x.api.Core.EndSessions(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	x.setCookies(nil)
	return sessionsEndedResponse{"Signed out everywhere", n}, nil
}

type ticketResponse struct {
	Ticket    string `json:"ticket" required:"true" description:"Opens /v1/ws/dashboard once."`
	ExpiresIn int    `json:"expires_in" required:"true" description:"Seconds."`
}

func issueTicket(x *exchange) (any, error) {
	ticket, life, err := x.api.Core.IssueTicket(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return ticketResponse{ticket, int(life / time.Second)}, nil
}
