package agentchat_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// patience is how long a test waits for what has to come.
const patience = 20 * time.Second

// withSockets runs a test on a world without rate limits per engine.
func withSockets(t *testing.T, test func(t *testing.T, w *world), change ...func(*core.Config, *agentchat.Config)) {
	t.Helper()
	change = append(change, func(c *core.Config, _ *agentchat.Config) { c.LimitsOff = true })
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newWorld(t, e, change...)) })
}

// line is the client's end of a WebSocket.
type line struct {
	t     testing.TB
	w     *world
	agent *agent // nil for a dashboard
	conn  *websocket.Conn
}

// dial opens a WebSocket and says nothing. A header is "Name: value". If the server
// does not upgrade, there is only its status.
func (w *world) dial(t testing.TB, path string, headers ...string) (l *line, status int) {
	t.Helper()
	h := http.Header{}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		h.Set(name, value)
	}
	// A small window makes the system hold little for a client that does not read.
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 16<<10) })
	}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	options := websocket.DialOptions{HTTPHeader: h, HTTPClient: &http.Client{Transport: transport}}
	conn, res, err := websocket.Dial(t.Context(), w.Server.URL+path, &options) //nolint:bodyclose // the connection's, or read by Dial
	if res == nil {
		t.Fatalf("dial %s: %v", path, err)
	}
	if err != nil {
		return nil, res.StatusCode
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	conn.SetReadLimit(-1)
	return &line{t: t, w: w, conn: conn}, res.StatusCode
}

// open is dial of what has to be open.
func (w *world) open(t testing.TB, path string, headers ...string) *line {
	t.Helper()
	l, status := w.dial(t, path, headers...)
	if l == nil {
		t.Fatalf("dial %s: got status %d, want 101", path, status)
	}
	return l
}

// listen opens a socket with a HELLO that offers capabilities.
func (w *world) listen(t testing.TB, a *agent, capabilities ...string) *line {
	t.Helper()
	l := w.open(t, "/v1/ws")
	l.agent = a
	l.say(object{"type": "hello", "api_key": a.Token, "capabilities": append([]string{}, capabilities...)})
	l.want("hello.ok").is("handle", a.handle)
	return l
}

// say sends a frame; one that is a string goes as it is.
func (l *line) say(frame any) {
	l.t.Helper()
	data, isText := frame.(string)
	if !isText {
		encoded, err := json.Marshal(frame)
		if err != nil {
			l.t.Fatalf("encode a frame: %v", err)
		}
		data = string(encoded)
	}
	if err := l.conn.Write(l.t.Context(), websocket.MessageText, []byte(data)); err != nil {
		l.t.Fatalf("write %.100s: %v", data, err)
	}
}

// got is a frame of the server.
type got struct {
	t   testing.TB
	raw string
	all map[string]any
}

// next reads one frame.
func (l *line) next() (got, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, data, err := l.conn.Read(ctx)
	if err != nil {
		return got{}, err
	}
	g := got{t: l.t, raw: string(data)}
	if err := json.Unmarshal(data, &g.all); err != nil {
		l.t.Fatalf("frame is no JSON object: %v\n%s", err, data)
	}
	return g, nil
}

// want reads one frame, which has to be of a kind. Who comes online is passed over,
// unless it is wanted: that is told when it may.
func (l *line) want(kind string) got {
	l.t.Helper()
	g, err := l.next()
	for err == nil && g.all["type"] == "presence.update" && kind != "presence.update" {
		g, err = l.next()
	}
	if err != nil || g.all["type"] != kind {
		l.t.Fatalf("frame: got %s, %v, want %s", g.raw, err, kind)
	}
	return g
}

// wantText reads a message with a text.
func (l *line) wantText(texts ...string) (last got) {
	l.t.Helper()
	for _, text := range texts {
		last = l.want("message.new").is("payload.content.text", text)
	}
	return last
}

// wantClosed reads up to the end, which has to be a close frame.
func (l *line) wantClosed(code int, reason string) (frames []got) {
	l.t.Helper()
	for {
		g, err := l.next()
		if err == nil {
			frames = append(frames, g)
			continue
		}
		e, ok := errors.AsType[websocket.CloseError](err)
		if !ok || int(e.Code) != code || e.Reason != reason {
			l.t.Errorf("got %v, want close %d %q", err, code, reason)
		}
		return frames
	}
}

// alive asserts that frames sent so far have been acted on and the socket is open,
// and that nothing else was sent to it.
func (l *line) alive() {
	l.t.Helper()
	l.say(object{"type": "ping"})
	l.want("pong")
}

func (g got) at(path string) any {
	var value any = g.all
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[part]
			if !ok {
				return dialecttest.Absent{}
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return dialecttest.Absent{}
			}
			value = v[i]
		default:
			return dialecttest.Absent{}
		}
	}
	return value
}

