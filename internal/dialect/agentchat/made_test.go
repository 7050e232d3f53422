package agentchat_test

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
)

// asPerson is a person's call through the dialect in which people make agents.
func (w *world) asPerson(t testing.TB, p *person) core.Call {
	t.Helper()
	admission, err := w.Core.Admit(t.Context(), core.Knock{
		Surface: chat.SurfaceAIClient, Bucket: p.Addr, Token: p.token(sessionCookie),
	})
	if err != nil || admission.Denied != nil {
		t.Fatalf("admit: %v, %v", err, admission.Denied)
	}
	return core.Call{Actor: admission.Actor, Surface: chat.SurfaceAIClient}
}

// made is an agent that a person has made in another dialect, with its key of there.
func (w *world) made(t testing.TB, p *person, name string) *agent {
	t.Helper()
	account, key, err := w.Core.CreateAgent(t.Context(), w.asPerson(t, p), core.NewAgentSpec{Name: name})
	if err != nil {
		t.Fatalf("make an agent: %v", err)
	}
	a := &agent{Client: w.Visitor(t), id: account.ID, handle: account.Handle}
	a.Token = key
	return a
}

// An agent that a person made speaks /v1 with the key it has, and stays that person's:
// neither can end that here.
func TestMadeAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, other := w.owner(t, "ada@example.org"), w.agent(t)
		a := w.made(t, p, "News Desk")
		if a.handle != "news-desk" {
			t.Errorf("handle: got %q, want news-desk", a.handle)
		}
		a.Get("/v1/agents/me").Want(200).Is("handle", a.handle).Is("display_name", "News Desk").Is("email", "").Is("status", "active")
		other.Get("/v1/agents/"+a.handle).Want(200).Is("display_name", "News Desk")
		other.befriend(a)
		p.Get("/dashboard/agents").Want(200).Is("agents.0.handle", a.handle)

		code(a.Delete("/v1/agents/"+a.handle), 403, "FORBIDDEN")
		code(p.Delete("/dashboard/agents/"+a.handle), 403, "FORBIDDEN")
		code(p.Post("/dashboard/agents/claim", object{"api_key": a.Token}), 409, "ALREADY_CLAIMED")
		code(a.Post("/v1/agents/"+a.handle+"/rotate-key", nil), 403, "FORBIDDEN") // there is no address to mail a code to
		a.Get("/v1/agents/me").Want(200)
		p.Get("/dashboard/agents").Want(200).Is("agents.0.handle", a.handle)
	})
}

// What the person who made an agent does to it shows on its sockets at once.
func TestMadeAgentsAreClosed(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		p := w.owner(t, "ada@example.org")
		by := w.asPerson(t, p)
		disabled := func(a *agent, on bool) error {
			_, err := w.Core.ChangeAgent(t.Context(), by, a.id, core.AgentChange{Disabled: chat.Some(on)})
			return err
		}
		for name, c := range map[string]struct {
			change func(a *agent) error
			reason string
		}{
			"disabling": {func(a *agent) error { return disabled(a, true) }, "Account suspended"},
			"a new key": {func(a *agent) error {
				_, err := w.Core.IssueAgentKey(t.Context(), by, a.id)
				return err
			}, "API key rotated"},
			"no key":  {func(a *agent) error { return w.Core.RevokeAgentKey(t.Context(), by, a.id) }, "API key rotated"},
			"removal": {func(a *agent) error { return w.Core.RemoveAgent(t.Context(), by, a.id) }, "Account deleted"},
		} {
			a, bystander := w.made(t, p, "A"), w.made(t, p, "B")
			own, watching := w.listen(t, a), w.listen(t, bystander)
			if err := c.change(a); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			own.wantClosed(1008, c.reason)
			watching.alive()
		}

		// Other changes close nothing, and a disabled agent comes back with its key.
		a := w.made(t, p, "A")
		l := w.listen(t, a)
		if _, err := w.Core.ChangeAgent(t.Context(), by, a.id, core.AgentChange{Name: chat.Some("C")}); err != nil {
			t.Fatalf("rename: %v", err)
		}
		l.alive()
		if err := disabled(a, true); err != nil {
			t.Fatalf("disable: %v", err)
		}
		l.wantClosed(1008, "Account suspended")
		if err := disabled(a, false); err != nil {
			t.Fatalf("enable: %v", err)
		}
		w.listen(t, a).alive()
	})
}

// A disabled agent is gone from the directory, and nobody can write to it.
func TestDisabledAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, other := w.owner(t, "ada@example.org"), w.agent(t)
		a := w.made(t, p, "News Desk")
		other.befriend(a)
		_, err := w.Core.ChangeAgent(t.Context(), w.asPerson(t, p), a.id, core.AgentChange{Disabled: chat.Some(true)})
		if err != nil {
			t.Fatalf("disable: %v", err)
		}
		code(a.Get("/v1/messages/sync"), 403, "SUSPENDED")
		code(other.send(a, "hi"), 404, "AGENT_NOT_FOUND")
		list := other.Get("/v1/directory?q=news").Want(200)
		if got := list.Texts("agents", "handle"); slices.Contains(got, a.handle) {
			t.Errorf("directory: got %v, want it without %s", got, a.handle)
		}
		events := p.Get("/dashboard/agents/" + a.handle + "/events").Want(200)
		events.Is("events.0.action", "agent.status_changed").Is("events.0.actor_type", "owner").Is("events.1.action", "agent.created")
		events.Is("events.2", dialecttest.Absent{})
	})
}

// The system accounts are told of an agent that a person made, as of any other, and
// not who made it.
func TestMadeAgentsAreAnnounced(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		p, system := w.owner(t, "ada@example.org"), w.agent(t)
		w.kind(t, system, chat.KindSystem)
		all := receive(t)
		system.hook(all.URL, "agent.created")
		a := w.made(t, p, "News Desk")
		w.deliver()
		d := all.get(t)
		d.is("event", "agent.created").is("data.handle", a.handle).is("data.display_name", "News Desk")
		if strings.Contains(d.raw, "ada") {
			t.Errorf("got %s, which tells of the owner", d.raw)
		}
	})
}
