package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"parley/internal/chat"
	"parley/internal/store"
)

// testWriteOrder lets fifty writers on two stores do everything that may leave a
// hole: batches that store, that break a unique key, that write nothing, and
// transactions that are undone after drawing ids. Afterwards numbers have no
// holes, times rise, ids follow numbers; meanwhile nobody ever sees a change
// appear below one already seen.
func testWriteOrder(f *fixture) {
	const writers, rounds, batchSize = 50, 14, 5
	list := f.accounts(8)
	c := f.community(list[0], list[1:]...)
	targets := []store.SendKey{{Conversation: c.Channel.ID}, {Conversation: c.channel(1).ID}, {Conversation: f.group(list...).ID}}
	for _, peer := range list {
		targets = append(targets, store.SendKey{Peer: peer.ID})
	}
	f.deliver(f.store, f.text(store.SendKey{Author: list[0].ID, Conversation: c.Channel.ID, ClientID: "taken"}, "first"))
	var stored, spoiled, undone atomic.Int64
	stored.Add(1)

	writer := func(s store.Store, seed uint64) error {
		rng := rand.New(rand.NewPCG(7, seed))
		ctx := f.t.Context()
		for range rounds {
			posts := make([]post, 1+rng.IntN(batchSize))
			for i := range posts {
				author := list[rng.IntN(len(list))].ID
				key := targets[rng.IntN(len(targets))]
				for key.Peer == author {
					key = targets[rng.IntN(len(targets))]
				}
				key.Author = author
				posts[i] = f.text(key, "x")
			}
			switch rng.IntN(6) {
			case 0: // the last message takes a key that is taken, after all others were written
				b, _ := batch(posts)
				rules := b.Decide
				b.Decide = func(facts *store.SendFacts) store.Writes {
					w := rules(facts)
					last := w.Messages[len(w.Messages)-1]
					last.Author, last.ClientID = list[0].ID, "taken"
					return w
				}
				if err := s.Send(ctx, b); !errors.Is(err, store.ErrConflict) {
					return fmt.Errorf("spoiled batch: got error %w, want %w", err, store.ErrConflict)
				}
				spoiled.Add(1)
			case 1: // decides against all of it
				b, _ := batch(posts)
				b.Decide = func(*store.SendFacts) store.Writes { return store.Writes{} }
				if err := s.Send(ctx, b); err != nil {
					return err
				}
			case 2: // draws ids, writes, and is undone
				err := s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
					id, err := tx.NextID(ctx, 3)
					if err != nil {
						return err
					}
					event := chat.Event{Position: chat.Position(id), Kind: chat.EventSpaceUpdated, At: f.now()}
					return errors.Join(tx.AppendEvents(ctx, []chat.Event{event}), errUndo)
				})
				if !errors.Is(err, errUndo) {
					return fmt.Errorf("undone update: %w", err)
				}
				undone.Add(1)
			default:
				results, err := send(ctx, s, posts...)
				if err != nil {
					return err
				}
				for _, r := range results {
					if r.message == nil || r.replayed {
						return fmt.Errorf("a send was refused or replayed: %+v", r)
					}
				}
				stored.Add(int64(len(results)))
			}
		}
		return nil
	}
	stores := []store.Store{f.store, f.second()}
	var wait sync.WaitGroup
	ctx, stop := context.WithCancel(f.t.Context())
	defer stop()
	var met []chat.Position
	wait.Go(func() { met = f.watch(ctx) })
	for i, err := range race(writers, func(i int) error { return writer(stores[i%2], uint64(i)) }) {
		if err != nil {
			f.t.Errorf("writer %d: %v", i, err)
		}
	}
	stop()
	wait.Wait()
	f.t.Logf("%d messages stored, %d batches spoiled, %d updates undone", stored.Load(), spoiled.Load(), undone.Load())

	var all []chat.Position
	for _, e := range f.tail(0) {
		all = append(all, e.Position)
	}
	f.same("changes that a stream met", met, all)
	byConversation := f.numbered()
	total := 0
	for id, messages := range byConversation {
		total += len(messages)
		last := messages[len(messages)-1]
		got := f.conversation(id)
		f.same("last number and time", []any{got.LastSeq, got.LastAt}, []any{last.Seq, last.CreatedAt})
	}
	if total != int(stored.Load()) {
		f.t.Errorf("messages: got %d, want %d", total, stored.Load())
	}
	for _, table := range []string{"conversations", "events"} {
		want := map[string]int{"conversations": len(byConversation), "events": len(byConversation) - 3}[table]
		if n := f.raw("SELECT count(*) FROM " + table); n != want {
			f.t.Errorf("rows in %s: got %d, want %d", table, n, want)
		}
	}
}

