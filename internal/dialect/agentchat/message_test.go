package agentchat_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

// post sends a body with an own id of its own, unless it has one.
func (a *agent) post(body object) *response {
	a.T.Helper()
	if _, ok := body["client_msg_id"]; !ok {
		body["client_msg_id"] = "p" + strconv.FormatInt(a.World.Serial(), 10)
	}
	return a.Post("/v1/messages", body)
}

// blockPast sets a block past the core.
func (w *world) blockPast(t testing.TB, owner, target *agent) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		return tx.SetBlock(ctx, store.Edge{Owner: owner.id, Target: target.id}, w.Clock.Now(), true)
	})
}

// burden makes so many envelopes wait for an agent, without messages.
func (w *world) burden(t testing.TB, a *agent, n int) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		first, err := tx.NextID(ctx, n)
		if err != nil {
			return err
		}
		list := make([]chat.Envelope, n)
		for i := range list {
			list[i] = chat.Envelope{Message: chat.MessageID(first + int64(i)), Recipient: a.id, Conversation: 1, Seq: int64(i)}
		}
		return tx.Write(ctx, &store.Writes{Envelopes: list})
	})
	w.Clock.Advance(11 * time.Second) // what the server remembers of backlogs is no longer trusted
}

func TestMessageIsSentAndShown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agentNamed(t, "alice"), w.agentNamed(t, "bob")
		w.change(t, a, func(a *chat.Account) { a.DisplayName = "Alice" })
		r := a.Post("/v1/messages", `{
			"to": "@BOB", "client_msg_id": "\u00e9-1", "type": "structured",
			"content": {"type": "text", "text": "hi @bob <&> \u2028", "data": {"n": 1.50, "big": 12345678901234567890}, "other": 1},
			"metadata": {"a": [ 1E+300 ]}, "unknown": true
		}`).Want(201)
		r.Is("sender", "alice").Is("client_msg_id", "é-1").Is("seq", 1).Is("type", "structured").Is("status", "stored")
		r.Is("content.text", "hi @bob <&> \u2028").Is("content.other", dialecttest.Absent{}).Is("content.attachment_id", dialecttest.Absent{})
		r.Is("created_at", "2026-11-21T12:00:30.000Z").Is("delivered_at", nil).Is("read_at", nil)
		r.Is("context.sender.handle", "alice").Is("context.sender.display_name", "Alice").Is("context.sender.kind", "agent")
		r.Is("context.conversation.type", "direct").Is("context.conversation.group_name", nil).Is("context.mentions.0", "bob")
		r.Is("skipped_recipients", dialecttest.Absent{})
		if !strings.HasPrefix(r.Text("id"), "msg_") || !strings.HasPrefix(r.Text("conversation_id"), "conv_") {
			t.Errorf("ids: got %q and %q, want msg_ and conv_", r.Text("id"), r.Text("conversation_id"))
		}
		for _, raw := range []string{`"n":1.50`, `"big":12345678901234567890`, `"metadata":{"a":[1E+300]}`} {
			if !strings.Contains(r.Raw, raw) {
				t.Errorf("answer: got %s, want %s as it was sent", r.Raw, raw)
			}
		}
		plain := b.send(a, "hello").Want(201).Is("seq", 2).Is("type", "text")
		if !strings.Contains(plain.Raw, `"metadata":{}`) || !strings.Contains(plain.Raw, `"content":{"text":"hello"}`) {
			t.Errorf("plain message: got %s, want no data and empty metadata", plain.Raw)
		}
		if plain.Header.Get("Idempotent-Replay") != "" || plain.Header.Get("X-Backlog-Warning") != "" {
			t.Errorf("headers: got %v, want neither replay nor warning", plain.Header)
		}
	})
}

