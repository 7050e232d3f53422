// Package dialecttest is the suite that every dialect passes: what the core can
// say and do is decided on in each of them, and each route is held by a golden
// file.
package dialecttest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
)

// Dialect is what the suite looks at.
type Dialect struct {
	// Answer words a failure; ok is false for a code the dialect does not know.
	Answer func(*chat.Error) (status int, text string, ok bool)
	// Offered and NotOffered hold every kind of event, each once.
	Offered, NotOffered []chat.EventKind
	Routes              []Route
	// Golden is the folder of the golden files: name.golden for each route.
	Golden string
}

// Route is one row of the dialect's table.
type Route struct {
	Name      string // no other route has it
	Operation core.OperationName
	Open      bool // nobody need be signed in
}

// Run runs the suite.
func Run(t *testing.T, d Dialect) {
	t.Helper()
	t.Run("codes", d.codes)
	t.Run("events", d.events)
	t.Run("operations", d.operations)
	t.Run("golden files", d.golden)
}

func (d Dialect) codes(t *testing.T) {
	t.Parallel()
	for _, code := range chat.Codes() {
		e := &chat.Error{Code: code, Field: "field", Want: "a string", Min: 3, Max: 5}
		status, text, ok := d.Answer(e)
		switch {
		case !ok:
			t.Errorf("%s: has no answer; decide on one", code)
		case status < 400 || status > 599:
			t.Errorf("%s: got status %d, want 4xx or 5xx", code, status)
		case strings.TrimSpace(text) == "" || strings.ContainsAny(text, "{}%"):
			t.Errorf("%s: got text %q, want a sentence without gaps", code, text)
		}
	}
	if status, _, _ := d.Answer(chat.Fail(chat.CodeInternal)); status < 500 {
		t.Errorf("internal: got status %d, want 5xx", status)
	}
}

func (d Dialect) events(t *testing.T) {
	t.Parallel()
	decided := slices.Concat(d.Offered, d.NotOffered)
	for _, kind := range chat.EventKinds() {
		n := 0
		for _, k := range decided {
			if k == kind {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: listed %d times, want once: encoded, or not offered", kind, n)
		}
	}
	for _, kind := range decided {
		if !slices.Contains(chat.EventKinds(), kind) {
			t.Errorf("%s: is listed and no event of the core", kind)
		}
	}
}

func (d Dialect) operations(t *testing.T) {
	t.Parallel()
	known := make(map[core.OperationName]core.Operation)
	for _, op := range core.Operations() {
		known[op.Name] = op
	}
	for _, r := range d.Routes {
		op, ok := known[r.Operation]
		if !ok {
			t.Errorf("%s: calls %q, which is no operation of the core", r.Name, r.Operation)
			continue
		}
		if op.Open != r.Open {
			t.Errorf("%s: got open to anybody %t, want %t as %s is", r.Name, r.Open, op.Open, op.Name)
		}
	}
}

func (d Dialect) golden(t *testing.T) {
	t.Parallel()
	var want []string
	for _, r := range d.Routes {
		want = append(want, r.Name+".golden")
	}
	slices.Sort(want)
	if doubled := len(want) - len(slices.Compact(slices.Clone(want))); doubled > 0 {
		t.Errorf("%d routes have the name of another", doubled)
	}
	entries, err := os.ReadDir(d.Golden)
	if err != nil {
		t.Fatalf("list the golden files: %v", err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, filepath.Base(e.Name()))
	}
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s: is missing; add the route to the golden test", name)
		}
	}
	for _, name := range got {
		if !slices.Contains(want, name) {
			t.Errorf("%s: belongs to no route", name)
		}
	}
}
