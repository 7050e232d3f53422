package opencord_test

import (
	"testing"

	"parley/internal/dialect/dialecttest"
)

func TestLogout(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u := w.user(t)
		other := u.post("/api/auth/login", object{"email": u.email, "password": password}).want(200).text("token")
		key, _ := u.newKey("k")
		u.with(key).post("/api/auth/logout", nil).fails(403, "This action needs a session token")
		u.post("/api/auth/logout", nil).want(200).is("success", true)
		u.get("/api/auth/me").fails(401, badToken)
		u.with(other).get("/api/auth/me").want(200)
		u.with(key).get("/api/auth/me").want(200)
	})
}

// The fifty-first login ends the oldest session and no other.
func TestSessionCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	u := w.user(t)
	tokens := []string{u.Token}
	for range 50 {
		tokens = append(tokens, u.post("/api/auth/login", object{"email": u.email, "password": password}).want(200).text("token"))
	}
	u.with(tokens[0]).get("/api/auth/me").fails(401, badToken)
	u.with(tokens[1]).get("/api/auth/me").want(200)
	u.with(tokens[50]).get("/api/auth/me").want(200)
}

// Many people want one name and one address at once: one of them gets it.
func TestRegistrationsThatTakeBoth(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		in := registration(w)
		all := dialecttest.Together(20, func(int) *response { return w.visitor(t).post("/api/auth/register", in) })
		if got := statuses(all); got[201] != 1 || got[409] != 19 {
			t.Errorf("got statuses %v, want one 201 and nineteen 409", got)
		}
		for _, r := range all {
			if r.Status == 409 {
				r.fails(409, "Email already registered")
			}
		}
		byName := registration(w)
		all = dialecttest.Together(20, func(int) *response {
			return w.visitor(t).post("/api/auth/register", registration(w).But("username", byName["username"]))
		})
		if got := statuses(all); got[201] != 1 || got[409] != 19 {
			t.Errorf("got statuses %v, want one 201 and nineteen 409", got)
		}
	})
}

func TestJoinRace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		all := dialecttest.Together(10, func(int) *response { return c.X.join(c.S, c.code) })
		if got := statuses(all); got[200] != 1 || got[409] != 9 {
			t.Errorf("got statuses %v, want one 200 and nine 409", got)
		}
		c.O.get("/api/servers/"+c.S).want(200).is("server.member_count", 3)
	})
}
