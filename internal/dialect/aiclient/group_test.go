package aiclient_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

// posts writes into a group.
func (c *client) posts(group, text string) *dialecttest.Response {
	c.T.Helper()
	return c.Post("/ai/groups/"+group+"/messages", object{"content": text})
}

func (c *client) joins(group string) *dialecttest.Response {
	c.T.Helper()
	return c.Post("/ai/groups/"+group+"/join", nil)
}

func (c *client) leaves(group string) *dialecttest.Response {
	c.T.Helper()
	return c.Post("/ai/groups/"+group+"/leave", nil)
}

// reads lists what the client sees of a group, newest first.
func (c *client) reads(group string) []string {
	c.T.Helper()
	return c.Get("/ai/groups/"+group+"/messages").Want(200).Texts("messages", "content")
}

// members lists the members of a group as ids with their roles.
func (c *client) members(group string) (out []string) {
	c.T.Helper()
	r := c.Get("/ai/groups/" + group + "/members").Want(200)
	for i := range r.List("members") {
		out = append(out, r.Text(fmt.Sprintf("members.%d.ai_id", i))+" "+r.Text(fmt.Sprintf("members.%d.role", i)))
	}
	return out
}

// groupRow is the core's id of a group.
func (w *world) groupRow(t testing.TB, group string) chat.ConversationID {
	t.Helper()
	u, _ := id.ParseUUID(group)
	n, ok := w.IDs.Open(id.KindConversation, u)
	if !ok {
		t.Fatalf("%q is no id of a group", group)
	}
	return chat.ConversationID(n)
}

// byInvitation makes a group through /v1, with its creator alone.
func (c *client) byInvitation(name string) string {
	c.T.Helper()
	made, err := c.w.Core.CreateGroup(c.T.Context(), c.through(chat.SurfaceAgentChat), core.NewGroup{Name: name})
	if err != nil {
		c.T.Fatalf("create a group: %v", err)
	}
	return c.w.IDs.Seal(id.KindConversation, int64(made.Group.Group.ID)).String()
}

// invites asks somebody into a group through /v1.
func (c *client) invites(other *client, group string) chat.InviteID {
	c.T.Helper()
	invited, err := c.w.Core.InviteMember(
		c.T.Context(), c.through(chat.SurfaceAgentChat), c.w.groupRow(c.T, group), c.w.handle(c.T, other))
	if err != nil {
		c.T.Fatalf("invite: %v", err)
	}
	return invited.Invite
}

// accepts answers an invitation through /v1.
func (c *client) accepts(invite chat.InviteID) error {
	_, err := c.w.Core.AcceptInvite(c.T.Context(), c.through(chat.SurfaceAgentChat), invite)
	return err
}

// removes ends the membership of another through /v1.
func (c *client) removes(other *client, group string) {
	c.T.Helper()
	err := c.w.Core.RemoveMember(c.T.Context(), c.through(chat.SurfaceAgentChat), c.w.groupRow(c.T, group), c.w.handle(c.T, other))
	if err != nil {
		c.T.Fatalf("remove: %v", err)
	}
}

func TestB32CreateGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		create := func(body any) *dialecttest.Response { return c.A.Post("/ai/groups", body) }
		r := create(object{"name": " 群\n", "description": " 讨论 "}).Want(200).Is("success", true)
		r.Is("group.owner_ai_id", c.A.id).Is("group.member_count", 1).Is("group.name", "群").Is("group.description", "讨论").
			Is("group.created_at", "2026-11-21T12:00:30.000Z")
		for _, none := range []any{nil, "", "  "} {
			create(object{"name": "群", "description": none}).Want(200).Is("group.description", nil)
		}
		create(object{"name": strings.Repeat("群", 100), "description": strings.Repeat("述", 500)}).Want(200)
		fails(t, create(object{}), 400, textMissing("name"))
		fails(t, create(object{"name": nil}), 400, textMissing("name"))
		fails(t, create(object{"name": " \u3000"}), 400, textMissing("name"))
		fails(t, create(object{"name": strings.Repeat("群", 101)}), 400, textInvalid("name"))
		fails(t, create(object{"name": 5}), 400, textInvalid("name"))
		fails(t, create(object{"name": "a\x00"}), 400, textInvalid("name"))
		fails(t, create(object{"name": "群", "description": strings.Repeat("述", 501)}), 400, textInvalid("description"))
		fails(t, create(object{"name": "群", "description": []any{}}), 400, textInvalid("description"))
		fails(t, create("["), 400, textBadJSON)
		fails(t, c.U1.Post("/ai/groups", object{"name": "群"}), 401, textBadKey)
	})
}

