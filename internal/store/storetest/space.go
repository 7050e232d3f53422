package storetest

import (
	"context"
	"errors"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) space(id chat.SpaceID) *chat.Space {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Space, error) { return r.Space(ctx, id) })
}

func (f *fixture) spacesOf(a *chat.Account) []*chat.Space {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]*chat.Space, error) { return r.SpacesOf(ctx, a.ID) })
}

func (f *fixture) members(space chat.SpaceID) []chat.SpaceMember {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.SpaceMember, error) {
		return r.SpaceMembers(ctx, space)
	})
}

// held returns the archetypes a member holds, in ascending order.
func (f *fixture) held(space chat.SpaceID, a *chat.Account) []chat.ArchetypeID {
	f.t.Helper()
	ids := query(f, func(ctx context.Context, r store.Reader) ([]chat.ArchetypeID, error) {
		return r.HeldArchetypes(ctx, space, a.ID)
	})
	slices.Sort(ids)
	return ids
}

func testSpaceRoundTrip(f *fixture) {
	owner, heir := f.account(), f.account()
	want := &chat.Space{
		ID: chat.SpaceID(f.id()), MadeBy: chat.SurfaceArgon, Name: "Lab", Description: "of things", Owner: owner.ID,
		InviteCode: "abc", CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	f.complete(want, "MemberCount")
	insert := func(s *chat.Space) func(context.Context, store.Tx) error {
		return func(ctx context.Context, tx store.Tx) error { return tx.InsertSpace(ctx, s) }
	}
	f.update(insert(want))
	f.same("space", f.space(want.ID), want)
	missing(f, "space", func(ctx context.Context, r store.Reader) (*chat.Space, error) { return r.Space(ctx, absent) })

	twin := *want
	twin.ID = chat.SpaceID(f.id())
	f.refuse(store.ErrConflict, insert(&twin))

	changed := chat.Space{
		ID: want.ID, MadeBy: chat.SurfaceOpenCord, Name: "Club", Owner: heir.ID, InviteCode: "xyz",
		MemberCount: 99, CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.UpdateSpace(ctx, &changed) })
	changed.MadeBy, changed.MemberCount, changed.CreatedAt = want.MadeBy, 0, want.CreatedAt
	f.same("updated space", f.space(want.ID), &changed)

	f.update(insert(&twin)) // its code is free since the update
	twin.InviteCode = changed.InviteCode
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error { return tx.UpdateSpace(ctx, &twin) })
}

func testSpaceMembers(f *fixture) {
	a, b, c := f.account(), f.account(), f.account()
	one, two := f.community(a, c), f.community(a)
	// Joined at the same instant, in an order that neither ids nor times tell.
	at := f.now()
	second := chat.SpaceMember{Space: two.Space.ID, Account: c.ID, Grants: 1 << 63, JoinedAt: at}
	third := chat.SpaceMember{Space: two.Space.ID, Account: b.ID, Grants: chat.EntEveryone, JoinedAt: at}
	f.complete(second)
	extra := two.archetype(chat.EntKickMember)
	another := two.archetype(chat.EntManageServer)
	for _, m := range []chat.SpaceMember{second, third} {
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.InsertSpaceMember(ctx, m, []chat.ArchetypeID{another.ID, extra.ID})
		})
		two.Space.MemberCount++
	}

	member := func(a *chat.Account) func(context.Context, store.Reader) (*chat.SpaceMember, error) {
		return func(ctx context.Context, r store.Reader) (*chat.SpaceMember, error) {
			return r.SpaceMember(ctx, two.Space.ID, a.ID)
		}
	}
	f.same("membership", query(f, member(c)), &second)
	f.same("members in the order they joined", f.members(two.Space.ID)[1:], []chat.SpaceMember{second, third})
	f.same("held", f.held(two.Space.ID, c), []chat.ArchetypeID{extra.ID, another.ID})
	f.same("space of three", f.space(two.Space.ID), two.Space)
	f.same("spaces of c", f.spacesOf(c), []*chat.Space{one.Space, two.Space})
	for _, test := range []struct {
		account *chat.Account
		want    int
	}{{a, 2}, {b, 1}, {f.account(), 0}} {
		f.same("space count", query(f, func(ctx context.Context, r store.Reader) (int, error) {
			return r.SpaceCount(ctx, test.account.ID)
		}), test.want)
	}
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error {
		return tx.InsertSpaceMember(ctx, second, nil)
	})

	second.Grants = chat.EntKickMember | 1<<63
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetSpaceMember(ctx, second, []chat.ArchetypeID{extra.ID})
	})
	f.same("changed membership", query(f, member(c)), &second)
	f.same("held after the change", f.held(two.Space.ID, c), []chat.ArchetypeID{extra.ID})
	f.same("held by another", f.held(two.Space.ID, b), []chat.ArchetypeID{extra.ID, another.ID})

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteSpaceMember(ctx, two.Space.ID, c.ID) })
	two.Space.MemberCount--
	missing(f, "membership that ended", member(c))
	f.same("held after leaving", f.held(two.Space.ID, c), []chat.ArchetypeID(nil))
	f.same("space of two", f.space(two.Space.ID), two.Space)
	f.same("spaces of c", f.spacesOf(c), []*chat.Space{one.Space})

	// Who comes back is the latest to have joined.
	two.join(c, chat.EntEveryone)
	list := f.members(two.Space.ID)
	if got := list[len(list)-1].Account; got != c.ID {
		f.t.Errorf("last member: got %d, want %d", got, c.ID)
	}
	f.same("held after coming back", f.held(two.Space.ID, c), []chat.ArchetypeID(nil))
}

