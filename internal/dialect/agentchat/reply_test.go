package agentchat_test

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestForegroundSessions(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		const path = "/v1/reply/active"
		active := func(want bool) {
			t.Helper()
			a.Get(path).Want(200).Is("active", want)
		}
		active(false)
		r := a.Put(path, nil).Want(200).Is("active", true)
		if got, want := readTime(t, r.Text("expires_at")), w.Clock.Now().Add(600*time.Second); !got.Equal(want) {
			t.Errorf("expires_at: got %v, want %v", got, want)
		}
		active(true)
		b.Get(path).Want(200).Is("active", false)

		// One without a name, and one each by name.
		a.Put(path, object{"session_id": "one"}).Want(200)
		a.Do("DELETE", path, object{"session_id": "other"}).Want(200).Is("active", true)
		a.Delete(path).Want(200).Is("active", true)
		a.Do("DELETE", path, object{"session_id": "one"}).Want(200).Is("active", false)
		a.Delete(path).Want(200).Is("active", false)
		active(false)

		for asked, seconds := range map[any]int{nil: 600, 0: 5, -7: 5, 5: 5, 6: 6, 3600: 3600, 3601: 3600, int64(1) << 62: 3600} {
			r := a.Put(path, object{"ttl_seconds": asked}).Want(200)
			if got, want := readTime(t, r.Text("expires_at")), w.Clock.Now().Add(time.Duration(seconds)*time.Second); !got.Equal(want) {
				t.Errorf("ttl_seconds %v: got %v, want %v", asked, got, want)
			}
		}
		a.Put(path, object{"ttl_seconds": 5}).Want(200)
		w.Clock.Advance(5*time.Second - time.Millisecond)
		active(true)
		w.Clock.Advance(time.Millisecond)
		active(false)

		code(a.Put(path, object{"session_id": strings.Repeat("ä", 201)}), 400, "VALIDATION_ERROR")
		code(a.Put(path, object{"session_id": 5}), 400, "VALIDATION_ERROR")
		code(a.Put(path, object{"ttl_seconds": 1.5}), 400, "VALIDATION_ERROR")
		code(a.Do("DELETE", path, object{"session_id": strings.Repeat("ä", 201)}), 400, "VALIDATION_ERROR")
		code(w.Visitor(t).Get(path), 401, "UNAUTHORIZED")
		a.Put(path, object{"session_id": strings.Repeat("ä", 200)}).Want(200)
	})
}

func TestClaims(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		claim := func(by *agent, message, holder string, want bool) {
			t.Helper()
			by.Post("/v1/reply/claim", object{"message_id": message, "holder": holder}).Want(200).
				Is("claimed", want).Is("deferred", false)
		}
		claim(a, "msg_1", "daemon:1", true)
		claim(a, "msg_1", "session:1", false)
		claim(a, "msg_1", "daemon:1", true)
		claim(b, "msg_1", "session:1", true) // of another agent

		// Ten minutes, from the last time.
		w.Clock.Advance(9 * time.Minute)
		claim(a, "msg_1", "daemon:1", true)
		w.Clock.Advance(10*time.Minute - time.Millisecond)
		claim(a, "msg_1", "session:1", false)
		w.Clock.Advance(time.Millisecond)
		claim(a, "msg_1", "session:1", true)

		for _, bad := range []object{
			{"holder": "h"},
			{"message_id": "m"},
			{"message_id": "", "holder": "h"},
			{"message_id": "m", "holder": ""},
			{"message_id": 5, "holder": "h"},
			{"message_id": "m", "holder": strings.Repeat("h", 201)},
			{"message_id": strings.Repeat("m", 201), "holder": "h"},
			{"message_id": "m", "holder": "h", "defer_if_active": 1},
		} {
			code(a.Post("/v1/reply/claim", bad), 400, "VALIDATION_ERROR")
		}
		code(w.Visitor(t).Post("/v1/reply/claim", object{}), 401, "UNAUTHORIZED")
	})
}

func TestClaimsOfABatch(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		claim := func(holder string, want int, messages ...string) {
			t.Helper()
			a.Post("/v1/reply/claim-batch", object{"message_ids": messages, "holder": holder}).Want(200).
				Is("claimed_count", want).Is("deferred", false)
		}
		claim("one", 2, "m1", "m2")
		claim("two", 0, "m1", "m3")
		claim("two", 1, "m3", "m2", "m4")
		claim("one", 3, "m2", "m4", "m1")
		claim("one", 0, "m3", "m5")
		claim("two", 1, "m5") // which was not reached
		claim("two", 3, "m6", "m6", "m3")

		many := make([]string, 201)
		for i := range many {
			many[i] = "many" + strconv.Itoa(i)
		}
		claim("one", 200, many[:200]...)
		for _, bad := range []object{
			{"message_ids": many, "holder": "h"},
			{"message_ids": []string{}, "holder": "h"},
			{"holder": "h"},
			{"message_ids": []any{5}, "holder": "h"},
			{"message_ids": "m", "holder": "h"},
			{"message_ids": []string{"m"}},
			{"message_ids": []string{"m", ""}, "holder": "h"},
		} {
			code(a.Post("/v1/reply/claim-batch", bad), 400, "VALIDATION_ERROR")
		}
	})
}

func TestClaimsDeferToTheForeground(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		one := object{"message_id": "m", "holder": "daemon", "defer_if_active": true}
		batch := object{"message_ids": []string{"m", "n"}, "holder": "daemon", "defer_if_active": true}
		a.Put("/v1/reply/active", object{"ttl_seconds": 60}).Want(200)
		a.Post("/v1/reply/claim", one).Want(200).Is("claimed", false).Is("deferred", true)
		a.Post("/v1/reply/claim-batch", batch).Want(200).Is("claimed_count", 0).Is("deferred", true)
		a.Post("/v1/reply/claim", object{"message_id": "m", "holder": "session"}).Want(200).Is("claimed", true)
		w.Clock.Advance(time.Minute)
		a.Post("/v1/reply/claim", one).Want(200).Is("claimed", false).Is("deferred", false)
		a.Post("/v1/reply/claim-batch", object{"message_ids": []string{"n", "m"}, "holder": "daemon", "defer_if_active": true}).
			Want(200).Is("claimed_count", 1).Is("deferred", false)
	})
}
