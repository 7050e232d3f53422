// Package signing reads public keys and signatures of messages, makes the bytes that
// a signature is over, and checks one against the other (AI 7). The curve is P-256,
// the hash SHA-256.
package signing

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"

	"parley/internal/chat"
)

const (
	keyBytes     = 1000 // of a public key as it is given
	keyBlock     = "PUBLIC KEY"
	digitsMin    = 16 // hexadecimal digits of a signature
	digitsMax    = 144
	boundVersion = "aiclient-sig-v1"
)

// What a signature is bound to.
const (
	Direct = "direct"
	Group  = "group"
)

// ErrKey is returned for what is no public key of the curve.
var ErrKey = errors.New("not the public key of a P-256 key pair in PEM")

// ErrFormat is returned for what has not the form of a signature.
var ErrFormat = errors.New("not an ASN.1 DER signature in hexadecimal")

// ParsePublicKey reads a public key: one PEM block of the type PUBLIC KEY with white
// space around it at most. canonical is the one text that stands for the key.
func ParsePublicKey(text string) (key *ecdsa.PublicKey, canonical string, err error) {
	// The decoder passes over whatever is no whole block, also when it is most of one.
	// Between two lines of dashes there is nothing that it could pass over.
	trimmed := strings.TrimSpace(text)
	if len(text) > keyBytes || !strings.HasPrefix(trimmed, "-----BEGIN "+keyBlock+"-----") || strings.Count(trimmed, "-----") != 4 {
		return nil, "", ErrKey
	}
	block, rest := pem.Decode([]byte(trimmed))
	if block == nil || block.Type != keyBlock || len(block.Headers) > 0 || len(rest) > 0 {
		return nil, "", ErrKey
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, "", ErrKey
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, "", ErrKey
	}
	canonical, err = EncodePublicKey(key)
	return key, canonical, err
}

// EncodePublicKey is the text that stands for a key: LF line ends, none at the end.
func EncodePublicKey(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", ErrKey
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der})), "\n"), nil
}

// ParseSignature reads a signature in hexadecimal digits of either case and returns
// its DER bytes: one sequence of two positive integers and nothing after it.
func ParseSignature(digits string) ([]byte, error) {
	if len(digits) < digitsMin || len(digits) > digitsMax {
		return nil, ErrFormat
	}
	der, err := hex.DecodeString(digits)
	if err != nil {
		return nil, ErrFormat
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil || pair.R.Sign() <= 0 || pair.S.Sign() <= 0 {
		return nil, ErrFormat
	}
	// The decoder allows for more in the sequence than was asked of it, and after it.
	if again, err := asn1.Marshal(pair); err != nil || !bytes.Equal(again, der) {
		return nil, ErrFormat
	}
	return der, nil
}

// Bound is what a bound signature is over: kind is Direct or Group, target the
// recipient's id or the group's. The content is last, so line breaks in it do no harm.
func Bound(kind, sender, target, content string) string {
	return strings.Join([]string{boundVersion, kind, sender, target, content}, "\n")
}

// Verify finds out which form of a message a signature is over, the bound one first,
// unless it is "": chat.SignatureUnchecked if over neither.
func Verify(key *ecdsa.PublicKey, der []byte, bound, content string) chat.SignatureScheme {
	if bound != "" && verifies(key, der, bound) {
		return chat.SignatureBound
	}
	if verifies(key, der, content) {
		return chat.SignatureContent
	}
	return chat.SignatureUnchecked
}

func verifies(key *ecdsa.PublicKey, der []byte, text string) bool {
	digest := sha256.Sum256([]byte(text))
	return ecdsa.VerifyASN1(key, digest[:], der)
}
