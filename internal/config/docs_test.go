package config_test

//go:generate go test . -run ^TestOptionsInTheDocs$ -update

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"parley/internal/config"
)

var update = flag.Bool("update", false, "write what is generated instead of comparing it")

// The table of options in the operator's manual is made from the options.
func TestOptionsInTheDocs(t *testing.T) {
	t.Parallel()
	const file = "../../docs/operations.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), "<!-- options:")
	note, rest, ok2 := strings.Cut(rest, "-->\n")
	got, after, ok3 := strings.Cut(rest, "<!-- /options -->")
	if !ok || !ok2 || !ok3 {
		t.Fatalf("%s has no place for the table of options", file)
	}
	want := table()
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("the table of options in %s is not up to date: run go generate ./internal/config", file)
	}
	whole := before + "<!-- options:" + note + "-->\n" + want + "<!-- /options -->" + after
	if err := os.WriteFile(file, []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| option | environment | default | |\n| --- | --- | --- | --- |\n")
	for _, o := range config.Options() {
		value := "none"
		if o.Default != "" {
			value = "`" + o.Default + "`"
		}
		fmt.Fprintf(&b, "| `--%s %s` | `%s` | %s | %s |\n",
			o.Name, strings.ReplaceAll(o.Placeholder, "|", `\|`), o.Env, value, o.Help)
	}
	return b.String()
}
