package agentchat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
)

func (a *agent) announcePresence(body object) *response {
	a.T.Helper()
	return a.Put("/v1/presence", body)
}

// presence asserts what an agent's presence looks like to somebody.
func (a *agent) presence(of *agent, status string, text any) *response {
	a.T.Helper()
	return a.Get("/v1/presence/"+of.handle).Want(200).Is("handle", of.handle).Is("status", status).Is("custom_message", text)
}

func (a *agent) befriended(b *agent) *agent {
	a.T.Helper()
	a.Post("/v1/contacts", object{"handle": b.handle}).Want(201)
	return a
}

func TestPresenceIsForOneselfAndOnesContacts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c := w.agent(t), w.agent(t), w.agent(t)
		a.presence(a, "offline", nil).Is("last_seen", nil)
		for _, handle := range []string{b.handle, "nobody-here", "no%20handle"} {
			code(a.Get("/v1/presence/"+handle), 404, "NOT_FOUND")
		}
		a.befriended(b)
		a.Get("/v1/presence/%40"+strings.ToUpper(b.handle)).Want(200).Is("handle", b.handle)
		code(b.Get("/v1/presence/"+a.handle), 404, "NOT_FOUND")
		code(c.Get("/v1/presence/"+b.handle), 404, "NOT_FOUND")
		for _, hide := range []func(*chat.Account){
			func(b *chat.Account) { b.State = chat.StateSuspended },
			func(b *chat.Account) { b.State = chat.StateDeleted },
			func(b *chat.Account) { b.State, b.Disabled = chat.StateActive, true },
		} {
			w.change(t, b, hide)
			code(a.Get("/v1/presence/"+b.handle), 404, "NOT_FOUND")
		}
	})
}

func TestPresenceAnnounced(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		now := w.Clock.Now()
		long := strings.Repeat("é", 200)
		for _, test := range []struct {
			body   object
			status string
			text   any
		}{
			{object{"status": "online", "custom_message": "thinking"}, "online", "thinking"},
			{object{"status": "busy"}, "busy", nil}, // no text: cleared
			{object{"status": "away", "custom_message": long}, "busy", long},
			{object{"status": "online", "custom_message": nil}, "online", nil},
			{object{"status": "offline", "custom_message": "later"}, "offline", "later"},
		} {
			b.announcePresence(test.body).Want(200).Is("handle", b.handle).Is("status", test.status).
				Is("custom_message", test.text).Is("last_seen", instant(now))
			a.presence(b, test.status, test.text).Is("last_seen", instant(now))
		}
		for _, body := range []object{
			{},
			{"custom_message": "x"},
			{"status": "dnd"},
			{"status": nil},
			{"status": 1},
			{"status": "online", "custom_message": long + "x"},
			{"status": "online", "custom_message": 1},
			{"status": "online", "custom_message": "a\x00"},
		} {
			code(b.announcePresence(body), 400, "VALIDATION_ERROR")
		}
		a.presence(b, "offline", "later")
	})
}

// What was announced ends five minutes after the last sign of life; the text stays.
func TestAnnouncedPresenceEnds(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		b.announcePresence(object{"status": "busy", "custom_message": "cooking"}).Want(200)
		w.Clock.Advance(5*time.Minute - time.Millisecond)
		a.presence(b, "busy", "cooking")
		b.announcePresence(object{"status": "busy", "custom_message": "cooking"}).Want(200)
		seen := w.Clock.Now()
		w.Clock.Advance(5*time.Minute - time.Millisecond)
		a.presence(b, "busy", "cooking")
		w.Clock.Advance(time.Millisecond)
		a.presence(b, "offline", "cooking").Is("last_seen", instant(seen))
	})
}

func TestPresenceFollowsOpenSockets(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		open := func() { w.Core.SocketOpened(b.id)(t.Context()) }
		closed := func() { w.Core.SocketClosed(b.id) }

		open()
		a.presence(b, "online", nil).Is("last_seen", instant(w.Clock.Now()))
		open()
		closed()
		w.Clock.Advance(time.Minute)
		a.presence(b, "online", nil) // there is another one
		closed()
		w.Clock.Advance(4 * time.Second)
		a.presence(b, "online", nil) // the grace
		open()
		w.Clock.Advance(time.Minute)
		a.presence(b, "online", nil) // came back within it
		closed()
		left := w.Clock.Now()
		w.Clock.Advance(5 * time.Second)
		a.presence(b, "offline", nil).Is("last_seen", instant(left))
		closed() // one too many does no harm
		a.presence(b, "offline", nil)
	})
}

