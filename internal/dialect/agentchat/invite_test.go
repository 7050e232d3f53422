package agentchat_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

func (w *world) inviteRow(t testing.TB, invite string) *chat.Invite {
	t.Helper()
	n := chat.InviteID(w.row(t, id.KindInvite, invite))
	return look(t, w, func(ctx context.Context, r store.Reader) (*chat.Invite, error) { return r.Invite(ctx, n) })
}

// fill gives a group members until it has n.
func (w *world) fill(t testing.TB, group string, n int) {
	t.Helper()
	g := w.groupRow(t, group)
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		for {
			now, err := tx.Group(ctx, g)
			if err != nil || now.Members >= n {
				return err
			}
			first, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			handle := "filler" + strconv.FormatInt(first, 10)
			a := &chat.Account{
				ID: chat.AccountID(first), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: handle,
				NameKey: handle, Handle: handle, State: chat.StateActive, CreatedAt: w.Clock.Now(), UpdatedAt: w.Clock.Now(),
			}
			if err := tx.InsertAccount(ctx, a, ""); err != nil {
				return err
			}
			err = tx.SetMember(ctx, chat.Member{
				Conversation: g, Account: a.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: w.Clock.Now(),
			})
			if err != nil {
				return err
			}
		}
	})
}

// The checks of AC 16.7 in their order: each agent would fail at its own check and
// at all that follow.
func TestInviteChecks(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		group := a.group(w)
		add := func(handle any) *response {
			t.Helper()
			return a.Post("/v1/groups/"+group+"/members", object{"handle": handle})
		}
		var suspended, deleted, blocked, blocking, member, pending, picky, plain *agent
		for _, who := range []**agent{&suspended, &deleted, &blocked, &blocking, &member, &pending, &picky, &plain} {
			*who = w.agent(t)
		}
		a.admit(group, member)
		a.admit(group, blocking)
		invite := a.invite(group, pending)
		for _, who := range []*agent{member, pending, picky, blocked} {
			w.change(t, who, func(p *chat.Account) { p.InvitesContactsOnly = true })
		}
		w.change(t, suspended, func(p *chat.Account) { p.State = chat.StateSuspended })
		w.change(t, deleted, func(p *chat.Account) { p.State = chat.StateDeleted })
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			for _, e := range []store.Edge{{Owner: a.id, Target: blocked.id}, {Owner: blocking.id, Target: a.id}} {
				if err := tx.SetBlock(ctx, e, w.Clock.Now(), true); err != nil {
					return err
				}
			}
			// Having the other among one's own contacts is not what counts.
			return tx.SetContact(ctx, store.Edge{Owner: a.id, Target: picky.id}, w.Clock.Now(), true)
		})
		w.spendInvites(t, a)
		w.fill(t, group, 256)

		for _, handle := range []any{nil, 7} {
			code(add(handle), 400, "VALIDATION_ERROR")
		}
		code(add("nobody-there"), 404, "AGENT_NOT_FOUND")
		code(add(suspended.handle), 404, "AGENT_NOT_FOUND")
		code(add(deleted.handle), 404, "AGENT_NOT_FOUND")
		code(add("@"+strings.ToUpper(a.handle)), 400, "VALIDATION_ERROR")
		code(add(blocked.handle), 403, "BLOCKED")
		code(add(blocking.handle), 403, "BLOCKED")
		add(member.handle).Want(201).Is("handle", member.handle).Is("outcome", "already_member").Is("invite_id", dialecttest.Absent{})
		add(pending.handle).Want(201).Is("outcome", "invited").Is("invite_id", invite)
		code(add(picky.handle), 403, "INBOX_RESTRICTED")
		code(add(plain.handle), 429, "RATE_LIMITED").Is("details.rule", "group_invites")
		w.Clock.Advance(24 * time.Hour)
		code(add(plain.handle), 409, "GROUP_FULL")
	})
}

