package id_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"parley/internal/id"
)

func newCodec(tb testing.TB, seed byte) *id.Codec {
	tb.Helper()
	var key [32]byte
	for i := range key {
		key[i] = seed + byte(i)
	}
	c, err := id.NewCodec(key)
	if err != nil {
		tb.Fatalf("NewCodec: %v", err)
	}
	return c
}

// Public ids must stay the same for ever: these were computed once, and a
// change of layout, kinds or cipher shows here. The values agree with an
// independent implementation of the construction in the package comment.
func TestSealNeverChanges(t *testing.T) {
	t.Parallel()
	c := newCodec(t, 1)
	for _, tc := range []struct {
		kind id.Kind
		n    int64
		want string
	}{
		{id.KindAccount, 1, "6d339167-d193-8b3b-9288-9489cddb95a4"},
		{id.KindMessage, 1, "f172eab3-1399-85d2-ad9d-cf64fa41e68d"},
		{id.KindMessage, 2, "cc09eb4a-835a-84d2-bb5c-66ce6c50fa2c"},
		{id.KindDelivery, 1<<63 - 1, "431e2435-8f21-8e3e-8d4e-1eac05230f0c"},
	} {
		if got := c.Seal(tc.kind, tc.n).String(); got != tc.want {
			t.Errorf("Seal(%d, %d) = %s, want %s", tc.kind, tc.n, got, tc.want)
		}
	}
}

func TestKindNumbersNeverChange(t *testing.T) {
	t.Parallel()
	kinds := []id.Kind{
		id.KindAccount, id.KindSpace, id.KindConversation, id.KindMessage,
		id.KindCredential, id.KindArchetype, id.KindDelivery,
	}
	for i, k := range kinds {
		if want := id.Kind(i + 1); k != want {
			t.Errorf("kind %d has number %d, want %d", i, k, want)
		}
	}
}

