package storetest

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) listings(who *chat.Account, offset, limit int) []store.Listing {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]store.Listing, error) {
		return r.Listings(ctx, who.ID, offset, limit)
	})
}

func listed(list []store.Listing) []chat.ConversationID {
	out := make([]chat.ConversationID, len(list))
	for i := range list {
		out[i] = list[i].Conversation.ID
	}
	return out
}

func (f *fixture) hideAll(c chat.ConversationID, who *chat.Account, through int64) {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.HideConversation(ctx, store.Seat{Conversation: c, Account: who.ID}, through)
	})
}

// The list goes by the newest message that the account itself sees; empty direct
// conversations are not in it, empty groups come last.
func testListings(f *fixture) {
	me, a, b := f.account(), f.account(), f.account()
	one, two, group := f.direct(me, a), f.direct(me, b), f.group(a, me)
	empty, emptier := f.group(me, b), f.group(b, me)
	f.direct(me, f.account()) // without messages
	f.group(a, b)             // another's
	f.say(a, one.ID, "first")
	shown := f.say(me, group.ID, "second")
	last := f.say(b, two.ID, "third")

	f.same("list", listed(f.listings(me, 0, 10)), []chat.ConversationID{two.ID, group.ID, one.ID, empty.ID, emptier.ID})
	f.same("a page", listed(f.listings(me, 1, 2)), []chat.ConversationID{group.ID, one.ID})
	f.same("beyond", f.listings(me, 5, 2), []store.Listing(nil))
	want := store.Listing{Conversation: *f.conversation(two.ID), Member: *f.member(two.ID, me), Last: last}
	f.same("whole", f.listings(me, 0, 1), []store.Listing{want})

	// A message that the account hid is not its last one.
	f.hide(me, last, f.now())
	f.same("list after hiding a message", listed(f.listings(me, 0, 3)), []chat.ConversationID{group.ID, one.ID, two.ID})
	f.same("no last message", f.listings(me, 2, 1)[0].Last, (*chat.Message)(nil))
	f.same("the other side's last", f.listings(b, 0, 1)[0].Last, last)

	// A conversation that it hid is gone until something new is written.
	f.hideAll(group.ID, me, shown.Seq)
	f.hideAll(empty.ID, me, -1)
	f.same("list after hiding", listed(f.listings(me, 0, 10)), []chat.ConversationID{one.ID, two.ID, emptier.ID})
	f.same("hidden for the one only", listed(f.listings(a, 0, 1)), []chat.ConversationID{group.ID})
	newer := f.say(a, group.ID, "fourth")
	f.say(b, empty.ID, "fifth")
	f.same("list after news", listed(f.listings(me, 0, 10)), []chat.ConversationID{empty.ID, group.ID, one.ID, two.ID, emptier.ID})
	f.same("last of what came back", f.listings(me, 1, 1)[0].Last, newer)

	// Whoever left does not list it.
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.EndMember(ctx, chat.Member{Conversation: group.ID, Account: me.ID, LeftSeq: 2, LeftAt: f.now()})
	})
	f.same("list after leaving", listed(f.listings(me, 0, 10)), []chat.ConversationID{empty.ID, one.ID, two.ID, emptier.ID})
}

