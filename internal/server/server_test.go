package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/admin"
	"parley/internal/chat"
	"parley/internal/config"
	"parley/internal/server"
	"parley/internal/store"
	"parley/internal/testpg"
)

func testConfig(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.Data = filepath.Join(t.TempDir(), "data")
	c.Listen = "127.0.0.1:0"
	return c
}

// start runs a server until the test ends.
func start(t *testing.T, cfg config.Config) *server.Server {
	t.Helper()
	s := server.New(cfg, slog.New(slog.DiscardHandler))
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

type answer struct {
	status int
	header http.Header
	body   string
}

func request(t *testing.T, method, url string, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{a.StatusCode, a.Header, string(text)}
}

func dial(t *testing.T, cfg config.Config) *admin.Client {
	t.Helper()
	c, err := admin.Dial(t.Context(), server.SocketPath(cfg.Data))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoot(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig(t))
	program := request(t, "GET", s.URL()+"/")
	var info struct {
		Name, Version, Status string
		Interfaces            []any
	}
	if err := json.Unmarshal([]byte(program.body), &info); err != nil || program.status != 200 {
		t.Fatalf("GET / = %d %s, %v", program.status, program.body, err)
	}
	if info.Name == "" || info.Version == "" || info.Status != "alive" || info.Interfaces == nil {
		t.Errorf("GET / = %s, want name, version, status alive and interfaces []", program.body)
	}
	browser := request(t, "GET", s.URL()+"/", "Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
	if !strings.HasPrefix(browser.header.Get("Content-Type"), "text/html") || !strings.Contains(browser.body, s.URL()+"/api/auth/register") ||
		!strings.Contains(browser.body, `href="/api/openapi.json"`) || !strings.Contains(browser.body, s.URL()+"/ai/auth/register") ||
		!strings.Contains(browser.body, `href="/ai/openapi.json"`) {
		t.Errorf("a browser gets %s %s", browser.header.Get("Content-Type"), browser.body)
	}
	for _, a := range []answer{program, browser} {
		if a.header.Get("Vary") != "Accept" || a.header.Get("X-Request-Id") == "" {
			t.Errorf("headers = %v, want Vary: Accept and a request id", a.header)
		}
	}
}

func TestPathsUnderNoPrefix(t *testing.T) {
	t.Parallel()
	s := start(t, testConfig(t))
	for _, tc := range []struct {
		method, path string
		status       int
		word         string
	}{
		{"GET", "/nothing", 404, "not_found"},
		{"GET", "/api", 404, "not_found"},
		{"GET", "//api/auth/me", 404, "not_found"},
		{"GET", "/healthz/", 404, "not_found"},
		{"GET", "/debug/pprof/", 404, "not_found"},
		{"POST", "/", 405, "method_not_allowed"},
	} {
		a := request(t, tc.method, s.URL()+tc.path)
		var e struct{ Error, Message string }
		if err := json.Unmarshal([]byte(a.body), &e); err != nil || a.status != tc.status || e.Error != tc.word || e.Message == "" {
			t.Errorf("%s %s = %d %s, want %d with %s and a message", tc.method, tc.path, a.status, a.body, tc.status, tc.word)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if a := request(t, "GET", s.URL()+path); a.status != 200 {
			t.Errorf("GET %s = %d %s, want 200", path, a.status, a.body)
		}
	}
	if a := request(t, "GET", s.URL()+"/api/auth/me"); a.status != 401 {
		t.Errorf("GET /api/auth/me = %d %s, want 401 from the dialect", a.status, a.body)
	}
}

func TestPublicURLIsAPrefixToo(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	if err := cfg.PublicURL.UnmarshalText([]byte("https://example.org/chat/")); err != nil {
		t.Fatal(err)
	}
	s := start(t, cfg)
	for path, want := range map[string]int{
		"/chat": 200, "/chat/": 200, "/chat/healthz": 200, "/healthz": 200, "/chat/api/auth/me": 401,
		"/api/auth/me": 401, "/chatter": 404, "/chat//": 404, "/chat/chat/": 404, "/chat/api/users/a%2Fb": 401,
	} {
		if a := request(t, "GET", s.URL()+path); a.status != want {
			t.Errorf("GET %s = %d %s, want %d", path, a.status, a.body, want)
		}
	}
	var description struct{ Servers []struct{ URL string } }
	text := request(t, "GET", s.URL()+"/chat/api/openapi.json").body
	if err := json.Unmarshal([]byte(text), &description); err != nil || len(description.Servers) != 1 ||
		description.Servers[0].URL != "https://example.org/chat" {
		t.Errorf("servers of the OpenAPI document = %v, %v, want the public URL", description.Servers, err)
	}
	page := request(t, "GET", s.URL()+"/chat", "Accept", "text/html").body
	for _, want := range []string{`href="/chat/api/openapi.json"`, "https://example.org/chat/api/auth/register"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestInternalListener(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.InternalListen = "127.0.0.1:0"
	s := start(t, cfg)
	request(t, "GET", s.URL()+"/api/auth/me")
	request(t, "GET", s.URL()+"/api/nothing")
	request(t, "GET", s.URL()+"/")
	shown := request(t, "GET", s.InternalURL()+"/metrics").body
	for _, want := range []string{
		`parley_http_requests_total{code="401",operation="ShowSelf",surface="opencord"} 1`,
		`parley_http_requests_total{code="404",operation="unknown",surface="opencord"} 1`,
		`parley_http_requests_total{code="200",operation="Root",surface="server"} 1`,
		`parley_store_info{engine="sqlite"} 1`,
		`parley_build_info{`, "parley_store_position ", "parley_store_file_bytes ", "parley_store_log_bytes ", "parley_live_subscriptions 0",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("metrics lack %q", want)
		}
	}
	if a := request(t, "GET", s.InternalURL()+"/readyz"); a.status != 200 {
		t.Errorf("GET /readyz on the internal listener = %d, want 200", a.status)
	}
}

func TestTheFolderIsOurs(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	start(t, cfg)
	for name, want := range map[string]fs.FileMode{"": 0o700, "admin.sock": 0o600, "lock": 0o600, "parley.db": 0o600} {
		info, err := os.Stat(filepath.Join(cfg.Data, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of data/%s = %o, want %o", name, got, want)
		}
	}
}

func TestOneServerPerFolder(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	start(t, cfg)
	err := server.New(cfg, slog.New(slog.DiscardHandler)).Start(t.Context())
	if !errors.Is(err, store.ErrInUse) {
		t.Fatalf("second start = %v, want store.ErrInUse", err)
	}
	for _, want := range []string{cfg.Data, "by parley serve, process ", "--data"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error = %q, want %q in it", err, want)
		}
	}
	// The first is untouched.
	if _, err := dial(t, cfg).Usage(t.Context()); err != nil {
		t.Errorf("the first server's socket: %v", err)
	}
}

// The engine's own lock holds off servers that have another data folder.
func TestOneServerPerPostgresDatabase(t *testing.T) {
	t.Parallel()
	dsn := testpg.New(t)
	configure := func() config.Config {
		cfg := testConfig(t)
		cfg.Database = config.Database(dsn)
		return cfg
	}
	cfg := configure()
	s := start(t, cfg)
	if a := request(t, "GET", s.URL()+"/readyz"); a.status != 200 {
		t.Errorf("GET /readyz = %d %s, want 200", a.status, a.body)
	}
	err := server.New(configure(), slog.New(slog.DiscardHandler)).Start(t.Context())
	if !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "--database") {
		t.Errorf("second server = %v, want store.ErrInUse and --database", err)
	}
	c := dial(t, cfg)
	if _, err := c.CreateAccount(t.Context(), ada()); err != nil {
		t.Error(err)
	}
	if err := c.Backup(t.Context(), filepath.Join(t.TempDir(), "copy")); code(err) != "backup_elsewhere" {
		t.Errorf("backup = %v, want a word about pg_dump", err)
	}
	var out strings.Builder
	if err := s.Announce(&out); err != nil || !strings.Contains(out.String(), "PostgreSQL, postgres://") {
		t.Errorf("announcement = %s, %v, want the masked address of the database", out.String(), err)
	}
}

func TestStartNamesTheOptionAtFault(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the parallel subtests
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for option, spoil := range map[string]func(*config.Config){
		"--listen":           func(c *config.Config) { c.Listen = config.Address(taken.Addr().String()) },
		"--internal-listen":  func(c *config.Config) { c.InternalListen = config.Address(taken.Addr().String()) },
		"--data":             func(c *config.Config) { c.Data = file },
		"--shutdown-timeout": func(c *config.Config) { c.ShutdownTimeout = 0 },
		"--database":         func(c *config.Config) { c.Database = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1" },
	} {
		t.Run(option, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			spoil(&cfg)
			err := server.New(cfg, slog.New(slog.DiscardHandler)).Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), option) {
				t.Fatalf("start = %v, want an error that names %s", err, option)
			}
			// Nothing is left behind: the folder is free again.
			if option != "--data" {
				start(t, func() config.Config { c := testConfig(t); c.Data = cfg.Data; return c }())
			}
		})
	}
}

func TestASocketLeftBehindIsReplaced(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	if err := os.MkdirAll(filepath.Join(cfg.Data, ".admin"), 0o700); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: server.SocketPath(cfg.Data), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Dial(t.Context(), server.SocketPath(cfg.Data)); !errors.Is(err, admin.ErrNoServer) {
		t.Errorf("dial a dead server's socket = %v, want admin.ErrNoServer", err)
	}
	start(t, cfg)
	if _, err := dial(t, cfg).Usage(t.Context()); err != nil {
		t.Errorf("the new server's socket: %v", err)
	}
}

// A request that has begun is answered though the server was told to stop, and
// nobody new is let in meanwhile.
func TestStopAnswersRequestsInFlight(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.InternalListen = "127.0.0.1:0"
	s := start(t, cfg)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	const body = `{"username":"ada","email":"ada@example.org","password":"correct horse"}`
	head := "POST /api/auth/register HTTP/1.1\r\nHost: parley\r\nExpect: 100-continue\r\nContent-Length: 71\r\n\r\n"
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	// The server says this when the handler begins to read the body.
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	_, _ = in.ReadString('\n')

	stopped := make(chan error, 1)
	began := time.Now()
	go func() { stopped <- s.Stop(context.WithoutCancel(t.Context())) }()
	for { // until the listener is closed, which the system tells newcomers
		probe, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
		if err != nil {
			break
		}
		_ = probe.Close()
		if time.Since(began) > 5*time.Second {
			t.Fatal("a stopping server still takes connections")
		}
	}
	if a := request(t, "GET", s.InternalURL()+"/readyz"); a.status != 503 || !strings.Contains(a.body, "stopping") {
		t.Errorf("/readyz while stopping = %d %s, want 503", a.status, a.body)
	}
	if _, err := io.WriteString(conn, body); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatalf("read the answer: %v", err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusCreated {
		t.Errorf("the request in flight got %d, want 201", r.StatusCode)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > cfg.ShutdownTimeout {
		t.Errorf("stop took %v, want at most %v", took, cfg.ShutdownTimeout)
	}
	if _, err := os.Stat(server.SocketPath(cfg.Data)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left behind: %v", err)
	}
}

// A client that never finishes its request cannot hold up the stop.
func TestStopBreaksOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.ShutdownTimeout = time.Second
	s := start(t, cfg)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("got %q, %v, want 100 Continue", line, err)
	}
	began := time.Now()
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stop took %v, want about a second", took)
	}
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Limits = config.Off
	s := start(t, cfg)
	var out strings.Builder
	if err := s.Announce(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listening on " + s.URL() + "\n", cfg.Data, "SQLite", "curl " + s.URL() + "/v1/register", s.URL() + "/skill.md", "outbox", "--limits off", "load tests only"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("announcement lacks %q:\n%s", want, out.String())
		}
	}
}

