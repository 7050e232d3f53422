package agentchat_test

import (
	"context"
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

func TestMemberIsRemoved(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, admin, b, c := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, admin, b, c)
		a.promote(group, admin).Want(200)
		w.drain(t, a, admin, b, c)
		a.in(group, "before").Want(201)

		code(admin.Delete("/v1/groups/"+group+"/members/nobody-there"), 404, "AGENT_NOT_FOUND")
		code(admin.Delete("/v1/groups/"+group+"/members/a%00b"), 404, "AGENT_NOT_FOUND")
		code(admin.Delete("/v1/groups/"+group+"/members/%ff%fe"), 404, "AGENT_NOT_FOUND")
		code(admin.expel(group, admin), 400, "VALIDATION_ERROR")
		code(admin.expel(group, a), 403, "FORBIDDEN")
		code(admin.expel(group, w.agent(t)), 404, "NOT_MEMBER")
		code(b.expel(group, c), 403, "FORBIDDEN")

		if text := admin.Delete("/v1/groups/" + group + "/members/%40" + b.handle).Want(200).Text("message"); text == "" {
			t.Errorf("message: got none")
		}
		code(admin.expel(group, b), 404, "NOT_MEMBER")
		removed := admin.handle + ": member_removed actor=" + admin.handle + " agent=" + b.handle
		same(t, "what waits for who was removed", w.waiting(t, b), []string{})
		same(t, "what waits for the others", w.waiting(t, c), []string{"before", removed})
		same(t, "what waits for who did it", w.waiting(t, admin), []string{"before"})
		code(b.Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
		code(b.in(group, "hello?"), 404, "GROUP_NOT_FOUND")
		same(t, "members", a.Get("/v1/groups/"+group).Want(200).Is("member_count", 3).Texts("members", "handle"),
			[]string{a.handle, admin.handle, c.handle})
		same(t, "who is told", w.lastEvent(t, chat.EventGroupUpdated).Recipients, []chat.AccountID{a.id, admin.id, c.id})
	})
}

// An admin can rid the group of a member that is suspended; to outsiders it is
// unknown.
func TestSuspendedMemberIsRemoved(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		w.change(t, b, func(p *chat.Account) { p.State = chat.StateSuspended })
		a.Get("/v1/groups/"+group).Want(200).Is("member_count", 2)
		a.expel(group, b).Want(200)
		code(a.expel(group, b), 404, "AGENT_NOT_FOUND")
	})
}

func TestRoles(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b, c)
		code(a.promote(group, w.agent(t)), 404, "NOT_MEMBER")
		code(a.demote(group, w.agent(t)), 404, "NOT_MEMBER")
		code(a.Post("/v1/groups/"+group+"/members/nobody-there/promote", nil), 404, "AGENT_NOT_FOUND")
		code(b.promote(group, c), 403, "FORBIDDEN")
		code(b.demote(group, a), 403, "FORBIDDEN")
		code(a.demote(group, b), 400, "NOT_ADMIN")

		a.promote(group, b).Want(200)
		promoted := a.handle + ": admin_promoted actor=" + a.handle + " agent=" + b.handle
		same(t, "what waits for the new admin", w.waiting(t, b), []string{promoted})
		same(t, "what waits for the other member", w.waiting(t, c), []string{promoted})
		same(t, "what waits for who did it", w.waiting(t, a), []string{})
		b.Get("/v1/groups/"+group).Is("your_role", "admin").Is("members.1.role", "admin")
		a.promote(group, b).Want(200)
		a.promote(group, a).Want(200)
		same(t, "what waits after promoting admins", w.waiting(t, c), []string{promoted})

		code(b.demote(group, a), 403, "FORBIDDEN")
		code(a.demote(group, a), 403, "FORBIDDEN")
		b.promote(group, c).Want(200)
		w.drain(t, a, b, c)
		b.demote(group, b).Want(200)
		same(t, "what waits after a demotion", w.waiting(t, c),
			[]string{b.handle + ": admin_demoted actor=" + b.handle + " agent=" + b.handle})
		b.Get("/v1/groups/"+group).Is("your_role", "member")

		a.leave(group).Want(200).Is("promoted_handle", nil)
		code(c.demote(group, c), 400, "LAST_ADMIN")
		c.Get("/v1/groups/"+group).Is("your_role", "admin")
	})
}

