package agentchat_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// person is somebody with a browser.
type person struct {
	*dialecttest.Client

	jar     *cookiejar.Jar
	address string
}

// person is somebody who is not signed in.
func (w *world) person(t testing.TB) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("make a cookie jar: %v", err)
	}
	p := &person{Client: w.Visitor(t), jar: jar}
	p.HTTP = &http.Client{Transport: w.Server.Client().Transport, Jar: jar}
	return p
}

// owner is a person who has signed in with an address.
func (w *world) owner(t testing.TB, address string) *person {
	t.Helper()
	p := w.person(t)
	p.verify(p.request(address)).Want(200)
	return p
}

// request asks for a code and returns what it came to.
func (p *person) request(address string) (pending, digits string) {
	p.T.Helper()
	p.address = strings.ToLower(strings.TrimSpace(address))
	before := p.World.Mail.Count(p.address)
	pending = p.Post("/dashboard/auth/otp/request", object{"email": address}).Want(200).Text("pending_id")
	return pending, p.World.Mail.Code(p.T, p.address, before+1)
}

func (p *person) verify(pending, digits string) *response {
	p.T.Helper()
	return p.Post("/dashboard/auth/otp/verify", object{"pending_id": pending, "code": digits})
}

// claim makes the person the owner of an agent.
func (p *person) claim(a *agent) *response {
	p.T.Helper()
	return p.Post("/dashboard/agents/claim", object{"api_key": a.Token}).Want(201)
}

// token is the value of one of the person's cookies.
func (p *person) token(name string) string {
	p.T.Helper()
	u, err := url.Parse(p.World.Server.URL)
	if err != nil {
		p.T.Fatalf("parse the address of the server: %v", err)
	}
	for _, c := range p.jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

const (
	sessionCookie = "ac_dashboard_session"
	refreshCookie = "ac_dashboard_refresh"
)

// login finds the account with a login address.
func (w *world) login(t testing.TB, address string) *chat.Account {
	t.Helper()
	return look(t, w, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByLogin(ctx, address)
	})
}

// trail lists what the audit trail says was done to an account, the oldest first.
func (w *world) trail(t testing.TB, target chat.AccountID) []string {
	t.Helper()
	var acts []string
	for _, e := range look(t, w, func(ctx context.Context, r store.Reader) ([]store.AuditRecord, error) {
		return r.AuditList(ctx, target, time.Time{}, 100)
	}) {
		acts = append(acts, e.Act)
	}
	slices.Reverse(acts)
	return acts
}

func TestSignInMakesAnOwner(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		pending, digits := p.request(" Ada.Lovelace@Example.ORG ")
		if !strings.HasPrefix(pending, "dpnd_") {
			t.Errorf("pending_id: got %s, want dpnd_…", pending)
		}
		r := p.verify(pending, digits).Want(200)
		r.Is("owner.email", "ada.lovelace@example.org").Is("owner.display_name", nil)
		if at := readTime(t, r.Text("owner.created_at")); !at.Equal(w.Clock.Now()) {
			t.Errorf("created_at: got %v, want %v", at, w.Clock.Now())
		}
		p.Get("/dashboard/me").Want(200).Is("email", "ada.lovelace@example.org").Is("display_name", nil)
		p.Get("/dashboard/bootstrap").Want(200).Is("owner.email", "ada.lovelace@example.org")
		if got := p.Get("/dashboard/agents").Want(200).List("agents"); len(got) != 0 {
			t.Errorf("agents: got %v, want none", got)
		}
		a := w.login(t, "ada.lovelace@example.org")
		if a.Kind != chat.KindHuman || !a.Proven || a.Handle != "ada-lovelace" || a.Guarded {
			t.Errorf("account: got %+v, want a proven human ada-lovelace without a guard", a)
		}
		if got, want := w.trail(t, a.ID), []string{"owner.created", "owner.signed_in"}; !slices.Equal(got, want) {
			t.Errorf("audit: got %v, want %v", got, want)
		}

		// The second time it is the same account.
		w.Clock.Advance(time.Minute)
		again := w.owner(t, "ada.lovelace@example.org")
		again.Get("/dashboard/me").Want(200).Is("created_at", r.Text("owner.created_at"))
		if got := w.trail(t, a.ID); len(got) != 3 || got[2] != "owner.signed_in" {
			t.Errorf("audit: got %v, want another owner.signed_in", got)
		}
	})
}

