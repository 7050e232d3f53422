package agentchat_test

import (
	"strconv"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// numbers are the sequence numbers of a page.
func numbers(r *response) []int {
	r.Want(200)
	out := []int{}
	for i := range r.List("") {
		n, _ := r.At(strconv.Itoa(i) + ".seq").(float64)
		out = append(out, int(n))
	}
	return out
}

func TestHistoryPages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		direct := a.befriend(b)
		ids := map[int]string{}
		for i := 3; i <= 8; i++ {
			ids[i] = []*agent{a, b}[i%2].send([]*agent{b, a}[i%2], "text "+strconv.Itoa(i)).Want(201).Text("id")
		}
		a.Delete("/v1/messages/" + ids[7]).Want(200)
		for _, test := range []struct {
			query string
			want  []int
		}{
			{"", []int{8, 6, 5, 4, 3, 2, 1}},
			{"limit=2", []int{8, 6}},
			{"limit=100000", []int{8, 6, 5, 4, 3, 2, 1}},
			{"before_seq=6", []int{5, 4, 3, 2, 1}},
			{"before_seq=6&limit=2", []int{5, 4}},
			{"before_seq=1", []int{}},
			{"before_seq=9223372036854775807&limit=1", []int{8}},
			{"before_seq=99999999999999999999&limit=1", []int{8}},
			{"after_seq=0&limit=3", []int{1, 2, 3}},
			{"after_seq=5", []int{6, 8}},
			{"after_seq=8", []int{}},
			{"after_seq=9223372036854775807", []int{}},
			{"around_message_id=" + ids[5] + "&limit=3", []int{5, 4, 3}},
			{"around_message_id=" + ids[5] + "&limit=1", []int{5}},
			{"around_message_id=" + ids[8] + "&limit=2", []int{8, 6}},
		} {
			same(t, "history "+test.query, numbers(a.Get("/v1/messages/"+direct+"?"+test.query)), test.want)
		}
		same(t, "the other side", numbers(b.Get("/v1/messages/"+direct)), []int{8, 7, 6, 5, 4, 3, 2, 1})
		for _, query := range []string{
			"limit=0", "limit=x", "before_seq=0", "before_seq=x", "after_seq=-1", "before_seq=3&after_seq=1",
			"before_seq=3&around_message_id=" + ids[5], "after_seq=3&around_message_id=" + ids[5],
		} {
			code(a.Get("/v1/messages/"+direct+"?"+query), 400, "VALIDATION_ERROR")
		}
		elsewhere := a.send(w.agent(t), "elsewhere").Want(201).Text("id")
		for _, anchor := range []string{ids[7], elsewhere, "msg_nonsense", "nonsense"} {
			code(a.Get("/v1/messages/"+direct+"?around_message_id="+anchor), 404, "MESSAGE_NOT_FOUND")
		}
	})
}

func TestHistoryShowsHowFarMessagesCame(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		m := a.send(b, "hello").Want(201)
		path := "/v1/messages/" + m.Text("conversation_id")
		a.Get(path).Want(200).Is("0.status", "stored").Is("0.is_own", true).Is("0.delivery_id", dialecttest.Absent{}).Is("0.delivered_at", nil)
		row := b.Get(path).Want(200).Is("0.status", "stored").Is("0.is_own", false).Is("0.sender", a.handle)
		row.Is("0.context.sender.handle", a.handle)
		w.Clock.Advance(time.Minute)
		b.Post("/v1/messages/sync/ack", object{"last_delivery_id": b.Get("/v1/messages/sync").Text("0.delivery_id")}).Want(200).Is("acked", 1)
		delivered := instant(w.Clock.Now())
		for _, who := range []*agent{a, b} {
			who.Get(path).Want(200).Is("0.status", "delivered").Is("0.delivered_at", delivered).Is("0.read_at", nil)
		}
		w.Clock.Advance(time.Minute)
		b.Post("/v1/messages/"+m.Text("id")+"/read", nil).Want(200)
		a.Get(path).Want(200).Is("0.status", "read").Is("0.delivered_at", delivered).Is("0.read_at", instant(w.Clock.Now()))

		group := a.group(w, b)
		sent := b.in(group, "to all").Want(201)
		a.Post("/v1/messages/"+sent.Text("id")+"/read", nil).Want(200)
		b.Get("/v1/messages/"+group+"?limit=1").Want(200).Is("0.status", "stored").Is("0.is_own", true).Is("0.read_at", nil)
		a.Get("/v1/messages/"+group+"?limit=1").Want(200).Is("0.status", "read")
		a.Get("/v1/messages/"+group+"?after_seq=0&limit=1").Want(200).Is("0.type", "system").Is("0.seq", 1)
	})
}

func TestGroupHistoryBeginsWithJoining(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, late := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b) // number 1
		early := a.in(group, "before").Want(201)
		a.admit(group, late) // number 3
		a.in(group, "after").Want(201)
		same(t, "who joined late", numbers(late.Get("/v1/messages/"+group)), []int{4, 3})
		same(t, "gaps filled", numbers(late.Get("/v1/messages/"+group+"?after_seq=0")), []int{3, 4})
		same(t, "who was there", numbers(b.Get("/v1/messages/"+group)), []int{4, 3, 2, 1})
		code(late.Get("/v1/messages/"+group+"?around_message_id="+early.Text("id")), 404, "MESSAGE_NOT_FOUND")
		code(late.Delete("/v1/messages/"+early.Text("id")), 404, "MESSAGE_NOT_FOUND")
		b.leave(group).Want(200) // number 5
		a.admit(group, b)        // number 6: it starts over
		same(t, "who came back", numbers(b.Get("/v1/messages/"+group)), []int{6})
	})
}