func (g got) is(path string, want any) got {
	g.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := g.at(path); got != want {
		g.t.Errorf("got %s = %#v, want %#v in %s", path, got, want, g.raw)
	}
	return g
}

func (g got) text(path string) string {
	g.t.Helper()
	s, ok := g.at(path).(string)
	if !ok {
		g.t.Fatalf("no text at %q in %s", path, g.raw)
	}
	return s
}

// as is the call of an agent past the wire.
func (w *world) as(a *agent) core.Call {
	return core.Call{
		Actor:   core.Actor{Account: a.id, Kind: chat.CredentialKey, Is: chat.KindAgent},
		Surface: chat.SurfaceAgentChat,
	}
}

// write sends a text past the wire.
func (w *world) write(t testing.TB, a, to *agent, text string) *core.Sent {
	t.Helper()
	sent, err := w.Core.SendMessage(t.Context(), w.as(a), core.NewMessage{
		Kind: chat.ConversationDirect, Peer: to.id, ClientID: "w" + strconv.FormatInt(w.Serial(), 10), Text: text,
	})
	if err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
	return sent
}

// writeIn sends a text into a group past the wire.
func (w *world) writeIn(t testing.TB, a *agent, group chat.ConversationID, text string) *core.Sent {
	t.Helper()
	sent, err := w.Core.SendMessage(t.Context(), w.as(a), core.NewMessage{
		Kind: chat.ConversationGroup, Conversation: group, ClientID: "w" + strconv.FormatInt(w.Serial(), 10), Text: text,
	})
	if err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
	return sent
}

// pair makes two agents who know each other, so that none has to wait for a reply.
func (w *world) pair(t testing.TB) (a, b *agent) {
	t.Helper()
	a, b = w.agent(t), w.agent(t)
	w.introduce(t, a, b)
	return a, b
}

func (w *world) introduce(t testing.TB, a, b *agent) {
	t.Helper()
	first := w.write(t, a, b, "hello")
	second := w.write(t, b, a, "hello yourself")
	w.reach(t, b, first.ID)
	w.reach(t, a, second.ID)
}

// reach acknowledges messages past the core.
func (w *world) reach(t testing.TB, a *agent, messages ...chat.MessageID) {
	t.Helper()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		var keys []store.EnvelopeKey
		for _, m := range messages {
			keys = append(keys, store.EnvelopeKey{Recipient: a.id, Message: m})
		}
		_, err := tx.AcknowledgeMany(ctx, keys, w.Clock.Now())
		return err
	})
}

// crew is a group without messages.
func (w *world) crew(t testing.TB, members ...*agent) (group chat.ConversationID) {
	t.Helper()
	return w.gather(t, 0, members...)
}

// until waits for something that happens without a word.
func (w *world) until(t testing.TB, done func() bool) {
	t.Helper()
	deadline, look := time.After(patience), time.NewTicker(time.Millisecond)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatal("what was waited for did not happen")
		}
	}
}

// left waits until so many messages wait for an agent.
func (w *world) left(t testing.TB, a *agent, want int) {
	t.Helper()
	var got int
	defer func() {
		if got != want {
			t.Errorf("waiting for %s: got %d messages, want %d", a.handle, got, want)
		}
	}()
	w.until(t, func() bool {
		err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
			var err error
			got, err = r.PendingCount(ctx, a.id, 100_000)
			return err
		})
		if err != nil {
			t.Fatalf("count what waits: %v", err)
		}
		return got == want
	})
}

// ownedBy makes agents a person's, past the core.
func (w *world) ownedBy(t testing.TB, owner core.Call, agents ...*agent) {
	t.Helper()
	for _, a := range agents {
		w.change(t, a, func(account *chat.Account) {
			account.Owner, account.Owned, account.OwnedAt = owner.Actor.Account, chat.OwnedByClaim, w.Clock.Now()
		})
	}
}

// human makes a person and returns their call.
func (w *world) human(t testing.TB) core.Call {
	t.Helper()
	now := w.Clock.Now()
	c := core.Call{Actor: core.Actor{Kind: chat.CredentialSession, Is: chat.KindHuman}, Surface: chat.SurfaceAgentChat}
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		c.Actor.Account = chat.AccountID(n)
		name := "human" + strconv.FormatInt(n, 10)
		return tx.InsertAccount(ctx, &chat.Account{
			ID: c.Actor.Account, Kind: chat.KindHuman, MadeBy: chat.SurfaceAgentChat, Username: name, NameKey: name, Handle: name,
			LoginAddress: name + "@example.org", State: chat.StateActive, CreatedAt: now, UpdatedAt: now,
		}, "")
	})
	return c
}

// pause moves the switch of an agent's owner.
func (w *world) pause(t testing.TB, owner core.Call, a *agent, mode chat.Pause) {
	t.Helper()
	if _, err := w.Core.PauseAgent(t.Context(), owner, a.handle, mode); err != nil {
		t.Fatalf("pause %s: %v", a.handle, err)
	}
}
