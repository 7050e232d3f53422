package opencord_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	limitHeader     = "X-RateLimit-Limit"
	remainingHeader = "X-RateLimit-Remaining"
	resetHeader     = "X-RateLimit-Reset"
)

// quota asserts the rate headers and that the window ends within a minute.
func (r *response) quota(limit, remaining int) *response {
	r.t.Helper()
	if got := r.number(limitHeader); got != limit {
		r.t.Errorf("%s: got limit %d, want %d", r.what, got, limit)
	}
	if got := r.number(remainingHeader); got != remaining {
		r.t.Errorf("%s: got remaining %d, want %d", r.what, got, remaining)
	}
	return r
}

func rateHeaders(t *testing.T, w *world) {
	u := w.user(t)
	_, _, g := u.newServer("HQ")
	for _, r := range []*response{
		u.get("/api/auth/me").want(200),
		u.say(g, "hi").want(201),
		u.post("/api/servers", "[]").want(400),
		u.with("").get("/api/auth/me").want(401),
		u.with("sess_bogus").get("/api/auth/me").want(401),
		u.get("/api/servers/" + unknownID).want(404),
		u.get("/api/nope").want(404),
		u.delete("/api/auth/login").want(405),
		u.post("/api/auth/login", object{"email": "x", "password": "x"}).want(401),
		u.do("HEAD", "/api/auth/me", nil).want(200),
		u.do("OPTIONS", "/api/auth/me", nil).want(204),
		u.do("OPTIONS", "/api/auth/me", nil, "Origin: https://x.example", "Access-Control-Request-Method: GET").want(204),
		u.get("/api/openapi.json").want(200),
	} {
		if got := r.number(limitHeader); got != 200 {
			t.Errorf("%s: got limit %d, want 200", r.what, got)
		}
		reset := time.Unix(int64(r.number(resetHeader)), 0)
		if ahead := reset.Sub(w.Clock.Now()); reset.Unix()%60 != 0 || ahead <= 0 || ahead > time.Minute {
			t.Errorf("%s: got reset %v ahead, want a whole minute within the next", r.what, ahead)
		}
	}
}

func sessionLimit(t *testing.T, w *world) {
	u := w.user(t).elsewhere()
	for i := range 200 {
		if r := u.get("/api/auth/me").quota(200, 199-i); r.Status == 429 {
			t.Fatalf("request %d: got 429", i+1)
		}
	}
	for range 2 { // a refused request is not counted further
		r := u.get("/api/auth/me").fails(429, tooMany).quota(200, 0)
		if wait := r.number("Retry-After"); wait != 30 { // the clock stands in the middle of a minute
			t.Errorf("got Retry-After %d, want 30", wait)
		}
	}
	u.get("/api/nope").fails(429, tooMany)
	u.delete("/api/auth/login").fails(429, tooMany)
	u.with("").get("/api/auth/me").fails(429, tooMany)
	u.do("OPTIONS", "/api/auth/me", nil, "Access-Control-Request-Method: GET").want(204).quota(200, 0) // preflight
}

func keyBesideSession(t *testing.T, w *world) {
	u := w.user(t)
	key, _ := u.newKey("k")
	u = u.elsewhere()
	for range 200 {
		u.get("/api/nope").want(404)
	}
	u.get("/api/auth/me").fails(429, tooMany)
	u.with(key).get("/api/auth/me").want(200).quota(400, 399)
	// Registration and login count by address, whatever token is sent.
	u.with(key).post("/api/auth/login", object{"email": u.email, "password": password}).fails(429, tooMany).quota(200, 0)
	u.with(key).post("/api/auth/register", registration(w)).fails(429, tooMany).quota(200, 0)
	u.elsewhere().with(key).post("/api/auth/login", object{"email": u.email, "password": password}).want(200).quota(200, 199)
}

func keyLimit(t *testing.T, w *world) {
	u := w.user(t)
	key, _ := u.newKey("one")
	other, _ := u.newKey("two")
	for i := range 400 {
		if r := u.with(key).get("/api/nope").quota(400, 399-i); r.Status != 404 {
			t.Fatalf("request %d: got %d, want 404", i+1, r.Status)
		}
	}
	u.with(key).get("/api/auth/me").fails(429, tooMany).quota(400, 0)
	u.elsewhere().with(key).get("/api/auth/me").fails(429, tooMany).quota(400, 0) // the key's, not the address's
	u.with(other).get("/api/auth/me").want(200).quota(400, 399)
}