// A word that is somebody's username is not given as a handle: it would be the
// owner's username, too.
func TestOwnersNameIsNobodyElses(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		w.agentNamed(t, "grace")
		a := w.agentNamed(t, "someone")
		w.change(t, a, func(a *chat.Account) { a.Username, a.NameKey = "alan", "alan" })
		for _, local := range []string{"grace", "alan"} {
			address := local + "@example.org"
			w.owner(t, address)
			got := w.login(t, address)
			if !strings.HasPrefix(got.Handle, local+"-") || got.Username != got.Handle {
				t.Errorf("%s: got handle %s, username %s, want %s-…", address, got.Handle, got.Username, local)
			}
		}
	})
}

func TestSignInCookies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		public string
		secure bool
	}{{"", false}, {"http://chat.example.org", false}, {"https://chat.example.org/prefix", true}} {
		w := newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, c *agentchat.Config) { c.PublicURL = test.public })
		p := w.person(t)
		r := p.verify(p.request("ada@example.org")).Want(200)
		cookies := (&http.Response{Header: r.Header}).Cookies()
		if len(cookies) != 2 {
			t.Fatalf("cookies: got %v, want two", cookies)
		}
		for i, want := range []struct {
			name string
			age  int
		}{{sessionCookie, 3600}, {refreshCookie, 30 * 24 * 3600}} {
			c := cookies[i]
			if c.Name != want.name || c.MaxAge != want.age || c.Path != "/" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
				c.Secure != test.secure || len(c.Value) < 40 {
				t.Errorf("public URL %q: got %v, want %s of %d s, secure %v", test.public, c, want.name, want.age, test.secure)
			}
		}
	}
}

func TestSignInFailures(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		for _, body := range []any{object{}, object{"email": 7}, object{"email": "nobody"}, "{"} {
			code(w.person(t).Post("/dashboard/auth/otp/request", body), 400, "VALIDATION_ERROR")
		}
		pending, digits := p.request("ada@example.org")
		code(p.Post("/dashboard/auth/otp/request", object{"email": "ada@example.org"}), 429, "OTP_COOLDOWN")
		code(p.verify(pending, "12345"), 400, "VALIDATION_ERROR")
		code(p.verify("dpnd_nonsense", digits), 400, "EXPIRED")
		code(p.verify("pnd_"+strings.TrimPrefix(pending, "dpnd_"), digits), 400, "EXPIRED")
		wrong := "000000"
		if digits == wrong {
			wrong = "000001"
		}
		code(p.verify(pending, wrong), 400, "INVALID_CODE")
		p.verify(pending, digits).Want(200)
		code(p.verify(pending, digits), 400, "EXPIRED")

		w.Mail.Fail(context.DeadlineExceeded)
		code(w.person(t).Post("/dashboard/auth/otp/request", object{"email": "bob@example.org"}), 500, "OTP_FAILED")
	})
}

func TestSignInRates(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		for range 5 {
			p.request(w.agent(t).handle + "@mail.example.org")
		}
		r := code(p.Post("/dashboard/auth/otp/request", object{"email": "sixth@example.org"}), 429, "RATE_LIMITED")
		if r.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		for range 10 {
			code(p.verify("dpnd_nonsense", "123456"), 400, "EXPIRED")
		}
		code(p.verify("dpnd_nonsense", "123456"), 429, "RATE_LIMITED")
		w.person(t).request("other@example.org") // from elsewhere
	})
}

// The login address of an agent of /api is not a person's.
func TestSignInWithAnAgentsAddress(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.LoginAddress = "bot@example.org" })
		p := w.person(t)
		code(p.verify(p.request("bot@example.org")), 409, "EMAIL_IS_AGENT")
		if p.token(sessionCookie) != "" {
			t.Error("got a session for an agent's address")
		}
		// A recovery address is another matter: one person may have both.
		w.owner(t, a.address).Get("/dashboard/me").Want(200).Is("email", a.address)
	})
}

