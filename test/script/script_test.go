// Package script_test runs the scripts in the folders beside it against the built
// binary: they see what users see. world_test.go says which commands the
// scripts have on top of testscript's own.
package script_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/test/program"
)

// binary is the environment variable with the path of the binary under test. It
// is no package variable, and scripts can use it.
const binary = "PARLEY"

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds the binary once for all scripts.
func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "parley-script-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is in the folder for temporary files
	path, err := program.Build(context.Background(), folder)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv(binary, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func TestOpenCord(t *testing.T) {
	t.Parallel()
	scripts(t, "opencord")
}

func TestAIClient(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"node", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("Clients written for aiclient are tried with %s: install it (scripts/need node python3) and run this again.", program)
		}
	}
	scripts(t, "aiclient")
}

func TestKey(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("Key pairs and signatures are tried against openssl: install it (scripts/need openssl) and run this again.")
	}
	scripts(t, "key")
}

func TestReadme(t *testing.T) {
	t.Parallel()
	scripts(t, "readme")
}

func TestParity(t *testing.T) {
	t.Parallel()
	scripts(t, "parity")
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	scripts(t, "attacks")
}

func TestOperations(t *testing.T) {
	t.Parallel()
	scripts(t, "operations")
}

func scripts(t *testing.T, folder string) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("What people paste is tried with curl: install it (apt-get install curl) and run this again.")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 folder,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, binary+"="+os.Getenv(binary))
			w := newWorld(env)
			env.Values[worldKey{}] = w
			env.Defer(w.end)
			return nil
		},
		Condition: func(condition string) (bool, error) {
			return false, fmt.Errorf("unknown condition %q", condition)
		},
		Cmds: commands(),
	})
}
