package agentchat_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

func TestContactKeepsNoteAndTimeWhenAddedAgain(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		w.change(t, b, func(b *chat.Account) { b.DisplayName, b.Description = "Bea", "bakes" })
		first := a.Post("/v1/contacts", object{"handle": "@" + strings.ToUpper(b.handle)}).Want(201)
		first.Is("handle", b.handle).Is("display_name", "Bea").Is("description", "bakes").Is("avatar_url", nil).
			Is("status", "active").Is("notes", nil)
		if got, want := readTime(t, first.Text("added_at")), w.Clock.Now(); !got.Equal(want) {
			t.Errorf("added_at: got %v, want %v", got, want)
		}
		a.Patch("/v1/contacts/"+b.handle, object{"notes": "met at the fair"}).Want(200).Is("ok", true)
		w.Clock.Advance(time.Hour)
		a.Post("/v1/contacts", object{"handle": b.handle}).Want(201).
			Is("notes", "met at the fair").Is("added_at", first.Text("added_at"))
		b.Get("/v1/contacts").Want(200).Is("total", 0)
	})
}

func TestContactsTakePeopleAndSystemAccounts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, person, system := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, person, func(p *chat.Account) { p.Kind = chat.KindHuman })
		w.change(t, system, func(s *chat.Account) { s.Kind = chat.KindSystem })
		for _, b := range []*agent{person, system} {
			a.Post("/v1/contacts", object{"handle": b.handle}).Want(201).Is("handle", b.handle)
		}
		a.Get("/v1/contacts").Want(200).Is("total", 2)
	})
}

func TestContactRefusals(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		gone, suspended, disabled := w.agent(t), w.agent(t), w.agent(t)
		w.change(t, gone, func(a *chat.Account) { a.State = chat.StateDeleted })
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		w.change(t, disabled, func(a *chat.Account) { a.Disabled = true })
		for _, test := range []struct {
			body   any
			status int
			code   string
		}{
			{object{"handle": a.handle}, 400, "VALIDATION_ERROR"},
			{object{"handle": 7}, 400, "VALIDATION_ERROR"},
			{object{}, 400, "VALIDATION_ERROR"},
			{"{", 400, "VALIDATION_ERROR"},
			{object{"handle": "nobody-here"}, 404, "AGENT_NOT_FOUND"},
			{object{"handle": "not a handle"}, 404, "AGENT_NOT_FOUND"},
			{object{"handle": gone.handle}, 404, "AGENT_NOT_FOUND"},
			{object{"handle": suspended.handle}, 404, "AGENT_NOT_FOUND"},
			{object{"handle": disabled.handle}, 404, "AGENT_NOT_FOUND"},
		} {
			code(a.Post("/v1/contacts", test.body), test.status, test.code)
		}
		a.Get("/v1/contacts").Want(200).Is("total", 0)
	})
}

func TestContactsAreListedByHandleInPages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		a.Get("/v1/contacts").Want(200).Is("total", 0).Is("limit", 50).Is("offset", 0)
		handles := []string{"mia", "bob", "zoe", "ada", "kim"}
		for _, h := range handles {
			w.agentNamed(t, h)
			a.Post("/v1/contacts", object{"handle": h}).Want(201)
		}
		slices.Sort(handles)
		page := func(query string, limit, offset int, want ...string) {
			t.Helper()
			r := a.Get("/v1/contacts"+query).Want(200).Is("total", 5).Is("limit", limit).Is("offset", offset)
			if got := r.Texts("contacts", "handle"); !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", query, got, want)
			}
		}
		page("", 50, 0, handles...)
		page("?limit=2&offset=1", 2, 1, handles[1:3]...)
		page("?limit=201", 200, 0, handles...)
		page("?offset=5", 50, 5)
		for _, query := range []string{"?limit=0", "?limit=-1", "?limit=x", "?offset=-1", "?offset=1.5"} {
			code(a.Get("/v1/contacts"+query), 400, "VALIDATION_ERROR")
		}
	})
}

// Who may not act is neither listed nor counted, and comes back as it was.
func TestContactsHideWhoMayNotAct(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		for _, peer := range []*agent{b, c} {
			a.Post("/v1/contacts", object{"handle": peer.handle}).Want(201)
		}
		a.Patch("/v1/contacts/"+b.handle, object{"notes": "kept"}).Want(200)
		for _, hide := range []func(*chat.Account){
			func(b *chat.Account) { b.State = chat.StateSuspended },
			func(b *chat.Account) { b.State = chat.StateDeleted },
			func(b *chat.Account) { b.State, b.Disabled = chat.StateActive, true },
		} {
			w.change(t, b, hide)
			a.Get("/v1/contacts").Want(200).Is("total", 1).Is("contacts.0.handle", c.handle)
			a.Get("/v1/contacts/"+b.handle).Want(200).Is("is_contact", true)
		}
		w.change(t, b, func(b *chat.Account) { b.State, b.Disabled = chat.StateRestricted, false })
		a.Get("/v1/contacts").Want(200).Is("total", 2).Is("contacts.0.notes", "kept").Is("contacts.0.status", "restricted")
	})
}