// Twenty joins at once: one is stored and the count rises by one; then different
// accounts at once: each counts.
func testMembershipRace(f *fixture) {
	owner, list := f.account(), f.accounts(20)
	c := f.community(owner)
	join := func(a *chat.Account) error {
		m := chat.SpaceMember{Space: c.Space.ID, Account: a.ID, Grants: chat.EntEveryone, JoinedAt: f.now()}
		return f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.InsertSpaceMember(ctx, m, nil)
		})
	}
	f.oneWinner(race(20, func(int) error { return join(list[0]) }), store.ErrConflict)
	if err := errors.Join(race(19, func(i int) error { return join(list[i+1]) })...); err != nil {
		f.t.Errorf("different accounts join at once: %v", err)
	}
	c.Space.MemberCount = 21
	f.same("space", f.space(c.Space.ID), c.Space)
	f.same("members", len(f.members(c.Space.ID)), 21)
}

func testArchetypes(f *fixture) {
	c, other := f.community(f.account()), f.community(f.account())
	all := chat.Archetype{
		ID: chat.ArchetypeID(f.id()), Space: c.Space.ID, Name: "all", Grants: chat.EntAll,
		Default: true, Hidden: true, Locked: true,
	}
	f.complete(all)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertArchetype(ctx, all) })
	third := c.archetype(1 << 63)
	list := func(c *community) []chat.Archetype {
		return query(f, func(ctx context.Context, r store.Reader) ([]chat.Archetype, error) {
			return r.Archetypes(ctx, c.Space.ID)
		})
	}
	f.same("archetypes", list(c), []chat.Archetype{c.Everyone, all, third})
	f.same("another space's", list(other), []chat.Archetype{other.Everyone})
}

// overwrites returns the overwrites of a channel by holder.
func (f *fixture) overwrites(channel chat.ConversationID) []chat.Overwrite {
	f.t.Helper()
	list := query(f, func(ctx context.Context, r store.Reader) ([]chat.Overwrite, error) {
		return r.Overwrites(ctx, channel)
	})
	slices.SortFunc(list, byHolder)
	return list
}

func byHolder(a, b chat.Overwrite) int {
	if a.Archetype != b.Archetype {
		return int(a.Archetype - b.Archetype)
	}
	return int(a.Account - b.Account)
}

