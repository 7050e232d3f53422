// Package crash_test kills the real binary, as kill -9 does, again and again while
// it stores messages. Whatever it has answered with 201 has to be there afterwards:
// once, in order, and numbered without a gap.
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
	"strconv"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/store/postgres"
	"parley/internal/store/sqlite"
	"parley/internal/testpg"
	"parley/test/program"
)

const (
	binary    = "PARLEY" // environment variable with the path of the binary under test
	seed      = "PARLEY_CRASH_SEED"
	exitLimit = 10 * time.Second

	killsSQLite   = 20
	killsPostgres = 5
	// A server is killed after it has answered up to this many messages.
	mostAnswers = 200
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

func TestKillOnSQLite(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	crash(t, killsSQLite, []string{"--data", data}, func(ctx context.Context) (store.Store, error) {
		return sqlite.Open(ctx, sqlite.Options{Path: filepath.Join(data, "parley.db")})
	})
}

func TestKillOnPostgres(t *testing.T) {
	t.Parallel()
	database := testpg.New(t)
	crash(t, killsPostgres, []string{"--data", t.TempDir(), "--database", database}, func(ctx context.Context) (store.Store, error) {
		return postgres.Open(ctx, postgres.Options{DSN: database})
	})
}

// crash kills the server a number of times under load, and looks at what is left
// each time; at the end it opens the database itself.
func crash(t *testing.T, kills int, flags []string, open func(context.Context) (store.Store, error)) {
	t.Helper()
	flags = append(flags, "--listen", "127.0.0.1:0", "--limits", "off")
	random := newRandom(t)
	srv := start(t, flags)
	w := newWorld(t, srv.URL)
	for kill := range kills {
		answers := random.IntN(mostAnswers)
		w.writeUntil(t, answers, func() {
			if err := srv.Kill(); err != nil {
				t.Error(err)
			}
		})
		if t.Failed() {
			return
		}
		srv = start(t, flags)
		w.move(t, srv.URL)
		w.check(t, fmt.Sprintf("after kill %d", kill+1))
	}
	// One more round without a kill: the server is as good as new.
	w.writeUntil(t, mostAnswers, func() {})
	w.check(t, "at the end")
	if err := srv.Stop(exitLimit); err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context())
	if err != nil {
		t.Fatalf("open the database: %v", err)
	}
	err = errors.Join(w.checkStore(t, s), s.Close())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d messages were answered, %d more were stored without an answer, %d lost before they were stored",
		len(w.answered), w.unanswered, len(w.unknown)-w.unanswered)
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
