package storetest

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// A batch stores everything it was told to: messages, a new conversation as it is
// at the end, moved ones, envelopes, contacts and events.
func testSendWrites(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	c := f.community(a)
	group, old := f.group(a, b, d), f.direct(a, d)
	posts := []post{
		f.text(store.SendKey{Author: a.ID, Peer: b.ID, ClientID: "1"}, "opens"),
		f.text(store.SendKey{Author: a.ID, Conversation: c.Channel.ID}, "to a channel"),
		f.text(store.SendKey{Author: b.ID, Peer: a.ID, ClientID: "1"}, "answers in the same batch"),
		f.text(store.SendKey{Author: b.ID, Conversation: group.ID}, "to a group"),
		f.text(store.SendKey{Author: a.ID, Conversation: absent}, "to nobody"),
		f.text(store.SendKey{Author: d.ID, Conversation: old.ID}, "to an empty one"),
		f.text(store.SendKey{Author: a.ID, Peer: b.ID, ClientID: "1"}, "replay in the same batch"),
	}
	decide, results := batch(posts)
	rules := decide.Decide
	decide.Decide = func(facts *store.SendFacts) store.Writes {
		w := rules(facts)
		w.Contacts = []store.Edge{{Owner: a.ID, Target: b.ID}, {Owner: b.ID, Target: a.ID}}
		return w
	}
	f.contact(b, a, true) // already there
	if err := f.store.Send(f.t.Context(), decide); err != nil {
		f.t.Fatalf("send: %v", err)
	}
	got := *results
	for i, want := range []int64{1, 1, 2, 1, 0, 1, 1} {
		m := got[i].message
		switch {
		case m == nil && want != 0:
			f.t.Errorf("post %d was refused", i)
		case m != nil && m.Seq != want:
			f.t.Errorf("post %d: got number %d, want %d", i, m.Seq, want)
		case m != nil:
			f.same("stored message", f.message(m.ID), m)
		}
	}
	if !got[6].replayed || got[6].message.ID != got[0].message.ID {
		f.t.Errorf("replay: got %+v, want message %d", got[6], got[0].message.ID)
	}

	opened := got[0].message
	want := &chat.Conversation{
		ID: opened.Conversation, Kind: chat.ConversationDirect, LastSeq: 2, LastAt: got[2].message.CreatedAt,
		CreatedAt: posts[0].at, Low: a.ID, High: b.ID, Initiator: a.ID, OpenedAt: opened.CreatedAt, Established: true,
	}
	f.same("new conversation", f.conversation(want.ID), want)
	f.same("of the pair", query(f, func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
		return r.DirectOf(ctx, a.ID, b.ID)
	}), want)
	f.same("members of the new conversation", f.raw(
		"SELECT count(*) FROM members WHERE conversation_id = $1 AND account_id IN ($2, $3)",
		int64(want.ID), int64(a.ID), int64(b.ID)), 2)
	old.LastSeq, old.LastAt, old.Initiator, old.OpenedAt = 1, got[5].message.CreatedAt, d.ID, got[5].message.CreatedAt
	f.same("moved conversation", f.conversation(old.ID), old)
	channel := f.conversation(c.Channel.ID)
	f.same("moved channel", []any{channel.LastSeq, channel.LastAt}, []any{int64(1), got[1].message.CreatedAt})

	f.same("pending of a", f.pending(a, 0, 10), []chat.Message{*got[2].message, *got[3].message, *got[5].message})
	f.same("pending of b", f.pending(b, 0, 10), []chat.Message{*got[0].message})
	f.same("pending of d", f.pending(d, 0, 10), []chat.Message{*got[3].message})
	f.same("contacts", f.facts(store.SendKey{Author: a.ID, Peer: b.ID}).Contacts, edges(a, b, b, a))
	changes := f.changes(0, 100)
	if len(changes) != 6 || changes[1].Kind != chat.EventDirectCreated || changes[1].Conversation != want.ID {
		f.t.Errorf("changes: got %+v, want a message, its conversation, four messages", changes)
	}
}

// The same author's id is one message for ever: later, in another conversation,
// after an edit. Another author's is another.
func testReplay(f *fixture) {
	a, b := f.account(), f.account()
	c := f.community(a, b)
	elsewhere := c.channel(1)
	key := store.SendKey{Author: a.ID, Conversation: c.Channel.ID, ClientID: "id"}
	first := f.deliver(f.store, f.text(key, "first"))
	for _, to := range []chat.ConversationID{c.Channel.ID, elsewhere.ID, absent} {
		key.Conversation = to
		got, err := send(f.t.Context(), f.store, f.text(key, "again"))
		if err != nil {
			f.t.Fatalf("send: %v", err)
		}
		f.same("replay", got, []outcome{{message: first, replayed: true}})
	}
	other := f.deliver(f.store, f.text(store.SendKey{Author: b.ID, Conversation: elsewhere.ID, ClientID: "id"}, "mine"))
	if other.ID == first.ID {
		f.t.Error("two authors share a message")
	}
	// It stays a replay when its channel is gone: the id was used.
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteChannel(ctx, c.Channel.ID, f.now()) })
	got, err := send(f.t.Context(), f.store, f.text(key, "again"))
	if err != nil || !got[0].replayed {
		f.t.Errorf("after the channel was deleted: got %+v, error %v, want a replay", got, err)
	}
}

