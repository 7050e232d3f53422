package aiclient_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"testing"
	"time"

	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/httpx"
)

// The words of AI 5 for what is about no route.
const (
	textRate     = "请求过于频繁,请稍后再试"
	textNoRoute  = "接口不存在"
	textMethod   = "不支持的请求方法"
	textInternal = "服务器错误"
)

// unknownID has the form of an id and is none.
const unknownID = "00000000-0000-4000-8000-000000000000"

// header reads a header that is a whole number.
func header(t testing.TB, r *dialecttest.Response, name string) int {
	t.Helper()
	n, err := strconv.Atoi(r.Header.Get(name))
	if err != nil {
		t.Errorf("%s: got %q, want a whole number", name, r.Header.Get(name))
	}
	return n
}

// quota asserts which limit an answer describes, what is left of it, and that its window
// ends at a multiple of its length (AI 6).
func quota(t testing.TB, w *world, r *dialecttest.Response, limit, remaining int) {
	t.Helper()
	window := time.Minute
	if limit == 10 {
		window = 5 * time.Minute
	}
	if got := header(t, r, "X-RateLimit-Limit"); got != limit {
		t.Errorf("got limit %d, want %d, with %d %s", got, limit, r.Status, r.Raw)
	}
	if got := header(t, r, "X-RateLimit-Remaining"); got != remaining {
		t.Errorf("got remaining %d, want %d, with %d %s", got, remaining, r.Status, r.Raw)
	}
	reset := time.Unix(int64(header(t, r, "X-RateLimit-Reset")), 0)
	if want := w.Clock.Now().Truncate(window).Add(window); !reset.Equal(want) {
		t.Errorf("got reset %v, want %v", reset.UTC(), want)
	}
}

// limited asserts the refusal of a limit: the exact body and the headers (AI 6).
func limited(t testing.TB, w *world, r *dialecttest.Response, limit int) {
	t.Helper()
	wait := header(t, r, "X-RateLimit-Reset") - int(w.Clock.Now().Unix())
	want := fmt.Sprintf(`{"error":%q,"retry_after":%d}`, textRate, wait)
	if r.Status != 429 || r.Raw != want {
		t.Fatalf("got %d %s, want 429 %s", r.Status, r.Raw, want)
	}
	if got := header(t, r, "Retry-After"); got != wait || wait < 1 {
		t.Errorf("got Retry-After %d, want %d and at least 1", got, wait)
	}
	quota(t, w, r, limit, 0)
}

// spend uses up what an agent or address has left of the requests of a window.
func (c *client) spend() {
	c.T.Helper()
	for left := -1; left != 0; {
		r := c.Get("/ai/nope").Want(404)
		left = header(c.T, r, "X-RateLimit-Remaining")
	}
}

// spendSends uses up the messages that an agent may send in a window.
func (c *client) spendSends() {
	c.T.Helper()
	for left := -1; left != 0; {
		r := c.Post("/ai/messages", "{").Want(400)
		left = header(c.T, r, "X-RateLimit-Remaining")
	}
}

// elsewhere is the same client at another address.
func (c *client) elsewhere() *client {
	other := c.with(c.Token)
	other.Addr = c.w.Visitor(c.T).Addr
	return other
}

func TestB55GlobalLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.person(t).makes("A")
		for i := range 100 {
			r := a.Get("/ai/me").Want(200)
			quota(t, w, r, 100, 99-i)
		}
		for range 2 { // a refused request is not counted
			limited(t, w, a.Get("/ai/me"), 100)
		}
		limited(t, w, a.elsewhere().Get("/ai/me"), 100) // the agent's, not the address's
		limited(t, w, a.Get("/ai/nope"), 100)
		limited(t, w, a.Delete("/ai/me"), 100)
	})
}

func TestB56OtherAgentOfTheAddress(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u := w.person(t)
		a, b := u.makes("A"), u.makes("B")
		b.Addr = a.Addr
		a.spend()
		limited(t, w, a.Get("/ai/me"), 100)
		r := b.Get("/ai/me").Want(200)
		quota(t, w, r, 100, 99)
		quota(t, w, a.with("").Get("/ai/health").Want(200), 100, 99) // nor is the address used up
	})
}

