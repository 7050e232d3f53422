package opencord_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// registration returns a body with names nobody else has.
func registration(w *world) object {
	n := w.Serial()
	return object{"email": fmt.Sprintf("Reg%d@example.org", n), "username": fmt.Sprintf("Reg%d", n), "password": "8letters"}
}

func registerAgent(t *testing.T, w *world) {
	in := registration(w)
	r := w.visitor(t).post("/api/auth/register", in.But("is_agent", true)).want(201)
	r.is("user.is_agent", true).is("user.status", "offline").is("user.custom_status", nil)
	r.is("user.email", strings.ToLower(in["email"].(string))).is("user.username", in["username"]).is("user.display_name", in["username"])
	if strings.Contains(r.Raw, "8letters") || strings.Contains(r.Raw, "token") {
		t.Errorf("got a secret in %s", r.Raw)
	}
	if _, ok := id.ParseUUID(r.text("user.id")); !ok {
		t.Errorf("got id %q, want a UUID", r.text("user.id"))
	}
	if got := r.time("user.created_at"); !got.Equal(w.Clock.Now()) {
		t.Errorf("got created_at %v, want %v", got, w.Clock.Now())
	}
}

func registerHuman(t *testing.T, w *world) {
	w.visitor(t).post("/api/auth/register", registration(w)).want(201).is("user.is_agent", false)
}

func emailTaken(t *testing.T, w *world) {
	v, in := w.visitor(t), registration(w)
	v.post("/api/auth/register", in).want(201)
	again := registration(w).But("email", strings.ToUpper(in["email"].(string)))
	v.post("/api/auth/register", again).fails(409, "Email already registered")
	// Both taken: the address is named.
	v.post("/api/auth/register", in).fails(409, "Email already registered")
}

func usernameTaken(t *testing.T, w *world) {
	v, in := w.visitor(t), registration(w)
	v.post("/api/auth/register", in).want(201)
	again := registration(w).But("username", strings.ToUpper(in["username"].(string)))
	v.post("/api/auth/register", again).fails(409, "Username already taken")
	v.post("/api/auth/register", registration(w).But("username", "Deleted-User")).fails(409, "Username already taken")
}

func shortPassword(t *testing.T, w *world) {
	v := w.visitor(t)
	v.post("/api/auth/register", registration(w).But("password", "1234567")).fails(400, "Password must be at least 8 characters")
	v.post("/api/auth/register", registration(w).But("password", "пароль密码")).want(201)
}

func registerBadBodies(t *testing.T, w *world) {
	v := w.visitor(t)
	v.post("/api/auth/register", registration(w).But("is_agent", "yes")).fails(400, "is_agent must be a boolean")
	v.post("/api/auth/register", "[]").fails(400, badJSON)
	v.post("/api/auth/register", "{").fails(400, badJSON)
}

func registerRace(t *testing.T, w *world) {
	v, email := w.visitor(t), registration(w)["email"]
	all := dialecttest.Together(20, func(int) *response {
		return v.post("/api/auth/register", registration(w).But("email", email))
	})
	if got := statuses(all); got[201] != 1 || got[409] != 19 {
		t.Errorf("got statuses %v, want one 201 and nineteen 409", got)
	}
}

func loginRight(t *testing.T, w *world) {
	u := w.user(t)
	r := u.post("/api/auth/login", object{"email": " " + strings.ToUpper(u.email), "password": password}).want(200)
	if token := r.text("token"); !strings.HasPrefix(token, "sess_") || len(token) != len("sess_")+43 {
		t.Errorf("got token %q, want sess_ and 43 characters", token)
	}
	r.is("user.email", u.email).is("user.id", u.id).is("user.status", "offline")
	if got, want := r.time("expires_at"), w.Clock.Now().Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("got expires_at %v, want %v", got, want)
	}
	u.get("/api/auth/me").want(200) // the session before lives on
}

func loginWrong(t *testing.T, w *world) {
	u := w.user(t)
	wrong := u.post("/api/auth/login", object{"email": u.email, "password": "wrong password"}).fails(401, badLogin)
	unknown := u.post("/api/auth/login", object{"email": "x" + u.email, "password": password}).fails(401, badLogin)
	for _, r := range []*response{wrong, unknown} {
		if got := r.Header.Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("got WWW-Authenticate %q, want Bearer", got)
		}
	}
}

