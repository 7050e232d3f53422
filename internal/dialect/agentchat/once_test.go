package agentchat_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// The tests of idempotency keys use reservations of uploads: each that is made is a
// row of its own.

func onceKey(key string) string { return "Idempotency-Key: " + key }

// announceOnce reserves an upload for somebody under a key.
func (a *agent) announceOnce(key string, to *agent) *response {
	a.T.Helper()
	return a.Post("/v1/uploads", announcement("x", object{"to": to.handle}), onceKey(key))
}

// replayed asserts whether an answer is an old one.
func replayed(t testing.TB, r *response, want bool) *response {
	t.Helper()
	if got := r.Header.Get("Idempotent-Replay") == "true"; got != want {
		t.Errorf("replayed: got %v, want %v in %d %s", got, want, r.Status, r.Raw)
	}
	return r
}

func TestReplayOfAnAnswer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		first := replayed(t, a.announceOnce("key-00001", b).Want(201), false)
		w.Clock.Advance(time.Minute)
		again := replayed(t, a.announceOnce("key-00001", b).Want(201), true)
		if again.Raw != first.Raw {
			t.Errorf("replay: got %s, want %s", again.Raw, first.Raw)
		}
		other := replayed(t, a.announceOnce("key-00002", b).Want(201), false)
		if other.Text("attachment_id") == first.Text("attachment_id") {
			t.Error("another key replayed the answer")
		}
		// The key is the agent's own, and its case counts.
		replayed(t, b.announceOnce("key-00001", a).Want(201), false)
		replayed(t, a.announceOnce("KEY-00001", b).Want(201), false)

		w.Clock.Advance(24*time.Hour - time.Minute - time.Millisecond)
		replayed(t, a.announceOnce("key-00001", b).Want(201), true)
		w.Clock.Advance(time.Millisecond)
		if late := replayed(t, a.announceOnce("key-00001", b).Want(201), false); late.Raw == first.Raw {
			t.Error("an answer of yesterday was replayed")
		}
	})
}

// A replay costs no budget and meets no policy.
func TestReplayPassesRateAndPolicy(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		first := a.announceOnce("key-00001", b).Want(201)
		for i := range 29 {
			a.announceOnce("more-0000"+strconv.Itoa(i), b).Want(201)
		}
		code(a.announceOnce("refused-1", b), 429, "RATE_LIMITED")
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetBlock(ctx, store.Edge{Owner: b.id, Target: a.id}, w.Clock.Now(), true)
		})
		if again := replayed(t, a.announceOnce("key-00001", b).Want(201), true); again.Raw != first.Raw {
			t.Errorf("replay: got %s, want %s", again.Raw, first.Raw)
		}
		// What told the client to come back is no answer to keep.
		w.Clock.Advance(time.Minute)
		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			return tx.SetBlock(ctx, store.Edge{Owner: b.id, Target: a.id}, w.Clock.Now(), false)
		})
		replayed(t, a.announceOnce("refused-1", b).Want(201), false)
	})
}

func TestReplayOfAnError(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		block := store.Edge{Owner: b.id, Target: a.id}
		w.Update(t, func(ctx context.Context, tx store.Tx) error { return tx.SetBlock(ctx, block, w.Clock.Now(), true) })
		first := replayed(t, code(a.announceOnce("key-00001", b), 403, "BLOCKED"), false)
		w.Update(t, func(ctx context.Context, tx store.Tx) error { return tx.SetBlock(ctx, block, w.Clock.Now(), false) })
		again := replayed(t, code(a.announceOnce("key-00001", b), 403, "BLOCKED"), true)
		if again.Raw != first.Raw {
			t.Errorf("replay: got %s, want %s", again.Raw, first.Raw)
		}
		replayed(t, a.announceOnce("key-00002", b).Want(201), false)

		// A body that cannot be read is an answer, too, with all it says.
		first = code(a.Post("/v1/uploads", object{"to": 5}, onceKey("key-00003")), 400, "VALIDATION_ERROR")
		again = replayed(t, a.Post("/v1/uploads", object{"to": 5}, onceKey("key-00003")), true)
		if again.Status != 400 || again.Raw != first.Raw {
			t.Errorf("replay: got %d %s, want %s", again.Status, again.Raw, first.Raw)
		}
	})
}

