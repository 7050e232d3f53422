package opencord_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/bus/inproc"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/opencord"
	"parley/internal/httpx"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
	"parley/internal/testpg"
)

// engine opens an empty database of one kind.
type engine struct {
	name string
	open func(ctx context.Context, t testing.TB) (store.Store, error)
}

func engines() []engine {
	discard := slog.New(slog.DiscardHandler)
	return []engine{
		{"sqlite", func(ctx context.Context, t testing.TB) (store.Store, error) {
			return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(t.TempDir(), "parley.db"), Logger: discard})
		}},
		{"postgres", func(ctx context.Context, t testing.TB) (store.Store, error) {
			return postgres.Open(ctx, postgres.Options{DSN: testpg.New(t), Logger: discard})
		}},
	}
}

// onBothEngines runs a test on a world of its own per engine.
func onBothEngines(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, e))
		})
	}
}

// world is a server on an empty database with a clock that only moves when asked.
// Its clients speak from addresses of their own, as if through a trusted proxy.
type world struct {
	core   *core.Service
	store  store.Store
	ids    *id.Codec
	server *httptest.Server
	clock  *clock
	serial atomic.Int64 // makes names and addresses distinct
	trust  bool         // whether forwarding headers count
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

// noon is when the clocks of worlds start: in the middle of a rate window.
var noon = time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newWorld(t testing.TB, e engine, change ...func(*core.Config, *opencord.Config)) *world {
	t.Helper()
	s, err := e.open(t.Context(), t)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	w := &world{store: s, clock: &clock{now: noon}, trust: true}
	bus := inproc.New(inproc.Options{})
	discard := slog.New(slog.DiscardHandler)
	cc := core.Config{Store: s, Bus: bus, Hasher: secret.NewTestHasher(4), Log: discard, Now: w.clock.Now}
	oc := opencord.Config{Log: discard}
	oc.Clients = httpx.NewClients([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")})
	for _, c := range change {
		c(&cc, &oc)
	}
	key, err := s.IDKey(t.Context())
	if err != nil {
		t.Fatalf("read the key of ids: %v", err)
	}
	if w.ids, err = id.NewCodec(key); err != nil {
		t.Fatalf("make the codec of ids: %v", err)
	}
	if w.core, err = core.New(cc); err != nil {
		t.Fatalf("build the core: %v", err)
	}
	oc.Core, oc.IDs = w.core, w.ids
	w.server = httptest.NewServer(opencord.New(oc))
	w.server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	t.Cleanup(func() {
		w.server.Close()
		w.core.Close()
		if err := bus.Close(); err != nil {
			t.Errorf("close the bus: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return w
}

// update changes the database past the core, for facts no route can set up.
func (w *world) update(t testing.TB, fn func(ctx context.Context, tx store.Tx) error) {
	t.Helper()
	if err := w.store.Update(t.Context(), fn); err != nil {
		t.Fatalf("set up facts: %v", err)
	}
}

// object is a JSON object to be sent.
type object map[string]any

// client is somebody who calls the server from one address, with or without a token.
type client struct {
	t     testing.TB
	w     *world
	addr  string
	token string

	id, name, email string // of the account, if there is one
}

const password = "correct horse"

// visitor is a client without an account.
func (w *world) visitor(t testing.TB) *client {
	n := w.serial.Add(1)
	return &client{t: t, w: w, addr: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)}
}

// user registers an account and logs it in.
func (w *world) user(t testing.TB) *client {
	t.Helper()
	c := w.visitor(t)
	c.name = "user" + strconv.FormatInt(w.serial.Add(1), 10)
	c.email = c.name + "@example.org"
	r := c.post("/api/auth/register", object{"email": c.email, "password": password, "username": c.name}).want(201)
	c.id = r.text("user.id")
	c.token = c.post("/api/auth/login", object{"email": c.email, "password": password}).want(200).text("token")
	return c
}

// account is the core's id of the client's account.
func (c *client) account() chat.AccountID {
	c.t.Helper()
	return chat.AccountID(c.w.open(c.t, id.KindAccount, c.id))
}

func (w *world) open(t testing.TB, kind id.Kind, text string) int64 {
	t.Helper()
	u, _ := id.ParseUUID(text)
	n, ok := w.ids.Open(kind, u)
	if !ok {
		t.Fatalf("%q is no id of kind %d", text, kind)
	}
	return n
}

// with is the same client with another token.
func (c *client) with(token string) *client {
	other := *c
	other.token = token
	return &other
}

// elsewhere is the same client at another address.
func (c *client) elsewhere() *client {
	other := *c
	other.addr = c.w.visitor(c.t).addr
	return &other
}

// newKey makes an API key and returns it with its id.
func (c *client) newKey(name string) (key, id string) {
	c.t.Helper()
	r := c.post("/api/auth/api-key", object{"name": name}).want(201)
	return r.text("key"), r.text("id")
}

func (c *client) get(path string) *response             { return c.do("GET", path, nil) }
func (c *client) post(path string, body any) *response  { return c.do("POST", path, body) }
func (c *client) patch(path string, body any) *response { return c.do("PATCH", path, body) }
func (c *client) delete(path string) *response          { return c.do("DELETE", path, nil) }
func (c *client) say(channel, text string) *response {
	return c.post(inChannel(channel), object{"content": text})
}

func (c *client) whisper(direct, text string) *response {
	return c.post(inDirect(direct), object{"content": text})
}

func (c *client) rename(server string, b object) *response { return c.patch("/api/servers/"+server, b) }

func inChannel(channel string) string { return "/api/channels/" + channel + "/messages" }
func inDirect(direct string) string   { return "/api/dm/" + direct + "/messages" }

// do sends a request. A body that is a string or []byte is sent as it is, all
// else as JSON, nil not at all. A header is "Name: value". Failures of transport
// are reported without ending the test, so that any goroutine may call do.
func (c *client) do(method, path string, body any, headers ...string) *response {
	c.t.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = strings.NewReader(string(b))
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			c.t.Fatalf("encode the body: %v", err)
		}
		reader = strings.NewReader(string(encoded))
	}
	r := &response{t: c.t, what: method + " " + path}
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.w.server.URL+path, reader)
	if err != nil {
		c.t.Errorf("%s: %v", r.what, err)
		return r
	}
	req.Header.Set("X-Forwarded-For", c.addr)
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	res, err := c.w.server.Client().Do(req)
	if err != nil {
		c.t.Errorf("%s: %v", r.what, err)
		return r
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Errorf("%s: read the answer: %v", r.what, err)
	}
	r.status, r.header, r.raw = res.StatusCode, res.Header, string(raw)
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			c.t.Errorf("%s: answer is no JSON: %v\n%s", r.what, err, raw)
		}
	}
	return r
}

// response is an answer and what may be asked of it.
type response struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	raw    string
	body   any
}

