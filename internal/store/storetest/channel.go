package storetest

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) channels(space chat.SpaceID) []chat.Channel {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.Channel, error) { return r.Channels(ctx, space) })
}

func (f *fixture) conversation(id chat.ConversationID) *chat.Conversation {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*chat.Conversation, error) { return r.Conversation(ctx, id) })
}

// unknownChannel asserts that a deleted channel and a message of it are found nowhere.
func (f *fixture) unknownChannel(id chat.ConversationID, m *chat.Message) {
	f.t.Helper()
	missing(f, "channel", func(ctx context.Context, r store.Reader) (*chat.Channel, error) { return r.Channel(ctx, id) })
	missing(f, "conversation", func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
		return r.Conversation(ctx, id)
	})
	missing(f, "message", func(ctx context.Context, r store.Reader) (*chat.Message, error) { return r.Message(ctx, m.ID) })
	f.same("history", f.history(id), []chat.Message(nil))
	f.same("overwrites", f.overwrites(id), []chat.Overwrite(nil))
	facts := f.facts(store.SendKey{Author: m.Author, Conversation: id})
	if len(facts.Conversations)+len(facts.Grants)+len(facts.Overwrites)+len(facts.Held) > 0 {
		f.t.Errorf("facts of a send to it: got %+v, want nothing but the author", facts)
	}
}

func testChannelRoundTrip(f *fixture) {
	c := f.community(f.account())
	want := chat.Channel{
		ID: chat.ConversationID(f.id()), Space: c.Space.ID, Name: "general", Topic: "all", Type: chat.ChannelAnnouncement,
		Position: -3, CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	f.complete(want)
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.InsertChannel(ctx, &want) })
	one := func() *chat.Channel {
		f.t.Helper()
		return query(f, func(ctx context.Context, r store.Reader) (*chat.Channel, error) { return r.Channel(ctx, want.ID) })
	}
	f.same("channel", one(), &want)
	f.same("its conversation", f.conversation(want.ID), &chat.Conversation{
		ID: want.ID, Kind: chat.ConversationChannel, Space: c.Space.ID, CreatedAt: want.CreatedAt,
	})
	missing(f, "channel", func(ctx context.Context, r store.Reader) (*chat.Channel, error) { return r.Channel(ctx, absent) })
	direct := f.direct(f.account(), f.account())
	missing(f, "channel by the id of a direct conversation", func(ctx context.Context, r store.Reader) (*chat.Channel, error) {
		return r.Channel(ctx, direct.ID)
	})

	// By position, then in the order they were made.
	last, tie := c.channel(7), c.channel(0)
	f.same("channels", f.channels(c.Space.ID), []chat.Channel{want, *c.Channel, *tie, *last})

	changed := want
	changed.Name, changed.Topic, changed.Position, changed.UpdatedAt = "news", "", 9, f.now()
	f.update(func(ctx context.Context, tx store.Tx) error {
		ignored := changed
		ignored.Type, ignored.CreatedAt, ignored.Space = chat.ChannelVoice, f.now(), absent
		return tx.UpdateChannel(ctx, &ignored)
	})
	want = changed
	f.same("updated channel", one(), &want)
	f.same("channels", f.channels(c.Space.ID), []chat.Channel{*c.Channel, *tie, *last, want})
}

func testChannelDelete(f *fixture) {
	owner := f.account()
	c := f.community(owner)
	gone := c.channel(1)
	f.overwrite(chat.Overwrite{Channel: gone.ID, Archetype: c.Everyone.ID, Deny: chat.EntSpeak})
	message, kept := f.say(owner, gone.ID, "hello"), f.say(owner, c.Channel.ID, "hello")
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.DeleteChannel(ctx, gone.ID, f.now()) })
	f.unknownChannel(gone.ID, message)
	f.same("channels", f.channels(c.Space.ID), []chat.Channel{*c.Channel})
	f.same("messages of another channel", f.history(c.Channel.ID), []chat.Message{*kept})
	f.same("space", f.space(c.Space.ID), c.Space)
}

// PurgeDeleted removes what deleting left, in bounded steps, and nothing else.
func testPurge(f *fixture) {
	owner := f.account()
	c, doomed := f.community(owner), f.community(owner)
	single := c.channel(1)
	doomed.channel(1) // one without messages
	for range 7 {
		f.say(owner, single.ID, "going")
		f.say(owner, doomed.Channel.ID, "going")
	}
	edited := f.say(owner, single.ID, "before")
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.EditMessage(ctx, edited.ID, "after", f.now()) })
	f.overwrite(chat.Overwrite{Channel: single.ID, Archetype: c.Everyone.ID, Deny: chat.EntSpeak})
	kept := f.say(owner, c.Channel.ID, "staying")
	purge := func() (n int) {
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.PurgeDeleted(ctx, 4)
			return err
		})
		return n
	}
	if got := purge(); got != 0 {
		f.t.Errorf("purged while nothing was deleted: got %d, want 0", got)
	}

	f.update(func(ctx context.Context, tx store.Tx) error {
		return errors.Join(tx.DeleteChannel(ctx, single.ID, f.now()), tx.DeleteSpace(ctx, doomed.Space.ID, f.now()))
	})
	const doomedMessages, steps = 15, 100
	before := f.raw("SELECT count(*) FROM messages")
	for i := 0; ; i++ {
		n := purge()
		after := f.raw("SELECT count(*) FROM messages")
		if before-after > 4 {
			f.t.Errorf("one step removed %d messages, limit 4", before-after)
		}
		before = after
		if n == 0 {
			break
		}
		if i == steps {
			f.t.Fatalf("purging %d messages has not ended after %d steps", doomedMessages, steps)
		}
	}

	f.same("messages left", before, 1)
	f.same("what stays", f.history(c.Channel.ID), []chat.Message{*kept})
	for _, table := range []string{"conversations", "channels"} {
		if n := f.raw("SELECT count(*) FROM " + table); n != 1 {
			f.t.Errorf("rows left in %s: got %d, want 1", table, n)
		}
	}
	for _, table := range []string{"revisions", "overwrites"} {
		if n := f.raw("SELECT count(*) FROM " + table); n != 0 {
			f.t.Errorf("rows left in %s: got %d, want 0", table, n)
		}
	}
}
