package agentchat_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/secret"
	"parley/internal/store"
)

// created makes a person the owner of an agent as if they had made it.
func (w *world) created(t testing.TB, p *person, a *agent) {
	t.Helper()
	owner := w.ownerID(t, p)
	w.change(t, a, func(account *chat.Account) {
		account.Owner, account.Owned, account.OwnedAt = owner, chat.OwnedByCreator, w.Clock.Now()
	})
}

func (w *world) ownerID(t testing.TB, p *person) chat.AccountID {
	t.Helper()
	return w.login(t, p.address).ID
}

// kind makes another kind of account of an agent.
func (w *world) kind(t testing.TB, a *agent, kind chat.AccountKind) {
	t.Helper()
	w.change(t, a, func(account *chat.Account) { account.Kind = kind })
}

// ownedRoutes are the routes about one agent of one's own.
func ownedRoutes(p *person, handle string) map[string]func() *response {
	path := "/dashboard/agents/" + handle
	return map[string]func() *response{
		"show":          func() *response { return p.Get(path) },
		"release":       func() *response { return p.Delete(path) },
		"conversations": func() *response { return p.Get(path + "/conversations") },
		"messages":      func() *response { return p.Get(path + "/messages?conversation_id=x&before_seq=x") },
		"events":        func() *response { return p.Get(path + "/events?before=x") },
		"contacts":      func() *response { return p.Get(path + "/contacts") },
		"blocks":        func() *response { return p.Get(path + "/blocks") },
		"presence":      func() *response { return p.Get(path + "/presence") },
		"profile":       func() *response { return p.Get(path + "/profiles/" + handle) },
		"group":         func() *response { return p.Get(path + "/groups/grp_x") },
		"set avatar":    func() *response { return p.Put(path+"/groups/grp_x/avatar", "x") },
		"remove avatar": func() *response { return p.Delete(path + "/groups/grp_x/avatar") },
		"pause":         func() *response { return p.Post(path+"/pause", object{"mode": 7}) },
		"unpause":       func() *response { return p.Post(path+"/unpause", nil) },
	}
}

// Nobody learns whether an agent that is not theirs exists, whatever else is wrong.
func TestAgentsOfOthersAreUnknown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, other := w.owner(t, "ada@example.org"), w.owner(t, "bob@example.org")
		free, taken, made, gone := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		other.claim(taken)
		w.created(t, other, made)
		p.claim(gone)
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		for _, handle := range []string{"nobody", free.handle, taken.handle, made.handle, gone.handle} {
			for what, call := range ownedRoutes(p, handle) {
				if r := call(); r.Status != 404 || r.At("code") != "AGENT_NOT_FOUND" {
					t.Errorf("%s of %s: got %d %s, want 404 AGENT_NOT_FOUND", what, handle, r.Status, r.Raw)
				}
			}
		}
		for what, call := range ownedRoutes(w.person(t), taken.handle) {
			if r := call(); r.Status != 401 || r.At("code") != "UNAUTHORIZED" {
				t.Errorf("%s, signed out: got %d %s, want 401 UNAUTHORIZED", what, r.Status, r.Raw)
			}
		}
	})
}

func TestClaim(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.DisplayName, a.Description = "Agent", "Does things" })
		w.Clock.Advance(time.Minute)
		now := w.Clock.Now().Format("2006-01-02T15:04:05.000Z")
		r := p.claim(a)
		r.Is("handle", a.handle).Is("display_name", "Agent").Is("description", "Does things").Is("avatar_url", nil)
		r.Is("status", "active").Is("paused_by_owner", "none").Is("claimed_at", now)
		r.Is("email", dialecttest.Absent{}).Is("id", dialecttest.Absent{})
		p.Get("/dashboard/agents").Want(200).Is("agents.0.handle", a.handle).Is("agents.0.claimed_at", now)
		p.Get("/dashboard/bootstrap").Want(200).Is("agents.0.handle", a.handle)
		p.Get("/dashboard/agents/@"+a.handle).Want(200).Is("handle", a.handle).Is("email_masked", "a****@example.org").
			Is("paused_by_owner", "none").Is("status", "active").Is("is_system", false).Is("email", dialecttest.Absent{})
		if got := w.trail(t, a.id); !slices.Equal(got, []string{"account.claimed"}) {
			t.Errorf("audit: got %v, want account.claimed", got)
		}
		a.Get("/v1/agents/me").Want(200) // the agent goes on as before
	})
}

func TestListsShowMadeAndClaimedAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		made, claimed, gone, free := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		w.created(t, p, made)
		p.claim(claimed)
		p.claim(gone)
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		want := []string{made.handle, claimed.handle}
		if got := p.Get("/dashboard/agents").Want(200).Texts("agents", "handle"); !slices.Equal(got, want) {
			t.Errorf("agents: got %v, want %v, without %s", got, want, free.handle)
		}
		if got := p.Get("/dashboard/bootstrap").Want(200).Texts("agents", "handle"); !slices.Equal(got, want) {
			t.Errorf("bootstrap: got %v, want %v", got, want)
		}
	})
}

func TestClaimNeedsTheKeyOfAnAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		system, human, gone := w.agent(t), w.agent(t), w.agent(t)
		w.kind(t, system, chat.KindSystem)
		w.kind(t, human, chat.KindHuman)
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		for _, key := range []string{"", "ac_live_nonsense", system.Token, human.Token, gone.Token, p.token(sessionCookie)} {
			code(p.Post("/dashboard/agents/claim", object{"api_key": key}), 404, "INVALID_API_KEY")
		}
		for _, body := range []any{nil, object{}, object{"api_key": 1}, "["} {
			code(p.Post("/dashboard/agents/claim", body), 400, "VALIDATION_ERROR")
		}
		code(w.person(t).Post("/dashboard/agents/claim", object{"api_key": system.Token}), 401, "UNAUTHORIZED")
	})
}

func TestClaimedAgentsStayWhoseTheyAre(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, thief := w.owner(t, "ada@example.org"), w.owner(t, "eve@example.org")
		a, made := w.agent(t), w.agent(t)
		p.claim(a)
		w.created(t, p, made)
		try := func(by *person, a *agent) *response {
			return by.Post("/dashboard/agents/claim", object{"api_key": a.Token}, "User-Agent: burglar/1.0")
		}
		code(try(thief, made), 409, "ALREADY_CLAIMED")
		code(try(p, a), 409, "ALREADY_CLAIMED")
		for range 4 {
			code(try(thief, a), 409, "ALREADY_CLAIMED")
		}
		r := code(try(thief, a), 429, "TOO_MANY_CLAIMS")
		if n, err := strconv.Atoi(r.Header.Get("Retry-After")); err != nil || n < 1 || n > 600 {
			t.Errorf("Retry-After: got %q, want up to 600", r.Header.Get("Retry-After"))
		}
		code(try(thief, made), 409, "ALREADY_CLAIMED") // counted apart

		// The owner sees who tried, and nobody else is told anything.
		events := p.Get("/dashboard/agents/" + a.handle + "/events").Want(200)
		events.Is("events.0.action", "agent.claim_attempted").Is("events.0.actor_type", "owner")
		events.Is("events.0.metadata.ip", thief.Addr).Is("events.0.metadata.user_agent", "burglar/1.0")
		if got := len(events.List("events")); got != 6 {
			t.Errorf("events: got %d, want five attempts and the claim", got)
		}

		w.Clock.Advance(10 * time.Minute)
		code(try(thief, a), 409, "ALREADY_CLAIMED")
		p.Get("/dashboard/agents/" + a.handle).Want(200)
	})
}

func TestClaimRate(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		for range 20 {
			code(p.Post("/dashboard/agents/claim", object{"api_key": "x"}), 404, "INVALID_API_KEY")
		}
		code(p.Post("/dashboard/agents/claim", object{"api_key": "x"}), 429, "RATE_LIMITED")
	})
}

