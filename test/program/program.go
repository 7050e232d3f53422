// Package program builds the parley binary and runs servers from it, for the tests
// that see what users see. Whoever starts a server ends it, with Stop or Kill;
// a server never outlives the test binary for longer than its context.
package program

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// readyTimeout bounds the time from the start of a server until it listens. It
// takes a fraction of a second; the bound is for a machine that runs everything
// at once.
const readyTimeout = time.Minute

// Build builds the binary with the race detector and returns its path, a file in
// folder.
func Build(ctx context.Context, folder string) (string, error) {
	return build(ctx, folder, "-race", uncheckedSQLite)
}

// uncheckedSQLite leaves out the checks of pointers that the detector adds to SQLite,
// which was C: they are a third of its time. The Makefile tests with the same flags.
const uncheckedSQLite = "-gcflags=modernc.org/sqlite/...=-d=checkptr=0"

// BuildPlain builds the binary as its users have it, for tests of how much it can
// take: the race detector costs ten times the time and memory.
func BuildPlain(ctx context.Context, folder string) (string, error) { return build(ctx, folder) }

func build(ctx context.Context, folder string, flags ...string) (string, error) {
	path := folder + "/parley"
	arguments := append([]string{"build", "-o", path}, flags...)
	build := exec.CommandContext(ctx, "go", append(arguments, "parley/cmd/parley")...)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, output)
	}
	return path, nil
}

// Server is a running `parley serve`.
type Server struct {
	URL string // where it listens, without a slash at the end

	command *exec.Cmd
	output  *output
	ended   chan struct{}
	err     error // how the process ended; to be read after ended
}

// listening finds the address in what serve prints when it is ready.
var listening = regexp.MustCompile(`listening on (http://\S+)`)

// Start runs `path serve` with the arguments and waits until it listens. The
// arguments should make it listen on a free port of 127.0.0.1. When ctx ends, the
// process is killed.
func Start(ctx context.Context, path string, arguments ...string) (*Server, error) {
	s := &Server{output: newOutput(), ended: make(chan struct{})}
	s.command = exec.CommandContext(ctx, path, append([]string{"serve"}, arguments...)...)
	s.command.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	s.command.Stdout, s.command.Stderr = s.output, s.output
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	go func() {
		s.err = s.command.Wait()
		close(s.ended)
	}()
	ready := time.NewTimer(readyTimeout)
	defer ready.Stop()
	for {
		changed := s.output.changed()
		if found := listening.FindStringSubmatch(s.output.String()); found != nil {
			s.URL = found[1]
			return s, nil
		}
		select {
		case <-changed:
		case <-s.ended:
			return nil, fmt.Errorf("the server ended instead of listening: %w\n%s", s.err, s.output)
		case <-ready.C:
			err := fmt.Errorf("the server does not listen after %v\n%s", readyTimeout, s.output)
			return nil, errors.Join(err, s.Kill())
		}
	}
}

// Terminate asks the server to end, as init systems do.
func (s *Server) Terminate() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("terminate the server: %w", err)
	}
	return nil
}

// Wait waits until the server has ended by itself. It fails if that takes longer
// than limit, or if the server does not exit with 0.
func (s *Server) Wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
		_ = s.command.Process.Signal(syscall.SIGQUIT) // it writes its goroutines to the output
		<-s.ended
		return fmt.Errorf("the server still runs after %v\n%s", limit, s.output)
	}
	if s.err != nil {
		return fmt.Errorf("the server ended badly: %w\n%s", s.err, s.output)
	}
	return nil
}

// Stop terminates the server and waits for it.
func (s *Server) Stop(limit time.Duration) error {
	if err := s.Terminate(); err != nil {
		return err
	}
	return s.Wait(limit)
}

// Kill ends the server as kill -9 does, and waits until it is gone. It returns an
// error if the server had ended before by itself, which nobody asked it to.
func (s *Server) Kill() error {
	select {
	case <-s.ended:
		return fmt.Errorf("the server had ended before it was killed: %w\n%s", s.err, s.output)
	default:
	}
	err := s.command.Process.Kill()
	<-s.ended
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the server: %w", err)
	}
	return nil
}

// Ended tells whether the process is gone.
func (s *Server) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// PID is the number of the process, also after its end.
func (s *Server) PID() int { return s.command.Process.Pid }

// Output returns what the server has printed so far, both streams.
func (s *Server) Output() string { return s.output.String() }
