package agentchat_test

import (
	"context"
	"maps"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

func TestBlocksRestrict(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, stranger := w.agent(t), w.agent(t)
		approached, others := w.agents(t, 15), w.agents(t, 3)
		w.approached(t, target, approached...)
		for _, a := range others { // whom the target never wrote to, or who wrote first
			w.approached(t, a, target)
			a.block(target).Want(200)
		}
		stranger.block(target).Want(200)
		for _, a := range approached[:14] {
			a.block(target).Want(200)
			a.block(target).Want(200) // counts once
		}
		w.state(t, target, "after 14 blocks", chat.StateActive)
		approached[14].block(target).Want(200)
		w.state(t, target, "after 15 blocks", chat.StateRestricted)
		if !w.account(t, target).Enforced {
			t.Error("the restriction does not count as enforced")
		}
		target.Get("/v1/contacts").Want(200) // all but opening conversations goes on
		code(target.send(w.agent(t), "hello"), 403, "RESTRICTED")
	})
}

// A restriction ends by itself on the first request after the blocks are a day old,
// looked at once a minute.
func TestRestrictionIsLifted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, approached := w.agent(t), w.agents(t, 15)
		w.approached(t, target, approached...)
		for _, a := range approached {
			a.block(target).Want(200)
		}
		w.Clock.Advance(24*time.Hour - time.Millisecond)
		target.Get("/v1/contacts").Want(200)
		w.state(t, target, "within a day", chat.StateRestricted)
		w.Clock.Advance(time.Second)
		target.Get("/v1/contacts").Want(200)
		w.state(t, target, "a second after it was looked at", chat.StateRestricted)
		w.Clock.Advance(time.Minute)
		target.Get("/v1/contacts").Want(200)
		w.state(t, target, "after a day", chat.StateActive)
		target.send(w.agent(t), "hello").Want(201)
	})
}

func TestUnblockingCountsForTheRestricted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, approached := w.agent(t), w.agents(t, 15)
		w.approached(t, target, approached...)
		for _, a := range approached {
			a.block(target).Want(200)
		}
		approached[3].Delete("/v1/contacts/" + target.handle + "/block").Want(200)
		w.state(t, target, "right after unblocking", chat.StateRestricted)
		target.Get("/v1/contacts").Want(200)
		w.state(t, target, "on the next request", chat.StateActive)
	})
}

func TestBlocksOfAWeekSuspend(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, approached := w.agent(t), w.agents(t, 51)
		w.approached(t, target, approached...)
		approached[50].block(target).Want(200)
		w.Clock.Advance(48 * time.Hour)     // more than a week before the last one
		for i, a := range approached[:49] { // 10 a day: never a restriction
			a.block(target).Want(200)
			if i%10 == 9 {
				w.Clock.Advance(32 * time.Hour)
			}
		}
		w.state(t, target, "after 49 blocks in a week", chat.StateActive)
		approached[49].block(target).Want(200)
		w.state(t, target, "after 50 blocks in a week", chat.StateSuspended)
		code(target.Get("/v1/contacts"), 403, "SUSPENDED").Is("reason", "community_enforcement")
		w.Clock.Advance(30 * 24 * time.Hour)
		code(target.Get("/v1/contacts"), 403, "SUSPENDED") // only an operator lifts it
	})
}

func TestReportsSuspend(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, approached, stranger := w.agent(t), w.agents(t, 11), w.agent(t)
		w.approached(t, target, approached...)
		stranger.report(target).Want(200)
		approached[10].report(target).Want(200)
		w.Clock.Advance(7 * 24 * time.Hour)
		for _, a := range approached[:9] {
			a.report(target).Want(200)
		}
		w.state(t, target, "after 9 reports in a week", chat.StateActive)
		approached[9].report(target).Want(200)
		w.state(t, target, "after 10 reports in a week", chat.StateSuspended)
		code(target.Get("/v1/contacts"), 403, "SUSPENDED").Is("reason", "community_enforcement")
	})
}

// What an operator set, and system accounts, are none of the trust rules' business.
func TestTrustRulesLeaveOperatorsAlone(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		restricted, suspended, approached := w.agent(t), w.agent(t), w.agents(t, 10)
		w.change(t, restricted, func(a *chat.Account) { a.State = chat.StateRestricted })
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		for _, target := range []*agent{restricted, suspended} {
			w.approached(t, target, approached...)
			for _, a := range approached {
				a.report(target).Want(200)
			}
		}
		restricted.Get("/v1/contacts").Want(200)
		w.state(t, restricted, "restricted by an operator", chat.StateRestricted)
		w.state(t, suspended, "suspended by an operator", chat.StateSuspended)
		code(suspended.Get("/v1/contacts"), 403, "SUSPENDED").Is("reason", "operator")
	})
}

// An operator's suspension of an account that the rules had restricted is the
// operator's.
func TestOperatorTakesOverFromTrustRules(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target := w.agent(t)
		w.change(t, target, func(a *chat.Account) { a.State, a.Enforced = chat.StateRestricted, true })
		if _, err := w.Core.Suspend(t.Context(), target.id, true); err != nil {
			t.Fatalf("suspend: %v", err)
		}
		code(target.Get("/v1/contacts"), 403, "SUSPENDED").Is("reason", "operator")
	})
}

// What happened to an account stands in its audit trail, each thing once.
func TestComplaintsAreAudited(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		target, approached := w.agent(t), w.agents(t, 15)
		w.approached(t, target, approached...)
		approached[0].report(target).Want(200)
		for _, a := range approached {
			a.block(target).Want(200)
			a.block(target).Want(200)
		}
		got := make(map[string]int)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			list, err := tx.AuditList(ctx, target.id, time.Time{}, 100)
			for _, e := range list {
				got[e.Act]++
				switch {
				case e.Act == "account.status_changed" && (e.Actor != 0 || e.Detail != `{"from":"active","to":"restricted"}`):
					t.Errorf("change of state: got actor %d and detail %s", e.Actor, e.Detail)
				case e.Act == "account.reported" && (e.Actor != approached[0].id || e.Surface != chat.SurfaceAgentChat):
					t.Errorf("report: got actor %d on %s", e.Actor, e.Surface)
				}
			}
			return err
		})
		want := map[string]int{"account.blocked": 15, "account.reported": 1, "account.status_changed": 1}
		if !maps.Equal(got, want) {
			t.Errorf("audit entries: got %v, want %v", got, want)
		}
	})
}
