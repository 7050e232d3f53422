package agentchat_test

import (
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
)

func TestConversationsAreListed(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a, b := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.DisplayName, a.Avatar = "Anna", "x/y.png" })
		me.Get("/v1/conversations").Want(200).Is("0", dialecttest.Absent{})
		one := a.send(me, "hello\n\n\r\nthere").Want(201)
		w.Clock.Advance(time.Minute)
		group := me.group(w, b)
		w.Clock.Advance(time.Minute)
		two := me.send(b, strings.Repeat("é", 141)).Want(201)

		list := me.Get("/v1/conversations").Want(200)
		same(t, "ids", list.Texts("", "id"), []string{two.Text("conversation_id"), group, one.Text("conversation_id")})
		list.Is("0.type", "direct").Is("0.kind", "direct").Is("0.participants.0.handle", b.handle).Is("0.peer.handle", b.handle)
		list.Is("0.last_message_preview", strings.Repeat("é", 140)).Is("0.last_message_is_own", true).Is("0.last_message_type", "text")
		list.Is("0.last_message_at", two.At("created_at")).Is("0.updated_at", two.At("created_at"))
		list.Is("0.unread_count", 0).Is("0.oldest_unread_seq", nil).Is("0.newest_unread_seq", nil).Is("0.is_muted", false)
		list.Is("0.group_name", nil).Is("0.group_avatar_url", nil).Is("0.group_member_count", nil)
		list.Is("1.type", "group").Is("1.kind", "group").Is("1.participants.0", dialecttest.Absent{}).Is("1.peer", nil)
		list.Is("1.group_name", "The group").Is("1.group_member_count", 2).Is("1.last_message_preview", "System update")
		list.Is("1.last_message_type", "system")
		list.Is("2.participants.0.display_name", "Anna").Is("2.last_message_preview", "hello there").Is("2.last_message_is_own", false)
		list.Is("2.unread_count", 1).Is("2.oldest_unread_seq", 1).Is("2.newest_unread_seq", 1).Is("3", dialecttest.Absent{})
		if url := list.Text("2.participants.0.avatar_url"); !strings.HasSuffix(url, "/x/y.png") {
			t.Errorf("avatar_url: got %q, want a link to x/y.png", url)
		}

		same(t, "a page", me.Get("/v1/conversations?limit=1&offset=1").Want(200).Texts("", "id"), []string{group})
		me.Get("/v1/conversations?limit=100000&offset=3").Want(200).Is("0", dialecttest.Absent{})
		for _, query := range []string{"limit=0", "limit=x", "limit=-1", "offset=-1", "offset=1.5"} {
			code(me.Get("/v1/conversations?"+query), 400, "VALIDATION_ERROR")
		}
		code(w.Visitor(t).Get("/v1/conversations"), 401, "UNAUTHORIZED")
	})
}

func TestPreviews(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		file := a.upload(fileText, object{"to": b.handle})
		for _, test := range []struct {
			want string
			body object
		}{
			{"text", object{"content": object{"text": "text", "attachment_id": file}}},
			{"Attachment", object{"type": "file", "content": object{"attachment_id": file}}},
			{"Attachment", object{"content": object{"attachment_id": file}}},
			{"[file]", object{"type": "file", "content": object{"attachment_id": file, "text": "with a text"}}},
			{"[structured]", object{"type": "structured", "content": object{"data": object{"a": 1}, "text": "t"}}},
			{"[text]", object{"content": object{"data": object{"a": 1}}}},
		} {
			test.body["to"] = b.handle
			a.post(test.body).Want(201)
			b.Get("/v1/conversations").Want(200).Is("0.last_message_preview", test.want)
		}
	})
}

