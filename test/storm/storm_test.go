// Package storm_test opens very many sockets to the real binary at once: when it has
// been killed and comes back, and when it is told to stop.
package storm_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/test/agent"
	"parley/test/program"
)

const (
	binary    = "PARLEY" // environment variable with the path of the binary under test
	exitLimit = 20 * time.Second

	// The storm: every agent has as many sockets, at most.
	crowd          = 100
	socketsOfEach  = 100
	groups         = 4
	groupMembers   = 25  // of crowd: everybody is in one
	groupMessages  = 20  // into each
	friendMessages = 20  // to the next agent
	manyMessages   = 250 // instead, from every tenth: more than a page
	stormLimit     = 5 * time.Minute
	senders        = 32
	filesBesides   = 500 // that client and server may have open beside the sockets
	sources        = 4   // addresses that the sockets come from
	fewest         = 10  // sockets of each agent, to be a storm
	socketsRaced   = 20  // of each, under the race detector
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-storm-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in the folder for temporary files
	path, err := program.BuildPlain(context.Background(), folder)
	if err == nil {
		err = os.Setenv(binary, path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func start(t *testing.T, data, listen string) *program.Server {
	t.Helper()
	srv, err := program.Start(t.Context(), os.Getenv(binary),
		"--data", data, "--listen", listen, "--limits", "off", "--insecure-code", agent.Code)
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

// TestStorm has 10,000 sockets fetch what waits for them. None acknowledges anything,
// so that when the server is killed and comes back they fetch it all again.
func TestStorm(t *testing.T) {
	data := t.TempDir()
	srv := start(t, data, "127.0.0.1:0")
	began := time.Now()
	s := newStorm(t, srv.URL)
	t.Logf("%d agents, for whom %d messages wait, were made in %v", len(s.agents), s.waiting(), time.Since(began))

	ctx, cancel := context.WithTimeout(t.Context(), stormLimit)
	ctx, fail := context.WithCancelCause(ctx)
	t.Cleanup(func() {
		fail(context.Canceled)
		s.running.Wait()
		cancel()
	})
	s.await(ctx, t, srv, s.gather(ctx, fail, socketsThatFit(t)))

	again := s.expect()
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	srv = start(t, data, strings.TrimPrefix(srv.URL, "http://"))
	s.await(ctx, t, srv, again)
	s.sayMore(ctx, t)

	fail(context.Canceled)
	s.running.Wait()
	if err := srv.Stop(exitLimit); err != nil {
		t.Error(err)
	}
}

// socketsThatFit is how many sockets each agent can have on this machine. Client and
// server need a file for each of all, and both are given as many as the hard limit
// allows by the Go runtime.
func socketsThatFit(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	fit, why := (int(min(limit.Cur, 1<<20))-filesBesides)/crowd, fmt.Sprintf("only %d files may be open (ulimit -Hn)", limit.Cur)
	if raced && fit > socketsRaced {
		fit, why = socketsRaced, "the race detector does not take so many goroutines; run this test without -race"
	}
	switch {
	case fit >= socketsOfEach:
		return socketsOfEach
	case fit < fewest:
		t.Fatalf("too few files for a storm, raise the hard limit: %s", why)
	}
	t.Logf("SCALED DOWN to %d sockets instead of %d: %s", fit*crowd, socketsOfEach*crowd, why)
	return fit
}

// peak is the most memory that a server has had so far.
func peak(srv *program.Server) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", srv.PID()))
	if err != nil {
		return "unknown" // not on this system
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(line)
}
