package hub_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"parley/internal/chat"
	"parley/internal/hub"
)

// TestModel lets chance join, leave, send, revoke, lose, resume and dawdle, also
// in the middle of a call of Subscribe or Next, and holds each subscriber to
// exactly what the world says it was entitled to, ascending and once.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		var failure any
		synctest.Test(t, func(t *testing.T) {
			defer func() { failure = recover() }() // rapid fails by panic, in its own goroutine
			m := newModel(t.Context(), rt)
			defer m.hub.Close()
			m.run()
		})
		if failure != nil {
			panic(failure)
		}
	})
}

type hooked struct{}

// reader is a subscription with what it has been handed.
type reader struct {
	*hub.Subscription
	account    chat.AccountID
	credential chat.CredentialID
	resumed    bool
	after      chat.Position // resumed from
	low, high  chat.Position // the store's end before and after Subscribe
	got        []chat.Position
	err        error

	polls       bool
	idle        bool        // the last Poll returned nothing
	notified    atomic.Bool // since
	unannounced bool        // the last Poll returned something all the same
}

type model struct {
	*rapid.T
	ctx     context.Context
	world   *world
	wire    *wire
	hub     *hub.Hub
	readers []*reader
	named   bool // deleted spaces name their members
	inHook  bool
	reports map[error]int
}

func newModel(ctx context.Context, rt *rapid.T) *model {
	m := &model{T: rt, ctx: ctx, world: newWorld(), wire: &wire{}, reports: map[error]int{}}
	m.named = rapid.Bool().Draw(rt, "deleted spaces name members")
	for range rapid.IntRange(0, 20).Draw(rt, "earlier") {
		m.write()
	}
	var err error
	m.hub, err = hub.New(ctx, m.wire, m.world, hub.Options{
		QueueEvents: rapid.SampledFrom([]int{2, 10, 1000}).Draw(rt, "queue"),
		RingEvents:  rapid.SampledFrom([]int{1, 5, 1000}).Draw(rt, "ring"),
		Ended:       func(reason error) { m.reports[reason]++ },
	})
	if err != nil {
		rt.Fatalf("new: %v", err)
	}
	// Things happen while the hub asks, but only in calls of this goroutine.
	m.world.hook = func(ctx context.Context) {
		if ctx.Value(hooked{}) == nil || m.inHook {
			return
		}
		m.inHook = true
		for range rapid.SampledFrom([]int{0, 0, 0, 1, 2, 4}).Draw(rt, "meanwhile") {
			rapid.SampledFrom([]func(){m.write, m.write, m.deliver, m.lose}).Draw(rt, "what")()
		}
		m.inHook = false
	}
	return m
}

func (m *model) run() {
	actions := map[string]func(*rapid.T){}
	for name, action := range map[string]func(){
		"write": m.write, "write2": m.write, "write3": m.write,
		"deliver": m.deliver, "lose": m.lose,
		"subscribe": m.subscribe, "subscribe2": m.subscribe,
		"read": m.read, "read2": m.read, "close": m.close,
	} {
		actions[name] = func(*rapid.T) { action() }
	}
	m.Repeat(actions)

	m.world.write(told(1, 2, 3, 4)) // carries a loss, if one is still unmarked
	m.wire.Publish(m.world.events[len(m.world.events)-1:])
	m.wire.deliverAll()
	synctest.Wait()
	for _, r := range m.readers {
		for r.err == nil {
			m.next(r, false)
		}
		m.check(r)
	}
	endings := m.endings()
	for _, reason := range []error{hub.ErrSlow, hub.ErrRevoked} {
		want := endings[reason]
		if got := m.reports[reason]; got != want {
			m.Errorf("ends reported as %q: got %d, want %d", reason, got, want)
		}
	}
}

func (m *model) account() chat.AccountID {
	return chat.AccountID(rapid.IntRange(1, 4).Draw(m.T, "account"))
}

// write commits something and puts it on the bus.
func (m *model) write() {
	a := m.account()
	s := chat.SpaceID(rapid.IntRange(101, 103).Draw(m.T, "space"))
	var e chat.Event
	switch rapid.SampledFrom(strings.Fields(
		"say say say say tell tell toggle toggle toggle toggle toggle about draw delete revoke state remove",
	)).Draw(m.T, "kind") {
	case "say":
		e = said(s)
	case "tell":
		e = told(a, m.account(), 4) // an account may be named twice
	case "toggle":
		e = joined(s, a)
		if m.world.members[s][a] {
			e = left(s, a)
		}
	case "about":
		e = about(chat.EventAccountUpdated, a)
	case "draw":
		m.world.draw()
		return
	case "delete":
		e = dissolved(s)
		if m.named {
			e.Recipients = slices.Sorted(maps.Keys(m.world.members[s]))
		}
	case "revoke":
		if len(m.readers) == 0 {
			return
		}
		r := rapid.SampledFrom(m.readers).Draw(m.T, "whose")
		e = revoked(r.account, rapid.SampledFrom([]chat.CredentialID{r.credential, r.credential, 0}).Draw(m.T, "which"))
	case "state":
		m.world.bar(a, rapid.IntRange(0, 3).Draw(m.T, "barred") == 0)
		e = about(chat.EventAccountState, a)
	case "remove":
		if a != 1 {
			return // seldom
		}
		e = about(chat.EventAccountRemoved, a)
	}
	m.wire.Publish([]chat.Event{m.world.write(e)})
}

func (m *model) deliver() {
	m.wire.deliver(rapid.IntRange(1, 5).Draw(m.T, "deliver"))
	synctest.Wait()
}

func (m *model) lose() { m.wire.lose(rapid.IntRange(1, 3).Draw(m.T, "lose")) }

