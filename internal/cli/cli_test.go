package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/cli"
)

var update = flag.Bool("update", false, "write golden files instead of comparing them")

// world runs commands on one data folder.
type world struct {
	env   map[string]string
	stdin string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{env: map[string]string{"PARLEY_DATA": filepath.Join(t.TempDir(), "data")}}
}

func (w *world) data() string { return w.env["PARLEY_DATA"] }

func (w *world) process(out, errs io.Writer, args []string) cli.Process {
	return cli.Process{
		Args: args, Stdin: strings.NewReader(w.stdin), Stdout: out, Stderr: errs,
		Env: func(name string) (string, bool) { v, ok := w.env[name]; return v, ok },
	}
}

// run runs one command to its end.
func (w *world) run(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), w.process(&out, &errs, args))
	return code, out.String(), errs.String()
}

// must runs a command that succeeds and returns what it printed.
func (w *world) must(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := w.run(t, args...)
	if code != 0 {
		t.Fatalf("parley %s = %d: %s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// decoded runs a command with --json.
func decoded[T any](t *testing.T, w *world, args ...string) T {
	t.Helper()
	var v T
	text := w.must(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(text), &v); err != nil || strings.Count(text, "\n") != 1 {
		t.Fatalf("parley %s --json printed %q (%v), want one line of JSON", strings.Join(args, " "), text, err)
	}
	return v
}

// serve runs `parley serve` until the returned function is called, as on SIGTERM;
// it returns the exit code.
func (w *world) serve(t *testing.T) (url string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	reader, writer := io.Pipe()
	var errs bytes.Buffer
	exit := make(chan int, 1)
	go func() {
		code := cli.Main(ctx, w.process(writer, &errs, []string{"serve", "--listen", "127.0.0.1:0"}))
		_ = writer.Close()
		exit <- code
	}()
	shown := make([]byte, 4096)
	n, err := reader.Read(shown)
	if err != nil {
		cancel()
		t.Fatalf("parley serve ended with %d: %s", <-exit, errs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, reader) }()
	found := regexp.MustCompile(`listening on (http://\S+)`).FindSubmatch(shown[:n])
	if found == nil {
		t.Fatalf("parley serve printed %q, want where it listens", shown[:n])
	}
	ended := false
	stop = func() int {
		cancel()
		if ended {
			return 0
		}
		ended = true
		return <-exit
	}
	t.Cleanup(func() { stop() })
	return string(found[1]), stop
}

type account struct {
	ID, Username, State, Password string
	Guarded                       bool
	Key                           *struct{ ID, Token string }
}

func (w *world) create(t *testing.T, name string, more ...string) account {
	t.Helper()
	args := append([]string{"account", "create", name, "--address", name + "@example.org", "--generate-password"}, more...)
	return decoded[account](t, w, args...)
}

func get(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	return a.StatusCode
}

func TestHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, args := range map[string][]string{
		"parley":         nil,
		"serve":          {"serve", "--help"},
		"config-check":   {"config", "check", "--help"},
		"account":        {"account", "--help"},
		"account-create": {"account", "create", "--help"},
		"account-keys":   {"account", "keys", "--help"},
		"webhook":        {"webhook", "--help"},
		"backup":         {"backup", "--help"},
		"restore":        {"restore", "--help"},
		"key":            {"key", "--help"},
		"key-new":        {"key", "new", "--help"},
		"key-sign":       {"key", "sign", "--help"},
		"key-verify":     {"key", "verify", "--help"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := w.must(t, args...)
			file := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("help (-want +got); go test -update writes it anew:\n%s", diff)
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := filepath.Join(t.TempDir(), "bad.toml")
	if err := os.WriteFile(bad, []byte("listn = ':80'"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, 0, ""},
		{[]string{"--help"}, 0, ""},
		{[]string{"account", "create", "--help"}, 0, ""}, // though it lacks what it needs
		{[]string{"dance"}, 2, "parley --help"},
		{[]string{"serve", "--listn", ":80"}, 2, `did you mean "--listen"`},
		{[]string{"serve", "--listen", "80"}, 2, "--listen"},
		{[]string{"account", "create", "ada"}, 2, "--address"},
		{[]string{"account", "create", "ada", "--password", "x"}, 2, "unknown flag --password"},
		{[]string{"account", "guard", "ada", "maybe"}, 2, `"on","off"`},
		{[]string{"account", "create", "ada", "--address", "a@b.c", "--stdin", "--generate-password"}, 2, "--stdin"},
		{[]string{"account", "list"}, 1, "--data"},
		{[]string{"account", "create", "ada", "--address", "a@b.c"}, 1, "--generate-password"},
		{[]string{"serve", "--config", bad}, 1, "listn is no option"},
		{[]string{"config", "check", "--config", bad}, 1, "listn is no option"},
		{[]string{"restore", "/nowhere/copy.db"}, 1, "no file /nowhere/copy.db"},
	} {
		code, stdout, stderr := w.run(t, tc.args...)
		if code != tc.code || !strings.Contains(stderr, tc.says) {
			t.Errorf("parley %s = %d %q, want %d with %q", strings.Join(tc.args, " "), code, stderr, tc.code, tc.says)
		}
		if (tc.code == 0) != (stderr == "") || (tc.code != 0) != (stdout == "") {
			t.Errorf("parley %s: stdout %q, stderr %q, want errors on stderr alone", strings.Join(tc.args, " "), stdout, stderr)
		}
		if tc.code != 0 && (strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "parley: ")) {
			t.Errorf("parley %s: stderr %q, want one line", strings.Join(tc.args, " "), stderr)
		}
	}
	if _, err := os.Stat(w.data()); err == nil {
		t.Error("commands that failed made the data folder")
	}
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["PARLEY_DATABASE"] = "postgres://parley:hunter2@db/parley"
	type report struct {
		Valid    bool
		Settings []struct{ Name, Value, Source string }
	}
	r := decoded[report](t, w, "config", "check", "--limits", "off")
	got := make(map[string]string)
	for _, s := range r.Settings {
		got[s.Name] = s.Value + " " + s.Source
	}
	if !r.Valid || got["limits"] != "off flag" || got["database"] != "postgres://parley:xxxxx@db/parley environment" || got["listen"] != ":8080 default" {
		t.Errorf("report = %+v", r)
	}
	if text := w.must(t, "config", "check"); strings.Contains(text, "hunter2") || !strings.Contains(text, "is valid") {
		t.Errorf("config check printed %s", text)
	}
	if _, err := os.Stat(w.data()); err == nil {
		t.Error("config check made the data folder")
	}
}

// What an operator does must hold on the next request.
func TestCommandsBesideAServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url, stop := w.serve(t)
	ada := w.create(t, "ada", "--kind", "agent", "--key", "laptop")
	status := func() int { return get(t, url+"/api/servers", ada.Key.Token) }
	if got := status(); got != 200 {
		t.Fatalf("a new account's request = %d, want 200", got)
	}
	for _, step := range []struct {
		args []string
		want int
	}{
		{[]string{"account", "suspend", "ada"}, 403},
		{[]string{"account", "reinstate", "ada@example.org"}, 200},
		{[]string{"account", "guard", "ada", "on"}, 200},
		{[]string{"account", "keys", "revoke", "ada", ada.Key.ID}, 401},
	} {
		w.must(t, step.args...)
		if got := status(); got != step.want {
			t.Errorf("the request after parley %s = %d, want %d", strings.Join(step.args, " "), got, step.want)
		}
	}
	if code, _, stderr := w.run(t, "serve"); code != 1 || !strings.Contains(stderr, "in use by parley serve, process ") {
		t.Errorf("a second server = %d %q, want 1 and who has the folder", code, stderr)
	}
	if code, _, stderr := w.run(t, "restore", os.Args[0]); code != 1 || !strings.Contains(stderr, "in use by parley serve") {
		t.Errorf("restore beside a server = %d %q, want 1 and who has the folder", code, stderr)
	}
	if code := stop(); code != 0 {
		t.Errorf("parley serve = %d, want 0", code)
	}
}

func TestCommandsWithoutAServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _, stderr := w.run(t, "account", "create", "ada", "--address", "ada@example.org", "--generate-password")
	if code != 0 || !strings.Contains(stderr, w.data()) {
		t.Fatalf("create = %d %q, want 0 and a word about the new folder", code, stderr)
	}
	key := decoded[struct{ ID, Token, Name string }](t, w, "account", "keys", "create", "ada", "--name", "CI")
	if a := decoded[account](t, w, "account", "suspend", "ADA"); a.State != "suspended" {
		t.Errorf("suspended account = %+v", a)
	}
	list := decoded[struct{ Accounts []account }](t, w, "account", "list")
	if len(list.Accounts) != 1 || list.Accounts[0].Username != "ada" {
		t.Errorf("list = %+v", list)
	}
	keys := decoded[struct{ Keys []struct{ ID, Name string } }](t, w, "account", "keys", "list", "ada")
	if len(keys.Keys) != 1 || keys.Keys[0].ID != key.ID || keys.Keys[0].Name != "CI" {
		t.Errorf("keys = %+v", keys)
	}
	for _, tc := range [][]string{
		{"account", "list"}, {"account", "show", "ada"}, {"account", "keys", "list", "ada"},
	} {
		if text := w.must(t, tc...); strings.Contains(text, key.Token) || !strings.Contains(text, key.ID) && !strings.Contains(text, "suspended") {
			t.Errorf("parley %s printed %s", strings.Join(tc, " "), text)
		}
	}
	if code, _, stderr := w.run(t, "account", "delete", "ada"); code != 1 || !strings.Contains(stderr, "--yes") {
		t.Errorf("delete without a terminal = %d %q, want 1 and a word about --yes", code, stderr)
	}
	w.must(t, "account", "delete", "ada", "--yes")
	if code, _, stderr := w.run(t, "account", "show", "ada"); code != 1 || !strings.Contains(stderr, "account list") {
		t.Errorf("show a removed account = %d %q, want 1 and what to do", code, stderr)
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stdin = "correct horse\r\nignored\n"
	w.must(t, "account", "create", "ada", "--address", "ada@example.org", "--stdin")
	url, _ := w.serve(t)
	login := func(password string) int {
		body, err := json.Marshal(map[string]string{"email": "ada@example.org", "password": password})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/auth/login", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		return a.StatusCode
	}
	if got := login("correct horse"); got != 200 {
		t.Errorf("login with the password from --stdin = %d, want 200", got)
	}
	w.stdin = "battery staple"
	w.must(t, "account", "set-password", "ada", "--stdin")
	if old, now := login("correct horse"), login("battery staple"); old != 401 || now != 200 {
		t.Errorf("login with the old password = %d, with the new = %d, want 401 and 200", old, now)
	}
	made := decoded[account](t, w, "account", "set-password", "ada", "--generate-password")
	if got := login(made.Password); len(made.Password) < 20 || got != 200 {
		t.Errorf("login with the generated password %q = %d, want 200", made.Password, got)
	}
	if a := decoded[account](t, w, "account", "set-password", "ada", "--stdin"); a.Password != "" {
		t.Error("a password that was given is printed")
	}
	w.stdin = "short"
	if code, _, stderr := w.run(t, "account", "set-password", "ada", "--stdin"); code != 1 || !strings.Contains(stderr, "8 characters") {
		t.Errorf("a short password = %d %q, want 1 and the rule", code, stderr)
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, stop := w.serve(t)
	ada := w.create(t, "ada")
	copied := filepath.Join(t.TempDir(), "copy.db")
	made := decoded[struct {
		File  string
		Bytes int64
	}](t, w, "backup", copied)
	if info, err := os.Stat(copied); err != nil || info.Size() != made.Bytes || made.File != copied {
		t.Errorf("backup = %+v, %v", made, err)
	}
	if code, _, stderr := w.run(t, "backup", copied); code != 1 || !strings.Contains(stderr, "another name") {
		t.Errorf("backup over a file = %d %q, want 1 and what to do", code, stderr)
	}
	stop()
	if code, _, stderr := w.run(t, "restore", copied); code != 1 || !strings.Contains(stderr, "--replace") {
		t.Errorf("restore over a database = %d %q, want 1 and a word about --replace", code, stderr)
	}
	other := newWorld(t)
	if text := other.must(t, "restore", copied); !strings.Contains(text, "parley serve") {
		t.Errorf("restore printed %q, want how to go on", text)
	}
	if a := decoded[account](t, other, "account", "show", "ada"); a.ID != ada.ID {
		t.Errorf("restored account = %+v, want id %s", a, ada.ID)
	}
}

// Whoever registers chooses names that an operator's terminal shows.
func TestNamesCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url, _ := w.serve(t)
	ada := w.create(t, "ada", "--key", "\x1b[2Jkey")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url+"/api/users/me",
		strings.NewReader(`{"display_name":"\u001b[2J\u202eevil"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+ada.Key.Token)
	a, err := http.DefaultClient.Do(r)
	if err != nil || a.StatusCode != http.StatusOK {
		t.Fatalf("set the display name = %v, %v", a, err)
	}
	a.Body.Close()
	for _, args := range [][]string{{"account", "show", "ada"}, {"account", "keys", "list", "ada"}} {
		if text := w.must(t, args...); strings.ContainsAny(text, "\x1b\u202e") || !strings.Contains(text, "[2J") {
			t.Errorf("parley %s printed %q, want control characters replaced", strings.Join(args, " "), text)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := decoded[struct{ Version, Go, Platform string }](t, w, "version")
	if v.Version == "" || !strings.HasPrefix(v.Go, "go1.") || v.Platform == "" {
		t.Errorf("version = %+v", v)
	}
	if text := w.must(t, "version"); !strings.HasPrefix(text, "parley "+v.Version) {
		t.Errorf("version printed %q", text)
	}
}

func TestServeStopsInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, stop := w.serve(t)
	began := time.Now()
	if code, took := stop(), time.Since(began); code != 0 || took > 10*time.Second {
		t.Errorf("parley serve = %d after %v, want 0 within 10s", code, took)
	}
}
