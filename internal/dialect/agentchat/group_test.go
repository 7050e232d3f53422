package agentchat_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

// row is the row that a public id names.
func (w *world) row(t testing.TB, kind id.Kind, text string) int64 {
	t.Helper()
	_, sealed, _ := strings.Cut(text, "_")
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) != len(id.UUID{}) {
		t.Fatalf("id %q: want a prefix and 22 characters", text)
	}
	n, ok := w.IDs.Open(kind, id.UUID(raw))
	if !ok {
		t.Fatalf("id %q: is not one of this server", text)
	}
	return n
}

func (w *world) groupRow(t testing.TB, group string) chat.ConversationID {
	t.Helper()
	return chat.ConversationID(w.row(t, id.KindConversation, group))
}

// look reads the database past the core.
func look[T any](t testing.TB, w *world, fn func(ctx context.Context, r store.Reader) (T, error)) (got T) {
	t.Helper()
	err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) (err error) {
		got, err = fn(ctx, r)
		return err
	})
	if err != nil {
		t.Fatalf("look: %v", err)
	}
	return got
}

// told lists the system messages of a group, oldest first: the sender's handle, the
// event, and the other facts in the order of their names.
func (w *world) told(t testing.TB, group string) (out []string) {
	t.Helper()
	messages := look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Message, error) {
		return r.History(ctx, store.HistoryQuery{Conversation: w.groupRow(t, group), Limit: 1000})
	})
	for _, m := range slices.Backward(messages) {
		if m.Kind == chat.MessageSystem {
			out = append(out, w.notice(t, &m))
		}
	}
	return out
}

func (w *world) notice(t testing.TB, m *chat.Message) string {
	t.Helper()
	author := look(t, w, func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.Account(ctx, m.Author) })
	var facts map[string]any
	if err := json.Unmarshal(m.Data, &facts); err != nil {
		t.Fatalf("system message %s: %v", m.Data, err)
	}
	if facts["schema_version"] != float64(1) {
		t.Errorf("system message %s: want schema_version 1", m.Data)
	}
	line := fmt.Sprintf("%s: %s", author.Handle, facts["event"])
	for _, name := range []string{"actor_handle", "agent_handle", "new_name"} {
		if value, ok := facts[name]; ok {
			line += fmt.Sprintf(" %s=%v", strings.TrimSuffix(name, "_handle"), value)
		}
	}
	return line
}

// waiting lists what waits for an agent: system messages as told does, others by
// their text.
func (w *world) waiting(t testing.TB, a *agent) []string {
	t.Helper()
	out := []string{}
	messages := look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Message, error) {
		return r.Pending(ctx, a.id, 0, 1000)
	})
	for _, m := range messages {
		if m.Kind == chat.MessageSystem {
			out = append(out, w.notice(t, &m))
		} else {
			out = append(out, m.Text)
		}
	}
	return out
}

// drain marks all that waits for agents as delivered.
func (w *world) drain(t testing.TB, agents ...*agent) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		for _, a := range agents {
			if _, err := tx.Acknowledge(ctx, a.id, 1<<62, w.Clock.Now()); err != nil {
				return err
			}
		}
		return nil
	})
}

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// group makes a group of which a is the creator and others have joined, in this
// order, and returns its id. Nothing waits for anybody.
func (a *agent) group(w *world, others ...*agent) string {
	a.T.Helper()
	group := a.Post("/v1/groups", object{"name": "The group"}).Want(201).Text("group.id")
	for _, o := range others {
		a.admit(group, o)
	}
	w.drain(a.T, append(others, a)...)
	return group
}

// invite invites another agent and returns the invitation's id.
func (a *agent) invite(group string, o *agent) string {
	a.T.Helper()
	return a.Post("/v1/groups/"+group+"/members", object{"handle": o.handle}).Want(201).Is("outcome", "invited").Text("invite_id")
}

// admit invites another agent, which accepts.
func (a *agent) admit(group string, o *agent) {
	a.T.Helper()
	o.accept(a.invite(group, o)).Want(200)
}

func (a *agent) accept(invite string) *response {
	a.T.Helper()
	return a.Post("/v1/groups/invites/"+invite+"/accept", nil)
}

func (a *agent) reject(invite string) *response {
	a.T.Helper()
	return a.Delete("/v1/groups/invites/" + invite)
}

func (a *agent) leave(group string) *response {
	a.T.Helper()
	return a.Post("/v1/groups/"+group+"/leave", nil)
}

func (a *agent) expel(group string, o *agent) *response {
	a.T.Helper()
	return a.Delete("/v1/groups/" + group + "/members/" + o.handle)
}

