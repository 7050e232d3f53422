package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// seat makes an account a member of a group, end ends that.
func (f *fixture) seat(g *chat.Conversation, a *chat.Account, role chat.MemberRole, at time.Time) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetMember(ctx, chat.Member{Conversation: g.ID, Account: a.ID, Role: role, JoinedSeq: 1, JoinedAt: at})
	})
}

func (f *fixture) end(g *chat.Conversation, a *chat.Account) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.EndMember(ctx, chat.Member{Conversation: g.ID, Account: a.ID, LeftSeq: 1, LeftAt: f.now()})
	})
}

// An account's memberships come with their groups as these are now, earliest joined
// first; those that have ended and direct conversations are not among them.
func testGroupSeats(f *fixture) {
	me, a := f.account(), f.account()
	late, left, early, other := f.group(a), f.group(a), f.group(a, f.account()), f.group(a)
	f.direct(me, a)
	base := f.now()
	f.seat(early, me, chat.RoleAdmin, base)
	f.seat(left, me, chat.RoleMember, base)
	f.end(left, me)
	f.seat(late, me, chat.RoleMember, base.Add(time.Second))
	tie := f.group(a)
	f.seat(tie, me, chat.RoleMember, base.Add(time.Second))
	f.say(a, late.ID, "so that it has a number")

	seats := func(limit int) []store.GroupSeat {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) ([]store.GroupSeat, error) {
			return r.GroupSeats(ctx, me.ID, limit)
		})
	}
	of := func(list ...*chat.Conversation) (want []store.GroupSeat) {
		f.t.Helper()
		for _, g := range list {
			want = append(want, store.GroupSeat{Group: *f.readGroup(g.ID), Member: *f.member(g.ID, me)})
		}
		return want
	}
	f.same("memberships", seats(10), of(early, late, tie))
	f.same("members of the first", seats(1)[0].Group.Members, 3)
	f.same("the earliest two", seats(2), of(early, late))
	f.seat(early, me, chat.RoleMember, base) // joined again, at the same time
	f.end(tie, me)
	f.seat(other, me, chat.RoleMember, base.Add(time.Hour))
	f.same("memberships after changes", seats(10), of(early, late, other))
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndMembers(ctx, late.ID, 2, f.now()) })
	f.same("memberships without an ended group", seats(10), of(early, other))

	count := func(madeBy chat.Surface) int {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) (int, error) {
			return r.GroupSeatCount(ctx, me.ID, madeBy)
		})
	}
	f.same("of one surface", count(chat.SurfaceAgentChat), 2)
	f.same("of another", count(chat.SurfaceAIClient), 0)
	f.update(func(ctx context.Context, tx store.Tx) error {
		g := &chat.Group{
			Conversation: chat.Conversation{ID: absent, Kind: chat.ConversationGroup, CreatedAt: base},
			MadeBy:       chat.SurfaceAIClient, Name: "made elsewhere", CreatedBy: me.ID, FromStart: true,
		}
		return tx.InsertGroup(ctx, g, []chat.Member{{Account: me.ID, Role: chat.RoleAdmin, JoinedSeq: 1, JoinedAt: base}})
	})
	f.same("of another, with one", count(chat.SurfaceAIClient), 1)
	f.same("of the first, as before", count(chat.SurfaceAgentChat), 2)
}

// The creator owns a group while it is a member, whatever its role; then the
// earliest-joined admin does, and who comes back counts as joining then.
func testGroupOwners(f *fixture) {
	creator, a, b, c := f.account(), f.account(), f.account(), f.account()
	g, other, empty := f.group(creator, a, b, c), f.group(b, a), f.group(a)
	direct := f.direct(a, b)
	f.end(empty, a)
	role := func(who *chat.Account, role chat.MemberRole) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetRole(ctx, g.ID, who.ID, role) })
	}
	owners := func(groups ...*chat.Conversation) map[chat.ConversationID]chat.AccountID {
		f.t.Helper()
		list := make([]chat.ConversationID, len(groups))
		for i, g := range groups {
			list[i] = g.ID
		}
		return query(f, func(ctx context.Context, r store.Reader) (map[chat.ConversationID]chat.AccountID, error) {
			return r.GroupOwners(ctx, list)
		})
	}
	owner := func(what string, want *chat.Account) {
		f.t.Helper()
		f.same(what, owners(g), map[chat.ConversationID]chat.AccountID{g.ID: want.ID})
	}
	f.same("of none", owners(), map[chat.ConversationID]chat.AccountID{})
	f.same("of several", owners(other, direct, g, empty, g, &chat.Conversation{ID: absent}), map[chat.ConversationID]chat.AccountID{
		g.ID: creator.ID, other.ID: b.ID,
	})
	role(c, chat.RoleAdmin)
	role(b, chat.RoleAdmin)
	role(creator, chat.RoleMember)
	owner("a creator that is no admin", creator)
	f.end(g, creator)
	owner("without its creator", b)
	f.end(g, b)
	owner("without the next", c)
	f.seat(g, b, chat.RoleAdmin, f.now())
	owner("with an admin that came back", c)
	role(c, chat.RoleMember)
	owner("after the admin stepped down", b)
	f.seat(g, creator, chat.RoleMember, f.now())
	owner("with a creator that came back", creator)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EndMembers(ctx, g.ID, 1, f.now()) })
	f.same("without members", owners(g, empty), map[chat.ConversationID]chat.AccountID{})
}
