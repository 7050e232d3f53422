package storetest

import (
	"maps"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

// brief keeps what the contract promises of an account among the facts.
func brief(a *chat.Account) *chat.Account {
	return &chat.Account{
		ID: a.ID, Kind: a.Kind, MadeBy: a.MadeBy, Username: a.Username, Handle: a.Handle, DisplayName: a.DisplayName,
		State: a.State, Disabled: a.Disabled, Pause: a.Pause, Guarded: a.Guarded, ContactsOnly: a.ContactsOnly,
		Muting: a.Muting, Hooks: a.Hooks,
	}
}

func accountFacts(accounts ...*chat.Account) map[chat.AccountID]*chat.Account {
	m := make(map[chat.AccountID]*chat.Account)
	for _, a := range accounts {
		m[a.ID] = brief(a)
	}
	return m
}

func conversationFacts(list ...*chat.Conversation) map[chat.ConversationID]*chat.Conversation {
	m := make(map[chat.ConversationID]*chat.Conversation)
	for _, c := range list {
		m[c.ID] = c
	}
	return m
}

// plain brings facts into a form that can be compared: accounts in brief, and
// what has no promised order sorted.
func plain(facts *store.SendFacts) *store.SendFacts {
	p := *facts
	p.Accounts = make(map[chat.AccountID]*chat.Account)
	for id, a := range facts.Accounts {
		p.Accounts[id] = brief(a)
	}
	p.Overwrites = make(map[chat.ConversationID][]chat.Overwrite)
	for id, list := range facts.Overwrites {
		p.Overwrites[id] = slices.SortedFunc(slices.Values(list), byHolder)
	}
	p.Held = make(map[store.Seat][]chat.ArchetypeID)
	for seat, list := range facts.Held {
		p.Held[seat] = slices.Sorted(slices.Values(list))
	}
	return &p
}

// sameFacts compares what the store knows about keys with want, as a reader sees
// it and as a batch is decided on.
func (f *fixture) sameFacts(keys []store.SendKey, want *store.SendFacts) {
	f.t.Helper()
	f.same("facts for reading", plain(f.facts(keys...)), want)

	var decided *store.SendFacts
	err := f.store.Send(f.t.Context(), store.Batch{
		Keys: keys,
		Ask:  func(*store.SendFacts) store.Questions { return store.Questions{} },
		Decide: func(facts *store.SendFacts) store.Writes {
			decided = plain(facts)
			return store.Writes{}
		},
	})
	if err != nil {
		f.t.Fatalf("send a batch that writes nothing: %v", err)
	}
	if decided.FirstID <= 0 && len(keys) > 0 {
		f.t.Errorf("first id of a batch: got %d, want one drawn", decided.FirstID)
	}
	decided.FirstID = 0
	f.same("facts for deciding", decided, want)
}

func testFactsChannel(f *fixture) {
	owner, member, outsider := f.account(), f.account(), f.account(func(a *chat.Account) {
		a.Kind, a.State, a.Disabled, a.Pause = chat.KindHuman, chat.StateSuspended, true, chat.PauseFull
		a.Guarded, a.ContactsOnly, a.Muting, a.Hooks = true, true, true, chat.HookWake
	})
	c := f.community(owner, member)
	open := c.channel(1)
	x, y := c.archetype(1<<3), c.archetype(1<<4)
	seat := chat.SpaceMember{Space: c.Space.ID, Account: member.ID, Grants: 1<<63 | 1<<3}
	f.update(setMember(seat, x.ID, y.ID))
	forAll := chat.Overwrite{Channel: c.Channel.ID, Archetype: c.Everyone.ID, Allow: 1 << 62, Deny: chat.EntSendMessages}
	forX := chat.Overwrite{Channel: c.Channel.ID, Archetype: x.ID, Allow: chat.EntAll}
	forOne := chat.Overwrite{Channel: c.Channel.ID, Account: outsider.ID, Deny: 1 << 63}
	for _, o := range []chat.Overwrite{forAll, forX, forOne} {
		f.overwrite(o)
	}
	f.say(owner, open.ID, "so that it has a last number and time")
	f.block(member, owner, true) // says nothing in a channel

	want := store.NewSendFacts(0)
	want.Conversations = conversationFacts(f.conversation(c.Channel.ID), f.conversation(open.ID))
	want.Accounts = accountFacts(owner, member, outsider)
	want.Grants = map[store.Seat]chat.Entitlements{
		{Conversation: c.Channel.ID, Account: owner.ID}:  chat.EntAll,
		{Conversation: c.Channel.ID, Account: member.ID}: seat.Grants,
		{Conversation: open.ID, Account: member.ID}:      seat.Grants,
	}
	want.Overwrites[c.Channel.ID] = []chat.Overwrite{forOne, forAll, forX}
	want.Held = map[store.Seat][]chat.ArchetypeID{
		{Conversation: c.Channel.ID, Account: owner.ID}:  {c.Everyone.ID},
		{Conversation: c.Channel.ID, Account: member.ID}: {c.Everyone.ID, x.ID, y.ID},
	}
	f.sameFacts([]store.SendKey{
		{Author: owner.ID, Conversation: c.Channel.ID, ClientID: "new"},
		{Author: member.ID, Conversation: c.Channel.ID},
		{Author: outsider.ID, Conversation: c.Channel.ID},
		{Author: member.ID, Conversation: open.ID},
		{Author: member.ID, Conversation: open.ID},
		{Author: outsider.ID, Conversation: open.ID},
	}, want)
}

func testFactsDirect(f *fixture) {
	a, b, c, other := f.account(), f.account(), f.account(), f.account()
	gone := f.account(func(a *chat.Account) { a.State, a.Guarded = chat.StateDeleted, true })
	ab, bc := f.direct(a, b), f.direct(b, c)
	f.direct(a, other)
	f.say(b, ab.ID, "hello")
	f.block(a, b, true)
	f.block(b, a, true)
	f.block(c, a, true)
	f.block(a, other, true)
	f.block(b, c, true)
	f.block(b, c, false)
	f.contact(a, c, true)
	f.contact(c, b, true)
	f.contact(a, gone, true)
	f.contact(other, b, true)
	f.contact(b, a, true)
	f.contact(b, a, false)
	f.contact(b, a, false)

	want := store.NewSendFacts(0)
	want.Conversations = conversationFacts(f.conversation(ab.ID), bc)
	want.Directs = map[[2]chat.AccountID]chat.ConversationID{{a.ID, b.ID}: ab.ID, {b.ID, c.ID}: bc.ID}
	want.Accounts = accountFacts(a, b, c, gone)
	want.Blocks = edges(a, b, b, a, c, a)
	want.Contacts = edges(a, c, c, b, a, gone)
	keys := []store.SendKey{
		{Author: a.ID, Conversation: ab.ID},
		{Author: c.ID, Peer: b.ID},
		{Author: a.ID, Peer: c.ID},
		{Author: c.ID, Peer: a.ID},
		{Author: a.ID, Peer: gone.ID},
		{Author: a.ID, Peer: absent},
	}
	f.sameFacts(keys, want)

	// An outsider: who the two are and how they stand, nothing about itself with them.
	f.block(other, b, true)
	want = store.NewSendFacts(0)
	want.Conversations = conversationFacts(f.conversation(ab.ID))
	want.Accounts = accountFacts(a, b, other)
	want.Blocks = edges(a, b, b, a)
	want.Directs[[2]chat.AccountID{a.ID, b.ID}] = ab.ID
	f.sameFacts([]store.SendKey{{Author: other.ID, Conversation: ab.ID}}, want)

	// Named by the pair, from either side.
	want.Accounts = accountFacts(a, b)
	f.sameFacts([]store.SendKey{{Author: b.ID, Peer: a.ID}}, want)
	f.sameFacts([]store.SendKey{{Author: a.ID, Peer: b.ID}, {Author: b.ID, Peer: a.ID}}, want)
}

// edges makes a set of owner, target, owner, target, ...
func edges(pairs ...*chat.Account) map[store.Edge]bool {
	m := make(map[store.Edge]bool)
	for pair := range slices.Chunk(pairs, 2) {
		m[store.Edge{Owner: pair[0].ID, Target: pair[1].ID}] = true
	}
	return m
}

func testFactsGroup(f *fixture) {
	list := f.accounts(6)
	one := f.group(list[4], list[0], list[2])
	two := f.group(list[1], list[0])
	f.group(list[5], list[1])
	f.block(list[0], list[2], true) // says nothing in a group
	want := store.NewSendFacts(0)
	want.Conversations = conversationFacts(one, two)
	want.Accounts = accountFacts(list[:5]...)
	want.Members = map[chat.ConversationID][]chat.AccountID{
		one.ID: ids(list[4], list[0], list[2]), two.ID: ids(list[1], list[0]),
	}
	want.Names = map[chat.ConversationID]string{one.ID: f.readGroup(one.ID).Name, two.ID: f.readGroup(two.ID).Name}
	f.sameFacts([]store.SendKey{
		{Author: list[0].ID, Conversation: one.ID},
		{Author: list[3].ID, Conversation: one.ID}, // no member
		{Author: list[0].ID, Conversation: two.ID},
	}, want)
}

func testFactsUnknown(f *fixture) {
	a := f.account()
	f.sameFacts(nil, store.NewSendFacts(0))
	want := store.NewSendFacts(0)
	want.Accounts = accountFacts(a)
	f.sameFacts([]store.SendKey{
		{Author: a.ID, Conversation: absent, ClientID: "x"},
		{Author: a.ID, Peer: absent},
		{Author: absent, Peer: absent + 1},
		{Author: absent, Conversation: absent + 2},
	}, want)
}

// Facts of many sends are the union of the facts of each.
func testFactsMixed(f *fixture) {
	list := f.accounts(8)
	c := f.community(list[0], list[1], list[2])
	f.overwrite(chat.Overwrite{Channel: c.Channel.ID, Account: list[1].ID, Deny: 1})
	targets := []chat.ConversationID{
		c.Channel.ID, c.channel(1).ID, f.group(list[1:5]...).ID, f.group(list[0], list[7]).ID,
		f.direct(list[0], list[1]).ID, f.direct(list[2], list[1]).ID, absent,
	}
	for i, a := range list {
		f.block(a, list[(i+1)%8], true)
		f.contact(a, list[(i+3)%8], true)
	}
	var keys []store.SendKey
	want := store.NewSendFacts(0)
	add := func(key store.SendKey) {
		keys = append(keys, key)
		one := plain(f.facts(key))
		maps.Copy(want.Conversations, one.Conversations)
		maps.Copy(want.Directs, one.Directs)
		maps.Copy(want.Accounts, one.Accounts)
		maps.Copy(want.Grants, one.Grants)
		maps.Copy(want.Overwrites, one.Overwrites)
		maps.Copy(want.Held, one.Held)
		maps.Copy(want.Members, one.Members)
		maps.Copy(want.Names, one.Names)
		maps.Copy(want.Blocks, one.Blocks)
		maps.Copy(want.Contacts, one.Contacts)
		maps.Copy(want.Replays, one.Replays)
	}
	for i, a := range list {
		for j, target := range targets {
			add(store.SendKey{Author: a.ID, Conversation: target, ClientID: string(rune('a' + j%3))})
			add(store.SendKey{Author: a.ID, Peer: list[(i+j+1)%8].ID})
		}
	}
	f.sameFacts(keys, want)
	if len(want.Blocks) == 0 || len(want.Contacts) == 0 || len(want.Members) != 2 || len(want.Held) == 0 || len(want.Directs) == 0 {
		f.t.Errorf("the union lacks something: %+v", want)
	}
}