// Counts are exact and stop at the limit; only what is asked is answered.
func testQuestions(f *fixture) {
	a, few, many, none := f.account(), f.account(), f.account(), f.account()
	c, d := f.direct(a, many), f.direct(a, few)
	var posts []post
	for range store.PendingLimit + 20 {
		posts = append(posts, f.text(store.SendKey{Author: a.ID, Conversation: c.ID}, ""))
	}
	posts = append(posts, f.text(store.SendKey{Author: a.ID, Conversation: d.ID}, ""), f.text(store.SendKey{Author: a.ID, Conversation: d.ID}, ""))
	for len(posts) > 0 {
		n := min(len(posts), 500)
		if _, err := send(f.t.Context(), f.store, posts[:n]...); err != nil {
			f.t.Fatalf("send: %v", err)
		}
		posts = posts[n:]
	}

	// Opened with guarded accounts and not answered: two count. Not those too old,
	// later answered, empty, opened by the other side, or with who is not guarded.
	guarded := func(a *chat.Account) { a.Guarded = true }
	cold, stranger := f.account(guarded), f.account()
	since := epoch.Add(24 * time.Hour)
	open := func(at time.Time, text string) *chat.Message {
		peer := f.account(guarded)
		return f.post(f.store, store.SendKey{Author: cold.ID, Peer: peer.ID}, text, at)
	}
	open(since.Add(-time.Millisecond), "too old")
	open(since.Add(2*time.Second), "counted")
	open(since, "oldest that counts")
	answered := open(since.Add(time.Second), "answered")
	peer := f.conversation(answered.Conversation).Peer(cold.ID)
	f.post(f.store, store.SendKey{Author: peer, Conversation: answered.Conversation}, "yes", since.Add(time.Hour))
	f.direct(cold, f.account(guarded))
	f.post(f.store, store.SendKey{Author: cold.ID, Peer: f.account().ID}, "not guarded", since.Add(time.Second))
	f.post(f.store, store.SendKey{Author: stranger.ID, Peer: cold.ID}, "opened by the other side", since.Add(time.Second))

	for _, q := range []store.Questions{
		{},
		{Pending: ids(many, few, none)},
		{Pending: ids(few), Cold: ids(cold, none), ColdSince: since},
		{Cold: ids(cold), ColdSince: since},
	} {
		want := struct {
			pending map[chat.AccountID]int
			cold    map[chat.AccountID]store.ColdCount
		}{map[chat.AccountID]int{}, map[chat.AccountID]store.ColdCount{}}
		for _, id := range q.Pending {
			want.pending[id] = map[chat.AccountID]int{many.ID: store.PendingLimit, few.ID: 2}[id]
		}
		for _, id := range q.Cold {
			want.cold[id] = map[chat.AccountID]store.ColdCount{cold.ID: {Count: 2, Oldest: since}}[id]
		}
		asked := 0
		err := f.store.Send(f.t.Context(), store.Batch{
			Keys: []store.SendKey{{Author: a.ID, Conversation: c.ID}},
			Ask: func(facts *store.SendFacts) store.Questions {
				if facts.Conversations[c.ID] == nil || facts.Accounts[a.ID] == nil {
					f.t.Errorf("asked before the facts were loaded: %+v", facts)
				}
				asked++
				return q
			},
			Decide: func(facts *store.SendFacts) store.Writes {
				// No row and a row of zero say the same.
				for id := range want.pending {
					facts.Pending[id] += 0
				}
				for id := range want.cold {
					facts.Cold[id] = store.ColdCount{Count: facts.Cold[id].Count, Oldest: facts.Cold[id].Oldest}
				}
				f.same("pending", facts.Pending, want.pending)
				f.same("cold", facts.Cold, want.cold)
				return store.Writes{}
			},
		})
		if err != nil || asked == 0 {
			f.t.Errorf("send: asked %d times, error %v", asked, err)
		}
	}
}

