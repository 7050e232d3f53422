package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) message(id chat.MessageID) *chat.Message {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Message, error) { return r.Message(ctx, id) })
}

func (f *fixture) history(c chat.ConversationID) []chat.Message {
	f.t.Helper()
	return f.page(store.HistoryQuery{Conversation: c, Limit: 1000})
}

func (f *fixture) page(q store.HistoryQuery) []chat.Message {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.Message, error) { return r.History(ctx, q) })
}

func (f *fixture) pending(a *chat.Account, after chat.MessageID, limit int) []chat.Message {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.Message, error) {
		return r.Pending(ctx, a.ID, after, limit)
	})
}

// A message comes back whole from everything that returns one, before and after an
// edit, which drops the signature.
func testMessageRoundTrip(f *fixture) {
	a, b := f.account(), f.account()
	c := f.direct(a, b)
	want := f.deliver(f.store, post{
		key: store.SendKey{Author: a.ID, Conversation: c.ID, ClientID: "c-1"},
		message: chat.Message{
			Kind: chat.MessageStructured, Text: "text", Data: []byte(`{ "b" : 1, "a":[ ] }`), Metadata: []byte(`{"m":null}`),
			Attachment: 7, Signature: signature(),
		},
		at: f.now(),
	})
	f.complete(want, "EditedAt", "RetractedAt")
	f.complete(want.Signature)
	key := store.SendKey{Author: a.ID, ClientID: "c-1", Conversation: c.ID}
	replay := func(what string) {
		f.t.Helper()
		f.same(what, f.facts(key).Replays, map[store.ReplayKey]*chat.Message{{Author: a.ID, ClientID: "c-1"}: want})
		got, err := send(f.t.Context(), f.store, f.text(key, "again"))
		if err != nil {
			f.t.Fatalf("%s: %v", what, err)
		}
		f.same(what+", to a batch", got, []outcome{{message: want, replayed: true}})
	}
	everywhere := func(what string, earlier ...store.Revision) {
		f.t.Helper()
		f.same(what, f.message(want.ID), want)
		f.same(what+" in the history", f.history(c.ID), []chat.Message{*want})
		f.same(what+" before a time", f.page(store.HistoryQuery{Conversation: c.ID, Before: f.now(), Limit: 1}), []chat.Message{*want})
		f.same(what+" pending", f.pending(b, 0, 10), []chat.Message{*want})
		f.same(what+" as a row", f.rows(c, b)[0].Message, *want)
		f.same(what+" in a list", f.listings(b, 0, 1)[0].Last, want)
		f.same(what+" as a change", f.changes(0, 10)[0].Message, want)
		f.same(what+" as evidence", query(f, func(ctx context.Context, r store.Reader) ([]store.Evidence, error) {
			return r.Evidence(ctx, edge(a, b), 1)
		}), []store.Evidence{{Message: *want, Earlier: earlier}})
		replay(what + " replayed")
	}
	everywhere("message")
	missing(f, "message", func(ctx context.Context, r store.Reader) (*chat.Message, error) { return r.Message(ctx, absent) })

	edited, retracted := f.now(), f.now()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EditMessage(ctx, want.ID, "new text", edited) })
	want.Text, want.EditedAt, want.Signature = "new text", edited, nil
	everywhere("edited message", store.Revision{Text: "text", Signature: signature(), ReplacedAt: edited})

	f.update(func(ctx context.Context, tx store.Tx) error { return tx.RetractMessage(ctx, want.ID, retracted) })
	want.RetractedAt = retracted
	f.complete(want, "Signature")
	f.same("retracted message", f.message(want.ID), want)
	replay("replay of a retracted message")

	plain := f.say(b, c.ID, "")
	f.same("message without anything", f.message(plain.ID), &chat.Message{
		ID: plain.ID, Conversation: c.ID, Seq: 2, Author: b.ID, Kind: chat.MessageText, CreatedAt: plain.CreatedAt,
	})
}

// Signed and unsigned messages go in one batch, and each keeps its own signature,
// with what the sender had when it sent: also no key.
func testMessageSigned(f *fixture) {
	a, b := f.account(), f.account()
	c := f.direct(a, b)
	signatures := []*chat.Signature{
		nil,
		{Value: []byte{0x30}, Scheme: chat.SignatureBound, PublicKey: "first\nkey"},
		{Value: []byte{0x30, 0, 0xff}},
		nil,
		{Value: []byte{0x31}, Scheme: chat.SignatureContent, PublicKey: "second <key> \u2028"},
	}
	var posts []post
	for range 40 { // more than one statement takes
		for _, s := range signatures {
			p := f.text(store.SendKey{Author: a.ID, Conversation: c.ID}, f.name("text"))
			p.message.Signature = s
			posts = append(posts, p)
		}
	}
	if _, err := send(f.t.Context(), f.store, posts...); err != nil {
		f.t.Fatalf("send: %v", err)
	}
	list := f.pending(b, 0, len(posts)+1)
	if len(list) != len(posts) {
		f.t.Fatalf("messages: got %d, want %d", len(list), len(posts))
	}
	for i := range list {
		f.same("signature", list[i].Signature, posts[i].message.Signature)
		f.same("text", list[i].Text, posts[i].message.Text)
	}
	f.same("how many rows hold one", f.raw(`SELECT count(*) FROM messages WHERE signature IS NOT NULL`), 40*3)
}