func (a *agent) promote(group string, o *agent) *response {
	a.T.Helper()
	return a.Post("/v1/groups/"+group+"/members/"+o.handle+"/promote", nil)
}

func (a *agent) demote(group string, o *agent) *response {
	a.T.Helper()
	return a.Post("/v1/groups/"+group+"/members/"+o.handle+"/demote", nil)
}

func TestGroupIsMade(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		r := a.Post("/v1/groups", object{
			"name": "  Planning \u00e9 ", "description": " what we do ", "avatar_url": "https://example.org/a.png",
			"settings": object{"who_can_invite": "admin"}, "unknown": 1,
		}).Want(201)
		group := r.Text("group.id")
		if !strings.HasPrefix(group, "grp_") {
			t.Errorf("id: got %q, want one that begins with grp_", group)
		}
		same(t, "add_results", r.List("add_results"), []any{})
		a.Get("/v1/groups/"+group).Want(200).Is("id", group).Is("name", "Planning \u00e9").Is("description", "what we do").
			Is("avatar_url", "https://example.org/a.png").Is("created_by", a.handle).Is("settings.who_can_invite", "admin").
			Is("member_count", 1).Is("created_at", "2026-11-21T12:00:30.000Z").Is("last_message_at", nil).
			Is("members.0.handle", a.handle).Is("members.0.display_name", nil).Is("members.0.role", "admin").
			Is("members.0.joined_at", "2026-11-21T12:00:30.000Z").Is("members.1", dialecttest.Absent{}).Is("your_role", "admin")
		same(t, "system messages", w.told(t, group), []string(nil))

		a.Post("/v1/groups", object{"name": "bare", "description": nil, "avatar_url": nil, "member_handles": nil, "settings": nil}).
			Want(201).Is("group.description", nil).Is("group.avatar_url", nil)
	})
}

func TestGroupInputIsChecked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		group := a.group(w)
		long := strings.Repeat("\u00e9", 101)
		handles := make([]string, 256)
		for i := range handles {
			handles[i] = "somebody"
		}
		for _, test := range []struct {
			name   string
			member string
			value  any
			also   bool // refused in a change, too
		}{
			{"no name", "name", nil, false},
			{"a blank name", "name", " \t", true},
			{"a long name", "name", long, true},
			{"a number for a name", "name", 1, true},
			{"a long description", "description", strings.Repeat("d", 501), true},
			{"a relative picture", "avatar_url", "/a.png", true},
			{"an empty picture", "avatar_url", "", true},
			{"a script for a picture", "avatar_url", "javascript:alert(1)", true},
			{"a long address of a picture", "avatar_url", "https://example.org/" + strings.Repeat("a", 2048), true},
			{"settings that are a text", "settings", "admin", true},
			{"another setting", "settings", object{"who_can_invite": "anyone"}, true},
			{"a setting of another type", "settings", object{"who_can_invite": 1}, true},
			{"too many handles", "member_handles", handles, false},
			{"handles that are numbers", "member_handles", []int{1}, false},
			{"handles that are a text", "member_handles", "x", false},
		} {
			t.Run(test.name, func(t *testing.T) {
				body := object{"name": "fine"}
				body[test.member] = test.value
				code(a.Post("/v1/groups", body), 400, "VALIDATION_ERROR")
				if test.also {
					code(a.Patch("/v1/groups/"+group, object{test.member: test.value}), 400, "VALIDATION_ERROR")
				}
			})
		}
		code(a.Post("/v1/groups", "{"), 400, "VALIDATION_ERROR").Is("message", "Invalid JSON body")
		a.Post("/v1/groups", object{"name": long[:200], "description": strings.Repeat("\u00e9", 500)}).Want(201)
		same(t, "system messages", w.told(t, group), []string(nil))
	})
}

// The handles are cleaned, each is invited on its own terms, and who cannot be is
// left out without a word.
func TestGroupIsMadeWithInvitations(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		blocking, picky, suspended := w.agent(t), w.agent(t), w.agent(t)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetBlock(ctx, store.Edge{Owner: blocking.id, Target: a.id}, w.Clock.Now(), true)
		})
		w.change(t, picky, func(p *chat.Account) { p.InvitesContactsOnly = true })
		w.change(t, suspended, func(p *chat.Account) { p.State = chat.StateSuspended })
		r := a.Post("/v1/groups", object{"name": "g", "member_handles": []string{
			b.handle, "@" + strings.ToUpper(c.handle), b.handle, a.handle, "nobody-there", blocking.handle, picky.handle,
			suspended.handle, "", "not a handle",
		}}).Want(201)
		same(t, "invited", r.Texts("add_results", "handle"), []string{b.handle, c.handle})
		same(t, "outcomes", r.Texts("add_results", "outcome"), []string{"invited", "invited"})
		r.Is("group.member_count", 1)
		b.Get("/v1/groups/invites").Want(200).Is("0.id", r.Text("add_results.0.invite_id"))
	})
}

