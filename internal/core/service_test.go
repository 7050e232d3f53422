package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"time"

	"parley/internal/bus"
	"parley/internal/bus/inproc"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
)

// clock is a time that moves when told to.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fixture is a Service over a fresh SQLite database.
type fixture struct {
	*core.Service
	t     *testing.T
	store store.Store
	bus   bus.Bus
	clock *clock
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.Path(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	f := &fixture{t: t, store: st, bus: inproc.New(inproc.Options{}), clock: &clock{now: time.Date(2026, 4, 27, 12, 0, 0, 0, time.UTC)}}
	f.Service, err = core.New(core.Config{
		Store: st, Bus: f.bus, Hasher: secret.NewTestHasher(2), Log: slog.New(slog.DiscardHandler), Now: f.clock.Now,
	})
	if err != nil {
		t.Fatalf("start core: %v", err)
	}
	t.Cleanup(func() {
		f.Close()
		if err := f.bus.Close(); err != nil {
			t.Errorf("close bus: %v", err)
		}
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return f
}

// join registers an account and returns calls made with its key.
func (f *fixture) join(name string) core.Call {
	f.t.Helper()
	ctx := f.t.Context()
	c := core.Call{Surface: chat.SurfaceOpenCord, Remote: netip.MustParseAddr("192.0.2.1")}
	a, err := f.Register(ctx, c, core.Registration{
		Address: name + "@example.com", Password: "correct horse", Username: name, Agent: true,
	})
	if err != nil {
		f.t.Fatalf("register %s: %v", name, err)
	}
	_, token, err := f.IssueKey(ctx, a.ID, "test")
	if err != nil {
		f.t.Fatalf("issue key: %v", err)
	}
	return f.knock(token)
}

// knock returns calls made with a token.
func (f *fixture) knock(token string) core.Call {
	f.t.Helper()
	a, err := f.Admit(f.t.Context(), core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "192.0.2.1", Token: token})
	if err != nil {
		f.t.Fatalf("admit: %v", err)
	}
	return core.Call{Actor: a.Actor, Surface: chat.SurfaceOpenCord}
}

// room makes a space of owner with members and returns it and its channel.
func (f *fixture) room(owner core.Call, members ...core.Call) (*chat.Space, chat.ConversationID) {
	f.t.Helper()
	ctx := f.t.Context()
	sp, err := f.CreateSpace(ctx, owner, core.NewSpace{Name: "HQ"})
	if err != nil {
		f.t.Fatalf("create space: %v", err)
	}
	for _, m := range members {
		if _, err := f.JoinSpace(ctx, m, sp.ID, sp.InviteCode); err != nil {
			f.t.Fatalf("join space: %v", err)
		}
	}
	channels, err := f.ListChannels(ctx, owner, sp.ID)
	if err != nil || len(channels) != 1 {
		f.t.Fatalf("channels = %v, %v; want one", channels, err)
	}
	return sp, channels[0].ID
}

func (f *fixture) send(ctx context.Context, c core.Call, channel chat.ConversationID, text string) (*core.Sent, error) {
	return f.SendMessage(ctx, c, core.NewMessage{InPath: true, Kind: chat.ConversationChannel, Conversation: channel, Text: text})
}

func TestSendsOfManyAreGaplessAndPublishedInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const senders, each = 20, 50
	owner := f.join("owner")
	var calls []core.Call
	for i := range senders {
		calls = append(calls, f.join(fmt.Sprintf("agent%d", i)))
	}
	_, channel := f.room(owner, calls...)

	seqs := make(chan int64, senders*each)
	stop := f.bus.Subscribe(func(d bus.Delivery) {
		for _, e := range d.Events {
			if e.Kind == chat.EventMessageCreated {
				seqs <- e.Message.Seq
			}
		}
	})
	defer stop()
	var wg sync.WaitGroup
	for _, c := range calls {
		wg.Go(func() {
			for i := range each {
				if _, err := f.send(t.Context(), c, channel, fmt.Sprint(i)); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for want := int64(1); want <= senders*each; want++ {
		if got := <-seqs; got != want {
			t.Fatalf("published number %d, want %d", got, want)
		}
	}
	page, err := f.ListMessages(t.Context(), owner, core.HistoryPage{Kind: chat.ConversationChannel, Conversation: channel})
	if err != nil || len(page.Messages) != 50 || page.Messages[0].Seq != senders*each || !page.More {
		t.Errorf("newest page = %d messages, %v; want 50 ending at %d", len(page.Messages), err, senders*each)
	}
}

func TestCloseAnswersWhatWasQueued(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.join("ann")
	_, channel := f.room(c)
	var wg sync.WaitGroup
	codes := make(chan chat.Code, 100)
	for range cap(codes) {
		wg.Go(func() {
			_, err := f.send(context.Background(), c, channel, "hi")
			codes <- chat.CodeOf(err)
		})
	}
	f.Close()
	wg.Wait()
	close(codes)
	stored := 0
	for code := range codes {
		switch code {
		case "":
			stored++
		case chat.CodeUnavailable:
		default:
			t.Errorf("a send at closing time failed with %q, want it stored or unavailable", code)
		}
	}
	err := f.store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		conv, err := r.Conversation(ctx, channel)
		if err == nil && conv.LastSeq != int64(stored) {
			t.Errorf("%d messages stored, %d answered with success", conv.LastSeq, stored)
		}
		return err
	})
	if err != nil {
		t.Errorf("read conversation: %v", err)
	}
}

func TestOneSenderMayHaveOnlySoManyWaiting(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.join("flood")
	_, channel := f.room(c)

	// A transaction that does not end keeps the writer busy, so that all wait.
	block, blocked := make(chan struct{}), make(chan struct{})
	var held sync.WaitGroup
	held.Go(func() {
		_ = f.store.Update(context.Background(), func(context.Context, store.Tx) error {
			close(blocked)
			<-block
			return nil
		})
	})
	<-blocked
	const many = 1000
	codes := make(chan chat.Code, many)
	var wg sync.WaitGroup
	for range many {
		wg.Go(func() {
			_, err := f.send(t.Context(), c, channel, "hi")
			codes <- chat.CodeOf(err)
		})
	}
	refused := 0
	for range many - 256 - 512 { // what waits, and the batch that was taken already, are not answered yet
		if code := <-codes; code != chat.CodeRateLimited {
			t.Fatalf("code = %q, want %q", code, chat.CodeRateLimited)
		}
		refused++
	}
	close(block)
	wg.Wait()
	held.Wait()
	close(codes)
	for code := range codes {
		if code == chat.CodeRateLimited {
			refused++
		} else if code != "" {
			t.Errorf("code = %q, want sent or %q", code, chat.CodeRateLimited)
		}
	}
	if refused < many-256-512 {
		t.Errorf("%d refused, want at least %d", refused, many-256-512)
	}
}

// An id that names nothing arrives as 0: the sender is known all the same.
func TestSendToNowhere(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	c := f.join("ann")
	for _, text := range []string{"hi", ""} {
		if _, err := f.send(t.Context(), c, 0, text); chat.CodeOf(err) != chat.CodeChannelUnknown {
			t.Errorf("send %q to channel 0: %v, want channel_unknown", text, err)
		}
	}
}

func TestRevocationActsOnTheNextRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	ann := f.join("ann")
	key, token, err := f.CreateKey(ctx, ann, chat.Some("second"))
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	second := f.knock(token) // now the cache knows it
	if second.Actor.Account != ann.Actor.Account {
		t.Fatalf("actor = %+v, want ann", second.Actor)
	}
	if err := f.RevokeKey(ctx, second, key.ID); err != nil {
		t.Fatalf("revoke: %v", err)
	}
	a, err := f.Admit(ctx, core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "b", Token: token})
	if err != nil || chat.CodeOf(a.Denied) != chat.CodeTokenInvalid {
		t.Errorf("admission = %+v, %v; want token_invalid", a, err)
	}
}

func TestSuspensionActsOnTheNextRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	c := f.join("ann")
	_, token, err := f.IssueKey(ctx, c.Actor.Account, "k")
	if err != nil {
		t.Fatalf("issue key: %v", err)
	}
	if _, err := f.ListSpaces(ctx, f.knock(token)); err != nil {
		t.Fatalf("list spaces: %v", err)
	}
	if _, err := f.Suspend(ctx, c.Actor.Account, true); err != nil {
		t.Fatalf("suspend: %v", err)
	}
	if _, err := f.ListSpaces(ctx, f.knock(token)); chat.CodeOf(err) != chat.CodeAccountOff {
		t.Errorf("list spaces = %v, want account_off", err)
	}
	if _, err := f.ShowSelf(ctx, f.knock(token)); err != nil {
		t.Errorf("show self = %v, want it allowed", err)
	}
	if _, err := f.Suspend(ctx, c.Actor.Account, false); err != nil {
		t.Fatalf("reinstate: %v", err)
	}
	if _, err := f.ListSpaces(ctx, f.knock(token)); err != nil {
		t.Errorf("list spaces after reinstating: %v", err)
	}
}

func TestRemovedOwnerPassesTheSpaceOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	owner, off, heir := f.join("owner"), f.join("off"), f.join("heir")
	sp, channel := f.room(owner, off, heir)
	alone, _ := f.room(owner)
	if _, err := f.Suspend(ctx, off.Actor.Account, true); err != nil {
		t.Fatalf("suspend: %v", err)
	}
	if err := f.RemoveAccount(ctx, owner.Actor.Account); err != nil {
		t.Fatalf("remove: %v", err)
	}
	got, err := f.ShowSpace(ctx, heir, sp.ID)
	if err != nil || got.Owner != heir.Actor.Account || got.MemberCount != 2 {
		t.Fatalf("space = %+v, %v; want it passed to the longest-standing member who may act", got, err)
	}
	if err := f.DeleteChannel(ctx, heir, channel); chat.CodeOf(err) != chat.CodeLastChannel {
		t.Errorf("heir deletes the last channel: %v, want last_channel: it has the owner's entitlements", err)
	}
	err = f.store.View(ctx, func(ctx context.Context, r store.Reader) error {
		_, err := r.Space(ctx, alone.ID)
		return err
	})
	if err == nil {
		t.Error("a space without another member is still there")
	}
	if _, err := f.Register(ctx, core.Call{Surface: chat.SurfaceOpenCord}, core.Registration{
		Address: "owner@example.com", Password: "correct horse", Username: "owner",
	}); err != nil {
		t.Errorf("register with the freed name and address: %v", err)
	}
}

