package testpg_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/testpg"
)

// ownerMode makes this test binary the owner of a cluster instead of running
// its tests: it says the address and waits for its input to end.
const ownerMode = "PARLEY_TEST_CLUSTER_OWNER"

func TestMain(m *testing.M) {
	if os.Getenv(ownerMode) == "" {
		os.Exit(m.Run())
	}
	cluster, err := testpg.Start()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(cluster.DSN())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := cluster.Stop(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	one, other := connect(t, testpg.New(t)), connect(t, testpg.New(t))
	if _, err := one.Exec(t.Context(), "CREATE TABLE notes (body text)"); err != nil {
		t.Fatal(err)
	}
	if got := count(t, other, "SELECT count(*) FROM pg_tables WHERE tablename = 'notes'"); got != 0 {
		t.Errorf("tables of the first test in the database of the second: got %d, want 0", got)
	}
}

func TestDatabaseGoesWithItsTestEvenWhenInUse(t *testing.T) {
	t.Parallel()
	watcher := connect(t, testpg.New(t))
	var name string
	t.Run("the test", func(t *testing.T) {
		dsn := testpg.New(t)
		name = strings.TrimPrefix(parse(t, dsn).Path, "/")
		left, err := pgx.Connect(t.Context(), dsn)
		if err != nil {
			t.Fatalf("connect: %v", err)
		}
		if err := left.Ping(t.Context()); err != nil {
			t.Fatalf("ping: %v", err)
		}
		if got := count(t, watcher, "SELECT count(*) FROM pg_database WHERE datname = $1", name); got != 1 {
			t.Errorf("databases called %s while the test runs: got %d, want 1", name, got)
		}
	})
	if got := count(t, watcher, "SELECT count(*) FROM pg_database WHERE datname = $1", name); got != 0 {
		t.Errorf("databases called %s after the test: got %d, want 0", name, got)
	}
}

func TestTextSortsByLanguage(t *testing.T) {
	t.Parallel()
	conn := connect(t, testpg.New(t))
	if got := count(t, conn, "SELECT count(*) WHERE 'a' < 'B'"); got != 1 {
		t.Errorf("a before B: got %d, want 1; with the order of bytes a forgotten COLLATE goes unseen", got)
	}
}

func TestClusterGoesWithItsOwner(t *testing.T) {
	t.Parallel()
	// Two owners at once: their clusters have nothing in common.
	killed, stopped := startOwner(t), startOwner(t)
	if killed.folder == stopped.folder {
		t.Fatalf("both clusters are in %s, want a folder each", killed.folder)
	}

	if err := killed.process.Process.Kill(); err != nil {
		t.Fatalf("kill the first owner: %v", err)
	}
	_ = killed.process.Wait() // says that it was killed
	waitUntilGone(t, killed.folder)

	if got := count(t, connect(t, stopped.dsn), "SELECT 1"); got != 1 {
		t.Errorf("answer of the other cluster: got %d, want 1", got)
	}
	if err := stopped.input.Close(); err != nil {
		t.Fatalf("end the second owner's input: %v", err)
	}
	if err := stopped.process.Wait(); err != nil {
		t.Errorf("the owner that stopped its cluster: got %v, want success", err)
	}
	if _, err := os.Stat(stopped.folder); !os.IsNotExist(err) {
		t.Errorf("folder of a stopped cluster: got %v, want that it does not exist", err)
	}
}

// owner is another process with a cluster.
type owner struct {
	process     *exec.Cmd
	input       io.Closer
	dsn, folder string
}

func startOwner(t *testing.T) owner {
	t.Helper()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), ownerMode+"=1")
	input, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatalf("start an owner: %v", err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("read the owner's answer %q: %v", line, err)
	}
	dsn := strings.TrimSpace(line)
	folder := parse(t, dsn).Query().Get("host")
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("folder of the running cluster %q: %v", dsn, err)
	}
	return owner{process: process, input: input, dsn: dsn, folder: folder}
}

// waitUntilGone polls, because the keeper works in a session that nobody can
// wait for once its parent is dead.
func waitUntilGone(t *testing.T, folder string) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(folder); os.IsNotExist(err) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is still there a minute after its owner was killed", folder)
		}
	}
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("connect to %s: %v", dsn, err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn, query string, arguments ...any) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), query, arguments...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

func parse(t *testing.T, dsn string) *url.URL {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatalf("address of a database: %v", err)
	}
	return address
}
