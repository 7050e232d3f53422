package aiclient_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	apidoc "parley/api"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/httpx"
)

func TestB01Health(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		r := w.visitor(t).Get("/ai/health").Want(200)
		if want := `{"status":"ok","service":"AI Agent API"}`; r.Raw != want {
			t.Errorf("got %s, want %s", r.Raw, want)
		}
	})
}

func TestB63UnknownRoutesWrongMethodsLargeBodies(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, path := range []string{
			"/ai/nope", "/ai/", "/ai/me/", "/ai/messages/", "/ai//messages", "/ai/groups/", "/ai/groups/" + c.R,
			"/ai/groups/" + c.R + "/members/", "/ai/./me", "/ai/groups/../me", "/ai/ME", "/ai/agents/" + c.A.id + "/",
		} {
			fails(t, c.A.Get(path), 404, textNoRoute)
		}
		for path, allow := range map[string]string{
			"/ai/messages":                  "GET, HEAD, OPTIONS, POST",
			"/ai/me":                        "GET, HEAD, OPTIONS",
			"/ai/health":                    "GET, HEAD, OPTIONS",
			"/ai/auth/login":                "OPTIONS, POST",
			"/ai/agents/" + unknownID:       "DELETE, GET, HEAD, OPTIONS, PATCH",
			"/ai/agents/x/key":              "DELETE, OPTIONS, POST",
			"/ai/groups/" + c.R + "/leave":  "OPTIONS, POST",
			"/ai/groups/x/members":          "GET, HEAD, OPTIONS",
			"/ai/groups/" + c.R + "/join":   "OPTIONS, POST",
			"/ai/groups":                    "GET, HEAD, OPTIONS, POST",
			"/ai/openapi.json":              "GET, HEAD, OPTIONS",
			"/ai/groups/x/messages?limit=0": "GET, HEAD, OPTIONS, POST",
		} {
			for _, method := range []string{"PUT", "TRACE"} {
				r := c.A.Do(method, path, nil)
				fails(t, r, 405, textMethod)
				if got := r.Header.Get("Allow"); got != allow {
					t.Errorf("%s %s: got Allow %q, want %q", method, path, got, allow)
				}
			}
			r := c.A.elsewhere().Do("OPTIONS", path, nil).Want(204)
			if got := r.Header.Get("Allow"); got != allow {
				t.Errorf("OPTIONS %s: got Allow %q, want %q", path, got, allow)
			}
		}

		body := func(size int) string {
			const frame = `{"toAiId":"","content":"x","pad":""}`
			return fmt.Sprintf(`{"toAiId":%q,"content":"x","pad":%q}`, c.A.id, strings.Repeat("p", size-len(frame)-len(c.A.id)))
		}
		if n := len(body(65_536)); n != 65_536 {
			t.Fatalf("the body has %d bytes", n)
		}
		c.B.Post("/ai/messages", body(65_536)).Want(200)
		for _, size := range []int{65_537, 1 << 20} {
			r := c.B.Post("/ai/messages", body(size))
			fails(t, r, 413, textTooLarge)
		}
	})
}

func TestB64BodiesThatAreNoObjects(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, body := range []string{
			"{", "[]", "{\"content\":\"\xff\"}", "{\"toAiId\":\"" + c.B.id + "\",\"content\":\"\xed\xa0\x80\"}", "", " ", "null", "1",
			`"content"`, `[{"content":"x"}]`, `{"content":"x"} {}`, `{"content":"x",}`, "\ufeff{}", strings.Repeat(`{"a":`, 12_000),
		} {
			fails(t, c.A.Post("/ai/messages", body), 400, textBadJSON)
		}
	})
}

// Bodies are JSON whatever the Content-Type says; what is not known in them and in the
// query is passed over; of a doubled member the last counts (AI 2).
func TestWhatBodiesMayHold(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		body := object{"toAiId": c.B.id, "content": "x", "unknown": object{"a": []any{1, nil}}, "signature": nil, "TOAIID": 1}
		for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"} {
			c.A.Post("/ai/messages?limit=x&unknown=1", body, "Content-Type: "+contentType).Want(200).Is("message.content", "x")
		}
		c.A.Post("/ai/messages", `{"toAiId":"`+c.B.id+`","content":1,"\u0063ontent":"last"}`).Want(200).Is("message.content", "last")
		c.A.Get("/ai/messages?unknown=x&before=&limit=").Want(200)
		c.B.Get("/ai/messages?limit=1&limit=x").Want(200)
	})
}

