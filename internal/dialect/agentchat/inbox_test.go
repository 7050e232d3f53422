package agentchat_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

func (a *agent) ack(cursor string) *response {
	a.T.Helper()
	return a.Post("/v1/messages/sync/ack", object{"last_delivery_id": cursor})
}

func TestSyncOffersWhatWaitsInOrder(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a, b := w.agent(t), w.agent(t), w.agent(t)
		group := me.group(w, a, b)
		me.Get("/v1/messages/sync").Want(200).Is("0", dialecttest.Absent{})
		var want []string
		for i := range 3 {
			want = append(want, a.in(group, "x").Want(201).Text("id"), []*agent{a, b, w.agent(t)}[i].send(me, "x").Want(201).Text("id"))
			me.in(group, "own ones never wait").Want(201)
		}
		all := me.Get("/v1/messages/sync").Want(200)
		same(t, "sync", all.Texts("", "id"), want)
		all.Is("0.status", "stored").Is("0.conversation_id", group).Is("0.sender", a.handle).Is("0.content.text", "x").
			Is("0.context.conversation.type", "group").Is("1.context.conversation.type", "direct").Is("0.delivered_at", nil)
		cursors := all.Texts("", "delivery_id")
		if c := cursors[0]; !strings.HasPrefix(c, "del_") || len(c) != 36 || strings.Trim(c[4:], "0123456789abcdef") != "" {
			t.Errorf("delivery_id: got %q, want del_ and 32 hexadecimal digits", c)
		}
		same(t, "a page", me.Get("/v1/messages/sync?limit=2").Want(200).Texts("", "id"), want[:2])
		same(t, "the next", me.Get("/v1/messages/sync?limit=2&after="+cursors[1]).Want(200).Texts("", "id"), want[2:4])
		same(t, "beyond", me.Get("/v1/messages/sync?after="+cursors[5]).Want(200).Raw, "[]")
		for _, cursor := range []string{"nonsense", "del_" + strings.Repeat("0", 32), a.Get("/v1/messages/" + group).Want(200).Text("0.id")} {
			same(t, "cursor "+cursor, me.Get("/v1/messages/sync?after="+cursor).Want(200).Raw, "[]")
		}
		same(t, "another's cursor", a.Get("/v1/messages/sync?after="+cursors[0]).Want(200).Raw, "[]")
		for _, query := range []string{"limit=0", "limit=x", "limit=-5", "limit=1.5"} {
			code(me.Get("/v1/messages/sync?"+query), 400, "VALIDATION_ERROR")
		}
		same(t, "as often as one asks", me.Get("/v1/messages/sync?limit=100000").Want(200).Texts("", "id"), want)
	})
}

func TestSyncIsAcknowledged(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a := w.agent(t), w.agent(t)
		direct, group := me.befriend(a), me.group(w, a) // which leaves nothing waiting
		var want []string
		for range 3 {
			want = append(want, a.in(direct, "x").Want(201).Text("id"), a.in(group, "x").Want(201).Text("id"))
		}
		hidden := want[1]
		me.Delete("/v1/messages/" + hidden).Want(200)
		left := func(want ...string) {
			t.Helper()
			same(t, "left", me.Get("/v1/messages/sync").Want(200).Texts("", "id"), append([]string{}, want...))
		}
		sync := me.Get("/v1/messages/sync").Want(200)
		left(want[0], want[2], want[3], want[4], want[5])
		cursors := sync.Texts("", "delivery_id")
		w.Clock.Advance(time.Minute)
		me.ack(cursors[2]).Want(200).Is("acked", 3) // over both conversations
		left(want[4:]...)
		me.ack(cursors[2]).Want(200).Is("acked", 0)
		me.ack(cursors[0]).Want(200).Is("acked", 0)
		// The cursor still pages on.
		same(t, "after what was acknowledged", me.Get("/v1/messages/sync?after="+cursors[2]).Want(200).Texts("", "id"), want[4:])
		a.Get("/v1/messages/"+direct).Want(200).Is("1.status", "delivered").Is("1.delivered_at", instant(w.Clock.Now())).Is("0.status", "stored")
		me.Post("/v1/messages/"+want[5]+"/read", nil).Want(200)
		me.ack(cursors[4]).Want(200).Is("acked", 1)
		me.Get("/v1/messages/"+group).Want(200).Is("0.status", "read").Is("1.status", "delivered")
		for _, cursor := range []string{"nonsense", "", "del_" + strings.Repeat("f", 32)} {
			me.ack(cursor).Want(200).Is("acked", 0)
		}
		a.ack(cursors[4]).Want(200).Is("acked", 0)
		for _, body := range []string{``, `{}`, `{"last_delivery_id": 1}`, `{"last_delivery_id": null}`, `[]`} {
			code(me.Post("/v1/messages/sync/ack", body), 400, "VALIDATION_ERROR")
		}
		a.send(me, "later").Want(201)
		key := "Idempotency-Key: acknowledge-1"
		cursor := me.Get("/v1/messages/sync").Want(200).Text("0.delivery_id")
		for range 2 {
			me.Post("/v1/messages/sync/ack", object{"last_delivery_id": cursor}, key).Want(200).Is("acked", 1)
		}
	})
}

