package opencord_test

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/store"
)

// What an account may do while it is suspended, disabled, paused or restricted is
// the core's to say; these tests hold the words and that nothing slips past them.

func TestSuspendedAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		const off = "Your account is suspended"
		c := newCast(t, w)
		m := c.O.say(c.G, "hi").want(201).text("message.id")
		c.suspend(c.O)
		c.O.get("/api/auth/me").want(200).is("user.id", c.O.id)
		for _, r := range []*response{
			c.O.get("/api/servers"), c.O.get("/api/users/" + c.M.id), c.O.say(c.G, "hi"), c.O.whisper(c.D, "hi"),
			c.O.patch("/api/messages/"+m, object{"content": "x"}), c.O.post("/api/auth/api-key", nil),
			c.O.patch(ownStatus, object{"status": "online"}), c.O.post("/api/servers", "{"),
		} {
			r.fails(403, off)
		}
		c.O.get("/api/nope").fails(404, "Not found")
		c.M.post("/api/dm", object{"user_id": c.O.id}).fails(404, noUser)
		c.M.get("/api/users/" + c.O.id).want(200)
		if _, err := w.Core.Suspend(t.Context(), c.O.account(), false); err != nil {
			t.Fatalf("reinstate: %v", err)
		}
		c.O.say(c.G, "back").want(201)
		c.suspend(c.O)
		c.O.post("/api/auth/logout", nil).want(200)
		c.O.get("/api/auth/me").fails(401, badToken)
	})
}

func TestDisabledAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := &cast{O: w.user(t), M: w.user(t)} // O's token was never used, so nothing remembers its state
		direct := c.M.post("/api/dm", object{"user_id": c.O.id}).want(201).text("channel.id")
		c.set(c.O, func(a *chat.Account) { a.Disabled = true })
		c.O.get("/api/servers").fails(403, "Your account is suspended")
		c.O.get("/api/users/me").want(200)
		c.M.whisper(direct, "hi").fails(403, "This user is no longer available")
		c.M.get(inDirect(direct)).want(200)
	})
}

func TestPausedAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		const paused = "Sending is paused by your owner"
		c := newCast(t, w)
		for _, pause := range []chat.Pause{chat.PauseSend, chat.PauseFull} {
			c.set(c.O, func(a *chat.Account) { a.Pause = pause })
			c.O.say(c.G, "hi").fails(403, paused)
			c.O.whisper(c.D, "hi").fails(403, paused)
			c.O.whisper(c.D, " ").fails(400, emptyContent) // input is looked at before policy
			c.O.get(inDirect(c.D)).want(200)
		}
	})
}

func TestBlocks(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		const blocked = "You cannot write to this user"
		c := newCast(t, w)
		c.O.whisper(c.D, "before").want(201)
		c.relate(c.O, c.M, store.Tx.SetBlock)
		for _, r := range []*response{ // it holds both ways
			c.O.whisper(c.D, "hi"), c.M.whisper(c.D, "hi"),
			c.O.post("/api/dm", object{"user_id": c.M.id}), c.M.post("/api/dm", object{"user_id": c.O.id}),
		} {
			r.fails(403, blocked)
		}
		c.M.get(inDirect(c.D)).want(200).is("messages.0.content", "before")
		c.M.say(c.G, "channels know no blocks").want(201)
	})
}

func TestRestrictedAccount(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.X.join(c.S, c.code).want(200)
		c.M.whisper(c.D, "hi").want(201)
		c.set(c.O, func(a *chat.Account) { a.State = chat.StateRestricted })
		c.O.whisper(c.D, "it goes on").want(201)
		c.O.say(c.G, "hi").want(201)
		fresh := c.O.post("/api/dm", object{"user_id": c.X.id}).want(201).text("channel.id")
		c.O.whisper(fresh, "hi").fails(403, "Your account may not start new conversations")
	})
}

func TestGuardedPeer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		if _, err := w.Core.SetGuard(t.Context(), c.M.account(), true); err != nil {
			t.Fatalf("set the guard: %v", err)
		}
		c.O.whisper(c.D, "one opener").want(201)
		c.O.whisper(c.D, "two").fails(403, "Wait for a reply before writing again")
		c.M.whisper(c.D, "reply").want(201)
		c.O.whisper(c.D, "two").want(201)
		c.O.whisper(c.D, "three").want(201)
	})
}

func TestContactsOnlyPeer(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.set(c.M, func(a *chat.Account) { a.ContactsOnly = true })
		c.O.whisper(c.D, "hi").fails(403, "This user accepts messages from contacts only")
		c.relate(c.M, c.O, store.Tx.SetContact)
		c.O.whisper(c.D, "hi").want(201)
	})
}

// An agent, a human and an account of another surface look as the contract says.
func TestAccountsOfOtherSurfaces(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		stranger := c.guarded(1)[0]
		r := c.O.get("/api/users/"+stranger).want(200).is("user.is_agent", true).is("user.id", stranger)
		r.is("user.email", dialecttest.Absent{})
		c.set(c.O, func(a *chat.Account) {
			a.LoginAddress, a.RecoveryAddress = "", "recovery@example.org"
			a.Presence = chat.Presence{Status: chat.StatusAway, Text: "out", Chosen: true}
		})
		c.O.get("/api/auth/me").want(200).is("user.email", "recovery@example.org").is("user.status", "idle").is("user.custom_status", "out")
		c.set(c.O, func(a *chat.Account) { a.RecoveryAddress = "" })
		c.O.get("/api/auth/me").want(200).is("user.email", "")
	})
}

// GET /api/dm in pages, an extension: the newest first, each once.
func TestDirectPages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		want := []string{c.D}
		for _, peer := range c.guarded(6) {
			want = append([]string{c.O.post("/api/dm", object{"user_id": peer}).want(201).text("channel.id")}, want...)
		}
		var got []string
		path := "/api/dm?limit=3"
		for page := 0; ; page++ {
			r := c.O.get(path).want(200).is("has_more", page < 2)
			ids := r.texts("channels", "id")
			got = append(got, ids...)
			if page == 2 {
				break
			}
			path = "/api/dm?limit=3&before=" + ids[len(ids)-1]
		}
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("place %d: got %s, want %s", i, got[i], want[i])
			}
		}
		if n := len(c.O.get("/api/dm?limit=&before=").want(200).list("channels")); n != len(want) {
			t.Errorf("got %d conversations, want %d", n, len(want))
		}
		for _, bad := range []string{"x", unknownID, c.S, w.IDs.Seal(id.KindMessage, 1).String()} {
			c.O.get("/api/dm?before="+bad).fails(400, "before is invalid")
		}
		for _, bad := range []string{"0", "1001", "x", "-1"} {
			c.O.get("/api/dm?limit="+bad).fails(400, "limit must be an integer between 1 and 1000")
		}
	})
}