// Half a surrogate pair becomes U+FFFD, U+0000 is refused by the name of its member.
func TestTextsThatNobodyStores(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		send := func(content string) *dialecttest.Response {
			return c.A.Post("/ai/messages", `{"toAiId":"`+c.B.id+`","content":"`+content+`"}`)
		}
		send(`x\udc00y\ud83e`).Want(200).Is("message.content", "x\ufffdy\ufffd")
		c.B.Get("/ai/messages").Want(200).Is("messages.0.content", "x\ufffdy\ufffd")
		send(`\ud83e\udd16`).Want(200).Is("message.content", "\U0001F916")
		send("x\ufffdy").Want(200).Is("message.content", "x\ufffdy")
		fails(t, send(`a\u0000b`), 400, textInvalid("content"))
		const nul = "a\x00b"
		for _, tc := range []struct {
			who    *client
			method string
			path   string
			body   object
			field  string
		}{
			{c.A, "POST", "/ai/messages", object{"toAiId": nul, "content": "x"}, "toAiId"},
			{c.A, "POST", "/ai/messages", object{"toAiId": c.B.id, "content": "x", "signature": nul}, "signature"},
			{c.A, "POST", "/ai/groups", object{"name": nul}, "name"},
			{c.A, "POST", "/ai/groups", object{"name": "x", "description": nul}, "description"},
			{c.A, "POST", "/ai/groups/" + c.R + "/messages", object{"content": nul}, "content"},
			{c.A, "POST", "/ai/webhook", object{"webhook_url": nul}, "webhook_url"},
			{c.U1, "POST", "/ai/agents", object{"name": nul}, "name"},
			{c.U1, "POST", "/ai/agents", object{"name": "x", "description": nul}, "description"},
			{c.U1, "POST", "/ai/agents", object{"name": "x", "public_key": nul}, "public_key"},
			{c.U1, "PATCH", "/ai/agents/" + c.A.id, object{"status": nul}, "status"},
			{c.U1, "POST", "/ai/auth/register", object{"email": nul, "password": password, "username": "x"}, "email"},
			{c.U1, "POST", "/ai/auth/register", object{"email": "a@b.org", "password": nul, "username": "x"}, "password"},
			{c.U1, "POST", "/ai/auth/login", object{"email": "a@b.org", "password": nul}, "password"},
		} {
			fails(t, tc.who.Do(tc.method, tc.path, tc.body), 400, textInvalid(tc.field))
		}
	})
}

// Every member of every body refuses the wrong types, by its name; null is absent.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], limitsOff)
	c := newCast(t, w)
	right := object{
		"email": "x@example.org", "password": password, "username": "x", "name": "x", "description": "x", "toAiId": c.B.id,
		"content": "x", "webhook_url": "", "status": "active", "public_key": nil, "signature": nil,
	}
	for _, r := range aiclient.Routes() {
		if r.Request == nil {
			continue
		}
		who, id := c.A, c.R
		if r.Auth == aiclient.AuthUser || r.Auth == aiclient.AuthOwner {
			who, id = c.U1, c.A.id
		}
		path := strings.Replace(r.Path, "{id}", id, 1)
		members := reflect.TypeOf(r.Request)
		for i := range members.NumField() {
			member := members.Field(i)
			name := member.Tag.Get("json")
			if !member.IsExported() {
				continue
			}
			for _, value := range []any{1, 1.5, true, []any{}, object{}, []any{"x"}} {
				fails(t, who.Do(r.Method, path, right.But(name, value)), 400, textInvalid(name))
			}
			if member.Tag.Get("required") == "true" && member.Tag.Get("nullable") == "" {
				fails(t, who.Do(r.Method, path, right.But(name, nil)), 400, textMissing(name))
			}
		}
	}
}

