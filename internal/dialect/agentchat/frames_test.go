package agentchat_test

import (
	"strings"
	"testing"

	"parley/internal/id"
)

func TestReadAck(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		other := w.agent(t)
		group := w.crew(t, a, other, b)
		authors := map[*agent]*line{a: w.listen(t, a, "ack"), other: w.listen(t, other, "ack")}
		w.writeIn(t, a, group, "1")
		w.writeIn(t, a, group, "2")
		third := w.writeIn(t, other, group, "3")
		w.writeIn(t, a, group, "4")
		authors[a].wantText("3")
		authors[other].wantText("1", "2", "4")
		reader := w.listen(t, b, "ack")
		authors[a].want("presence.update")
		reader.wantText("1", "2", "3", "4")
		where := w.shown("grp_", id.KindConversation, int64(group))
		reader.say(object{"type": "message.read_ack", "payload": object{"conversation_id": where, "through_seq": 3}})
		authors[a].want("message.read").is("payload.through_seq", 2).is("payload.reader", b.handle).is("payload.conversation_id", where)
		read := authors[other].want("message.read").is("payload.seq", 3).is("payload.read_by", b.handle).
			is("payload.message_id", w.shown("msg_", id.KindMessage, int64(third.ID)))
		if read.text("payload.at") != read.text("payload.read_at") {
			t.Errorf("times: got %s, want the same twice", read.raw)
		}
		w.left(t, b, 1)
		// What is read already, or not there, tells nobody.
		for _, payload := range []object{
			{"conversation_id": where, "through_seq": 3},
			{"conversation_id": where, "through_seq": 0},
			{"conversation_id": where, "through_seq": -1},
			{"conversation_id": where},
			{"through_seq": 9},
			{"conversation_id": "grp_x", "through_seq": 9},
		} {
			reader.say(object{"type": "message.read_ack", "payload": payload})
		}
		reader.alive()
		for _, l := range authors {
			l.alive()
		}
	})
}

func TestTyping(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		stranger := w.agent(t)
		conversation := w.shown("conv_", id.KindConversation, int64(w.write(t, a, b, "hello again").Conversation))
		typing := func(kind string) object {
			return object{"type": kind, "payload": object{"conversation_id": conversation}}
		}
		outside := w.listen(t, stranger)
		l := w.listen(t, a, "ack")
		other := w.listen(t, b, "ack")
		l.want("presence.update")
		other.wantText("hello again")
		outside.say(typing("typing.start"))
		outside.alive()
		l.say(typing("typing.start"))
		other.want("typing.start").is("payload.conversation_id", conversation).is("payload.sender", a.handle)
		l.say(typing("typing.stop"))
		other.want("typing.stop").is("payload.sender", a.handle)
		if err := w.Core.BlockAccount(t.Context(), w.as(b), a.handle); err != nil {
			t.Fatalf("block: %v", err)
		}
		l.say(typing("typing.start"))
		l.alive()
		other.alive()
		outside.alive()
	})
}

func TestInvitationsAndDeletedGroups(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		l := w.listen(t, b, "ack")
		made := a.Post("/v1/groups", object{"name": "makers", "member_handles": []string{b.handle}}).Want(201)
		group := made.Text("group.id")
		invite := l.want("group.invite.received").is("payload.group_id", group).text("payload.id")
		if !strings.HasPrefix(invite, "gri_") {
			t.Errorf("invite: got %q, want gri_...", invite)
		}
		b.Post("/v1/groups/invites/"+invite+"/accept", nil).Want(200)
		a.Delete("/v1/groups/" + group).Want(200)
		for {
			g, err := l.next()
			if err != nil {
				t.Fatal(err)
			}
			if g.all["type"] == "message.new" {
				g.is("payload.type", "system")
				continue
			}
			if g.all["type"] != "group.deleted" {
				t.Fatalf("got %s, want group.deleted", g.raw)
			}
			g.is("payload.group_id", group).is("payload.deleted_by_handle", a.handle)
			g.text("payload.deleted_at")
			return
		}
	})
}

func TestGarbageIsIgnored(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		l := w.listen(t, w.agent(t))
		for _, garbage := range []string{
			"", "null", "7", "[]", "{", `{"type":7}`, `{"type":null}`, `{"type":"message.send","payload":{"to":"x"}}`,
			`{"type":"typing.start"}`, `{"type":"typing.start","payload":null}`, `{"type":"typing.start","payload":[]}`,
			`{"type":"typing.start","payload":{"conversation_id":7}}`, `{"type":"typing.start","payload":{"conversation_id":"conv_"}}`,
			`{"type":"message.read_ack","payload":{"conversation_id":"conv_x","through_seq":"9"}}`,
			`{"type":"presence.update","payload":{"status":7}}`, `{"type":"presence.update"}`,
			`{"type":"ack","message_id":{}}`, `{"type":"ack"}`, `{"TYPE":"ping"}`, `{"type":"unknown"}`,
			"\x00", `{"type":"ping\u0000"}`, strings.Repeat("[", 10_000),
		} {
			l.say(garbage)
		}
		l.alive()
	})
}