func TestCodecProperties(t *testing.T) {
	t.Parallel()
	c, other := newCodec(t, 1), newCodec(t, 2)
	rapid.Check(t, func(t *rapid.T) {
		kind := id.Kind(rapid.Byte().Draw(t, "kind"))
		n := rapid.Int64Min(1).Draw(t, "n")
		u := c.Seal(kind, n)

		if got, ok := c.Open(kind, u); !ok || got != n {
			t.Fatalf("Open(Seal(%d)) = %d, %v", n, got, ok)
		}
		if v, variant := u[6]>>4, u[8]>>6; v != 8 || variant != 0b10 {
			t.Fatalf("%s has version %d, variant %b, want 8, 10", u, v, variant)
		}
		wrong := kind + id.Kind(rapid.ByteRange(1, 255).Draw(t, "step"))
		if got, ok := c.Open(wrong, u); ok {
			t.Fatalf("kind %d opened an id of kind %d as %d", wrong, kind, got)
		}
		if got, ok := other.Open(kind, u); ok {
			t.Fatalf("another key opened %s as %d", u, got)
		}
		for bit := range 128 {
			flipped := u
			flipped[bit/8] ^= 0x80 >> (bit % 8)
			if got, ok := c.Open(kind, flipped); ok {
				t.Fatalf("%s with bit %d flipped opened as %d", u, bit, got)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	c := newCodec(t, 1)
	for name, u := range map[string]id.UUID{
		"row id zero":     c.Seal(id.KindMessage, 0),
		"row id below":    c.Seal(id.KindMessage, -1),
		"smallest row id": c.Seal(id.KindMessage, -1<<63),
		"zero uuid":       {},
		"random uuid":     id.NewRandom(),
	} {
		if got, ok := c.Open(id.KindMessage, u); ok || got != 0 {
			t.Errorf("%s: Open = %d, %v, want 0, false", name, got, ok)
		}
	}
}

func TestNewCodecRefusesZeroKey(t *testing.T) {
	t.Parallel()
	if c, err := id.NewCodec([32]byte{}); err == nil {
		t.Errorf("NewCodec(zero key) = %v, want an error", c)
	}
}

func TestUUIDTextRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var u id.UUID
		copy(u[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		s := u.String()
		if s != strings.ToLower(s) {
			t.Fatalf("String() = %q, want lower case", s)
		}
		for _, text := range []string{s, strings.ToUpper(s)} {
			if got, ok := id.ParseUUID(text); !ok || got != u {
				t.Fatalf("ParseUUID(%q) = %v, %v, want %v, true", text, got, ok, u)
			}
		}
	})
}

func TestParseUUID(t *testing.T) {
	t.Parallel()
	const good = "00112233-4455-6677-8899-AAbbCCddEEff"
	want := id.UUID{0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}
	if got, ok := id.ParseUUID(good); !ok || got != want {
		t.Errorf("ParseUUID(%q) = %v, %v, want %v, true", good, got, ok, want)
	}
	for _, bad := range []string{
		"",
		"00112233445566778899aabbccddeeff",
		"{00112233-4455-6677-8899-aabbccddeeff}",
		"urn:uuid:00112233-4455-6677-8899-aabbccddeeff",
		" 0112233-4455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeefff",
		"00112233-4455-6677-8899-aabbccddeefg",
		"00112233-4455-6677-8899+aabbccddeeff",
		"0011223-34455-6677-8899-aabbccddeeff",
		"+0112233-4455-6677-8899-aabbccddeeff",
		"００１１-4455-6677-8899-aabbccddeeff",
	} {
		if got, ok := id.ParseUUID(bad); ok {
			t.Errorf("ParseUUID(%q) = %v, want it refused", bad, got)
		}
	}
}

func TestNewRandom(t *testing.T) {
	t.Parallel()
	a, b := id.NewRandom(), id.NewRandom()
	if a == b {
		t.Errorf("two random ids are both %s", a)
	}
	if v, variant := a[6]>>4, a[8]>>6; v != 4 || variant != 0b10 {
		t.Errorf("%s has version %d, variant %b, want 4, 10", a, v, variant)
	}
}

func TestRandomString(t *testing.T) {
	t.Parallel()
	const alphabet = "abcdefghij" // 10 does not divide 256: plain modulo would show
	const n = 1_000_000
	s := id.RandomString(alphabet, n)
	if len(s) != n {
		t.Fatalf("length %d, want %d", len(s), n)
	}
	// The first six characters are due 600,000 times with a deviation of 490;
	// plain modulo would give them 609,375.
	first := 0
	for _, c := range s {
		at := strings.IndexRune(alphabet, c)
		if at < 0 {
			t.Fatalf("%q is not in the alphabet", c)
		}
		if at < 6 {
			first++
		}
	}
	if low, high := 595_000, 605_000; first < low || first > high {
		t.Errorf("first six characters came %d times, want %d to %d", first, low, high)
	}
	if got := id.RandomString("x", 3); got != "xxx" {
		t.Errorf("RandomString(x, 3) = %q", got)
	}
	if got := id.RandomString("ab", 0); got != "" {
		t.Errorf("RandomString(ab, 0) = %q, want nothing", got)
	}
}

func FuzzParseUUID(f *testing.F) {
	f.Add("00112233-4455-6677-8899-AAbbCCddEEff")
	f.Add("00112233445566778899aabbccddeeff")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := id.ParseUUID(s)
		if ok && u.String() != strings.ToLower(s) {
			t.Errorf("ParseUUID(%q) reads back as %s", s, u)
		}
		if !ok && u != (id.UUID{}) {
			t.Errorf("ParseUUID(%q) refused it with %v", s, u)
		}
	})
}

func FuzzOpen(f *testing.F) {
	c := newCodec(f, 1)
	for _, n := range []int64{1, 2, 1<<63 - 1} {
		u := c.Seal(id.KindMessage, n)
		f.Add(byte(id.KindMessage), u[:])
	}
	f.Add(byte(0), make([]byte, 16))
	f.Fuzz(func(t *testing.T, kind byte, raw []byte) {
		var u id.UUID
		if copy(u[:], raw) < len(u) {
			return
		}
		n, ok := c.Open(id.Kind(kind), u)
		if !ok {
			return
		}
		if n <= 0 || c.Seal(id.Kind(kind), n) != u {
			t.Errorf("Open(%d, %s) = %d, which seals to %s", kind, u, n, c.Seal(id.Kind(kind), n))
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	c := newCodec(b, 1)
	b.ReportAllocs()
	for b.Loop() {
		c.Seal(id.KindMessage, 7)
	}
}

func BenchmarkOpen(b *testing.B) {
	c := newCodec(b, 1)
	u := c.Seal(id.KindMessage, 7)
	b.ReportAllocs()
	for b.Loop() {
		c.Open(id.KindMessage, u)
	}
}
