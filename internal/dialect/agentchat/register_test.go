package agentchat_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

// applicant is somebody who registers.
type applicant struct {
	*dialecttest.Client

	w       *world
	address string
	handle  string
	mails   int // of the address, so far
}

// applicant is a newcomer who has not registered yet, at a client address of its own.
func (w *world) applicant(t testing.TB, handle string) *applicant {
	t.Helper()
	return &applicant{Client: w.Visitor(t), w: w, address: handle + "@example.org", handle: handle}
}

// apply asks for a code.
func (a *applicant) apply() *response {
	a.T.Helper()
	a.mails = a.w.Mail.Count(a.address)
	return a.Post("/v1/register", object{"email": a.address, "handle": a.handle})
}

// pending asks for a code, which must be sent, and returns the id it is shown with.
func (a *applicant) pending() string {
	a.T.Helper()
	return a.apply().Want(200).Text("pending_id")
}

// code is the one that was mailed last.
func (a *applicant) code() string {
	a.T.Helper()
	return a.w.Mail.Code(a.T, a.address, a.mails+1)
}

// verify shows a code.
func (a *applicant) verify(pending, code string) *response {
	a.T.Helper()
	return a.Post("/v1/register/verify", object{"pending_id": pending, "code": code})
}

// register makes the agent and keeps its key.
func (a *applicant) register() {
	a.T.Helper()
	pending := a.pending()
	a.Token = a.verify(pending, a.code()).Want(201).Text("api_key")
}

// wrong is a code that is not the one given.
func wrong(code string) string {
	n, err := strconv.Atoi(code)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("%06d", (n+1)%1_000_000)
}

// throttled asserts a refusal for so many whole seconds.
func throttled(t testing.TB, r *response, want string, wait time.Duration) {
	t.Helper()
	code(r, 429, want).Is("details.retry_after_ms", float64(wait.Milliseconds()))
	seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
	if got := r.Header.Get("Retry-After"); got != seconds {
		t.Errorf("Retry-After: got %q, want %q", got, seconds)
	}
}

// acts lists what the audit trail says was done to an account, the newest first,
// with details.
func (w *world) acts(t testing.TB, account chat.AccountID) []string {
	t.Helper()
	records := look(t, w, func(ctx context.Context, r store.Reader) ([]store.AuditRecord, error) {
		return r.AuditList(ctx, account, time.Time{}, 100)
	})
	out := []string{}
	for _, r := range records {
		out = append(out, strings.TrimSpace(r.Act+" "+r.Detail))
	}
	return out
}

// holder reads the account that has a handle.
func (w *world) holder(t testing.TB, handle string) *chat.Account {
	t.Helper()
	return look(t, w, func(ctx context.Context, r store.Reader) (*chat.Account, error) {
		return r.AccountByHandle(ctx, handle)
	})
}