func TestFullPauseOffersNothing(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a := w.agent(t), w.agent(t)
		a.send(me, "waits").Want(201)
		cursor := me.Get("/v1/messages/sync").Want(200).Text("0.delivery_id")
		for pause, offered := range map[chat.Pause]int{chat.PauseFull: 0, chat.PauseSend: 1} {
			w.change(t, me, func(m *chat.Account) { m.Pause = pause })
			same(t, "offered", len(me.Get("/v1/messages/sync").Want(200).List("")), offered)
			if offered == 0 {
				me.ack(cursor).Want(200).Is("acked", 0)
			}
		}
		w.change(t, me, func(m *chat.Account) { m.Pause = chat.PauseNone })
		me.ack(cursor).Want(200).Is("acked", 1)
	})
}

func TestAcknowledgingMakesRoom(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		w.introduce(t, a, b)
		w.burden(t, b, 9_999)
		full := a.send(b, "the last one").Want(201)
		code(a.send(b, "too many"), 429, "RECIPIENT_BACKLOGGED")
		b.Post("/v1/messages/"+full.Text("id")+"/read", nil).Want(200)
		a.send(b, "one was read").Want(201)
		code(a.send(b, "too many"), 429, "RECIPIENT_BACKLOGGED")
		rows := b.Get("/v1/messages/sync").Want(200) // what burdens has no message
		last := strconv.Itoa(len(rows.List(""))-1) + ".delivery_id"
		b.ack(rows.Text(last)).Want(200).Is("acked", 10_000)
		a.send(b, "all have arrived").Want(201)
	})
}

func TestUndeliveredMessagesExpire(t *testing.T) {
	t.Parallel()
	const kept = 30 * 24 * time.Hour
	for _, e := range dialecttest.Engines() {
		for _, retention := range []time.Duration{kept, 0} {
			t.Run(e.Name+"/"+retention.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.Retention = retention })
				a, b := w.agent(t), w.agent(t)
				direct := a.befriend(b)
				read := a.send(b, "read in time").Want(201).Text("id")
				b.Post("/v1/messages/"+read+"/read", nil).Want(200)
				w.Clock.Advance(kept)
				sweep(t, w)
				same(t, "offered on the last day", len(b.Get("/v1/messages/sync").Want(200).List("")), 1)
				w.Clock.Advance(2 * time.Hour)
				young := a.send(b, "young").Want(201).Text("id")
				sweep(t, w)
				history := a.Get("/v1/messages/"+direct).Want(200).Is("0.status", "stored").Is("1.status", "read")
				if retention == 0 {
					history.Is("3.status", "stored")
					return
				}
				history.Is("3.status", "expired").Is("3.delivered_at", nil)
				same(t, "offered", b.Get("/v1/messages/sync").Want(200).Texts("", "id"), []string{young})
				first := history.Text("3.id")
				b.Post("/v1/messages/"+first+"/read", nil).Want(200).Is("status", "expired")
				b.Get("/v1/conversations").Want(200).Is("0.unread_count", 1)
			})
		}
	}
}

func sweep(t testing.TB, w *world) {
	t.Helper()
	if err := w.Core.Sweep(context.WithoutCancel(t.Context())); err != nil {
		t.Fatalf("sweep: %v", err)
	}
}

