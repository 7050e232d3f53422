package crash_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/store"
	"parley/test/agent"
)

// finish has every agent fetch what waits for it over one socket, and acknowledge it.
func (f *fleet) finish(t *testing.T) {
	t.Helper()
	for _, a := range f.agents {
		if a.waiting != nil {
			t.Errorf("%s was never answered", a.waiting.draft.ClientID)
		}
		list := a.inbox(t)
		socket, err := a.Listen(t.Context())
		must(t, err)
		for range list {
			m, err := socket.NextMessage(t.Context())
			must(t, err)
			a.note(a.acked, *m)
			must(t, socket.Ack(t.Context(), m.ID))
		}
		// Nothing answers an acknowledgement.
		for deadline := time.Now().Add(exitLimit); len(list) > 0; list = a.inbox(t) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d messages still wait, although all were acknowledged", a.Handle, len(list))
			}
		}
		socket.Close()
	}
}

// check reads all rooms and all inboxes: what was answered is there, once, in its
// place; nothing else is, but what was on its way when the server was killed; and
// nobody misses a message.
func (f *fleet) check(t *testing.T, when string) {
	t.Helper()
	stored := make(map[*room][]agent.Message)
	there := make(map[string]bool)
	for _, r := range f.rooms {
		stored[r] = f.checkRoom(t, when, r)
		for _, m := range stored[r] {
			if there[m.ClientID] {
				t.Errorf("%s: %s: %s is there twice", when, r.name, m.ClientID)
			}
			there[m.ClientID] = true
		}
	}
	for clientID, s := range f.sent {
		if s.stored != nil && !there[clientID] {
			t.Errorf("%s: %s: %s (%s) was answered and is lost", when, s.room.name, clientID, s.stored.ID)
		}
	}
	for _, a := range f.agents {
		a.checkInbox(t, when, stored)
	}
}

// checkRoom checks what one of the members sees of a room, another one each round, and
// returns it without what belongs to the room's making: numbers without a gap, and
// every sender's messages in the order in which it sent them.
func (f *fleet) checkRoom(t *testing.T, when string, r *room) []agent.Message {
	t.Helper()
	var list []agent.Message
	var before int64
	last := make(map[*actor]int)
	for _, m := range r.history(t, r.members[f.round%len(r.members)]) {
		if before != 0 && m.Seq != before+1 {
			t.Errorf("%s: %s: number %d comes after %d", when, r.name, m.Seq, before)
		}
		before = m.Seq
		if m.Seq <= r.made {
			continue
		}
		list = append(list, m)
		s := f.sent[m.ClientID]
		if s == nil || s.room != r || s.by.Handle != m.Sender || s.draft.Content.Text != m.Content.Text {
			t.Errorf("%s: %s: %+v was never sent there", when, r.name, m)
			continue
		}
		if s.stored != nil && (s.stored.ID != m.ID || s.stored.Seq != m.Seq || s.stored.Conversation != r.id) {
			t.Errorf("%s: %s: %s: got %+v, but the answer was %+v", when, r.name, m.ClientID, m, s.stored)
		}
		if s.number <= last[s.by] {
			t.Errorf("%s: %s: %s comes after message %d of its sender", when, r.name, m.ClientID, last[s.by])
		}
		last[s.by] = s.number
	}
	return list
}

// checkInbox checks what waits for an agent: everything that it was sent and has not
// acknowledged, and nothing of what the server said it had acknowledged. A socket
// offers the same in the same order.
func (a *actor) checkInbox(t *testing.T, when string, stored map[*room][]agent.Message) {
	t.Helper()
	list := a.inbox(t)
	waits := make(map[string]bool)
	last := make(map[string]int64)
	for _, m := range list {
		switch {
		case waits[m.ID]:
			t.Errorf("%s: %s: %s waits twice", when, a.Handle, m.ClientID)
		case a.settled[m.ID]:
			t.Errorf("%s: %s: %s waits again", when, a.Handle, m.ClientID)
		case m.Seq <= last[m.Conversation]:
			t.Errorf("%s: %s: number %d of %s waits behind %d", when, a.Handle, m.Seq, m.Conversation, last[m.Conversation])
		}
		waits[m.ID], last[m.Conversation] = true, m.Seq
	}
	addressed := 0
	for _, r := range a.rooms {
		for _, m := range stored[r] {
			if m.Sender == a.Handle {
				continue
			}
			if waits[m.ID] {
				addressed++
			} else if !a.acked[m.ID] {
				t.Errorf("%s: %s: %s in %s does not wait, but was never acknowledged", when, a.Handle, m.ClientID, r.name)
			}
		}
	}
	if addressed != len(waits) {
		t.Errorf("%s: %s: %d messages wait, %d of them are in its rooms", when, a.Handle, len(waits), addressed)
	}
	socket, err := a.Listen(t.Context())
	must(t, err)
	defer socket.Close()
	for i, want := range list {
		got, err := socket.NextMessage(t.Context())
		must(t, err)
		want.Delivery = got.Delivery // a socket may leave it out (AC 19.4)
		if *got != want {
			t.Fatalf("%s: %s: message %d of %d on a socket: got %+v, want %+v", when, a.Handle, i+1, len(list), got, want)
		}
	}
}

