package opencord_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
	"parley/internal/httpx"
	"parley/internal/id"
)

type object = dialecttest.Object

// world is a server that speaks /api.
type world struct{ *dialecttest.World }

// onBothEngines runs a test on a world of its own per engine.
func onBothEngines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newWorld(t, e)) })
}

func newWorld(t testing.TB, e dialecttest.Engine, change ...func(*core.Config, *opencord.Config)) *world {
	t.Helper()
	oc := opencord.Config{Log: slog.New(slog.DiscardHandler), Clients: dialecttest.LocalProxy()}
	return &world{dialecttest.NewWorld(t, e, func(in *dialecttest.World, _ *httpx.Clients) http.Handler {
		oc.Core, oc.IDs = in.Core, in.IDs
		return opencord.New(oc)
	}, func(cc *core.Config) {
		for _, c := range change {
			c(cc, &oc)
		}
	})}
}

// client is somebody who calls the server from one address, with or without a token.
type client struct {
	*dialecttest.Client

	w               *world
	id, name, email string // of the account, if there is one
}

const password = "correct horse"

// visitor is a client without an account.
func (w *world) visitor(t testing.TB) *client { return &client{Client: w.Visitor(t), w: w} }

// user registers an account and logs it in.
func (w *world) user(t testing.TB) *client {
	t.Helper()
	c := w.visitor(t)
	c.name = "user" + strconv.FormatInt(w.Serial(), 10)
	c.email = c.name + "@example.org"
	r := c.post("/api/auth/register", object{"email": c.email, "password": password, "username": c.name}).want(201)
	c.id = r.text("user.id")
	c.Token = c.post("/api/auth/login", object{"email": c.email, "password": password}).want(200).text("token")
	return c
}

// account is the core's id of the client's account.
func (c *client) account() chat.AccountID {
	c.T.Helper()
	return chat.AccountID(c.w.open(c.T, id.KindAccount, c.id))
}

func (w *world) open(t testing.TB, kind id.Kind, text string) int64 {
	t.Helper()
	u, _ := id.ParseUUID(text)
	n, ok := w.IDs.Open(kind, u)
	if !ok {
		t.Fatalf("%q is no id of kind %d", text, kind)
	}
	return n
}

// with is the same client with another token.
func (c *client) with(token string) *client {
	other, speaks := *c, *c.Client
	speaks.Token = token
	other.Client = &speaks
	return &other
}

// elsewhere is the same client at another address.
func (c *client) elsewhere() *client {
	other := c.with(c.Token)
	other.Addr = c.w.Visitor(c.T).Addr
	return other
}

// newKey makes an API key and returns it with its id.
func (c *client) newKey(name string) (key, id string) {
	c.T.Helper()
	r := c.post("/api/auth/api-key", object{"name": name}).want(201)
	return r.text("key"), r.text("id")
}

func (c *client) get(path string) *response             { return c.do("GET", path, nil) }
func (c *client) post(path string, body any) *response  { return c.do("POST", path, body) }
func (c *client) patch(path string, body any) *response { return c.do("PATCH", path, body) }
func (c *client) delete(path string) *response          { return c.do("DELETE", path, nil) }
func (c *client) say(channel, text string) *response {
	return c.post(inChannel(channel), object{"content": text})
}

func (c *client) whisper(direct, text string) *response {
	return c.post(inDirect(direct), object{"content": text})
}

func (c *client) rename(server string, b object) *response { return c.patch("/api/servers/"+server, b) }

func inChannel(channel string) string { return "/api/channels/" + channel + "/messages" }
func inDirect(direct string) string   { return "/api/dm/" + direct + "/messages" }

func (c *client) do(method, path string, body any, headers ...string) *response {
	c.T.Helper()
	return &response{c.Do(method, path, body, headers...), c.T, method + " " + path}
}

// response is an answer of /api and what may be asked of it.
type response struct {
	*dialecttest.Response

	t    testing.TB
	what string
}

func (r *response) want(status int) *response {
	r.t.Helper()
	r.Want(status)
	return r
}

func (r *response) is(path string, want any) *response {
	r.t.Helper()
	r.Is(path, want)
	return r
}

func (r *response) at(path string) any { return r.At(path) }

func (r *response) text(path string) string {
	r.t.Helper()
	return r.Text(path)
}

func (r *response) list(path string) []any {
	r.t.Helper()
	return r.List(path)
}

func (r *response) texts(list, member string) []string {
	r.t.Helper()
	return r.Texts(list, member)
}

// fails asserts a failure: status, and the exact body.
func (r *response) fails(status int, text string) *response {
	r.t.Helper()
	want, _ := json.Marshal(map[string]string{"error": text})
	if r.Status != status || r.Raw != string(want) {
		r.t.Errorf("%s: got %d %s, want %d %s", r.what, r.Status, r.Raw, status, want)
	}
	return r
}

func (r *response) time(path string) time.Time {
	r.t.Helper()
	return readTime(r.t, r.text(path))
}

// readTime reads a time in the form that /api shows.
func readTime(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Fatalf("time: %v", err)
	}
	return at
}

func (r *response) number(header string) int {
	r.t.Helper()
	n, err := strconv.Atoi(r.Header.Get(header))
	if err != nil {
		r.t.Fatalf("%s: header %s: %v", r.what, header, err)
	}
	return n
}

// statuses counts answers by status.
func statuses(all []*response) map[int]int {
	n := make(map[int]int)
	for _, r := range all {
		n[r.Status]++
	}
	return n
}

// cast is the setup of OC section 12: O owns server S with channel G, M is a
// member, X an outsider, D the conversation of O and M.
type cast struct {
	O, M, X    *client
	S, code, G string
	D          string
}

func newCast(t testing.TB, w *world) *cast {
	t.Helper()
	c := &cast{O: w.user(t), M: w.user(t), X: w.user(t)}
	c.S, c.code, c.G = c.O.newServer("HQ")
	c.M.join(c.S, c.code).want(200)
	c.D = c.O.post("/api/dm", object{"user_id": c.M.id}).want(201).text("channel.id")
	return c
}

// newServer makes a server and returns its id, its code and its channel.
func (c *client) newServer(name string) (server, code, channel string) {
	c.T.Helper()
	r := c.post("/api/servers", object{"name": name}).want(201)
	server = r.text("server.id")
	channel = c.get("/api/servers/" + server + "/channels").want(200).text("channels.0.id")
	return server, r.text("server.invite_code"), channel
}

func (c *client) join(server, code string) *response {
	return c.post("/api/servers/"+server+"/join", object{"invite_code": code})
}
