package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// ErrSealed is what Open answers to anything that this vault has not sealed for
// the same purpose.
var ErrSealed = errors.New("not sealed by this vault")

// Vault seals secrets that have to be used again, such as the signing keys of
// webhooks, and makes digests that only it can make. It is safe for concurrent use.
//
// Its keys are derived from a key that is stored with the data: a vault protects
// what leaks in part, such as one table, a log or a replica of some rows, not a
// database that leaks whole.
type Vault struct {
	seal   cipher.AEAD
	digest []byte
}

// NewVault derives a vault from a key of 32 random bytes.
func NewVault(key [32]byte) *Vault {
	sealing, err := hkdf.Key(sha256.New, key[:], nil, "parley vault seal", 32)
	if err != nil {
		panic(fmt.Sprintf("derive the sealing key: %v", err)) // the lengths are fixed here
	}
	digesting, err := hkdf.Key(sha256.New, key[:], nil, "parley vault digest", 32)
	if err != nil {
		panic(fmt.Sprintf("derive the digest key: %v", err))
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		panic(fmt.Sprintf("set up the sealing cipher: %v", err))
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(fmt.Sprintf("set up sealing: %v", err))
	}
	return &Vault{seal: aead, digest: digesting}
}

// Seal encrypts a secret for one purpose, such as "webhook 17": it opens only
// under the same.
func (v *Vault) Seal(secret []byte, purpose string) []byte {
	return v.seal.Seal(nil, nil, secret, []byte(purpose))
}

// Open returns what was sealed, or ErrSealed.
func (v *Vault) Open(sealed []byte, purpose string) ([]byte, error) {
	secret, err := v.seal.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, ErrSealed
	}
	return secret, nil
}

// Digest is a keyed digest of parts, for values with few possibilities, which a
// bare hash would give away. The parts do not run into each other.
func (v *Vault) Digest(parts ...string) [32]byte {
	mac := hmac.New(sha256.New, v.digest)
	for _, p := range parts {
		n := len(p)
		_, _ = mac.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) // never fails
		_, _ = mac.Write([]byte(p))
	}
	return [32]byte(mac.Sum(nil))
}

// RandomDigits is n decimal digits, each drawn with equal chance.
func RandomDigits(n int) string {
	digits := make([]byte, 0, n)
	var buf [32]byte
	for len(digits) < n {
		_, _ = rand.Read(buf[:]) // never fails: the runtime ends the process instead
		for _, b := range buf {
			if b < 250 && len(digits) < n { // 250 is a multiple of 10: no digit is favoured
				digits = append(digits, '0'+b%10)
			}
		}
	}
	return string(digits)
}