// Requests of all kinds are answered as they were, and take effect once. What would
// fail or differ the second time shows that it did not run.
func TestReplaysOfAllKinds(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		picture := new(bytes.Buffer)
		if err := png.Encode(picture, image.NewGray(image.Rect(0, 0, 200, 200))); err != nil {
			t.Fatalf("draw: %v", err)
		}
		for i, request := range []struct {
			method, path string
			body         any
			status       int
		}{
			{"POST", "/v1/contacts", object{"handle": b.handle}, 201},
			{"PATCH", "/v1/contacts/" + b.handle, object{"notes": "n"}, 200},
			{"DELETE", "/v1/contacts/" + b.handle, nil, 200},
			{"POST", "/v1/contacts/" + b.handle + "/report", object{"reason": "r"}, 200},
			{"DELETE", "/v1/contacts/" + b.handle + "/block", nil, 200},
			{"DELETE", "/v1/contacts/%40" + b.handle + "/block", nil, 404},
			{"POST", "/v1/mutes", object{"target_kind": "agent", "target_handle": b.handle}, 201},
			{"PATCH", "/v1/agents/" + a.handle, object{"display_name": "Ada"}, 200},
			{"PUT", "/v1/agents/" + a.handle + "/avatar", picture.Bytes(), 200},
			{"DELETE", "/v1/agents/" + a.handle + "/avatar", nil, 200},
			{"POST", "/v1/groups", object{"name": "Team", "member_handles": []string{b.handle}}, 201},
			{"PUT", "/v1/presence", object{"status": "busy"}, 200},
		} {
			key := onceKey("all-kinds-" + strconv.Itoa(i))
			first := replayed(t, a.Do(request.method, request.path, request.body, key).Want(request.status), false)
			w.Clock.Advance(time.Second)
			again := replayed(t, a.Do(request.method, request.path, request.body, key).Want(request.status), true)
			if again.Raw != first.Raw {
				t.Errorf("%s %s: got %s, want %s", request.method, request.path, again.Raw, first.Raw)
			}
		}
		// Messages have ids of their own: the key is passed over.
		message := object{"to": b.handle, "client_msg_id": "m", "content": object{"text": "hi"}}
		a.Post("/v1/messages", message, onceKey("x")).Want(201)
	})
}

// Method, path and body make the request; anything else under the key is another.
func TestOneKeyForTwoRequests(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		body := announcement("x", object{"to": b.handle})
		a.Post("/v1/uploads", body, onceKey("key-00001")).Want(201)
		code(a.Post("/v1/uploads", announcement("y", object{"to": b.handle}), onceKey("key-00001")), 422, "IDEMPOTENCY_KEY_CONFLICT")
		code(a.Put("/v1/reply/active", body, onceKey("key-00001")), 422, "IDEMPOTENCY_KEY_CONFLICT")
		code(a.Post("/v1/reply/claim", body, onceKey("key-00001")), 422, "IDEMPOTENCY_KEY_CONFLICT")
		replayed(t, a.Post("/v1/uploads", body, onceKey("key-00001")).Want(201), true)

		// Also where nothing but the request is remembered.
		a.Put("/v1/reply/active", object{"session_id": "one"}, onceKey("key-00002")).Want(200)
		code(a.Delete("/v1/reply/active", onceKey("key-00002")), 422, "IDEMPOTENCY_KEY_CONFLICT")
		code(a.Put("/v1/reply/active", object{"session_id": "two"}, onceKey("key-00002")), 422, "IDEMPOTENCY_KEY_CONFLICT")
		a.Put("/v1/reply/active", object{"session_id": "one"}, onceKey("key-00002")).Want(200).Is("active", true)
	})
}

func TestMalformedKeys(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		for _, key := range []string{"", "short-7", strings.Repeat("k", 129), "with space", "with.dot", "umläut-key", "tab\tkey-1"} {
			code(a.announceOnce(key, b), 400, "IDEMPOTENCY_KEY_INVALID")
		}
		for _, key := range []string{"12345678", strings.Repeat("k", 128), "A_b-C_d-0"} {
			a.announceOnce(key, b).Want(201)
		}
		// After authentication, and only where keys count.
		body := announcement("x", object{"to": b.handle})
		code(w.Visitor(t).Post("/v1/uploads", body, onceKey("x")), 401, "UNAUTHORIZED")
		a.Get("/v1/reply/active", onceKey("x")).Want(200)
		off := w.agent(t)
		w.change(t, off, func(a *chat.Account) { a.State = chat.StateSuspended })
		code(off.announceOnce("x", b), 403, "SUSPENDED")
	})
}

