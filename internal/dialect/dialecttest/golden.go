package dialecttest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
	for _, prefix := range prefixes {
		text = regexp.MustCompile(`\b`+regexp.QuoteMeta(prefix)+`[A-Za-z0-9_-]+`).ReplaceAllString(text, prefix+"...")
	}
	ids := make(map[string]string)
	return publicID().ReplaceAllStringFunc(text, func(id string) string {
		if _, seen := ids[id]; !seen {
			n := len(ids) + 1
			if kind, _, prefixed := strings.Cut(id, "_"); prefixed {
				ids[id] = fmt.Sprintf("%s_%d", kind, n)
			} else {
				ids[id] = fmt.Sprintf("00000000-0000-8000-8000-%012d", n)
			}
		}
		return ids[id]
	})
}

// publicID matches a UUID, 22 characters that encode one behind a prefix (AC 2.2),
// and 32 hexadecimal digits behind one.
func publicID() *regexp.Regexp {
	return regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[a-z]{3,4}_([0-9a-f]{32}\b|[A-Za-z0-9_-]{22})`)
}

// Exchange is a request and its answer.
type Exchange struct {
	Method, Path string
	Headers      []string // of the request that are to be shown, "Name: value"
	Body         any      // of the request: what Do takes
	Answer       *Response
	// Plain replaces the values of members that differ from run to run; nil: none do.
	Plain func(key string, value any) any
}

// Text shows an exchange as golden files hold it: the members of objects sorted, and
// all headers of the answer but for the two that net/http adds.
func (e Exchange) Text(t testing.TB) string {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n", e.Method, e.Path)
	for _, h := range e.Headers {
		fmt.Fprintln(&out, h)
	}
	if e.Body != nil {
		fmt.Fprintf(&out, "\n%s\n", e.shown(t, e.Body))
	}
	fmt.Fprintf(&out, "\n%d\n", e.Answer.Status)
	for _, name := range slices.Sorted(maps.Keys(e.Answer.Header)) {
		if name != "Date" && name != "Content-Length" {
			fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(e.Answer.Header[name], ", "))
		}
	}
	var body any = e.Answer.Raw
	if e.Answer.body != nil {
		body = e.Answer.body
	}
	fmt.Fprintf(&out, "\n%s\n", e.shown(t, body))
	return out.String()
}

// shown is a body as text.
func (e Exchange) shown(t testing.TB, body any) string {
	t.Helper()
	switch b := body.(type) {
	case string:
		if !utf8.ValidString(b) {
			return "(bytes)"
		}
		return strings.TrimSuffix(b, "\n")
	case []byte:
		return e.shown(t, string(b))
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	var copied any
	if err := json.Unmarshal(raw, &copied); err != nil {
		t.Fatalf("decode: %v", err)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(e.plain(copied)); err != nil {
		t.Fatalf("encode: %v", err)
	}
	return strings.TrimSpace(out.String())
}

func (e Exchange) plain(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = e.plain(v[i])
		}
	case map[string]any:
		for key := range v {
			if e.Plain != nil {
				v[key] = e.Plain(key, v[key])
			}
			v[key] = e.plain(v[key])
		}
	}
	return value
}