// A dialect that is switched off is shown nowhere: its paths would be unknown.
func TestFirstStepsOfEachDialect(t *testing.T) {
	t.Parallel()
	paths := map[chat.Surface][]string{
		chat.SurfaceAgentChat: {"/v1/register", "/skill.md", "/v1/openapi.json"},
		chat.SurfaceOpenCord:  {"/api/auth/register", "/api/openapi.json"},
		chat.SurfaceAIClient:  {"/ai/auth/register", "/ai/openapi.json"},
	}
	for surface := range paths {
		t.Run(surface.String(), func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			cfg.Dialects = []config.Dialect{config.Dialect(surface)}
			s := start(t, cfg)
			var out strings.Builder
			if err := s.Announce(&out); err != nil {
				t.Fatal(err)
			}
			page := request(t, "GET", s.URL()+"/", "Accept", "text/html").body
			for other, list := range paths {
				for i, path := range list {
					if got := strings.Contains(page, path); got != (other == surface) {
						t.Errorf("the page names %s: %v", path, got)
					}
					if got := strings.Contains(out.String(), path); got != (other == surface) && i == 0 {
						t.Errorf("the announcement names %s: %v\n%s", path, got, out.String())
					}
				}
				if status := request(t, "GET", s.URL()+list[len(list)-1]).status; (status == 200) != (other == surface) {
					t.Errorf("%s: got status %d", list[len(list)-1], status)
				}
			}
		})
	}
}