// A batch that fails at any message leaves nothing of any.
func testFailedBatch(f *fixture) {
	const size = 5
	a, b, d := f.account(), f.account(), f.account()
	c := f.community(a)
	old := f.direct(a, d)
	taken := f.deliver(f.store, f.text(store.SendKey{Author: a.ID, Conversation: c.Channel.ID, ClientID: "taken"}, "first"))
	f.say(d, old.ID, "hello")
	channel, direct := f.conversation(c.Channel.ID), f.conversation(old.ID)

	for position := range size {
		for _, spoil := range []func(m *chat.Message){
			func(m *chat.Message) { m.ClientID = "taken" },
			func(m *chat.Message) { m.ID = taken.ID },
			func(m *chat.Message) { m.Conversation, m.Seq = taken.Conversation, taken.Seq },
		} {
			posts := []post{
				f.text(store.SendKey{Author: a.ID, Peer: b.ID}, "opens"),
				f.text(store.SendKey{Author: a.ID, Conversation: c.Channel.ID}, "channel"),
				f.text(store.SendKey{Author: a.ID, Conversation: old.ID}, "answers"),
				f.text(store.SendKey{Author: a.ID, Peer: d.ID}, "again"),
				f.text(store.SendKey{Author: a.ID, Conversation: c.Channel.ID}, "last"),
			}
			spoiled, _ := batch(posts)
			rules := spoiled.Decide
			spoiled.Decide = func(facts *store.SendFacts) store.Writes {
				w := rules(facts)
				w.At, w.Contacts = f.now(), []store.Edge{{Owner: a.ID, Target: d.ID}}
				spoil(w.Messages[position])
				return w
			}
			if err := f.store.Send(f.t.Context(), spoiled); !errors.Is(err, store.ErrConflict) {
				f.t.Errorf("spoiled at %d: got error %v, want %v", position, err, store.ErrConflict)
			}
		}
	}
	missing(f, "conversation of a failed batch", func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
		return r.DirectOf(ctx, a.ID, b.ID)
	})
	f.same("channel", f.conversation(c.Channel.ID), channel)
	f.same("direct conversation", f.conversation(old.ID), direct)
	f.same("history", f.history(c.Channel.ID), []chat.Message{*taken})
	f.same("changes", len(f.changes(0, 100)), 2)
	f.same("envelopes", f.raw("SELECT count(*) FROM envelopes"), 1)
	f.same("members", f.raw("SELECT count(*) FROM members"), 2)
	f.same("contacts", f.raw("SELECT count(*) FROM contacts"), 0)
	if m := f.say(a, c.Channel.ID, "next"); m.Seq != 2 {
		f.t.Errorf("next number: got %d, want 2", m.Seq)
	}
}

// A rule that panics ends its batch and nothing else.
func testSendPanic(f *fixture) {
	a := f.account()
	channel := f.community(a).Channel.ID
	b, _ := batch([]post{f.text(store.SendKey{Author: a.ID, Conversation: channel}, "x")})
	b.Decide = func(*store.SendFacts) store.Writes { panic("on purpose") }
	for range 10 {
		func() {
			defer func() {
				if got := recover(); got != "on purpose" {
					f.t.Errorf("got panic %v, want the rule's own", got)
				}
			}()
			_ = f.store.Send(f.t.Context(), b)
		}()
	}
	if m := f.say(a, channel, "still writable"); m.Seq != 1 {
		f.t.Errorf("number: got %d, want 1", m.Seq)
	}
}

// The largest batches that the core makes: 512 messages, and 4,000 envelopes of
// one message and its neighbours.
func testLargeBatch(f *fixture) {
	const messages, members = 512, 250
	list := f.accounts(members)
	group, channel := f.group(list...), f.community(list[0]).Channel.ID
	posts := make([]post, messages)
	for i := range posts {
		posts[i] = f.text(store.SendKey{Author: list[0].ID, Conversation: channel, ClientID: f.name("client")}, "x")
		if i%32 == 0 {
			posts[i].key.Conversation = group.ID
		}
		if i%32 == 1 {
			posts[i].key.Conversation, posts[i].key.Peer = 0, list[i%members].ID
		}
	}
	results, err := send(f.t.Context(), f.store, posts...)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	for i, r := range results {
		if r.message == nil || r.replayed {
			f.t.Fatalf("message %d: got %+v, want it stored", i, r)
		}
	}
	f.same("numbers of the group", f.conversation(group.ID).LastSeq, int64(messages/32))
	f.same("envelopes", f.raw("SELECT count(*) FROM envelopes"), messages/32*(members-1)+messages/32)
	f.same("changes", len(f.changes(0, 1000)), messages+messages/32)
	f.same("replays", len(f.facts(keysOf(posts)...).Replays), messages)
}

func keysOf(posts []post) []store.SendKey {
	keys := make([]store.SendKey, len(posts))
	for i, p := range posts {
		keys[i] = p.key
	}
	return keys
}
