package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"parley/internal/blob"
)

var signingKey = [32]byte{1, 2, 3}

func open(t testing.TB, dir string) *blob.Store {
	t.Helper()
	s, err := blob.Open(dir, signingKey)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

func closing(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// files lists the files below a folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatalf("list the files: %v", err)
	}
	return all
}

func read(t *testing.T, s *blob.Store, key string) string {
	t.Helper()
	content, info, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer closing(t, content)
	data, err := io.ReadAll(content)
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	if info.Size != int64(len(data)) || info.Modified.IsZero() {
		t.Errorf("got info %+v of %d bytes", info, len(data))
	}
	return string(data)
}

func TestABlobIsStoredOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "blobs")
	s := open(t, dir)
	hash := sha256.Sum256([]byte("hello"))
	info, err := s.Put(t.Context(), "att/1", strings.NewReader("hello"), blob.Want{Size: 5, SHA256: &hash, Max: 5})
	if err != nil || info.Size != 5 {
		t.Fatalf("put: got %+v, %v; want 5 bytes", info, err)
	}
	if _, err := s.Put(t.Context(), "att/1", strings.NewReader("other"), blob.Want{}); !errors.Is(err, blob.ErrExists) {
		t.Errorf("put again: got %v, want %v", err, blob.ErrExists)
	}
	if _, err := s.Put(t.Context(), "ATT/1", strings.NewReader("capital"), blob.Want{}); err != nil {
		t.Errorf("put a key that differs in case: got %v", err)
	}
	if got := read(t, s, "att/1"); got != "hello" {
		t.Errorf("got %q, want hello", got)
	}
	if got := read(t, open(t, dir), "ATT/1"); got != "capital" {
		t.Errorf("after opening again: got %q, want capital", got)
	}
	for _, name := range files(t, dir) {
		if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
			t.Errorf("got mode %v of %s, %v; want 0600", info.Mode(), name, err)
		}
	}

	for range 2 { // deleting what is not there is no error
		if err := s.Delete(t.Context(), "att/1"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, _, err := s.Get(t.Context(), "att/1"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get after delete: got %v, want %v", err, blob.ErrNotFound)
	}
	if _, err := s.Put(t.Context(), "att/1", strings.NewReader("again"), blob.Want{}); err != nil {
		t.Errorf("put after delete: got %v", err)
	}
}

func TestNothingIsLeftOfAPutThatFails(t *testing.T) {
	t.Parallel()
	wrong := sha256.Sum256([]byte("other"))
	broken := errors.New("connection reset")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	during, cancelDuring := context.WithCancel(t.Context())
	atEnd, cancelAtEnd := context.WithCancel(t.Context())
	for _, test := range []struct {
		name string
		ctx  context.Context
		r    io.Reader
		want blob.Want
		err  error
	}{
		{name: "more than announced", r: strings.NewReader("hello!"), want: blob.Want{Size: 5}, err: blob.ErrTooLarge},
		{name: "more than allowed", r: strings.NewReader("hello!"), want: blob.Want{Max: 5}, err: blob.ErrTooLarge},
		{name: "announced more than allowed", r: strings.NewReader("hello!"), want: blob.Want{Size: 6, Max: 5}, err: blob.ErrTooLarge},
		{name: "less than announced", r: strings.NewReader("hell"), want: blob.Want{Size: 5}, err: blob.ErrSize},
		{name: "other bytes", r: strings.NewReader("hello"), want: blob.Want{SHA256: &wrong}, err: blob.ErrChecksum},
		{name: "the client goes", r: io.MultiReader(strings.NewReader("he"), iotest.ErrReader(broken)), err: blob.ErrRead},
		{name: "the client's error", r: iotest.ErrReader(broken), err: broken},
		{name: "cancelled before", ctx: cancelled, r: strings.NewReader("hello"), err: context.Canceled},
		{name: "cancelled during", ctx: during, r: readerFunc(func(p []byte) (int, error) {
			cancelDuring()
			return copy(p, "hello"), nil
		}), err: context.Canceled},
		{name: "cancelled at the end", ctx: atEnd, r: readerFunc(func([]byte) (int, error) {
			cancelAtEnd()
			return 0, io.EOF
		}), err: context.Canceled},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			if _, err := s.Put(test.ctx, "a", test.r, test.want); !errors.Is(err, test.err) {
				t.Errorf("got %v, want %v", err, test.err)
			}
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("left are %q, want nothing", left)
			}
			if _, err := s.Put(t.Context(), "a", strings.NewReader("hello"), blob.Want{Size: 5}); err != nil {
				t.Errorf("the next put: got %v, want it to work", err)
			}
		})
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// An endless upload is cut off at its limit, not after the disk is full.
func TestAnEndlessUploadIsCutOff(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	read := 0
	endless := readerFunc(func(p []byte) (int, error) {
		read += len(p)
		return len(p), nil
	})
	if _, err := s.Put(t.Context(), "a", endless, blob.Want{Max: 100_000}); !errors.Is(err, blob.ErrTooLarge) {
		t.Errorf("got %v, want %v", err, blob.ErrTooLarge)
	}
	if read > 200_000 {
		t.Errorf("read %d bytes, want little more than 100000", read)
	}
}

