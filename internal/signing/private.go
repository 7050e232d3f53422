package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// What a file with a private key may hold: what GenerateKey and `openssl genpkey`
// write, what `openssl ecparam` writes and the block that it puts in front, and keys
// that a password protects.
const (
	privateBlock   = "PRIVATE KEY"
	classicBlock   = "EC PRIVATE KEY"
	curveBlock     = "EC PARAMETERS"
	encryptedBlock = "ENCRYPTED PRIVATE KEY"
)

// The errors of ParsePrivateKey.
var (
	// ErrPrivateKey: there is no private key of the curve.
	ErrPrivateKey = errors.New("not the private key of a P-256 key pair in PEM")
	// ErrEncrypted: there is one, and a password protects it.
	ErrEncrypted = errors.New("the private key is protected by a password")
)

// GenerateKey makes a key pair. Agents hold private keys, and who speaks for them; the
// server never sees one.
func GenerateKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// EncodePrivateKey is the text of a private key, in the form that is called PKCS #8.
func EncodePrivateKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateBlock, Bytes: der}), nil
}

// ParsePrivateKey reads the first private key of a text, in either form that openssl
// writes.
func ParsePrivateKey(text []byte) (*ecdsa.PrivateKey, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, ErrPrivateKey
		}
		switch {
		case block.Type == curveBlock: // the key comes after it
		case block.Type == encryptedBlock, len(block.Headers) > 0:
			return nil, ErrEncrypted
		default:
			return decodePrivateKey(block)
		}
	}
}

func decodePrivateKey(block *pem.Block) (*ecdsa.PrivateKey, error) {
	var parsed any
	var err error
	switch block.Type {
	case privateBlock:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case classicBlock:
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, ErrPrivateKey
	}
	return key, nil
}

// Sign signs a text and returns the signature in hexadecimal. Signing the same text
// again gives another signature.
func Sign(key *ecdsa.PrivateKey, text string) (string, error) {
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return hex.EncodeToString(der), nil
}