func TestB33ListGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.Get("/ai/groups").Want(200).Is("groups.0.id", c.R).Is("groups.0.role", "owner").Is("groups.0.name", "R").
			Is("groups.0.description", nil).Is("groups.0.owner_ai_id", c.A.id).Is("groups.0.member_count", 2).
			Is("groups.0.joined_at", "2026-11-21T12:00:30.000Z").Is("groups.1", dialecttest.Absent{})
		c.B.Get("/ai/groups").Want(200).Is("groups.0.id", c.R).Is("groups.0.role", "member").Is("groups.0.owner_ai_id", c.A.id)
		if got := c.C.Get("/ai/groups").Want(200).Raw; got != `{"groups":[]}` {
			t.Errorf("C: got %s, want none", got)
		}
		w.Clock.Advance(time.Second)
		second := c.C.Post("/ai/groups", object{"name": "second"}).Want(200).Text("group.id")
		w.Clock.Advance(time.Second)
		first := c.B.byInvitation("of /v1")
		c.B.joins(second).Want(200)
		r := c.B.Get("/ai/groups").Want(200)
		if got := r.Texts("groups", "id"); len(got) != 3 || got[0] != c.R || !slices.Contains(got, first) || !slices.Contains(got, second) {
			t.Errorf("got %v, want R first, then the others", got)
		}
		c.B.leaves(c.R).Want(200)
		if got := c.B.Get("/ai/groups").Want(200).Texts("groups", "id"); len(got) != 2 || slices.Contains(got, c.R) {
			t.Errorf("got %v, want R no more", got)
		}
	})
}

func TestB34JoinTwice(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, already := range []bool{false, true} {
			c.C.joins(c.R).Want(200).Is("success", true).Is("already_member", already).Is("group.member_count", 3).
				Is("group.id", c.R).Is("group.owner_ai_id", c.A.id)
		}
		c.A.joins(c.R).Want(200).Is("already_member", true).Is("group.member_count", 3)
		c.C.Post("/ai/groups/"+c.R+"/join", "{ not read").Want(200).Is("already_member", true)
		if got, want := c.C.members(c.R), []string{c.A.id + " owner", c.B.id + " member", c.C.id + " member"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestB35JoinUnknown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, group := range []string{strange, "x", c.A.id} {
			fails(t, c.C.joins(group), 404, textNoGroup)
			fails(t, c.C.leaves(group), 404, textNoGroup)
			fails(t, c.C.posts(group, "x"), 404, textNoGroup)
			fails(t, c.C.Get("/ai/groups/"+group+"/messages"), 404, textNoGroup)
			fails(t, c.C.Get("/ai/groups/"+group+"/members"), 404, textNoGroup)
		}
		// A direct conversation is no group.
		c.A.says(c.B, "x").Want(200)
		var direct *chat.Conversation
		low, high := chat.Pair(c.A.account(), c.B.account())
		w.Update(t, func(ctx context.Context, tx store.Tx) (err error) {
			direct, err = tx.DirectOf(ctx, low, high)
			return err
		})
		group := w.IDs.Seal(id.KindConversation, int64(direct.ID)).String()
		fails(t, c.A.joins(group), 404, textNoGroup)
		fails(t, c.A.posts(group, "x"), 404, textNoGroup)
		fails(t, c.A.Get("/ai/groups/"+group+"/messages"), 404, textNoGroup)
	})
}

func TestB36Outsiders(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		fails(t, c.C.posts(c.R, "x"), 403, textNotMember)
		fails(t, c.C.Post("/ai/groups/"+c.R+"/messages", object{}), 403, textNotMember)
		fails(t, c.C.Get("/ai/groups/"+c.R+"/messages"), 403, textNotMember)
		fails(t, c.C.Get("/ai/groups/"+c.R+"/messages?limit=0"), 403, textNotMember)
		fails(t, c.C.Get("/ai/groups/"+c.R+"/members"), 403, textNotMember)
		fails(t, c.C.leaves(c.R), 403, textNotMember)
		c.A.Get("/ai/groups/"+c.R+"/messages").Want(200).Is("messages.0", dialecttest.Absent{})
	})
}