func TestReplayReturnsTheFirstMessage(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		first := a.post(object{"to": b.handle, "client_msg_id": "one", "content": object{"text": "first"}}).Want(201)
		again := func(body object) *response {
			t.Helper()
			body["client_msg_id"] = "one"
			r := a.post(body).Want(200)
			if r.Header.Get("Idempotent-Replay") != "true" {
				t.Errorf("Idempotent-Replay: got %q, want true", r.Header.Get("Idempotent-Replay"))
			}
			return r.Is("id", first.Text("id")).Is("content.text", "first").Is("conversation_id", first.Text("conversation_id"))
		}
		content := object{"text": "other"}
		same(t, "the same body", again(object{"to": b.handle, "content": object{"text": "first"}}).Raw, first.Raw)
		again(object{"to": b.handle, "content": content})
		again(object{"to": c.handle, "content": content})
		again(object{"to": "nobody-at-all", "content": content})
		again(object{"to": a.handle, "content": content})
		again(object{"conversation_id": "grp_nonsense", "content": content})
		again(object{"to": c.handle, "content": object{"attachment_id": "att_nonsense"}})
		w.blockPast(t, b, a)
		w.change(t, a, func(a *chat.Account) { a.Pause = chat.PauseSend })
		again(object{"to": b.handle, "content": content}).Is("status", "stored")
		b.Post("/v1/messages/"+first.Text("id")+"/read", nil).Want(200)
		if r := again(object{"to": b.handle, "content": content}).Is("status", "read"); r.At("read_at") == nil {
			t.Errorf("read_at: got null in %s, want a time", r.Raw)
		}
		// Its own id is another author's as well.
		b.post(object{"to": c.handle, "client_msg_id": "one", "content": content}).Want(201)
		code(c.post(object{"to": b.handle, "client_msg_id": "one"}), 400, "VALIDATION_ERROR")
	})
}

func TestReplayOfAGroupMessage(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		body := object{"conversation_id": group, "client_msg_id": "one", "content": object{"text": "first"}}
		first := a.post(body).Want(201)
		same(t, "replay", a.post(body).Want(200).Raw, first.Raw)
		a.leave(group).Want(200)
		a.post(body).Want(200).Is("id", first.Text("id"))
	})
}

func TestSameOwnIDAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		w.introduce(t, a, b)
		answers := dialecttest.Together(16, func(i int) *response {
			return a.post(object{"to": b.handle, "client_msg_id": "one", "content": object{"text": strconv.Itoa(i)}})
		})
		same(t, "statuses", dialecttest.Statuses(answers), map[int]int{201: 1, 200: 15})
		for _, r := range answers {
			r.Is("id", answers[0].Text("id")).Is("content.text", answers[0].Text("content.text"))
		}
	})
}

func TestMessageBodiesAreChecked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		to := `"to": "` + b.handle + `", `
		for _, test := range []struct{ what, body, field string }{
			{"no JSON", `{"to":`, ""},
			{"no target", `{"client_msg_id": "x", "content": {"text": "a"}}`, "to"},
			{"two targets", `{` + to + `"conversation_id": "grp_x", "client_msg_id": "x", "content": {"text": "a"}}`, "to"},
			{"empty target", `{"to": "@", "client_msg_id": "x", "content": {"text": "a"}}`, "to"},
			{"target of another type", `{"to": 1, "client_msg_id": "x", "content": {"text": "a"}}`, "to"},
			{"no own id", `{` + to + `"content": {"text": "a"}}`, "client_msg_id"},
			{"empty own id", `{` + to + `"client_msg_id": "", "content": {"text": "a"}}`, "client_msg_id"},
			{"long own id", `{` + to + `"client_msg_id": "` + strings.Repeat("é", 129) + `", "content": {"text": "a"}}`, "client_msg_id"},
			{"system", `{` + to + `"client_msg_id": "x", "type": "system", "content": {"text": "a"}}`, "type"},
			{"unknown type", `{` + to + `"client_msg_id": "x", "type": "Text", "content": {"text": "a"}}`, "type"},
			{"no content", `{` + to + `"client_msg_id": "x"}`, "content"},
			{"null content", `{` + to + `"client_msg_id": "x", "content": null}`, "content"},
			{"content no object", `{` + to + `"client_msg_id": "x", "content": "a"}`, "content"},
			{"empty content", `{` + to + `"client_msg_id": "x", "content": {"type": "text"}}`, ""},
			{"empty text", `{` + to + `"client_msg_id": "x", "content": {"text": "", "data": null}}`, ""},
			{"data no object", `{` + to + `"client_msg_id": "x", "content": {"data": [1]}}`, "content.data"},
			{"metadata no object", `{` + to + `"client_msg_id": "x", "content": {"text": "a"}, "metadata": 1}`, "metadata"},
			{"NUL in text", `{` + to + `"client_msg_id": "x", "content": {"text": "a\u0000"}}`, "content.text"},
			{"NUL in data", `{` + to + `"client_msg_id": "x", "content": {"data": {"a": ["\u0000"]}}}`, "content.data"},
			{"NUL in metadata", `{` + to + `"client_msg_id": "x", "content": {"text": "a"}, "metadata": {"\u0000": 1}}`, "metadata"},
			{"NUL in own id", `{` + to + `"client_msg_id": "\u0000", "content": {"text": "a"}}`, "client_msg_id"},
			{"invalid UTF-8", `{` + to + "\"client_msg_id\": \"\xff\", \"content\": {\"text\": \"a\"}}", ""},
		} {
			r := code(a.Post("/v1/messages", test.body), 400, "VALIDATION_ERROR")
			if _, told := r.At("details.fieldErrors").(map[string]any)[test.field]; test.field != "" && !told {
				t.Errorf("%s: got %s, want it to be about %s", test.what, r.Raw, test.field)
			}
		}
		for _, body := range []string{
			`"content": {"text": " "}`, `"content": {"data": {}}`, `"content": {"text": "", "data": {"a": 1}}`,
			`"type": null, "content": {"text": "a"}, "metadata": null`, `"type": "file", "content": {"text": "no file"}`,
		} {
			c := w.agent(t)
			c.Post("/v1/messages", `{`+to+`"client_msg_id": "`+strings.Repeat("é", 128)+`", `+body+`}`).Want(201)
		}
	})
}

func TestContentAndMetadataHaveOneLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		const most = 32_768
		b := w.agent(t)
		try := func(fits bool, format, filler string, overhead int) {
			t.Helper()
			n := (most - overhead) / len(filler)
			if !fits {
				n++
			}
			body := fmt.Sprintf(`{"to": %q, "client_msg_id": "x", %s}`, b.handle, fmt.Sprintf(format, strings.Repeat(filler, n)))
			r := w.agent(t).Post("/v1/messages", body)
			if fits {
				r.Want(201)
			} else {
				code(r, 413, "CONTENT_TOO_LARGE")
			}
		}
		for _, fits := range []bool{true, false} {
			try(fits, `"content": {"text": "%s"}`, "a", len(`{"text":""}`))
			try(fits, `"content": { "text" : "%s" }, "metadata": { }`, "<", len(`{"text":""}{}`))
			try(fits, `"content": {"text": "%s"}`, "é", len(`{"text":""}`)+1)
			try(fits, `"content": {"data": {"a": "%s"}, "text": "b"}, "metadata": {"c": [ 1, 2 ]}`, "x",
				len(`{"text":"b","data":{"a":""}}{"c":[1,2]}`))
		}
		escaped := strings.Repeat(`\u4f60`, (most-len(`{"data":{"a":""}}`))/3)
		body := `{"to": "` + b.handle + `", "client_msg_id": "x", "content": {"data": {"a": "` + escaped + `"}}}`
		w.agent(t).Post("/v1/messages", body).Want(201) // the escapes are not counted
	})
}

