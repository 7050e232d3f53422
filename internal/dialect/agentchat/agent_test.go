package agentchat_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

func TestOwnAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agentNamed(t, "ada")
		seen := a.Get("/v1/agents/me").Want(200)
		keys := slices.Sorted(maps.Keys(seen.At("").(map[string]any)))
		same(t, "members", keys, []string{
			"avatar_url", "created_at", "description", "display_name", "email", "email_masked", "handle", "id", "is_system",
			"paused_by_owner", "settings", "status", "updated_at",
		})
		seen.Is("handle", "ada").Is("email", "ada@example.org").Is("email_masked", "a****@example.org").
			Is("display_name", nil).Is("description", nil).Is("avatar_url", nil).Is("status", "active").
			Is("paused_by_owner", "none").Is("is_system", false)
		if got := seen.Text("id"); !strings.HasPrefix(got, "agt_") {
			t.Errorf("id: got %q, want one with agt_", got)
		}
		for pause, want := range map[chat.Pause]string{chat.PauseSend: "send", chat.PauseFull: "full"} {
			w.change(t, a, func(a *chat.Account) { a.Pause = pause })
			a.Get("/v1/agents/me").Want(200).Is("paused_by_owner", want)
		}
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateRestricted })
		a.Get("/v1/agents/me").Want(200).Is("handle", "ada")
		w.change(t, a, func(a *chat.Account) { a.State, a.RecoveryAddress = chat.StateSuspended, "" })
		a.Get("/v1/agents/me").Want(200).Is("status", "suspended").Is("email", "").Is("email_masked", "")
		w.change(t, a, func(a *chat.Account) { a.State, a.Disabled = chat.StateActive, true })
		a.Get("/v1/agents/me").Want(200).Is("status", "suspended")

		person := w.agent(t)
		w.change(t, person, func(a *chat.Account) { a.Kind = chat.KindHuman })
		code(person.Get("/v1/agents/me"), 401, "UNAUTHORIZED")
		code(w.Visitor(t).Get("/v1/agents/me"), 401, "UNAUTHORIZED")
	})
}

func TestAgentIsUpdated(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agentNamed(t, "ada")
		before := a.Get("/v1/agents/me").Want(200)
		w.Clock.Advance(time.Second)
		for _, body := range []any{nil, object{}, object{"unknown": 1, "settings": object{"discoverable": true}}, object{"settings": nil}} {
			if got := a.Patch("/v1/agents/ada", body).Want(200); got.Raw != before.Raw {
				t.Errorf("an empty patch: got %s, want %s", got.Raw, before.Raw)
			}
		}
		a.Patch("/v1/agents/%40ADA", object{
			"display_name": " Ada ", "description": "counts", "settings": object{"inbox_mode": "contacts_only"},
		}).Want(200).Is("display_name", "Ada").Is("description", "counts").
			Is("settings.inbox_mode", "contacts_only").Is("settings.group_invite_policy", "open").
			Is("created_at", before.Text("created_at")).Is("updated_at", "2026-11-21T12:00:31.000Z")
		a.Patch("/v1/agents/ada", object{
			"display_name": nil, "settings": object{"inbox_mode": "open", "group_invite_policy": "contacts_only"},
		}).Want(200).Is("display_name", nil).Is("description", "counts").
			Is("settings.inbox_mode", "open").Is("settings.group_invite_policy", "contacts_only")
		a.Patch("/v1/agents/ada", object{"description": "  "}).Want(200).Is("description", nil)
		a.Patch("/v1/agents/ada", object{"display_name": strings.Repeat("ä", 100), "description": strings.Repeat("ä", 500)}).Want(200)

		for field, body := range map[string]object{
			"display_name":                 {"display_name": strings.Repeat("ä", 101)},
			"description":                  {"description": strings.Repeat("ä", 501)},
			"settings":                     {"settings": "open"},
			"settings.inbox_mode":          {"settings": object{"inbox_mode": "closed"}},
			"settings.group_invite_policy": {"settings": object{"group_invite_policy": 1}},
		} {
			r := code(a.Patch("/v1/agents/ada", body), 400, "VALIDATION_ERROR")
			if fields, _ := r.At("details.fieldErrors").(map[string]any); len(fields) != 1 || fields[field] == nil {
				t.Errorf("got %s, want an error of %s alone", r.Raw, field)
			}
		}
	})
}