func TestGuardedRecipient(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	ann, ben := f.join("ann"), f.join("ben")
	dm, _, err := f.OpenDirect(ctx, ann, ben.Actor.Account)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	write := func(c core.Call, text string) error {
		_, err := f.SendMessage(ctx, c, core.NewMessage{Kind: chat.ConversationDirect, Conversation: dm.ID, Text: text})
		return err
	}
	if _, err := f.SetGuard(ctx, ben.Actor.Account, true); err != nil {
		t.Fatalf("guard: %v", err)
	}
	if err := write(ann, "hello"); err != nil {
		t.Fatalf("opener: %v", err)
	}
	if err := write(ann, "hello?"); chat.CodeOf(err) != chat.CodeAwaitingReply {
		t.Errorf("second opener = %v, want awaiting_reply", err)
	}
	if err := write(ben, "hi"); err != nil {
		t.Fatalf("reply: %v", err)
	}
	if err := write(ann, "good to hear"); err != nil {
		t.Errorf("after the reply: %v", err)
	}
}

func TestSessionsBeyondTheCapEndTheOldest(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	f.join("ann")
	login := func() string {
		s, err := f.Login(ctx, core.Call{Surface: chat.SurfaceOpenCord}, "b", "ANN@example.com ", "correct horse")
		if err != nil {
			t.Fatalf("log in: %v", err)
		}
		return s.Token
	}
	tokens := make([]string, 0, 51)
	for range 51 {
		tokens = append(tokens, login())
	}
	for i, token := range tokens {
		a, err := f.Admit(ctx, core.Knock{Surface: chat.SurfaceOpenCord, Bucket: fmt.Sprint(i), Token: token})
		if err != nil {
			t.Fatalf("admit: %v", err)
		}
		if live := a.Denied == nil; live != (i > 0) {
			t.Errorf("session %d live = %v, want all but the oldest", i, live)
		}
	}
	f.clock.Advance(24*time.Hour + time.Second)
	a, err := f.Admit(ctx, core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "b", Token: tokens[50]})
	if err != nil || chat.CodeOf(a.Denied) != chat.CodeTokenInvalid {
		t.Errorf("session after 24 hours: %+v, %v; want token_invalid", a, err)
	}
}

func TestLoginLimitHoldsForManyAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.join("ann")
	var wg sync.WaitGroup
	codes := make(chan chat.Code, 40)
	for range cap(codes) {
		wg.Go(func() {
			_, err := f.Login(t.Context(), core.Call{Surface: chat.SurfaceOpenCord}, "b", "ann@example.com", "wrong password")
			codes <- chat.CodeOf(err)
		})
	}
	wg.Wait()
	close(codes)
	failed := 0
	for code := range codes {
		if code == chat.CodeLoginFailed {
			failed++
		}
	}
	if failed != 10 {
		t.Errorf("%d guesses were judged, want 10: the rest must not be tried", failed)
	}
}

func TestSweepPurgesAndRemembersLastUse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	ann := f.join("ann")
	sp, channel := f.room(ann)
	for i := range 20 {
		if _, err := f.send(ctx, ann, channel, fmt.Sprint(i)); err != nil {
			t.Fatalf("send: %v", err)
		}
	}
	if err := f.DeleteSpace(ctx, ann, sp.ID); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if _, err := f.send(ctx, ann, channel, "late"); chat.CodeOf(err) != chat.CodeChannelUnknown {
		t.Errorf("send into a deleted space = %v, want channel_unknown", err)
	}
	f.clock.Advance(25 * time.Hour)
	if err := f.Sweep(ctx); err != nil {
		t.Fatalf("sweep: %v", err)
	}
	changes, err := f.Changes(ctx, 0, 1000)
	if err != nil || len(changes) != 0 {
		t.Errorf("%d changes left, %v; want none after a day", len(changes), err)
	}
	keys, err := f.ListKeys(ctx, ann)
	if err != nil || len(keys) != 1 || keys[0].LastUsedAt.IsZero() {
		t.Errorf("keys = %+v, %v; want one with its last use", keys, err)
	}
}
