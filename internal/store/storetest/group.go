package storetest

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// readGroup reads a group.
func (f *fixture) readGroup(id chat.ConversationID) *chat.Group {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Group, error) { return r.Group(ctx, id) })
}

// member reads one place in a conversation, groupMembers the active ones.
func (f *fixture) member(id chat.ConversationID, a *chat.Account) *chat.Member {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Member, error) { return r.Member(ctx, id, a.ID) })
}

func (f *fixture) groupMembers(id chat.ConversationID) (list []chat.AccountID) {
	f.t.Helper()
	members := query(f, func(ctx context.Context, r store.Reader) ([]chat.Member, error) { return r.Members(ctx, id) })
	for _, m := range members {
		list = append(list, m.Account)
	}
	return list
}

// Every field of a group is kept, changed or not; the count is that of active
// members; a deleted group is still read.
func testGroupFields(f *fixture) {
	a, b, at := f.account(), f.account(), f.now()
	want := &chat.Group{
		Conversation: chat.Conversation{ID: chat.ConversationID(f.id()), Kind: chat.ConversationGroup, CreatedAt: at},
		MadeBy:       chat.SurfaceAgentChat, Name: "The <Group> \U0001f9ea", Description: "about\nthings", Avatar: "g/key",
		AvatarURL: "https://example.org/a.png", CreatedBy: a.ID, ByInvitation: true, FromStart: true,
	}
	seats := []chat.Member{
		{Conversation: want.ID, Account: b.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: at},
		{Conversation: want.ID, Account: a.ID, Role: chat.RoleAdmin, JoinedSeq: 1, JoinedAt: f.now()},
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertGroup(ctx, want, seats) })
	want.Members = 2
	f.same("group", f.readGroup(want.ID), want)
	f.same("members", query(f, func(ctx context.Context, r store.Reader) ([]chat.Member, error) {
		return r.Members(ctx, want.ID)
	}), seats)

	said := f.say(a, want.ID, "hello")
	want.LastSeq, want.LastAt = 1, said.CreatedAt
	want.Name, want.Description, want.Avatar, want.AvatarURL = "Another", "", "", ""
	want.DeletedAt, want.DeletedBy = f.now(), b.ID
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateGroup(ctx, want) })
	f.same("group after a change", f.readGroup(want.ID), want)
	full := *want
	full.Description, full.Avatar, full.AvatarURL = "set", "above", "already"
	f.complete(full, "Conversation")

	missing(f, "group", func(ctx context.Context, r store.Reader) (*chat.Group, error) { return r.Group(ctx, absent) })
	direct := f.direct(a, b)
	missing(f, "direct conversation as a group", func(ctx context.Context, r store.Reader) (*chat.Group, error) {
		return r.Group(ctx, direct.ID)
	})
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error {
		return tx.UpdateGroup(ctx, &chat.Group{Conversation: chat.Conversation{ID: absent}})
	})
}