// A page may leave out what one account wrote, and system messages, and is filled
// from what is left.
func testHistoryWithout(f *fixture) {
	a, b := f.account(), f.account()
	c := f.group(a, b)
	var all []chat.Message // newest first
	for i := range 12 {
		p := f.text(store.SendKey{Author: []*chat.Account{a, b}[i%2].ID, Conversation: c.ID}, f.name("text"))
		if i%3 == 0 {
			p.message.Kind = chat.MessageSystem
		}
		all = append([]chat.Message{*f.deliver(f.store, p)}, all...)
	}
	f.hide(b, &all[3], f.now())
	for _, viewer := range []*chat.Account{nil, b} {
		for _, notBy := range []*chat.Account{nil, a, f.account()} {
			for _, noSystem := range []bool{false, true} {
				for _, before := range []time.Time{{}, all[4].CreatedAt} {
					q := store.HistoryQuery{Conversation: c.ID, NoSystem: noSystem, Before: before, Limit: 3}
					if viewer != nil {
						q.Viewer = viewer.ID
					}
					if notBy != nil {
						q.NotBy = notBy.ID
					}
					var want []chat.Message
					for i := range all {
						m := &all[i]
						if len(want) == q.Limit || m.Author == q.NotBy || noSystem && m.Kind == chat.MessageSystem ||
							viewer != nil && i == 3 || !before.IsZero() && !m.CreatedAt.Before(before) {
							continue
						}
						want = append(want, *m)
					}
					f.same(fmt.Sprintf("page of %+v", q), f.page(q), want)
				}
			}
		}
	}
}

func testMessageEdit(f *fixture) {
	a := f.account()
	c := f.community(a)
	m, other := f.say(a, c.Channel.ID, "one"), f.say(a, c.Channel.ID, "untouched")
	revisions := func(want int) {
		f.t.Helper()
		f.same("revisions", f.raw("SELECT count(*) FROM revisions WHERE message_id = $1", m.ID), want)
	}
	revisions(0)
	for i, text := range []string{"two", "three"} {
		at := f.now()
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.EditMessage(ctx, m.ID, text, at) })
		m.Text, m.EditedAt = text, at
		f.same("edited message", f.message(m.ID), m)
		revisions(i + 1)
	}
	f.same("first revision", f.raw("SELECT count(*) FROM revisions WHERE n = 1 AND text = 'one'"), 1)
	f.same("second revision", f.raw("SELECT count(*) FROM revisions WHERE n = 2 AND text = 'two'"), 1)
	f.same("another message", f.message(other.ID), other)
}

// A deleted message leaves a hole that no later message fills.
func testMessageDelete(f *fixture) {
	a, b, d := f.account(), f.account(), f.account()
	c := f.group(a, b, d)
	one, two, three := f.say(a, c.ID, "one"), f.say(a, c.ID, "two"), f.say(a, c.ID, "three")
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EditMessage(ctx, three.ID, "III", f.now()) })
	before := f.conversation(c.ID)
	f.update(func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.DeleteMessage(ctx, one.ID), tx.DeleteMessage(ctx, three.ID))
	})
	missing(f, "deleted message", func(ctx context.Context, r store.Reader) (*chat.Message, error) {
		return r.Message(ctx, three.ID)
	})
	f.same("history", f.history(c.ID), []chat.Message{*two})
	f.same("pending", f.pending(b, 0, 10), []chat.Message{*two})
	f.same("conversation", f.conversation(c.ID), before)
	f.same("revisions", f.raw("SELECT count(*) FROM revisions"), 0)
	f.same("envelopes", f.raw("SELECT count(*) FROM envelopes"), 2)

	if four := f.say(a, c.ID, "four"); four.Seq != 4 || !four.CreatedAt.After(three.CreatedAt) {
		f.t.Errorf("next message: got number %d at %v, want 4 after %v", four.Seq, four.CreatedAt, three.CreatedAt)
	}
}

// Retraction takes a message from those who are not guarded; who is guarded is
// still offered it.
func testMessageRetract(f *fixture) {
	author, open := f.account(), f.account()
	guarded := f.account(func(a *chat.Account) { a.Guarded = true })
	c := f.group(author, open, guarded)
	m, kept := f.say(author, c.ID, "oops"), f.say(author, c.ID, "fine")
	at := f.now()
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.RetractMessage(ctx, m.ID, at) })
	m.RetractedAt = at

	f.same("message", f.message(m.ID), m)
	f.same("history", f.history(c.ID), []chat.Message{*kept})
	f.same("offered to the open account", f.pending(open, 0, 10), []chat.Message{*kept})
	f.same("offered to the guarded one", f.pending(guarded, 0, 10), []chat.Message{*m, *kept})
	f.acknowledge(open, kept.ID, 1) // what was never offered is passed over
	f.acknowledge(guarded, kept.ID, 2)
}