func TestRetractedMessages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, guarded, open := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, open, func(o *chat.Account) { o.Guarded = false })
		for _, peer := range []*agent{guarded, open} {
			m := a.send(peer, "oops").Want(201)
			path := "/v1/messages/" + m.Text("conversation_id")
			w.retract(t, a, m.Text("id"))
			same(t, "the author's history", numbers(a.Get(path)), []int{})
			if peer == guarded {
				same(t, "a guarded recipient's", numbers(peer.Get(path)), []int{1})
				peer.Get("/v1/messages/sync").Want(200).Is("0.id", m.Text("id"))
				peer.Post("/v1/messages/"+m.Text("id")+"/read", nil).Want(200).Is("content.text", "oops")
				continue
			}
			same(t, "an open recipient's", numbers(peer.Get(path)), []int{})
			peer.Get("/v1/messages/sync").Want(200).Is("0", dialecttest.Absent{})
			code(peer.Post("/v1/messages/"+m.Text("id")+"/read", nil), 404, "MESSAGE_NOT_FOUND")
		}
	})
}

func TestMessagesAreHiddenForOneself(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		direct := a.befriend(b)
		path := "/v1/messages/" + direct
		m := a.send(b, "waits").Want(201).Text("id")
		for range 2 {
			if b.Delete("/v1/messages/"+m).Want(200).Text("message") == "" {
				t.Error("hide: got an empty text, want some")
			}
		}
		same(t, "the hider's history", numbers(b.Get(path)), []int{2, 1})
		same(t, "the author's history", numbers(a.Get(path)), []int{3, 2, 1})
		a.Get(path).Want(200).Is("0.status", "delivered")
		for _, text := range b.Get("/v1/messages/sync").Want(200).Texts("", "id") {
			if text == m {
				t.Error("sync offers a hidden message")
			}
		}
		b.Get("/v1/conversations").Want(200).Is("0.unread_count", 1)
		a.Delete("/v1/messages/" + m).Want(200)
		same(t, "the author's history", numbers(a.Get(path)), []int{2, 1})
		b.Post("/v1/messages/"+m+"/read", nil).Want(200).Is("status", "read")
		for _, message := range []string{m, "msg_nonsense", "nonsense"} {
			code(c.Delete("/v1/messages/"+message), 404, "MESSAGE_NOT_FOUND")
		}

		group := a.group(w, b, c)
		seen := a.in(group, "seen").Want(201).Text("id")
		c.leave(group).Want(200)
		unseen := a.in(group, "unseen").Want(201).Text("id")
		c.Delete("/v1/messages/" + seen).Want(200)
		code(c.Delete("/v1/messages/"+unseen), 404, "MESSAGE_NOT_FOUND")
		a.Delete("/v1/groups/" + group).Want(200)
		b.Delete("/v1/messages/" + unseen).Want(200)
		a.Delete("/v1/messages/" + seen).Want(200)
	})
}

func TestMessagesAreMarkedRead(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		a.befriend(b)
		var ids []string
		for range 3 {
			ids = append(ids, a.send(b, "x").Want(201).Text("id"))
		}
		w.Clock.Advance(time.Minute)
		at := instant(w.Clock.Now())
		read := func(message string) *response { return b.Post("/v1/messages/"+message+"/read", nil) }
		read(ids[1]).Want(200).Is("ok", true).Is("id", ids[1]).Is("status", "read").Is("read_at", at).Is("delivered_at", at).
			Is("content.text", "x").Is("sender", a.handle).Is("seq", 4)
		w.Clock.Advance(time.Minute)
		read(ids[1]).Want(200).Is("read_at", at)
		b.Get("/v1/conversations").Want(200).Is("0.unread_count", 3).Is("0.oldest_unread_seq", 1).Is("0.newest_unread_seq", 5)
		for _, r := range []*response{
			a.Post("/v1/messages/"+ids[1]+"/read", nil), c.Post("/v1/messages/"+ids[1]+"/read", nil), read("msg_nonsense"),
		} {
			code(r, 404, "MESSAGE_NOT_FOUND")
		}
		// A retry under a key is answered as the first time.
		key := "Idempotency-Key: key-" + ids[0][4:12]
		first := b.Post("/v1/messages/"+ids[0]+"/read", nil, key).Want(200)
		w.Clock.Advance(time.Minute)
		same(t, "retry", b.Post("/v1/messages/"+ids[0]+"/read", nil, key).Want(200).Raw, first.Raw)
	})
}

func TestAuthorsAreToldOnce(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		first, second := w.write(t, a, b, "one"), w.write(t, a, b, "two")
		gone := w.agent(t)
		w.introduce(t, gone, b)
		tombstone := w.write(t, gone, b, "last words")
		w.change(t, gone, func(g *chat.Account) { g.State = chat.StateDeleted })
		line := w.listen(t, a)
		read := func(m chat.MessageID) {
			t.Helper()
			b.Post("/v1/messages/"+w.shown("msg_", id.KindMessage, int64(m))+"/read", nil).Want(200)
		}
		w.Clock.Advance(time.Minute)
		for range 2 {
			read(first.ID)
		}
		read(tombstone.ID)
		read(second.ID)
		for _, m := range []*core.Sent{first, second} {
			f := line.want("message.read").is("payload.message_id", w.shown("msg_", id.KindMessage, int64(m.ID)))
			f.is("payload.reader", b.handle).is("payload.through_seq", float64(m.Seq)).is("payload.at", instant(w.Clock.Now()))
			f.is("payload.conversation_id", w.shown("conv_", id.KindConversation, int64(m.Conversation)))
		}
		line.alive() // and nothing else came
	})
}