// A sign of life keeps a status for five minutes more, whatever it is.
func TestPresenceIsKeptAlive(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		w.Core.SocketOpened(b.id)(t.Context())
		b.announcePresence(object{"status": "busy"}).Want(200)
		for range 3 {
			w.Clock.Advance(4 * time.Minute)
			w.Core.SocketAlive(b.id)
			a.presence(b, "busy", nil).Is("last_seen", instant(w.Clock.Now()))
		}
		w.Core.SocketOpened(b.id)(t.Context())
		a.presence(b, "busy", nil) // only the first socket brings online
		w.Clock.Advance(5 * time.Minute)
		a.presence(b, "offline", nil)
	})
}

func TestPresenceHiddenWithASocketOpen(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		w.Core.SocketOpened(b.id)(t.Context())
		b.announcePresence(object{"status": "offline"}).Want(200)
		w.Core.SocketAlive(b.id)
		a.presence(b, "offline", nil)
		w.Core.SocketClosed(b.id)
		w.Core.SocketOpened(b.id)(t.Context())
		a.presence(b, "online", nil)
	})
}

// A status announced without a socket gives way to the first socket.
func TestFirstSocketBringsOnline(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		b := w.agent(t)
		b.announcePresence(object{"status": "busy", "custom_message": "kept"}).Want(200)
		w.Core.SocketOpened(b.id)(t.Context())
		b.presence(b, "online", "kept")
	})
}

// What was chosen through /api lasts and shows here: away as online, busy as busy.
// An announcement, or offline there, gives the choice back.
func TestChosenPresenceLasts(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		choose := func(status chat.Status) chat.Presence {
			t.Helper()
			admission, err := w.Core.Admit(t.Context(), core.Knock{Surface: chat.SurfaceOpenCord, Token: b.Token})
			if err != nil {
				t.Fatalf("admit: %v", err)
			}
			account, err := w.Core.SetPresence(t.Context(), core.Call{Actor: admission.Actor, Surface: chat.SurfaceOpenCord},
				core.PresenceChange{Status: chat.Some(status), Text: chat.Some("mine")})
			if err != nil {
				t.Fatalf("set presence: %v", err)
			}
			return account.Presence
		}
		choose(chat.StatusAway)
		a.presence(b, "online", "mine")
		choose(chat.StatusBusy)
		w.Core.SocketOpened(b.id)(t.Context())
		a.presence(b, "busy", "mine")
		w.Core.SocketClosed(b.id)
		w.Clock.Advance(time.Hour)
		a.presence(b, "busy", "mine")

		w.Core.SocketOpened(b.id)(t.Context())
		if got, want := choose(chat.StatusOffline), (chat.Presence{Status: chat.StatusOnline, Text: "mine"}); got != want {
			t.Errorf("automatic again, with a socket: got %+v, want %+v", got, want)
		}
		a.presence(b, "online", "mine")
		choose(chat.StatusBusy)
		b.announcePresence(object{"status": "online"}).Want(200)
		a.presence(b, "online", nil)
		w.Clock.Advance(time.Hour)
		a.presence(b, "offline", nil)
	})
}

func TestPresenceBatch(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b, c, stranger, suspended := w.agent(t), w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		a.befriended(b).befriended(c).befriended(suspended)
		w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		b.announcePresence(object{"status": "busy", "custom_message": "hm"}).Want(200)
		r := a.Post("/v1/presence/batch", object{"handles": []string{
			c.handle, "nobody-here", "@" + strings.ToUpper(b.handle), stranger.handle, suspended.handle, c.handle, a.handle, "",
		}}).Want(200)
		if got, want := r.Texts("presences", "handle"), []string{c.handle, b.handle, a.handle}; !slices.Equal(got, want) {
			t.Errorf("presences: got %v, want %v", got, want)
		}
		r.Is("presences.1.status", "busy").Is("presences.1.custom_message", "hm").Is("presences.0.last_seen", nil)

		many := make([]string, 101)
		for i := range many {
			many[i] = fmt.Sprintf("nobody-%d", i)
		}
		if got := a.Post("/v1/presence/batch", object{"handles": many[:100]}).Want(200).List("presences"); len(got) != 0 {
			t.Errorf("presences of nobody: got %v, want none", got)
		}
		for _, body := range []object{
			{}, {"handles": []string{}}, {"handles": many}, {"handles": "x"}, {"handles": []any{1}}, {"handles": nil},
		} {
			code(a.Post("/v1/presence/batch", body), 400, "VALIDATION_ERROR")
		}
	})
}

// When an account was last seen outlives the memory of it.
func TestLastSeenIsStored(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		a.befriended(b)
		w.Core.SocketOpened(b.id)(t.Context())
		w.Clock.Advance(time.Minute)
		w.Core.SocketClosed(b.id)
		seen := w.Clock.Now()
		w.Clock.Advance(time.Minute)
		if err := w.Core.Sweep(t.Context()); err != nil {
			t.Fatalf("sweep: %v", err)
		}
		if got := w.account(t, b).LastSeenAt; !got.Equal(seen) {
			t.Errorf("stored: got %v, want %v", got, seen)
		}
		a.presence(b, "offline", nil).Is("last_seen", instant(seen))
	})
}
