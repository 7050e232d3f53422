package cli_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/signing"
)

const (
	ada   = "11111111-1111-4111-8111-11111111111a"
	bob   = "22222222-2222-4222-8222-22222222222b"
	group = "33333333-3333-4333-8333-33333333333c"
)

// pair is a key pair that parley key new has made.
type pair struct{ private, public string }

func (w *world) pair(t *testing.T) pair {
	t.Helper()
	folder := t.TempDir()
	p := pair{filepath.Join(folder, "agent.pem"), filepath.Join(folder, "agent.pub")}
	w.must(t, "key", "new", p.private, "--public", p.public)
	return p
}

// fails runs a command that ends with a code and a line that says what to do.
func (w *world) fails(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	got, stdout, stderr := w.run(t, args...)
	if got != code || !strings.Contains(stderr, says) || stdout != "" || strings.Count(stderr, "\n") != 1 {
		t.Errorf("parley %q = %d %q %q, want %d with %q", args, got, stdout, stderr, code, says)
	}
}

func TestKeyNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "agent.pem")
	code, public, stderr := w.run(t, "key", "new", file)
	if code != 0 || !strings.Contains(stderr, file) {
		t.Fatalf("key new = %d %q, want 0 and where the private key is", code, stderr)
	}
	if _, canonical, err := signing.ParsePublicKey(public); err != nil || canonical+"\n" != public {
		t.Errorf("public key: got %q, %v", public, err)
	}
	content, mode := read(t, file)
	if mode != 0o600 || !strings.HasPrefix(content, "-----BEGIN PRIVATE KEY-----\n") {
		t.Errorf("private key: got mode %v and %q, want 0600 and PKCS 8", mode, content)
	}
	if shown := w.must(t, "key", "show", file); shown != public {
		t.Errorf("key show = %q, want %q", shown, public)
	}
	// It can be sent to a server as it is.
	if got := decoded[map[string]string](t, w, "key", "show", file); len(got) != 1 || got["public_key"]+"\n" != public {
		t.Errorf("key show --json = %v, want %q", got, public)
	}

	w.fails(t, 1, "choose another name", "key", "new", file)
	if again, _ := read(t, file); again != content {
		t.Error("key new wrote over a private key")
	}
	other := filepath.Join(t.TempDir(), "other.pem")
	w.fails(t, 1, "choose another name", "key", "new", other, "--public", file)
	w.fails(t, 1, "choose another name", "key", "new", other, "--public", other)
	w.fails(t, 1, "no such file", "key", "new", filepath.Join(other, "x"))
	if _, err := os.Stat(other); err == nil {
		t.Error("a private key was left without its public key")
	}

	p := w.pair(t)
	saved, mode := read(t, p.public)
	if shown := w.must(t, "key", "show", p.private); saved != shown || mode&0o600 != 0o600 {
		t.Errorf("saved public key: got mode %v and %q, want %q", mode, saved, shown)
	}
	if shown := w.must(t, "key", "new", other); shown == public {
		t.Error("two key pairs are the same")
	}
	if _, err := os.Stat(w.data()); err == nil {
		t.Error("parley key made a data folder")
	}
}

func read(t *testing.T, file string) (content string, mode fs.FileMode) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), info.Mode().Perm()
}

// What is signed is what a server checks, byte for byte.
func TestKeySign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pair(t)
	text, _ := read(t, p.public)
	key, _, err := signing.ParsePublicKey(text)
	if err != nil {
		t.Fatal(err)
	}
	direct := func(content string) string { return signing.Bound(signing.Direct, ada, bob, content) }
	for _, tc := range []struct {
		name, stdin, content string
		args                 []string
		bound                string
		want                 chat.SignatureScheme
	}{
		{"bound", "", "你好 🤖", []string{"--from", ada, "--to", bob, "你好 🤖"}, direct("你好 🤖"), chat.SignatureBound},
		{"group", "", "x", []string{"--from", ada, "--group", group, "x"}, signing.Bound(signing.Group, ada, group, "x"), chat.SignatureBound},
		{"ids in upper case", "", "x", []string{"--from", strings.ToUpper(ada), "--to", strings.ToUpper(bob), "x"}, direct("x"), chat.SignatureBound},
		{"content", "", " x\n", []string{" x\n"}, "", chat.SignatureContent},
		{"content though ids are given", "", "x", []string{"--content-only", "--from", ada, "--to", bob, "x"}, direct("x"), chat.SignatureContent},
		{"standard input", " a\r\nb\n\n", " a\r\nb\n\n", []string{"--from", ada, "--to", bob}, direct(" a\r\nb\n\n"), chat.SignatureBound},
		{"standard input, named", "x", "x", []string{"-"}, "", chat.SignatureContent},
		{"an empty argument", "not this", "", []string{""}, "", chat.SignatureContent},
		{"a text like a flag", "", "--json", []string{"--", "--json"}, "", chat.SignatureContent},
	} {
		run := *w
		run.stdin = tc.stdin
		digits := run.must(t, append([]string{"key", "sign", "--key", p.private}, tc.args...)...)
		der, err := signing.ParseSignature(strings.TrimSuffix(digits, "\n"))
		if err != nil || digits != strings.ToLower(digits) {
			t.Errorf("%s: got %q, %v", tc.name, digits, err)
			continue
		}
		if got := signing.Verify(key, der, tc.bound, tc.content); got != tc.want {
			t.Errorf("%s: the signature is %q, want %q", tc.name, got, tc.want)
		}
	}
	got := decoded[map[string]string](t, w, "key", "sign", "--key", p.private, "--from", ada, "--to", bob, "x")
	if got["signature_scheme"] != "bound-v1" || len(got["signature"]) < 16 {
		t.Errorf("key sign --json = %v", got)
	}
}

func TestKeyVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, other := w.pair(t), w.pair(t)
	sign := func(args ...string) string {
		return strings.TrimSpace(w.must(t, append([]string{"key", "sign", "--key", p.private}, args...)...))
	}
	bound, content := sign("--from", ada, "--to", bob, "hello"), sign("hello")
	for _, tc := range []struct {
		name, public, signature, stdin string
		args                           []string
		says                           string // "" is that it is not good
	}{
		{"bound", p.public, bound, "", []string{"--from", ada, "--to", bob, "hello"}, "bound-v1"},
		{"upper case", p.public, strings.ToUpper(bound), "", []string{"--from", ada, "--to", bob, "hello"}, "bound-v1"},
		{"bound, from standard input", p.public, bound, "hello", []string{"--from", ada, "--to", bob, "-"}, "bound-v1"},
		{"content", p.public, content, "", []string{"hello"}, "content"},
		{"content, ids given", p.public, content, "", []string{"--from", ada, "--group", group, "hello"}, "content"},
		{"another text", p.public, bound, "", []string{"--from", ada, "--to", bob, "hello!"}, ""},
		{"a newline too many", p.public, content, "hello\n", nil, ""},
		{"another recipient", p.public, bound, "", []string{"--from", ada, "--to", group, "hello"}, ""},
		{"a group of that id", p.public, bound, "", []string{"--from", ada, "--group", bob, "hello"}, ""},
		{"ids exchanged", p.public, bound, "", []string{"--from", bob, "--to", ada, "hello"}, ""},
		{"bound, no ids given", p.public, bound, "", []string{"hello"}, ""},
		{"another key", other.public, content, "", []string{"hello"}, ""},
	} {
		run := *w
		run.stdin = tc.stdin
		args := append([]string{"key", "verify", "--public", tc.public, "--signature", tc.signature}, tc.args...)
		if tc.says == "" {
			run.fails(t, 1, "the signature is not one of this text", args...)
			continue
		}
		if got := run.must(t, args...); !strings.Contains(got, "good: "+tc.says) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.says)
		}
	}
	w.fails(t, 1, "add --from", "key", "verify", "--public", p.public, "--signature", bound, "hello")
	got := decoded[map[string]any](t, w, "key", "verify", "--public", p.public, "--signature", content, "hello")
	if got["signature_verified"] != true || got["signature_scheme"] != "content" {
		t.Errorf("key verify --json = %v", got)
	}
}

// Whoever gets something wrong is told what to do about it.
func TestKeyRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.pair(t)
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	locked := file("locked.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	public, _ := read(t, p.public)
	two := file("two.pub", public+public)
	huge := file("huge.pem", strings.Repeat("x", 1<<20))
	missing := filepath.Join(folder, "missing")
	for _, tc := range []struct {
		code int
		says string
		args []string
	}{
		{2, "--key", []string{"sign", "x"}},
		{2, "add --to or --group", []string{"sign", "--key", p.private, "--from", ada, "x"}},
		{2, "add --from", []string{"sign", "--key", p.private, "--to", bob, "x"}},
		{2, "add --from", []string{"verify", "--public", p.public, "--signature", "30", "--group", group, "x"}},
		{2, "--to and --group", []string{"sign", "--key", p.private, "--from", ada, "--to", bob, "--group", group, "x"}},
		{2, "is no id", []string{"sign", "--key", p.private, "--from", "ada", "--to", bob, "x"}},
		{2, "unexpected argument", []string{"sign", "--key", p.private, "two", "words"}},
		{2, "--signature", []string{"verify", "--public", p.public, "x"}},
		{1, "there is no file " + missing, []string{"show", missing}},
		{1, "there is no file " + missing, []string{"sign", "--key", missing, "x"}},
		{1, "there is no file " + missing, []string{"verify", "--public", missing, "--signature", "30", "x"}},
		{1, "parley key new", []string{"show", p.public}},
		{1, "parley key new", []string{"sign", "--key", huge, "x"}},
		{1, "openssl pkey -in " + locked, []string{"show", locked}},
		{1, "parley key show", []string{"verify", "--public", p.private, "--signature", "30", "x"}},
		{1, "single block", []string{"verify", "--public", two, "--signature", "30", "x"}},
		{1, "--signature is none", []string{"verify", "--public", p.public, "--signature", "zz", "x"}},
		{1, "not UTF-8", []string{"sign", "--key", p.private, "\xff"}},
	} {
		w.fails(t, tc.code, tc.says, append([]string{"key"}, tc.args...)...)
	}
	w.stdin = strings.Repeat("x", 1<<20+1)
	w.fails(t, 1, "messages are shorter", "key", "sign", "--key", p.private)
}