func TestRegistration(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v := w.Visitor(t)
		v.Token = "no key at all" // neither call looks at it
		r := v.Post("/v1/register", object{
			"email": " Ada@Example.ORG\n", "handle": "@Ada-L", "display_name": " Ada ", "description": "counts", "extra": 1,
		}).Want(200)
		pending := r.Text("pending_id")
		if !regexp.MustCompile(`^pnd_[A-Za-z0-9_-]{22}$`).MatchString(pending) || r.Text("message") == "" {
			t.Errorf("got %s, want a pending id and a message", r.Raw)
		}
		mailed := w.Mail.Code(t, "ada@example.org", 1)
		if !regexp.MustCompile(`^[0-9]{6}$`).MatchString(mailed) {
			t.Errorf("mailed code: got %q, want six digits", mailed)
		}
		v.Get("/v1/agents/ada-l").Want(404) // nothing is there before the code

		w.Clock.Advance(time.Minute)
		r = v.Post("/v1/register/verify", object{"pending_id": pending, "code": mailed}).Want(201)
		key := r.Text("api_key")
		if !regexp.MustCompile(`^ac_live_[A-Za-z0-9_-]{43}$`).MatchString(key) {
			t.Errorf("key: got %q, want ac_live_ and 32 bytes in base64url", key)
		}
		r.Is("agent.handle", "ada-l").Is("agent.email", "ada@example.org").Is("agent.email_masked", "a****@example.org").
			Is("agent.display_name", "Ada").Is("agent.description", "counts").Is("agent.avatar_url", nil).
			Is("agent.status", "active").Is("agent.paused_by_owner", "none").Is("agent.is_system", false).
			Is("agent.settings.inbox_mode", "open").Is("agent.settings.group_invite_policy", "open").
			Is("agent.created_at", "2026-11-21T12:01:30.000Z").Is("agent.updated_at", "2026-11-21T12:01:30.000Z")

		v.Token = key
		v.Get("/v1/agents/me").Want(200).Is("id", r.Text("agent.id")).Is("handle", "ada-l")
		code(v.Post("/v1/register/verify", object{"pending_id": pending, "code": mailed}), 400, "EXPIRED") // used

		a := w.holder(t, "ada-l")
		if !a.Guarded || a.Kind != chat.KindAgent || a.MadeBy != chat.SurfaceAgentChat || a.Username != "ada-l" {
			t.Errorf("account: got %+v, want a guarded agent of /v1 with its handle as username", a)
		}
		same(t, "audit trail", w.acts(t, a.ID), []string{"account.created"})
	})
}

// System accounts are told of newcomers, for their webhooks.
func TestSystemAccountsAreToldOfNewcomers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		if err := w.Core.EnsureSystem(t.Context()); err != nil {
			t.Fatalf("make the system account: %v", err)
		}
		w.applicant(t, "newcomer").register()
		e := w.lastEvent(t, chat.EventAccountCreated)
		newcomer := w.holder(t, "newcomer")
		if e.Account != newcomer.ID || e.By == nil || e.By.Handle != "newcomer" {
			t.Errorf("event: got %+v, want one about the newcomer", e)
		}
		same(t, "recipients", e.Recipients, []chat.AccountID{w.holder(t, "chatfather").ID})
	})
}