// spendInvites makes an agent use up the invitations of its day.
func (w *world) spendInvites(t testing.TB, a *agent) {
	t.Helper()
	other := a.group(w)
	for {
		r := a.Post("/v1/groups/"+other+"/members", object{"handle": w.agent(t).handle})
		if r.Status == 429 {
			return
		}
		r.Want(201)
	}
}

func TestInvite(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, a, func(p *chat.Account) { p.DisplayName = "Ada" })
		w.change(t, b, func(p *chat.Account) { p.InvitesContactsOnly = true })
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetContact(ctx, store.Edge{Owner: b.id, Target: a.id}, w.Clock.Now(), true)
		})
		group := a.group(w, c)
		a.Patch("/v1/groups/"+group, object{"description": "about", "avatar_url": "https://example.org/a.png"}).Want(200)
		told := w.told(t, group)
		w.Clock.Advance(time.Second)
		invite := a.invite(group, b)
		if !strings.HasPrefix(invite, "gri_") {
			t.Errorf("invite_id: got %q, want one that begins with gri_", invite)
		}
		same(t, "system messages", w.told(t, group), told)

		e := w.lastEvent(t, chat.EventInviteCreated)
		same(t, "who is told", e.Recipients, []chat.AccountID{b.id})
		same(t, "by whom", [2]string{e.By.Handle, e.By.DisplayName}, [2]string{a.handle, "Ada"})
		same(t, "of what group", e.Group, &chat.GroupBrief{
			Name: "The group", Members: 2, Description: "about", AvatarURL: "https://example.org/a.png",
		})
		same(t, "of what invitation", e.Invite, w.inviteRow(t, invite))

		w.Clock.Advance(time.Second)
		second := a.group(w)
		a.invite(second, b)
		r := b.Get("/v1/groups/invites").Want(200)
		same(t, "groups, oldest invitation first", r.Texts("", "group_id"), []string{group, second})
		r.Is("0.id", invite).Is("0.group_name", "The group").Is("0.group_description", "about").
			Is("0.group_avatar_url", "https://example.org/a.png").Is("0.group_member_count", 2).
			Is("0.inviter_handle", a.handle).Is("0.created_at", "2026-11-21T12:00:31.000Z").
			Is("1.group_description", nil).Is("1.group_avatar_url", nil)
		same(t, "invitations of others", c.Get("/v1/groups/invites").Want(200).List(""), []any{})
		a.Get("/v1/groups/"+group).Want(200).Is("member_count", 2)
		code(b.Get("/v1/groups/"+group), 404, "GROUP_NOT_FOUND")
	})
}

// A second invitation is the first one, whoever made it, and costs nothing.
func TestPendingInviteIsUsedAgain(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b)
		a.promote(group, b).Want(200)
		invite := a.invite(group, c)
		w.spendInvites(t, b)
		same(t, "invitation", b.invite(group, c), invite)
		same(t, "inviter", w.inviteRow(t, invite).Inviter, a.id)
		same(t, "what c was told of", w.lastEvent(t, chat.EventInviteCreated).Invite.Inviter, b.id) // in b's own group
	})
}

// Fifty invitations in any 24 hours; what a refused agent is told to wait is exact.
func TestInviteLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		group := a.group(w)
		refused := func(wait time.Duration) {
			t.Helper()
			r := code(a.Post("/v1/groups/"+group+"/members", object{"handle": w.agent(t).handle}), 429, "RATE_LIMITED").
				Is("details.rule", "group_invites").Is("details.retry_after_ms", int(wait.Milliseconds()))
			same(t, "Retry-After", r.Header.Get("Retry-After"), strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		}
		first := a.invite(group, w.agent(t))
		w.Clock.Advance(time.Hour)
		a.invite(group, w.agent(t))
		w.Clock.Advance(time.Hour)
		for range 48 {
			a.invite(group, w.agent(t))
		}
		refused(22 * time.Hour)
		// Answered and withdrawn ones count.
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.EndInvite(ctx, chat.InviteID(w.row(t, id.KindInvite, first)), w.Clock.Now())
		})
		w.Clock.Advance(22*time.Hour - time.Millisecond)
		refused(time.Millisecond)
		w.Clock.Advance(time.Millisecond)
		a.invite(group, w.agent(t))
		refused(time.Hour)
	})
}

