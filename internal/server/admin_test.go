package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/admin"
	"parley/internal/config"
	"parley/internal/server"
	"parley/internal/store"
)

// open opens the data of a folder as a command does when no server runs.
func open(t *testing.T, cfg config.Config, create bool) (*admin.Client, func()) {
	t.Helper()
	b, err := server.OpenBackend(t.Context(), server.BackendConfig{
		Place: cfg.Place, Log: slog.New(slog.DiscardHandler), Purpose: "test", Create: create,
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	end := func() {
		if closed {
			return
		}
		closed = true
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	t.Cleanup(end)
	return admin.NewClient(admin.Local(b.Admin())), end
}

func ada() admin.NewAccount {
	return admin.NewAccount{Kind: "agent", Username: "Ada", Address: "ada@example.org", Password: "correct horse"}
}

func code(err error) string {
	var e *admin.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Caches in front of the store must follow what the operator does.
func TestCommandsActOnTheNextRequest(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	s := start(t, cfg)
	c := dial(t, cfg)
	if _, err := c.CreateAccount(t.Context(), ada()); err != nil {
		t.Fatal(err)
	}
	key, err := c.CreateKey(t.Context(), "ada", "laptop")
	if err != nil {
		t.Fatal(err)
	}
	status := func() int {
		return request(t, "GET", s.URL()+"/api/servers", "Authorization", "Bearer "+key.Token).status
	}
	for _, step := range []struct {
		name string
		do   func() error
		want int
	}{
		{"nothing", func() error { return nil }, 200},
		{"suspend", func() error { _, err := c.Suspend(t.Context(), "ada"); return err }, 403},
		{"reinstate", func() error { _, err := c.Reinstate(t.Context(), "ada"); return err }, 200},
		{"revoke", func() error { return c.RevokeKey(t.Context(), "ada", key.ID) }, 401},
	} {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := status(); got != step.want {
			t.Errorf("the request after %s = %d, want %d", step.name, got, step.want)
		}
	}
}

// The same handler with and without a server.
func TestOperatorCommands(t *testing.T) {
	t.Parallel()
	for name, connect := range map[string]func(*testing.T, config.Config) *admin.Client{
		"through the socket": func(t *testing.T, cfg config.Config) *admin.Client { start(t, cfg); return dial(t, cfg) },
		"in one's own process": func(t *testing.T, cfg config.Config) *admin.Client {
			c, _ := open(t, cfg, true)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, ctx := connect(t, testConfig(t)), t.Context()
			made, err := c.CreateAccount(ctx, ada())
			if err != nil {
				t.Fatal(err)
			}
			if made.Username != "Ada" || made.Handle != "ada" || made.Kind != "agent" || made.State != "active" || made.Guarded {
				t.Errorf("account = %+v", made)
			}
			for _, who := range []string{made.ID, strings.ToUpper(made.ID), "ADA", "@ada", "Ada@Example.org"} {
				if a, err := c.Account(ctx, who); err != nil || a.ID != made.ID {
					t.Errorf("Account(%q) = %+v, %v, want %s", who, a, err, made.ID)
				}
			}
			if a, err := c.SetGuard(ctx, "ada", true); err != nil || !a.Guarded {
				t.Errorf("guard on = %+v, %v", a, err)
			}
			if a, err := c.SetPassword(ctx, "ada", "another horse"); err != nil || a.ID != made.ID {
				t.Errorf("password = %+v, %v", a, err)
			}
			key, err := c.CreateKey(ctx, "ada", "laptop")
			if err != nil || key.Token == "" || !strings.HasPrefix(key.Token, key.Prefix) {
				t.Fatalf("key = %+v, %v", key, err)
			}
			keys, err := c.Keys(ctx, "ada")
			if err != nil || len(keys) != 1 || keys[0].ID != key.ID || keys[0].Name != "laptop" || keys[0].LastUsedAt != nil {
				t.Errorf("keys = %+v, %v", keys, err)
			}
			usage, err := c.Usage(ctx)
			if err != nil || usage.PID != os.Getpid() || usage.UserMicros <= 0 || usage.MaxRSSBytes <= 0 {
				t.Errorf("usage = %+v, %v", usage, err)
			}
			if _, err := c.Remove(ctx, made.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Account(ctx, made.ID); code(err) != "account_unknown" {
				t.Errorf("removed account = %v, want account_unknown", err)
			}
		})
	}
}

func TestOperatorErrors(t *testing.T) {
	t.Parallel()
	c, _ := open(t, testConfig(t), true)
	ctx := t.Context()
	made, err := c.CreateAccount(ctx, ada())
	if err != nil {
		t.Fatal(err)
	}
	with := func(change func(*admin.NewAccount)) func() error {
		return func() error {
			a := ada()
			a.Username, a.Address = "grace", "grace@example.org"
			change(&a)
			_, err := c.CreateAccount(ctx, a)
			return err
		}
	}
	for name, tc := range map[string]struct {
		do   func() error
		want string
	}{
		"username taken":   {with(func(a *admin.NewAccount) { a.Username = "aDA" }), "username_taken"},
		"address taken":    {with(func(a *admin.NewAccount) { a.Address = "ADA@example.org" }), "address_taken"},
		"bad address":      {with(func(a *admin.NewAccount) { a.Address = "grace" }), "address_invalid"},
		"bad username":     {with(func(a *admin.NewAccount) { a.Username = "g" }), "username_invalid"},
		"short password":   {with(func(a *admin.NewAccount) { a.Password = "short" }), "password_short"},
		"unknown kind":     {with(func(a *admin.NewAccount) { a.Kind = "robot" }), "field_invalid"},
		"unknown account":  {func() error { _, err := c.Account(ctx, "nobody"); return err }, "account_unknown"},
		"made-up id":       {func() error { _, err := c.Account(ctx, "11111111-2222-8333-8444-555555555555"); return err }, "account_unknown"},
		"awkward name":     {func() error { _, err := c.Account(ctx, "a/b?c#d e%"); return err }, "account_unknown"},
		"unknown key":      {func() error { return c.RevokeKey(ctx, "ada", "11111111-2222-8333-8444-555555555555") }, "credential_unknown"},
		"id of an account": {func() error { return c.RevokeKey(ctx, "ada", made.ID) }, "credential_unknown"},
		"nameless key":     {func() error { _, err := c.CreateKey(ctx, "ada", " "); return err }, "field_required"},
		"backup over a file": {func() error {
			return c.Backup(ctx, filepath.Join(os.TempDir(), "..", "etc", "passwd"))
		}, "file_exists"},
		"backup to nowhere": {func() error { return c.Backup(ctx, "/nowhere/copy.db") }, "folder_unknown"},
	} {
		err := tc.do()
		if code(err) != tc.want {
			t.Errorf("%s: error %v, want code %s", name, err, tc.want)
			continue
		}
		if text := err.Error(); !strings.HasSuffix(text, ".") || strings.Contains(text, tc.want) {
			t.Errorf("%s: %q, want a sentence and no code", name, text)
		}
	}
}

func TestAPlaceWithoutDataIsNotMadeByAccident(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	for _, prepare := range []func(){func() {}, func() { _ = os.Mkdir(cfg.Data, 0o700) }} {
		prepare()
		_, err := server.OpenBackend(t.Context(), server.BackendConfig{Place: cfg.Place, Log: slog.New(slog.DiscardHandler), Purpose: "test"})
		if err == nil || !strings.Contains(err.Error(), "--data") {
			t.Errorf("open without data = %v, want an error that names --data", err)
		}
		if _, err := os.Stat(filepath.Join(cfg.Data, "parley.db")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a database was made: %v", err)
		}
	}
}

func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	cfg, ctx := testConfig(t), t.Context()
	s := start(t, cfg)
	c := dial(t, cfg)
	before, err := c.CreateAccount(ctx, ada())
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := c.Backup(ctx, copied); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Remove(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Restore(ctx, cfg.Place, copied, true); !errors.Is(err, store.ErrInUse) {
		t.Errorf("restore beside a server = %v, want store.ErrInUse", err)
	}
	if err := s.Stop(context.WithoutCancel(ctx)); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Restore(ctx, cfg.Place, copied, false); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("restore over a database = %v, want fs.ErrExist and a word about --replace", err)
	}
	junk := filepath.Join(t.TempDir(), "junk.db")
	if err := os.WriteFile(junk, []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Restore(ctx, cfg.Place, junk, true); err == nil {
		t.Error("restore of junk succeeded")
	}
	gone, end := open(t, cfg, false)
	if _, err := gone.Account(ctx, "ada"); code(err) != "account_unknown" {
		t.Errorf("a failed restore changed something: %v", err)
	}
	end()

	done, err := server.Restore(ctx, cfg.Place, copied, true)
	if err != nil || done.Aside == "" {
		t.Fatalf("restore = %+v, %v", done, err)
	}
	if _, err := os.Stat(done.Aside); err != nil {
		t.Errorf("the old database: %v", err)
	}
	back, end := open(t, cfg, false)
	defer end()
	if a, err := back.Account(ctx, before.ID); err != nil || a.Username != "Ada" {
		t.Errorf("restored account = %+v, %v, want Ada under the same id", a, err)
	}

	// On a machine that has nothing yet.
	other := testConfig(t)
	if done, err := server.Restore(ctx, other.Place, copied, false); err != nil || done.Aside != "" {
		t.Errorf("restore to an empty place = %+v, %v", done, err)
	}
}

func TestScriptsReadTheseNames(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(struct {
		A admin.Account
		K admin.IssuedKey
		U admin.Usage
	}{})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"A":{"id":"","kind":"","username":"","handle":"","display_name":"","address":"","state":"",` +
		`"disabled":false,"paused":false,"guarded":false,"made_by":"","created_at":"0001-01-01T00:00:00Z"},` +
		`"K":{"id":"","name":"","prefix":"","issuer":"","created_at":"0001-01-01T00:00:00Z","last_used_at":null,"token":""},` +
		`"U":{"pid":0,"user_us":0,"system_us":0,"max_rss_bytes":0}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}