func TestB37GroupMessages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		r := c.B.posts(c.R, "one").Want(200).Is("success", true).Is("message.group_id", c.R).Is("message.from_ai_id", c.B.id).
			Is("message.to_ai_id", dialecttest.Absent{}).Is("message.from_ai.name", "B").Is("message.content", "one")
		c.A.posts(c.R, "two").Want(200)
		c.C.joins(c.R).Want(200) // later, and what was said before is there
		c.C.posts(c.R, "three").Want(200)
		for _, member := range []*client{c.A, c.B, c.C} {
			if got, want := member.reads(c.R), []string{"three", "two", "one"}; !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			member.Get("/ai/groups/"+c.R+"/messages").Want(200).Is("messages.2.group_id", c.R).
				Is("messages.2.id", r.Text("message.id")).Is("messages.2.from_ai.id", c.B.id).Is("messages.2.to_ai_id", dialecttest.Absent{})
		}
		all, _ := c.A.pages("/ai/groups/"+c.R+"/messages", 1)
		if len(all) != 3 || all[0].at <= all[1].at || all[1].at <= all[2].at {
			t.Errorf("got %v, want times that rise strictly", all)
		}
		for _, member := range []*client{c.A, c.B, c.C} {
			member.inbox().Is("messages.0", dialecttest.Absent{}) // of private messages
		}
	})
}

func TestB38GroupPages(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for i := range 60 {
			c.A.posts(c.R, fmt.Sprint(i)).Want(200)
		}
		path := "/ai/groups/" + c.R + "/messages"
		for query, want := range map[string]int{"": 50, "?limit=50": 50, "?limit=100": 60, "?limit=60": 60} {
			r := c.B.Get(path+query).Want(200).Is("has_more", want < 60).Is("messages.0.content", "59")
			if got := len(r.List("messages")); got != want {
				t.Errorf("%q: got %d messages, want %d", query, got, want)
			}
		}
		fails(t, c.B.Get(path+"?limit=101"), 400, textInvalid("limit"))
		if all, sizes := c.B.pages(path, 7); len(all) != 60 || len(sizes) != 9 {
			t.Errorf("got %d messages in pages of %v, want 60 in nine", len(all), sizes)
		}
	})
}

func TestB40LeaveGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.posts(c.R, "x").Want(200)
		if got := c.A.Post("/ai/groups/"+c.R+"/leave", "{ not read").Want(200).Raw; got != `{"success":true}` {
			t.Errorf("got %s, want success alone", got)
		}
		fails(t, c.A.leaves(c.R), 403, textNotMember) // the second time
		c.B.Get("/ai/groups").Want(200).Is("groups.0.role", "owner").Is("groups.0.owner_ai_id", c.B.id).Is("groups.0.member_count", 1)
		if got := c.B.reads(c.R); !slices.Equal(got, []string{"x"}) {
			t.Errorf("got %v, want what the leaver said", got)
		}
		c.B.leaves(c.R).Want(200)
		fails(t, c.B.Get("/ai/groups/"+c.R+"/messages"), 404, textNoGroup)
		fails(t, c.B.leaves(c.R), 404, textNoGroup)
		fails(t, c.B.joins(c.R), 404, textNoGroup)
		fails(t, c.C.joins(c.R), 404, textNoGroup)
		fails(t, c.C.posts(c.R, "x"), 404, textNoGroup)
	})
}

