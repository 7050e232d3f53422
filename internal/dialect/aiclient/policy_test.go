package aiclient_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

// foreignKey is a key of the account in the form of /api.
func (c *client) foreignKey() string {
	c.T.Helper()
	_, token, err := c.w.Core.IssueKey(c.T.Context(), c.account(), "foreign")
	if err != nil {
		c.T.Fatalf("issue a key: %v", err)
	}
	return token
}

// calling is a call of the client through another surface.
func (c *client) calling(surface chat.Surface) core.Call {
	c.T.Helper()
	admission, err := c.w.Core.Admit(c.T.Context(), core.Knock{Surface: surface, Bucket: c.Addr, Token: c.Token})
	if err != nil || admission.Denied != nil {
		c.T.Fatalf("admit: %v, %v", err, admission.Denied)
	}
	return core.Call{Actor: admission.Actor, Surface: surface, Bucket: c.Addr}
}

// elsewhere registers somebody through /api and logs in there.
func (w *world) elsewhere(t testing.TB, agent bool) *client {
	t.Helper()
	c := w.visitor(t)
	in := registration(w)
	c.name, c.email = in["username"].(string), strings.ToLower(in["email"].(string))
	call := core.Call{Surface: chat.SurfaceOpenCord, Bucket: c.Addr}
	a, err := w.Core.Register(t.Context(), call, core.Registration{
		Address: c.email, Password: password, Username: c.name, Agent: agent,
	})
	if err != nil {
		t.Fatalf("register through /api: %v", err)
	}
	c.id = w.IDs.Seal(id.KindAccount, int64(a.ID)).String()
	s, err := w.Core.Login(t.Context(), call, c.Addr, c.email, password)
	if err != nil {
		t.Fatalf("log in to /api: %v", err)
	}
	c.Token = s.Token
	return c
}

// registered is an agent that has registered through /v1.
func (w *world) registered(t testing.TB, handle string) *client {
	t.Helper()
	c := w.visitor(t)
	call, address := core.Call{Surface: chat.SurfaceAgentChat, Bucket: c.Addr}, handle+"@example.org"
	pending, err := w.Core.StartRegistration(t.Context(), call, core.AgentRegistration{Address: address, Handle: handle})
	if err != nil {
		t.Fatalf("register through /v1: %v", err)
	}
	made, err := w.Core.FinishRegistration(t.Context(), call, core.CodeGuess{ID: pending, Code: w.Mail.Code(t, address, 1)})
	if err != nil {
		t.Fatalf("register through /v1: %v", err)
	}
	c.id, c.name, c.Token = w.IDs.Seal(id.KindAccount, int64(made.Account.ID)).String(), handle, made.Key
	return c
}

// claims makes a person the owner of an agent by its key.
func (c *client) claims(a *client) {
	c.T.Helper()
	if _, err := c.w.Core.ClaimAgent(c.T.Context(), c.calling(chat.SurfaceAgentChat), core.Claim{Key: a.Token}); err != nil {
		c.T.Fatalf("claim: %v", err)
	}
}

// alter changes an account past the core.
func (w *world) alter(t testing.TB, c *client, apply func(*chat.Account)) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		a, err := tx.Account(ctx, c.account())
		if err != nil {
			return err
		}
		apply(a)
		return tx.UpdateAccount(ctx, a)
	})
}

// Every route refuses the tokens that are not for it, in its own words, before it looks
// at anything else.
func TestWrongKindsOfToken(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		w := newWorld(t, e, limitsOff)
		p := w.person(t)
		a, agentElsewhere := p.makes("A"), w.elsewhere(t, true)
		junk := map[string]string{"none": "", "junk": "junk", "an unknown key": secret.NewToken("aik_"), "an unknown login": secret.NewToken("usr_")}
		ofPeople := map[string]string{"a person's login": p.Token, "a person's key": p.foreignKey()}
		ofAgents := map[string]string{"an agent's key": a.Token, "an agent's session": agentElsewhere.Token, "an agent's foreign key": a.foreignKey()}
		for _, route := range aiclient.Routes() {
			var wrong []map[string]string
			want := textBadKey
			switch route.Auth {
			case aiclient.AuthNone:
				continue
			case aiclient.AuthAgent, aiclient.AuthMember:
				wrong = append(wrong, junk, ofPeople)
			case aiclient.AuthEither:
				wrong = append(wrong, junk, map[string]string{"a person's key": ofPeople["a person's key"]})
			default:
				want = textNoLogin
				wrong = append(wrong, junk, ofAgents, map[string]string{"a person's key": ofPeople["a person's key"]})
			}
			path := strings.ReplaceAll(route.Path, "{id}", a.id)
			for _, tokens := range wrong {
				for what, token := range tokens {
					r := a.with(token).Do(route.Method, path, "{")
					if r.Status != 401 || r.At("error") != want {
						t.Errorf("%s with %s: got %d %s, want 401 %s", route.ID, what, r.Status, r.Raw, want)
					}
					if got := r.Header.Get("WWW-Authenticate"); got != "Bearer" {
						t.Errorf("%s with %s: got WWW-Authenticate %q", route.ID, what, got)
					}
				}
			}
		}
		p.Get("/ai/auth/me").Want(200) // no refused logout ended it
		a.Get("/ai/me").Want(200)
	})
}

