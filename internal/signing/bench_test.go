package signing_test

import (
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/signing"
)

// What a signed send costs beside an unsigned one: reading the key and the signature,
// and one check, or two where the bound form is not the one that was signed.
func BenchmarkVerify(b *testing.B) {
	key, err := signing.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	stored, err := signing.EncodePublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	content := strings.Repeat("你好, agent. ", 20)
	bound := signing.Bound(signing.Direct, vectorSender, vectorRecipient, content)
	for _, bench := range []struct {
		name, signed string
		want         chat.SignatureScheme
	}{
		{"bound", bound, chat.SignatureBound},
		{"content", content, chat.SignatureContent},
		{"neither", "something else", chat.SignatureUnchecked},
	} {
		b.Run(bench.name, func(b *testing.B) {
			digits, err := signing.Sign(key, bench.signed)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				public, _, err := signing.ParsePublicKey(stored)
				if err != nil {
					b.Fatal(err)
				}
				der, err := signing.ParseSignature(digits)
				if err != nil {
					b.Fatal(err)
				}
				if got := signing.Verify(public, der, bound, content); got != bench.want {
					b.Fatalf("got %q, want %q", got, bench.want)
				}
			}
		})
	}
}