func TestChecksComeInOrder(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		other := w.agent(t)
		foreign := other.upload(fileText, object{"to": b.handle})
		elsewhere := a.upload(fileText, object{"to": other.handle})
		huge := strings.Repeat("x", 40_000)
		first := a.post(object{"to": other.handle, "client_msg_id": "used", "content": object{"text": "a"}}).Want(201)
		w.burden(t, b, 10_000)
		w.change(t, b, func(b *chat.Account) { b.ContactsOnly = true })
		w.change(t, a, func(a *chat.Account) { a.State, a.Pause = chat.StateRestricted, chat.PauseFull })
		w.blockPast(t, a, b)

		send := func(change ...object) *response {
			t.Helper()
			body := object{"to": b.handle, "content": object{"text": "a", "attachment_id": foreign}}
			for _, c := range change {
				for k, v := range c {
					body[k] = v
				}
			}
			return a.post(body)
		}
		code(send(object{"type": "system", "content": object{"text": huge}}), 400, "VALIDATION_ERROR")
		code(send(object{"client_msg_id": "used", "content": object{"text": huge}}), 413, "CONTENT_TOO_LARGE")
		send(object{"client_msg_id": "used", "to": "nobody-there"}).Want(200).Is("id", first.Text("id"))
		code(send(object{"to": "nobody-there"}), 404, "AGENT_NOT_FOUND")
		code(send(object{"to": a.handle}), 400, "VALIDATION_ERROR")
		code(send(), 403, "AGENT_PAUSED_BY_OWNER")
		w.change(t, a, func(a *chat.Account) { a.Pause = chat.PauseNone })
		code(send(), 403, "BLOCKED")
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetBlock(ctx, store.Edge{Owner: a.id, Target: b.id}, w.Clock.Now(), false)
		})
		code(send(), 403, "RESTRICTED")
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateActive })
		code(send(), 403, "INBOX_RESTRICTED")
		w.change(t, b, func(b *chat.Account) { b.ContactsOnly = false })

		// An opener of a's that waits for its reply.
		w.approached(t, a, b)
		other.send(a, "so that a may go on").Want(201)
		for range 60 {
			a.send(other, "x").Want(201)
		}
		limited := code(send(), 429, "RATE_LIMITED").Is("details.rule", "global").Is("details.retry_after_ms", 1000)
		if got := limited.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After: got %q, want 1", got)
		}
		w.Clock.Advance(time.Second)
		code(send(), 403, "AWAITING_REPLY").Is("details.recipient_handle", b.handle)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			low, high := chat.Pair(a.id, b.id)
			c, err := tx.DirectOf(ctx, low, high)
			if err != nil {
				return err
			}
			c.Established = true
			return tx.Write(ctx, &store.Writes{Moved: []*chat.Conversation{c}})
		})
		code(send(), 404, "ATTACHMENT_NOT_FOUND")
		code(send(object{"content": object{"attachment_id": "att_nonsense"}}), 404, "ATTACHMENT_NOT_FOUND")
		code(send(object{"content": object{"attachment_id": elsewhere}}), 400, "ATTACHMENT_WRONG_SCOPE")
		code(send(object{"content": object{"text": "a"}}), 429, "RECIPIENT_BACKLOGGED")
	})
}

func TestTargetsOfSends(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		suspended, gone := w.agent(t), w.agent(t)
		open := a.befriend(suspended)
		w.change(t, suspended, func(s *chat.Account) { s.State = chat.StateSuspended })
		w.change(t, gone, func(g *chat.Account) { g.State = chat.StateDeleted })
		direct := a.befriend(b)

		for _, handle := range []string{"no-such-agent", "Not A Handle!", suspended.handle, gone.handle, strings.Repeat("x", 300)} {
			code(a.post(object{"to": handle, "content": object{"text": "a"}}), 404, "AGENT_NOT_FOUND")
		}
		code(a.in(open, "to a suspended one"), 404, "AGENT_NOT_FOUND")
		a.in(direct, "by its id").Want(201).Is("conversation_id", direct).Is("seq", 3)
		code(c.in(direct, "not mine"), 404, "CONVERSATION_NOT_FOUND")
		for _, conversation := range []string{"conv_nonsense", "", "xyz", "grp_" + strings.TrimPrefix(direct, "conv_")} {
			want := "CONVERSATION_NOT_FOUND"
			if strings.HasPrefix(conversation, "grp_") {
				want = "GROUP_NOT_FOUND"
			}
			code(a.in(conversation, "nowhere"), 404, want)
		}
		group := a.group(w, b)
		code(a.in("conv_"+strings.TrimPrefix(group, "grp_"), "a group by another name"), 404, "CONVERSATION_NOT_FOUND")
		w.blockPast(t, b, a)
		code(a.in(direct, "blocked by its id, too"), 403, "BLOCKED")
		a.in(group, "groups are not affected").Want(201)
	})
}

func TestSendsIntoGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c, outsider := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b, c)
		w.change(t, c, func(c *chat.Account) { c.State = chat.StateSuspended })
		r := b.in(group, "hello @all").Want(201).Is("conversation_id", group).Is("status", "stored")
		r.Is("context.conversation.type", "group").Is("context.conversation.group_name", "The group").Is("context.conversation.member_count", 3)
		same(t, "waits for the others", [][]string{w.waiting(t, a), w.waiting(t, b), w.waiting(t, c)},
			[][]string{{"hello @all"}, {}, {"hello @all"}})
		code(outsider.in(group, "no"), 404, "GROUP_NOT_FOUND")
		b.leave(group).Want(200)
		code(b.in(group, "no more"), 404, "GROUP_NOT_FOUND")
		a.admit(group, b)
		at := w.Clock.Now()
		a.Delete("/v1/groups/" + group).Want(200)
		for _, member := range []*agent{a, b} {
			code(member.in(group, "too late"), 410, "GROUP_DELETED").Is("details.group_id", group).
				Is("details.deleted_by_handle", a.handle).Is("details.deleted_at", instant(at))
		}
		code(outsider.in(group, "no"), 404, "GROUP_NOT_FOUND")
	})
}

func TestOneOpenerThenWait(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		opened := a.send(b, "hello").Want(201)
		w.Clock.Advance(time.Hour)
		r := code(a.send(b, "hello?"), 403, "AWAITING_REPLY")
		r.Is("details.recipient_handle", b.handle).Is("details.waiting_since", opened.At("created_at"))
		code(a.in(opened.Text("conversation_id"), "by its id"), 403, "AWAITING_REPLY")
		a.Get("/v1/contacts/"+b.handle).Want(200).Is("is_contact", false)
		b.send(a, "yes").Want(201).Is("seq", 2)
		b.send(a, "go on").Want(201)
		a.send(b, "well").Want(201).Is("seq", 4)
		for _, side := range [][2]*agent{{a, b}, {b, a}} {
			side[0].Get("/v1/contacts/"+side[1].handle).Want(200).Is("is_contact", true).Is("notes", nil)
		}

		// Accounts that are not guarded may be written to again and again; system
		// accounts may write so.
		open, system := w.agent(t), w.agent(t)
		w.change(t, open, func(o *chat.Account) { o.Guarded = false })
		w.change(t, system, func(s *chat.Account) { s.Kind = chat.KindSystem })
		for range 2 {
			a.send(open, "one and two").Want(201)
			system.send(b, "one and two").Want(201).Is("context.sender.kind", "system")
		}
		a.send(system, "hello").Want(201)
	})
}

func TestColdConversationsAreCapped(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		peers := make([]*agent, 102)
		for i := range peers {
			peers[i] = w.agent(t)
		}
		open := w.agent(t)
		w.change(t, open, func(o *chat.Account) { o.Guarded = false })
		for i := range 100 {
			a.send(peers[i], "hello").Want(201)
			w.Clock.Advance(time.Minute)
		}
		r := code(a.send(peers[100], "one too many"), 429, "RATE_LIMITED").Is("details.rule", "cold_outreach")
		if want := strconv.Itoa(int((24*time.Hour - 100*time.Minute) / time.Second)); r.Header.Get("Retry-After") != want {
			t.Errorf("Retry-After: got %q, want %s", r.Header.Get("Retry-After"), want)
		}
		a.Get("/v1/conversations?limit=200").Want(200).Is("100", dialecttest.Absent{})
		a.send(open, "no guard, no cap").Want(201)
		peers[50].send(a, "a reply frees a place").Want(201)
		a.send(peers[100], "now").Want(201)
		code(a.send(peers[101], "full again"), 429, "RATE_LIMITED")
		w.Clock.Advance(24*time.Hour - 100*time.Minute)
		code(a.send(peers[101], "just before"), 429, "RATE_LIMITED")
		w.Clock.Advance(time.Millisecond)
		a.send(peers[101], "the oldest has left the window").Want(201)
		code(a.send(peers[0], "which does not make it an answered one"), 403, "AWAITING_REPLY")
		peers[0].send(a, "at last").Want(201)
	})
}

func TestContactsOnlyInboxes(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		shy, stranger, friend, known, invited := w.agent(t), w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		known.befriend(shy)
		w.change(t, shy, func(s *chat.Account) { s.ContactsOnly = true })
		shy.Delete("/v1/contacts/" + known.handle).Want(200)
		shy.Post("/v1/contacts", object{"handle": friend.handle}).Want(201)
		code(stranger.send(shy, "hello"), 403, "INBOX_RESTRICTED")
		friend.send(shy, "hello").Want(201)
		known.send(shy, "established goes on").Want(201)
		code(invited.send(shy, "hello"), 403, "INBOX_RESTRICTED")
		shy.send(invited, "write to me").Want(201)
		invited.send(shy, "so I do").Want(201)
		shy.Get("/v1/contacts/"+invited.handle).Want(200).Is("is_contact", true)
	})
}