func TestB57SendLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		group := "/ai/groups/" + c.R + "/messages"
		for i := range 20 {
			quota(t, w, c.A.says(c.B, "hi").Want(200), 30, 29-i)
		}
		for i := range 10 {
			quota(t, w, c.A.Post(group, object{"content": "hi"}).Want(200), 30, 9-i)
		}
		for range 2 { // a refused send is not counted by what refused it
			limited(t, w, c.A.says(c.B, "hi"), 30)
			limited(t, w, c.A.Post(group, object{"content": "hi"}), 30)
		}
		r := c.A.Get("/ai/me").Want(200)
		quota(t, w, r, 100, 100-1-30-4-1) // the group, the sends, the refused ones, this
		quota(t, w, c.B.says(c.A, "hi").Want(200), 30, 29)
	})
}

func TestB58FailedSendsCount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for i := range 30 {
			quota(t, w, c.A.says(c.B, "").Want(400), 30, 29-i)
		}
		limited(t, w, c.A.says(c.B, "hi"), 30)
		if got := c.B.Get("/ai/messages").Want(200).List("messages"); len(got) != 0 {
			t.Errorf("got %v, want no message", got)
		}
	})
}

func TestB59LoginLimit(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u, other := w.person(t), w.person(t)
		v := w.visitor(t)
		attempt := func(c *client, email, password string) *dialecttest.Response {
			return c.Post("/ai/auth/login", object{"email": email, "password": password})
		}
		quota(t, w, attempt(v, u.email, password).Want(200), 10, 9) // right ones count, too
		quota(t, w, v.Post("/ai/auth/login", "{").Want(400), 10, 8) // and malformed ones
		for i := range 8 {
			quota(t, w, attempt(v, other.email, "wrong password").Want(401), 10, 7-i)
		}
		for range 2 {
			limited(t, w, attempt(v, u.email, password), 10)
		}
		limited(t, w, v.Post("/ai/auth/login", "{"), 10) // told before the body is looked at
		quota(t, w, v.Get("/ai/auth/login").Want(405), 100, 100-13-1)
		attempt(v.elsewhere(), u.email, password).Want(200)
		r := attempt(v, u.email, password)
		if wait, ok := r.At("retry_after").(float64); !ok || wait < 1 || wait > 300 {
			t.Errorf("got retry_after %v, want 1 to 300", r.At("retry_after"))
		}

		w.Clock.Advance(4*time.Minute + 29*time.Second)
		limited(t, w, attempt(v, u.email, password), 10)
		w.Clock.Advance(time.Second)
		quota(t, w, attempt(v, u.email, password).Want(200), 10, 9)
	})
}

func TestB60InvalidKeysCountByAddress(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.person(t).makes("A")
		for i := range 100 {
			r := a.with("aik_" + strconv.Itoa(i)).Get("/ai/me")
			fails(t, r, 401, textBadKey)
			quota(t, w, r, 100, 99-i)
		}
		limited(t, w, a.with("aik_bogus").Get("/ai/me"), 100)
		limited(t, w, a.with("").Get("/ai/health"), 100)
		quota(t, w, a.Get("/ai/me").Want(200), 100, 99)
		a.elsewhere().with("aik_bogus").Get("/ai/me").Want(401)
	})
}

func TestB61NewKeyKeepsTheBucket(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u := w.person(t)
		a := u.makes("A")
		a.spendSends() // 30 of the 100 requests
		key := u.Post("/ai/agents/"+a.id+"/key", nil).Want(200).Text("api_key")
		limited(t, w, a.with(key).Post("/ai/messages", "{"), 30)
		a.with(key).spend()
		key = u.Post("/ai/agents/"+a.id+"/key", nil).Want(200).Text("api_key")
		limited(t, w, a.with(key).Get("/ai/me"), 100)
		fails(t, a.Get("/ai/me"), 401, textBadKey) // the old key counts as none
	})
}

