package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is checked in is what the tables say.
func TestCheckedInFilesAreGenerated(t *testing.T) {
	t.Parallel()
	files, err := generated()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../../api", name))
		if err != nil {
			t.Errorf("read what is checked in: %v", err)
			continue
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s: run go generate ./api and check it in (-want +got):\n%s", name, diff)
		}
	}
}