func testOverwrites(f *fixture) {
	owner, m := f.account(), f.account()
	c := f.community(owner, m)
	other := c.channel(1)
	marked := func(want bool) {
		f.t.Helper()
		if got := f.conversation(c.Channel.ID); got.Overwritten != want {
			f.t.Errorf("overwritten: got %t, want %t", got.Overwritten, want)
		}
	}
	marked(false)

	forAll := chat.Overwrite{Channel: c.Channel.ID, Archetype: c.Everyone.ID, Deny: chat.EntAll}
	forOne := chat.Overwrite{Channel: c.Channel.ID, Account: m.ID, Allow: 1<<63 | 1}
	f.overwrite(forAll)
	marked(true)
	f.overwrite(forOne)
	f.same("overwrites", f.overwrites(c.Channel.ID), []chat.Overwrite{forOne, forAll})
	f.same("overwrites of another channel", f.overwrites(other.ID), []chat.Overwrite(nil))

	forAll.Allow, forAll.Deny = chat.EntSpeak, chat.EntSendMessages
	f.overwrite(forAll)
	f.same("replaced", f.overwrites(c.Channel.ID), []chat.Overwrite{forOne, forAll})

	// A member takes its own overwrites along, in every channel.
	f.overwrite(chat.Overwrite{Channel: other.ID, Account: m.ID, Deny: chat.EntSpeak})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteSpaceMember(ctx, c.Space.ID, m.ID) })
	f.same("after the member left", f.overwrites(c.Channel.ID), []chat.Overwrite{forAll})
	f.same("in the other channel", f.overwrites(other.ID), []chat.Overwrite(nil))
	if f.conversation(other.ID).Overwritten {
		f.t.Error("the other channel is still marked as overwritten")
	}
	marked(true)

	f.overwrite(chat.Overwrite{Channel: c.Channel.ID, Archetype: c.Everyone.ID})
	f.same("removed", f.overwrites(c.Channel.ID), []chat.Overwrite(nil))
	marked(false)
	f.overwrite(chat.Overwrite{Channel: c.Channel.ID, Archetype: c.Everyone.ID}) // nothing there: nothing happens
	marked(false)
}

// A deleted space and everything below is unknown at once; another space is not
// touched and the invite code is free.
func testSpaceDelete(f *fixture) {
	owner, m := f.account(), f.account()
	c, other := f.community(owner, m), f.community(owner, m)
	held := c.archetype(chat.EntKickMember)
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetSpaceMember(ctx, f.members(c.Space.ID)[1], []chat.ArchetypeID{held.ID})
	})
	f.overwrite(chat.Overwrite{Channel: c.Channel.ID, Archetype: c.Everyone.ID, Deny: chat.EntSpeak})
	message := f.say(owner, c.Channel.ID, "hello")
	kept := f.say(owner, other.Channel.ID, "hello")

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteSpace(ctx, c.Space.ID, f.now()) })

	missing(f, "space", func(ctx context.Context, r store.Reader) (*chat.Space, error) { return r.Space(ctx, c.Space.ID) })
	missing(f, "membership", func(ctx context.Context, r store.Reader) (*chat.SpaceMember, error) {
		return r.SpaceMember(ctx, c.Space.ID, m.ID)
	})
	f.unknownChannel(c.Channel.ID, message)
	f.same("members", f.members(c.Space.ID), []chat.SpaceMember(nil))
	f.same("held", f.held(c.Space.ID, m), []chat.ArchetypeID(nil))
	f.same("spaces of a member", f.spacesOf(m), []*chat.Space{other.Space})
	f.same("space count", query(f, func(ctx context.Context, r store.Reader) (int, error) { return r.SpaceCount(ctx, m.ID) }), 1)
	f.same("archetypes", query(f, func(ctx context.Context, r store.Reader) ([]chat.Archetype, error) {
		return r.Archetypes(ctx, c.Space.ID)
	}), []chat.Archetype(nil))
	f.same("channels", f.channels(c.Space.ID), []chat.Channel(nil))

	f.same("another space", f.space(other.Space.ID), other.Space)
	f.same("its channels", f.channels(other.Space.ID), []chat.Channel{*other.Channel})
	f.same("its messages", f.history(other.Channel.ID), []chat.Message{*kept})

	heir := *c.Space
	heir.ID, heir.MemberCount = chat.SpaceID(f.id()), 0
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertSpace(ctx, &heir) })
	f.same("new space with the same code", f.space(heir.ID), &heir)
}