func TestConcurrentClaimsHaveOneWinner(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		people := []*person{w.owner(t, "ada@example.org"), w.owner(t, "bob@example.org"), w.owner(t, "cay@example.org")}
		got := dialecttest.Statuses(dialecttest.Together(len(people), func(i int) *response {
			return people[i].Post("/dashboard/agents/claim", object{"api_key": a.Token})
		}))
		if got[201] != 1 || got[409] != 2 {
			t.Errorf("statuses: got %v, want one 201 and two 409", got)
		}
	})
}

func TestRelease(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, next, a := w.owner(t, "ada@example.org"), w.owner(t, "bob@example.org"), w.agent(t)
		p.claim(a)
		p.Post("/dashboard/agents/"+a.handle+"/pause", object{"mode": "full"}).Want(200)
		p.Delete("/dashboard/agents/" + a.handle).Want(200).Text("message")
		code(p.Get("/dashboard/agents/"+a.handle), 404, "AGENT_NOT_FOUND")
		if got := p.Get("/dashboard/agents").Want(200).List("agents"); len(got) != 0 {
			t.Errorf("agents: got %v, want none", got)
		}
		a.Get("/v1/agents/me").Want(200).Is("paused_by_owner", "none")
		want := []string{"account.claimed", "account.paused", "account.released"}
		if got := w.trail(t, a.id); !slices.Equal(got, want) {
			t.Errorf("audit: got %v, want %v", got, want)
		}
		next.claim(a).Is("paused_by_owner", "none")
	})
}

// Who made an agent owns it for as long as it is there.
func TestMadeAgentsCannotBeReleased(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		w.created(t, p, a)
		p.Post("/dashboard/agents/"+a.handle+"/pause", object{"mode": "send"}).Want(200)
		code(p.Delete("/dashboard/agents/"+a.handle), 403, "FORBIDDEN")
		p.Get("/dashboard/agents/"+a.handle).Want(200).Is("paused_by_owner", "send")
	})
}

// Whoever knew a key that was changed or taken back watches no longer.
func TestKeyChangesEndClaims(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		p.claim(a)
		p.Post("/dashboard/agents/"+a.handle+"/pause", object{"mode": "send"}).Want(200)
		pending := a.Post("/v1/agents/"+a.handle+"/rotate-key", nil).Want(200).Text("pending_id")
		a.Token = a.Post("/v1/agents/"+a.handle+"/rotate-key/verify", object{
			"pending_id": pending, "code": w.Mail.Code(t, a.address, 1),
		}).Want(200).Text("api_key")
		code(p.Get("/dashboard/agents/"+a.handle), 404, "AGENT_NOT_FOUND")
		a.Get("/v1/agents/me").Want(200).Is("paused_by_owner", "none")
		p.claim(a)
		events := p.Get("/dashboard/agents/" + a.handle + "/events").Want(200)
		at := slices.Index(events.Texts("events", "action"), "agent.claim_revoked")
		if at < 0 {
			t.Fatalf("events: got %s, want agent.claim_revoked", events.Raw)
		}
		events.Is("events."+strconv.Itoa(at)+".metadata.reason", "key_rotated")

		// A key of /api that is taken back.
		key := w.key(t, a)
		if err := w.Core.EndKey(t.Context(), a.id, key); err != nil {
			t.Fatalf("end key: %v", err)
		}
		code(p.Get("/dashboard/agents/"+a.handle), 404, "AGENT_NOT_FOUND")

		// An agent that its owner made stays with them.
		made := w.agent(t)
		w.created(t, p, made)
		if err := w.Core.EndKey(t.Context(), made.id, w.key(t, made)); err != nil {
			t.Fatalf("end key: %v", err)
		}
		p.Get("/dashboard/agents/" + made.handle).Want(200)
	})
}