// Whoever registers with somebody else's address in /api loses all they had when
// the address is proven, and the keys of the agents they made.
func TestFirstProofEndsWhatCameBefore(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		api := core.Call{Surface: chat.SurfaceOpenCord}
		a, err := w.Core.Register(ctx, api, core.Registration{Address: "ada@example.org", Password: "correct horse", Username: "thief"})
		if err != nil {
			t.Fatalf("register: %v", err)
		}
		session, err := w.Core.Login(ctx, api, "192.0.2.1", "ada@example.org", "correct horse")
		if err != nil {
			t.Fatalf("log in: %v", err)
		}
		_, key, err := w.Core.IssueKey(ctx, a.ID, "key")
		if err != nil {
			t.Fatalf("issue key: %v", err)
		}
		opened, err := w.Core.Admit(ctx, core.Knock{Surface: chat.SurfaceAIClient, Bucket: "192.0.2.1", Token: session.Token})
		if err != nil {
			t.Fatalf("admit: %v", err)
		}
		person := core.Call{Surface: chat.SurfaceAIClient, Actor: opened.Actor}
		_, agentKey, err := w.Core.CreateAgent(ctx, person, core.NewAgentSpec{Name: "minion"})
		if err != nil {
			t.Fatalf("create agent: %v", err)
		}
		denied := func(token string) bool {
			t.Helper()
			admission, err := w.Core.Admit(ctx, core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "192.0.2.1", Token: token})
			if err != nil {
				t.Fatalf("admit: %v", err)
			}
			return admission.Denied != nil
		}
		if denied(session.Token) || denied(key) || denied(agentKey) {
			t.Fatal("session and keys do not work before the proof")
		}
		p := w.owner(t, "ada@example.org")
		if !denied(session.Token) || !denied(key) || !denied(agentKey) {
			t.Error("session or key works after the proof, or that of an agent made meanwhile")
		}
		if _, err := w.Core.Login(ctx, api, "192.0.2.1", "ada@example.org", "correct horse"); chat.CodeOf(err) != chat.CodeLoginFailed {
			t.Errorf("password after the proof: got %v, want %s", err, chat.CodeLoginFailed)
		}
		p.Get("/dashboard/me").Want(200)
		if got, want := w.trail(t, a.ID), "owner.created"; slices.Contains(got, want) {
			t.Errorf("audit: got %v, want no %s: the account was there", got, want)
		}

		// Only the first proof does so.
		w.Clock.Advance(time.Minute)
		w.owner(t, "ada@example.org")
		p.Get("/dashboard/me").Want(200)
	})
}

func TestSuspendedOwner(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		a := w.login(t, "ada@example.org")
		if _, err := w.Core.Suspend(t.Context(), a.ID, true); err != nil {
			t.Fatalf("suspend: %v", err)
		}
		code(p.Get("/dashboard/me"), 403, "SUSPENDED")
		code(p.Post("/dashboard/auth/refresh", nil), 403, "SUSPENDED")
		w.Clock.Advance(time.Minute)
		other := w.person(t)
		code(other.verify(other.request("ada@example.org")), 403, "SUSPENDED")
	})
}

func TestSessionsExpire(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		bare := w.Visitor(t)
		session, refresh := sessionCookie+"="+p.token(sessionCookie), refreshCookie+"="+p.token(refreshCookie)
		w.Clock.Advance(time.Hour - time.Millisecond)
		bare.Get("/dashboard/me", "Cookie: "+session).Want(200)
		w.Clock.Advance(time.Millisecond)
		code(bare.Get("/dashboard/me", "Cookie: "+session), 401, "UNAUTHORIZED")
		w.Clock.Advance(30*24*time.Hour - time.Hour)
		code(bare.Post("/dashboard/auth/refresh", nil, "Cookie: "+refresh), 401, "UNAUTHORIZED")
	})
}

