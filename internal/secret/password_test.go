package secret_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/secret"
)

const password = "correct horse 电池"

func mustHash(t *testing.T, h *secret.Hasher) string {
	t.Helper()
	hash, err := h.Hash(t.Context(), password)
	if err != nil {
		t.Fatalf("Hash: %v", err)
	}
	return hash
}

func TestProductionCost(t *testing.T) {
	t.Parallel()
	h := secret.NewHasher(1)
	hash := mustHash(t, h)
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	if !form.MatchString(hash) {
		t.Errorf("hash %q, want form %s", hash, form)
	}
	if ok, err := h.Verify(t.Context(), hash, password); !ok || err != nil {
		t.Errorf("Verify = %v, %v, want true", ok, err)
	}
}

// A hash made by the reference implementation of argon2 with
// echo -n password | argon2 somesalt -id -t 2 -k 256 -p 1 -l 32.
func TestVerifyKnownHash(t *testing.T) {
	t.Parallel()
	const hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if ok, err := secret.NewTestHasher(1).Verify(t.Context(), hash, "password"); !ok || err != nil {
		t.Errorf("Verify = %v, %v, want true", ok, err)
	}
}

func TestHashAndVerify(t *testing.T) {
	t.Parallel()
	h := secret.NewTestHasher(2)
	hash, second := mustHash(t, h), mustHash(t, h)
	if hash == second {
		t.Errorf("two hashes of one password are equal: %q", hash)
	}
	for _, tc := range []struct {
		name, password string
		want           bool
	}{
		{"right", password, true},
		{"wrong", "correct horse", false},
		{"empty", "", false},
		{"longer", password + " ", false},
		{"other case", strings.ToUpper(password), false},
	} {
		if got, err := h.Verify(t.Context(), hash, tc.password); got != tc.want || err != nil {
			t.Errorf("%s: Verify = %v, %v, want %v", tc.name, got, err, tc.want)
		}
	}
}

// Raising the cost later must leave the hashes made before valid.
func TestVerifyTakesCostFromHash(t *testing.T) {
	t.Parallel()
	cheap := mustHash(t, secret.NewTestHasher(1))
	if ok, err := secret.NewHasher(1).Verify(t.Context(), cheap, password); !ok || err != nil {
		t.Errorf("Verify = %v, %v, want true", ok, err)
	}
}

func TestVerifyTampered(t *testing.T) {
	t.Parallel()
	h := secret.NewTestHasher(1)
	good := mustHash(t, h)
	parts := strings.Split(good, "$")
	edit := func(part int, text string) string {
		edited := append([]string(nil), parts...)
		edited[part] = text
		return strings.Join(edited, "$")
	}
	// Another first character of salt or key stays well-formed: no match, no error.
	swapFirst := func(s string) string {
		if s[0] == 'A' {
			return "B" + s[1:]
		}
		return "A" + s[1:]
	}
	for _, tc := range []struct {
		name, hash string
		wantErr    bool
	}{
		{"other salt", edit(4, swapFirst(parts[4])), false},
		{"other key", edit(5, swapFirst(parts[5])), false},
		{"other time", edit(3, "m=64,t=2,p=1"), false},
		{"empty", "", true},
		{"plain text", password, true},
		{"leading text", "x" + good, true},
		{"trailing part", good + "$", true},
		{"argon2i", edit(1, "argon2i"), true},
		{"old version", edit(2, "v=16"), true},
		{"no version", strings.Replace(good, "$v=19", "", 1), true},
		{"memory zero", edit(3, "m=0,t=1,p=1"), true},
		{"memory above bound", edit(3, "m=65537,t=1,p=1"), true},
		{"memory absurd", edit(3, "m=4294967295,t=1,p=1"), true},
		{"memory overflow", edit(3, "m=4294967360,t=1,p=1"), true},
		{"memory negative", edit(3, "m=-64,t=1,p=1"), true},
		{"time zero", edit(3, "m=64,t=0,p=1"), true},
		{"time above bound", edit(3, "m=64,t=9,p=1"), true},
		{"threads zero", edit(3, "m=64,t=1,p=0"), true},
		{"threads above bound", edit(3, "m=64,t=1,p=5"), true},
		{"threads wrapping to 1", edit(3, "m=64,t=1,p=257"), true},
		{"leading zero", edit(3, "m=064,t=1,p=1"), true},
		{"plus sign", edit(3, "m=+64,t=1,p=1"), true},
		{"other order", edit(3, "t=1,m=64,p=1"), true},
		{"extra cost", edit(3, "m=64,t=1,p=1,data=x"), true},
		{"salt empty", edit(4, ""), true},
		{"salt short", edit(4, "AAAAAAAAAA"), true},
		{"salt long", edit(4, strings.Repeat("A", 88)), true},
		{"salt padded", edit(4, parts[4]+"=="), true},
		{"salt with line break", edit(4, parts[4][:4]+"\n"+parts[4][4:]), true},
		{"key empty", edit(5, ""), true},
		{"key short", edit(5, "AAAAAAAAAAAAAAAAAAAA"), true},
		{"key not base64", edit(5, strings.Repeat("-", 43)), true},
		{"key with trailing bits", edit(5, strings.Repeat("A", 42)+"B"), true},
		{"overlong", good + strings.Repeat("A", 1<<20), true},
	} {
		got, err := h.Verify(t.Context(), tc.hash, password)
		if got || (err != nil) != tc.wantErr {
			t.Errorf("%s: Verify = %v, %v, want false, error %v", tc.name, got, err, tc.wantErr)
		}
	}
}

func TestHasherWaitsForSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := secret.NewTestHasher(2)
		hash := mustHash(t, h)
		release, err := h.Occupy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		mustHash(t, h) // the second slot is free

		release2, err := h.Occupy(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.Hash(ctx, password); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Hash with all slots taken: %v, want %v", err, context.DeadlineExceeded)
		}
		if ok, err := h.Verify(ctx, hash, password); ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Verify with all slots taken: %v, %v, want %v", ok, err, context.DeadlineExceeded)
		}
		if err := h.VerifyNothing(ctx, password); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("VerifyNothing with all slots taken: %v, want %v", err, context.DeadlineExceeded)
		}

		waiting := make(chan error)
		go func() { waiting <- h.VerifyNothing(t.Context(), password) }()
		synctest.Wait()
		release()
		if err := <-waiting; err != nil {
			t.Errorf("VerifyNothing after a slot came free: %v", err)
		}
		release2()
	})
}

// Without a slot nothing would ever be hashed, so a bad number gives one.
func TestHasherHasAtLeastOneSlot(t *testing.T) {
	t.Parallel()
	mustHash(t, secret.NewTestHasher(0))
}

func FuzzParseHash(f *testing.F) {
	hash, err := secret.NewTestHasher(1).Hash(f.Context(), password)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hash)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=255$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, hash string) {
		text, memory, time, threads, err := secret.Canonical(hash)
		if err != nil {
			return
		}
		if text != hash {
			t.Errorf("%q was accepted and reads back as %q", hash, text)
		}
		if memory < 1 || memory > 64*1024 || time < 1 || time > 8 || threads < 1 || threads > 4 {
			t.Errorf("%q was accepted with m=%d t=%d p=%d", hash, memory, time, threads)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	h := secret.NewHasher(1)
	b.ReportAllocs()
	for b.Loop() {
		if err := h.VerifyNothing(b.Context(), password); err != nil {
			b.Fatal(err)
		}
	}
}