// Who leaves is remembered as it left; who comes back starts over, last in the
// order of joining.
func testGroupMembers(f *fixture) {
	a, b, c := f.account(), f.account(), f.account()
	g := f.group(a, b)
	join := chat.Member{Conversation: g.ID, Account: c.ID, Role: chat.RoleMember, JoinedSeq: 4, JoinedAt: f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetMember(ctx, join) })
	f.same("the newcomer", f.member(g.ID, c), &join)
	f.same("members", f.groupMembers(g.ID), ids(a, b, c))

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetRole(ctx, g.ID, b.ID, chat.RoleAdmin) })
	left := *f.member(g.ID, b)
	f.same("role", left.Role, chat.RoleAdmin)
	left.LeftSeq, left.LeftAt, left.Removed = 7, f.now(), true
	f.complete(left, "HiddenSeq") // see testListings
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndMember(ctx, left) })
	f.same("who left", f.member(g.ID, b), &left)
	f.same("members without it", f.groupMembers(g.ID), ids(a, c))
	f.same("count without it", f.readGroup(g.ID).Members, 2)
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.EndMember(ctx, left) })
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error {
		return tx.SetRole(ctx, g.ID, b.ID, chat.RoleMember)
	})
	f.same("who left, untouched", f.member(g.ID, b), &left)

	again := chat.Member{Conversation: g.ID, Account: b.ID, Role: chat.RoleMember, JoinedSeq: 9, JoinedAt: f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetMember(ctx, again) })
	f.same("who came back", f.member(g.ID, b), &again) // and is no longer one who was removed
	f.same("members with it", f.groupMembers(g.ID), ids(a, c, b))
	again.LeftSeq, again.LeftAt = 10, f.now()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndMember(ctx, again) })
	f.same("who left by itself", f.member(g.ID, b), &again)
	again.LeftSeq, again.LeftAt = 0, time.Time{}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetMember(ctx, again) })
	facts := f.facts(store.SendKey{Author: a.ID, Conversation: g.ID})
	f.same("members as sends see them", facts.Members[g.ID], ids(a, c, b))

	at := f.now()
	before := *f.member(g.ID, a)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndMembers(ctx, g.ID, 12, at) })
	before.LeftSeq, before.LeftAt = 12, at
	f.same("one of all who left", f.member(g.ID, a), &before)
	f.same("members of nobody", f.groupMembers(g.ID), []chat.AccountID(nil))
}

// The groups of an account are those it is in: no direct conversations, none left.
func testGroupsOf(f *fixture) {
	me, other := f.account(), f.account()
	f.direct(me, other)
	f.group(other)
	var want []chat.ConversationID
	for range 5 {
		want = append(want, f.group(other, me).ID)
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.EndMember(ctx, chat.Member{Conversation: want[1], Account: me.ID, LeftSeq: 1, LeftAt: f.now()})
	})
	want = slices.Delete(want, 1, 2)
	list := func(after chat.ConversationID, limit int) []chat.ConversationID {
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.ConversationID, error) {
			return r.GroupsOf(ctx, me.ID, after, limit)
		})
	}
	f.same("all", list(0, 10), want)
	f.same("a page", list(0, 2), want[:2])
	f.same("the next", list(want[1], 10), want[2:])
}

// Flushing touches what is pending in one group, for one recipient or for all
// members, and leaves alone what was read or hidden, and every other group.
func testGroupFlush(f *fixture) {
	a, b, c := f.account(), f.account(), f.account()
	g, other := f.group(a, b, c), f.group(a, b, c)
	first := f.say(a, g.ID, "one")
	elsewhere := f.say(a, other.ID, "elsewhere")
	f.acknowledge(b, first.ID, 1)
	second := f.say(a, g.ID, "two")
	at := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.FlushEnvelopes(ctx, g.ID, b.ID, at) })
	f.same("pending of b", f.pending(b, 0, 10), []chat.Message{*elsewhere})
	f.same("pending of c", f.pending(c, 0, 10), []chat.Message{*first, *elsewhere, *second})
	delivered := func(m *chat.Message, who *chat.Account) int {
		return f.raw(`SELECT delivered_at FROM envelopes WHERE message_id = $1 AND recipient_id = $2 AND state = 1`,
			int64(m.ID), int64(who.ID))
	}
	f.same("when it was flushed", int64(delivered(second, b)), at.UnixMilli())
	if got := int64(delivered(first, b)); got >= at.UnixMilli() {
		f.t.Errorf("what was acknowledged before: got delivered at %d, want before %d", got, at.UnixMilli())
	}

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.FlushEnvelopes(ctx, g.ID, 0, f.now()) })
	f.same("pending of c after all were flushed", f.pending(c, 0, 10), []chat.Message{*elsewhere})
	f.same("b's, flushed before", int64(delivered(second, b)), at.UnixMilli())
}

// invite stores an invitation.
func (f *fixture) invite(g chat.ConversationID, inviter, invitee *chat.Account) *chat.Invite {
	f.t.Helper()
	i := &chat.Invite{ID: chat.InviteID(f.id()), Group: g, Inviter: inviter.ID, Invitee: invitee.ID, CreatedAt: f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertInvite(ctx, i) })
	return i
}