// Another's account is not masked, one that does not exist is no different, and a bad
// body says no more.
func TestAccountIsOnesOwn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		for _, handle := range []string{b.handle, "nobody-at-all", "me"} {
			path := "/v1/agents/" + handle
			code(a.Patch(path, "{"), 403, "FORBIDDEN")
			code(a.Patch(path, object{}), 403, "FORBIDDEN")
			code(a.Delete(path), 403, "FORBIDDEN")
			code(a.Put(path+"/avatar", "no picture"), 403, "FORBIDDEN")
			code(a.Delete(path+"/avatar"), 403, "FORBIDDEN")
		}
		b.Get("/v1/agents/me").Want(200)
		off := w.agent(t)
		w.change(t, off, func(a *chat.Account) { a.State, a.Enforced = chat.StateSuspended, true })
		path := "/v1/agents/" + off.handle
		for _, r := range []*response{
			off.Patch(path, object{}), off.Delete(path), off.Put(path+"/avatar", "no picture"), off.Delete(path + "/avatar"),
		} {
			code(r, 403, "SUSPENDED")
		}
	})
}

func TestUpdateIsRetried(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		first := a.Patch("/v1/agents/"+a.handle, object{"display_name": "Ada"}, "Idempotency-Key: update-1").Want(200)
		w.change(t, a, func(a *chat.Account) { a.DisplayName = "Grace" })
		again := a.Patch("/v1/agents/"+a.handle, object{"display_name": "Ada"}, "Idempotency-Key: update-1").Want(200)
		if replayed(t, again, true).Raw != first.Raw {
			t.Errorf("got %s, want %s", again.Raw, first.Raw)
		}
		if got := w.holder(t, a.handle).DisplayName; got != "Grace" {
			t.Errorf("name after the retry: got %q, want the later one", got)
		}
	})
}

func TestAccountIsDeleted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agentNamed(t, "leaver"), w.agent(t)
		avatar := a.Put("/v1/agents/leaver/avatar", portrait(t)).Want(200).Text("avatar_url")
		owner := w.claimed(t, a, chat.OwnedByClaim)
		other := w.credential(t, a, chat.CredentialSession)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			at := w.Clock.Now()
			for _, e := range []store.Edge{{Owner: a.id, Target: b.id}, {Owner: b.id, Target: a.id}} {
				n, err := tx.NextID(ctx, 2)
				if err != nil {
					return err
				}
				for _, err := range []error{
					tx.SetContact(ctx, e, at, true),
					tx.SetMute(ctx, chat.Mute{Owner: e.Owner, Kind: chat.MuteAccount, Target: int64(e.Target), CreatedAt: at}),
					tx.InsertInvite(ctx, &chat.Invite{
						ID: chat.InviteID(n), Group: chat.ConversationID(e.Owner), Inviter: e.Owner, Invitee: e.Target, CreatedAt: at,
					}),
					tx.InsertHook(ctx, &chat.Hook{
						ID: chat.HookID(n + 1), Account: e.Owner, Surface: chat.SurfaceAgentChat, URL: "https://example.org",
						Events: chat.HookMessageCreated, Secret: []byte("sealed"), CreatedAt: at,
					}),
				} {
					if err != nil {
						return err
					}
				}
			}
			return nil
		})

		if r := a.Delete("/v1/agents/leaver").Want(200); r.Text("message") == "" {
			t.Errorf("got %s, want a message", r.Raw)
		}
		for _, token := range []string{a.Token, other} {
			a.Token = token
			code(a.Get("/v1/agents/me"), 401, "UNAUTHORIZED")
		}
		code(w.Visitor(t).Get("/v1/agents/leaver"), 404, "AGENT_NOT_FOUND")
		code(w.Visitor(t).Get(avatar), 404, "NOT_FOUND")

		gone := w.holder(t, "leaver")
		want := &chat.Account{
			ID: a.id, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: "leaver", NameKey: "leaver", Handle: "leaver",
			State: chat.StateDeleted, Guarded: true, CreatedAt: gone.CreatedAt, UpdatedAt: gone.UpdatedAt,
		}
		same(t, "tombstone", gone, want)
		same(t, "mutes", look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Mute, error) {
			return r.Mutes(ctx, []chat.AccountID{a.id, b.id})
		}), []chat.Mute{{Owner: b.id, Kind: chat.MuteAccount, Target: int64(a.id), CreatedAt: w.Clock.Now()}})
		hooks := look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Hook, error) {
			return r.HooksOf(ctx, []chat.AccountID{a.id, b.id})
		})
		if len(hooks) != 1 || hooks[0].Account != b.id {
			t.Errorf("hooks: got %+v, want that of the other alone", hooks)
		}
		for _, seat := range []store.Seat{{Conversation: chat.ConversationID(a.id), Account: b.id}, {Conversation: chat.ConversationID(b.id), Account: a.id}} {
			open := look(t, w, func(ctx context.Context, r store.Reader) (bool, error) {
				_, err := r.OpenInvite(ctx, seat.Conversation, seat.Account)
				if errors.Is(err, store.ErrNotFound) {
					return false, nil
				}
				return true, err
			})
			if open {
				t.Errorf("the invitation of %d into %d is still open", seat.Account, seat.Conversation)
			}
		}
		same(t, "audit trail", w.acts(t, a.id), []string{
			`account.deleted {"username":"leaver"}`, `account.claim_revoked {"reason":"deleted"}`,
		})
		if e := w.lastEvent(t, chat.EventAccountRemoved); e.Account != a.id {
			t.Errorf("event: got %+v, want one of the agent", e)
		}
		if e := w.lastEvent(t, chat.EventOwnerChanged); !slices.Contains(e.Recipients, owner) {
			t.Errorf("event: got %+v, want one for the owner", e)
		}
	})
}

func TestDeletionLeavesGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		a.Delete("/v1/agents/" + a.handle).Want(200)
		told := w.told(t, group)
		left := a.handle + ": member_left"
		if !slices.ContainsFunc(told, func(line string) bool { return strings.HasPrefix(line, left) }) {
			t.Errorf("system messages: got %q, want one that begins with %q", told, left)
		}
		b.Get("/v1/groups/"+group).Want(200).Is("member_count", 1).Is("your_role", "admin")
	})
}

func TestDeletionIsRefused(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		system, made := w.agent(t), w.agent(t)
		w.change(t, system, func(a *chat.Account) { a.Kind = chat.KindSystem })
		code(system.Delete("/v1/agents/"+system.handle), 409, "SYSTEM_AGENT_PROTECTED")
		w.claimed(t, made, chat.OwnedByCreator)
		code(made.Delete("/v1/agents/"+made.handle), 403, "FORBIDDEN")
		made.Get("/v1/agents/me").Want(200)
	})
}

// What a person made goes with them; what they only watched over is free again.
func TestRemovalOfAnOwner(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		made, watched := w.agent(t), w.agent(t)
		owner := w.claimed(t, made, chat.OwnedByCreator)
		w.change(t, watched, func(a *chat.Account) {
			a.Owner, a.Owned, a.OwnedAt, a.Pause = owner, chat.OwnedByClaim, w.Clock.Now(), chat.PauseFull
		})
		if err := w.Core.RemoveAccount(t.Context(), owner); err != nil {
			t.Fatalf("remove the owner: %v", err)
		}
		code(made.Get("/v1/agents/me"), 401, "UNAUTHORIZED")
		watched.Get("/v1/agents/me").Want(200).Is("paused_by_owner", "none")
		if got := w.holder(t, watched.handle); got.Owner != 0 || got.Owned != chat.OwnedByNobody {
			t.Errorf("the agent that was watched: got owner %d, want none", got.Owner)
		}
	})
}

func TestPublicProfile(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agentNamed(t, "ada")
		a.Patch("/v1/agents/ada", object{"display_name": "Ada", "settings": object{"inbox_mode": "contacts_only"}}).Want(200)
		v := w.Visitor(t)
		r := v.Get("/v1/agents/%40ADA").Want(200)
		same(t, "profile", r.At(""), any(map[string]any{
			"handle": "ada", "display_name": "Ada", "description": nil, "avatar_url": nil, "status": "active", "is_system": false,
			"created_at": "2026-11-21T12:00:30.000Z",
		}))
		v.Token = "ac_live_of-nobody-at-all"
		v.Get("/v1/agents/ada").Want(200) // a bad key is no key
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateRestricted })
		v.Get("/v1/agents/ada").Want(200).Is("status", "restricted")

		for _, hide := range []func(*chat.Account){
			func(a *chat.Account) { a.State = chat.StateSuspended },
			func(a *chat.Account) { a.Disabled = true },
			func(a *chat.Account) { a.State = chat.StateDeleted },
		} {
			w.change(t, a, func(a *chat.Account) { a.State, a.Disabled = chat.StateActive, false; hide(a) })
			code(v.Get("/v1/agents/ada"), 404, "AGENT_NOT_FOUND")
		}
		for _, handle := range []string{"nobody", "recover", "a", "a%00b", "%ff%fe%fd", strings.Repeat("a", 31)} {
			code(v.Get("/v1/agents/"+handle), 404, "AGENT_NOT_FOUND")
		}
	})
}

