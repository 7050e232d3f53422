package testpg

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFindPrograms(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	install := func(version string) string {
		folder := filepath.Join(root, version, "bin")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, program := range []string{"initdb", "pg_ctl"} {
			if err := os.WriteFile(filepath.Join(folder, program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	nine, fifteen := install("9"), install("15")
	empty, debian := t.TempDir(), filepath.Join(root, "*", "bin")

	for _, test := range []struct{ name, path, pattern, want string }{
		{"the newest version", empty, debian, fifteen},
		{"the one in PATH before any other", empty + ":" + nine, debian, nine},
		{"only in PATH", nine, filepath.Join(empty, "*"), nine},
	} {
		if got, err := findPrograms(test.path, test.pattern); got != test.want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", test.name, got, err, test.want)
		}
	}

	got, err := findPrograms(empty, filepath.Join(empty, "*"))
	if err == nil || !strings.Contains(err.Error(), "apt-get install postgresql") {
		t.Errorf("without PostgreSQL: got %q, %v, want an error that says what to install", got, err)
	}
}

// An owner that was killed while the server came up left the server running in a
// folder that was gone.
func TestKeeperCleansUpWhenTheOwnerDiesEarly(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"", "performing post-bootstrap", "Success.", "waiting for server"} {
		t.Run("dies after "+stage, func(t *testing.T) {
			t.Parallel()
			keeper, folder, err := prepare()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(folder) })
			output, report, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			keeper.Stdout, keeper.Stderr = report, report // its input ends at once
			if err := keeper.Start(); err != nil {
				t.Fatal(err)
			}
			report.Close()
			readUntil(t, output, stage)
			output.Close()

			_ = keeper.Wait() // how it ends is no matter, only what it leaves
			if _, err := os.Stat(folder); !os.IsNotExist(err) {
				t.Errorf("folder of the cluster: got %v, want that it does not exist", err)
			}
			waitForNoServer(t, folder)
		})
	}
}

// readUntil reads a byte at a time, to stop the moment the words are there.
func readUntil(t *testing.T, output io.Reader, words string) {
	t.Helper()
	var said []byte
	for one := make([]byte, 1); !bytes.Contains(said, []byte(words)); {
		if _, err := output.Read(one); err != nil {
			t.Fatalf("the keeper said %q, want %q in it", said, words)
		}
		said = append(said, one...)
	}
}

// waitForNoServer polls, because a server takes its pid file away a moment before
// it ends.
func waitForNoServer(t *testing.T, folder string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		running := servers(t, folder)
		if len(running) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("servers in a folder that is gone: got processes %q, want none", running)
		}
	}
}

// servers lists the processes whose command line names the folder, where the
// system shows them.
func servers(t *testing.T, folder string) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range lines {
		// A process that has ended meanwhile has no command line.
		if line, err := os.ReadFile(name); err == nil && bytes.Contains(line, []byte(folder)) {
			found = append(found, string(line))
		}
	}
	return found
}