func TestContactCheckAnswersForEverybody(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		added := a.Post("/v1/contacts", object{"handle": b.handle}).Want(201).Text("added_at")
		a.Patch("/v1/contacts/"+b.handle, object{"notes": "n"}).Want(200)
		a.Get("/v1/contacts/%40"+strings.ToUpper(b.handle)).Want(200).
			Is("is_contact", true).Is("added_at", added).Is("notes", "n")
		for _, c := range []struct {
			who    *agent
			handle string
		}{{b, a.handle}, {a, a.handle}, {a, "nobody-here"}, {a, "no%20handle"}} {
			c.who.Get("/v1/contacts/"+c.handle).Want(200).Is("is_contact", false).Is("added_at", nil).Is("notes", nil)
		}
	})
}

func TestContactNotes(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, stranger := w.agent(t), w.agent(t), w.agent(t)
		a.Post("/v1/contacts", object{"handle": b.handle}).Want(201)
		path, long := "/v1/contacts/"+b.handle, strings.Repeat("é", 1000)
		for _, test := range []struct {
			body any
			want any // the note afterwards
		}{
			{object{"notes": long}, long},
			{object{"notes": nil}, nil},
			{object{"notes": " as written "}, " as written "},
			{object{"notes": ""}, nil},
		} {
			a.Patch(path, test.body).Want(200).Is("ok", true)
			a.Get(path).Is("notes", test.want)
		}
		a.Patch(path, object{"notes": "stays"}).Want(200)
		for _, body := range []any{object{}, object{"notes": long + "x"}, object{"notes": 1}, object{"notes": "a\x00b"}, nil, "[]"} {
			code(a.Patch(path, body), 400, "VALIDATION_ERROR")
		}
		a.Get(path).Is("notes", "stays")
		for _, handle := range []string{stranger.handle, a.handle, "nobody-here"} {
			code(a.Patch("/v1/contacts/"+handle, object{"notes": "n"}), 404, "NOT_FOUND")
		}
	})
}

func TestContactRemoval(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		for _, peer := range []*agent{a, b} {
			other := map[*agent]*agent{a: b, b: a}[peer]
			peer.Post("/v1/contacts", object{"handle": other.handle}).Want(201)
		}
		w.change(t, b, func(b *chat.Account) { b.State = chat.StateSuspended })
		a.Delete("/v1/contacts/"+b.handle).Want(200).Is("ok", true)
		code(a.Delete("/v1/contacts/"+b.handle), 404, "NOT_FOUND")
		code(a.Delete("/v1/contacts/nobody-here"), 404, "NOT_FOUND")
		w.change(t, b, func(b *chat.Account) { b.State = chat.StateActive })
		b.Get("/v1/contacts/"+a.handle).Is("is_contact", true)
	})
}

// Without a key, with a person's session, and as a suspended agent: every route of
// contacts, mutes and presence has the same gate.
func TestRelationsNeedAnAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		b, off, disabled, person := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		w.change(t, off, func(a *chat.Account) { a.State, a.Enforced = chat.StateSuspended, true })
		w.change(t, disabled, func(a *chat.Account) { a.Disabled = true })
		person.Token = secret.NewToken("pst_")
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			account, err := tx.Account(ctx, person.id)
			if err != nil {
				return err
			}
			account.Kind = chat.KindHuman
			if err := tx.UpdateAccount(ctx, account); err != nil {
				return err
			}
			return tx.InsertCredential(ctx, &chat.Credential{
				ID: chat.CredentialID(n), Account: person.id, Kind: chat.CredentialSession, Issuer: chat.SurfaceOpenCord,
				CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(time.Hour),
			}, secret.DigestOf(person.Token))
		})
		for _, route := range []struct{ method, path string }{
			{"POST", "/v1/contacts"},
			{"GET", "/v1/contacts"},
			{"GET", "/v1/contacts/" + b.handle},
			{"PATCH", "/v1/contacts/" + b.handle},
			{"DELETE", "/v1/contacts/" + b.handle},
			{"POST", "/v1/contacts/" + b.handle + "/block"},
			{"DELETE", "/v1/contacts/" + b.handle + "/block"},
			{"POST", "/v1/contacts/" + b.handle + "/report"},
			{"POST", "/v1/mutes"},
			{"GET", "/v1/mutes"},
			{"GET", "/v1/mutes/agent/" + b.handle},
			{"GET", "/v1/mutes/conversation/conv_x"},
			{"DELETE", "/v1/mutes/agent/" + b.handle},
			{"DELETE", "/v1/mutes/conversation/conv_x"},
			{"GET", "/v1/presence/" + b.handle},
			{"PUT", "/v1/presence"},
			{"POST", "/v1/presence/batch"},
		} {
			code(w.Visitor(t).Do(route.method, route.path, nil), 401, "UNAUTHORIZED")
			code(person.Do(route.method, route.path, nil), 401, "UNAUTHORIZED")
			code(off.Do(route.method, route.path, nil), 403, "SUSPENDED").
				Is("reason", "community_enforcement").Is("details.reason", "community_enforcement")
			code(disabled.Do(route.method, route.path, nil), 403, "SUSPENDED").Is("reason", "operator")
		}
	})
}
