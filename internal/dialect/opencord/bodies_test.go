package opencord_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

// Every member of every body refuses the wrong types, by its name.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	for _, r := range opencord.Routes() {
		if r.Request == nil {
			continue
		}
		path := c.target(r)
		who := c.O
		if r.Auth == opencord.AuthInvite {
			who = c.X // only an outsider's body is read
		}
		for name, kind := range members(r.Request) {
			for _, value := range []string{`1`, `1.5`, `"x"`, `true`, `[]`, `{}`, `["x"]`, `9223372036854775808`} {
				if fits(kind, value) {
					continue
				}
				body := filled(r.Request, name, value)
				who.elsewhere().do(r.Method, path, body).fails(400, name+" must be "+kind)
			}
		}
	}
}

// members lists the members of a request struct with the type each must have.
func members(request any) map[string]string {
	out := map[string]string{}
	for field := range fieldsOf(request) {
		switch reflect.Zero(field.Type).Interface().(type) {
		case string, chat.Opt[string]:
			out[field.Tag.Get("json")] = "a string"
		case bool, chat.Opt[bool]:
			out[field.Tag.Get("json")] = "a boolean"
		case chat.Opt[int64]:
			out[field.Tag.Get("json")] = "an integer"
		}
	}
	return out
}

func fieldsOf(request any) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		typ := reflect.TypeOf(request)
		for i := range typ.NumField() {
			if field := typ.Field(i); field.IsExported() && !yield(field) {
				return
			}
		}
	}
}

func fits(kind, value string) bool {
	switch kind {
	case "a string":
		return value[0] == '"'
	case "a boolean":
		return value == "true"
	}
	return value == "1"
}

// filled is a body with all members right but one.
func filled(request any, name, value string) string {
	var parts []string
	for other, kind := range members(request) {
		right := map[string]string{"a string": `"right"`, "a boolean": "false", "an integer": "1"}[kind]
		switch other {
		case name:
			right = value
		case "user_id":
			right = `"` + unknownID + `"`
		case "status":
			right = `"dnd"`
		}
		parts = append(parts, `"`+other+`":`+right)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// A string with U+0000 is invalid wherever it stands; half a surrogate pair and
// invalid UTF-8 are not kept.
func TestStringsThatNobodyStores(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, r := range opencord.Routes() {
			if r.Request == nil {
				continue
			}
			who, path := c.O, c.target(r)
			if r.Auth == opencord.AuthInvite {
				who = c.X
			}
			for name, kind := range members(r.Request) {
				if kind != "a string" {
					continue
				}
				who.elsewhere().do(r.Method, path, filled(r.Request, name, `"a\u0000b"`)).fails(400, name+" is invalid")
				who.elsewhere().do(r.Method, path, filled(r.Request, name, "\"a\xffb\"")).fails(400, badJSON)
				who.elsewhere().do(r.Method, path, filled(r.Request, name, "\"\xed\xa0\x80\"")).fails(400, badJSON)
			}
		}
		c.O.patch("/api/users/me", `{"display_name":"x\udc00y\ud83e"}`).want(200).is("user.display_name", "x\ufffdy\ufffd")
		c.O.patch("/api/users/me", `{"display_name":"\ud83e\udd16"}`).want(200).is("user.display_name", "\U0001F916")
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	post := func(body string) *response { return c.O.elsewhere().post(inChannel(c.G), body) }
	for _, body := range []string{
		"", " ", "null", "true", `"content"`, "1", "[]", `[{"content":"x"}]`, "{", `{"content"}`, `{"content":}`, `{"content":"x",}`,
		`{"content":"x"} {}`, `{"content":"x"}x`, `{'content':'x'}`, `{content:"x"}`, "\ufeff{\"content\":\"x\"}",
		`{"content":"` + "\n" + `"}`, `{"content":"\x41"}`, `{"content":"x","n":01}`, "{\"content\":\"x\",\"\xff\":1}",
		strings.Repeat(`{"a":`, 12000), strings.Repeat("[", 60000),
	} {
		post(body).fails(400, badJSON)
	}
	for body, want := range map[string]string{
		` {"content" : "x"} ` + "\r\n\t":                         "x",
		`{"content":"first","content":"last"}`:                   "last",
		`{"Content":"no","content":"exact case","CONTENT":"no"}`: "exact case",
		`{"\u0063ontent":"escaped key"}`:                         "escaped key",
		`{"content":"x","unknown":{"a":[1,{"b":null}]}}`:         "x",
	} {
		post(body).want(201).is("message.content", want)
	}
	c.O.do("POST", inChannel(c.G), `{"content":"x"}`, "Content-Type: text/plain").want(201)
	c.O.post("/api/auth/api-key", "[").fails(400, badJSON)
	c.O.post("/api/auth/api-key", object{"name": nil}).want(201).is("name", "default")
	for _, name := range []string{"", " ", strings.Repeat("x", 65)} {
		c.O.post("/api/auth/api-key", object{"name": name}).fails(400, "name must be 1-64 characters")
	}
	c.M.post("/api/servers/"+c.S+"/leave", "[").fails(400, badJSON)
	c.X.post("/api/servers/"+c.S+"/leave", "[").fails(403, notMember)
	c.M.post("/api/servers/"+c.S+"/leave", "{}").want(200)
}

func TestRegistrationInput(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	post := func(key string, value any) *response {
		return w.visitor(t).post("/api/auth/register", registration(w).But(key, value))
	}
	for _, email := range []string{
		"", "a", "a@b", "@x.org", "a@", "a@x@y.org", "a b@x.org", "a@.org", "a@x.org.", "a@..", strings.Repeat("a", 249) + "@x.org",
	} {
		post("email", email).fails(400, "Invalid email address")
	}
	for _, email := range []string{" Trim@Example.org ", "ж@пример.рф", strings.Repeat("a", 248) + "@x.org"} {
		post("email", email).want(201).is("user.email", strings.ToLower(strings.TrimSpace(email)))
	}
	for _, name := range []string{"", "ab", strings.Repeat("a", 33), "a b", "müller", "a/b", "a@b"} {
		post("username", name).fails(400, "Username must be 3-32 characters: letters, digits, dot, underscore or hyphen")
	}
	for _, name := range []string{" a.B_-9 ", "...", strings.Repeat("a", 32)} {
		post("username", name).want(201).is("user.username", strings.TrimSpace(name))
	}
	post("password", strings.Repeat("ж", 128)).want(201)
	post("password", "        ").want(201) // not trimmed
	w.visitor(t).post("/api/auth/register", "{}").fails(400, "email is required")
	w.visitor(t).post("/api/auth/register", object{"email": "x", "username": nil}).fails(400, "password is required")
	w.visitor(t).post("/api/auth/register", object{"email": "x", "password": "x"}).fails(400, "username is required")
	w.visitor(t).post("/api/auth/login", object{"password": "x"}).fails(400, "email is required")
	w.visitor(t).post("/api/auth/login", object{"email": "x"}).fails(400, "password is required")
}

// A client that sends too much and then stalls is answered all the same: the
// server does not wait for the rest.
func TestTooLargeBodyThatNeverEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	conn, err := net.Dial("tcp", w.Server.Listener.Addr().String())
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	defer func() { _ = conn.Close() }()
	const size = 70_000
	_, err = fmt.Fprintf(conn, "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n",
		size, strings.Repeat("x", size))
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("read answer: %v", err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status = %d, want 413", answer.StatusCode)
	}
}
