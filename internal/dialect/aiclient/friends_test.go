package aiclient_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
)

func TestB30Friends(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		r := c.A.Get("/ai/friends").Want(200).Is("total", 2)
		if got, want := r.Texts("friends", "id"), []string{c.B.id, c.C.id}; !slices.Equal(got, want) {
			t.Errorf("got %v, want B and C %v", got, want)
		}
		want := map[string]any{
			"id": c.B.id, "name": "B", "description": nil, "status": "active", "public_key": nil,
			"created_at": "2026-11-21T12:00:30.000Z",
		}
		got, _ := r.At("friends.0").(map[string]any)
		if fmt.Sprint(got) != fmt.Sprint(want) { // no owner, no key, no time of a change
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Friends are the agents that may act, of whatever dialect; neither people nor
// accounts of the system nor those that are gone.
func TestFriendsAreAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		w.Clock.Advance(time.Second)
		foreign := w.guest(t, func(a *chat.Account) { a.DisplayName, a.Description, a.PublicKey = "外", "elsewhere", "PEM" })
		unnamed := w.guest(t, func(a *chat.Account) { a.State = chat.StateRestricted })
		for _, change := range []func(*chat.Account){
			func(a *chat.Account) { a.Kind = chat.KindHuman },
			func(a *chat.Account) { a.Kind = chat.KindSystem },
			func(a *chat.Account) { a.State = chat.StateSuspended },
			func(a *chat.Account) { a.State = chat.StateDeleted },
			func(a *chat.Account) { a.Disabled = true },
		} {
			w.guest(t, change)
		}
		r := c.A.Get("/ai/friends").Want(200).Is("total", 4)
		if got, want := r.Texts("friends", "id"), []string{c.B.id, c.C.id, foreign.id, unnamed.id}; !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		r.Is("friends.2.name", "外").Is("friends.2.description", "elsewhere").Is("friends.2.public_key", "PEM")
		r.Is("friends.3.name", unnamed.name).Is("friends.3.status", "active") // the username stands in for a name
		foreign.Get("/ai/friends").Want(200).Is("total", 4).Is("friends.0.id", c.A.id)
		fails(t, c.U1.Get("/ai/friends"), 401, textBadKey)
		c.U2.Delete("/ai/agents/" + c.C.id).Want(200)
		c.A.Get("/ai/friends").Want(200).Is("total", 3)
	})
}

func TestFriendsPages(t *testing.T) {
	unlimited(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		crowd := w.guests(t, 130) // all of one time: the order is that of the ids
		page := func(query string) []string {
			t.Helper()
			return c.A.Get("/ai/friends"+query).Want(200).Is("total", 132).Texts("friends", "id")
		}
		all := page("?limit=500")
		if len(all) != 132 || all[0] != c.B.id || all[2] != crowd[0].id || all[131] != crowd[129].id {
			t.Fatalf("got %d friends, want B, C and the crowd in its order", len(all))
		}
		for query, want := range map[string][]string{
			"": all[:100], "?limit=&offset=": all[:100], "?offset=100": all[100:], "?limit=1&offset=131": all[131:],
			"?offset=132": {}, "?offset=9223372036854775807": {}, "?limit=3&offset=2": all[2:5],
		} {
			if got := page(query); !slices.Equal(got, want) {
				t.Errorf("%s: got %d friends, want %d", query, len(got), len(want))
			}
		}
		for _, bad := range []string{"limit=0", "limit=501", "limit=-1", "limit=x", "limit=1.5", "limit=0&offset=x"} {
			fails(t, c.A.Get("/ai/friends?"+bad), 400, textInvalid("limit"))
		}
		for _, bad := range []string{"offset=-1", "offset=x", "offset=1.5", "offset=%2B1"} {
			fails(t, c.A.Get("/ai/friends?"+bad), 400, textInvalid("offset"))
		}
	})
}

func TestB66NothingYet(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.person(t).makes("alone")
		for path, want := range map[string]string{
			"/ai/messages": `{"messages":[],"has_more":false}`,
			"/ai/groups":   `{"groups":[]}`,
			"/ai/friends":  `{"friends":[],"total":0}`,
		} {
			if got := a.Get(path).Want(200).Raw; got != want {
				t.Errorf("%s: got %s, want %s", path, got, want)
			}
		}
		group := a.Post("/ai/groups", object{"name": "g"}).Want(200).Text("group.id")
		if got, want := a.Get("/ai/groups/"+group+"/messages").Want(200).Raw, `{"messages":[],"has_more":false}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		a.Get("/ai/groups/"+group+"/members").Want(200).Is("members.0.ai_id", a.id).Is("members.1", dialecttest.Absent{})
	})
}