// The list of metrics in the operator's manual is complete.
func TestEveryMetricIsInTheManual(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.InternalListen = "127.0.0.1:0"
	s := start(t, cfg)
	manual, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	request(t, "GET", s.URL()+"/")
	request(t, "GET", s.InternalURL()+"/metrics") // shows its own errors from the second time on
	found := 0
	for line := range strings.Lines(request(t, "GET", s.InternalURL()+"/metrics").body) {
		fields := strings.Fields(line)
		if len(fields) != 4 || fields[1] != "TYPE" || !strings.HasPrefix(fields[2], "parley_") {
			continue
		}
		found++
		if !strings.Contains(string(manual), "`"+fields[2]+"`") {
			t.Errorf("docs/operations.md does not list %s", fields[2])
		}
	}
	if found < 10 {
		t.Errorf("found %d metrics, want at least 10", found)
	}
}

// Metrics show how much is going on: on the main address they are for the holder
// of the token, or for this machine. Whose request a proxy hands on is not the
// proxy's.
func TestMetricsOnTheMainAddress(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.TrustedProxy = []config.CIDR{{Prefix: netip.MustParsePrefix("127.0.0.1/32")}}
	s := start(t, cfg)
	cfg = testConfig(t)
	cfg.MetricsToken = "0123456789abcdef"
	secured := start(t, cfg)
	for _, tc := range []struct {
		name   string
		server *server.Server
		header []string
		status int
	}{
		{"from this machine", s, nil, 200},
		{"through a proxy from elsewhere", s, []string{"X-Forwarded-For", "203.0.113.7"}, 401},
		{"through a proxy from this machine", s, []string{"X-Forwarded-For", "127.0.0.1"}, 200},
		{"without the token", secured, nil, 401},
		{"with another token", secured, []string{"Authorization", "Bearer 0123456789abcdeF"}, 401},
		{"with the token", secured, []string{"Authorization", "Bearer 0123456789abcdef"}, 200},
	} {
		for _, path := range []string{"/metrics", "/internal/metrics"} {
			if a := request(t, "GET", tc.server.URL()+path, tc.header...); a.status != tc.status ||
				a.status == 200 != strings.Contains(a.body, "parley_build_info") {
				t.Errorf("%s: GET %s = %d %.80s, want %d", tc.name, path, a.status, a.body, tc.status)
			}
		}
	}
}