// Five rows have no body, and ignore one, malformed and huge ones too (AI 2).
func TestBodiesThatAreIgnored(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, body := range []any{"{", "[]", "\xff", object{"unknown": 1}, strings.Repeat("x", 70_000), nil} {
			c.C.Post("/ai/groups/"+c.R+"/join", body).Want(200)
			c.C.Post("/ai/groups/"+c.R+"/leave", body).Want(200)
			c.U1.Post("/ai/agents/"+c.B.id+"/key", body).Want(200)
			c.U1.Do("DELETE", "/ai/agents/"+c.B.id+"/key", body).Want(200)
			token := c.U2.Post("/ai/auth/login", object{"email": c.U2.email, "password": password}).Want(200).Text("token")
			c.U2.with(token).Post("/ai/auth/logout", body).Want(200).Is("success", true)
		}
	})
}

// HEAD is served wherever GET is.
func TestHead(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, r := range aiclient.Routes() {
			if r.Method != http.MethodGet {
				continue
			}
			who, path := c.A, strings.Replace(r.Path, "{id}", c.R, 1)
			if strings.HasPrefix(path, "/ai/agents/") {
				path = "/ai/agents/" + c.A.id
			}
			if r.Auth == aiclient.AuthUser {
				who = c.U1
			}
			get, head := who.Get(path).Want(200), who.Do("HEAD", path, nil).Want(200)
			if head.Raw != "" {
				t.Errorf("HEAD %s: got a body", path)
			}
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
				if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
					t.Errorf("HEAD %s: got %s %q, want %q", path, name, got, want)
				}
			}
		}
		who := w.visitor(t)
		who.Do("HEAD", "/ai/me", nil).Want(401)
		who.Do("HEAD", "/ai/nope", nil).Want(404)
		who.Do("HEAD", "/ai/auth/login", nil).Want(405)
	})
}

// What every answer carries, whatever it is (AI 2).
func TestHeadersOfEveryAnswer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.person(t).makes("A")
		v := w.visitor(t)
		v.spend()
		for _, r := range []*dialecttest.Response{
			a.Get("/ai/me").Want(200), a.Get("/ai/nope").Want(404), a.Delete("/ai/me").Want(405), a.Post("/ai/groups", "{").Want(400),
			v.Get("/ai/health").Want(429), v.elsewhere().Get("/ai/me").Want(401), v.elsewhere().Get("/ai/auth/me").Want(401),
			v.Do("OPTIONS", "/ai/me", nil, "Origin: https://x.example", "Access-Control-Request-Method: GET").Want(204),
		} {
			for name, want := range map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*",
				"Access-Control-Expose-Headers": "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After",
			} {
				if got := r.Header.Get(name); got != want {
					t.Errorf("%d %s: got %s %q, want %q", r.Status, r.Raw, name, got, want)
				}
			}
			if got := r.Header.Get("Content-Type"); r.Status != 204 && got != "application/json; charset=utf-8" {
				t.Errorf("%d: got Content-Type %q", r.Status, got)
			}
			if got := r.Header.Get("WWW-Authenticate"); (got == "Bearer") != (r.Status == 401) {
				t.Errorf("%d: got WWW-Authenticate %q", r.Status, got)
			}
			if r.Header.Get("X-Request-Id") == "" {
				t.Errorf("%d: has no X-Request-Id", r.Status)
			}
			if r.Status != 204 {
				continue
			}
			if got := r.Header.Get("Access-Control-Allow-Methods"); got != "GET, POST, PATCH, DELETE" {
				t.Errorf("preflight: got methods %q", got)
			}
			if got := r.Header.Get("Access-Control-Allow-Headers"); got != "Authorization, Content-Type" {
				t.Errorf("preflight: got headers %q", got)
			}
		}
	})
}

// The document of the surface names the server's address.
func TestOpenAPI(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		if got := newWorld(t, e).visitor(t).Get("/ai/openapi.json").Want(200).Raw; got != apidoc.AIClient() {
			t.Error("the document differs from the one that is checked in")
		}
		w := &world{dialecttest.NewWorld(t, e, func(in *dialecttest.World, clients *httpx.Clients) http.Handler {
			return aiclient.New(aiclient.Config{Core: in.Core, IDs: in.IDs, Clients: clients, PublicURL: "https://x.example/chat"})
		})}
		r := w.visitor(t).Get("/ai/openapi.json").Want(200).Is("servers.0.url", "https://x.example/chat")
		quota(t, w, r, 100, 99)
	})
}

