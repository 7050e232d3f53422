package script_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// readme runs a numbered step of a section of README.md as it is written there, but
// for words that stand for what came back. The variables of the script take the place
// of those that an earlier step sets.
func readme(ts *testscript.TestScript, w *world, args []string) {
	usage(ts, len(args) >= 2, "readme SECTION STEP [OLD=NEW]...")
	step := readStep(ts, args[0], args[1])
	for _, replacement := range args[2:] {
		old, word, ok := strings.Cut(replacement, "=")
		usage(ts, ok, "OLD=NEW")
		if !strings.Contains(step, old) {
			ts.Fatalf("step %s of %q has no %s:\n%s", args[1], args[0], old, step)
		}
		step = strings.ReplaceAll(step, old, word)
	}
	command := exec.CommandContext(w.ctx, "sh", "-e", "-c", step)
	command.Dir = ts.Getenv("WORK")
	command.Env = append(os.Environ(), "CURL_HOME="+command.Dir)
	for _, name := range []string{"URL", "KEY", "OTHER_KEY"} {
		command.Env = append(command.Env, name+"="+ts.Getenv(name))
	}
	output, err := command.Output()
	_, _ = ts.Stdout().Write(output) // it collects
	if err != nil {
		ts.Fatalf("%v\n%s", err, step)
	}
}

// readStep finds a step: from its number to the next blank line.
func readStep(ts *testscript.TestScript, section, number string) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	ts.Check(err)
	_, rest, ok := strings.Cut(string(text), "\n## "+section+"\n")
	if !ok {
		ts.Fatalf("README.md has no section %q", section)
	}
	_, rest, _ = strings.Cut(rest, "\n```sh\n")
	code, _, _ := strings.Cut(rest, "\n```")
	_, rest, ok = strings.Cut(code, "\n# "+number+". ")
	if !ok {
		ts.Fatalf("section %q has no step %s", section, number)
	}
	step, _, _ := strings.Cut(rest, "\n\n")
	return "# " + step + "\n"
}
