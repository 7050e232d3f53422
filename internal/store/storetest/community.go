package storetest

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// community is a space with its default archetype and a text channel, made the
// way the core makes one.
type community struct {
	f        *fixture
	Space    *chat.Space
	Everyone chat.Archetype
	Channel  *chat.Channel
}

// community stores a space that owner and members have joined in this order.
func (f *fixture) community(owner *chat.Account, members ...*chat.Account) *community {
	f.t.Helper()
	at := f.now()
	c := &community{f: f}
	c.Space = &chat.Space{
		MadeBy: chat.SurfaceOpenCord, Name: f.name("space"), Description: "a place", Owner: owner.ID,
		InviteCode: f.name("invite"), CreatedAt: at, UpdatedAt: at,
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 2)
		if err != nil {
			return err
		}
		c.Space.ID = chat.SpaceID(id)
		c.Everyone = chat.Archetype{
			ID: chat.ArchetypeID(id + 1), Space: c.Space.ID, Name: "everyone",
			Grants: chat.EntEveryone, Default: true,
		}
		if err := tx.InsertSpace(ctx, c.Space); err != nil {
			return err
		}
		return tx.InsertArchetype(ctx, c.Everyone)
	})
	c.join(owner, chat.EntAll)
	for _, m := range members {
		c.join(m, chat.EntEveryone)
	}
	c.Channel = c.channel(0)
	return c
}

// join makes account a member who holds the archetypes named.
func (c *community) join(account *chat.Account, grants chat.Entitlements, held ...chat.ArchetypeID) chat.SpaceMember {
	c.f.t.Helper()
	m := chat.SpaceMember{Space: c.Space.ID, Account: account.ID, Grants: grants, JoinedAt: c.f.now()}
	c.f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.InsertSpaceMember(ctx, m, held)
	})
	c.Space.MemberCount++
	return m
}

// archetype stores one more archetype.
func (c *community) archetype(grants chat.Entitlements) chat.Archetype {
	c.f.t.Helper()
	a := chat.Archetype{ID: chat.ArchetypeID(c.f.id()), Space: c.Space.ID, Name: c.f.name("archetype"), Grants: grants}
	c.f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertArchetype(ctx, a) })
	return a
}

// channel stores a text channel.
func (c *community) channel(position int) *chat.Channel {
	c.f.t.Helper()
	at := c.f.now()
	ch := &chat.Channel{
		ID: chat.ConversationID(c.f.id()), Space: c.Space.ID, Name: c.f.name("channel"), Topic: "talk",
		Type: chat.ChannelText, Position: position, CreatedAt: at, UpdatedAt: at,
	}
	c.f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertChannel(ctx, ch) })
	return ch
}

// overwrite stores an overwrite.
func (f *fixture) overwrite(o chat.Overwrite) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetOverwrite(ctx, o) })
}

// direct stores an empty direct conversation.
func (f *fixture) direct(a, b *chat.Account) *chat.Conversation {
	f.t.Helper()
	low, high := chat.Pair(a.ID, b.ID)
	c := &chat.Conversation{
		ID: chat.ConversationID(f.id()), Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: f.now(),
	}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertDirect(ctx, c) })
	return c
}

// group stores an empty group whose members joined in this order.
func (f *fixture) group(members ...*chat.Account) *chat.Conversation {
	f.t.Helper()
	at := f.now()
	g := &chat.Group{
		Conversation: chat.Conversation{ID: chat.ConversationID(f.id()), Kind: chat.ConversationGroup, CreatedAt: at},
		MadeBy:       chat.SurfaceAgentChat, Name: f.name("group"), CreatedBy: members[0].ID, ByInvitation: true,
	}
	list := make([]chat.Member, len(members))
	for i, m := range members {
		list[i] = chat.Member{Conversation: g.ID, Account: m.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: at}
	}
	list[0].Role = chat.RoleAdmin
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertGroup(ctx, g, list) })
	return &g.Conversation
}

// block and contact set one directed relation.
func (f *fixture) block(owner, target *chat.Account, on bool) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetBlock(ctx, store.Edge{Owner: owner.ID, Target: target.ID}, f.now(), on)
	})
}

func (f *fixture) contact(owner, target *chat.Account, on bool) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetContact(ctx, store.Edge{Owner: owner.ID, Target: target.ID}, f.now(), on)
	})
}

// setMember replaces what a member holds.
func setMember(m chat.SpaceMember, held ...chat.ArchetypeID) func(context.Context, store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error { return tx.SetSpaceMember(ctx, m, held) }
}