// What a message may hold comes back byte for byte.
func testMessageEdges(f *fixture) {
	a := f.account()
	c := f.community(a)
	key := store.SendKey{Author: a.ID, Conversation: c.Channel.ID}
	texts := []string{
		"", " ", "\u2028\u2029\x01\x7f\r\n\t", "\ufffd", "\ufeffbom", `'"\$1{ints}%s\\`, "e\u0301 and \u00e9", "שלום 你好",
		strings.Repeat("\U0001f9ea", 4000), strings.Repeat("x", 1<<16),
	}
	documents := [][]byte{
		nil, []byte(`{}`), []byte("{\n\t\"b\": 1.0e2, \"a\": 12345678901234567890, \"a\": \"\\u00e9\\ud83e\\uddea\"  }"),
		[]byte(`{"z":"` + strings.Repeat("é", 20000) + `"}`),
	}
	var posts []post
	for i, text := range texts {
		p := f.text(key, text)
		p.message.Data, p.message.Metadata = documents[i%len(documents)], documents[(i+1)%len(documents)]
		p.key.ClientID = text[:min(len(text), 64)]
		if text == texts[8] {
			p.key.ClientID = "emoji"
		}
		posts = append(posts, p)
	}
	results, err := send(f.t.Context(), f.store, posts...)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	var keys []store.SendKey
	for i, p := range posts {
		got := f.message(results[i].message.ID)
		p.message.ID, p.message.Conversation, p.message.Seq = got.ID, c.Channel.ID, int64(i+1)
		p.message.Author, p.message.ClientID, p.message.CreatedAt = a.ID, p.key.ClientID, p.at
		f.same("message", got, &p.message)
		keys = append(keys, p.key)
	}
	for i, m := range f.facts(keys...).Replays {
		f.same("replay", m.ClientID, i.ClientID)
	}
	f.same("replays", len(f.facts(keys...).Replays), len(texts)-1) // an empty client id is none
}

// History equals an oracle for any cursor, over ties of the clock and holes.
func testHistoryOracle(f *fixture) {
	const messages = 120
	rng := rand.New(rand.NewPCG(3, 4))
	a := f.account()
	c := f.community(a)
	noise := c.channel(1)
	var posts []post
	at := epoch
	for i := range messages {
		at = at.Add(time.Duration(rng.IntN(3)) * time.Millisecond)
		to := c.Channel.ID
		if i%10 == 9 {
			to = noise.ID
		}
		p := f.text(store.SendKey{Author: a.ID, Conversation: to}, f.name("text"))
		p.at, p.exact = at, true
		posts = append(posts, p)
	}
	results, err := send(f.t.Context(), f.store, posts...)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	var all []chat.Message // newest first
	for i, r := range results {
		m := r.message
		switch {
		case m.Conversation == noise.ID:
		case i%7 == 3:
			f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteMessage(ctx, m.ID) })
		case i%7 == 5:
			f.update(func(ctx context.Context, tx store.Tx) error { return tx.RetractMessage(ctx, m.ID, f.now()) })
		default:
			all = append([]chat.Message{*m}, all...)
		}
	}
	ties := 0
	for i := range len(all) - 1 {
		if all[i].CreatedAt.Equal(all[i+1].CreatedAt) {
			ties++
		}
	}
	if ties == 0 {
		f.t.Error("no two messages of the test have the same time")
	}
	oracle := func(q store.HistoryQuery) (want []chat.Message) {
		for _, m := range all {
			if len(want) < q.Limit && (q.Before.IsZero() || m.CreatedAt.Before(q.Before)) {
				want = append(want, m)
			}
		}
		return want
	}
	cursors := []time.Time{{}, epoch.Add(-time.Nanosecond), epoch, at.Add(time.Nanosecond), at.Add(time.Hour)}
	for range 60 {
		cursors = append(cursors, epoch.Add(time.Duration(rng.Int64N(int64(at.Sub(epoch))))))         // inside a millisecond
		cursors = append(cursors, all[rng.IntN(len(all))].CreatedAt)                                  // of a message
		cursors = append(cursors, all[rng.IntN(len(all))].CreatedAt.In(time.FixedZone("east", 3600))) // shown elsewhere
	}
	for _, before := range cursors {
		q := store.HistoryQuery{Conversation: c.Channel.ID, Before: before, Limit: 1 + rng.IntN(20)}
		f.same("page before "+before.String(), f.page(q), oracle(q))
	}
}