// watch follows the changes from position to position, as a stream does, until
// ctx ends, and returns what it met. A change that appears below one already
// met is not among it.
func (f *fixture) watch(ctx context.Context) (met []chat.Position) {
	last := chat.Position(0)
	for over := false; !over; {
		over = ctx.Err() != nil // then one more look
		for _, e := range f.tail(last) {
			last = e.Position
			met = append(met, last)
		}
	}
	return met
}

// tail reads all changes after a position on one snapshot, for goroutines that
// must not end the test.
func (f *fixture) tail(after chat.Position) []chat.Event {
	list, err := ask(f, func(ctx context.Context, r store.Reader) ([]chat.Event, error) {
		return r.Changes(ctx, after, 1<<20)
	})
	if err != nil {
		f.t.Errorf("changes: %v", err)
	}
	return list
}

// numbered returns all messages by conversation, checked: numbers from 1 without
// a hole, in the order of ids, at times that rise strictly.
func (f *fixture) numbered() map[chat.ConversationID][]*chat.Message {
	f.t.Helper()
	by := make(map[chat.ConversationID][]*chat.Message)
	position := chat.Position(0)
	for _, e := range f.tail(0) {
		if e.Position <= position {
			f.t.Errorf("position %d follows %d", e.Position, position)
		}
		position = e.Position
		m := e.Message
		if e.Kind != chat.EventMessageCreated {
			continue
		}
		list := by[m.Conversation]
		if m.Seq != int64(len(list)+1) {
			f.t.Fatalf("conversation %d: message %d has number %d, want %d", m.Conversation, m.ID, m.Seq, len(list)+1)
		}
		if len(list) > 0 && !m.CreatedAt.After(list[len(list)-1].CreatedAt) {
			f.t.Errorf("conversation %d: the time of number %d does not rise", m.Conversation, m.Seq)
		}
		by[m.Conversation] = append(list, m)
	}
	return by
}

// Many writers send the same author's ids, half of them elsewhere: each id is one
// message and every writer learns of that one.
func testReplayRace(f *fixture) {
	const writers, names = 20, 10
	author := f.account()
	c := f.community(author)
	targets := []chat.ConversationID{c.Channel.ID, c.channel(1).ID}
	stores := []store.Store{f.store, f.second()}
	var replays atomic.Int64
	for name := range names {
		got := make([]chat.MessageID, writers)
		for i, err := range race(writers, func(i int) error {
			key := store.SendKey{Author: author.ID, Conversation: targets[i/2%2], ClientID: fmt.Sprint(name)}
			for range 3 {
				results, err := send(f.t.Context(), stores[i%2], f.text(key, "x"))
				if errors.Is(err, store.ErrConflict) {
					continue // the next run finds what took the id
				}
				if err != nil {
					return err
				}
				got[i] = results[0].message.ID
				if results[0].replayed {
					replays.Add(1)
				}
				return nil
			}
			return errors.New("still in conflict at the third run")
		}) {
			if err != nil {
				f.t.Errorf("writer %d: %v", i, err)
			}
		}
		if slices.Min(got) != slices.Max(got) {
			f.t.Errorf("name %d: got messages %v, want one", name, got)
		}
	}
	f.same("messages", f.raw("SELECT count(*) FROM messages"), names)
	f.same("replays", replays.Load(), int64(names*(writers-1)))
	f.numbered()
}

// Both sides of a pair open their conversation at once: there is one, with both
// messages in it.
func testOpenRace(f *fixture) {
	const pairs = 20
	list := f.accounts(2 * pairs)
	stores := []store.Store{f.store, f.second()}
	for i, err := range race(2*pairs, func(i int) error {
		me, peer := list[i], list[i^1]
		for range 3 {
			_, err := send(f.t.Context(), stores[i%2], f.text(store.SendKey{Author: me.ID, Peer: peer.ID}, "first"))
			if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
		return errors.New("still in conflict at the third run")
	}) {
		if err != nil {
			f.t.Errorf("side %d: %v", i, err)
		}
	}
	by := f.numbered()
	f.same("conversations", len(by), pairs)
	for id, messages := range by {
		c := f.conversation(id)
		if len(messages) != 2 || c.LastSeq != 2 || c.Initiator != messages[0].Author || !c.Established ||
			messages[1].Author != c.Peer(c.Initiator) {
			f.t.Errorf("conversation: got %+v with %d messages, want two, the second an answer", c, len(messages))
		}
	}
	f.same("events", f.raw("SELECT count(*) FROM events"), pairs)
}