func TestListGoesByWhatIsVisible(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a, b := w.agent(t), w.agent(t), w.agent(t)
		first, second := me.befriend(a), me.befriend(b)
		w.Clock.Advance(time.Minute)
		last := a.send(me, "to be hidden").Want(201)
		order := func(want ...string) *response {
			t.Helper()
			list := me.Get("/v1/conversations").Want(200)
			same(t, "ids", list.Texts("", "id"), want)
			return list
		}
		order(first, second)
		me.Delete("/v1/messages/" + last.Text("id")).Want(200)
		w.Clock.Advance(time.Minute)
		b.send(me, "newer").Want(201)
		order(second, first).Is("1.last_message_preview", "hello yourself").Is("1.unread_count", 1)
		a.Get("/v1/conversations").Want(200).Is("0.last_message_preview", "to be hidden")

		w.retract(t, b, b.send(me, "taken back").Want(201).Text("id"))
		me.Get("/v1/conversations").Want(200).Is("0.last_message_preview", "taken back") // a guarded recipient keeps its copy
		b.Get("/v1/conversations").Want(200).Is("0.last_message_preview", "newer")
	})
}

func TestMutedConversationsAreMarked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a, b := w.agent(t), w.agent(t), w.agent(t)
		one, two := me.befriend(a), me.befriend(b)
		muted := func(want map[string]bool) {
			t.Helper()
			got := map[string]bool{}
			list := me.Get("/v1/conversations").Want(200)
			for i, id := range list.Texts("", "id") {
				got[id] = list.At(string(rune('0'+i))+".is_muted") == true
			}
			same(t, "muted", got, want)
		}
		muted(map[string]bool{one: false, two: false})
		me.mute(object{"target_kind": "agent", "target_handle": a.handle, "muted_until": instant(w.Clock.Now().Add(time.Hour))}).Want(201)
		muted(map[string]bool{one: true, two: false})
		me.mute(object{"target_kind": "conversation", "target_id": two}).Want(201)
		w.Clock.Advance(time.Hour)
		muted(map[string]bool{one: false, two: true})
	})
}

func TestHiddenConversationsComeBackWithNews(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		me, a := w.agent(t), w.agent(t)
		direct := a.befriend(me)
		waits := a.send(me, "not delivered").Want(201)
		for range 2 {
			me.Delete("/v1/conversations/"+direct).Want(200).Is("ok", true).Is("hidden", true)
		}
		me.Get("/v1/conversations").Want(200).Is("0", dialecttest.Absent{})
		me.Get("/v1/messages/"+direct).Want(200).Is("0", dialecttest.Absent{})
		me.Get("/v1/conversations/"+direct+"/context").Want(200).Is("unread.count", 0)
		a.Get("/v1/messages/"+direct).Want(200).Is("2.seq", 1)
		sync := me.Get("/v1/messages/sync").Want(200)
		if got := sync.Texts("", "id"); got[len(got)-1] != waits.Text("id") {
			t.Errorf("sync: got %v, want the hidden message %s last", got, waits.Text("id"))
		}

		a.send(me, "news").Want(201)
		list := me.Get("/v1/conversations").Want(200).Is("0.id", direct).Is("0.last_message_preview", "news")
		list.Is("0.unread_count", 1).Is("0.oldest_unread_seq", 4)
		me.Get("/v1/messages/"+direct).Want(200).Is("0.seq", 4).Is("1", dialecttest.Absent{})
		code(me.Get("/v1/messages/"+direct+"?around_message_id="+waits.Text("id")), 404, "MESSAGE_NOT_FOUND")
		me.Delete("/v1/conversations/" + direct).Want(200)
		me.Get("/v1/conversations").Want(200).Is("0", dialecttest.Absent{})

		// The other dialects do not show what was hidden either.
		call := w.as(me)
		call.Surface = chat.SurfaceOpenCord
		page, err := w.Core.ListMessages(t.Context(), call, core.HistoryPage{Kind: chat.ConversationDirect, Conversation: w.groupRow(t, direct)})
		if err != nil || len(page.Messages) != 0 {
			t.Errorf("history elsewhere: got %+v, %v, want nothing", page, err)
		}

		group := me.Post("/v1/groups", object{"name": "empty"}).Want(201).Text("group.id")
		me.Get("/v1/conversations").Want(200).Is("0.id", group).Is("0.last_message_at", nil).Is("0.last_message_preview", nil)
		me.Delete("/v1/conversations/" + group).Want(200)
		me.Get("/v1/conversations").Want(200).Is("0", dialecttest.Absent{})
		me.in(group, "hello me").Want(201)
		me.Get("/v1/conversations").Want(200).Is("0.id", group)
		me.Get("/v1/groups/" + group).Want(200)
	})
}

