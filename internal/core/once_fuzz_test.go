package core

import (
	"regexp"
	"testing"
)

// Keys are what the contract's pattern takes (AC 2.8).
func FuzzValidOnce(f *testing.F) {
	for _, seed := range []string{"12345678", "short-7", "with space", "A_b-C_d-0", "umläut-key", "12345678\n", ""} {
		f.Add(seed)
	}
	pattern := regexp.MustCompile(`\A[A-Za-z0-9_-]{8,128}\z`)
	f.Fuzz(func(t *testing.T, key string) {
		if got, want := validOnce(key), pattern.MatchString(key); got != want {
			t.Errorf("%q: got %v, want %v", key, got, want)
		}
	})
}