// Only what a member may see and has not read counts.
func testUnread(f *fixture) {
	me, a := f.account(), f.account()
	direct, group, quiet := f.direct(me, a), f.group(a, me), f.group(a, me)
	unread := func(who *chat.Account) map[chat.ConversationID]store.Unread {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) (map[chat.ConversationID]store.Unread, error) {
			return r.Unread(ctx, who.ID, []chat.ConversationID{direct.ID, group.ID, quiet.ID, absent})
		})
	}
	f.same("nothing", unread(me), map[chat.ConversationID]store.Unread{})
	var list []*chat.Message
	for range 4 {
		list = append(list, f.say(a, direct.ID, "hello"))
		f.say(a, group.ID, "hello all")
	}
	f.say(me, direct.ID, "own ones never count")
	f.same("all", unread(me), map[chat.ConversationID]store.Unread{
		direct.ID: {Count: 4, Oldest: 1, Newest: 4}, group.ID: {Count: 4, Oldest: 1, Newest: 4},
	})
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Acknowledge(ctx, me.ID, list[1].ID, f.now())
		return err
	})
	f.same("delivered is not read", unread(me)[direct.ID], store.Unread{Count: 4, Oldest: 1, Newest: 4})
	f.read(me, list[0], f.now())
	f.hide(me, list[3], f.now())
	f.same("without the read and the hidden", unread(me)[direct.ID], store.Unread{Count: 2, Oldest: 2, Newest: 3})
	f.hideAll(direct.ID, me, 2)
	f.same("above the hide point", unread(me)[direct.ID], store.Unread{Count: 1, Oldest: 3, Newest: 3})
	f.same("what is hidden is offered all the same", f.pending(me, list[1].ID, 1)[0].Seq, int64(2))
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetMember(ctx, chat.Member{Conversation: group.ID, Account: me.ID, Role: chat.RoleMember, JoinedSeq: 4, JoinedAt: f.now()})
	})
	f.same("from the join point", unread(me)[group.ID], store.Unread{Count: 1, Oldest: 4, Newest: 4})
	f.same("of the other side", unread(a), map[chat.ConversationID]store.Unread{direct.ID: {Count: 1, Oldest: 5, Newest: 5}})
}

// Reading through a number moves everything below it, in that conversation only,
// and says who is to be told what.
func testReadThrough(f *fixture) {
	me, a, b := f.account(), f.account(), f.account()
	c, other := f.group(me, a, b), f.group(me, a)
	one, two, three := f.say(a, c.ID, "1"), f.say(b, c.ID, "2"), f.say(a, c.ID, "3")
	hidden, beyond := f.say(b, c.ID, "4"), f.say(a, c.ID, "5")
	elsewhere := f.say(a, other.ID, "elsewhere")
	f.hide(me, hidden, f.now())
	earlier, at := f.now(), f.now()
	f.update(func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Deliver(ctx, me.ID, []chat.MessageID{two.ID}, earlier)
		return err
	})
	through := func(n int64, wantPending int, want ...store.Reading) {
		f.t.Helper()
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, pending, err := tx.ReadThrough(ctx, store.Seat{Conversation: c.ID, Account: me.ID}, n, at)
			f.same("marks", got, want)
			f.same("pending before", pending, wantPending)
			return err
		})
	}
	mark := func(m *chat.Message) store.Reading {
		return store.Reading{Author: m.Author, ReadMark: chat.ReadMark{Message: m.ID, Seq: m.Seq}}
	}
	through(0, 0)
	through(4, 2, mark(three), mark(two))
	through(4, 0)
	f.same("read while stored", f.envelope(one, me), &chat.Envelope{
		Message: one.ID, Recipient: me.ID, Conversation: c.ID, Seq: 1, State: chat.EnvelopeRead, DeliveredAt: at, ReadAt: at,
	})
	f.same("read after delivery", f.envelope(two, me).DeliveredAt, earlier)
	f.same("offered", f.pending(me, 0, 10), []chat.Message{*beyond, *elsewhere})
	f.same("another recipient's", f.envelope(one, b).State, chat.EnvelopeStored)
}

// Several groups are read at once; what is no group is not among them.
func testGroups(f *fixture) {
	a, b := f.account(), f.account()
	one, two, direct := f.group(a, b), f.group(a), f.direct(a, b)
	read := func(ids ...chat.ConversationID) map[chat.ConversationID]*chat.Group {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) (map[chat.ConversationID]*chat.Group, error) {
			return r.Groups(ctx, ids)
		})
	}
	f.same("none asked", read(), map[chat.ConversationID]*chat.Group{})
	f.same("groups", read(two.ID, one.ID, direct.ID, absent, one.ID), map[chat.ConversationID]*chat.Group{
		one.ID: f.readGroup(one.ID), two.ID: f.readGroup(two.ID),
	})
	f.same("members", read(one.ID)[one.ID].Members, 2)
}