// A person is one account in /ai, /api and /dashboard, whichever it was made through.
func TestOneAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		here, there := w.person(t), w.elsewhere(t, false)
		here.makes("A")

		// Made here, logged in to /api.
		s, err := w.Core.Login(t.Context(), core.Call{Surface: chat.SurfaceOpenCord}, here.Addr, here.email, password)
		if err != nil {
			t.Fatalf("log in to /api: %v", err)
		}
		here.with(s.Token).Get("/ai/auth/me").Want(200).Is("user.id", here.id).Is("user.email", here.email)
		here.with(s.Token).Get("/ai/agents").Want(200).Is("aiAgents.0.name", "A")
		if a, err := w.Core.ShowSelf(t.Context(), here.calling(chat.SurfaceOpenCord)); err != nil || a.ID != here.account() {
			t.Errorf("/api with a login of /ai: got %v, %v, want the account", a, err)
		}

		// Made through /api, logged in here: names and addresses are of one pool.
		there.Get("/ai/auth/me").Want(200).Is("user.username", there.name)
		there.with(there.Post("/ai/auth/login", object{"email": there.email, "password": password}).Want(200).Text("token")).
			Get("/ai/auth/me").Want(200).Is("user.id", there.id)
		fails(t, here.Post("/ai/auth/register", registration(w).But("email", there.email)), 409, textEmailTaken)
		fails(t, here.Post("/ai/auth/register", registration(w).But("username", there.name)), 409, textNameTaken)

		// Signed in to the dashboard. The first code that is mailed shows whose the
		// address is: what was there before ends.
		call := core.Call{Surface: chat.SurfaceAgentChat, Bucket: here.Addr}
		pending, err := w.Core.RequestSignIn(t.Context(), call, here.email)
		if err != nil {
			t.Fatalf("request a code: %v", err)
		}
		signed, err := w.Core.SignIn(t.Context(), call, core.CodeGuess{ID: pending, Code: w.Mail.Code(t, here.email, 1)})
		if err != nil {
			t.Fatalf("sign in: %v", err)
		}
		fails(t, here.Get("/ai/auth/me"), 401, textNoLogin)
		fails(t, here.with(s.Token).Get("/ai/auth/me"), 401, textNoLogin)
		fails(t, here.Post("/ai/auth/login", object{"email": here.email, "password": password}), 401, textBadLogin)
		owner := here.with(signed.Session)
		owner.Get("/ai/auth/me").Want(200).Is("user.id", here.id)
		owner.Get("/ai/agents").Want(200).Is("aiAgents.0.name", "A")
		fails(t, here.with(signed.Refresh).Get("/ai/auth/me"), 401, textNoLogin)
		owner.Post("/ai/auth/logout", nil).Want(200)
		fails(t, owner.Get("/ai/auth/me"), 401, textNoLogin)
	})
}

// Somebody who was made in the dashboard has no password, and an agent that has one
// may not log in here.
func TestWhoMayNotLogIn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		agent := w.elsewhere(t, true)
		agent.Get("/ai/me").Want(200).Is("aiAgent.name", agent.name) // its session is good for what agents do
		fails(t, agent.Post("/ai/auth/login", object{"email": agent.email, "password": password}), 401, textBadLogin)
		call := core.Call{Surface: chat.SurfaceAgentChat, Bucket: agent.Addr}
		pending, err := w.Core.RequestSignIn(t.Context(), call, "ada@example.org")
		if err != nil {
			t.Fatalf("request a code: %v", err)
		}
		if _, err := w.Core.SignIn(t.Context(), call, core.CodeGuess{ID: pending, Code: w.Mail.Code(t, "ada@example.org", 1)}); err != nil {
			t.Fatalf("sign in: %v", err)
		}
		for _, word := range []string{"", password} {
			fails(t, agent.Post("/ai/auth/login", object{"email": "ada@example.org", "password": word}), 401, textBadLogin)
		}
		fails(t, agent.Post("/ai/auth/register", registration(w).But("email", "ada@example.org")), 409, textEmailTaken)
	})
}