func TestOfManyPutsOfAKeyOneWins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	const writers = 16
	var (
		all, begun sync.WaitGroup
		errs       = make([]error, writers)
	)
	begun.Add(writers)
	content := func(i int) string { return strings.Repeat(fmt.Sprint(i%10), 10_000+i) }
	for i := range writers {
		all.Go(func() {
			// All have begun before the first may finish.
			gate := readerFunc(func([]byte) (int, error) {
				begun.Done()
				begun.Wait()
				return 0, io.EOF
			})
			_, errs[i] = s.Put(t.Context(), "same", io.MultiReader(gate, strings.NewReader(content(i))), blob.Want{})
		})
	}
	all.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Errorf("both %d and %d won", won, i)
		case err == nil:
			won = i
		case !errors.Is(err, blob.ErrExists):
			t.Errorf("writer %d: got %v, want %v", i, err, blob.ErrExists)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	if got := read(t, s, "same"); got != content(won) {
		t.Errorf("got %d bytes, want the %d of the winner", len(got), len(content(won)))
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("got the files %q, want one", left)
	}
}

func TestManyKeysAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	var all sync.WaitGroup
	for i := range 20 {
		key := fmt.Sprintf("key/%d", i)
		all.Go(func() {
			for range 3 {
				if _, err := s.Put(t.Context(), key, strings.NewReader(key), blob.Want{}); err != nil {
					t.Errorf("put %s: %v", key, err)
				}
				content, _, err := s.Get(t.Context(), key)
				if err != nil {
					t.Errorf("get %s: %v", key, err)
					return
				}
				// Deleted while it is read, it stays readable.
				if err := s.Delete(t.Context(), key); err != nil {
					t.Errorf("delete %s: %v", key, err)
				}
				if data, err := io.ReadAll(content); err != nil || string(data) != key {
					t.Errorf("read %s: got %q, %v", key, data, err)
				}
				closing(t, content)
			}
		})
	}
	all.Wait()
}

func TestOpenRemovesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.Put(t.Context(), "whole", strings.NewReader("hello"), blob.Want{}); err != nil {
		t.Fatalf("put: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "unfinished", "HALF"), []byte("he"), 0o600); err != nil {
		t.Fatalf("leave half a blob: %v", err)
	}
	s = open(t, dir)
	if got := files(t, dir); len(got) != 1 {
		t.Errorf("got the files %q, want one", got)
	}
	if got := read(t, s, "whole"); got != "hello" {
		t.Errorf("got %q, want hello", got)
	}
}

func TestNoKeyEscapes(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "blobs")
	s := open(t, dir)
	for _, key := range []string{
		"", ".", "..", "../a", "a/../b", "a/..", "/a", "a/", "a//b", "a/./b", `a\b`, `..\a`, "a\x00b", "a b", "a%2fb", "ä", "a\n",
		"a:b", "~", strings.Repeat("a", 513),
	} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x"), blob.Want{}); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q: got %v, want %v", key, err, blob.ErrKey)
		}
		if _, _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("get %q: got %v, want %v", key, err, blob.ErrKey)
		}
		if err := s.Delete(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("delete %q: got %v, want %v", key, err, blob.ErrKey)
		}
	}
	if got := files(t, parent); len(got) != 0 {
		t.Errorf("got the files %q, want none", got)
	}
	for _, key := range []string{"a", "...", "a..b", "-", "0123456789abcdef/x.webp", "g/a/b_c-d.png", strings.Repeat("a", 512)} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x"), blob.Want{}); err != nil {
			t.Errorf("put %q: got %v", key, err)
		}
	}
}

// Somebody who can write in the folder plants links that lead out of it.
func TestNoLinkLeadsOut(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir, outside := filepath.Join(parent, "blobs"), filepath.Join(parent, "outside")
	s := open(t, dir)
	if _, err := s.Put(t.Context(), "a", strings.NewReader("inside"), blob.Want{}); err != nil {
		t.Fatalf("put: %v", err)
	}
	inside := files(t, dir)[0]
	if err := errors.Join(os.WriteFile(outside, []byte("secret"), 0o600), os.Remove(inside), os.Symlink(outside, inside)); err != nil {
		t.Fatalf("plant a link: %v", err)
	}
	if content, _, err := s.Get(t.Context(), "a"); err == nil {
		closing(t, content)
		t.Error("read a file outside the folder")
	}
	if err := s.Delete(t.Context(), "a"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if data, err := os.ReadFile(outside); err != nil || string(data) != "secret" {
		t.Errorf("the file outside: got %q, %v; want it untouched", data, err)
	}

	if err := errors.Join(os.Remove(filepath.Join(dir, "unfinished")), os.Symlink(parent, filepath.Join(dir, "unfinished"))); err != nil {
		t.Fatalf("plant a link: %v", err)
	}
	if _, err := s.Put(t.Context(), "b", strings.NewReader("x"), blob.Want{}); err == nil {
		t.Error("wrote outside the folder")
	}
	open(t, dir) // removes the link, not where it leads
	if _, err := os.Stat(outside); err != nil {
		t.Errorf("the file outside: got %v, want it untouched", err)
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"", "a", "a/b.webp", "../a", "a/../b", "/a", "a//b", "a\x00", "g/0123/ab.png", "..."} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if blob.CheckKey(key) != nil {
			return
		}
		if !filepath.IsLocal(key) || filepath.ToSlash(filepath.Clean(key)) != key || !fs.ValidPath(key) {
			t.Errorf("accepted %q, which is no plain path", key)
		}
		safe := func(b byte) bool {
			return bytes.IndexByte([]byte("/._-"), b) >= 0 || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
		}
		if slices.ContainsFunc([]byte(key), func(b byte) bool { return !safe(b) }) || len(key) > 512 {
			t.Errorf("accepted %q", key)
		}
	})
}
