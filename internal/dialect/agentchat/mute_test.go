package agentchat_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

func (w *world) agentID(a *agent) string { return w.shown("agt_", id.KindAccount, int64(a.id)) }

// direct makes a direct conversation in which number 1 was written and returns its id.
func (w *world) direct(t testing.TB, a, b *agent) string {
	t.Helper()
	w.approached(t, a, b)
	var n chat.ConversationID
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		low, high := chat.Pair(a.id, b.id)
		c, err := tx.DirectOf(ctx, low, high)
		if err == nil {
			n = c.ID
		}
		return err
	})
	return w.shown("conv_", id.KindConversation, int64(n))
}

func (a *agent) mute(body object) *response {
	a.T.Helper()
	return a.Post("/v1/mutes", body)
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func TestMuteOfAnAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		path, now := "/v1/mutes/agent/"+b.handle, w.Clock.Now()
		code(a.Get(path), 404, "NOT_FOUND")
		entry := func(r *response, until any) {
			t.Helper()
			r.Is("muter_agent_id", w.agentID(a)).Is("target_kind", "agent").Is("target_id", w.agentID(b)).
				Is("target_handle", b.handle).Is("muted_until", until).Is("created_at", instant(now))
		}
		entry(a.mute(object{"target_kind": "agent", "target_handle": "@" + b.handle}).Want(201), nil)
		entry(a.Get(path).Want(200), nil)
		w.Clock.Advance(time.Second)
		until := instant(w.Clock.Now().Add(time.Hour))
		entry(a.mute(object{"target_kind": "agent", "target_id": w.agentID(b), "muted_until": until}).Want(201), until)
		entry(a.Get(path).Want(200), until)
		code(b.Get("/v1/mutes/agent/"+a.handle), 404, "NOT_FOUND")

		a.Delete(path).Want(200).Is("ok", true)
		code(a.Delete(path), 404, "NOT_FOUND")
		code(a.Get(path), 404, "NOT_FOUND")
		code(a.Delete("/v1/mutes/agent/nobody-here"), 404, "NOT_FOUND")
	})
}

// The id of a system agent is its handle behind the prefix; nobody else's is.
func TestMuteOfASystemAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, system := w.agent(t), w.agent(t)
		w.change(t, system, func(s *chat.Account) { s.Kind = chat.KindSystem })
		a.mute(object{"target_kind": "agent", "target_id": "agt_" + system.handle}).Want(201).Is("target_id", "agt_"+system.handle)
		code(a.mute(object{"target_kind": "agent", "target_id": "agt_" + w.agent(t).handle}), 404, "AGENT_NOT_FOUND")
		system.mute(object{"target_kind": "agent", "target_handle": a.handle}).Want(201).
			Is("muter_agent_id", "agt_"+system.handle)
	})
}

func TestMuteOfAConversation(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		conv := w.direct(t, a, b)
		a.mute(object{"target_kind": "conversation", "target_id": conv}).Want(201).
			Is("target_kind", "conversation").Is("target_id", conv).Is("muted_until", nil).
			Is("target_handle", dialecttest.Absent{}).Is("muter_agent_id", w.agentID(a))
		path := "/v1/mutes/conversation/" + conv
		a.Get(path).Want(200).Is("target_id", conv)
		code(b.Get(path), 404, "NOT_FOUND")
		a.Delete(path).Want(200).Is("ok", true)
		code(a.Get(path), 404, "NOT_FOUND")
		code(a.Delete(path), 404, "NOT_FOUND")
	})
}

