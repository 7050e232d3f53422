package agentchat_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/secret"
	"parley/internal/store"
)

func TestHelloInTheFirstFrame(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		for _, c := range []struct {
			name    string
			hello   any
			granted int
		}{
			{"nothing but the key", object{"type": "hello", "api_key": a.Token}, 0},
			{"the older name of the key", object{"type": "hello", "token": a.Token}, 0},
			{"an official client", object{
				"type": "hello", "api_key": a.Token, "capabilities": []string{"ack", "later"},
				"client": "typescript_sdk", "client_version": "1.0.2212",
			}, 1},
			{"capabilities of another form", object{"type": "hello", "api_key": a.Token, "capabilities": "ack"}, 0},
			{"capabilities that are null", `{"type":"hello","api_key":"` + a.Token + `","capabilities":null}`, 0},
		} {
			l := w.open(t, "/v1/ws")
			l.say(c.hello)
			ok := l.want("hello.ok").is("handle", a.handle)
			if granted, _ := ok.at("capabilities").([]any); len(granted) != c.granted || c.granted > 0 && granted[0] != "ack" {
				t.Errorf("%s: got capabilities %v, want %d", c.name, ok.at("capabilities"), c.granted)
			}
			l.alive()
		}
	})
}

func TestKeyInTheHeader(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t)
		w.write(t, a, b, "before")
		l := w.open(t, "/v1/ws", "Authorization: Bearer "+b.Token, "X-AgentChat-Capabilities: x, ack")
		// The daemon acknowledges before it has heard anything.
		l.say(object{"type": "ack", "message_id": "msg_unknown"})
		l.want("hello.ok").is("capabilities.0", "ack").is("handle", b.handle)
		l.wantText("before")
		l.say(object{"type": "hello", "api_key": b.Token})
		l.want("hello.ok").is("capabilities.0", "ack").is("handle", b.handle)
		l.alive()

		plain := w.open(t, "/v1/ws", "Authorization: Bearer "+a.Token)
		plain.want("hello.ok").is("capabilities.0", dialecttest.Absent{})
		plain.say(object{"type": "hello", "api_key": a.Token, "capabilities": []string{"ack"}})
		plain.want("hello.ok").is("capabilities.0", "ack")
	})
}

func TestBadKeyInTheHeaderIsRefusedOverHTTP(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		suspended, person := w.agent(t), w.human(t)
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		for name, c := range map[string]struct {
			header string
			status int
		}{
			"unknown":   {"Bearer ac_live_unknown", 401},
			"empty":     {"Bearer ", 401},
			"no bearer": {"Basic eDp5", 401},
			"a person":  {"Bearer " + w.session(t, person), 401},
			"suspended": {"Bearer " + suspended.Token, 403},
		} {
			if _, status := w.dial(t, "/v1/ws", "Authorization: "+c.header); status != c.status {
				t.Errorf("%s: got status %d, want %d", name, status, c.status)
			}
		}
		visitor := w.Visitor(t)
		code(visitor.Get("/v1/ws", "Authorization: Bearer wrong"), 401, "UNAUTHORIZED")
		code(visitor.Get("/v1/ws", "Authorization: Bearer "+suspended.Token), 403, "SUSPENDED")
		code(visitor.Get("/v1/ws"), 400, "VALIDATION_ERROR") // no upgrade
	})
}

// session is a session of a person, made past the core.
func (w *world) session(t testing.TB, c core.Call) string {
	t.Helper()
	token := "session-of-" + t.Name()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		return tx.InsertCredential(ctx, &chat.Credential{
			ID: chat.CredentialID(n), Account: c.Actor.Account, Kind: chat.CredentialSession, Issuer: chat.SurfaceAgentChat,
			CreatedAt: w.Clock.Now(), ExpiresAt: w.Clock.Now().Add(time.Hour),
		}, secret.DigestOf(token))
	})
	return token
}