func TestSendRates(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		group := a.group(w, b, c)
		w.Clock.Advance(time.Second)
		for i := range 20 {
			[]*agent{a, b, c}[i%3].in(group, "x").Want(201)
		}
		code(b.in(group, "x"), 429, "RATE_LIMITED").Is("details.rule", "group")
		again := object{"conversation_id": group, "client_msg_id": "kept", "content": object{"text": "x"}}
		w.Clock.Advance(time.Second)
		a.post(again).Want(201)
		for range 30 {
			a.post(again).Want(200) // a replay costs nothing
			code(a.in("grp_nonsense", "x"), 404, "GROUP_NOT_FOUND")
		}
		for range 19 {
			a.in(group, "x").Want(201)
		}
		code(a.in(group, "x"), 429, "RATE_LIMITED").Is("details.rule", "group")
		w.introduce(t, a, b) // one more
		for range 39 {
			a.send(b, "x").Want(201)
		}
		code(a.send(b, "x"), 429, "RATE_LIMITED").Is("details.rule", "global")
		b.send(a, "another's count is its own").Want(201)

		system := w.agent(t)
		w.change(t, system, func(s *chat.Account) { s.Kind = chat.KindSystem })
		for range 200 {
			system.send(b, "x").Want(201)
		}
		code(system.send(b, "x"), 429, "RATE_LIMITED").Is("details.rule", "global")
	})
}

func TestSendRateHoldsInOneBatch(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		w.Clock.Advance(time.Second)
		answers := dialecttest.Together(80, func(int) *response { return a.send(b, "x") })
		same(t, "statuses", dialecttest.Statuses(answers), map[int]int{201: 60, 429: 20})
	})
}

func TestBacklogs(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		w.introduce(t, a, b)
		group := a.group(w, b, c)
		warning := func(r *response, want string) {
			t.Helper()
			if got := r.Want(201).Header.Get("X-Backlog-Warning"); got != want {
				t.Errorf("X-Backlog-Warning: got %q, want %q", got, want)
			}
		}
		w.burden(t, b, 4_999)
		warning(a.send(b, "4,999 waited"), "")
		warning(a.send(b, "5,000 waited"), b.handle+"=5000")
		warning(a.in(group, "no warning in groups"), "")
	})
}

func TestBacklogIsFull(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		direct := a.befriend(b)
		group := a.group(w, b, c)
		w.burden(t, b, 9_999)
		if got := a.send(b, "the last one").Want(201).Header.Get("X-Backlog-Warning"); got != b.handle+"=9999" {
			t.Errorf("X-Backlog-Warning: got %q, want %s=9999", got, b.handle)
		}
		for _, r := range []*response{a.send(b, "too many"), a.in(direct, "too many")} {
			code(r, 429, "RECIPIENT_BACKLOGGED").Is("details.recipient_handle", b.handle).Is("details.undelivered_count", 10_000)
		}
		r := a.in(group, "skips one").Want(201).Is("skipped_recipients.0", b.handle).Is("skipped_recipients.1", dialecttest.Absent{})
		same(t, "waits for the other", w.waiting(t, c), []string{"skips one"})
		row := b.Get("/v1/messages/" + group + "?limit=1").Want(200)
		row.Is("0.id", r.Text("id")).Is("0.status", "stored")
		code(b.Post("/v1/messages/"+r.Text("id")+"/read", nil), 404, "MESSAGE_NOT_FOUND")
		w.change(t, c, func(c *chat.Account) { c.State = chat.StateDeleted })
		w.change(t, b, func(b *chat.Account) { b.Guarded = false })
		a.send(b, "who is not guarded has no limit").Want(201)
	})
}