func TestMuteOfAGroup(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, former, outsider := w.agent(t), w.agent(t), w.agent(t)
		now := w.Clock.Now()
		g := chat.Group{MadeBy: chat.SurfaceAgentChat, Name: "G", CreatedBy: a.id, ByInvitation: true}
		g.Kind, g.CreatedAt = chat.ConversationGroup, now
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			g.ID = chat.ConversationID(n)
			members := []chat.Member{
				{Conversation: g.ID, Account: a.id, Role: chat.RoleAdmin, JoinedSeq: 1, JoinedAt: now},
				{Conversation: g.ID, Account: former.id, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: now},
			}
			if err := tx.InsertGroup(ctx, &g, members); err != nil {
				return err
			}
			members[1].LeftAt = now
			return tx.EndMember(ctx, members[1])
		})
		group := w.shown("grp_", id.KindConversation, int64(g.ID))
		body := object{"target_kind": "conversation", "target_id": group}
		a.mute(body).Want(201).Is("target_id", group)
		a.Get("/v1/mutes").Is("mutes.0.target_id", group)
		code(a.mute(object{"target_kind": "conversation", "target_id": "conv_" + group[len("grp_"):]}), 404, "CONVERSATION_NOT_FOUND")
		for _, who := range []*agent{former, outsider} {
			code(who.mute(body), 403, "NOT_PARTICIPANT")
		}
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			g.DeletedAt, g.DeletedBy = now, a.id
			return tx.UpdateGroup(ctx, &g)
		})
		code(a.mute(body), 404, "CONVERSATION_NOT_FOUND")
	})
}

func TestMuteRefusals(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		gone, suspended := w.agent(t), w.agent(t)
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		foreign, own := w.direct(t, b, c), w.direct(t, a, b)
		now := w.Clock.Now()
		for _, test := range []struct {
			body   object
			status int
			code   string
		}{
			{object{}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "group", "target_id": own}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "agent"}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "agent", "target_handle": 1}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "conversation", "target_handle": b.handle}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "agent", "target_handle": b.handle, "muted_until": "soon"}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "agent", "target_handle": b.handle, "muted_until": instant(now)}, 400, "VALIDATION_ERROR"},
			{object{"target_kind": "agent", "target_handle": a.handle}, 400, "SELF_MUTE"},
			{object{"target_kind": "agent", "target_id": w.agentID(a)}, 400, "SELF_MUTE"},
			{object{"target_kind": "agent", "target_handle": "nobody-here"}, 404, "AGENT_NOT_FOUND"},
			{object{"target_kind": "agent", "target_handle": gone.handle}, 404, "AGENT_NOT_FOUND"},
			{object{"target_kind": "agent", "target_handle": suspended.handle}, 404, "AGENT_NOT_FOUND"},
			{object{"target_kind": "agent", "target_id": "nonsense"}, 404, "AGENT_NOT_FOUND"},
			{object{"target_kind": "agent", "target_id": own}, 404, "AGENT_NOT_FOUND"},
			{object{"target_kind": "conversation", "target_id": "nonsense"}, 404, "CONVERSATION_NOT_FOUND"},
			{object{"target_kind": "conversation", "target_id": "grp_" + own[len("conv_"):]}, 404, "CONVERSATION_NOT_FOUND"},
			{object{"target_kind": "conversation", "target_id": w.shown("conv_", id.KindConversation, 1<<40)}, 404, "CONVERSATION_NOT_FOUND"},
			{object{"target_kind": "conversation", "target_id": foreign}, 403, "NOT_PARTICIPANT"},
		} {
			code(a.mute(test.body), test.status, test.code)
			w.Clock.Advance(time.Second)
		}
		if got := a.Get("/v1/mutes").Want(200).List("mutes"); len(got) != 0 {
			t.Errorf("mutes after refusals: got %v, want none", got)
		}
	})
}

// Writes of mutes, new, repeated and removed ones together, are 10 a second.
func TestMuteWritesAreLimited(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		body := object{"target_kind": "agent", "target_handle": b.handle}
		for i := range 10 {
			if i%2 == 0 {
				a.mute(body).Want(201)
			} else {
				a.Delete("/v1/mutes/agent/" + b.handle).Want(200)
			}
		}
		r := code(a.mute(body), 429, "RATE_LIMITED")
		if got := r.Header.Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After: got %q, want %q", got, "1")
		}
		code(a.Delete("/v1/mutes/agent/"+b.handle), 429, "RATE_LIMITED")
		a.Get("/v1/mutes").Want(200)
		b.mute(object{"target_kind": "agent", "target_handle": a.handle}).Want(201)
		w.Clock.Advance(time.Second)
		a.mute(body).Want(201)
	})
}

// A retry under an idempotency key is answered as before, counts against no limit
// and brings no mute back.
func TestMuteReplay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		body := object{"target_kind": "agent", "target_handle": b.handle}
		first := a.Post("/v1/mutes", body, "Idempotency-Key: mute-once-1").Want(201)
		a.Delete("/v1/mutes/agent/" + b.handle).Want(200)
		for range 12 {
			again := a.Post("/v1/mutes", body, "Idempotency-Key: mute-once-1").Want(201)
			if again.Raw != first.Raw {
				t.Errorf("replay: got %s, want %s", again.Raw, first.Raw)
			}
		}
		code(a.Get("/v1/mutes/agent/"+b.handle), 404, "NOT_FOUND")
	})
}