func authorizationHeader(t *testing.T, w *world) {
	u, v := w.user(t), w.visitor(t)
	v.get("/api/auth/me").fails(401, noToken)
	for header, text := range map[string]string{
		"Basic x": noToken, "Bearer": noToken, "Bearer   ": noToken, "Bearersess_x": noToken, "Token sess_x": noToken,
		"Bearer sess_bogus": badToken, "Bearer aoc_bogus": badToken, "Bearer x y": badToken,
	} {
		r := v.do("GET", "/api/auth/me", nil, "Authorization: "+header).fails(401, text)
		if got := r.Header.Get("WWW-Authenticate"); got != "Bearer" {
			t.Errorf("%s: got WWW-Authenticate %q, want Bearer", header, got)
		}
	}
	for _, header := range []string{"bearer " + u.Token, "BEARER \t " + u.Token + " "} {
		v.do("GET", "/api/auth/me", nil, "Authorization: "+header).want(200).is("user.id", u.id)
	}
	v.do("GET", "/api/auth/me?token="+u.Token, nil, "Cookie: token="+u.Token).fails(401, noToken)
}

func sessionExpires(t *testing.T, w *world) {
	u := w.user(t)
	w.Clock.Advance(24*time.Hour - time.Second)
	u.get("/api/auth/me").want(200)
	w.Clock.Advance(2 * time.Second)
	u.get("/api/auth/me").fails(401, badToken)
}

func createKey(t *testing.T, w *world) {
	r := w.user(t).post("/api/auth/api-key", object{"name": " k1 "}).want(201)
	key := r.text("key")
	if !strings.HasPrefix(key, "aoc_") || len(key) != len("aoc_")+43 {
		t.Errorf("got key %q, want aoc_ and 43 characters", key)
	}
	r.is("name", "k1").is("prefix", key[:12])
	if _, ok := id.ParseUUID(r.text("id")); !ok {
		t.Errorf("got id %q, want a UUID", r.text("id"))
	}
}

func useKey(t *testing.T, w *world) {
	u := w.user(t)
	key, _ := u.newKey("k1")
	r := u.with(key).get("/api/auth/me").want(200).is("user.id", u.id)
	if got := r.Header.Get("X-RateLimit-Limit"); got != "400" {
		t.Errorf("got limit %s, want 400", got)
	}
}

func listKeys(t *testing.T, w *world) {
	u := w.user(t)
	key, keyID := u.newKey("k1")
	r := u.get("/api/auth/api-key").want(200)
	r.is("keys.0.id", keyID).is("keys.0.name", "k1").is("keys.0.key", dialecttest.Absent{}).is("keys.0.last_used_at", nil).is("keys.1", dialecttest.Absent{})
	if strings.Contains(r.Raw, key) {
		t.Errorf("got the full key in %s", r.Raw)
	}
	_, newer := u.newKey("k1")
	u.get("/api/auth/api-key").want(200).is("keys.0.id", newer).is("keys.1.id", keyID)
}

func revokeKey(t *testing.T, w *world) {
	u := w.user(t)
	key, keyID := u.newKey("k1")
	k := u.with(key)
	k.get("/api/auth/me").want(200) // known to every cache
	if r := u.delete("/api/auth/api-key/" + keyID).want(200); r.Raw != `{"success":true}` {
		t.Errorf("got %s", r.Raw)
	}
	k.get("/api/auth/me").fails(401, badToken)

	key, keyID = u.newKey("k2")
	u.with(key).delete("/api/auth/api-key/" + keyID).want(200) // a key may end itself
	u.with(key).get("/api/auth/me").fails(401, badToken)
}

func revokeOtherKey(t *testing.T, w *world) {
	u, other := w.user(t), w.user(t)
	_, keyID := u.newKey("k1")
	other.delete("/api/auth/api-key/"+keyID).fails(404, noKey)
	u.delete("/api/auth/api-key/" + keyID).want(200)
	u.delete("/api/auth/api-key/"+keyID).fails(404, noKey)
	u.delete("/api/auth/api-key/nonsense").fails(404, noKey)
}

func keyCap(t *testing.T, w *world) {
	u := w.user(t)
	var last string
	for range 10 {
		_, last = u.newKey("k")
	}
	u.post("/api/auth/api-key", nil).fails(409, "API key limit reached")
	u.delete("/api/auth/api-key/" + last).want(200)
	u.post("/api/auth/api-key", nil).want(201).is("name", "default")
}
