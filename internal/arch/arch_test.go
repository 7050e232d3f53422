package arch_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "parley"

// root is the folder of the module, seen from the folder of this test.
const root = "../.."

func TestEveryPackageHasARowAndEveryRowAPackage(t *testing.T) {
	t.Parallel()
	packages, rules := readPackages(t), rulesByPath(t)
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		if _, ok := rules[path]; !ok {
			t.Errorf("%s has no row: add one to internal/arch/table_test.go that says what it may import and why", path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(rules)) {
		if _, ok := packages[path]; !ok {
			t.Errorf("the row %s has no package: take it out of internal/arch/table_test.go", path)
		}
		if rules[path].why == "" {
			t.Errorf("the row %s gives no reason: say why the package may import no more", path)
		}
	}
}

func TestImportsFollowTheTable(t *testing.T) {
	t.Parallel()
	packages, rules := readPackages(t), rulesByPath(t)
	for _, path := range slices.Sorted(maps.Keys(packages)) {
		for _, complaint := range complaints(rules, path, packages[path]) {
			t.Error(complaint)
		}
	}
}

// The table is worth what the check refuses.
func TestTheCheckRefuses(t *testing.T) {
	t.Parallel()
	rules := map[string]rule{
		"core": {
			path: "core", uses: []string{"chat", "plugin/..."}, libraries: []string{"example.org/text"},
			never: []string{"net/http"},
		},
		"suite":        {path: "suite", forTests: true},
		"plugin/suite": {path: "plugin/suite", forTests: true},
	}
	for _, test := range []struct {
		name       string
		product    []string
		tests      []string
		complaints int
	}{
		{name: "what the row lists", product: []string{"parley/chat", "parley/plugin/a", "example.org/text/fold", "net"}},
		{name: "a package of ours", product: []string{"parley/store"}, complaints: 1},
		{name: "a package below one in the row", product: []string{"parley/chat/deep"}, complaints: 1},
		{name: "a library", product: []string{"example.org/textual"}, complaints: 1},
		{name: "a standard package", product: []string{"net/http", "net/http/httptest"}, complaints: 2},
		{name: "support for tests in the product", product: []string{"parley/suite", "parley/plugin/suite"}, complaints: 2},
		{name: "fixtures and standard packages in tests", tests: []string{"parley/internal/testpg", "pgregory.net/rapid", "net/http"}},
		{name: "its own package in tests", tests: []string{"parley/core"}},
		{name: "a front end in tests", tests: []string{"parley/internal/dialect/opencord"}, complaints: 1},
	} {
		got := complaints(rules, "core", imports{product: test.product, tests: test.tests})
		if len(got) != test.complaints {
			t.Errorf("%s: got %d complaints %q, want %d", test.name, len(got), got, test.complaints)
		}
	}
}

// complaints says what the package at path imports against its row. A package
// without a row is the business of another test.
func complaints(rules map[string]rule, path string, found imports) []string {
	rule, ok := rules[path]
	if !ok {
		return nil
	}
	var all []string
	for _, imported := range found.product {
		target, ours := strings.CutPrefix(imported, module+"/")
		switch {
		case ours && rules[target].forTests && !rule.forTests:
			all = append(all, fmt.Sprintf("%s imports %s, which is for tests only", path, imported))
		case ours && !listed(rule.uses, target),
			!ours && !standard(imported) && !within(rule.libraries, imported),
			!ours && within(rule.never, imported):
			all = append(all, fmt.Sprintf("%s imports %s, which its row does not allow: %s", path, imported, rule.why))
		}
	}
	usedByTests := slices.Concat(rule.uses, rule.tests, fixtures(), []string{path})
	librariesOfTests := slices.Concat(rule.libraries, testLibraries())
	for _, imported := range found.tests {
		target, ours := strings.CutPrefix(imported, module+"/")
		if ours && !listed(usedByTests, target) || !ours && !standard(imported) && !within(librariesOfTests, imported) {
			all = append(all, fmt.Sprintf("the tests of %s import %s, which neither its row nor the fixtures allow: %s", path, imported, rule.why))
		}
	}
	return all
}

// listed tells whether a list of our packages, with /... for subtrees, has path.
func listed(list []string, path string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		folder, all := strings.CutSuffix(entry, "/...")
		return entry == path || all && strings.HasPrefix(path, folder+"/")
	})
}

// within tells whether imported is one of the list or below one of it.
func within(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		return imported == entry || strings.HasPrefix(imported, entry+"/")
	})
}

// standard tells packages of the standard library by the first part of their
// path: only there it has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// imports are the import paths in the files of one package.
type imports struct{ product, tests []string }

// readPackages reads the imports of every package of the module, by path below
// it, for all platforms. It reads the files itself rather than ask `go list`,
// because only then does the test cache see that a file has changed.
func readPackages(t *testing.T) map[string]imports {
	t.Helper()
	packages := make(map[string]imports)
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(name)
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		folder, err := filepath.Rel(root, filepath.Dir(name))
		if err != nil {
			return err
		}
		found, err := readImports(name)
		if err != nil {
			return err
		}
		path := filepath.ToSlash(folder)
		known := packages[path]
		if strings.HasSuffix(name, "_test.go") {
			known.tests = append(known.tests, found...)
		} else {
			known.product = append(known.product, found...)
		}
		packages[path] = known
		return nil
	})
	if err != nil {
		t.Fatalf("read the packages of the module: %v", err)
	}
	for path, found := range packages {
		slices.Sort(found.product)
		slices.Sort(found.tests)
		packages[path] = imports{product: slices.Compact(found.product), tests: slices.Compact(found.tests)}
	}
	return packages
}

// skipFolder keeps out what the go command keeps out: hidden folders, test data
// and other modules.
func skipFolder(name string) error {
	if name == root {
		return nil
	}
	base := filepath.Base(name)
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return filepath.SkipDir
	}
	if _, err := os.Stat(filepath.Join(name, "go.mod")); err == nil {
		return filepath.SkipDir
	}
	return nil
}

func readImports(name string) ([]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		return nil, fmt.Errorf("read the imports: %w", err)
	}
	paths := make([]string, 0, len(file.Imports))
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("read an import of %s: %w", name, err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func rulesByPath(t *testing.T) map[string]rule {
	t.Helper()
	rules := make(map[string]rule)
	for _, rule := range table() {
		if _, twice := rules[rule.path]; twice {
			t.Errorf("%s has two rows, want one", rule.path)
		}
		rules[rule.path] = rule
	}
	return rules
}