// The owner is the creator while it is a member, else the earliest-joined admin; if
// there is no admin the longest-standing member becomes one (README 3).
func TestGroupSuccession(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		d := c.U2.makes("D")
		c.C.joins(c.R).Want(200)
		d.joins(c.R).Want(200)
		owner := func(member *client, want *client) {
			t.Helper()
			r := member.Get("/ai/groups").Want(200).Is("groups.0.owner_ai_id", want.id)
			role := "member"
			if member == want {
				role = "owner"
			}
			r.Is("groups.0.role", role)
		}
		promote := func(by, whom *client) {
			t.Helper()
			err := w.Core.PromoteMember(t.Context(), by.through(chat.SurfaceAgentChat), w.groupRow(t, c.R), w.handle(t, whom))
			if err != nil {
				t.Fatalf("promote: %v", err)
			}
		}
		promote(c.A, d)
		promote(c.A, c.C) // joined before D, became an admin after it
		owner(d, c.A)
		if got, want := c.B.members(c.R), []string{c.A.id + " owner", c.B.id + " member", c.C.id + " member", d.id + " member"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want) // other admins show as members
		}
		c.A.leaves(c.R).Want(200)
		owner(c.B, c.C)
		owner(c.C, c.C)
		c.C.leaves(c.R).Want(200)
		owner(c.B, d)
		d.leaves(c.R).Want(200)
		owner(c.B, c.B) // the last one of all became an admin
		c.C.joins(c.R).Want(200)
		owner(c.C, c.B)
		c.A.joins(c.R).Want(200).Is("group.owner_ai_id", c.A.id) // the creator is back
		if got, want := c.B.members(c.R), []string{c.B.id + " member", c.C.id + " member", c.A.id + " owner"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// The longest-standing member counts by when it joined last.
func TestLongestStandingMember(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.C.joins(c.R).Want(200)
		c.B.leaves(c.R).Want(200)
		c.B.joins(c.R).Want(200)
		c.A.leaves(c.R).Want(200)
		c.B.Get("/ai/groups").Want(200).Is("groups.0.owner_ai_id", c.C.id)
	})
}

func TestRemovedAgentLeavesItsGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		k := c.signs(t)
		c.A.posts(c.R, "plain").Want(200)
		c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x", "signature": k.sign(t, "x")}).Want(200)
		c.U1.Delete("/ai/agents/" + c.A.id).Want(200)
		c.B.Get("/ai/groups").Want(200).Is("groups.0.role", "owner").Is("groups.0.member_count", 1)
		c.B.Get("/ai/groups/"+c.R+"/messages").Want(200).Is("messages.0.from_ai_id", c.A.id).
			Is("messages.0.from_ai.id", c.A.id).Is("messages.0.from_ai.name", textGone).Is("messages.0.from_ai.public_key", k.public).
			Is("messages.1.from_ai.name", textGone).Is("messages.1.from_ai.public_key", nil)
	})
}

// A group of /v1 is joined by invitation and shows newcomers what comes after; it
// cannot be told from none by those outside (README 3).
func TestGroupsByInvitation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		group := c.A.byInvitation("closed")
		invite := c.A.invites(c.B, group)
		for _, outsider := range []*client{c.B, c.C} {
			fails(t, outsider.joins(group), 404, textNoGroup)
			fails(t, outsider.leaves(group), 404, textNoGroup)
			fails(t, outsider.posts(group, "x"), 404, textNoGroup)
			fails(t, outsider.Post("/ai/groups/"+group+"/messages", "{"), 404, textNoGroup)
			fails(t, outsider.Get("/ai/groups/"+group+"/messages"), 404, textNoGroup)
			fails(t, outsider.Get("/ai/groups/"+group+"/members"), 404, textNoGroup)
		}
		c.A.posts(group, "before").Want(200)
		if err := c.B.accepts(invite); err != nil {
			t.Fatalf("accept: %v", err)
		}
		c.A.posts(group, "after").Want(200)
		if got := c.B.reads(group); !slices.Equal(got, []string{"after"}) {
			t.Errorf("got %v, want what came after joining", got)
		}
		c.B.joins(group).Want(200).Is("already_member", true).Is("group.member_count", 2)
		c.B.leaves(group).Want(200)
		fails(t, c.B.leaves(group), 404, textNoGroup)
		fails(t, c.B.joins(group), 404, textNoGroup)
	})
}

// A group of /ai is as open in /v1: who accepts an invitation there sees it from the
// start.
func TestInvitationIntoAnOpenGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.posts(c.R, "before").Want(200)
		if err := c.C.accepts(c.A.invites(c.C, c.R)); err != nil {
			t.Fatalf("accept: %v", err)
		}
		if got := c.C.reads(c.R); !slices.Equal(got, []string{"before"}) {
			t.Errorf("got %v, want the history from the start", got)
		}
	})
}

// Whoever joins by id has answered its invitation.
func TestJoiningEndsTheInvitation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		invite := c.A.invites(c.C, c.R)
		c.C.joins(c.R).Want(200)
		waiting, err := w.Core.ListInvites(t.Context(), c.C.through(chat.SurfaceAgentChat))
		if err != nil || len(waiting) != 0 {
			t.Errorf("got %d invitations and %v, want none", len(waiting), err)
		}
		c.C.leaves(c.R).Want(200)
		if got := chat.CodeOf(c.C.accepts(invite)); got != chat.CodeInviteUnknown {
			t.Errorf("got %q, want an invitation that is spent", got)
		}
	})
}

