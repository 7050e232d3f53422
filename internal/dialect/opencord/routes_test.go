package opencord_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

// target is a path of the route on which O may do what the route does.
func (c *cast) target(r opencord.Route) string {
	var id string
	switch {
	case strings.HasPrefix(r.Path, "/api/servers"):
		id = c.S
	case strings.HasPrefix(r.Path, "/api/channels"):
		id = c.G
	case strings.HasPrefix(r.Path, "/api/messages"):
		id = c.O.say(c.G, "hi").want(201).text("message.id")
	case strings.HasPrefix(r.Path, "/api/dm/messages"):
		id = c.O.whisper(c.D, "hi").want(201).text("message.id")
	case strings.HasPrefix(r.Path, "/api/dm"):
		id = c.D
	case strings.HasPrefix(r.Path, "/api/users"):
		id = c.M.id
	case strings.HasPrefix(r.Path, "/api/auth/api-key/"):
		_, id = c.O.newKey("k")
	}
	return strings.Replace(r.Path, "{id}", id, 1)
}

// unknown is what a route says of an id that names nothing.
func unknown(r opencord.Route) string {
	for prefix, text := range map[string]string{
		"/api/servers": noServer, "/api/channels": noChannel, "/api/messages": noMessage, "/api/dm/messages": noMessage,
		"/api/dm/{id}": noConversation, "/api/users": noUser, "/api/auth/api-key": noKey,
	} {
		if strings.HasPrefix(r.Path, prefix) {
			return text
		}
	}
	return ""
}

func TestRoutesNeedAnAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	v := w.visitor(t)
	for _, r := range opencord.Routes() {
		path := strings.Replace(r.Path, "{id}", unknownID, 1)
		if r.Auth == opencord.AuthNone {
			if got := v.do(r.Method, path, "{").Status; got != 400 {
				t.Errorf("%s %s: got %d without a token, want 400", r.Method, path, got)
			}
			continue
		}
		v.do(r.Method, path, "{").fails(401, noToken)
		v.with("aoc_x").do(r.Method, path, "{").fails(401, badToken)
	}
}

// An id that is malformed, of another kind or another server's is unknown, and
// says so before anything is said of the body.
func TestForeignIDsAreUnknown(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, r := range opencord.Routes() {
			if !strings.Contains(r.Path, "{id}") {
				continue
			}
			foreign := []string{
				"x", unknownID, "%00", "%ff", "a%2Fb", "-1", "1", "{" + unknownID + "}", strings.ReplaceAll(c.S, "-", ""),
				"0" + c.S, "%20" + c.S, c.S + "%20", "..%2f" + c.S,
			}
			for _, id := range []string{c.S, c.G, c.O.id} {
				kind := map[string]string{c.S: "/api/servers", c.G: "/api/channels", c.O.id: "/api/users"}[id]
				if !strings.HasPrefix(r.Path, kind) {
					foreign = append(foreign, id)
				}
			}
			for _, id := range foreign {
				path := strings.Replace(r.Path, "{id}", strings.ReplaceAll(strings.ReplaceAll(id, "{", "%7B"), "}", "%7D"), 1)
				c.O.elsewhere().do(r.Method, path, "{").fails(404, unknown(r))
			}
		}
	})
}

func TestPathsAreDecoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	for _, path := range []string{
		"/api/servers/" + strings.ToUpper(c.S), "/api/%73ervers/" + c.S, "/api/servers/" + strings.ReplaceAll(c.S, "-", "%2D"),
	} {
		c.O.get(path).want(200).is("server.id", c.S)
	}
	c.O.get("/api/users/%6De").want(200).is("user.id", c.O.id)
	c.O.get("/api/servers%2F"+c.S).fails(404, "Not found")
	c.O.get("/API/servers").fails(404, "Not found")
}

// HEAD is served wherever GET is: the same headers, no body.
func TestHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	for _, r := range opencord.Routes() {
		path := c.target(r)
		if r.Method != http.MethodGet {
			continue
		}
		get := c.O.elsewhere().do(http.MethodGet, path, nil).want(r.Status)
		head := c.O.elsewhere().do(http.MethodHead, path, nil).want(r.Status)
		if head.Raw != "" {
			t.Errorf("HEAD %s: got a body %q", path, head.Raw)
		}
		for _, name := range []string{"Content-Type", "Content-Length", limitHeader, remainingHeader} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want {
				t.Errorf("HEAD %s: got %s %q, want %q as for GET", path, name, got, want)
			}
		}
	}
	c.O.do(http.MethodHead, "/api/servers/"+unknownID, nil).want(404)
	c.O.do(http.MethodHead, "/api/auth/login", nil).want(405)
}

func TestCORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	v := w.visitor(t)
	r := v.do("OPTIONS", "/api/messages/x", nil, "Origin: https://x.example", "Access-Control-Request-Method: PATCH").want(204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":   "*",
		"Access-Control-Allow-Methods":  "GET, POST, PUT, PATCH, DELETE",
		"Access-Control-Allow-Headers":  "Authorization, Content-Type",
		"Access-Control-Expose-Headers": "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	r.quota(200, 200) // not counted
	for _, r := range []*response{v.get("/api/nope").want(404), v.get("/api/auth/me").want(401), v.delete("/api/auth/login").want(405)} {
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: got Access-Control-Allow-Origin %q, want *", r.what, got)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	v := newWorld(t, dialecttest.Engines()[0]).visitor(t)
	r := v.do("OPTIONS", "/api/auth/login", nil).want(204).quota(200, 199)
	if got := r.Header.Get("Allow"); got != "OPTIONS, POST" {
		t.Errorf("got Allow %q, want OPTIONS, POST", got)
	}
	v.do("OPTIONS", "/api/nope", nil).fails(404, "Not found")
}

func TestDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	r := w.visitor(t).get("/api/openapi.json").want(200).is("openapi", "3.1.0").is("servers.0.url", "/")
	paths, ok := r.at("paths").(map[string]any)
	if !ok {
		t.Fatalf("got no paths in the document")
	}
	for _, route := range opencord.Routes() {
		if path, ok := paths[route.Path].(map[string]any); !ok || path[strings.ToLower(route.Method)] == nil {
			t.Errorf("the document lacks %s %s", route.Method, route.Path)
		}
	}
	w = newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, oc *opencord.Config) { oc.PublicURL = "https://example.org/chat" })
	w.visitor(t).get("/api/openapi.json").want(200).is("servers.0.url", "https://example.org/chat")
}