// key gives an agent another key, of the form of /api.
func (w *world) key(t testing.TB, a *agent) chat.CredentialID {
	t.Helper()
	k, _, err := w.Core.IssueKey(t.Context(), a.id, "second")
	if err != nil {
		t.Fatalf("issue key: %v", err)
	}
	return k.ID
}

func TestRevokedKeyEndsClaim(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		token := secret.NewToken("aoc_")
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			return tx.InsertCredential(ctx, &chat.Credential{
				ID: chat.CredentialID(n), Account: a.id, Kind: chat.CredentialKey, Issuer: chat.SurfaceOpenCord,
				Name: "leaked", Prefix: token[:12], CreatedAt: w.Clock.Now(),
			}, secret.DigestOf(token))
		})
		p.Post("/dashboard/agents/claim", object{"api_key": token}).Want(201)
		knock := core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "192.0.2.1", Token: token}
		admission, err := w.Core.Admit(t.Context(), knock)
		if err != nil {
			t.Fatalf("admit: %v", err)
		}
		c := core.Call{Surface: chat.SurfaceOpenCord, Actor: admission.Actor}
		if err := w.Core.RevokeKey(t.Context(), c, admission.Actor.Credential); err != nil {
			t.Fatalf("revoke key: %v", err)
		}
		code(p.Get("/dashboard/agents/"+a.handle), 404, "AGENT_NOT_FOUND")
	})
}

func TestClaimsEndWithTheOwner(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		p.claim(a)
		p.Post("/dashboard/agents/"+a.handle+"/pause", object{"mode": "full"}).Want(200)
		if err := w.Core.RemoveAccount(t.Context(), w.ownerID(t, p)); err != nil {
			t.Fatalf("remove the owner: %v", err)
		}
		code(p.Get("/dashboard/me"), 401, "UNAUTHORIZED")
		a.Get("/v1/agents/me").Want(200).Is("paused_by_owner", "none")
		w.owner(t, "bob@example.org").claim(a)
	})
}

func TestPause(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, b := w.owner(t, "ada@example.org"), w.agent(t), w.agent(t)
		p.claim(a)
		path := "/dashboard/agents/" + a.handle
		events, _ := w.Core.LastPosition(t.Context())
		p.Post(path+"/pause", object{"mode": "send"}).Want(200).Is("handle", a.handle).Is("paused_by_owner", "send")
		code(a.send(b, "hello"), 403, "AGENT_PAUSED_BY_OWNER")
		p.Post(path+"/pause", object{"mode": "full"}).Want(200).Is("paused_by_owner", "full")
		p.Post(path+"/pause", object{"mode": "full"}).Want(200).Is("paused_by_owner", "full")
		p.Get(path).Want(200).Is("paused_by_owner", "full")
		a.Get("/v1/agents/me").Want(200).Is("paused_by_owner", "full")
		p.Post(path+"/unpause", nil).Want(200).Is("handle", a.handle).Is("paused_by_owner", "none")
		p.Post(path+"/unpause", nil).Want(200).Is("paused_by_owner", "none")
		a.send(b, "hello").Want(201)

		for _, body := range []any{nil, object{}, object{"mode": "none"}, object{"mode": "half"}, object{"mode": 1}} {
			code(p.Post(path+"/pause", body), 400, "VALIDATION_ERROR")
		}

		// What changed nothing left no trace; sockets are told of the rest.
		list := p.Get(path + "/events").Want(200)
		want := []string{"agent.unpaused", "agent.paused", "agent.paused", "agent.claimed"}
		if got := list.Texts("events", "action"); !slices.Equal(got, want) {
			t.Errorf("events: got %v, want %v", got, want)
		}
		list.Is("events.1.metadata.mode", "full").Is("events.2.metadata.mode", "send")
		list.Is("events.0.metadata.mode", dialecttest.Absent{}).Is("events.0.actor_type", "owner")
		told, err := w.Core.Changes(t.Context(), events, 100)
		if err != nil {
			t.Fatalf("read changes: %v", err)
		}
		n := 0
		for _, e := range told {
			if e.Kind == chat.EventAccountUpdated && e.Account == a.id {
				n++
			}
		}
		if n != 3 {
			t.Errorf("account.updated: got %d, want 3", n)
		}
	})
}

