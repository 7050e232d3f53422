package secret_test

import (
	"encoding/hex"
	"regexp"
	"testing"

	"parley/internal/secret"
)

func TestNewToken(t *testing.T) {
	t.Parallel()
	a, b := secret.NewToken("aik_"), secret.NewToken("aik_")
	if a == b {
		t.Errorf("two tokens are equal: %q", a)
	}
	if form := regexp.MustCompile(`^aik_[A-Za-z0-9_-]{43}$`); !form.MatchString(a) {
		t.Errorf("token %q, want form %s", a, form)
	}
}

func TestDigestOf(t *testing.T) {
	t.Parallel()
	// The one-block example of FIPS 180-4.
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	d := secret.DigestOf("abc")
	if got := hex.EncodeToString(d[:]); got != want {
		t.Errorf("DigestOf(abc) = %s, want %s", got, want)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"", "", true},
		{"secret", "secret", true},
		{"secret", "secreT", false},
		{"secret", "secret2", false},
		{"secret", "", false},
	} {
		if got := secret.Equal(tc.a, tc.b); got != tc.want {
			t.Errorf("Equal(%q, %q) = %v, want %v", tc.a, tc.b, got, tc.want)
		}
	}
}