// An invitation waits until it ends; one account has one per group that waits.
func testInviteRoundTrip(f *fixture) {
	a, b := f.account(), f.account()
	g := f.group(a)
	want := f.invite(g.ID, a, b)
	read := func() *chat.Invite {
		return query(f, func(ctx context.Context, r store.Reader) (*chat.Invite, error) { return r.Invite(ctx, want.ID) })
	}
	open := func(ctx context.Context, r store.Reader) (*chat.Invite, error) { return r.OpenInvite(ctx, g.ID, b.ID) }
	f.same("invite", read(), want)
	f.same("open invite", query(f, open), want)

	twin := *want
	twin.ID, twin.Inviter = chat.InviteID(f.id()), b.ID
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error { return tx.InsertInvite(ctx, &twin) })

	want.EndedAt = f.now()
	f.complete(want)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndInvite(ctx, want.ID, want.EndedAt) })
	f.same("ended invite", read(), want)
	missing(f, "open invite", open)
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error { return tx.EndInvite(ctx, want.ID, f.now()) })
	f.same("invite ended once", read(), want)
	missing(f, "invite", func(ctx context.Context, r store.Reader) (*chat.Invite, error) { return r.Invite(ctx, absent) })

	f.invite(g.ID, a, b) // the same account may be invited again
}

// Invitations are listed oldest first with their groups as these are now, without
// those that ended.
func testInvitesTo(f *fixture) {
	a, me := f.account(), f.account()
	var want []store.GroupInvite
	for range 4 {
		g := f.readGroup(f.group(a, f.account()).ID)
		g.Name, g.Description, g.Avatar, g.AvatarURL = f.name("renamed"), "d", "k", "u"
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateGroup(ctx, g) })
		want = append(want, store.GroupInvite{
			Invite: *f.invite(g.ID, a, me),
			Group:  chat.GroupBrief{Name: g.Name, Members: 2, Description: "d", Avatar: "k", AvatarURL: "u"},
		})
		f.invite(g.ID, a, f.account())
	}
	f.complete(want[0].Group)
	list := func(limit int) []store.GroupInvite {
		return query(f, func(ctx context.Context, r store.Reader) ([]store.GroupInvite, error) {
			return r.InvitesTo(ctx, me.ID, limit)
		})
	}
	f.same("all", list(10), want)
	f.same("a few", list(2), want[:2])
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.EndInvite(ctx, want[0].ID, f.now()); err != nil {
			return err
		}
		return tx.EndInvites(ctx, want[2].Invite.Group, f.now())
	})
	f.same("those that wait", list(10), []store.GroupInvite{want[1], want[3]})
}

// Invitations count from the moment after the one asked for, ended ones included.
func testInvitesSince(f *fixture) {
	a := f.account()
	g := f.group(a)
	var made []*chat.Invite
	for range 3 {
		made = append(made, f.invite(g.ID, a, f.account()))
	}
	f.invite(f.group(f.account()).ID, f.account(), a)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndInvite(ctx, made[1].ID, f.now()) })
	for _, test := range []struct {
		since time.Time
		want  []*chat.Invite
	}{
		{made[0].CreatedAt.Add(-time.Millisecond), made},
		{made[0].CreatedAt, made[1:]},
		{made[1].CreatedAt, made[2:]},
		{made[2].CreatedAt, nil},
	} {
		type count struct {
			n      int
			oldest time.Time
		}
		got := query(f, func(ctx context.Context, r store.Reader) (count, error) {
			n, oldest, err := r.InvitesSince(ctx, a.ID, test.since)
			return count{n, oldest}, err
		})
		want := count{n: len(test.want)}
		if want.n > 0 {
			want.oldest = test.want[0].CreatedAt
		}
		if got.n != want.n || !got.oldest.Equal(want.oldest) {
			f.t.Errorf("invites after %v: got %+v, want %+v", test.since, got, want)
		}
	}
}