func TestMemberLeaves(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c, d := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b, c, d)
		a.promote(group, d).Want(200)
		w.drain(t, a, b, c, d)
		a.in(group, "before").Want(201)
		c.leave(group).Want(200).Is("promoted_handle", nil)
		left := c.handle + ": member_left agent=" + c.handle
		same(t, "what waits for who left", w.waiting(t, c), []string{})
		same(t, "what waits for the others", w.waiting(t, b), []string{"before", left})
		code(c.leave(group), 404, "GROUP_NOT_FOUND")
		code(c.Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
		a.leave(group).Want(200).Is("promoted_handle", nil) // the creator may, and another admin is left
		b.Get("/v1/groups/"+group).Want(200).Is("created_by", a.handle).Is("member_count", 2).Is("members.0.handle", b.handle)
	})
}

// When the last admin leaves, who joined first of the rest becomes one.
func TestLastAdminLeaves(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b, c)
		b.leave(group).Want(200)
		a.admit(group, b) // no longer the first to have joined
		w.drain(t, a, b, c)
		a.leave(group).Want(200).Is("promoted_handle", c.handle)
		want := []string{
			a.handle + ": member_left agent=" + a.handle,
			a.handle + ": admin_promoted actor=<nil> agent=" + c.handle,
		}
		same(t, "what waits for the new admin", w.waiting(t, c), want)
		same(t, "what waits for the other", w.waiting(t, b), want)
		c.Get("/v1/groups/"+group).Want(200).Is("your_role", "admin")
		b.Get("/v1/groups/"+group).Want(200).Is("your_role", "member")
	})
}

// A group without members is a shell that nobody sees, not even its invitees.
func TestLastMemberLeaves(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w)
		invite := a.invite(group, b)
		a.leave(group).Want(200).Is("promoted_handle", nil)
		code(a.Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
		same(t, "invitations", b.Get("/v1/groups/invites").Want(200).List(""), []any{})
		code(b.accept(invite), 404, "INVITE_NOT_FOUND")
		code(b.Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
	})
}

// Removing an account is leaving all its groups, and ends its invitations.
func TestRemovedAccountLeavesItsGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		own, shared := a.group(w, b), b.group(w, a)
		from, to := a.invite(own, c), c.invite(c.group(w), a)
		w.drain(t, a, b, c)
		a.Delete("/v1/agents/" + a.handle).Want(200)
		left := a.handle + ": member_left agent=" + a.handle
		same(t, "what waits for the other member", w.waiting(t, b), []string{
			left, a.handle + ": admin_promoted actor=<nil> agent=" + b.handle, left,
		})
		b.Get("/v1/groups/"+own).Want(200).Is("your_role", "admin").Is("member_count", 1).Is("created_by", a.handle)
		b.Get("/v1/groups/"+shared).Want(200).Is("member_count", 1)
		code(c.accept(from), 404, "INVITE_NOT_FOUND")
		if open := w.inviteRow(t, to).Open(); open {
			t.Errorf("the invitation to the removed account: got open, want ended")
		}
	})
}

// Two admins who remove each other: one does, the other finds itself outside.
func TestAdminsRemoveEachOther(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		for range 5 {
			b, c := w.agent(t), w.agent(t)
			group := a.group(w, b, c)
			a.promote(group, b).Want(200)
			a.promote(group, c).Want(200)
			pair := []*agent{b, c}
			answers := dialecttest.Together(2, func(i int) *response { return pair[i].expel(group, pair[1-i]) })
			same(t, "answers", dialecttest.Statuses(answers), map[int]int{200: 1, 404: 1})
			for i, r := range answers {
				if r.Status == 404 {
					code(r, 404, "GROUP_NOT_FOUND")
					code(pair[i].Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
				} else {
					pair[i].Get("/v1/groups/"+group).Want(200).Is("member_count", 2).Is("your_role", "admin")
				}
			}
		}
	})
}

// Two last admins who leave at once, of a group with one more member: it has an
// admin afterwards, and numbers without a hole.
func TestLastAdminsLeaveTogether(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for range 5 {
			a, b, c := w.agent(t), w.agent(t), w.agent(t)
			group := a.group(w, b, c)
			a.promote(group, b).Want(200)
			pair := []*agent{a, b}
			answers := dialecttest.Together(2, func(i int) *response { return pair[i].leave(group) })
			same(t, "answers", dialecttest.Statuses(answers), map[int]int{200: 2})
			promotions := 0
			for _, r := range answers {
				if r.At("promoted_handle") == c.handle {
					promotions++
				}
			}
			same(t, "answers that name a new admin", promotions, 1)
			c.Get("/v1/groups/"+group).Want(200).Is("your_role", "admin").Is("member_count", 1)
			messages := look(t, w, func(ctx context.Context, r store.Reader) ([]chat.Message, error) {
				return r.History(ctx, store.HistoryQuery{Conversation: w.groupRow(t, group), Limit: 100})
			})
			for i, m := range messages {
				if want := int64(len(messages) - i); m.Seq != want {
					t.Errorf("number: got %d, want %d", m.Seq, want)
				}
			}
		}
	})
}