// Who claimed an agent sees it beside those it made and may do nothing to it here.
func TestClaimedAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		claimed := w.registered(t, "claimed-one")
		p.claims(claimed)
		w.Clock.Advance(time.Second)
		made := p.makes("made")
		r := p.Get("/ai/agents").Want(200)
		if got := r.Texts("aiAgents", "id"); !slices.Equal(got, []string{claimed.id, made.id}) {
			t.Errorf("agents: got %v, want the claimed one and the made one", got)
		}
		r.Is("aiAgents.0.name", "claimed-one").Is("aiAgents.0.has_key", false).Is("aiAgents.1.has_key", true)
		p.Get(agentPath(claimed)).Want(200).Is("aiAgent.has_key", false)
		for _, r := range []*dialecttest.Response{
			p.Patch(agentPath(claimed), object{"status": "disabled"}), p.Patch(agentPath(claimed), "{"), p.Delete(agentPath(claimed)),
			p.Post(agentPath(claimed)+"/key", nil), p.Delete(agentPath(claimed) + "/key"),
		} {
			fails(t, r, 403, textForbidden)
		}
		claimed.Get("/ai/me").Want(200).Is("aiAgent.name", "claimed-one").Is("aiAgent.status", "active")
	})
}

// Claimed agents take no room from those that may be made.
func TestClaimedAgentsDoNotCount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		p.claims(w.registered(t, "claimed-one"))
		for range 20 {
			p.makes("A")
		}
		fails(t, p.Post("/ai/agents", object{"name": "A"}), 403, textCap)
	})
}

// An agent made here has a handle of its own, whatever its name is, which nobody can
// register as a username either.
func TestHandlesOfAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		w.visitor(t).Post("/ai/auth/register", registration(w).But("username", "news-desk")).Want(200)
		// With a ligature: the same name as fish, though no handle was made of it.
		w.visitor(t).Post("/ai/auth/register", registration(w).But("username", "ﬁsh")).Want(200)
		seen := make(map[string]bool)
		for name, stem := range map[string]string{
			"甲": "agent-", "News Desk": "news-desk-", "Support": "support-", "Wetter 24!": "wetter-24", "42 things": "agent-42-things",
			"fish": "fish-",
		} {
			for range 2 {
				made := p.makes(name)
				a, err := w.Core.ShowAgent(t.Context(), made.calling(chat.SurfaceAgentChat))
				if err != nil {
					t.Fatalf("show %s: %v", name, err)
				}
				if a.Handle != a.Username || !strings.HasPrefix(a.Handle, stem) || seen[a.Handle] || a.DisplayName != name || a.Guarded {
					t.Errorf("%s: got handle %q, username %q, name %q, guarded %t", name, a.Handle, a.Username, a.DisplayName, a.Guarded)
				}
				seen[a.Handle] = true
				fails(t, p.Post("/ai/auth/register", registration(w).But("username", strings.ToUpper(a.Handle))), 409, textNameTaken)
			}
		}
	})
}

