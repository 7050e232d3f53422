package agentchat_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/secret"
	"parley/internal/store"
)

// recover asks for a code that recovers the agent, from a client address of its own.
func (w *world) recover(t testing.TB, address string) (pending string) {
	t.Helper()
	return w.Visitor(t).Post("/v1/agents/recover", object{"email": address}).Want(200).Text("pending_id")
}

// recovered shows a code, from a client address of its own.
func (w *world) recovered(t testing.TB, pending, code string) *response {
	t.Helper()
	return w.Visitor(t).Post("/v1/agents/recover/verify", object{"pending_id": pending, "code": code})
}

// rotate asks for a code that changes the agent's key.
func (a *agent) rotate(headers ...string) *response {
	a.T.Helper()
	return a.Post("/v1/agents/"+a.handle+"/rotate-key", nil, headers...)
}

// rotated shows a code.
func (a *agent) rotated(pending, code string) *response {
	a.T.Helper()
	return a.Post("/v1/agents/"+a.handle+"/rotate-key/verify", object{"pending_id": pending, "code": code})
}

// credential gives an agent one of another dialect and returns its token.
func (w *world) credential(t testing.TB, a *agent, kind chat.CredentialKind) string {
	t.Helper()
	token := secret.NewToken("other_")
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		return tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(n), Account: a.id, Kind: kind, Issuer: chat.SurfaceOpenCord, Prefix: token[:12],
			CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(time.Hour),
		}, secret.DigestOf(token))
	})
	return token
}

// claimed gives an agent an owner.
func (w *world) claimed(t testing.TB, a *agent, how chat.Ownership) (owner chat.AccountID) {
	t.Helper()
	human := w.agent(t)
	w.change(t, human, func(h *chat.Account) { h.Kind = chat.KindHuman })
	w.change(t, a, func(a *chat.Account) {
		a.Owner, a.Owned, a.OwnedAt, a.Pause = human.id, how, w.Clock.Now(), chat.PauseSend
	})
	return human.id
}

// A key that was stolen must not outlive its change, not even by having made others.
func TestKeyChangeEndsEverythingElse(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		changes := map[string]func(a *agent) *response{
			"recovery": func(a *agent) *response {
				pending := w.recover(t, a.address)
				return w.recovered(t, pending, w.Mail.Code(t, a.address, 1))
			},
			"rotation": func(a *agent) *response {
				pending := a.rotate().Want(200).Text("pending_id")
				return a.rotated(pending, w.Mail.Code(t, a.address, 1))
			},
		}
		for name, change := range changes {
			a := w.agent(t)
			owner := w.claimed(t, a, chat.OwnedByClaim)
			old := []string{w.credential(t, a, chat.CredentialSession), w.credential(t, a, chat.CredentialKey), a.Token}
			for _, token := range old { // now in every cache
				admitted, err := w.Core.Admit(t.Context(), core.Knock{Surface: chat.SurfaceAgentChat, Token: token})
				if err != nil || admitted.Denied != nil {
					t.Fatalf("%s: a credential is refused before: %v, %v", name, err, admitted.Denied)
				}
			}
			r := change(a).Want(200).Is("handle", a.handle)
			fresh := r.Text("api_key")
			for i, token := range old {
				a.Token = token
				if got := a.Get("/v1/agents/me"); got.Status != 401 {
					t.Errorf("%s: old credential %d: got %d, want 401", name, i, got.Status)
				}
			}
			a.Token = fresh
			a.Get("/v1/agents/me").Want(200).Is("handle", a.handle).Is("paused_by_owner", "none")

			same(t, name+": audit trail", w.acts(t, a.id), []string{
				`account.claim_revoked {"reason":"key_rotated"}`, "account.key_rotated",
			})
			if e := w.lastEvent(t, chat.EventAccessRevoked); e.Account != a.id || e.Credential != 0 {
				t.Errorf("%s: got event %+v, want one for all credentials of the agent", name, e)
			}
			if e := w.lastEvent(t, chat.EventOwnerChanged); e.Account != a.id || !slices.Contains(e.Recipients, owner) {
				t.Errorf("%s: got event %+v, want one for the owner", name, e)
			}
		}
	})
}

