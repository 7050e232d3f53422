// Package sdk_test runs the official AgentChat SDK against the real binary: every
// public method of its client and of its realtime client. The tests proper are
// the .test.mjs files beside this one; here servers are started for them, and
// stopped and killed when they ask for it.
package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/testpg"
	"parley/test/program"
)

const (
	binary    = "PARLEY" // environment variable with the path of the binary under test
	exitLimit = 20 * time.Second
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-sdk-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in the folder for temporary files
	path, err := program.Build(context.Background(), folder)
	if err == nil {
		err = errors.Join(os.Setenv(binary, path), install())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// install fetches the pinned SDK unless what is there is as new as the pins.
func install() error {
	lock, err := os.Stat("package-lock.json")
	if err != nil {
		return fmt.Errorf("look for the pins: %w", err)
	}
	done, err := os.Stat("node_modules/.package-lock.json")
	switch {
	case err == nil && !done.ModTime().Before(lock.ModTime()):
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for the SDK: %w", err)
	}
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	if output, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("install the SDK with npm: %w\n%s", err, output)
	}
	now := time.Now() // npm may keep the time of the archive
	return os.Chtimes("node_modules/.package-lock.json", now, now)
}

func TestSDK(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.test.mjs")
	if err != nil || len(files) < 2 {
		t.Fatalf("found the tests %v, %v", files, err)
	}
	called := filepath.Join(t.TempDir(), "called")
	t.Run("engines", func(t *testing.T) {
		for _, engine := range []string{"sqlite", "postgres"} {
			t.Run(engine, func(t *testing.T) {
				t.Parallel()
				var together []string
				for _, file := range files {
					if file != "restart.test.mjs" {
						together = append(together, file)
					}
				}
				limited := serve(t, engine, "--limits", "on")
				t.Run("together", func(t *testing.T) {
					t.Parallel()
					node(t, serve(t, engine, "--limits", "off"), limited, called, together...)
				})
				t.Run("restart", func(t *testing.T) {
					t.Parallel()
					node(t, serve(t, engine, "--limits", "off"), limited, called, "restart.test.mjs")
				})
			})
		}
	})
	if t.Failed() {
		return
	}
	output, err := exec.CommandContext(t.Context(), "node", "uncalled.mjs", called).CombinedOutput()
	if err != nil {
		t.Fatalf("list what was not called: %v\n%s", err, output)
	}
	if len(output) > 0 {
		t.Errorf("public methods of the SDK that no test calls:\n%s", output)
	}
}

// server is a binary that runs, and what a test may have done to it.
type server struct {
	data  string
	flags []string

	mu      sync.Mutex
	running *program.Server
}

// serve starts a server on an empty folder, on a port of its own that it keeps
// over restarts.
func serve(t *testing.T, engine string, flags ...string) *server {
	t.Helper()
	s := &server{data: filepath.Join(t.TempDir(), "data")}
	s.flags = append([]string{
		"--data", s.data, "--listen", freeAddress(t), "--outgoing-allow", "127.0.0.0/8", "--shutdown-timeout", exitLimit.String(),
	}, flags...)
	if engine == "postgres" {
		s.flags = append(s.flags, "--database", testpg.New(t))
	}
	if err := s.start(context.WithoutCancel(t.Context())); err != nil { // Cleanup ends it, and comes after the context's end
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// freeAddress finds a port that nobody has just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	socket, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := socket.Addr().String()
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

func (s *server) start(ctx context.Context) error {
	running, err := program.Start(ctx, os.Getenv(binary), s.flags...)
	if err != nil {
		return err
	}
	s.running = running
	return nil
}

func (s *server) stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running.Stop(exitLimit)
}

// again ends the server one way or the other and starts it anew.
func (s *server) again(ctx context.Context, end func(*program.Server) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := end(s.running); err != nil {
		return err
	}
	return s.start(ctx)
}

// control lets tests do to the server what its operator can.
func (s *server) control(t *testing.T) *httptest.Server {
	t.Helper()
	answer := func(act func(r *http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := act(r); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	}
	ctx := context.WithoutCancel(t.Context()) // what it starts is ended by Cleanup
	mux := http.NewServeMux()
	mux.Handle("POST /restart", answer(func(*http.Request) error {
		return s.again(ctx, func(p *program.Server) error { return p.Stop(exitLimit) })
	}))
	mux.Handle("POST /crash", answer(func(*http.Request) error { return s.again(ctx, (*program.Server).Kill) }))
	mux.Handle("POST /suspend", answer(func(r *http.Request) error {
		command := exec.CommandContext(r.Context(), os.Getenv(binary), "account", "suspend", r.FormValue("handle"), "--data", s.data)
		output, err := command.CombinedOutput()
		if err != nil {
			return fmt.Errorf("suspend: %w\n%s", err, output)
		}
		return nil
	}))
	c := httptest.NewServer(mux)
	t.Cleanup(c.Close)
	return c
}

// node runs test files.
func node(t *testing.T, s, limited *server, called string, files ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "node", append([]string{"--test"}, files...)...)
	command.Env = append(os.Environ(),
		"PARLEY_URL="+s.running.URL, "PARLEY_OUTBOX="+filepath.Join(s.data, "outbox"), "PARLEY_CONTROL="+s.control(t).URL,
		"PARLEY_LIMITED_URL="+limited.running.URL, "PARLEY_LIMITED_OUTBOX="+filepath.Join(limited.data, "outbox"),
		"PARLEY_CALLED="+called)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = 5 * time.Second
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s\nthe server printed:\n%s", strings.Join(files, " "), err, output, s.running.Output())
	}
}