func invalidKey(t *testing.T, w *world) {
	w.visitor(t).with("aoc_bogus").get("/api/auth/me").fails(401, badToken).quota(200, 199)
}

func windowPasses(t *testing.T, w *world) {
	u := w.user(t).elsewhere()
	for range 200 {
		u.get("/api/nope").want(404)
	}
	reset := u.get("/api/auth/me").fails(429, tooMany).number(resetHeader)
	w.Clock.Advance(time.Unix(int64(reset), 0).Sub(w.Clock.Now()) - time.Millisecond)
	if wait := u.get("/api/auth/me").fails(429, tooMany).number("Retry-After"); wait != 1 {
		t.Errorf("got Retry-After %d just before the end, want 1", wait)
	}
	w.Clock.Advance(time.Millisecond)
	u.get("/api/auth/me").want(200).quota(200, 199)
}

func loginLimit(t *testing.T, w *world) {
	u, other := w.user(t), w.user(t)
	attempt := func(c *client, email, password string) *response {
		return c.post("/api/auth/login", object{"email": email, "password": password})
	}
	attempt(u, u.email, password).want(200) // successes do not count
	for range 10 {
		attempt(u, strings.ToUpper(u.email), "wrong password").fails(401, badLogin)
	}
	r := attempt(u, u.email, password).fails(429, tooMany).quota(10, 0)
	reset := time.Unix(int64(r.number(resetHeader)), 0)
	if ahead := reset.Sub(w.Clock.Now()); reset.Unix()%300 != 0 || ahead <= 0 || ahead > 5*time.Minute {
		t.Errorf("got reset %v ahead, want the end of a window of five minutes", ahead)
	}
	if got, want := r.number("Retry-After"), int(reset.Sub(w.Clock.Now())/time.Second); got != want {
		t.Errorf("got Retry-After %d, want %d", got, want)
	}
	attempt(u, other.email, password).want(200)
	attempt(u.elsewhere(), u.email, password).want(200) // the pair, not the address alone
}

func unknownRoute(t *testing.T, w *world) {
	u := w.user(t)
	u.get("/api/nope").fails(404, "Not found")
	r := u.delete("/api/auth/login").fails(405, "Method not allowed")
	if got := r.Header.Get("Allow"); got != "OPTIONS, POST" {
		t.Errorf("got Allow %q, want OPTIONS, POST", got)
	}
	for _, path := range []string{"/api/", "/api/servers/", "/api/auth/me/", "/api//servers", "/api/servers/../dm", "/api/dm/./messages/x"} {
		u.get(path).fails(404, "Not found")
	}
	for path, want := range map[string]string{
		"/api/messages/" + unknownID: "DELETE, OPTIONS, PATCH, PUT",
		"/api/dm/messages/messages":  "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
		"/api/users/me/status":       "OPTIONS, PATCH, PUT",
	} {
		r := u.with("").do("TRACE", path, nil).want(405)
		if got := r.Header.Get("Allow"); got != want {
			t.Errorf("%s: got Allow %q, want %q", path, got, want)
		}
	}
}

func largeBody(t *testing.T, w *world) {
	c := newCast(t, w)
	body := func(n int) string { return `{"content":"x","pad":"` + strings.Repeat("p", n) + `"}` }
	room := 65536 - len(body(0))
	c.M.post(inChannel(c.G), body(room)).want(201)
	c.M.post(inChannel(c.G), body(room+1)).fails(413, "Request body too large")
	c.M.post(inChannel(c.G), body(1<<20)).fails(413, "Request body too large")
	c.X.post(inChannel(c.G), body(room+1)).fails(403, notMember)
	c.X.post(inChannel(unknownID), body(room+1)).fails(404, noChannel)
	c.X.post("/api/auth/register", body(room+1)).fails(413, "Request body too large")
}

func spoofedAddress(t *testing.T, w *world) {
	v := w.visitor(t)
	var last *response
	for i := range 201 {
		last = v.do("GET", "/api/nope", nil, fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i))
	}
	last.fails(429, tooMany)
}