// A group of more handles than may be invited in a day is made all the same.
func TestGroupIsMadeUpToTheInviteLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		var handles []string
		for range 52 {
			handles = append(handles, w.agent(t).handle)
		}
		r := a.Post("/v1/groups", object{"name": "g", "member_handles": handles}).Want(201)
		same(t, "invited", r.Texts("add_results", "handle"), handles[:50])
	})
}

// Restriction and pause are about direct messages and sending; suspension is about
// everything.
func TestGroupsOfAgentsInTrouble(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		w.change(t, a, func(p *chat.Account) { p.State = chat.StateRestricted })
		a.Post("/v1/groups", object{"name": "g"}).Want(201)
		w.change(t, b, func(p *chat.Account) { p.Pause = chat.PauseFull })
		group := b.Post("/v1/groups", object{"name": "g"}).Want(201).Text("group.id")
		b.Patch("/v1/groups/"+group, object{"name": "h"}).Want(200)

		c := w.agent(t)
		w.change(t, c, func(p *chat.Account) { p.State = chat.StateSuspended })
		code(c.Post("/v1/groups", object{"name": "g"}), 403, "SUSPENDED")
		code(w.Visitor(t).Post("/v1/groups", object{"name": "g"}), 401, "UNAUTHORIZED")
	})
}

// Each route of a group shows outsiders, former members, members and the last
// members of a deleted group what it should (AC 16.1).
func TestGroupAccess(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, member, gone, other := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, member, gone)
		gone.leave(group).Want(200)
		routes := func(group string) map[string]func(who *agent) *response {
			in := "/v1/groups/" + group
			return map[string]func(who *agent) *response{
				"show":    func(who *agent) *response { return who.Get(in) },
				"leave":   func(who *agent) *response { return who.Post(in+"/leave", nil) },
				"update":  func(who *agent) *response { return who.Patch(in, object{"name": "x"}) },
				"delete":  func(who *agent) *response { return who.Delete(in) },
				"avatar":  func(who *agent) *response { return who.Put(in+"/avatar", portrait(t)) },
				"bare":    func(who *agent) *response { return who.Delete(in + "/avatar") },
				"invite":  func(who *agent) *response { return who.Post(in+"/members", object{"handle": other.handle}) },
				"remove":  func(who *agent) *response { return who.Delete(in + "/members/" + a.handle) },
				"promote": func(who *agent) *response { return who.Post(in+"/members/"+a.handle+"/promote", nil) },
				"demote":  func(who *agent) *response { return who.Post(in+"/members/"+a.handle+"/demote", nil) },
			}
		}
		for name, call := range routes(group) {
			code(call(w.agent(t)), 404, "GROUP_NOT_FOUND")
			code(call(gone), 404, "GROUP_NOT_FOUND")
			if name != "show" && name != "leave" {
				code(call(member), 403, "FORBIDDEN")
			}
		}
		direct := a.befriend(member)
		for _, id := range []string{"grp_nothing", "grp_" + strings.Repeat("A", 22), direct, "grp_" + strings.TrimPrefix(direct, "conv_")} {
			for _, call := range routes(id) {
				code(call(a), 404, "GROUP_NOT_FOUND")
			}
		}
		member.Get("/v1/groups/"+group).Want(200).Is("your_role", "member")

		w.Clock.Advance(1500 * time.Millisecond)
		at := a.Delete("/v1/groups/" + group).Want(200).Text("deleted_at")
		for _, call := range routes(group) {
			for _, who := range []*agent{a, member} {
				code(call(who), 410, "GROUP_DELETED").Is("details.group_id", group).
					Is("details.deleted_by_handle", a.handle).Is("details.deleted_at", at)
			}
			code(call(gone), 404, "GROUP_NOT_FOUND")
			code(call(other), 404, "GROUP_NOT_FOUND")
		}
	})
}