func TestTokensOpenOnlyTheirOwnDoor(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		code(w.Visitor(t).Get("/dashboard/me"), 401, "UNAUTHORIZED")
		bearer := w.Visitor(t)
		for _, token := range []string{p.token(sessionCookie), p.token(refreshCookie), a.Token} {
			bearer.Token = token
			code(bearer.Get("/dashboard/me"), 401, "UNAUTHORIZED")
		}
		visitor := w.Visitor(t)
		code(visitor.Get("/dashboard/me", "Cookie: "+sessionCookie+"="+a.Token), 401, "UNAUTHORIZED")
		code(visitor.Get("/dashboard/me", "Cookie: "+sessionCookie+"="+p.token(refreshCookie)), 401, "UNAUTHORIZED")
		code(visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+refreshCookie+"="+p.token(sessionCookie)), 401, "UNAUTHORIZED")
		code(visitor.Get("/v1/contacts", "Cookie: "+sessionCookie+"="+p.token(sessionCookie)), 401, "UNAUTHORIZED")
		// A refresh token is good for nothing in any other dialect either.
		admission, err := w.Core.Admit(t.Context(), core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "b", Token: p.token(refreshCookie)})
		if err != nil || chat.CodeOf(admission.Denied) != chat.CodeTokenInvalid {
			t.Errorf("refresh token as a bearer: got %v, %v, want %s", admission.Denied, err, chat.CodeTokenInvalid)
		}
	})
}

func TestRefreshRotates(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		old := sessionCookie + "=" + p.token(sessionCookie)
		oldRefresh := refreshCookie + "=" + p.token(refreshCookie)
		visitor := w.Visitor(t)
		visitor.Get("/dashboard/me", "Cookie: "+old).Want(200)

		p.Post("/dashboard/auth/refresh", nil).Want(200).Text("message")
		if p.token(sessionCookie) == "" || sessionCookie+"="+p.token(sessionCookie) == old {
			t.Errorf("session after a refresh: got %s, want a new one", p.token(sessionCookie))
		}
		p.Get("/dashboard/me").Want(200)
		code(visitor.Get("/dashboard/me", "Cookie: "+old), 401, "UNAUTHORIZED")

		// For 30 s the old token leads to the same pair, to whoever has it.
		w.Clock.Advance(30*time.Second - time.Millisecond)
		again := visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+oldRefresh).Want(200)
		cookies := (&http.Response{Header: again.Header}).Cookies()
		if len(cookies) != 2 || cookies[0].Value != p.token(sessionCookie) || cookies[1].Value != p.token(refreshCookie) {
			t.Errorf("second refresh: got %v, want the pair of the first", cookies)
		}
		w.Clock.Advance(time.Millisecond)
		code(visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+oldRefresh), 401, "UNAUTHORIZED")
		code(visitor.Post("/dashboard/auth/refresh", nil), 401, "UNAUTHORIZED")

		// After the session has expired the refresh goes on.
		w.Clock.Advance(2 * time.Hour)
		if err := w.Core.Sweep(t.Context()); err != nil {
			t.Fatalf("sweep: %v", err)
		}
		p.Post("/dashboard/auth/refresh", nil).Want(200)
		p.Get("/dashboard/me").Want(200)
	})
}

func TestConcurrentRefreshesShareOnePair(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		refresh := refreshCookie + "=" + p.token(refreshCookie)
		visitor := w.Visitor(t)
		pairs := make(map[string]int)
		for _, r := range dialecttest.Together(20, func(int) *response {
			return visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+refresh)
		}) {
			r.Want(200)
			for _, c := range (&http.Response{Header: r.Header}).Cookies() {
				pairs[c.Name+"="+c.Value]++
			}
		}
		if len(pairs) != 2 {
			t.Errorf("got %d different cookies, want 2", len(pairs))
		}
		for pair, n := range pairs {
			if n != 20 {
				t.Errorf("%.30s…: got it %d times, want 20", pair, n)
			}
			if strings.HasPrefix(pair, sessionCookie) {
				visitor.Get("/dashboard/me", "Cookie: "+pair).Want(200)
			}
		}
	})
}

func TestRefreshRate(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		visitor := w.Visitor(t)
		for range 30 {
			code(visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+refreshCookie+"=x"), 401, "UNAUTHORIZED")
		}
		code(visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+refreshCookie+"=x"), 429, "RATE_LIMITED")
	})
}

// frailStore cannot write while it is broken.
type frailStore struct {
	store.Store

	broken *atomic.Bool
}