func (m *model) subscribe() {
	r := &reader{account: m.account(), low: m.world.end()}
	r.credential = m.world.issue(r.account)
	if r.low > 0 && rapid.Bool().Draw(m.T, "resume") {
		r.resumed = true
		r.after = chat.Position(rapid.Int64Range(max(1, int64(r.low)-30), int64(r.low)).Draw(m.T, "after"))
	}
	barred := m.world.barred[r.account]
	in := hub.Interest{Account: r.account, Credential: r.credential, After: r.after}
	if !r.resumed && rapid.IntRange(0, 4).Draw(m.T, "from the first") == 0 {
		r.resumed, in.Resume = true, true
	}
	if r.polls = rapid.Bool().Draw(m.T, "polls"); r.polls {
		in.Notify = func() { r.notified.Store(true) }
	}
	s, err := m.hub.Subscribe(context.WithValue(m.ctx, hooked{}, true), in)
	r.high = m.world.end()
	switch {
	case err == nil:
		r.Subscription = s
		m.readers = append(m.readers, r)
	case errors.Is(err, hub.ErrSlow): // in the middle of Subscribe, with a short queue
		m.reports[err]--
	case errors.Is(err, hub.ErrRevoked):
		m.reports[err]--
		if !barred && !m.revocable(r) {
			m.Fatalf("subscribe account %d: got %v, want none", r.account, err)
		}
	default:
		m.Fatalf("subscribe: %v", err)
	}
}

func (m *model) read() {
	if len(m.readers) > 0 {
		m.next(rapid.SampledFrom(m.readers).Draw(m.T, "reader"), true)
	}
}

func (m *model) close() {
	if len(m.readers) > 0 {
		r := rapid.SampledFrom(m.readers).Draw(m.T, "reader")
		r.Close()
		r.Close()
	}
}

// next reads once. With nothing to read it gives up; finally that is an end.
func (m *model) next(r *reader, meanwhile bool) {
	if r.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(m.ctx, time.Millisecond)
	defer cancel()
	if meanwhile {
		ctx = context.WithValue(ctx, hooked{}, true)
	}
	read := r.Next
	if r.polls {
		read = r.poll
	}
	events, err := read(ctx)
	if r.unannounced {
		m.Fatalf("account %d: got %d events and %v without notice", r.account, len(events), err)
	}
	for _, e := range events {
		r.got = append(r.got, e.Event.Position)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !meanwhile {
		r.err = err
	}
}

// poll is Poll with the end that a Next without events has. It notes when
// something follows a Poll without events that was not announced.
func (r *reader) poll(context.Context) ([]*hub.Shared, error) {
	silent := r.idle && !r.notified.Swap(false)
	events, err := r.Poll()
	r.idle = err == nil && len(events) == 0
	r.unannounced = silent && !r.idle
	if r.idle {
		return nil, context.DeadlineExceeded
	}
	return events, err
}

// revocable tells whether something may have ended a reader since it subscribed.
func (m *model) revocable(r *reader) bool {
	return slices.ContainsFunc(m.world.events, func(e chat.Event) bool {
		return e.Position > r.low && e.Account == r.account && (e.Kind == chat.EventAccountState ||
			e.Kind == chat.EventAccountRemoved || e.Kind == chat.EventAccessRevoked)
	})
}

// check compares what a reader was handed with what it was entitled to.
func (m *model) check(r *reader) {
	want := m.world.entitled(r.account, r.after)
	got := r.got
	if r.resumed && !m.named {
		// That it was a member of a space since deleted cannot be known.
		hidden := m.hidden(r)
		got = slices.DeleteFunc(slices.Clone(got), hidden)
		want = slices.DeleteFunc(want, hidden)
	}
	if !r.resumed {
		// Now was some time during Subscribe.
		want = m.world.entitled(r.account, r.low)
		for len(want) > 0 && want[0] <= r.high && (len(got) == 0 || got[0] != want[0]) {
			want = want[1:]
		}
	}
	whole := false
	switch {
	case errors.Is(r.err, context.DeadlineExceeded): // still alive
		whole = true
		if m.world.barred[r.account] || m.world.ended[r.credential] {
			m.Errorf("account %d, credential %d: still subscribed after revocation", r.account, r.credential)
		}
	case errors.Is(r.err, hub.ErrRevoked):
		if !m.revocable(r) {
			m.Errorf("account %d, credential %d: got %v without a cause", r.account, r.credential, r.err)
		}
	case errors.Is(r.err, hub.ErrSlow), errors.Is(r.err, hub.ErrClosed):
	default:
		m.Errorf("unexpected end: %v", r.err)
	}
	if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) || whole && len(got) != len(want) {
		for _, e := range m.world.events {
			m.Log(describe(e))
		}
		m.Fatalf("account %d, after %d (now: %d to %d), end %v:\n got %v\nwant %v",
			r.account, r.after, r.low, r.high, r.err, got, want)
	}
}

// hidden tells of events in spaces that were deleted before a reader resumed.
func (m *model) hidden(r *reader) func(chat.Position) bool {
	spaces := map[chat.Position]chat.SpaceID{}
	deleted := map[chat.SpaceID]chat.Position{}
	for _, e := range m.world.events {
		spaces[e.Position] = e.Space
		if e.Kind == chat.EventSpaceDeleted && e.Position <= r.high {
			deleted[e.Space] = e.Position
		}
	}
	return func(p chat.Position) bool { return p <= deleted[spaces[p]] }
}

func (m *model) endings() map[error]int {
	n := map[error]int{}
	for _, r := range m.readers {
		if errors.Is(r.err, hub.ErrSlow) || errors.Is(r.err, hub.ErrRevoked) {
			n[r.err]++
		}
	}
	return n
}
