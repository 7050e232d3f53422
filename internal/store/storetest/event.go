package storetest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func (f *fixture) changes(after chat.Position, limit int) []chat.Event {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) ([]chat.Event, error) { return r.Changes(ctx, after, limit) })
}

func (f *fixture) lastPosition() chat.Position {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (chat.Position, error) { return r.LastPosition(ctx) })
}

// event stores one event.
func (f *fixture) event(e chat.Event) chat.Event {
	f.t.Helper()
	f.update(func(ctx context.Context, tx store.Tx) error {
		id, err := tx.NextID(ctx, 1)
		e.Position = chat.Position(id)
		if err != nil {
			return err
		}
		return tx.AppendEvents(ctx, []chat.Event{e})
	})
	return e
}

func testEventRoundTrip(f *fixture) {
	message := &chat.Message{
		ID: 1, Conversation: 2, Seq: 3, Author: 4, ClientID: "c", Kind: chat.MessageFile, Text: "\ufffd <&> \u2028",
		Data: []byte(`{ "a" : 1.0 }`), Metadata: []byte(`{"b":"\u00e9"}`),
		Attachment: 8, Signature: signature(), CreatedAt: f.now(), EditedAt: f.now(), RetractedAt: f.now(),
	}
	channel := &chat.Channel{
		ID: 5, Space: 6, Name: "general", Topic: "all", Type: chat.ChannelVoice, Position: 7,
		CreatedAt: f.now(), UpdatedAt: f.now(),
	}
	pause := chat.PauseFull
	want := chat.Event{
		Kind: chat.EventMessageEdited, At: f.now(), Actor: 1 << 40, Space: 9, Conversation: 10, Account: 11, Credential: 12,
		Message: message, Channel: channel,
		Presence: &chat.Presence{Status: chat.StatusBusy, Text: "\U0001f9ea", Chosen: true},
		By: &chat.Profile{
			ID: 14, Kind: chat.KindAgent, Username: "u", Handle: "h", DisplayName: "n", Description: "d", Avatar: "a",
			PublicKey: "k\n", State: chat.StateActive, Disabled: true, Presence: chat.Presence{Status: chat.StatusOnline}, Gone: true, CreatedAt: f.now(),
		},
		Group:      &chat.GroupBrief{Name: "g", Members: 15, Description: "d", Avatar: "a", AvatarURL: "https://g"},
		Invite:     &chat.Invite{ID: 16, Group: 10, Inviter: 14, Invitee: 13, CreatedAt: f.now(), EndedAt: f.now()},
		Read:       &chat.ReadMark{Message: 17, Seq: 18},
		Pause:      &pause,
		Recipients: []chat.AccountID{13, 1 << 40}, Quiet: []chat.AccountID{13},
	}
	for _, part := range []any{want.By, want.Group, want.Invite, want.Read} {
		f.complete(part)
	}
	f.complete(want, "Position")
	f.complete(message)
	f.complete(channel)
	want = f.event(want)
	bare := f.event(chat.Event{Kind: chat.EventAccessRevoked, At: f.now()})
	f.same("events", f.changes(0, 10), []chat.Event{want, bare})

	twin := bare
	f.refuse(store.ErrConflict, func(ctx context.Context, tx store.Tx) error {
		return tx.AppendEvents(ctx, []chat.Event{twin})
	})
	f.update(func(ctx context.Context, tx store.Tx) error { return tx.AppendEvents(ctx, nil) })
}

// Changes merges messages and events by position without holes or duplicates,
// for any cursor and page size.
func testChanges(f *fixture) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, b := f.account(), f.account()
	c := f.community(a, b)
	var want []chat.Position
	for i := range 60 {
		switch rng.IntN(3) {
		case 0:
			want = append(want, f.event(chat.Event{Kind: chat.EventSpaceUpdated, At: f.now(), Space: c.Space.ID}).Position)
		case 1:
			m := f.say(a, c.Channel.ID, "hello")
			want = append(want, m.Position())
		case 2: // a message and the event of its new conversation in one batch
			m := f.deliver(f.store, f.text(store.SendKey{Author: f.account().ID, Peer: b.ID}, "hello"))
			want = append(want, m.Position(), m.Position()+2)
		}
		if i%10 == 0 {
			f.id() // a position that nothing took
		}
	}
	all := f.changes(0, 1000)
	var got []chat.Position
	for _, e := range all {
		got = append(got, e.Position)
		if e.Kind != chat.EventMessageCreated {
			continue
		}
		f.same("message in a change", e.Message, f.message(chat.MessageID(e.Position)))
		f.same("place of the change", e.Conversation, e.Message.Conversation)
		f.same("actor of the change", e.Actor, e.Message.Author)
		f.same("time of the change", e.At, e.Message.CreatedAt)
	}
	f.same("positions", got, want)

	for range 40 {
		i, limit := rng.IntN(len(all)+1), 1+rng.IntN(len(all))
		after := chat.Position(0)
		if i > 0 {
			after = all[i-1].Position
		}
		f.same("page", f.changes(after, limit), all[i:min(i+limit, len(all))])
	}
	if last := f.lastPosition(); last < want[len(want)-1] {
		f.t.Errorf("last position: got %d, want at least %d", last, want[len(want)-1])
	}
	f.same("after the last position", f.changes(f.lastPosition(), 10), []chat.Event(nil))
}