// Who was removed by an admin comes back by invitation only (README 3).
func TestRemovedMemberNeedsAnInvitation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.removes(c.B, c.R)
		fails(t, c.B.joins(c.R), 403, textForbidden)
		fails(t, c.B.posts(c.R, "x"), 403, textNotMember)
		fails(t, c.B.Get("/ai/groups/"+c.R+"/messages"), 403, textNotMember)
		fails(t, c.B.leaves(c.R), 403, textNotMember)
		fails(t, c.B.joins(c.R), 403, textForbidden)
		c.A.Get("/ai/groups").Want(200).Is("groups.0.member_count", 1)

		c.A.invites(c.B, c.R)
		c.B.joins(c.R).Want(200).Is("already_member", false).Is("group.member_count", 2)
		c.B.leaves(c.R).Want(200) // of its own will
		c.B.joins(c.R).Want(200).Is("already_member", false)

		c.A.removes(c.B, c.R)
		if err := c.B.accepts(c.A.invites(c.B, c.R)); err != nil {
			t.Fatalf("accept: %v", err)
		}
		c.B.posts(c.R, "back").Want(200)
	})
}

// What happens in a group is told in system messages, which /ai does not show; for a
// join by id the sender is the joiner (README 3).
func TestSystemMessagesAreNotShown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.posts(c.R, "one").Want(200)
		c.C.joins(c.R).Want(200)
		c.C.leaves(c.R).Want(200)
		c.A.posts(c.R, "two").Want(200)
		if got := c.B.reads(c.R); !slices.Equal(got, []string{"two", "one"}) {
			t.Errorf("got %v, want two and one", got)
		}
		all, sizes := c.B.pages("/ai/groups/"+c.R+"/messages", 1)
		if len(all) != 2 || len(sizes) != 2 {
			t.Errorf("got %d messages in pages of %v, want two pages of one", len(all), sizes)
		}
		var told []string
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			list, err := tx.History(ctx, store.HistoryQuery{Conversation: w.groupRow(t, c.R), Limit: 10})
			told = nil
			for _, m := range list {
				var facts struct {
					Event string `json:"event"`
					Whom  string `json:"agent_handle"`
				}
				if m.Kind != chat.MessageSystem || json.Unmarshal(m.Data, &facts) != nil {
					continue
				}
				if m.Author != c.B.account() && m.Author != c.C.account() {
					t.Errorf("%s is told by %d, want whom it is about", facts.Event, m.Author)
				}
				told = append(told, facts.Event+" "+facts.Whom)
			}
			return err
		})
		b, other := w.handle(t, c.B), w.handle(t, c.C)
		if want := []string{"member_left " + other, "member_joined " + other, "member_joined " + b}; !slices.Equal(told, want) {
			t.Errorf("got %v, want %v", told, want)
		}
	})
}

// A group that an admin deletes in /v1 is gone here, for its members too.
func TestDeletedGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		if _, err := w.Core.DeleteGroup(t.Context(), c.A.through(chat.SurfaceAgentChat), w.groupRow(t, c.R)); err != nil {
			t.Fatalf("delete the group: %v", err)
		}
		for _, anybody := range []*client{c.A, c.B, c.C} {
			fails(t, anybody.joins(c.R), 404, textNoGroup)
			fails(t, anybody.leaves(c.R), 404, textNoGroup)
			fails(t, anybody.posts(c.R, "x"), 404, textNoGroup)
			fails(t, anybody.Get("/ai/groups/"+c.R+"/messages"), 404, textNoGroup)
			fails(t, anybody.Get("/ai/groups/"+c.R+"/members"), 404, textNoGroup)
			anybody.Get("/ai/groups").Want(200).Is("groups.0", dialecttest.Absent{})
		}
	})
}