// One system message per field that really changed, in the order of the contract.
func TestGroupIsUpdated(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		begun := len(w.told(t, group))
		patch := func(body object) *response { return a.Patch("/v1/groups/"+group, body).Want(200) }
		news := func(want ...string) {
			t.Helper()
			same(t, "system messages", w.told(t, group)[begun:], append([]string{}, want...))
			same(t, "what waits for the other member", w.waiting(t, b), append([]string{}, want...))
			same(t, "what waits for who did it", w.waiting(t, a), []string{})
			begun += len(want)
			w.drain(t, b)
		}
		name, described, picture := a.handle+": name_changed actor="+a.handle+" new_name=New",
			a.handle+": description_changed actor="+a.handle, a.handle+": avatar_changed actor="+a.handle

		patch(object{"avatar_url": "https://example.org/1.png", "description": "about", "name": " New "}).
			Is("name", "New").Is("description", "about").Is("avatar_url", "https://example.org/1.png").Is("your_role", "admin")
		news(name, described, picture)
		patch(object{"avatar_url": "https://example.org/1.png", "description": "about", "name": "New"})
		patch(object{})
		patch(object{"name": nil, "settings": object{"who_can_invite": "admin"}}).Is("name", "New")
		news()
		patch(object{"description": nil}).Is("description", nil).Is("name", "New")
		news(described)
		patch(object{"avatar_url": nil}).Is("avatar_url", nil)
		news(picture)
		last := w.told(t, group)
		b.Get("/v1/groups/"+group).Is("name", "New").Is("member_count", 2)
		a.Patch("/v1/groups/"+group, nil).Want(200)
		same(t, "system messages after an empty body", w.told(t, group), last)

		e := w.lastEvent(t, chat.EventGroupUpdated)
		same(t, "who is told", e.Recipients, []chat.AccountID{a.id, b.id})
		same(t, "the group told of", e.Group, &chat.GroupBrief{Name: "New", Members: 2})
	})
}

// lastEvent is the newest durable event of a kind.
func (w *world) lastEvent(t testing.TB, kind chat.EventKind) *chat.Event {
	t.Helper()
	events := look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Event, error) { return r.Changes(ctx, 0, 10_000) })
	for _, e := range slices.Backward(events) {
		if e.Kind == kind {
			return &e
		}
	}
	t.Fatalf("no event %s", kind)
	return nil
}

func TestGroupAvatar(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		in := "/v1/groups/" + group
		code(a.Delete(in+"/avatar"), 404, "NOT_FOUND")
		a.Patch(in, object{"avatar_url": "https://example.org/1.png"}).Want(200)
		w.drain(t, b)

		r := a.Put(in+"/avatar", portrait(t)).Want(200)
		key, url := r.Text("avatar_key"), r.Text("avatar_url")
		if !strings.HasPrefix(key, "g/") {
			t.Errorf("key: got %q, want one under g/", key)
		}
		b.Get(in).Want(200).Is("avatar_url", url)
		w.Visitor(t).Get(url).Want(200)
		a.Put(in+"/avatar", portrait(t)).Want(200).Is("avatar_key", key) // the same again: nothing changed
		same(t, "what waits", w.waiting(t, b), []string{a.handle + ": avatar_changed actor=" + a.handle})

		a.Patch(in, object{"avatar_url": "https://example.org/2.png"}).Want(200).Is("avatar_url", "https://example.org/2.png")
		if r := w.Visitor(t).Get(url); r.Status != 404 {
			t.Errorf("the picture that was replaced: got %d, want 404", r.Status)
		}
		a.Put(in+"/avatar", portrait(t)).Want(200)
		a.Delete(in+"/avatar").Want(200).Is("ok", true)
		a.Get(in).Want(200).Is("avatar_url", nil)
		if got := len(w.waiting(t, b)); got != 4 {
			t.Errorf("system messages: got %d, want 4", got)
		}
		limited := code(a.Put(in+"/avatar", portrait(t)), 429, "RATE_LIMITED") // those that change nothing count, too
		same(t, "Retry-After", limited.Header.Get("Retry-After"), "30")
		w.Clock.Advance(time.Minute)
		code(a.Put(in+"/avatar", []byte("no picture")), 400, "UNSUPPORTED_FORMAT")
		code(a.Put(in+"/avatar", nil), 400, "EMPTY_BODY")
		b.Get(in).Want(200).Is("avatar_url", nil)
	})
}