// The operator's switch, the owner's switch and the pause are three: none moves
// another.
func TestThreeSwitches(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		suspend := func(on bool) {
			if _, err := w.Core.Suspend(t.Context(), c.A.account(), on); err != nil {
				t.Fatalf("suspend: %v", err)
			}
		}
		suspend(true)
		fails(t, c.A.Get("/ai/me"), 403, textDisabled)
		c.U2.Get(agentPath(c.A)).Want(200).Is("aiAgent.status", "disabled")
		c.U1.Patch(agentPath(c.A), object{"status": "active"}).Want(200).Is("aiAgent.status", "disabled") // not the owner's to lift
		fails(t, c.A.Get("/ai/me"), 403, textDisabled)
		c.U1.Patch(agentPath(c.A), object{"status": "disabled"}).Want(200)
		suspend(false)
		fails(t, c.A.Get("/ai/me"), 403, textDisabled)
		c.U1.Patch(agentPath(c.A), object{"status": "active"}).Want(200).Is("aiAgent.status", "active")
		c.A.Get("/ai/me").Want(200)

		owner := c.U1.calling(chat.SurfaceAgentChat)
		a, err := w.Core.ShowAgent(t.Context(), c.A.calling(chat.SurfaceAgentChat))
		if err != nil {
			t.Fatalf("show the agent: %v", err)
		}
		if _, err := w.Core.PauseAgent(t.Context(), owner, a.Handle, chat.PauseSend); err != nil {
			t.Fatalf("pause: %v", err)
		}
		c.A.Get("/ai/me").Want(200).Is("aiAgent.status", "active")
		fails(t, c.A.says(c.B, "hi"), 403, "已被所有者暂停发送")
		c.U1.Patch(agentPath(c.A), object{"status": "disabled"}).Want(200)
		c.U1.Patch(agentPath(c.A), object{"status": "active"}).Want(200)
		fails(t, c.A.says(c.B, "hi"), 403, "已被所有者暂停发送")
		if _, err := w.Core.PauseAgent(t.Context(), owner, a.Handle, chat.PauseNone); err != nil {
			t.Fatalf("unpause: %v", err)
		}
		c.A.says(c.B, "hi").Want(200)
	})
}

// A disabled agent is refused through every surface, with every credential it has.
func TestDisabledEverywhere(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		foreign := a.with(a.foreignKey())
		call := foreign.calling(chat.SurfaceOpenCord)
		if _, err := w.Core.ListSpaces(t.Context(), call); err != nil {
			t.Fatalf("list spaces: %v", err)
		}
		p.Patch(agentPath(a), object{"status": "disabled"}).Want(200)
		fails(t, foreign.Get("/ai/groups"), 403, textDisabled)
		if _, err := w.Core.ListSpaces(t.Context(), foreign.calling(chat.SurfaceOpenCord)); chat.CodeOf(err) != chat.CodeAccountOff {
			t.Errorf("/api: got %v, want %s", err, chat.CodeAccountOff)
		}
		if _, err := w.Core.Sync(t.Context(), a.calling(chat.SurfaceAgentChat), core.SyncQuery{Limit: 1}); chat.CodeOf(err) != chat.CodeAccountOff {
			t.Errorf("/v1: got %v, want %s", err, chat.CodeAccountOff)
		}
	})
}

// A new key ends whatever else lets somebody in as the agent, and so does taking the
// key away: a stolen one cannot have made itself a successor.
func TestNewKeysEndAllOthers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		for _, end := range []func() string{
			func() string { return p.Post(agentPath(a)+"/key", nil).Want(200).Text("api_key") },
			func() string { p.Delete(agentPath(a) + "/key").Want(200); return "" },
		} {
			foreign := a.foreignKey()
			a.with(foreign).Get("/ai/me").Want(200)
			a.Get("/ai/me").Want(200)
			fresh := end()
			fails(t, a.with(foreign).Get("/ai/me"), 401, textBadKey)
			fails(t, a.Get("/ai/me"), 401, textBadKey)
			if a.Token = fresh; fresh != "" {
				a.Get("/ai/me").Want(200)
			}
			keys, err := w.Core.AccountKeys(t.Context(), a.account())
			if err != nil {
				t.Fatalf("list keys: %v", err)
			}
			if want := min(len(fresh), 1); len(keys) != want {
				t.Errorf("keys: got %d, want %d", len(keys), want)
			}
		}
	})
}

// Disabling an agent drops what waits for its webhook of /ai, and no other.
func TestDisablingDropsDeliveries(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a, other := p.makes("A"), p.makes("B")
		now := w.Clock.Now()
		hooks := map[chat.HookID]int{} // what is to be left
		hang := func(c *client, surface chat.Surface, left int) {
			w.Update(t, func(ctx context.Context, tx store.Tx) error {
				n, err := tx.NextID(ctx, 1)
				if err != nil {
					return err
				}
				h := chat.Hook{
					ID: chat.HookID(n), Account: c.account(), Surface: surface, URL: "https://example.org/", Events: chat.HookMessageCreated,
					Secret: []byte{1}, CreatedAt: now, UpdatedAt: now,
				}
				if err := tx.InsertHook(ctx, &h); err != nil {
					return err
				}
				hooks[h.ID] = left
				return tx.Enqueue(ctx, []chat.Delivery{{
					Hook: h.ID, Account: h.Account, NextAt: now, CreatedAt: now,
					Event: chat.Event{Kind: chat.EventMessageCreated, Position: chat.Position(n), At: now},
				}})
			})
		}
		hang(a, chat.SurfaceAIClient, 0)
		hang(a, chat.SurfaceAgentChat, 1)
		hang(other, chat.SurfaceAIClient, 1)
		p.Patch(agentPath(a), object{"status": "disabled"}).Want(200)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			list, err := tx.HookList(ctx, 0, 0, 10)
			for _, h := range list {
				if h.Queued != hooks[h.Hook.ID] {
					t.Errorf("hook of %v, account %d: got %d deliveries, want %d", h.Hook.Surface, h.Hook.Account, h.Queued, hooks[h.Hook.ID])
				}
			}
			if len(list) != len(hooks) {
				t.Errorf("hooks: got %d, want %d", len(list), len(hooks))
			}
			return err
		})
	})
}

