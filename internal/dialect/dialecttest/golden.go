package dialecttest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update says that golden files are to be written instead of compared.
var update = flag.Bool("update", false, "write the golden files")

// Golden compares got with a golden file, or writes it under -update.
func Golden(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatalf("make the folder of golden files: %v", err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatalf("write a golden file: %v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read a golden file (run the test with -update to write it): %v", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; run the test with -update if it is meant):\n%s", file, diff)
	}
}

// Normal replaces what differs from run to run in a text: public ids by ones that
// count up in the order of their first appearance, and what follows the prefixes
// of tokens.
func Normal(text string, prefixes ...string) string {
	ids := make(map[string]string)
	text = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllStringFunc(text, func(id string) string {
		if _, seen := ids[id]; !seen {
			ids[id] = fmt.Sprintf("00000000-0000-8000-8000-%012d", len(ids)+1)
		}
		return ids[id]
	})
	for _, prefix := range prefixes {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(prefix)+`[A-Za-z0-9_-]+`).ReplaceAllString(text, prefix+"...")
	}
	return text
}