func TestInviteIsAccepted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b)
		a.in(group, "before").Want(201)
		w.drain(t, b)
		invite := a.invite(group, c)
		code(b.accept(invite), 404, "INVITE_NOT_FOUND")
		code(c.accept("gri_nothing"), 404, "INVITE_NOT_FOUND")
		code(c.accept(group), 404, "INVITE_NOT_FOUND")
		w.Clock.Advance(time.Second)

		r := c.accept(invite).Want(200).Is("id", group).Is("member_count", 3).Is("your_role", "member").
			Is("members.2.handle", c.handle).Is("members.2.role", "member").Is("members.2.joined_at", "2026-11-21T12:00:31.000Z").
			Is("last_message_at", "2026-11-21T12:00:31.000Z")
		same(t, "members", r.Texts("members", "handle"), []string{a.handle, b.handle, c.handle})
		joined := a.handle + ": member_joined agent=" + c.handle
		same(t, "what waits for the newcomer", w.waiting(t, c), []string{joined})
		same(t, "what waits for the other member", w.waiting(t, b), []string{joined})
		same(t, "what waits for the inviter", w.waiting(t, a), []string{})
		seat := look(t, w, func(ctx context.Context, r store.Reader) (*chat.Member, error) {
			return r.Member(ctx, w.groupRow(t, group), c.id)
		})
		same(t, "first visible number", seat.JoinedSeq, int64(3)) // b joined, "before", c joined
		history := c.Get("/v1/messages/" + group).Want(200)
		same(t, "history of the newcomer", len(history.List("")), 1)
		history.Is("0.sender", a.handle).Is("0.type", "system").Is("0.seq", 3).Is("0.content.data.event", "member_joined").
			Is("0.content.data.agent_handle", c.handle).Is("0.content.data.schema_version", 1)
		same(t, "who is told", w.lastEvent(t, chat.EventGroupUpdated).Recipients, []chat.AccountID{a.id, b.id, c.id})

		same(t, "invitations", c.Get("/v1/groups/invites").Want(200).List(""), []any{})
		c.accept(invite).Want(200).Is("member_count", 3) // accepting twice is accepting once
		same(t, "system messages", w.told(t, group)[1:], []string{joined})
		code(c.reject(invite), 404, "INVITE_NOT_FOUND")
		c.leave(group).Want(200)
		code(c.accept(invite), 404, "INVITE_NOT_FOUND")
	})
}

// Who comes back starts over: its role and what it could see are gone.
func TestMemberComesBack(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		a.promote(group, b).Want(200)
		a.in(group, "before").Want(201)
		b.leave(group).Want(200)
		a.in(group, "between").Want(201)
		a.admit(group, b)
		b.Get("/v1/groups/"+group).Want(200).Is("your_role", "member")
		history := b.Get("/v1/messages/" + group).Want(200)
		same(t, "history", len(history.List("")), 1)
		history.Is("0.content.data.event", "member_joined")
		same(t, "what waits", w.waiting(t, b), []string{a.handle + ": member_joined agent=" + b.handle})
	})
}

