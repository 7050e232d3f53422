package chaos_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/client"
)

// model is what the answers so far add up to.
type model struct {
	t       *testing.T
	actors  []*actor
	answers atomic.Int64

	mu     sync.Mutex
	spaces []*space
	dms    map[[2]*actor]*dm
	tally  map[string]*[2]int // by operation: successes, excused failures
}

// space, channel, dm and message are things of the server. What is said in their
// fields is guarded by the model's mutex. ending is set before somebody asks the
// server to delete the thing, gone when it has answered that it did.
type space struct {
	id           client.ServerID
	code         string
	owner        *actor
	channels     []*channel
	ending, gone bool
}

type channel struct {
	id           client.ChannelID
	space        *space
	ending, gone bool
	messages     map[client.MessageID]*message
}

type dm struct {
	id       client.DMID
	pair     [2]*actor
	created  int // answers that said that it is new
	messages map[client.MessageID]*message
}

type message struct {
	id       client.MessageID
	at       time.Time
	channel  *channel // or
	dm       *dm
	content  string
	deleters int // that have asked for its deletion
	gone     bool
}

// do runs fn with the model's mutex held.
func (m *model) do(fn func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fn()
}

// find is do for a fn that looks for something and may not find it.
func find[T any](m *model, fn func() (T, bool)) (T, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn()
}

// locked is do for a fn that returns something.
func locked[T any](m *model, fn func() T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn()
}

// over tells whether a channel is being deleted, alone or with its space.
func (c *channel) over() bool { return c.ending || c.space.ending }

// excuse is a refusal that the model explains.
type excuse struct {
	status int
	when   func() bool // called with the model's mutex held, after the answer
}

func notFound(when func() bool) excuse  { return excuse{http.StatusNotFound, when} }
func forbidden(when func() bool) excuse { return excuse{http.StatusForbidden, when} }

const suspendedText = "Your account is suspended"

// Phases of an account's suspension; see actor.suspension.
const (
	free = iota
	suspending
	suspended
	reinstating
)

// try makes one call and tells whether it succeeded. A refusal needs an excuse; so
// does success while the account was suspended all the time.
func (a *actor) try(operation string, call func() error, excuses ...excuse) bool {
	m := a.m
	before := a.suspension.Load()
	err := call()
	after := a.suspension.Load()
	m.answers.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	count := m.tally[operation]
	if count == nil {
		count = new([2]int)
		m.tally[operation] = count
	}
	if err == nil {
		count[0]++
		if before == after && before%4 == suspended && !strings.HasPrefix(operation, "always ") {
			m.t.Errorf("%s: %s worked while suspended", a.name, operation)
		}
		return true
	}
	count[1]++
	status := client.StatusOf(err)
	if status == http.StatusForbidden && strings.HasSuffix(err.Error(), suspendedText) {
		if before == after && before%4 == free {
			m.t.Errorf("%s: %s: got %v, but nobody suspended it", a.name, operation, err)
		}
		return false
	}
	if !slices.ContainsFunc(excuses, func(e excuse) bool { return e.status == status && e.when() }) {
		m.t.Errorf("%s: %s: got %v, and the model has no excuse for it", a.name, operation, err)
	}
	return false
}

// touched tells whether an account was anything but free at some time since before.
func (a *actor) touched(before int64) bool {
	return a.suspension.Load() != before || before%4 != free
}

// report prints how much of what was done, and fails when something was not done at
// all: then the test has shown less than it says.
func (m *model) report() {
	var text strings.Builder
	total := 0
	for _, operation := range slices.Sorted(maps.Keys(m.tally)) {
		count := m.tally[operation]
		total += count[0] + count[1]
		fmt.Fprintf(&text, "\n%7d done, %5d refused  %s", count[0], count[1], operation)
	}
	m.t.Logf("%d calls%s", total, &text)
	for _, operation := range m.undone() {
		m.t.Errorf("%s: never succeeded", operation)
	}
}

// undone lists the operations that have not succeeded yet.
func (m *model) undone() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc([]string{
		"always log in", "always log out", "always register", "always show self", "always use new key", "always use session",
		"create channel", "create key", "create space", "delete another's message", "delete channel", "delete message",
		"delete space", "edit", "join", "leave", "list DMs", "list channels", "list keys", "list members", "open DM",
		"read DM", "read channel", "revoke key", "send", "send DM", "set presence", "show user",
	}, func(operation string) bool {
		count := m.tally[operation]
		return count != nil && count[0] > 0
	})
}
