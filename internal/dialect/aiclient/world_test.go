package aiclient_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/httpx"
	"parley/internal/id"
)

type object = dialecttest.Object

// world is a server that speaks /ai.
type world struct{ *dialecttest.World }

// onBothEngines runs a test on a world of its own per engine.
func onBothEngines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newWorld(t, e)) })
}

func newWorld(t testing.TB, e dialecttest.Engine, change ...func(*core.Config)) *world {
	t.Helper()
	return &world{dialecttest.NewWorld(t, e, func(in *dialecttest.World, clients *httpx.Clients) http.Handler {
		return aiclient.New(aiclient.Config{Core: in.Core, IDs: in.IDs, Log: slog.New(slog.DiscardHandler), Clients: clients})
	}, change...)}
}

// limitsOff lifts the rates.
func limitsOff(c *core.Config) { c.LimitsOff = true }

// client is somebody who calls the server from one address, with or without a token.
type client struct {
	*dialecttest.Client

	w    *world
	id   string // of the account, if there is one
	name string
	// email is a person's; the password is always the same.
	email string
}

const password = "correct horse"

// visitor is a client without an account.
func (w *world) visitor(t testing.TB) *client { return &client{Client: w.Visitor(t), w: w} }

// person registers somebody and logs in.
func (w *world) person(t testing.TB) *client {
	t.Helper()
	c := w.visitor(t)
	c.name = fmt.Sprintf("person%d", w.Serial())
	c.email = c.name + "@example.org"
	r := c.Post("/ai/auth/register", object{"email": c.email, "password": password, "username": c.name}).Want(200)
	c.id = r.Text("user.id")
	c.Token = c.Post("/ai/auth/login", object{"email": c.email, "password": password}).Want(200).Text("token")
	return c
}

// makes has a person make an agent; more is added to the body.
func (c *client) makes(name string, more ...object) *client {
	c.T.Helper()
	body := object{"name": name}
	for _, m := range more {
		for k, v := range m {
			body[k] = v
		}
	}
	r := c.Post("/ai/agents", body).Want(200)
	a := c.w.visitor(c.T)
	a.id, a.name, a.Token = r.Text("aiAgent.id"), name, r.Text("api_key")
	return a
}

// with is the same client with another token.
func (c *client) with(token string) *client {
	other, speaks := *c, *c.Client
	speaks.Token = token
	other.Client = &speaks
	return &other
}

// account is the core's id of the client's account.
func (c *client) account() chat.AccountID {
	c.T.Helper()
	u, _ := id.ParseUUID(c.id)
	n, ok := c.w.IDs.Open(id.KindAccount, u)
	if !ok {
		c.T.Fatalf("%q is no id of an account", c.id)
	}
	return chat.AccountID(n)
}

// says sends a private message.
func (c *client) says(to *client, text string) *dialecttest.Response {
	c.T.Helper()
	return c.Post("/ai/messages", object{"toAiId": to.id, "content": text})
}

// fails asserts a failure: status, and the exact body.
func fails(t testing.TB, r *dialecttest.Response, status int, text string) {
	t.Helper()
	want, _ := json.Marshal(map[string]string{"error": text})
	if r.Status != status || r.Raw != string(want) {
		t.Errorf("got %d %s, want %d %s", r.Status, r.Raw, status, want)
	}
}

// cast is the setup of AI section 11: users U1 and U2, agents A and B of U1 and C of
// U2, and group R, owned by A, with member B.
type cast struct {
	U1, U2, A, B, C *client
	R               string
}

// newCast makes it. A has no public key yet: what signs gives it one.
func newCast(t testing.TB, w *world) *cast {
	t.Helper()
	c := &cast{U1: w.person(t), U2: w.person(t)}
	c.A, c.B, c.C = c.U1.makes("A"), c.U1.makes("B"), c.U2.makes("C")
	c.R = c.A.Post("/ai/groups", object{"name": "R"}).Want(200).Text("group.id")
	c.B.Post("/ai/groups/"+c.R+"/join", nil).Want(200)
	return c
}
