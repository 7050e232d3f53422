// Package crash_test kills the real binary, as kill -9 does, again and again while
// it stores messages. Whatever it has answered with 201 has to be there afterwards:
// once, in order, and numbered without a gap. There are two scenes: members of a
// server, over /api, and agents who also sync, acknowledge and listen, over /v1.
//
// PARLEY_CRASH_SEED repeats a run, as far as the scheduler lets it.
package crash_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
	"parley/internal/testpg"
	"parley/test/agent"
	"parley/test/program"
)

const (
	binary    = "PARLEY" // environment variable with the path of the binary under test
	seed      = "PARLEY_CRASH_SEED"
	exitLimit = 10 * time.Second
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in the folder for temporary files
	path, err := program.Build(context.Background(), folder)
	if err == nil {
		err = os.Setenv(binary, path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// pace is how often a server is killed, each time after it has answered up to so many
// messages.
type pace struct{ kills, answers int }

// scene is what goes on while a server is killed, and what has to hold afterwards.
type scene interface {
	// writeUntil lets everybody act until the server has answered so many sends,
	// then calls then, which may kill the server, and returns when all is quiet.
	writeUntil(t *testing.T, answers int, then func())
	// move turns to the server that was started now.
	move(t *testing.T, url string)
	// check looks at everything over the wire.
	check(t *testing.T, when string)
	// finish has everybody fetch what is left; it comes before the last check.
	finish(t *testing.T)
	// checkStore looks at what the wire does not show.
	checkStore(t *testing.T, s store.Store) error
	// result sums up.
	result() string
}

func TestKillOnSQLite(t *testing.T) {
	t.Parallel()
	crash(t, pace{20, 200}, onSQLite(t), members)
}

func TestKillOnPostgres(t *testing.T) {
	t.Parallel()
	crash(t, pace{5, 200}, onPostgres(t), members)
}

func TestKillUnderAgentsOnSQLite(t *testing.T) {
	t.Parallel()
	crash(t, pace{15, 100}, onSQLite(t), agents)
}

func TestKillUnderAgentsOnPostgres(t *testing.T) {
	t.Parallel()
	crash(t, pace{5, 100}, onPostgres(t), agents)
}

// engine says where a server keeps its data, and how to look at them without it.
type engine struct {
	flags []string
	open  func(context.Context) (store.Store, error)
}

func onSQLite(t *testing.T) engine {
	t.Helper()
	data := t.TempDir()
	return engine{[]string{"--data", data}, func(ctx context.Context) (store.Store, error) {
		return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(data, "parley.db")})
	}}
}

func onPostgres(t *testing.T) engine {
	t.Helper()
	database := testpg.New(t)
	return engine{[]string{"--data", t.TempDir(), "--database", database}, func(ctx context.Context) (store.Store, error) {
		return postgres.Open(ctx, postgres.Options{DSN: database})
	}}
}

// crash kills the server a number of times under load, and looks at what is left
// each time; at the end it opens the database itself.
func crash(t *testing.T, p pace, e engine, begin func(t *testing.T, url string, random *rand.Rand) scene) {
	t.Helper()
	flags := append(slices.Clone(e.flags), "--listen", "127.0.0.1:0", "--limits", "off", "--insecure-code", agent.Code)
	random := newRandom(t)
	srv := start(t, flags)
	s := begin(t, srv.URL, random)
	for kill := range p.kills {
		answers := random.IntN(p.answers)
		s.writeUntil(t, answers, func() {
			if err := srv.Kill(); err != nil {
				t.Error(err)
			}
		})
		if t.Failed() {
			return
		}
		srv = start(t, flags)
		s.move(t, srv.URL)
		s.check(t, fmt.Sprintf("after kill %d", kill+1))
	}
	// One more round without a kill: the server is as good as new.
	s.writeUntil(t, p.answers, func() {})
	s.finish(t)
	s.check(t, "at the end")
	if err := srv.Stop(exitLimit); err != nil {
		t.Fatal(err)
	}
	opened, err := e.open(t.Context())
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	err = errors.Join(s.checkStore(t, opened), opened.Close())
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.result())
}

func start(t *testing.T, flags []string) *program.Server {
	t.Helper()
	srv, err := program.Start(t.Context(), os.Getenv(binary), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if !srv.Ended() {
			_ = srv.Kill() // the test has failed before
		}
	})
	return srv
}

// newRandom says with which seed a run can be repeated.
func newRandom(t *testing.T) *rand.Rand {
	t.Helper()
	n := rand.Uint64()
	if text := os.Getenv(seed); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("%s: %v", seed, err)
		}
	}
	t.Logf("%s=%d repeats this run", seed, n)
	return rand.New(rand.NewPCG(n, 0))
}