func TestB62WindowPasses(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.person(t).makes("A")
		a.spendSends()
		a.spend()
		reset := time.Unix(int64(header(t, a.Get("/ai/me"), "X-RateLimit-Reset")), 0)
		w.Clock.Advance(reset.Sub(w.Clock.Now()) - time.Millisecond)
		a.Get("/ai/me").Want(429).Is("retry_after", 1) // rounded up
		w.Clock.Advance(time.Millisecond)
		quota(t, w, a.Get("/ai/me").Want(200), 100, 99)
		quota(t, w, a.Post("/ai/messages", "{").Want(400), 30, 29)
	})
}

// Everything without a valid key of an agent counts by address: people, visitors and
// health together; an IPv6 network of 64 bits is one address.
func TestWhatCountsByAddress(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u, v := w.person(t).elsewhere(), w.person(t)
		v.Addr = u.Addr
		quota(t, w, u.Get("/ai/auth/me").Want(200), 100, 99)
		quota(t, w, v.Get("/ai/agents").Want(200), 100, 98)
		quota(t, w, u.with("").Get("/ai/health").Want(200), 100, 97)
		quota(t, w, u.with("").Get("/ai/me").Want(401), 100, 96)
		quota(t, w, u.Get("/ai/me").Want(401), 100, 95)
		quota(t, w, u.with("").Post("/ai/auth/register", "{}").Want(400), 100, 94)
		u.spend()
		limited(t, w, v.Get("/ai/auth/me"), 100)
		v.elsewhere().Get("/ai/auth/me").Want(200)

		for i, addr := range []string{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"} {
			v.Addr = addr
			quota(t, w, v.Get("/ai/auth/me").Want(200), 100, []int{99, 98, 99}[i])
		}
	})
}

// A valid key counts by agent wherever it is shown, the human endpoints included; the
// login limit is the address's all the same.
func TestKeysOnEndpointsOfPeople(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		u := w.person(t)
		a := u.makes("A")
		quota(t, w, a.Get("/ai/agents").Want(401), 100, 99)
		quota(t, w, a.Get("/ai/health").Want(200), 100, 98)
		quota(t, w, a.with("").Get("/ai/health").Want(200), 100, 99)
		login := object{"email": u.email, "password": password}
		quota(t, w, a.Post("/ai/auth/login", login).Want(200), 10, 9)
		quota(t, w, a.with("").Post("/ai/auth/login", login).Want(200), 10, 8)
		quota(t, w, a.Get("/ai/me").Want(200), 100, 96)
	})
}

// Forwarding headers count from trusted proxies only: else everybody has as many
// addresses as they like.
func TestForgedAddressesCountAsOne(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		w := &world{dialecttest.NewWorld(t, e, func(in *dialecttest.World, _ *httpx.Clients) http.Handler {
			return aiclient.New(aiclient.Config{Core: in.Core, IDs: in.IDs, Log: slog.New(slog.DiscardHandler)})
		})}
		v := w.visitor(t)
		for i := range 100 {
			v.Get("/ai/nope", fmt.Sprintf("X-Forwarded-For: 192.0.2.%d", i)).Want(404)
		}
		limited(t, w, v.Get("/ai/nope", "X-Forwarded-For: 198.51.100.1"), 100)
		limited(t, w, v.Get("/ai/nope", "X-Real-IP: 198.51.100.1"), 100)
	})
}