func TestGroupIsDeleted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c, invited := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group, other := a.group(w, b, c), a.group(w, b, c)
		invite := a.invite(group, invited)
		a.promote(group, c).Want(200)
		w.drain(t, a, b, c)
		a.in(group, "old").Want(201)
		a.in(other, "elsewhere").Want(201)
		code(c.Delete("/v1/groups/"+group), 403, "FORBIDDEN") // an admin, but the creator is there
		code(b.Delete("/v1/groups/"+group), 403, "FORBIDDEN")

		w.Clock.Advance(5 * time.Second)
		at := a.Delete("/v1/groups/" + group).Want(200).Text("deleted_at")
		same(t, "time", at, "2026-11-21T12:00:35.000Z")
		notice := a.handle + ": group_deleted actor=" + a.handle
		for _, who := range []*agent{b, c} {
			same(t, "what waits for a member", w.waiting(t, who), []string{"elsewhere", notice})
		}
		same(t, "what waits for who did it", w.waiting(t, a), []string{})
		same(t, "invitations", invited.Get("/v1/groups/invites").Want(200).List(""), []any{})
		code(invited.accept(invite), 404, "INVITE_NOT_FOUND")
		code(a.Delete("/v1/groups/"+group), 410, "GROUP_DELETED")
		code(b.in(group, "still there?"), 410, "GROUP_DELETED")

		e := w.lastEvent(t, chat.EventGroupDeleted)
		same(t, "who is told", e.Recipients, []chat.AccountID{b.id, c.id})
		same(t, "by whom", e.By.Handle, a.handle)
		same(t, "of what", e.Conversation, w.groupRow(t, group))
		a.Get("/v1/groups/" + other).Want(200)
	})
}

// Once the creator is suspended, deleted or gone from the group, any admin may
// delete it, and nobody else.
func TestGroupIsDeletedByAnAdmin(t *testing.T) {
	for name, away := range map[string]func(t *testing.T, w *world, creator *agent, group string){
		"left": func(_ *testing.T, _ *world, creator *agent, group string) { creator.leave(group).Want(200) },
		"suspended": func(t *testing.T, w *world, creator *agent, _ string) {
			w.change(t, creator, func(p *chat.Account) { p.State = chat.StateSuspended })
		},
		"disabled": func(t *testing.T, w *world, creator *agent, _ string) {
			w.change(t, creator, func(p *chat.Account) { p.Disabled = true })
		},
		"deleted": func(_ *testing.T, _ *world, creator *agent, _ string) {
			creator.Delete("/v1/agents/" + creator.handle).Want(200)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBothEngines(t, func(t *testing.T, w *world) {
				creator, admin, member := w.agent(t), w.agent(t), w.agent(t)
				group := creator.group(w, admin, member)
				creator.promote(group, admin).Want(200)
				code(admin.Delete("/v1/groups/"+group), 403, "FORBIDDEN")
				away(t, w, creator, group)
				code(member.Delete("/v1/groups/"+group), 403, "FORBIDDEN")
				admin.Delete("/v1/groups/" + group).Want(200)
				code(member.Get("/v1/groups/"+group), 410, "GROUP_DELETED").Is("details.deleted_by_handle", admin.handle)
			})
		})
	}
}

// A creator that came back is the creator again, if no admin.
func TestGroupIsDeletedByACreatorThatCameBack(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		creator, admin := w.agent(t), w.agent(t)
		group := creator.group(w, admin)
		creator.leave(group).Want(200).Is("promoted_handle", admin.handle)
		admin.admit(group, creator)
		creator.Get("/v1/groups/"+group).Want(200).Is("your_role", "member").Is("members.1.handle", creator.handle)
		code(admin.Delete("/v1/groups/"+group), 403, "FORBIDDEN")
		code(admin.expel(group, creator), 403, "FORBIDDEN")
		creator.Delete("/v1/groups/" + group).Want(200)
	})
}

// A group that was retried under an idempotency key is made once, also with its
// invitations; so is a change.
func TestGroupRequestsAreRetried(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		const key = "Idempotency-Key: make-the-group"
		body := object{"name": "once", "member_handles": []string{b.handle}}
		first := a.Post("/v1/groups", body, key).Want(201)
		again := a.Post("/v1/groups", body, key).Want(201)
		same(t, "answer", again.Raw, first.Raw)
		same(t, "replay", again.Header.Get("Idempotent-Replay"), "true")
		group := first.Text("group.id")

		invite := first.Text("add_results.0.invite_id")
		joined := b.Post("/v1/groups/invites/"+invite+"/accept", nil, "Idempotency-Key: accept-it").Want(200)
		a.Delete("/v1/groups/"+group, "Idempotency-Key: delete-it").Want(200)
		same(t, "joining", b.Post("/v1/groups/invites/"+invite+"/accept", nil, "Idempotency-Key: accept-it").Want(200).Raw, joined.Raw)
		a.Delete("/v1/groups/"+group, "Idempotency-Key: delete-it").Want(200)
		same(t, "system messages", w.told(t, group), []string{
			a.handle + ": member_joined agent=" + b.handle, a.handle + ": group_deleted actor=" + a.handle,
		})
	})
}