// People are shown to agents only (README 1).
func TestProfileOfAPerson(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		person, a, off := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, person, func(a *chat.Account) { a.Kind = chat.KindHuman })
		w.change(t, off, func(a *chat.Account) { a.State = chat.StateSuspended })
		path := "/v1/agents/" + person.handle
		a.Get(path).Want(200).Is("handle", person.handle)
		for _, c := range []*dialecttest.Client{w.Visitor(t), person.Client, off.Client} {
			code(c.Get(path), 404, "AGENT_NOT_FOUND")
		}
		bad := w.Visitor(t)
		bad.Token = "ac_live_of-nobody-at-all"
		code(bad.Get(path), 404, "AGENT_NOT_FOUND")
	})
}

func TestProfilesPerMinute(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v := w.Visitor(t)
		for range 120 {
			code(v.Get("/v1/agents/nobody"), 404, "AGENT_NOT_FOUND")
		}
		throttled(t, v.Get("/v1/agents/nobody"), "RATE_LIMITED", 30*time.Second)
	})
}

func TestDirectory(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agentNamed(t, "viewer")
		for _, handle := range []string{"bob", "bo-b", "bobby", "bonny"} {
			w.agentNamed(t, handle)
		}
		for handle, hide := range map[string]func(*chat.Account){
			"bobs": func(a *chat.Account) { a.State = chat.StateSuspended },
			"bobd": func(a *chat.Account) { a.State = chat.StateDeleted },
			"bobo": func(a *chat.Account) { a.Disabled = true },
			"bobh": func(a *chat.Account) { a.Kind = chat.KindHuman },
		} {
			w.change(t, w.agentNamed(t, handle), hide)
		}
		w.change(t, w.agentNamed(t, "bobr"), func(a *chat.Account) { a.State = chat.StateRestricted })
		w.change(t, w.agentNamed(t, "bobx"), func(a *chat.Account) { a.Kind = chat.KindSystem })
		bob := w.holder(t, "bob")
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetContact(ctx, store.Edge{Owner: a.id, Target: bob.ID}, w.Clock.Now(), true)
		})
		r := a.Get("/v1/directory?q=%40BOB").Want(200).Is("total", 4).Is("limit", 20).Is("offset", 0)
		same(t, "handles", r.Texts("agents", "handle"), []string{"bob", "bobby", "bobr", "bobx"})
		same(t, "entry", r.At("agents.0"), any(map[string]any{
			"handle": "bob", "display_name": nil, "description": nil, "avatar_url": nil, "status": "active", "is_system": false,
			"created_at": "2026-11-21T12:00:30.000Z", "in_contacts": true,
		}))
		r.Is("agents.1.in_contacts", false).Is("agents.2.status", "restricted").Is("agents.3.is_system", true)

		r = a.Get("/v1/directory?q=bob&limit=2&offset=1").Want(200).Is("total", 4).Is("limit", 2).Is("offset", 1)
		same(t, "page", r.Texts("agents", "handle"), []string{"bobby", "bobr"})
		a.Get("/v1/directory?q=bob&limit=100&offset=10000").Want(200).Is("limit", 50).Is("offset", 10_000).Is("total", 4)
		for _, q := range []string{"%25%25", "b_b", "b%5c", "bob%25", "zz", strings.Repeat("b", 50)} {
			if got := len(a.Get("/v1/directory?q="+q).Want(200).Is("total", 0).List("agents")); got != 0 {
				t.Errorf("q=%s: got %d agents, want none", q, got)
			}
		}
		for _, query := range []string{
			"", "?q=", "?q=b", "?q=%40b", "?q=" + strings.Repeat("b", 51), "?q=bo%00", "?q=bo%ff", "?q=bo&limit=0", "?q=bo&limit=-1",
			"?q=bo&limit=x", "?q=bo&limit=1.5", "?q=bo&offset=-1", "?q=bo&offset=10001", "?q=bo&offset=99999999999999999999",
		} {
			if r := a.Get("/v1/directory" + query); r.Status != 400 || r.At("code") != "VALIDATION_ERROR" {
				t.Errorf("%q: got %d %s, want a validation error", query, r.Status, r.Raw)
			}
		}
		code(w.Visitor(t).Get("/v1/directory?q=bob"), 401, "UNAUTHORIZED")
	})
}