func testPruneEvents(f *fixture) {
	a := f.account()
	c := f.community(a)
	var events []chat.Event
	for i := range 7 {
		events = append(events, f.event(chat.Event{Kind: chat.EventSpaceUpdated, At: epoch.Add(time.Duration(i) * time.Hour)}))
	}
	m := f.post(f.store, store.SendKey{Author: a.ID, Conversation: c.Channel.ID}, "old", epoch)
	for _, want := range []int{3, 2, 0} {
		f.update(func(ctx context.Context, tx store.Tx) error {
			got, err := tx.PruneEvents(ctx, events[5].At, 3)
			if got != want {
				f.t.Errorf("pruned: got %d, want %d", got, want)
			}
			return err
		})
	}
	left := f.changes(0, 10)
	if len(left) != 3 || left[2].Position != m.Position() {
		f.t.Fatalf("left: got %+v, want two events and message %d", left, m.ID)
	}
	f.same("events left", left[:2], events[5:])
}

// Whoever starts at the last position of a snapshot gets everything that the
// snapshot did not show, though writers are at work.
func testLastPosition(f *fixture) {
	const writers, rounds = 6, 25
	before := f.lastPosition()
	a := f.account()
	channel := f.community(a).Channel.ID
	if after := f.lastPosition(); after < before {
		f.t.Errorf("last position fell from %d to %d", before, after)
	}

	stores := []store.Store{f.store, f.second()}
	var wait sync.WaitGroup
	ctx, stop := context.WithCancel(f.t.Context())
	defer stop()
	for i := range writers {
		wait.Go(func() {
			for range rounds {
				if _, err := send(ctx, stores[i%2], f.text(store.SendKey{Author: a.ID, Conversation: channel}, "x")); err != nil {
					f.t.Errorf("send: %v", err)
					return
				}
			}
		})
	}
	go func() {
		wait.Wait()
		stop()
	}()
	type sight struct {
		last chat.Position
		seen int // messages up to it
	}
	var sights []sight
	for ctx.Err() == nil {
		sights = append(sights, query(f, func(ctx context.Context, r store.Reader) (s sight, err error) {
			if s.last, err = r.LastPosition(ctx); err != nil {
				return s, err
			}
			list, err := r.Changes(ctx, 0, writers*rounds+1)
			s.seen = len(list)
			if s.seen > 0 && list[s.seen-1].Position > s.last {
				f.t.Errorf("last position %d is below that of a change seen, %d", s.last, list[s.seen-1].Position)
			}
			return s, err
		}))
	}
	wait.Wait()
	all := f.changes(0, writers*rounds+1)
	if len(all) != writers*rounds {
		f.t.Fatalf("messages: got %d, want %d", len(all), writers*rounds)
	}
	for _, s := range sights {
		n := 0
		for n < len(all) && all[n].Position <= s.last {
			n++
		}
		if n != s.seen {
			f.t.Fatalf("up to position %d: %d messages were seen then and %d are there now", s.last, s.seen, n)
		}
	}
}

// Ids of one draw are consecutive, and later draws are higher, also when a
// transaction between them was undone or many draw at once.
func testNextID(f *fixture) {
	var mu sync.Mutex
	taken := map[int64]bool{}
	last := int64(0)
	draw := func(s store.Store, n int, undo error) error {
		return s.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
			first, err := tx.NextID(ctx, n)
			if err != nil {
				return err
			}
			next, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			if next < first+int64(n) {
				f.t.Errorf("after %d ids from %d: got %d", n, first, next)
			}
			if undo != nil {
				return undo
			}
			mu.Lock()
			defer mu.Unlock()
			if first <= last {
				f.t.Errorf("first id: got %d, want above %d", first, last)
			}
			for id := first; id < first+int64(n); id++ {
				if id <= 0 || taken[id] {
					f.t.Errorf("id %d was drawn before or is not positive", id)
				}
				taken[id] = true
			}
			last = next
			return nil
		})
	}
	stores := []store.Store{f.store, f.second()}
	for i, err := range race(20, func(i int) error {
		undo := error(nil)
		if i%5 == 4 {
			undo = errUndo
		}
		return draw(stores[i%2], 1+i*37%100, undo)
	}) {
		if want := i%5 != 4; (err == nil) != want {
			f.t.Errorf("draw %d: got error %v", i, err)
		}
	}
}

func testAudit(f *fixture) {
	entry := store.AuditEntry{
		At: f.now(), Actor: 1, Act: "RemoveAccount", Target: 2, Surface: chat.SurfaceOperator, Remote: "::1", Detail: "spam",
	}
	f.complete(entry)
	for range 2 {
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.Audit(ctx, entry) })
	}
	f.same("rows", f.raw(`SELECT count(*) FROM audit WHERE created_at = $1 AND actor_id = 1 AND act = 'RemoveAccount'
		AND target_id = 2 AND surface = 1 AND remote = '::1' AND detail = 'spam'`, entry.At.UnixMilli()), 2)
}
