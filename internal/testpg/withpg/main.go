// Command withpg runs a command with a throw-away PostgreSQL cluster, so that
// all the test processes of one run share it:
//
//	go run ./internal/testpg/withpg go test ./...
//
// The command finds the cluster's address in PARLEY_TEST_POSTGRES. A server that
// the variable already names is used instead, and stays as it is.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"parley/internal/testpg"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withpg COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := run(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run runs the command to its end, with a cluster unless a server is given, and
// returns its exit code. No signal is handled: a cluster ends with this process,
// however that ends.
func run(name string, arguments []string) (code int, err error) {
	command := exec.Command(name, arguments...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getenv(testpg.Env) == "" {
		cluster, startErr := testpg.Start()
		if startErr != nil {
			return 0, startErr
		}
		defer func() { err = errors.Join(err, cluster.Stop()) }()
		command.Env = append(os.Environ(), testpg.Env+"="+cluster.DSN())
	}
	err = command.Run()
	if ended := command.ProcessState; ended != nil && ended.Exited() {
		return ended.ExitCode(), nil
	}
	return 0, err
}