func TestDirectoryPerMinuteAndDay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		for range 16 {
			for range 60 {
				a.Get("/v1/directory").Want(400) // a bad question counts, too
			}
			w.Clock.Advance(time.Minute)
		}
		for range 40 {
			a.Get("/v1/directory?q=aa").Want(200)
		}
		midnight := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		throttled(t, a.Get("/v1/directory?q=aa"), "RATE_LIMITED", midnight.Sub(w.Clock.Now()))
		b := w.agent(t)
		for range 60 {
			b.Get("/v1/directory?q=aa").Want(200)
		}
		throttled(t, b.Get("/v1/directory?q=aa"), "RATE_LIMITED", 30*time.Second)
	})
}

func TestSystemAccountIsMadeOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for range 2 {
			if err := w.Core.EnsureSystem(t.Context()); err != nil {
				t.Fatalf("make the system account: %v", err)
			}
		}
		w.Visitor(t).Get("/v1/agents/chatfather").Want(200).Is("is_system", true).Is("status", "active")
		a := w.holder(t, "chatfather")
		if a.Kind != chat.KindSystem || !a.InvitesContactsOnly || a.ContactsOnly {
			t.Errorf("got %+v, want a system account open for messages, with invites from contacts only", a)
		}
	})
}

// Somebody may have had the word as a username before.
func TestSystemAccountBesideAUsername(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.Username, a.NameKey = "ChatFather", "chatfather" })
		if err := w.Core.EnsureSystem(t.Context()); err != nil {
			t.Fatalf("make the system account: %v", err)
		}
		w.Visitor(t).Get("/v1/agents/chatfather").Want(200).Is("is_system", true)
	})
}

func TestSystemKeyIsRotated(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		if err := w.Core.EnsureSystem(t.Context()); err != nil {
			t.Fatalf("make the system account: %v", err)
		}
		ops := w.Visitor(t)
		rotate := func(handle any) *response {
			return ops.Post("/internal/rotate-system-agent-key", object{"handle": handle})
		}
		code(rotate("chatfather"), 401, "OPS_AUTH_REQUIRED")
		ops.Token = opsToken
		system := &agent{Client: w.Visitor(t), handle: "chatfather"}
		system.Token = rotate("@ChatFather").Want(200).Is("handle", "chatfather").Text("api_key")
		system.Get("/v1/agents/me").Want(200).Is("id", "agt_chatfather").Is("is_system", true)
		old := system.Token
		system.Token = rotate("chatfather").Want(200).Text("api_key")
		system.Get("/v1/agents/me").Want(200)
		system.Token = old
		code(system.Get("/v1/agents/me"), 401, "UNAUTHORIZED")
		same(t, "audit trail", w.acts(t, w.holder(t, "chatfather").ID), []string{"account.key_rotated", "account.key_rotated"})

		a := w.agent(t)
		for _, handle := range []string{a.handle, "nobody", "no handle"} {
			code(rotate(handle), 404, "NOT_A_SYSTEM_AGENT")
		}
		code(rotate(nil), 400, "VALIDATION_ERROR")
		for range 4 {
			rotate("chatfather").Want(200)
		}
		throttled(t, rotate("chatfather"), "RATE_LIMITED", time.Hour)
	})
}

func TestNewcomersAreWelcomed(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.Welcome = true })
			first := w.applicant(t, "unwelcomed")
			first.register() // without anybody to greet it

			if err := w.Core.EnsureSystem(t.Context()); err != nil {
				t.Fatalf("make the system account: %v", err)
			}
			second := w.applicant(t, "welcomed")
			second.register()
			a := &agent{id: w.holder(t, "welcomed").ID}
			got := w.waiting(t, a)
			if len(got) != 1 || !strings.Contains(got[0], "@welcomed") {
				t.Errorf("got messages %q, want one that greets the newcomer", got)
			}
		})
	}
}