func TestRegistrationInputIsChecked(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		long := func(n int) string { return strings.Repeat("ä", n) }
		for _, test := range []struct {
			name  string
			body  any
			want  string // machine code
			field string // "" for none
		}{
			{"no JSON", "{", "VALIDATION_ERROR", ""},
			{"no body", nil, "VALIDATION_ERROR", "email"},
			{"no address", object{"handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"no handle", object{"email": "b@example.org"}, "VALIDATION_ERROR", "handle"},
			{"address of another type", object{"email": 1, "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"no @", object{"email": "example.org", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"no domain", object{"email": "b@example", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"two lines", object{"email": "b@example.org\nBcc: c@example.org", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"a name beside it", object{"email": "Bob<b@example.org>", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"brackets", object{"email": "<b@example.org>", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"long address", object{"email": strings.Repeat("b", 309) + "@example.org", "handle": "bob"}, "VALIDATION_ERROR", "email"},
			{"long name", object{"email": "b@example.org", "handle": "bob", "display_name": long(101)}, "VALIDATION_ERROR", "display_name"},
			{"long description", object{"email": "b@example.org", "handle": "bob", "description": long(501)}, "VALIDATION_ERROR", "description"},
			{"bad address and handle", object{"email": "b", "handle": "!"}, "VALIDATION_ERROR", "email"},
			{"short handle", object{"email": "b@example.org", "handle": "bo"}, "INVALID_HANDLE", ""},
			{"long handle", object{"email": "b@example.org", "handle": strings.Repeat("b", 31)}, "INVALID_HANDLE", ""},
			{"digit first", object{"email": "b@example.org", "handle": "1bob"}, "INVALID_HANDLE", ""},
			{"hyphen first", object{"email": "b@example.org", "handle": "-bob"}, "INVALID_HANDLE", ""},
			{"hyphen last", object{"email": "b@example.org", "handle": "bob-"}, "INVALID_HANDLE", ""},
			{"two hyphens", object{"email": "b@example.org", "handle": "b--ob"}, "INVALID_HANDLE", ""},
			{"underscore", object{"email": "b@example.org", "handle": "b_ob"}, "INVALID_HANDLE", ""},
			{"two @", object{"email": "b@example.org", "handle": "@@bob"}, "INVALID_HANDLE", ""},
			{"umlaut", object{"email": "b@example.org", "handle": "böb"}, "INVALID_HANDLE", ""},
		} {
			r := code(w.Visitor(t).Post("/v1/register", test.body), 400, test.want)
			if test.field != "" && r.At("details.fieldErrors."+test.field+".0") == (dialecttest.Absent{}) {
				t.Errorf("%s: got %s, want an error of %s", test.name, r.Raw, test.field)
			}
		}
		longest := w.Visitor(t).Post("/v1/register", object{
			"email": strings.Repeat("b", 308) + "@example.org", "handle": strings.Repeat("b", 30),
			"display_name": long(100), "description": long(500),
		})
		longest.Want(200)
		for i, body := range []any{
			"{",
			object{"code": "123456"},
			object{"pending_id": "pnd_x"},
			object{"pending_id": 1, "code": "123456"},
			object{"pending_id": "pnd_x", "code": "12345"},
			object{"pending_id": "pnd_x", "code": "1234567"},
			object{"pending_id": "pnd_x", "code": "12345a"},
			object{"pending_id": "pnd_x", "code": 123456},
		} {
			for _, path := range []string{"/v1/register/verify", "/v1/agents/recover/verify"} {
				if r := w.Visitor(t).Post(path, body); r.Status != 400 || r.At("code") != "VALIDATION_ERROR" {
					t.Errorf("%s, body %d: got %d %s, want a validation error", path, i, r.Status, r.Raw)
				}
			}
		}
		code(w.Visitor(t).Post("/v1/register/verify", object{"pending_id": "pnd_x", "code": "123456"}), 400, "EXPIRED")
	})
}

// The list of reserved handles cannot be told apart from what is malformed.
func TestReservedHandles(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		malformed := w.Visitor(t).Post("/v1/register", object{"email": "b@example.org", "handle": "b_b"})
		for _, handle := range []string{
			"agents", "me", "recover", "invites", "sync", "admin", "postmaster", "agentchat", "chatfather", "@Openclaw",
			"null", "everyone", "anthropic", "deleted-user",
		} {
			r := w.Visitor(t).Post("/v1/register", object{"email": "b@example.org", "handle": handle})
			if r.Status != malformed.Status || r.Raw != malformed.Raw {
				t.Errorf("%s: got %d %s, want %d %s", handle, r.Status, r.Raw, malformed.Status, malformed.Raw)
			}
		}
	})
}

func TestHandleIsTakenForEver(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		w.agentNamed(t, "ada")
		gone := w.agentNamed(t, "gone")
		gone.Delete("/v1/agents/gone").Want(200)
		off := w.agentNamed(t, "off")
		w.change(t, off, func(a *chat.Account) { a.State = chat.StateSuspended })
		for _, handle := range []string{"ada", "gone", "off"} {
			a := w.applicant(t, handle)
			a.address = "new." + a.address
			code(a.apply(), 409, "HANDLE_TAKEN")
			if got := w.Mail.Count(a.address); got != 0 {
				t.Errorf("%s: got %d mails, want none", handle, got)
			}
		}
	})
}

// Somebody who registers has the handle until the code is too old; the same address
// may think again.
func TestHandleOfAPendingRegistrationIsHeld(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		first, second := w.applicant(t, "wanted"), w.applicant(t, "wanted")
		second.address = "second@example.org"
		first.pending()
		code(second.apply(), 409, "HANDLE_TAKEN")
		w.Clock.Advance(10*time.Minute - time.Millisecond)
		code(second.apply(), 409, "HANDLE_TAKEN")
		w.Clock.Advance(time.Millisecond)
		second.pending()
		code(first.apply(), 409, "HANDLE_TAKEN")

		w.Clock.Advance(time.Minute)
		second.pending() // its own hold is none against it
		w.Clock.Advance(time.Minute)
		second.handle = "other"
		second.pending()
		first.pending() // what was held before is free
	})
}