func (s frailStore) Update(ctx context.Context, fn func(context.Context, store.Tx) error) error {
	if s.broken.Load() {
		return context.DeadlineExceeded
	}
	return s.Store.Update(ctx, fn)
}

func TestRefreshWithoutStore(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) {
		c.Store = frailStore{c.Store, &broken}
	})
	p := w.owner(t, "ada@example.org")
	broken.Store(true)
	code(p.Post("/dashboard/auth/refresh", nil), 503, "REFRESH_UNAVAILABLE")
	broken.Store(false)
	p.Post("/dashboard/auth/refresh", nil).Want(200)
}

func TestLogoutEndsThePair(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		w.Clock.Advance(time.Minute)
		elsewhere := w.owner(t, "ada@example.org")
		session, refresh := sessionCookie+"="+p.token(sessionCookie), refreshCookie+"="+p.token(refreshCookie)
		r := p.Post("/dashboard/auth/logout", nil).Want(200)
		r.Text("message")
		if p.token(sessionCookie) != "" || p.token(refreshCookie) != "" {
			t.Errorf("cookies after logging out: got %v, want none", r.Header["Set-Cookie"])
		}
		visitor := w.Visitor(t)
		code(visitor.Get("/dashboard/me", "Cookie: "+session), 401, "UNAUTHORIZED")
		code(visitor.Post("/dashboard/auth/refresh", nil, "Cookie: "+refresh), 401, "UNAUTHORIZED")
		elsewhere.Get("/dashboard/me").Want(200)

		visitor.Post("/dashboard/auth/logout", nil).Want(200) // nobody
		visitor.Post("/dashboard/auth/logout", nil, "Cookie: "+session).Want(200)

		// Either cookie is enough, and an agent's key is none.
		visitor.Post("/dashboard/auth/logout", nil, "Cookie: "+refreshCookie+"="+elsewhere.token(refreshCookie)).Want(200)
		code(elsewhere.Get("/dashboard/me"), 401, "UNAUTHORIZED")
		a := w.agent(t)
		visitor.Post("/dashboard/auth/logout", nil, "Cookie: "+sessionCookie+"="+a.Token).Want(200)
		a.Get("/v1/agents/me").Want(200)
	})
}

func TestLogoutEverywhere(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		other := w.owner(t, "bob@example.org")
		p.Post("/dashboard/auth/refresh", nil).Want(200) // still one place
		w.Clock.Advance(time.Minute)
		elsewhere := w.owner(t, "ada@example.org")
		refresh := refreshCookie + "=" + elsewhere.token(refreshCookie)

		code(w.Visitor(t).Post("/dashboard/auth/logout/all", nil), 401, "UNAUTHORIZED")
		p.Post("/dashboard/auth/logout/all", nil).Want(200).Is("sessions_revoked", 2).Text("message")
		if p.token(sessionCookie) != "" {
			t.Error("the cookies are still there")
		}
		code(elsewhere.Get("/dashboard/me"), 401, "UNAUTHORIZED")
		code(w.Visitor(t).Post("/dashboard/auth/refresh", nil, "Cookie: "+refresh), 401, "UNAUTHORIZED")
		other.Get("/dashboard/me").Want(200)
		a := w.login(t, "ada@example.org")
		if got := w.trail(t, a.ID); got[len(got)-1] != "owner.signed_out_all" {
			t.Errorf("audit: got %v, want owner.signed_out_all at the end", got)
		}
	})
}

// A pair that was handed out a moment ago is not handed out again once it was ended.
func TestRefreshAfterLogoutEverywhere(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		refresh := refreshCookie + "=" + p.token(refreshCookie)
		p.Post("/dashboard/auth/refresh", nil).Want(200)
		p.Post("/dashboard/auth/logout/all", nil).Want(200)
		code(w.Visitor(t).Post("/dashboard/auth/refresh", nil, "Cookie: "+refresh), 401, "UNAUTHORIZED")
	})
}