func TestParticipants(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		direct, group := a.befriend(b), c.group(w, b, a)
		r := a.Get("/v1/conversations/" + direct + "/participants").Want(200)
		r.Is("0.handle", b.handle).Is("0.display_name", nil).Is("0.avatar_url", nil).Is("1", dialecttest.Absent{})
		same(t, "members", a.Get("/v1/conversations/"+group+"/participants").Want(200).Texts("", "handle"),
			[]string{c.handle, b.handle, a.handle})
		w.change(t, b, func(b *chat.Account) { b.State = chat.StateDeleted })
		a.Get("/v1/conversations/"+direct+"/participants").Want(200).Is("0.handle", b.handle)
	})
}

func TestContextOfAConversation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		direct := a.send(b, "hello").Want(201).Text("conversation_id")
		r := b.Get("/v1/conversations/" + direct + "/context").Want(200)
		r.Is("conversation_id", direct).Is("type", "direct").Is("group", nil).Is("counterparty.handle", a.handle)
		r.Is("relationship.is_contact", false).Is("relationship.added_at", nil).Is("relationship.note", nil)
		r.Is("unread.count", 1).Is("unread.oldest_seq", 1).Is("unread.newest_seq", 1)
		b.send(a, "hello").Want(201)
		b.Patch("/v1/contacts/"+a.handle, object{"notes": "a friend"}).Want(200)
		r = b.Get("/v1/conversations/" + direct + "/context").Want(200)
		r.Is("relationship.is_contact", true).Is("relationship.added_at", instant(w.Clock.Now())).Is("relationship.note", "a friend")

		group := a.group(w, b)
		a.Patch("/v1/groups/"+group, object{"description": "ours"}).Want(200)
		r = b.Get("/v1/conversations/" + group + "/context").Want(200)
		r.Is("type", "group").Is("group.name", "The group").Is("group.description", "ours").Is("group.member_count", 2)
		r.Is("group.your_role", "member").Is("counterparty", nil).Is("relationship", nil)
		a.Get("/v1/conversations/"+group+"/context").Want(200).Is("group.your_role", "admin")
	})
}

func TestConversationsOfOthers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		direct, group, left := a.befriend(b), a.group(w, b), a.group(w, b)
		b.leave(left).Want(200)
		at := w.Clock.Now()
		paths := func(id string) []*response {
			return []*response{
				c.Get("/v1/conversations/" + id + "/participants"), c.Get("/v1/conversations/" + id + "/context"),
				c.Get("/v1/messages/" + id), c.Delete("/v1/conversations/" + id),
			}
		}
		for _, id := range []string{direct, group, "conv_nonsense", "grp_nonsense", "nonsense", "conv_" + strings.TrimPrefix(group, "grp_")} {
			for _, r := range paths(id) {
				code(r, 404, "CONVERSATION_NOT_FOUND")
			}
		}
		c = b
		for _, r := range paths(left) {
			code(r, 404, "CONVERSATION_NOT_FOUND")
		}
		for _, r := range paths("grp_" + strings.TrimPrefix(direct, "conv_")) {
			code(r, 404, "CONVERSATION_NOT_FOUND")
		}
		a.Delete("/v1/groups/" + group).Want(200)
		for _, r := range paths(group) {
			code(r, 410, "GROUP_DELETED").Is("details.group_id", group).Is("details.deleted_by_handle", a.handle).
				Is("details.deleted_at", instant(at))
		}
		same(t, "list", b.Get("/v1/conversations").Want(200).Texts("", "id"), []string{direct})

		// One without messages is there for those who made it, and not here.
		call := w.as(a)
		call.Surface = chat.SurfaceOpenCord
		if _, _, err := w.Core.OpenDirect(t.Context(), call, w.agent(t).id); err != nil {
			t.Fatalf("open: %v", err)
		}
		same(t, "list", a.Get("/v1/conversations").Want(200).Texts("", "id"), []string{direct, left})
	})
}