// Twenty equal requests at once make one reservation.
func TestEqualRequestsAtOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		all := dialecttest.Together(20, func(int) *response { return a.announceOnce("key-00001", b) })
		made := make(map[string]bool)
		for _, r := range all {
			switch {
			case r.Status == 201:
				made[r.Text("attachment_id")] = true
			case r.Status != 409 || r.At("code") != "IDEMPOTENT_IN_PROGRESS":
				t.Errorf("got %d %s, want 201 or 409 IDEMPOTENT_IN_PROGRESS", r.Status, r.Raw)
			}
		}
		if len(made) != 1 {
			t.Errorf("got the reservations %v, want one", slices.Collect(maps.Keys(made)))
		}
		replayed(t, a.announceOnce("key-00001", b).Want(201), true)
	})
}

// A request holds its key while it runs, for a minute; another that comes later has
// no second effect all the same.
func TestKeyOfARunningRequest(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		call := core.Call{Surface: chat.SurfaceAgentChat, Actor: core.Actor{Account: a.id, Kind: chat.CredentialKey, Is: chat.KindAgent}}
		request := [32]byte{1}
		begin := func() (core.Call, error) {
			c := call
			err := w.Core.Begin(t.Context(), &c, "key-00001", request)
			return c, err
		}
		reserve := func(c core.Call) chat.AttachmentID {
			t.Helper()
			got, err := w.Core.ReserveUpload(t.Context(), c, core.NewUpload{
				To: chat.Opt[string]{Present: true, Value: b.handle}, Filename: "x", ContentType: "text/plain",
				Size: 1, SHA256: strings.Repeat("0", 64),
			})
			if err != nil {
				t.Fatalf("reserve: %v", err)
			}
			return got.ID
		}
		slow, err := begin()
		if err != nil {
			t.Fatalf("begin: %v", err)
		}
		w.Clock.Advance(59 * time.Second)
		if _, err := begin(); chat.CodeOf(err) != chat.CodeOnceRunning {
			t.Errorf("after 59 s: got %v, want %s", err, chat.CodeOnceRunning)
		}
		w.Clock.Advance(time.Second)
		fast, err := begin()
		if err != nil {
			t.Fatalf("begin after 60 s: %v", err)
		}
		want := reserve(fast)
		if got := reserve(slow); got != want || !slow.Once.Replayed() {
			t.Errorf("the slow request: got %d, replayed %v; want %d of the fast one", got, slow.Once.Replayed(), want)
		}
		w.Core.End(t.Context(), &slow, nil) // which does not let go of the other's key
		if _, err := begin(); chat.CodeOf(err) != chat.CodeOnceRunning {
			t.Errorf("while the fast one runs: got %v, want %s", err, chat.CodeOnceRunning)
		}
		w.Core.End(t.Context(), &fast, nil)
		again, err := begin()
		if err != nil {
			t.Fatalf("begin at the end: %v", err)
		}
		if got := reserve(again); got != want {
			t.Errorf("replay: got %d, want %d", got, want)
		}
		w.Core.End(t.Context(), &again, nil)
	})
}

// The server's own trouble is not remembered: the retry runs.
func TestTroubleIsNotReplayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) { c.Blobs = nil })
	a, b := w.agent(t), w.agent(t)
	for range 2 {
		replayed(t, code(a.announceOnce("key-00001", b), 503, "STORAGE_UNAVAILABLE"), false)
	}
}

// A body too long for any route has no fingerprint, and is told so as ever.
func TestKeyWithAnEndlessBody(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		for _, size := range []int{1<<20 + 1, 5<<20 + 1} {
			code(a.Post("/v1/uploads", strings.Repeat(" ", size), onceKey("key-00001")), 413, "PAYLOAD_TOO_LARGE")
		}
	})
}

func TestRememberedOutcomesAreSwept(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.announceOnce("key-00001", b).Want(201)
		w.Clock.Advance(24*time.Hour + time.Millisecond)
		a.announceOnce("key-00002", b).Want(201)
		if err := w.Core.Sweep(t.Context()); err != nil {
			t.Fatalf("sweep: %v", err)
		}
		for key, want := range map[string]bool{"key-00001": false, "key-00002": true} {
			err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
				_, err := r.Replay(ctx, a.id, key)
				return err
			})
			if got := err == nil; got != want {
				t.Errorf("%s there: got %v (%v), want %v", key, got, err, want)
			}
		}
	})
}