// One person may be signed in at 50 places; the oldest sign-in gives way.
func TestSessionCap(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		first := w.owner(t, "ada@example.org")
		var last *person
		for range 50 {
			w.Clock.Advance(10 * time.Minute)
			first.Post("/dashboard/auth/refresh", nil)
			last = w.owner(t, "ada@example.org")
		}
		last.Get("/dashboard/me").Want(200)
		a := w.login(t, "ada@example.org")
		n := 0
		err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
			list, err := r.Credentials(ctx, a.ID, chat.CredentialRefresh)
			n = len(list)
			return err
		})
		if err != nil || n != 50 {
			t.Errorf("refresh tokens: got %d, error %v, want 50", n, err)
		}
	})
}

// Another page cannot act with the cookies of whoever visits it.
func TestForeignPagesMayNotAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, c *agentchat.Config) {
		c.PublicURL, c.DashboardOrigins = "https://chat.example.org", "https://panel.example.org"
	})
	p := w.person(t)
	signedIn := p.verify(p.request("ada@example.org")).Want(200)
	// The jar keeps the cookies back: they are for https.
	session := (&http.Response{Header: signedIn.Header}).Cookies()[0]
	cookie := "Cookie: " + session.Name + "=" + session.Value
	for _, origin := range []string{"", w.Server.URL, "https://chat.example.org", "https://panel.example.org"} {
		p.Post("/dashboard/ws/ticket", nil, "Origin: "+origin, cookie).Want(200)
	}
	for _, origin := range []string{"https://evil.example.org", "http://chat.example.org", "null"} {
		code(p.Post("/dashboard/ws/ticket", nil, "Origin: "+origin, cookie), 403, "FORBIDDEN")
		code(p.Post("/dashboard/auth/refresh", nil, "Origin: "+origin, cookie), 403, "FORBIDDEN")
		code(p.Post("/dashboard/auth/logout", nil, "Origin: "+origin, cookie), 403, "FORBIDDEN")
		p.Get("/dashboard/me", "Origin: "+origin, cookie).Want(200) // CORS keeps the answer from it
	}
	a := w.agent(t)
	a.Put("/v1/presence", object{"status": "online"}, "Origin: https://evil.example.org").Want(200)
}

func TestServerTiming(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		for _, r := range []*response{
			p.Get("/dashboard/me").Want(200),
			p.Get("/dashboard/agents/nobody").Want(404),
			w.Visitor(t).Get("/dashboard/me").Want(401),
			p.Post("/dashboard/agents/claim", object{"api_key": a.Token}).Want(201),
		} {
			got := r.Header.Get("Server-Timing")
			parts := strings.Split(got, ", ")
			if len(parts) != 3 {
				t.Fatalf("Server-Timing: got %q, want three parts", got)
			}
			for i, name := range []string{"auth", "db", "total"} {
				digits, ok := strings.CutPrefix(parts[i], name+";dur=")
				if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
					t.Errorf("Server-Timing: got %q, want whole milliseconds of %s", got, name)
				}
			}
		}
		if got := a.Get("/v1/agents/me").Want(200).Header.Get("Server-Timing"); got != "" {
			t.Errorf("Server-Timing under /v1: got %q, want none", got)
		}
	})
}

func TestTickets(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		code(w.Visitor(t).Post("/dashboard/ws/ticket", nil), 401, "UNAUTHORIZED")
		p := w.owner(t, "ada@example.org")
		owner := w.login(t, "ada@example.org")
		issue := func() string {
			t.Helper()
			return p.Post("/dashboard/ws/ticket", nil).Want(200).Is("expires_in", 30).Text("ticket")
		}
		redeem := func(what, ticket string, want chat.AccountID) {
			t.Helper()
			got, err := w.Core.RedeemTicket(t.Context(), ticket)
			if got != want || (chat.CodeOf(err) == chat.CodeTokenInvalid) != (want == 0) {
				t.Errorf("%s: got %d, %v, want %d", what, got, err, want)
			}
		}
		ticket := issue()
		w.Clock.Advance(30*time.Second - time.Millisecond)
		redeem("a ticket", ticket, owner.ID)
		redeem("a used ticket", ticket, 0)
		redeem("no ticket", "", 0)

		ticket = issue()
		w.Clock.Advance(30 * time.Second)
		redeem("an old ticket", ticket, 0)

		ticket = issue()
		p.Post("/dashboard/auth/logout", nil).Want(200)
		redeem("a ticket of a session that has ended", ticket, 0)
	})
}
