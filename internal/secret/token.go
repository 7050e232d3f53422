package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// tokenBytes of randomness are in a token: 43 base64url characters.
const tokenBytes = 32

// NewToken is the prefix followed by 43 base64url characters of 32 random
// bytes. It is shown to its owner once; only its Digest is stored.
func NewToken(prefix string) string {
	var b [tokenBytes]byte
	rand.Read(b[:]) // never fails: the process ends when the system has no randomness
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// Digest is what is stored of a token and what it is looked up by. It is a
// plain SHA-256: a token is too random to be guessed from it, so neither salt
// nor slowness would add anything.
type Digest [sha256.Size]byte

// DigestOf is the digest of the whole token, prefix included.
func DigestOf(token string) Digest {
	return sha256.Sum256([]byte(token))
}

// Equal compares two secrets in a time that does not depend on where they
// differ. That their lengths differ may be learnt.
func Equal(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