func TestMutesAreListedNewestFirst(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		conv := w.direct(t, a, b)
		want := []string{conv, w.agentID(c), w.agentID(b)}
		for _, body := range []object{
			{"target_kind": "agent", "target_handle": b.handle},
			{"target_kind": "agent", "target_handle": c.handle, "muted_until": instant(w.Clock.Now().Add(time.Minute))},
			{"target_kind": "conversation", "target_id": conv},
		} {
			a.mute(body).Want(201)
			w.Clock.Advance(time.Second)
		}
		list := func(query string, want ...string) {
			t.Helper()
			if got := a.Get("/v1/mutes"+query).Want(200).Texts("mutes", "target_id"); !slices.Equal(got, want) {
				t.Errorf("mutes%s: got %v, want %v", query, got, want)
			}
		}
		list("", want...)
		list("?kind=agent", want[1:]...)
		list("?kind=conversation", conv)
		code(a.Get("/v1/mutes?kind=group"), 400, "VALIDATION_ERROR")
		if got := b.Get("/v1/mutes").Want(200).List("mutes"); len(got) != 0 {
			t.Errorf("mutes of somebody else: got %v, want none", got)
		}
	})
}

// An account has at most 1,000 mutes that have not ended.
func TestMutesAreBounded(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		now := w.Clock.Now()
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			for i := range int64(1000) {
				m := chat.Mute{Owner: a.id, Kind: chat.MuteAccount, Target: 1<<40 + i, CreatedAt: now}
				if i < 2 {
					m.Until = now
				}
				if err := tx.SetMute(ctx, m); err != nil {
					return err
				}
			}
			return nil
		})
		for _, peer := range []*agent{b, c, b} { // the third is there
			a.mute(object{"target_kind": "agent", "target_handle": peer.handle}).Want(201)
		}
		body := object{"target_kind": "agent", "target_handle": w.agent(t).handle}
		code(a.mute(body), 400, "LIMIT_REACHED")
		if got := len(a.Get("/v1/mutes").Want(200).List("mutes")); got != 1000 {
			t.Errorf("mutes: got %d, want 1000", got)
		}
		a.Delete("/v1/mutes/agent/" + b.handle).Want(200)
		a.mute(body).Want(201)
	})
}

// A mute that has ended is as if it had never been, before and after it is purged.
func TestMuteEnds(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		body := object{"target_kind": "agent", "target_handle": b.handle, "muted_until": instant(w.Clock.Now().Add(time.Minute))}
		a.mute(body).Want(201)
		path := "/v1/mutes/agent/" + b.handle
		w.Clock.Advance(time.Minute - time.Millisecond)
		a.Get(path).Want(200)
		w.Clock.Advance(time.Millisecond)
		for range 2 {
			code(a.Get(path), 404, "NOT_FOUND")
			code(a.Delete(path), 404, "NOT_FOUND")
			if got := a.Get("/v1/mutes").Want(200).List("mutes"); len(got) != 0 {
				t.Errorf("mutes: got %v, want none", got)
			}
			if err := w.Core.Sweep(t.Context()); err != nil {
				t.Fatalf("sweep: %v", err)
			}
		}
		a.mute(object{"target_kind": "agent", "target_handle": b.handle}).Want(201).Is("created_at", instant(w.Clock.Now()))
	})
}

// The send path looks for mutes of those only who may have some.
func TestMutingIsNotedOnTheAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		muting := func(want bool) {
			t.Helper()
			if got := w.account(t, a).Muting; got != want {
				t.Errorf("muting: got %v, want %v", got, want)
			}
		}
		muting(false)
		for _, peer := range []*agent{b, c} {
			a.mute(object{"target_kind": "agent", "target_handle": peer.handle}).Want(201)
			muting(true)
		}
		a.Delete("/v1/mutes/agent/" + b.handle).Want(200)
		muting(true)
		a.Delete("/v1/mutes/agent/" + c.handle).Want(200)
		muting(false)
	})
}