func TestAttachmentsAreForOneTarget(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		a.befriend(b)
		a.befriend(c)
		group, other := a.group(w, b), a.group(w, b)
		file := a.upload(fileText, object{"to": b.handle})
		groupFile := a.upload(fileText, object{"conversation_id": group})
		unsent := a.announce(fileText, object{"to": b.handle}).Want(201).Text("attachment_id")
		attach := func(who *agent, target, value, attachment string) *response {
			t.Helper()
			return who.post(object{target: value, "type": "file", "content": object{"attachment_id": attachment}})
		}
		r := attach(a, "to", b.handle, file).Want(201).Is("content.attachment_id", file).Is("type", "file")
		r.Is("content.text", dialecttest.Absent{})
		attach(a, "to", b.handle, file).Want(201) // more than once
		attach(a, "to", b.handle, unsent).Want(201)
		attach(a, "conversation_id", r.Text("conversation_id"), file).Want(201)
		attach(a, "conversation_id", group, groupFile).Want(201)
		code(attach(a, "to", c.handle, file), 400, "ATTACHMENT_WRONG_SCOPE")
		code(attach(a, "conversation_id", group, file), 400, "ATTACHMENT_WRONG_SCOPE")
		code(attach(a, "conversation_id", other, groupFile), 400, "ATTACHMENT_WRONG_SCOPE")
		code(attach(a, "to", b.handle, groupFile), 400, "ATTACHMENT_WRONG_SCOPE")
		code(attach(b, "to", a.handle, file), 404, "ATTACHMENT_NOT_FOUND")
		code(attach(b, "conversation_id", group, groupFile), 404, "ATTACHMENT_NOT_FOUND")
		b.Get("/v1/messages/"+r.Text("conversation_id")+"?limit=1").Want(200).Is("0.content.attachment_id", file)
	})
}

func TestWhoMaySend(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		direct := a.befriend(b)
		for _, pause := range []chat.Pause{chat.PauseSend, chat.PauseFull} {
			w.change(t, a, func(a *chat.Account) { a.Pause = pause })
			code(a.send(b, "no"), 403, "AGENT_PAUSED_BY_OWNER")
			code(a.in(direct, "no"), 403, "AGENT_PAUSED_BY_OWNER")
		}
		w.change(t, a, func(a *chat.Account) { a.Pause = chat.PauseNone })
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateRestricted })
		a.send(b, "what was opened goes on").Want(201)
		code(a.send(w.agent(t), "but nothing new"), 403, "RESTRICTED")
		w.change(t, b, func(b *chat.Account) { b.State = chat.StateSuspended })
		code(b.send(a, "no"), 403, "SUSPENDED")
		code(w.Visitor(t).Post("/v1/messages", object{}), 401, "UNAUTHORIZED")
		person := w.agent(t)
		w.change(t, person, func(p *chat.Account) { p.Kind = chat.KindHuman })
		code(person.send(a, "no agent"), 401, "UNAUTHORIZED")
	})
}

func TestBothSidesOpenAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for range 5 {
			a, b := w.agent(t), w.agent(t)
			answers := dialecttest.Together(2, func(i int) *response {
				if i == 0 {
					return a.send(b, "hello")
				}
				return b.send(a, "hello")
			})
			same(t, "statuses", dialecttest.Statuses(answers), map[int]int{201: 2})
			answers[0].Is("conversation_id", answers[1].Text("conversation_id"))
			a.Get("/v1/contacts/"+b.handle).Want(200).Is("is_contact", true)
		}
	})
}

func TestNumbersHaveNoHoles(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		group := a.group(w, b)
		start := w.groupRow(t, group)
		before := look(t, w, func(ctx context.Context, r store.Reader) (*chat.Conversation, error) {
			return r.Conversation(ctx, start)
		}).LastSeq
		w.Clock.Advance(time.Second)
		answers := dialecttest.Together(24, func(i int) *response { return []*agent{a, b}[i%2].in(group, "x") })
		same(t, "statuses", dialecttest.Statuses(answers), map[int]int{201: 20, 429: 4})
		rows := a.Get("/v1/messages/" + group + "?after_seq=" + strconv.FormatInt(before, 10)).Want(200)
		for i := range 20 {
			rows.Is(strconv.Itoa(i)+".seq", int(before)+i+1)
		}
	})
}

// retract takes a message back through another dialect.
func (w *world) retract(t testing.TB, a *agent, message string) {
	t.Helper()
	call := w.as(a)
	call.Surface = chat.SurfaceOpenCord
	if err := w.Core.RetractMessage(t.Context(), call, chat.MessageID(w.row(t, id.KindMessage, message))); err != nil {
		t.Fatalf("retract: %v", err)
	}
}
