package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"parley/client"
)

const (
	password   = "correct horse battery"
	mostSpaces = 40  // alive at a time
	mostMine   = 300 // messages that an actor still edits, deletes and looks for
)

// actor is one client. Its fields belong to its goroutine, but for suspension.
type actor struct {
	m      *model
	name   string
	id     client.UserID
	c      *client.Client // with a key
	nobody *client.Client
	random *rand.Rand

	in     map[*space]bool // where it is a member
	mine   []*message
	spare  *client.NewKey // a key that could not be revoked yet
	status client.Status  // as it set it last; "" is not yet
	sent   int

	// suspension counts the steps of the operator: modulo 4 they are free,
	// suspending, suspended, reinstating.
	suspension atomic.Int64
}

// act does one thing.
func (a *actor) act(ctx context.Context) {
	switch n := a.random.IntN(1000); {
	case n < 310:
		a.send(ctx)
	case n < 380:
		a.edit(ctx)
	case n < 420:
		a.remove(ctx)
	case n < 450:
		a.moderate(ctx)
	case n < 550:
		a.read(ctx)
	case n < 700:
		a.whisper(ctx)
	case n < 740:
		a.readDM(ctx)
	case n < 810:
		a.join(ctx)
	case n < 840:
		a.leave(ctx)
	case n < 860:
		a.createSpace(ctx)
	case n < 870:
		a.deleteSpace(ctx)
	case n < 890:
		a.createChannel(ctx)
	case n < 905:
		a.deleteChannel(ctx)
	case n < 935:
		a.setStatus(ctx)
	case n < 965:
		a.look(ctx)
	case n < 992:
		a.cycleKey(ctx)
	case n < 997:
		a.cycleSession(ctx)
	default:
		a.registerAgain(ctx)
	}
}

// pick chooses one of a list; ok is false when it is empty.
func pick[T any](a *actor, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return list[a.random.IntN(len(list))], true
}

func (a *actor) other() *actor {
	for {
		if b := a.m.actors[a.random.IntN(len(a.m.actors))]; b != a {
			return b
		}
	}
}

// text is a content that nobody else ever writes.
func (a *actor) text() string {
	a.sent++
	return fmt.Sprintf("%s says %d", a.name, a.sent)
}

func (a *actor) setStatus(ctx context.Context) {
	all := []client.Status{client.Online, client.Offline, client.Idle, client.DND}
	status := all[a.random.IntN(len(all))]
	if a.try("set presence", func() error {
		_, err := a.c.SetPresence(ctx, client.Presence{Status: &status, CustomStatus: new(a.text())})
		return err
	}) {
		a.status = status
	}
}

// look reads what belongs to accounts: its own and another.
func (a *actor) look(ctx context.Context) {
	a.try("always show self", func() error {
		u, err := a.c.Me(ctx)
		if err == nil && a.status != "" && u.Status != a.status {
			a.m.t.Errorf("%s: status: got %s, want %s, which it set last", a.name, u.Status, a.status)
		}
		return err
	})
	b := a.other()
	a.try("show user", func() error {
		u, err := a.c.User(ctx, b.id)
		if err == nil && (u.Username != b.name || u.Email != "") {
			a.m.t.Errorf("%s: got user %+v, want the public part of %s", a.name, u, b.name)
		}
		return err
	})
	a.try("list DMs", func() error { _, err := a.c.DMs(ctx); return err })
	a.try("list keys", func() error { _, err := a.c.Keys(ctx); return err })
}

// cycleKey makes a key, uses it, revokes it, and finds that it is dead.
func (a *actor) cycleKey(ctx context.Context) {
	if a.spare == nil && !a.try("create key", func() (err error) {
		a.spare, err = a.c.CreateKey(ctx, "spare")
		return err
	}) {
		a.spare = nil
		return
	}
	other := a.c.WithToken(a.spare.Secret)
	a.try("always use new key", func() error { _, err := other.Me(ctx); return err })
	if !a.try("revoke key", func() error { return a.c.RevokeKey(ctx, a.spare.ID) }) {
		return
	}
	a.spare = nil
	a.dead(ctx, "use revoked key", other)
}

// dead checks that a token works no longer.
func (a *actor) dead(ctx context.Context, what string, c *client.Client) {
	if _, err := c.Me(ctx); client.StatusOf(err) != http.StatusUnauthorized {
		a.m.t.Errorf("%s: %s: got %v, want 401", a.name, what, err)
	}
}

// cycleSession logs in and out.
func (a *actor) cycleSession(ctx context.Context) {
	var session *client.Session
	if !a.try("always log in", func() (err error) {
		session, err = a.nobody.Login(ctx, a.name+"@example.com", password)
		return err
	}) {
		return
	}
	c := a.c.WithToken(session.Token)
	a.try("always use session", func() error { _, err := c.Me(ctx); return err })
	if a.try("always log out", func() error { return c.Logout(ctx) }) {
		a.dead(ctx, "use session after logout", c)
	}
}

// registerAgain takes a new name, and then finds that it is taken.
func (a *actor) registerAgain(ctx context.Context) {
	a.sent++
	r := client.Registration{
		Email: fmt.Sprintf("%s.%d@example.com", a.name, a.sent), Username: fmt.Sprintf("%s.%d", a.name, a.sent), Password: password,
	}
	if !a.try("always register", func() error { _, err := a.nobody.Register(ctx, r); return err }) {
		return
	}
	r.Email = "other." + r.Email
	if _, err := a.nobody.Register(ctx, r); client.StatusOf(err) != http.StatusConflict {
		a.m.t.Errorf("%s: register a taken name: got %v, want 409", a.name, err)
	}
}