func TestAddressIsTaken(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		first := w.agentNamed(t, "first")
		second := w.applicant(t, "second")
		second.address = first.address
		code(second.apply(), 409, "EMAIL_TAKEN")
		w.change(t, first, func(a *chat.Account) { a.State = chat.StateSuspended })
		code(second.apply(), 409, "EMAIL_TAKEN")
		w.change(t, first, func(a *chat.Account) { a.State = chat.StateActive })
		first.Delete("/v1/agents/first").Want(200)
		second.register()

		// A person's login address is another thing.
		login := w.agentNamed(t, "login")
		w.change(t, login, func(a *chat.Account) {
			a.Kind, a.LoginAddress, a.RecoveryAddress = chat.KindHuman, "both@example.org", ""
		})
		third := w.applicant(t, "third")
		third.address = "both@example.org"
		third.register()
	})
}

func TestAddressMakesThreeAccounts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for _, handle := range []string{"one", "two", "three"} {
			a := w.applicant(t, handle)
			a.address = "busy@example.org"
			a.register()
			a.Delete("/v1/agents/" + handle).Want(200)
			w.Clock.Advance(time.Minute)
		}
		a := w.applicant(t, "four")
		a.address = " BUSY@example.org"
		code(a.apply(), 409, "EMAIL_EXHAUSTED")
	})
}

// What was free when the code was mailed may be taken when it is shown.
func TestRegistrationLosesARace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.applicant(t, "wanted")
		pending := a.pending()
		w.agentNamed(t, "wanted")
		code(a.verify(pending, a.code()), 409, "HANDLE_TAKEN")

		b := w.applicant(t, "other")
		pending = b.pending()
		rival := w.agentNamed(t, "rival")
		w.change(t, rival, func(a *chat.Account) { a.RecoveryAddress = b.address })
		code(b.verify(pending, b.code()), 409, "EMAIL_TAKEN")

		c := w.applicant(t, "many")
		pending = c.pending()
		made := dialecttest.Together(8, func(int) *response {
			return w.Visitor(t).Post("/v1/register/verify", object{"pending_id": pending, "code": c.code()})
		})
		if got := dialecttest.Statuses(made); got[201] != 1 || got[400] != 7 {
			t.Errorf("one code shown eight times at once: got %v, want one 201 and seven 400", got)
		}
	})
}

func TestCodeHasFiveGuesses(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.applicant(t, "guessed")
		pending := a.pending()
		right := a.code()
		for range 5 {
			code(a.verify(pending, wrong(right)), 400, "INVALID_CODE")
		}
		code(a.verify(pending, right), 429, "OTP_ATTEMPTS_EXHAUSTED")
		code(a.verify(pending, right), 400, "EXPIRED")

		b := w.applicant(t, "lucky")
		pending = b.pending()
		for range 4 {
			code(b.verify(pending, wrong(b.code())), 400, "INVALID_CODE")
		}
		b.verify(pending, b.code()).Want(201)
	})
}

func TestCodeLivesTenMinutes(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		early, late := w.applicant(t, "early"), w.applicant(t, "late")
		p, q := early.pending(), late.pending()
		w.Clock.Advance(10*time.Minute - time.Millisecond)
		early.verify(p, early.code()).Want(201)
		w.Clock.Advance(time.Millisecond)
		code(late.verify(q, late.code()), 400, "EXPIRED")

		w.Clock.Advance(time.Millisecond)
		if err := w.Core.Sweep(t.Context()); err != nil {
			t.Fatalf("sweep: %v", err)
		}
		swept := look(t, w, func(ctx context.Context, r store.Reader) (bool, error) {
			_, err := r.MailedCode(ctx, chat.CodeID(w.row(t, id.KindCode, q)))
			return errors.Is(err, store.ErrNotFound), nil
		})
		if !swept {
			t.Error("the code that nobody showed is still stored")
		}
	})
}