func TestRefusedHello(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		suspended, deleted, person := w.agent(t), w.agent(t), w.human(t)
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		w.change(t, deleted, func(a *chat.Account) { a.State = chat.StateDeleted })
		hello := func(key string) any { return object{"type": "hello", "api_key": key} }
		for name, c := range map[string]struct {
			path   string
			first  any
			reason string
		}{
			"unknown key":       {"", hello("ac_live_unknown"), "Invalid token"},
			"no key":            {"", object{"type": "hello"}, "Invalid token"},
			"suspended":         {"", hello(suspended.Token), "Invalid token"},
			"deleted":           {"", hello(deleted.Token), "Invalid token"},
			"a person":          {"", hello(w.session(t, person)), "Invalid token"},
			"another frame":     {"", object{"type": "ack", "message_id": "msg_x"}, "HELLO frame required first"},
			"no object":         {"", `["hello"]`, "HELLO frame required first"},
			"no JSON":           {"", `hello`, "HELLO frame required first"},
			"?key=":             {"?key=" + suspended.Token, nil, "Invalid token"},
			"?api_key=":         {"?api_key=x", nil, "Invalid token"},
			"?token=":           {"?token=x", nil, "Invalid token"},
			"?access_token=":    {"?x=y&access_token=", nil, "Invalid token"},
			"?token= and HELLO": {"?token=x", hello(w.agent(t).Token), "Invalid token"},
		} {
			l := w.open(t, "/v1/ws"+c.path)
			if c.first != nil {
				l.say(c.first)
			}
			for _, frame := range l.wantClosed(1008, c.reason) {
				if frame.all["type"] != "hello.error" {
					t.Errorf("%s: got %s, want nothing but hello.error", name, frame.raw)
				}
				frame.text("payload.code")
				frame.text("payload.message")
			}
		}
		l := w.open(t, "/v1/ws")
		if err := l.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"hello"}`)); err != nil {
			t.Fatal(err)
		}
		l.wantClosed(1008, "HELLO frame required first")
	})
}

func TestHelloIsWaitedForOnlySoLong(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		silent := w.open(t, "/v1/ws")
		if frames := silent.wantClosed(1008, "HELLO frame required"); len(frames) > 0 {
			t.Errorf("got %s, want nothing before the end", frames[0].raw)
		}
		early := w.listen(t, w.agent(t)) // and is open for longer than that
		again := w.open(t, "/v1/ws")
		again.wantClosed(1008, "HELLO frame required")
		early.alive()
	}, func(_ *core.Config, c *agentchat.Config) { c.Sockets.HelloWithin = 100 * time.Millisecond })
}

// flaky is a store whose snapshots can be made to fail, or to wait.
type flaky struct {
	store.Store

	down atomic.Bool
	hold atomic.Pointer[chan struct{}]
}

func (f *flaky) View(ctx context.Context, fn func(context.Context, store.Reader) error) error {
	if held := f.hold.Load(); held != nil {
		<-*held
	}
	if f.down.Load() {
		return errors.New("the database is down")
	}
	return f.Store.View(ctx, fn)
}

// A key that cannot be checked is never called wrong: clients would give up for good.
func TestTroubleIsNotFinal(t *testing.T) {
	var stores sync.Map
	withSockets(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		found, _ := stores.Load(w.Store)
		f := found.(*flaky)
		f.down.Store(true)
		l := w.open(t, "/v1/ws")
		l.say(object{"type": "hello", "api_key": a.Token})
		l.wantClosed(1013, "try again later")
		code(w.Visitor(t).Get("/v1/ws", "Authorization: Bearer "+a.Token), 500, "INTERNAL_ERROR")
		f.down.Store(false)
		w.listen(t, a).alive()
	}, func(c *core.Config, _ *agentchat.Config) {
		f := &flaky{Store: c.Store}
		stores.Store(c.Store, f)
		c.Store = f
	})
}

// A crowd that reconnects waits for its turn, and is told to come back when that
// takes too long (README 8).
func TestCrowdIsToldToComeBack(t *testing.T) {
	t.Parallel()
	const crowd = 40 // more than are authenticated at once
	f := new(flaky)
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) {
		f.Store, c.Store = c.Store, f
	})
	agents := make([]*agent, crowd)
	for i := range agents {
		agents[i] = w.agent(t)
	}
	held := make(chan struct{})
	f.hold.Store(&held)
	lines := make([]*line, crowd)
	for i, a := range agents {
		lines[i] = w.open(t, "/v1/ws")
		lines[i].say(object{"type": "hello", "api_key": a.Token})
	}
	ends := make(chan error, crowd)
	for _, l := range lines {
		go func() {
			_, err := l.next()
			ends <- err
		}()
	}
	away := 0
	for range crowd {
		err := <-ends
		switch e, ok := errors.AsType[websocket.CloseError](err); {
		case ok && e.Code == 1013:
			if away++; away == crowd-32 {
				f.hold.Store(nil)
				close(held)
			}
		case err != nil:
			t.Errorf("got %v, want hello.ok or 1013", err)
		}
	}
	if away != crowd-32 {
		t.Errorf("told to come back: got %d, want %d", away, crowd-32)
	}
}

func TestAccountChangesCloseSockets(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		for name, c := range map[string]struct {
			change func(a *agent) error
			reason string
		}{
			"a new key": {func(a *agent) error {
				keys, err := w.Core.AccountKeys(t.Context(), a.id)
				if err != nil {
					return err
				}
				return w.Core.EndKey(t.Context(), a.id, keys[0].ID)
			}, "API key rotated"},
			"suspension": {func(a *agent) error {
				_, err := w.Core.Suspend(t.Context(), a.id, true)
				return err
			}, "Account suspended"},
			"removal": {func(a *agent) error { return w.Core.RemoveAccount(t.Context(), a.id) }, "Account deleted"},
		} {
			a, other := w.agent(t), w.agent(t)
			lines := []*line{w.listen(t, a), w.listen(t, a, "ack"), w.open(t, "/v1/ws", "Authorization: Bearer "+a.Token)}
			bystander := w.listen(t, other)
			if err := c.change(a); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, l := range lines {
				l.wantClosed(1008, c.reason)
			}
			bystander.alive()
			l := w.open(t, "/v1/ws")
			l.say(object{"type": "hello", "api_key": a.Token})
			l.wantClosed(1008, "Invalid token")
		}
	})
}

func TestTooLargeAFrame(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		l := w.listen(t, w.agent(t))
		l.say(`{"type":"unknown","x":"` + strings.Repeat("x", 2<<20-64) + `"}`)
		l.alive()
		l.say(`{"type":"ping","x":"` + strings.Repeat("x", 2<<20) + `"}`)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, _, err := l.conn.Read(ctx)
		if e, ok := errors.AsType[websocket.CloseError](err); !ok || e.Code != 1009 {
			t.Errorf("got %v, want close 1009", err)
		}
	})
}

func TestNoPongEndsTheSocket(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		l := w.listen(t, a) // which answers pings only while somebody reads
		w.until(t, func() bool { return w.surface.Sockets() == 0 })
		l.wantClosed(1001, "Heartbeat timeout")
		reader := w.listen(t, a)
		for range 10 { // pings are answered in between
			reader.alive()
		}
	}, func(_ *core.Config, c *agentchat.Config) {
		c.Sockets.PingEvery, c.Sockets.PongWithin = 450*time.Millisecond, 300*time.Millisecond
	})
}

func TestShutdown(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		lines := []*line{w.listen(t, a), w.listen(t, w.agent(t), "ack"), w.open(t, "/v1/ws")}
		stopped := make(chan error, 1)
		go func() { stopped <- w.surface.Stop(context.Background()) }()
		for _, l := range lines {
			l.wantClosed(1001, "Server shutting down")
		}
		if err := <-stopped; err != nil {
			t.Errorf("stop: %v", err)
		}
		if n := w.surface.Sockets(); n != 0 {
			t.Errorf("sockets after the stop: got %d, want 0", n)
		}
		if _, status := w.dial(t, "/v1/ws", "Authorization: Bearer "+a.Token); status != 503 {
			t.Errorf("after the stop: got status %d, want 503", status)
		}
	})
}

func TestPresenceFollowsSockets(t *testing.T) {
	withSockets(t, func(t *testing.T, w *world) {
		a, b := w.pair(t) // contacts of each other
		watching := w.listen(t, a)
		first := w.listen(t, b)
		watching.want("presence.update").is("payload.handle", b.handle).is("payload.status", "online")
		second := w.listen(t, b)
		_ = first.conn.Close(1000, "")
		second.say(object{"type": "presence.update", "payload": object{"status": "busy", "custom_message": "thinking"}})
		watching.want("presence.update").is("payload.status", "busy").is("payload.custom_message", "thinking")
		second.say(object{"type": "presence.update", "payload": object{"status": "sleeping"}})
		second.say(object{"type": "presence.update", "payload": object{"status": "away"}}) // busy, without a text
		watching.want("presence.update").is("payload.status", "busy").is("payload.custom_message", nil)
	})
}