// A message that goes with another change is stored as any other.
func testWrite(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	hook := f.hook(b.ID)
	c := f.group(a, b, d)
	at := f.now()
	var want chat.Message
	f.update(func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 2)
		if err != nil {
			return err
		}
		conv, err := tx.Conversation(ctx, c.ID)
		if err != nil {
			return err
		}
		conv.LastSeq, conv.LastAt = 1, at
		want = chat.Message{
			ID: chat.MessageID(n), Conversation: c.ID, Seq: 1, Author: a.ID, ClientID: "own", Kind: chat.MessageSystem,
			Text: "text", Data: []byte(`{"event":"x"}`), Metadata: []byte(`{"m":1}`), Attachment: 7,
			Signature: signature(), CreatedAt: at,
		}
		event := chat.Event{Position: chat.Position(n + 1), Kind: chat.EventGroupUpdated, At: at, Conversation: c.ID}
		return tx.Write(ctx, &store.Writes{
			Moved: []*chat.Conversation{conv}, Messages: []*chat.Message{&want}, At: at,
			Envelopes: []chat.Envelope{
				{Message: want.ID, Recipient: b.ID, Conversation: c.ID, Seq: 1},
				{Message: want.ID, Recipient: d.ID, Conversation: c.ID, Seq: 1},
				{Message: want.ID, Recipient: a.ID, Conversation: c.ID, Seq: 1, State: chat.EnvelopeDelivered},
			},
			Contacts: []store.Edge{{Owner: a.ID, Target: b.ID}}, Events: []chat.Event{event},
			Deliveries: []chat.Delivery{{Hook: hook.ID, Account: b.ID, Event: event, NextAt: at, CreatedAt: at}},
		})
	})
	f.complete(&want, "EditedAt", "RetractedAt")
	f.same("message", f.message(want.ID), &want)
	f.same("conversation", []any{f.conversation(c.ID).LastSeq, f.conversation(c.ID).LastAt}, []any{int64(1), at})
	f.same("offered", f.pending(b, 0, 10), []chat.Message{want})
	f.same("offered to the other", f.pending(d, 0, 10), []chat.Message{want})
	f.same("state of the third", f.envelope(&want, a).State, chat.EnvelopeDelivered)
	f.same("contact", f.facts(store.SendKey{Author: a.ID, Peer: b.ID}).Contacts, edges(a, b))
	f.same("queued", f.nextDelivery(), at)
	changes := f.changes(0, 10)
	f.same("changes", []chat.EventKind{changes[0].Kind, changes[1].Kind}, []chat.EventKind{chat.EventMessageCreated, chat.EventGroupUpdated})
	f.same("next message", f.say(b, c.ID, "more").Seq, int64(2))

	gone := *c
	gone.ID = absent
	f.refuse(store.ErrNotFound, func(ctx context.Context, tx store.Tx) error {
		return tx.Write(ctx, &store.Writes{Moved: []*chat.Conversation{&gone}})
	})
	low, high := chat.Pair(a.ID, d.ID)
	opened := &chat.Conversation{
		ID: chat.ConversationID(f.id()), Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: at,
	}
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.Write(ctx, &store.Writes{Directs: []*chat.Conversation{opened}})
	})
	f.same("a new conversation", f.conversation(opened.ID), opened)
}

// A message in a group is for those who have an envelope, and its author: who joins
// later is told of nothing from before.
func testChangesRecipients(f *fixture) {
	a, b, late := f.account(), f.account(), f.account()
	c, direct := f.group(a, b), f.direct(a, late)
	f.say(b, c.ID, "before")
	f.update(func(ctx context.Context, tx store.Tx) error {
		return tx.SetMember(ctx, chat.Member{Conversation: c.ID, Account: late.ID, Role: chat.RoleMember, JoinedSeq: 2, JoinedAt: f.now()})
	})
	f.say(b, c.ID, "after")
	f.say(late, direct.ID, "hello")
	changes := f.changes(0, 10)
	f.same("before", changes[0].Recipients, ids(b, a))
	f.same("after", changes[1].Recipients, ids(b, a, late))
	f.same("direct", changes[2].Recipients, ids(a, late))
}