func TestNewCodeTakesThePlaceOfTheOld(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.applicant(t, "again")
		old := a.pending()
		first := a.code()
		w.Clock.Advance(time.Minute)
		fresh := a.pending()
		code(a.verify(old, first), 400, "EXPIRED")
		a.verify(fresh, a.code()).Want(201)
	})
}

func TestCodeCooldown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.applicant(t, "hasty")
		a.pending()
		w.Clock.Advance(12_500 * time.Millisecond)
		throttled(t, a.apply(), "OTP_COOLDOWN", 47_500*time.Millisecond)
		// The address counts, whoever asks and for whatever.
		throttled(t, w.Visitor(t).Post("/v1/agents/recover", object{"email": " HASTY@example.org "}),
			"OTP_COOLDOWN", 47_500*time.Millisecond)
		w.Clock.Advance(47_499 * time.Millisecond)
		throttled(t, a.apply(), "OTP_COOLDOWN", time.Millisecond)
		w.Clock.Advance(time.Millisecond)
		a.pending()
		if got := w.Mail.Count(a.address); got != 2 {
			t.Errorf("mails: got %d, want 2", got)
		}
	})
}

func TestMailThatFailsEndsTheCooldown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.applicant(t, "unlucky")
		w.Mail.Fail(errors.New("no mail today"))
		r := code(a.apply(), 500, "OTP_FAILED")
		if strings.Contains(r.Raw, "no mail today") {
			t.Errorf("got %s, want nothing of the cause", r.Raw)
		}
		code(a.apply(), 500, "OTP_FAILED")
		other := w.applicant(t, "unlucky")
		other.address = "other@example.org"
		w.Mail.Fail(nil)
		other.pending() // nothing of the failed one is left, the handle is free
		code(a.apply(), 409, "HANDLE_TAKEN")
	})
}

func TestCodesPerHour(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		ask := func() *response { return w.Visitor(t).Post("/v1/agents/recover", object{"email": "a@example.org"}) }
		for range 20 {
			ask().Want(200)
			w.Clock.Advance(time.Minute)
		}
		// The worlds begin 30 seconds after a full hour.
		throttled(t, ask(), "OTP_HOURLY_CAP", 39*time.Minute+30*time.Second)
		w.Clock.Advance(39*time.Minute + 30*time.Second)
		ask().Want(200)
	})
}

func TestRegistrationsPerClient(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v := w.Visitor(t)
		for i := range 12 {
			if i%2 == 0 {
				v.Post("/v1/register", object{"email": fmt.Sprintf("a%d@example.org", i), "handle": fmt.Sprintf("many%d", i)}).Want(200)
			} else {
				v.Post("/v1/register", "{").Want(400) // counts, too
			}
		}
		throttled(t, v.Post("/v1/register", "{"), "RATE_LIMITED", 59*time.Minute+30*time.Second)
		w.applicant(t, "elsewhere").pending()

		for range 10 {
			code(v.Post("/v1/register/verify", object{"pending_id": "pnd_x", "code": "123456"}), 400, "EXPIRED")
		}
		throttled(t, v.Post("/v1/agents/recover/verify", nil), "RATE_LIMITED", 9*time.Minute+30*time.Second)
	})
}

// The code of tests is taken for every mailed one, and for none that was not.
func TestFixedCode(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.FixedCode, c.Mailer = "424242", nil })
			a := w.applicant(t, "tester")
			a.verify(a.pending(), "424242").Want(201)
			w.Clock.Advance(time.Minute)
			w.recovered(t, w.recover(t, a.address), "424242").Want(200)
			code(w.recovered(t, w.recover(t, "nobody@example.org"), "424242"), 400, "INVALID_CODE")
		})
	}
}

func TestCodesWithoutMail(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.Mailer = nil })
			code(w.applicant(t, "tester").apply(), 500, "OTP_FAILED")
			code(w.Visitor(t).Post("/v1/agents/recover", object{"email": "nobody@example.org"}), 500, "OTP_FAILED")
		})
	}
}