// An agent that its owner made stays the owner's (README 1).
func TestKeyChangeKeepsTheCreator(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		owner := w.claimed(t, a, chat.OwnedByCreator)
		pending := a.rotate().Want(200).Text("pending_id")
		a.rotated(pending, w.Mail.Code(t, a.address, 1)).Want(200)
		if got := w.holder(t, a.handle); got.Owner != owner || got.Owned != chat.OwnedByCreator || got.Pause != chat.PauseSend {
			t.Errorf("got owner %d as %d with pause %d, want all as before", got.Owner, got.Owned, got.Pause)
		}
	})
}

// Whoever asks learns nothing: neither from the answer, nor from guessing, nor from
// the limits.
func TestRecoveryOfNobody(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			var w *world
			t.Cleanup(func() { // the world has ended, so no mail is under way
				for _, address := range []string{"nobody@example.org", "system@example.org"} {
					if got := w.Mail.Count(address); got != 0 {
						t.Errorf("%s: got %d mails, want none", address, got)
					}
				}
			})
			w = newWorld(t, e)
			recoverNobody(t, w)
		})
	}
}

func recoverNobody(t *testing.T, w *world) {
	a := w.agent(t)
	if err := w.Core.EnsureSystem(t.Context()); err != nil {
		t.Fatalf("make the system account: %v", err)
	}
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		system, err := tx.AccountByHandle(ctx, "chatfather")
		if err != nil {
			return err
		}
		system.RecoveryAddress = "system@example.org"
		return tx.UpdateAccount(ctx, system)
	})
	known := w.Visitor(t).Post("/v1/agents/recover", object{"email": a.address}).Want(200)
	w.Mail.Code(t, a.address, 1) // has arrived
	for _, address := range []string{"nobody@example.org", "system@example.org"} {
		r := w.Visitor(t).Post("/v1/agents/recover", object{"email": address}).Want(200).Is("message", known.Text("message"))
		pending := r.Text("pending_id")
		if len(pending) != len(known.Text("pending_id")) {
			t.Errorf("%s: got pending id %q, want the form of %q", address, pending, known.Text("pending_id"))
		}
		throttled(t, w.Visitor(t).Post("/v1/agents/recover", object{"email": address}), "OTP_COOLDOWN", time.Minute)
		for range 5 {
			code(w.recovered(t, pending, "000000"), 400, "INVALID_CODE")
		}
		code(w.recovered(t, pending, "000000"), 429, "OTP_ATTEMPTS_EXHAUSTED")
		code(w.recovered(t, pending, "000000"), 400, "EXPIRED")
	}
	w.Clock.Advance(time.Minute)
	pending := w.recover(t, "nobody@example.org")
	w.Clock.Advance(10 * time.Minute)
	code(w.recovered(t, pending, "000000"), 400, "EXPIRED")
}

func TestRecoveryWhoseMailFails(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.Mail.Fail(errors.New("no mail today"))
		w.recover(t, a.address)
		throttled(t, w.Visitor(t).Post("/v1/agents/recover", object{"email": a.address}), "OTP_COOLDOWN", time.Minute)
	})
}

func TestRecoveryInputIsChecked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for _, body := range []any{"[]", nil, object{"email": nil}, object{"email": "nobody"}, object{"email": 1}} {
			code(w.Visitor(t).Post("/v1/agents/recover", body), 400, "VALIDATION_ERROR")
		}
		v := w.Visitor(t)
		for range 3 {
			code(v.Post("/v1/agents/recover", nil), 400, "VALIDATION_ERROR")
		}
		throttled(t, v.Post("/v1/agents/recover", nil), "RATE_LIMITED", 59*time.Minute+30*time.Second)
	})
}

func TestRecoveryOfASuspendedAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateSuspended })
		pending := w.recover(t, a.address)
		a.Token = w.recovered(t, pending, w.Mail.Code(t, a.address, 1)).Want(200).Text("api_key")
		a.Get("/v1/agents/me").Want(200).Is("status", "suspended")
		code(a.Get("/v1/directory?q=ab"), 403, "SUSPENDED")
	})
}

func TestRecoveryOfAnAgentThatIsGoneMeanwhile(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		pending := w.recover(t, a.address)
		a.Delete("/v1/agents/" + a.handle).Want(200)
		code(w.recovered(t, pending, w.Mail.Code(t, a.address, 1)), 404, "AGENT_NOT_FOUND")
	})
}

