package agentchat_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// supportWorld is a world whose system agent answers.
func supportWorld(t *testing.T, e dialecttest.Engine) *world {
	t.Helper()
	w := newWorld(t, e, func(c *core.Config, _ *agentchat.Config) { c.Welcome = true })
	if err := w.Core.EnsureSystem(t.Context()); err != nil {
		t.Fatalf("make the system account: %v", err)
	}
	return w
}

// ask sends a text to the system agent.
func (a *agent) ask(text string) (conversation string) {
	a.T.Helper()
	return a.Post("/v1/messages", object{
		"to": "chatfather", "client_msg_id": fmt.Sprintf("m%d", a.World.Serial()), "content": object{"text": text},
	}).Want(201).Text("conversation_id")
}

// hears waits for n messages of a conversation, the oldest first, and returns the
// texts of the system agent's.
func (a *agent) hears(conversation string, n int) []string {
	a.T.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		r := a.Get("/v1/messages/" + conversation + "?after_seq=0&limit=200").Want(200)
		list := r.List("")
		if len(list) >= n {
			var answers []string
			for i := range list {
				if r.At(fmt.Sprintf("%d.sender", i)) == "chatfather" {
					answers = append(answers, r.Text(fmt.Sprintf("%d.content.text", i)))
				}
			}
			return answers
		}
		if time.Now().After(deadline) {
			a.T.Fatalf("got %d messages, want %d: %s", len(list), n, r.Raw)
		}
	}
}

func onBothWithSupport(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			test(t, supportWorld(t, e))
		})
	}
}

func TestSupportAnswersCommands(t *testing.T) {
	onBothWithSupport(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		conversation := a.ask("/help")
		if got := a.hears(conversation, 2); len(got) != 1 || !strings.Contains(got[0], "/report") {
			t.Errorf("answer to /help: got %q, want the commands", got)
		}
		a.ask("/START please")
		if got := a.hears(conversation, 4); len(got) != 2 || got[1] != got[0] {
			t.Errorf("answer to /start: got %q, want that to /help", got)
		}
		for i, text := range []string{"/report", "/report bug", "/report praise it is fine"} {
			a.ask(text)
			if got := a.hears(conversation, 6+2*i); !strings.Contains(got[len(got)-1], "bug|feature|abuse|other") {
				t.Errorf("answer to %q: got %q, want how to use it", text, got)
			}
		}
		if got := w.operator(t).Get(escalations).Want(200).List("escalations"); len(got) != 0 {
			t.Errorf("escalations: got %v, want none", got)
		}
	})
}

func TestReportsBecomeEscalations(t *testing.T) {
	onBothWithSupport(t, func(t *testing.T, w *world) {
		a := w.agent(t)
		conversation := a.ask("/report\tBug  It is\nbroken ")
		if got := a.hears(conversation, 2); len(got) != 1 || !strings.HasPrefix(got[0], "Thank you") {
			t.Errorf("answer: got %q, want thanks", got)
		}
		r := w.operator(t).Get(escalations).Want(200)
		r.Is("escalations.0.handle", a.handle).Is("escalations.0.category", "bug").Is("escalations.0.text", "It is\nbroken")
		r.Is("escalations.0.status", "open").Is("escalations.1", dialecttest.Absent{})
	})
}

// What is no command, goes to somebody else or comes from the system agent itself is
// none of the bot's business.
func TestSupportKeepsToCommands(t *testing.T) {
	onBothWithSupport(t, func(t *testing.T, w *world) {
		a, b := w.agent(t), w.agent(t)
		conversation := a.ask("hello")
		direct := a.befriend(b)
		a.in(direct, "/help").Want(201)
		group := a.Post("/v1/groups", object{"name": "Team"}).Want(201).Text("group.id")
		a.in(group, "/help").Want(201)
		// The system agent is answered by nobody before it has answered a command, and
		// commands are answered in their order.
		b.hears(b.ask("/help"), 2)
		if got := a.hears(conversation, 1); len(got) != 0 {
			t.Errorf("answers: got %q, want none", got)
		}
		if got := a.hears(direct, 3); len(got) != 0 {
			t.Errorf("answers among others: got %q, want none", got)
		}
		if got := len(a.Get("/v1/conversations").Want(200).List("")); got != 3 {
			t.Errorf("conversations: got %d, want 3", got)
		}
	})
}

