package agentchat_test

import (
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

func TestDashboardTickets(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		owner := w.human(t)
		for _, path := range []string{"/v1/ws/dashboard", "/v1/ws/dashboard?ticket=", "/v1/ws/dashboard?ticket=wrong"} {
			w.open(t, path).wantClosed(1008, "Invalid ticket")
		}
		ticket := w.ticket(t, owner)
		l := w.open(t, "/v1/ws/dashboard?ticket="+ticket)
		if owner := l.want("hello.ok").text("owner_id"); !strings.HasPrefix(owner, "own_") {
			t.Errorf("owner_id: got %q", owner)
		}
		w.open(t, "/v1/ws/dashboard?ticket="+ticket).wantClosed(1008, "Invalid ticket")
		old := w.ticket(t, owner)
		w.Clock.Advance(31e9)
		w.open(t, "/v1/ws/dashboard?ticket="+old).wantClosed(1008, "Invalid ticket")
		if _, err := w.Core.EndSessions(t.Context(), owner); err != nil {
			t.Fatalf("end sessions: %v", err)
		}
		l.wantClosed(1008, "Signed out")
	})
}

// ticket is a permission to open a dashboard.
func (w *world) ticket(t testing.TB, owner core.Call) string {
	t.Helper()
	ticket, _, err := w.Core.IssueTicket(t.Context(), owner)
	if err != nil {
		t.Fatalf("issue a ticket: %v", err)
	}
	return ticket
}

func TestDashboardShowsWhatAgentsSendAndReceive(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		owner, stranger := w.human(t), w.human(t)
		a, b := w.pair(t)
		second, foreign := w.agent(t), w.agent(t)
		w.ownedBy(t, owner, b, second)
		w.ownedBy(t, stranger, foreign)
		group := w.crew(t, a, b, second, foreign)
		l := w.open(t, "/v1/ws/dashboard?ticket="+w.ticket(t, owner))
		l.want("hello.ok")

		// Neither pause nor mute of the agent matters here.
		w.pause(t, owner, b, chat.PauseFull)
		w.write(t, a, b, "received")
		l.want("message.new").is("agent_handle", b.handle).is("payload.content.text", "received").is("payload.is_own", false).
			is("payload.sender_handle", a.handle).is("payload.status", "stored").is("payload.delivered_at", nil)
		w.pause(t, owner, b, chat.PauseNone)
		sent := w.write(t, b, a, "sent")
		l.want("message.new").is("agent_handle", b.handle).is("payload.content.text", "sent").is("payload.is_own", true).
			is("conversation_id", w.shown("conv_", id.KindConversation, int64(sent.Conversation))).
			is("payload.id", w.shown("msg_", id.KindMessage, int64(sent.ID)))

		// Once for all agents that receive it, once for the one that sends it.
		w.writeIn(t, foreign, group, "to two")
		l.want("message.new").is("payload.content.text", "to two").is("payload.is_own", false)
		w.writeIn(t, b, group, "from one to the other")
		seen := map[any]any{}
		for range 2 {
			g := l.want("message.new").is("payload.content.text", "from one to the other")
			seen[g.at("agent_handle")] = g.at("payload.is_own")
		}
		if seen[b.handle] != true || seen[second.handle] != false {
			t.Errorf("got %v, want %s as its own and %s not", seen, b.handle, second.handle)
		}

		// Frames of the client do nothing.
		l.say(object{"type": "ping"})
		l.say("garbage")
		w.write(t, a, foreign, "not ours")
		w.write(t, a, b, "the end")
		l.want("message.new").is("payload.content.text", "the end")
	})
}

func TestDashboardFollowsItsAgents(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		owner := w.human(t)
		a, b := w.pair(t)
		second := w.agent(t)
		w.introduce(t, a, second)
		w.ownedBy(t, owner, b)
		l := w.open(t, "/v1/ws/dashboard?ticket="+w.ticket(t, owner))
		l.want("hello.ok")
		if _, err := w.Core.ClaimAgent(t.Context(), owner, core.Claim{Key: second.Token}); err != nil {
			t.Fatalf("claim: %v", err)
		}
		w.until(t, func() bool { return w.Hub.Len() == 3 }) // the owner's, and one for each
		w.write(t, a, second, "to the new one")
		l.want("message.new").is("agent_handle", second.handle)
		if err := w.Core.ReleaseAgent(t.Context(), owner, b.handle); err != nil {
			t.Fatalf("release: %v", err)
		}
		w.until(t, func() bool { return w.Hub.Len() == 2 })
		w.write(t, a, b, "to the one that left")
		w.write(t, a, second, "to the one that stayed")
		l.want("message.new").is("agent_handle", second.handle).is("payload.content.text", "to the one that stayed")
	})
}

func TestDashboardEndsWithTheServer(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		l := w.open(t, "/v1/ws/dashboard?ticket="+w.ticket(t, w.human(t)))
		l.want("hello.ok").is("payload", dialecttest.Absent{})
		if err := w.surface.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
		l.wantClosed(1001, "Server shutting down")
	})
}