// want asserts the status.
func (r *response) want(status int) *response {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s: got %d %s, want %d", r.what, r.status, r.raw, status)
	}
	return r
}

// fails asserts a failure: status, and the exact body.
func (r *response) fails(status int, text string) *response {
	r.t.Helper()
	want, _ := json.Marshal(map[string]string{"error": text})
	if r.status != status || r.raw != string(want) {
		r.t.Errorf("%s: got %d %s, want %d %s", r.what, r.status, r.raw, status, want)
	}
	return r
}

// is asserts the value at a path such as "messages.0.author.id".
func (r *response) is(path string, want any) *response {
	r.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := r.at(path); got != want {
		r.t.Errorf("%s: got %s = %#v, want %#v in %s", r.what, path, got, want, r.raw)
	}
	return r
}

// at returns the value at a path; a missing one is absent{}.
func (r *response) at(path string) any {
	value := r.body
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[part]
			if !ok {
				return absent{}
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return absent{}
			}
			value = v[i]
		default:
			return absent{}
		}
	}
	return value
}

// absent is what at finds where there is nothing: not even null.
type absent struct{}

func (r *response) text(path string) string {
	r.t.Helper()
	s, ok := r.at(path).(string)
	if !ok {
		r.t.Fatalf("%s: no text at %s in %s", r.what, path, r.raw)
	}
	return s
}

func (r *response) list(path string) []any {
	r.t.Helper()
	list, ok := r.at(path).([]any)
	if !ok {
		r.t.Fatalf("%s: no list at %s in %s", r.what, path, r.raw)
	}
	return list
}

// texts collects one member of every element of a list.
func (r *response) texts(list, member string) []string {
	r.t.Helper()
	var out []string
	for i := range r.list(list) {
		out = append(out, r.text(list+"."+strconv.Itoa(i)+"."+member))
	}
	return out
}

func (r *response) time(path string) time.Time {
	r.t.Helper()
	return readTime(r.t, r.text(path))
}

// readTime reads a time in the form that /api shows.
func readTime(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05.000Z", s)
	if err != nil {
		t.Fatalf("time: %v", err)
	}
	return at
}

func (r *response) number(header string) int {
	r.t.Helper()
	n, err := strconv.Atoi(r.header.Get(header))
	if err != nil {
		r.t.Fatalf("%s: header %s: %v", r.what, header, err)
	}
	return n
}

// together runs n calls at once and returns their answers.
func together(n int, call func(i int) *response) []*response {
	out := make([]*response, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			out[i] = call(i)
		})
	}
	close(start)
	all.Wait()
	return out
}

// statuses counts answers by status.
func statuses(all []*response) map[int]int {
	n := make(map[int]int)
	for _, r := range all {
		n[r.status]++
	}
	return n
}

// cast is the setup of OC section 12: O owns server S with channel G, M is a
// member, X an outsider, D the conversation of O and M.
type cast struct {
	O, M, X    *client
	S, code, G string
	D          string
}

func newCast(t testing.TB, w *world) *cast {
	t.Helper()
	c := &cast{O: w.user(t), M: w.user(t), X: w.user(t)}
	c.S, c.code, c.G = c.O.newServer("HQ")
	c.M.join(c.S, c.code).want(200)
	c.D = c.O.post("/api/dm", object{"user_id": c.M.id}).want(201).text("channel.id")
	return c
}

// newServer makes a server and returns its id, its code and its channel.
func (c *client) newServer(name string) (server, code, channel string) {
	c.t.Helper()
	r := c.post("/api/servers", object{"name": name}).want(201)
	server = r.text("server.id")
	channel = c.get("/api/servers/" + server + "/channels").want(200).text("channels.0.id")
	return server, r.text("server.invite_code"), channel
}

func (c *client) join(server, code string) *response {
	return c.post("/api/servers/"+server+"/join", object{"invite_code": code})
}