// The message about a newcomer is the inviter's, though the inviter has left or is
// suspended since; a removed inviter's invitations end with it.
func TestInviteOutlivesItsInviter(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, left, suspended, removed := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, left, suspended, removed)
		guests := []*agent{w.agent(t), w.agent(t), w.agent(t)}
		var invites []string
		for i, inviter := range []*agent{left, suspended, removed} {
			a.promote(group, inviter).Want(200)
			invites = append(invites, inviter.invite(group, guests[i]))
		}
		left.leave(group).Want(200)
		w.change(t, suspended, func(p *chat.Account) { p.State = chat.StateSuspended })
		removed.Delete("/v1/agents/" + removed.handle).Want(200)
		w.drain(t, a, left, suspended, removed)
		begun := len(w.told(t, group))
		guests[0].accept(invites[0]).Want(200)
		guests[1].accept(invites[1]).Want(200)
		code(guests[2].accept(invites[2]), 404, "INVITE_NOT_FOUND")
		want := []string{
			left.handle + ": member_joined agent=" + guests[0].handle,
			suspended.handle + ": member_joined agent=" + guests[1].handle,
		}
		same(t, "system messages", w.told(t, group)[begun:], want)
		same(t, "what waits for a member", w.waiting(t, a), want)
		same(t, "what waits for the inviter that left", w.waiting(t, left), []string{})
	})
}

// A member that accepts an old invitation to a group that was deleted since is told
// so; to others the invitation is gone.
func TestInviteIntoADeletedGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w)
		used, open := a.invite(group, b), a.invite(group, c)
		b.accept(used).Want(200)
		a.Delete("/v1/groups/" + group).Want(200)
		code(b.accept(used), 410, "GROUP_DELETED").Is("details.group_id", group).Is("details.deleted_by_handle", a.handle)
		code(c.accept(open), 404, "INVITE_NOT_FOUND")
		code(c.reject(open), 404, "INVITE_NOT_FOUND")
	})
}

func TestInviteIsRejected(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w)
		invite := a.invite(group, b)
		code(c.reject(invite), 404, "INVITE_NOT_FOUND")
		if text := b.reject(invite).Want(200).Text("message"); text == "" {
			t.Errorf("message: got none")
		}
		code(b.reject(invite), 404, "INVITE_NOT_FOUND")
		code(b.accept(invite), 404, "INVITE_NOT_FOUND")
		same(t, "invitations", b.Get("/v1/groups/invites").Want(200).List(""), []any{})
		same(t, "system messages", w.told(t, group), []string(nil))
		same(t, "what waits for the inviter", w.waiting(t, a), []string{})
		if again := a.invite(group, b); again == invite {
			t.Errorf("the next invitation: got the rejected one, want another")
		}
	})
}

// Many who accept at once into the last places of a group: it has 256 members, and
// who was too late may come when there is room.
func TestGroupFillsUp(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		group := a.group(w)
		guests := make([]*agent, 8)
		invites := make([]string, len(guests))
		for i := range guests {
			guests[i] = w.agent(t)
			invites[i] = a.invite(group, guests[i])
		}
		w.fill(t, group, 253)
		answers := dialecttest.Together(len(guests), func(i int) *response { return guests[i].accept(invites[i]) })
		same(t, "answers", dialecttest.Statuses(answers), map[int]int{200: 3, 409: 5})
		a.Get("/v1/groups/"+group).Want(200).Is("member_count", 256)
		same(t, "joined", len(w.told(t, group)), 3)

		in := slices.IndexFunc(answers, func(r *response) bool { return r.Status == 200 })
		out := slices.IndexFunc(answers, func(r *response) bool { return r.Status == 409 })
		code(answers[out], 409, "GROUP_FULL")
		code(guests[out].accept(invites[out]), 409, "GROUP_FULL")
		code(a.Post("/v1/groups/"+group+"/members", object{"handle": w.agent(t).handle}), 409, "GROUP_FULL")
		guests[in].leave(group).Want(200)
		guests[out].accept(invites[out]).Want(200).Is("member_count", 256)
	})
}

// The same acceptance many times at once makes one member and one system message.
func TestInviteIsAcceptedTwiceAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w)
		invite := a.invite(group, b)
		answers := dialecttest.Together(6, func(int) *response { return b.accept(invite) })
		same(t, "answers", dialecttest.Statuses(answers), map[int]int{200: 6})
		same(t, "system messages", w.told(t, group), []string{a.handle + ": member_joined agent=" + b.handle})
		a.Get("/v1/groups/"+group).Want(200).Is("member_count", 2)
	})
}