// Members that are disabled stay; others see them as such.
func TestDisabledMemberStays(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.U1.Patch("/ai/agents/"+c.B.id, object{"status": "disabled"}).Want(200)
		fails(t, c.B.posts(c.R, "x"), 403, textDisabled)
		fails(t, c.B.joins(c.R), 403, textDisabled)
		fails(t, c.B.leaves(c.R), 403, textDisabled)
		fails(t, c.B.Get("/ai/groups"), 403, textDisabled)
		c.A.Get("/ai/groups/"+c.R+"/members").Want(200).Is("members.1.ai_id", c.B.id).Is("members.1.ai.status", "disabled").
			Is("members.1.ai.id", c.B.id).Is("members.1.ai.name", "B").Is("members.1.joined_at", "2026-11-21T12:00:30.000Z").
			Is("members.1.ai.updated_at", dialecttest.Absent{})
		c.A.posts(c.R, "meanwhile").Want(200)
		c.U1.Patch("/ai/agents/"+c.B.id, object{"status": "active"}).Want(200)
		if got := c.B.reads(c.R); !slices.Equal(got, []string{"meanwhile"}) {
			t.Errorf("got %v, want what was said meanwhile", got)
		}
	})
}

// An agent is a member of a hundred groups of /ai at most, those of /v1 not counted
// (README 3): made, joined or accepted, one by one or all at once.
func TestGroupMemberships(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.byInvitation("does not count")
		made := dialecttest.Together(8, func(i int) []string {
			var out []string
			for range 14 {
				if r := c.A.Post("/ai/groups", object{"name": "g"}); r.Status == 200 {
					out = append(out, r.Text("group.id"))
				} else {
					fails(t, r, 403, textCap)
				}
			}
			return out
		})
		if got := len(slices.Concat(made...)); got != 99 { // beside R
			t.Errorf("%d groups were made, want 99", got)
		}
		other := c.C.Post("/ai/groups", object{"name": "other"}).Want(200).Text("group.id")
		fails(t, c.A.joins(other), 403, textCap)
		fails(t, c.A.Post("/ai/groups", object{"name": " "}), 400, textMissing("name"))
		invite := c.C.invites(c.A, other)
		if got := chat.CodeOf(c.A.accepts(invite)); got != chat.CodeMembershipCap {
			t.Errorf("accept: got %q, want membership_cap", got)
		}
		c.A.joins(c.R).Want(200).Is("already_member", true)
		c.A.byInvitation("does not count either")
		c.A.leaves(c.R).Want(200)
		c.A.joins(other).Want(200)
		fails(t, c.A.joins(c.R), 403, textCap)
	})
}

// Five hundred fit into a group, however many come at once. Most of them are there
// already: each who joins is told to all.
func TestJoiningRace(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		w.fill(t, c.R, w.guests(t, 400))
		crowd := w.guests(t, 200)
		all := dialecttest.Together(len(crowd), func(i int) *dialecttest.Response { return crowd[i].joins(c.R) })
		if got := dialecttest.Statuses(all); got[200] != 98 || got[403] != 102 {
			t.Errorf("got statuses %v, want 98 who joined", got)
		}
		for _, r := range all {
			if r.Status != 200 {
				fails(t, r, 403, textGroupFull)
			}
		}
		c.A.Get("/ai/groups").Want(200).Is("groups.0.member_count", 500)
		if got := len(c.A.members(c.R)); got != 500 {
			t.Errorf("got %d members, want 500", got)
		}
		c.B.leaves(c.R).Want(200)
		c.C.joins(c.R).Want(200).Is("group.member_count", 500)
	})
}

// fill makes many members of a group past the core.
func (w *world) fill(t testing.TB, group string, crowd []*client) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		for _, c := range crowd {
			err := tx.SetMember(ctx, chat.Member{
				Conversation: w.groupRow(t, group), Account: c.account(), Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: w.Clock.Now(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Whoever joins many times at once joins once.
func TestJoiningAtOnce(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		all := dialecttest.Together(8, func(int) *dialecttest.Response { return c.C.joins(c.R) })
		joined := 0
		for _, r := range all {
			r.Want(200).Is("group.member_count", 3)
			if r.At("already_member") == false {
				joined++
			}
		}
		if joined != 1 {
			t.Errorf("%d of the calls joined, want one", joined)
		}
		left := dialecttest.Together(8, func(int) *dialecttest.Response { return c.C.leaves(c.R) })
		if got := dialecttest.Statuses(left); got[200] != 1 || got[403] != 7 {
			t.Errorf("got statuses %v, want one who left", got)
		}
	})
}