// inbox reads everything that waits, and moves nothing.
func (a *actor) inbox(t *testing.T) []agent.Message {
	t.Helper()
	const limit = 200
	var list []agent.Message
	for after := ""; ; after = list[len(list)-1].Delivery {
		page, err := a.Sync(t.Context(), after, limit)
		must(t, err)
		list = append(list, page...)
		if len(page) < limit {
			return list
		}
	}
}

// history reads everything that a member sees of a room.
func (r *room) history(t *testing.T, a *actor) []agent.Message {
	t.Helper()
	const limit = 200
	var list []agent.Message
	for after := int64(0); ; after = list[len(list)-1].Seq {
		page, err := a.History(t.Context(), r.id, after, limit)
		must(t, err)
		list = append(list, page...)
		if len(page) < limit {
			return list
		}
	}
}

// checkStore looks at what the wire does not show: numbers and ids together, and the
// envelope of every recipient.
func (f *fleet) checkStore(t *testing.T, s store.Store) error {
	t.Helper()
	key, err := s.IDKey(t.Context())
	if err != nil {
		return fmt.Errorf("read the key of ids: %w", err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		return err
	}
	return s.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		accounts := make(map[*actor]chat.AccountID)
		for _, a := range f.agents {
			account, err := r.AccountByHandle(ctx, a.Handle)
			if err != nil {
				return fmt.Errorf("read account %s: %w", a.Handle, err)
			}
			accounts[a] = account.ID
		}
		found := 0
		for _, room := range f.rooms {
			conv, err := r.Conversation(ctx, chat.ConversationID(unsealed(t, codec, id.KindConversation, room.id)))
			if err != nil {
				return fmt.Errorf("read %s: %w", room.name, err)
			}
			list, err := checkNumbers(ctx, t, r, conv, room.name)
			if err != nil {
				return err
			}
			for i := range list {
				m := &list[i]
				if m.Seq <= room.made {
					continue
				}
				found++
				if s := f.sent[m.ClientID]; s == nil || unsealed(t, codec, id.KindMessage, s.stored.ID) != int64(m.ID) {
					t.Errorf("%s: message %d is %q, which was answered as %+v", room.name, m.ID, m.ClientID, s)
				}
				if err := checkDelivered(ctx, t, r, room, m, accounts); err != nil {
					return err
				}
			}
		}
		// All are different, since their ids were told apart above.
		if found != len(f.sent) {
			t.Errorf("got %d messages, want the %d that were sent", found, len(f.sent))
		}
		return nil
	})
}

// checkDelivered checks that every member of a room but the author has a copy of a
// message, which was delivered.
func checkDelivered(ctx context.Context, t *testing.T, r store.Reader, room *room, m *chat.Message, accounts map[*actor]chat.AccountID) error {
	t.Helper()
	for _, a := range room.members {
		e, err := r.Envelope(ctx, m.ID, accounts[a])
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return fmt.Errorf("read envelope: %w", err)
		case accounts[a] == m.Author && err == nil:
			t.Errorf("%s: %q: its author has an envelope: %+v", room.name, m.ClientID, e)
		case accounts[a] != m.Author && (err != nil || e.State != chat.EnvelopeDelivered || e.Hidden || e.Seq != m.Seq):
			t.Errorf("%s: %q: envelope of %s: got %+v, %v, want a delivered one", room.name, m.ClientID, a.Handle, e, err)
		}
	}
	return nil
}

// unsealed turns a public id with a prefix into that of the store.
func unsealed(t *testing.T, codec *id.Codec, kind id.Kind, text string) int64 {
	t.Helper()
	_, coded, _ := strings.Cut(text, "_")
	b, err := base64.RawURLEncoding.DecodeString(coded)
	if err == nil && len(b) == len(id.UUID{}) {
		if n, ok := codec.Open(kind, id.UUID(b)); ok {
			return n
		}
	}
	t.Fatalf("%s is no id of this database", text)
	return 0
}