// Five commands are answered in half a minute, ten in the first day of an account;
// then one notice follows, and silence.
func TestSupportIsThrottled(t *testing.T) {
	onBothWithSupport(t, func(t *testing.T, w *world) {
		marker, young, old := w.agent(t), w.agent(t), w.agent(t)
		for _, a := range []*agent{marker, old} {
			w.change(t, a, func(a *chat.Account) { a.CreatedAt = a.CreatedAt.Add(-24 * time.Hour) })
		}
		// settle returns when all that was asked before is done with: commands are taken
		// one after the other.
		settled := 0
		settle := func() {
			t.Helper()
			settled += 2
			marker.hears(marker.ask("/help"), settled)
		}
		check := func(what string, a *agent, conversation string, wantHelps, wantNotices int) {
			t.Helper()
			settle()
			notices, answers := 0, a.hears(conversation, 1)
			for _, text := range answers {
				if strings.Contains(text, "too often") {
					notices++
				}
			}
			if helps := len(answers) - notices; helps != wantHelps || notices != wantNotices {
				t.Errorf("%s: got %d answers and %d notices, want %d and %d", what, helps, notices, wantHelps, wantNotices)
			}
		}
		greet := func(a *agent) string { // the first answer lets an agent write on
			t.Helper()
			conversation := a.ask("/help")
			a.hears(conversation, 2)
			return conversation
		}

		conversation := greet(young)
		for range 4 {
			young.ask("/help")
		}
		check("five commands", young, conversation, 5, 0)
		young.ask("/help")
		young.ask("/help")
		check("seven commands", young, conversation, 5, 1)
		w.Clock.Advance(30 * time.Second)
		for range 5 {
			young.ask("/help")
		}
		check("ten commands in time", young, conversation, 10, 1)
		w.Clock.Advance(30 * time.Second)
		young.ask("/help")
		check("the eleventh of a new account", young, conversation, 10, 1)

		w.Clock.Advance(30 * time.Second)
		conversation = greet(old)
		for i := 1; i < 50; i++ {
			if i%5 == 0 {
				w.Clock.Advance(30 * time.Second)
			}
			old.ask("/help")
			old.hears(conversation, 2*i+2)
		}
		w.Clock.Advance(30 * time.Second)
		check("fifty commands of an old account", old, conversation, 50, 0)
		old.ask("/help")
		check("fifty-one", old, conversation, 50, 1)
	})
}

// countingStore counts the batches of messages that are stored.
type countingStore struct {
	store.Store

	batches *atomic.Int64
}

func (s countingStore) Send(ctx context.Context, b store.Batch) error {
	s.batches.Add(1)
	return s.Store.Send(ctx, b)
}

func TestSupportIsOffByDefault(t *testing.T) {
	t.Parallel()
	var batches atomic.Int64
	t.Cleanup(func() { // after the world has been closed, and has waited for all that runs in it
		if got := batches.Load(); got != 1 {
			t.Errorf("batches of messages: got %d, want that of the command alone", got)
		}
	})
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) {
		c.Store = countingStore{c.Store, &batches}
	})
	if err := w.Core.EnsureSystem(t.Context()); err != nil {
		t.Fatalf("make the system account: %v", err)
	}
	a := w.agent(t)
	conversation := a.ask("/help")
	for range 20 {
		if got := a.hears(conversation, 1); len(got) != 0 {
			t.Errorf("answers: got %q, want none", got)
		}
	}
}