// Every answer under /ai/ has the rate headers, and they describe the limit that the
// request counted against last.
func TestEveryAnswerHasRateHeaders(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		off := c.U2.makes("off")
		c.U2.Patch("/ai/agents/"+off.id, object{"status": "disabled"}).Want(200)
		v := w.visitor(t)
		group := "/ai/groups/" + c.R + "/messages"
		for _, tc := range []struct {
			limit, status int
			r             *dialecttest.Response
		}{
			{100, 200, c.A.Get("/ai/me")},
			{100, 200, c.A.Do("HEAD", "/ai/me", nil)},
			{100, 200, v.Get("/ai/health")},
			{100, 200, v.Get("/ai/openapi.json")},
			{100, 204, v.Do("OPTIONS", "/ai/messages", nil, "Access-Control-Request-Method: POST")},
			{100, 204, v.Do("OPTIONS", "/ai/messages", nil)},
			{100, 400, c.A.Get("/ai/messages?limit=0")},
			{100, 400, v.Post("/ai/auth/register", "{")},
			{100, 401, v.Get("/ai/me")},
			{100, 401, v.Get("/ai/auth/me")},
			{100, 401, v.with("aik_bogus").Get("/ai/me")},
			{100, 403, off.Get("/ai/me")},
			{100, 403, c.C.Get(group)},
			{100, 403, c.U2.Delete("/ai/agents/" + c.A.id)},
			{100, 404, v.Get("/ai/nope")},
			{100, 404, v.Get("/ai/")},
			{100, 404, v.Get("/ai/me/")},
			{100, 404, c.A.Get("/ai/agents/" + unknownID)},
			{100, 405, v.Delete("/ai/messages")},
			{100, 409, v.Post("/ai/auth/register", object{"email": c.U1.email, "password": password, "username": "other"})},
			{100, 413, v.Post("/ai/auth/register", make([]byte, 65_537))},
			// The send bucket is shown where it was reached.
			{30, 200, c.A.says(c.B, "hi")},
			{30, 200, c.A.Post(group, object{"content": "hi"})},
			{30, 400, c.A.Post("/ai/messages", "{")},
			{30, 403, c.C.Post(group, "{")},
			{30, 404, c.A.Post("/ai/groups/"+unknownID+"/messages", object{"content": "hi"})},
			{30, 413, c.A.Post("/ai/messages", make([]byte, 65_537))},
			{100, 401, v.Post("/ai/messages", "{")},
			{100, 401, c.U1.Post("/ai/messages", "{")},
			{100, 403, off.Post("/ai/messages", "{")},
			{100, 405, c.A.Delete(group)},
			{10, 200, v.Post("/ai/auth/login", object{"email": c.U1.email, "password": password})},
			{10, 400, v.Post("/ai/auth/login", "{")},
			{10, 401, v.Post("/ai/auth/login", object{"email": c.U1.email, "password": "wrong password"})},
			{10, 413, v.Post("/ai/auth/login", make([]byte, 65_537))},
		} {
			if tc.r.Status != tc.status {
				t.Errorf("got %d %s, want %d", tc.r.Status, tc.r.Raw, tc.status)
			}
			remaining := header(t, tc.r, "X-RateLimit-Remaining")
			if remaining < 0 || remaining > tc.limit-1 && tc.status != http.StatusNoContent {
				t.Errorf("%d %s: got remaining %d of %d", tc.r.Status, tc.r.Raw, remaining, tc.limit)
			}
			quota(t, w, tc.r, tc.limit, remaining)
		}
	})
}

// A preflight is not counted.
func TestPreflightsAreNotCounted(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v := w.visitor(t)
		preflight := func() *dialecttest.Response {
			return v.Do("OPTIONS", "/ai/messages", nil, "Origin: https://x.example", "Access-Control-Request-Method: POST").Want(204)
		}
		for range 3 {
			quota(t, w, preflight(), 100, 100)
		}
		quota(t, w, v.Do("OPTIONS", "/ai/messages", nil).Want(204), 100, 99) // no preflight
		v.spend()
		quota(t, w, preflight(), 100, 0)
	})
}

// Requests that come at once are counted one by one.
func TestLimitsUnderParallelRequests(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		sends := dialecttest.Statuses(dialecttest.Together(40, func(int) *dialecttest.Response { return c.C.says(c.B, "hi") }))
		if sends[200] != 30 || sends[429] != 10 {
			t.Errorf("40 sends: got %v, want 30 times 200", sends)
		}
		requests := dialecttest.Statuses(dialecttest.Together(80, func(int) *dialecttest.Response { return c.C.Get("/ai/me") }))
		if requests[200] != 60 || requests[429] != 20 { // 40 went into the sends
			t.Errorf("80 requests: got %v, want 60 times 200", requests)
		}
	})
}

// Without limits the headers tell of whole windows.
func TestLimitsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], limitsOff)
	c := newCast(t, w)
	for range 101 {
		quota(t, w, c.A.Get("/ai/me").Want(200), 100, 100)
	}
	for range 31 {
		quota(t, w, c.A.says(c.B, "hi").Want(200), 30, 30)
	}
	for range 11 {
		r := c.U1.Post("/ai/auth/login", object{"email": c.U1.email, "password": password}).Want(200)
		quota(t, w, r, 10, 10)
	}
}
