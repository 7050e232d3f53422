package agentchat_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// approached makes a the one who wrote to each of peers first.
func (w *world) approached(t testing.TB, a *agent, peers ...*agent) {
	t.Helper()
	now := w.Clock.Now()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		for _, p := range peers {
			n, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			low, high := chat.Pair(a.id, p.id)
			err = tx.InsertDirect(ctx, &chat.Conversation{
				ID: chat.ConversationID(n), Kind: chat.ConversationDirect, Low: low, High: high,
				LastSeq: 1, LastAt: now, Initiator: a.id, OpenedAt: now, CreatedAt: now,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// agents makes n agents.
func (w *world) agents(t testing.TB, n int) []*agent {
	t.Helper()
	list := make([]*agent, n)
	for i := range list {
		list[i] = w.agent(t)
	}
	return list
}

// account reads an agent's account past the core.
func (w *world) account(t testing.TB, a *agent) *chat.Account {
	t.Helper()
	var account *chat.Account
	w.Update(t, func(ctx context.Context, tx store.Tx) (err error) {
		account, err = tx.Account(ctx, a.id)
		return err
	})
	return account
}

// state asserts an agent's state.
func (w *world) state(t testing.TB, a *agent, what string, want chat.AccountState) {
	t.Helper()
	if got := w.account(t, a).State; got != want {
		t.Errorf("%s: got state %s, want %s", what, got, want)
	}
}

func (a *agent) block(b *agent) *response {
	a.T.Helper()
	return a.Post("/v1/contacts/"+b.handle+"/block", nil)
}

func (a *agent) report(b *agent) *response {
	a.T.Helper()
	return a.Post("/v1/contacts/"+b.handle+"/report", nil)
}

// blocks tells whether one agent blocks another.
func (w *world) blocks(t testing.TB, a, b *agent) bool {
	t.Helper()
	err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		_, err := r.Block(ctx, store.Edge{Owner: a.id, Target: b.id})
		return err
	})
	return err == nil
}

func TestBlockIsIdempotentAndOnesOwn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.Post("/v1/contacts", object{"handle": b.handle}).Want(201)
		for range 2 {
			a.block(b).Want(200).Is("ok", true)
		}
		if !w.blocks(t, a, b) || w.blocks(t, b, a) {
			t.Errorf("blocks: got %v and %v, want true and false", w.blocks(t, a, b), w.blocks(t, b, a))
		}
		a.Get("/v1/contacts/"+b.handle).Is("is_contact", true) // blocking does not remove the contact

		code(b.Delete("/v1/contacts/"+a.handle+"/block"), 404, "NOT_FOUND")
		a.Delete("/v1/contacts/"+b.handle+"/block").Want(200).Is("ok", true)
		code(a.Delete("/v1/contacts/"+b.handle+"/block"), 404, "NOT_FOUND")
		code(a.Delete("/v1/contacts/nobody-here/block"), 404, "NOT_FOUND")
		if w.blocks(t, a, b) {
			t.Error("the block is there after it was taken back")
		}
	})
}

func TestBlockStopsBothDirections(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriend(b)
		a.block(b).Want(200)
		code(a.send(b, "after all"), 403, "BLOCKED")
		code(b.send(a, "please"), 403, "BLOCKED")
		a.Delete("/v1/contacts/" + b.handle + "/block").Want(200)
		b.send(a, "thanks").Want(201)
	})
}

func TestBlockAndReportRefusals(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, system := w.agent(t), w.agent(t)
		w.change(t, system, func(s *chat.Account) { s.Kind = chat.KindSystem })
		for _, act := range []string{"/block", "/report"} {
			for _, test := range []struct {
				handle string
				status int
				code   string
			}{
				{a.handle, 400, "VALIDATION_ERROR"},
				{"nobody-here", 404, "AGENT_NOT_FOUND"},
				{system.handle, 409, "SYSTEM_AGENT_PROTECTED"},
			} {
				code(a.Post("/v1/contacts/"+test.handle+act, nil), test.status, test.code)
			}
		}
	})
}

// Whose account has come to an end can still be blocked and reported.
func TestBlockReachesWhoMayNotAct(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, suspended, gone := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		a.block(suspended).Want(200)
		a.block(gone).Want(200)
		a.report(suspended).Want(200)
		a.Delete("/v1/contacts/" + gone.handle + "/block").Want(200)
	})
}

func TestReportIsTakenOnceEver(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		path := "/v1/contacts/" + b.handle + "/report"
		long := strings.Repeat("é", 1000)
		for _, body := range []any{object{"reason": long + "x"}, object{"reason": 1}, object{"reason": "a\x00"}} {
			code(a.Post(path, body), 400, "VALIDATION_ERROR")
		}
		if w.blocks(t, a, b) {
			t.Error("a refused report blocks")
		}
		a.Post(path, object{"reason": long}).Want(200).Is("ok", true)
		if !w.blocks(t, a, b) {
			t.Error("a report does not block")
		}
		a.Delete("/v1/contacts/" + b.handle + "/block").Want(200)
		w.Clock.Advance(30 * 24 * time.Hour)
		code(a.Post(path, object{}), 409, "ALREADY_REPORTED")
		if w.blocks(t, a, b) {
			t.Error("a report that was refused as a second one blocks")
		}
		c.Post(path, object{}).Want(200)
	})
}

// A report keeps what the target last wrote to the reporter, 20 messages at most.
func TestReportKeepsEvidence(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriend(b)
		for i := range 21 {
			b.send(a, fmt.Sprintf("spam %d", i)).Want(201)
			w.Clock.Advance(time.Second)
		}
		a.send(b, "stop").Want(201)
		a.Post("/v1/contacts/"+b.handle+"/report", object{"reason": "spam"}).Want(200)
		var got *store.Report
		w.Update(t, func(ctx context.Context, tx store.Tx) (err error) {
			got, err = tx.Report(ctx, store.Edge{Owner: a.id, Target: b.id})
			return err
		})
		if got.Reason != "spam" || len(got.Evidence) != 20 {
			t.Fatalf("report: got reason %q and %d messages, want %q and 20", got.Reason, len(got.Evidence), "spam")
		}
		if first, last := got.Evidence[0].Message.Text, got.Evidence[19].Message.Text; first != "spam 20" || last != "spam 1" {
			t.Errorf("evidence: got %q to %q, want %q to %q", first, last, "spam 20", "spam 1")
		}
	})
}
