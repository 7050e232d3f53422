package admin_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/admin"
	"parley/internal/bus/inproc"
	"parley/internal/core"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// newHandler serves an operator of an empty server.
func newHandler(t *testing.T) http.Handler {
	t.Helper()
	handler, _ := newServer(t)
	return handler
}

// newServer is newHandler, with the store behind it.
func newServer(t *testing.T) (http.Handler, store.Store) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "parley.db"), Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	b := inproc.New(inproc.Options{})
	c, err := core.New(core.Config{Store: s, Bus: b, Hasher: secret.NewTestHasher(2), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		if err := errors.Join(b.Close(), s.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	codec, err := id.NewCodec([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	return admin.Handler(admin.Config{Core: c, Codec: codec, Log: log}), s
}

func TestListGoesOnBeyondAPage(t *testing.T) {
	t.Parallel()
	c := admin.NewClient(admin.Local(newHandler(t)))
	const n = 501 // a full page and one more
	for i := range n {
		_, err := c.CreateAccount(t.Context(), admin.NewAccount{
			Kind: "human", Username: fmt.Sprintf("user%04d", i), Address: fmt.Sprintf("user%d@example.org", i), Password: "correct horse",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	err := c.Accounts(t.Context(), func(a admin.Account) error {
		if want := fmt.Sprintf("user%04d", seen); a.Username != want {
			t.Errorf("account %d = %s, want %s", seen, a.Username, want)
		}
		seen++
		return nil
	})
	if err != nil || seen != n {
		t.Errorf("saw %d accounts, %v, want %d", seen, err, n)
	}
	enough := errors.New("enough")
	if err := c.Accounts(t.Context(), func(admin.Account) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error = %v, want the caller's own", err)
	}
}

func TestRequestsThatNoClientMakes(t *testing.T) {
	t.Parallel()
	transport := admin.Local(newHandler(t))
	for _, tc := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/nothing", "", 404, "route_unknown"},
		{"PUT", "/accounts", "{}", 404, "route_unknown"},
		{"POST", "/accounts", "{", 400, "body_invalid"},
		{"POST", "/accounts", `{"kind":"` + strings.Repeat("x", 70_000) + `"}`, 400, "body_too_large"},
		{"GET", "/accounts?after=ada", "", 404, "account_unknown"},
		{"GET", "/webhooks?account=nobody", "", 404, "account_unknown"},
		{"DELETE", "/webhooks/ada", "", 404, "hook_unknown"},
		{"POST", "/dead-letters/ada/redrive", "", 404, "delivery_unknown"},
		{"POST", "/backup", `{"path":"/tmp/x"}`, 409, "backup_elsewhere"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tc.method, "http://parley"+tc.path, strings.NewReader(tc.body))
		if err != nil {
			t.Fatal(err)
		}
		a, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(a.Body)
		if err := errors.Join(err, a.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if a.StatusCode != tc.status || !strings.Contains(string(body), `"code":"`+tc.code+`"`) {
			t.Errorf("%s %s = %d %s, want %d with %s", tc.method, tc.path, a.StatusCode, body, tc.status, tc.code)
		}
	}
}

func TestDialNobody(t *testing.T) {
	t.Parallel()
	if _, err := admin.Dial(t.Context(), filepath.Join(t.TempDir(), "admin.sock")); !errors.Is(err, admin.ErrNoServer) {
		t.Errorf("Dial = %v, want ErrNoServer", err)
	}
}