// What is done to an agent is written down, with who did it.
func TestOwnersLeaveATrail(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		p.Patch(agentPath(a), object{"name": "B"}).Want(200)
		p.Patch(agentPath(a), object{"public_key": newPen(t).pem}).Want(200)
		p.Patch(agentPath(a), object{"status": "disabled"}).Want(200)
		p.Patch(agentPath(a), object{"status": "disabled"}).Want(200)
		p.Patch(agentPath(a), object{"status": "active"}).Want(200)
		p.Post(agentPath(a)+"/key", nil).Want(200)
		p.Delete(agentPath(a) + "/key").Want(200)
		account, by := a.account(), p.account()
		p.Delete(agentPath(a)).Want(200)
		var got []string
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			list, err := tx.AuditList(ctx, account, time.Time{}, 20)
			got = nil
			for _, e := range slices.Backward(list) {
				got = append(got, e.Act)
				if e.Actor != by || e.Surface != chat.SurfaceAIClient || e.Remote != p.Addr {
					t.Errorf("%s: got actor %d, surface %v, remote %s, want the person's", e.Act, e.Actor, e.Surface, e.Remote)
				}
			}
			return err
		})
		want := []string{
			"account.created", "account.public_key_changed", "account.status_changed", "account.status_changed",
			"account.key_rotated", "account.key_revoked", "account.deleted",
		}
		if !slices.Equal(got, want) {
			t.Errorf("audit: got %v, want %v", got, want)
		}
	})
}

// Only digests are stored: neither keys nor logins nor passwords are in the file.
func TestTokensAreNotStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	p := w.person(t)
	a := p.makes("A")
	fresh := p.Post(agentPath(a)+"/key", nil).Want(200).Text("api_key")
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := w.Store.(interface {
		Backup(ctx context.Context, path string) error
	}).Backup(t.Context(), file); err != nil {
		t.Fatalf("copy the database: %v", err)
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read the copy: %v", err)
	}
	for what, text := range map[string]string{
		"the first key": a.Token[12:], "the second key": fresh[12:], "the login": p.Token[12:], "the password": password,
	} {
		if strings.Contains(string(stored), text) {
			t.Errorf("%s is in the database", what)
		}
	}
	if !strings.Contains(string(stored), fresh[:12]) {
		t.Error("not even the beginning of the key is in the database: this test sees nothing")
	}
}

// last_used_at is when the key was used last, as far as it has been noted.
func TestLastUse(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		at := w.Clock.Now().Add(time.Minute)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			keys, err := tx.Credentials(ctx, a.account(), chat.CredentialKey)
			if err != nil {
				return err
			}
			return tx.TouchCredentials(ctx, map[chat.CredentialID]time.Time{keys[0].ID: at})
		})
		p.Get(agentPath(a)).Want(200).Is("aiAgent.last_used_at", at.Format("2006-01-02T15:04:05.000Z"))
	})
}

// System accounts are nobody's to see here; one that calls is told of itself.
func TestSystemAccountsAreNoAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a, system := p.makes("A"), w.registered(t, "machine")
		w.alter(t, system, func(a *chat.Account) { a.Kind = chat.KindSystem })
		fails(t, a.Get(agentPath(system)), 404, textNoAgent)
		fails(t, p.Get(agentPath(system)), 404, textNoAgent)
		for _, r := range []*dialecttest.Response{p.Patch(agentPath(system), "{"), p.Delete(agentPath(system))} {
			fails(t, r, 404, textNoAgent)
		}
		system.Get("/ai/me").Want(200).Is("aiAgent.name", "machine")
	})
}