// A code is good for what it was mailed for, and for nothing else.
func TestCodesOfAnotherPurpose(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		newcomer := w.applicant(t, "newcomer")
		registration := newcomer.pending()
		recovery := w.recover(t, a.address)
		mailed := w.Mail.Code(t, a.address, 1)
		code(w.recovered(t, registration, newcomer.code()), 400, "EXPIRED")
		code(newcomer.verify(recovery, mailed), 400, "EXPIRED")
		code(a.rotated(recovery, mailed), 400, "EXPIRED")
		w.recovered(t, recovery, mailed).Want(200)
		newcomer.verify(registration, newcomer.code()).Want(201)
	})
}

func TestRotationIsOnesOwn(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		for _, handle := range []string{b.handle, "nobody-at-all", "a%00b"} {
			code(w.reborn(t, a).Post("/v1/agents/"+handle+"/rotate-key", nil), 403, "FORBIDDEN")
			code(w.reborn(t, a).Post("/v1/agents/"+handle+"/rotate-key/verify", "{"), 403, "FORBIDDEN")
		}
		a.Post("/v1/agents/%40"+a.handle+"/rotate-key", nil).Want(200)

		// The code of another is no guess at it.
		pending := b.rotate().Want(200).Text("pending_id")
		for range 6 {
			code(a.rotated(pending, "000000"), 403, "FORBIDDEN")
		}
		b.rotated(pending, w.Mail.Code(t, b.address, 1)).Want(200)
		code(w.Visitor(t).Post("/v1/agents/"+b.handle+"/rotate-key", nil), 401, "UNAUTHORIZED")
	})
}

// reborn is the agent at a client address of its own.
func (w *world) reborn(t testing.TB, a *agent) *agent {
	t.Helper()
	other := *a
	other.Client = w.Visitor(t)
	other.Token = a.Token
	return &other
}

func TestRotationFails(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.Mail.Fail(errors.New("no mail today"))
		code(a.rotate("Idempotency-Key: rotate-1"), 500, "OTP_FAILED")
		w.Mail.Fail(nil)
		a.rotate("Idempotency-Key: rotate-1").Want(200) // nothing was remembered of the failure
		throttled(t, a.rotate(), "OTP_COOLDOWN", time.Minute)
		throttled(t, a.rotate(), "RATE_LIMITED", 59*time.Minute+30*time.Second) // three an hour from one address
		for range 10 {
			code(a.rotated("pnd_x", "123456"), 400, "EXPIRED")
		}
		throttled(t, a.rotated("pnd_x", "123456"), "RATE_LIMITED", 9*time.Minute+30*time.Second)

		system := w.agent(t)
		w.change(t, system, func(a *chat.Account) { a.Kind = chat.KindSystem })
		code(system.rotate(), 409, "SYSTEM_AGENT_PROTECTED")
		code(system.rotated("pnd_x", "123456"), 409, "SYSTEM_AGENT_PROTECTED")

		off := w.agent(t)
		w.change(t, off, func(a *chat.Account) { a.State = chat.StateSuspended })
		code(off.rotate(), 403, "SUSPENDED")
	})
}

// The mail goes to the recovery address, else to the login address (README 1).
func TestRotationOfAnAgentWithALogin(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		w.change(t, a, func(a *chat.Account) { a.LoginAddress = "login@example.org" })
		a.rotate().Want(200)
		w.change(t, a, func(a *chat.Account) { a.RecoveryAddress = "" })
		pending := a.rotate().Want(200).Text("pending_id")
		a.rotated(pending, w.Mail.Code(t, "login@example.org", 1)).Want(200)
		if got := w.Mail.Count(a.address); got != 1 {
			t.Errorf("mails to the recovery address: got %d, want 1", got)
		}
		nowhere := w.agent(t)
		w.change(t, nowhere, func(a *chat.Account) { a.RecoveryAddress = "" })
		code(nowhere.rotate(), 403, "FORBIDDEN")
	})
}

// A request that is retried mails no second code, and no key is ever remembered.
func TestRotationIsRetried(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		first := a.rotate("Idempotency-Key: rotate-1").Want(200)
		replayed(t, a.rotate("Idempotency-Key: rotate-1").Want(200), true).Is("pending_id", first.Text("pending_id"))
		if got := w.Mail.Count(a.address); got != 1 {
			t.Errorf("mails: got %d, want 1", got)
		}
		mailed := w.Mail.Code(t, a.address, 1)
		r := a.Post("/v1/agents/"+a.handle+"/rotate-key/verify",
			object{"pending_id": first.Text("pending_id"), "code": mailed}, "Idempotency-Key: rotate-2").Want(200)
		a.Token = r.Text("api_key")
		a.Get("/v1/agents/me").Want(200)
	})
}