func TestOwnerChangesAreTold(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		owner := w.ownerID(t, p)
		before, _ := w.Core.LastPosition(t.Context())
		p.claim(a)
		p.Delete("/dashboard/agents/" + a.handle).Want(200)
		told, err := w.Core.Changes(t.Context(), before, 100)
		if err != nil {
			t.Fatalf("read changes: %v", err)
		}
		n := 0
		for _, e := range told {
			if e.Kind == chat.EventOwnerChanged && e.Account == a.id && slices.Equal(e.Recipients, []chat.AccountID{owner}) {
				n++
			}
		}
		if n != 2 {
			t.Errorf("owner.changed: got %d of %+v, want 2", n, told)
		}
	})
}

// The trail is paged by time, and a page never divides what happened at one time.
func TestEventsArePaged(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a := w.owner(t, "ada@example.org"), w.agent(t)
		p.claim(a)
		noon := w.Clock.Now()
		const all = 120
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			for i := range all - 1 {
				// The 45th to the 54th newest are of one time.
				at := i
				if newest := all - 1 - i; newest >= 45 && newest < 55 {
					at = all - 55
				}
				err := tx.Audit(ctx, store.AuditEntry{
					At: noon.Add(time.Duration(at+1) * time.Millisecond), Act: "account.e" + strconv.Itoa(i), Target: a.id,
					Detail: `{"mode":"send","secret":"x","reason":7}`,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		var got []string
		path := "/dashboard/agents/" + a.handle + "/events"
		sizes := []int{}
		for before := ""; ; {
			r := p.Get(path + before).Want(200)
			page := r.Texts("events", "action")
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
			sizes = append(sizes, len(page))
			r.Is("events.0.metadata.secret", dialecttest.Absent{}).Is("events.0.metadata.reason", dialecttest.Absent{})
			before = "?before=" + r.Text("events."+strconv.Itoa(len(page)-1)+".created_at")
		}
		if len(got) != all || got[0] != "agent.e118" || got[all-1] != "agent.claimed" {
			t.Errorf("got %d events from %s to %s, want %d from agent.e118 to agent.claimed", len(got), got[0], got[len(got)-1], all)
		}
		if !slices.Equal(sizes, []int{44, 50, 26}) {
			t.Errorf("sizes of pages: got %v, want the first cut before the events of one time", sizes)
		}
		r := p.Get(path).Want(200).Is("events.0.actor_type", "system").Is("events.0.metadata.mode", "send")
		if got := r.Text("events.0.id"); !strings.HasPrefix(got, "evt_") || len(got) != 26 {
			t.Errorf("id: got %s, want evt_ and 22 characters", got)
		}
		code(p.Get(path+"?before=yesterday"), 400, "VALIDATION_ERROR")
	})
}

func TestEventsSayWhoDidThem(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, b := w.owner(t, "ada@example.org"), w.agent(t), w.agent(t)
		p.claim(a)
		w.Clock.Advance(time.Second)
		if _, err := w.Core.Suspend(t.Context(), a.id, true); err != nil {
			t.Fatalf("suspend: %v", err)
		}
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.Audit(ctx, store.AuditEntry{
				At: w.Clock.Now().Add(time.Second), Actor: b.id, Act: "account.reported", Target: a.id, Surface: chat.SurfaceAgentChat,
			})
		})
		r := p.Get("/dashboard/agents/" + a.handle + "/events").Want(200)
		for i, want := range [][2]string{{"agent.reported", "agent"}, {"agent.status_changed", "system"}, {"agent.claimed", "owner"}} {
			at := "events." + strconv.Itoa(i)
			r.Is(at+".action", want[0]).Is(at+".actor_type", want[1])
		}
		p.Get("/dashboard/agents/"+a.handle).Want(200).Is("status", "suspended") // its owner still sees it
	})
}