// Each step of AI 2.1 is told before the next: every pair of neighbours is at fault at
// once.
func TestOrderOfChecks(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		private, group := "/ai/messages", "/ai/groups/"+c.R+"/messages"
		long := strings.Repeat("x", 65_537)

		// 1 before 2: a limit before the route and the method; of the two the global one first.
		v := w.visitor(t)
		for range 10 {
			v.Post("/ai/auth/login", "{").Want(400)
		}
		limited(t, w, v.Post("/ai/auth/login", "{"), 10)
		fails(t, v.Get("/ai/auth/login"), 405, textMethod) // which is no attempt
		v.spend()
		limited(t, w, v.Post("/ai/auth/login", "{"), 100)
		limited(t, w, v.Get("/ai/nope"), 100)
		limited(t, w, v.Delete("/ai/messages"), 100)

		// 2 before 3: the route before the token.
		v = w.visitor(t)
		fails(t, v.Get("/ai/nope"), 404, textNoRoute)
		fails(t, v.Delete(private), 405, textMethod)

		// 3 before 4: the token before the switch of its agent.
		off := c.U2.makes("off")
		off.spendSends()
		c.U2.Patch("/ai/agents/"+off.id, object{"status": "disabled"}).Want(200)
		fails(t, off.Get("/ai/agents"), 401, textNoLogin)
		fails(t, off.with("").Get("/ai/me"), 401, textBadKey)

		// 4 before 5: the switch before the limit on sends, which is not counted then.
		fails(t, off.Post(private, "{"), 403, textDisabled)
		fails(t, off.Post("/ai/groups/"+unknownID+"/messages", "{"), 403, textDisabled)

		// 5 before 6: the limit on sends before the group.
		busy := c.U2.makes("busy")
		busy.spendSends()
		limited(t, w, busy.Post("/ai/groups/"+unknownID+"/messages", "{"), 30)
		limited(t, w, busy.Post(group, "{"), 30)

		// 6 before 7, and so before 8: what is not there before what is not allowed.
		for _, id := range []string{unknownID, "x", c.R + "0", c.A.id} {
			fails(t, c.C.Post("/ai/groups/"+id+"/messages", "{"), 404, textNoGroup)
			fails(t, c.C.Get("/ai/groups/"+id+"/messages?limit=0"), 404, textNoGroup)
		}
		for _, id := range []string{unknownID, "x", c.R, c.U1.id} {
			fails(t, c.U2.Patch("/ai/agents/"+id, "{"), 404, textNoAgent)
		}

		// 7 before 8: what is not allowed before the body and the query.
		for _, body := range []string{"{", "{}", `{"content":""}`, long} {
			fails(t, c.C.Post(group, body), 403, textNotMember)
			fails(t, c.U2.Patch("/ai/agents/"+c.A.id, body), 403, textForbidden)
		}
		fails(t, c.C.Get(group+"?limit=0"), 403, textNotMember)

		// Within 8: 413 before what else is wrong, the order of fields within a body.
		fails(t, c.A.Post(private, "{"+long), 413, textTooLarge)
		fails(t, c.A.Post(private, "{}"), 400, textMissing("toAiId"))
		fails(t, c.A.Post(private, object{"toAiId": "x"}), 400, textMissing("content"))
		fails(t, c.A.Post(private, object{"toAiId": "x", "content": ""}), 400, textInvalid("toAiId"))

		// 8 before 9: the body, the syntax of a signature included, before the agent named in it.
		for _, id := range []string{unknownID, off.id} {
			fails(t, c.A.Post(private, object{"toAiId": id}), 400, textMissing("content"))
			fails(t, c.A.Post(private, object{"toAiId": id, "content": " "}), 400, textEmpty)
			fails(t, c.A.Post(private, object{"toAiId": id, "content": "x", "signature": "zz"}), 400, textSigFormat)
		}

		// 9 before 10: the agent before the signature.
		wrong := c.signs(t).sign(t, "other words")
		fails(t, c.A.Post(private, object{"toAiId": unknownID, "content": "x", "signature": wrong}), 404, textNoAgent)
		fails(t, c.A.Post(private, object{"toAiId": off.id, "content": "x", "signature": wrong}), 403, textTargetOff)

		// 10 before 11: the signature before what the other side thinks of the sender.
		w.set(t, c.B, func(b *chat.Account) { b.ContactsOnly = true })
		fails(t, c.A.Post(private, object{"toAiId": c.B.id, "content": "x", "signature": wrong}), 400, textSigBad)
		fails(t, c.A.says(c.B, "x"), 403, textForbidden)

		// 8 before 11: the body before a conflict and before what is full.
		taken := object{"email": c.U1.email, "password": "short", "username": c.U1.name}
		fails(t, w.visitor(t).Post("/ai/auth/register", taken), 400, textInvalid("password"))
		full := w.person(t)
		for range 20 {
			full.makes("agent")
		}
		fails(t, full.Post("/ai/agents", object{"name": " "}), 400, textMissing("name"))
		fails(t, full.Post("/ai/agents", object{"name": "x", "public_key": "x"}), 400, textBadPEM)
		fails(t, full.Post("/ai/agents", object{"name": "x"}), 403, textCap)
	})
}