// A batch learns of attachments, names, mutes and webhooks when it asks, and queues
// what it is told to.
func testSendExtras(f *fixture) {
	a, b := f.account(), f.account(func(b *chat.Account) { b.Muting, b.Hooks = true, chat.HookMessageCreated|chat.HookWake })
	file := f.attachment(f.now().Add(time.Hour))
	hook, c := f.hook(b.ID), f.group(a, b)
	mute := chat.Mute{Owner: b.ID, Kind: chat.MuteAccount, Target: int64(a.ID), Until: f.now(), CreatedAt: f.now()}
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.SetMute(ctx, mute) })
	keys := []store.SendKey{
		{Author: a.ID, Conversation: c.ID, Attachment: file.ID},
		{Author: a.ID, Conversation: c.ID, Attachment: absent},
		{Author: a.ID, Conversation: c.ID, Attachment: file.ID},
	}
	at := f.now()
	var message chat.MessageID
	check := func(facts *store.SendFacts) {
		f.same("attachments", facts.Attachments, map[chat.AttachmentID]*chat.Attachment{
			file.ID: {ID: file.ID, Uploader: file.Uploader, Conversation: file.Conversation, Peer: file.Peer, Filename: file.Filename},
		})
		f.same("names", facts.Names, map[chat.ConversationID]string{c.ID: f.readGroup(c.ID).Name})
		f.same("flags", []any{facts.Accounts[b.ID].Muting, facts.Accounts[b.ID].Hooks}, []any{true, b.Hooks})
	}
	check(f.facts(keys...))
	if got := f.facts(store.SendKey{Author: a.ID, Conversation: c.ID}).Attachments; got != nil {
		f.t.Errorf("attachments nobody named: got %v, want none", got)
	}
	err := f.store.Send(f.t.Context(), store.Batch{
		Keys: keys,
		Ask: func(*store.SendFacts) store.Questions {
			return store.Questions{Mutes: ids(b, a), Hooks: ids(b, a)}
		},
		Decide: func(facts *store.SendFacts) store.Writes {
			check(facts)
			f.same("mutes", facts.Mutes, map[chat.AccountID][]chat.Mute{b.ID: {mute}})
			f.same("hooks", facts.Hooks, map[chat.AccountID][]chat.Hook{
				b.ID: {{ID: hook.ID, Account: b.ID, Surface: hook.Surface, Events: hook.Events}},
			})
			message = chat.MessageID(facts.FirstID)
			conv := facts.Conversations[c.ID]
			conv.LastSeq, conv.LastAt = 1, at
			m := &chat.Message{
				ID: message, Conversation: c.ID, Seq: 1, Author: a.ID, Kind: chat.MessageFile, Attachment: file.ID, CreatedAt: at,
			}
			e := chat.Event{Position: m.Position(), Kind: chat.EventMessageCreated, At: at, Actor: a.ID, Conversation: c.ID, Message: m}
			return store.Writes{
				Moved: []*chat.Conversation{conv}, Messages: []*chat.Message{m},
				Deliveries: []chat.Delivery{{Hook: hook.ID, Account: b.ID, Event: e, NextAt: at, CreatedAt: at}},
			}
		},
	})
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	f.same("message", f.message(message).Attachment, file.ID)
	work := f.claim(at, 10, 10)
	if len(work) != 1 || len(work[0].Deliveries) != 1 {
		f.t.Fatalf("queued: got %+v, want one delivery", work)
	}
	d := work[0].Deliveries[0]
	f.same("delivery", []any{d.Hook, d.Account, d.NextAt, d.CreatedAt, d.Event.Message.ID}, []any{hook.ID, b.ID, at, at, message})
	f.same("event of the delivery", d.Event.Message, f.message(message))
}
