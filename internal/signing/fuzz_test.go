package signing_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/signing"
)

// A key that is accepted is on the curve, has one form which is accepted again, and
// nothing but white space stood beside its one block.
func FuzzParsePublicKey(f *testing.F) {
	for _, seed := range []string{
		"", vectorKey, " \r\n" + vectorKey + "\n", vectorKey + "\n" + vectorKey, "x" + vectorKey,
		strings.ReplaceAll(vectorKey, "\n", "\r\n"), strings.ReplaceAll(vectorKey, "\n", " \n"),
		strings.Replace(vectorKey, "KEY-----\n", "KEY-----\na: b\n\n", 1),
		strings.ReplaceAll(vectorKey, "PUBLIC", "PRIVATE"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, canonical, err := signing.ParsePublicKey(text)
		if err != nil {
			if key != nil || canonical != "" {
				t.Errorf("refused with %v, and yet: %v %q", err, key, canonical)
			}
			return
		}
		if _, err := key.Bytes(); err != nil { // it checks the point
			t.Errorf("the point of an accepted key: %v", err)
		}
		again, same, err := signing.ParsePublicKey(canonical)
		if err != nil || same != canonical || !again.Equal(key) {
			t.Errorf("its own form: got %q, %v, want %q", same, err, canonical)
		}
		if strings.HasSuffix(canonical, "\n") || strings.Contains(canonical, "\r") || !utf8.ValidString(canonical) {
			t.Errorf("form: got %q", canonical)
		}
		trimmed := strings.TrimSpace(text)
		if !strings.HasPrefix(trimmed, "-----BEGIN PUBLIC KEY-----") || strings.Count(trimmed, "BEGIN") != 1 {
			t.Errorf("accepted %q", text)
		}
		if len(text) > 1000 {
			t.Errorf("accepted %d bytes", len(text))
		}
		// What lies between the two lines is the key, with white space in it at most.
		squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if squeeze(trimmed) != squeeze(canonical) {
			t.Errorf("accepted %q for %q", text, canonical)
		}
	})
}

// Digits that are accepted are the bytes, both ways, and there is one way to write
// two numbers.
func FuzzParseSignature(f *testing.F) {
	for _, seed := range []string{
		"", vector1, strings.ToUpper(vector2), vector3, vector6, vector1 + "00", "3006020101020101", "300802010102010102",
		"308144" + vector1[4:], "3009020101020101040101",
	} {
		f.Add(seed)
	}
	key, _, err := signing.ParsePublicKey(vectorKey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, digits string) {
		der, err := signing.ParseSignature(digits)
		if err != nil {
			if der != nil {
				t.Errorf("refused with %v, and yet: %x", err, der)
			}
			return
		}
		if got := hex.EncodeToString(der); got != strings.ToLower(digits) {
			t.Errorf("bytes: got %s, want %s", got, digits)
		}
		if len(digits) < 16 || len(digits) > 144 || !bytes.HasPrefix(der, []byte{0x30, byte(len(der) - 2)}) {
			t.Errorf("accepted %s", digits)
		}
		// Nobody finds a signature by chance; of those known there are four.
		got := signing.Verify(key, der, vectorContent, "something else")
		if known := string(der) == unhex(vector1) || string(der) == unhex(vector3); known != (got == chat.SignatureBound) {
			t.Errorf("%s: got %q", digits, got)
		}
	})
}

func unhex(digits string) string {
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return string(b)
}