// A server that cannot read its database says so in the words of the catalogue, with all
// headers; its health is 503 (AI 8.13).
func TestUnreadableDatabase(t *testing.T) {
	t.Parallel()
	w := troubled(t, func() error { return errors.New("the disk is on fire") })
	v := w.visitor(t)
	r := v.Get("/ai/health").Want(503)
	if want := `{"status":"error","service":"AI Agent API"}`; r.Raw != want {
		t.Errorf("got %s, want %s", r.Raw, want)
	}
	quota(t, w, r, 100, 99)
	r = v.with("aik_unknown").Get("/ai/me")
	fails(t, r, 500, textInternal)
	quota(t, w, r, 100, 98)
	r = v.with("aik_unknown").Post("/ai/messages", "{") // whose it is stays unknown
	fails(t, r, 500, textInternal)
	quota(t, w, r, 100, 97)
	r = v.Post("/ai/auth/login", object{"email": "ada@example.org", "password": password})
	fails(t, r, 500, textInternal)
	quota(t, w, r, 10, 9)
	if got := r.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("got Access-Control-Allow-Origin %q, want *", got)
	}
}

// A handler that panics, and an admission that does, are answered with all headers.
func TestPanicKeepsHeaders(t *testing.T) {
	t.Parallel()
	w := troubled(t, func() error { panic("a bug") })
	for _, tc := range []struct {
		r                *dialecttest.Response
		limit, remaining int
	}{
		{w.visitor(t).Post("/ai/auth/login", object{"email": "ada@example.org", "password": password}), 10, 9},
		{w.visitor(t).with("aik_unknown").Get("/ai/me"), 100, 100},
	} {
		fails(t, tc.r, 500, textInternal)
		quota(t, w, tc.r, tc.limit, tc.remaining)
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
			"Access-Control-Allow-Origin": "*",
		} {
			if got := tc.r.Header.Get(name); tc.limit == 10 && got != want {
				t.Errorf("got %s %q, want %q", name, got, want)
			}
		}
	}
}

// troubled is a world whose store fails when a request reads it; the server's own work
// goes on.
func troubled(t *testing.T, fail func() error) *world {
	t.Helper()
	return newWorld(t, dialecttest.Engines()[0], func(c *core.Config) {
		c.Store = dialecttest.Unreadable{Store: c.Store, Fail: func(ctx context.Context) error {
			if httpx.RequestID(ctx) == "" {
				return nil
			}
			return fail()
		}}
	})
}

// Sends that come while the server stops are told to come again.
func TestSendWhileClosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	w.Core.Close()
	r := c.A.says(c.B, "hi")
	fails(t, r, 500, textInternal)
	if got := r.Header.Get("Retry-After"); got != "1" {
		t.Errorf("got Retry-After %q, want 1", got)
	}
}

// A client that sends too much and then stalls is answered all the same, and the
// connection is closed: the server does not wait for the rest.
func TestTooLargeBodyThatNeverEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", w.Server.Listener.Addr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatalf("set a deadline: %v", err)
	}
	const size = 70_000
	_, err = fmt.Fprintf(conn, "POST /ai/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n",
		size, strings.Repeat("x", size))
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var body struct{ Error string }
	err = json.NewDecoder(answer.Body).Decode(&body)
	if err != nil || body.Error != textTooLarge || answer.StatusCode != http.StatusRequestEntityTooLarge || !answer.Close {
		t.Errorf("got %d %q, closing %v, %v; want 413 %q, closing", answer.StatusCode, body.Error, answer.Close, err, textTooLarge)
	}
}