func TestReadingThroughTellsEveryAuthorOnce(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		me, a, b := w.agent(t), w.agent(t), w.agent(t)
		group := w.crew(t, me, a, b)
		ref := core.ConversationRef{Kind: chat.ConversationGroup, Conversation: group}
		w.writeIn(t, a, group, "1")
		second := w.writeIn(t, b, group, "2")
		third := w.writeIn(t, a, group, "3")
		w.writeIn(t, a, group, "4")
		w.drain(t, a, b)
		lines := map[*agent]*line{a: w.listen(t, a), b: w.listen(t, b)}
		for range 2 {
			if err := w.Core.ReadThrough(t.Context(), w.as(me), ref, 3); err != nil {
				t.Fatalf("read through: %v", err)
			}
		}
		for author, m := range map[*agent]*core.Sent{a: third, b: second} {
			f := lines[author].want("message.read").is("payload.message_id", w.shown("msg_", id.KindMessage, int64(m.ID)))
			f.is("payload.through_seq", float64(m.Seq)).is("payload.reader", me.handle)
			f.is("payload.conversation_id", w.shown("grp_", id.KindConversation, int64(group)))
			lines[author].alive()
		}
		same(t, "offered", w.waiting(t, me), []string{"4"})
		me.Get("/v1/conversations").Want(200).Is("0.unread_count", 1)
		err := w.Core.ReadThrough(t.Context(), w.as(w.agent(t)), ref, 3)
		same(t, "an outsider", chat.CodeOf(err), chat.CodeConversationUnknown)
	})
}

func TestTypingReachesWhoMayKnow(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e)
			me, a, muter, paused := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
			group := w.crew(t, me, a, muter, paused)
			muter.mute(object{"target_kind": "agent", "target_handle": me.handle}).Want(201)
			w.change(t, paused, func(p *chat.Account) { p.Pause = chat.PauseFull })
			direct := w.write(t, me, a, "hello").Conversation
			w.drain(t, a)
			lines := []*line{w.listen(t, me), w.listen(t, a), w.listen(t, muter), w.listen(t, paused)}
			typing := func(conversation chat.ConversationID, started bool, want chat.Code) {
				t.Helper()
				err := w.Core.Type(t.Context(), w.as(me), core.ConversationRef{Conversation: conversation}, started)
				same(t, "typing", chat.CodeOf(err), want)
			}
			typing(group, true, "")
			typing(group, false, "")
			typing(direct, true, "")
			for _, kind := range []string{"typing.start", "typing.stop"} {
				lines[1].want(kind).is("payload.sender", me.handle).
					is("payload.conversation_id", w.shown("grp_", id.KindConversation, int64(group)))
			}
			lines[1].want("typing.start").is("payload.conversation_id", w.shown("conv_", id.KindConversation, int64(direct)))
			typing(1<<40, true, chat.CodeConversationUnknown)
			w.blockPast(t, a, me)
			typing(direct, true, "") // 5
			for range 5 {
				typing(group, true, "")
				lines[1].want("typing.start")
			}
			typing(group, false, "") // the eleventh
			w.Clock.Advance(time.Second)
			typing(group, true, "")
			lines[1].want("typing.start")
			for _, l := range lines {
				l.alive() // and nothing else came
			}
		})
	}
}

// What a socket missed is read again from the store: it must say as much as what
// was published.
func TestMissedMessagesAreWhole(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, muter, paused := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.DisplayName = "Anna" })
		group := w.crew(t, a, b, muter, paused)
		muter.mute(object{"target_kind": "agent", "target_handle": a.handle}).Want(201)
		w.change(t, paused, func(p *chat.Account) { p.Pause = chat.PauseFull })
		inGroup := w.writeIn(t, a, group, "to all")
		direct := w.write(t, a, b, "to one")
		events, err := w.Core.Changes(t.Context(), 0, 1000)
		if err != nil {
			t.Fatalf("changes: %v", err)
		}
		created := map[chat.MessageID]chat.Event{}
		for _, e := range events {
			if e.Kind == chat.EventMessageCreated {
				created[e.Message.ID] = e
			}
		}
		e := created[inGroup.ID]
		same(t, "group", e.Group, &chat.GroupBrief{Name: "crew", Members: 4})
		same(t, "recipients", len(e.Recipients), 4)
		same(t, "quiet", len(e.Quiet), 2)
		for _, id := range e.Quiet {
			if id != muter.id && id != paused.id {
				t.Errorf("quiet: got %d, want %d and %d", id, muter.id, paused.id)
			}
		}
		same(t, "author", []string{e.By.Handle, e.By.DisplayName}, []string{a.handle, "Anna"})
		e = created[direct.ID]
		same(t, "direct", []any{e.Group == nil, e.By.Handle, len(e.Recipients), len(e.Quiet)}, []any{true, a.handle, 2, 0})
	})
}
