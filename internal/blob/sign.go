package blob

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Errors of Verify, found with errors.Is.
var (
	// ErrSignature means that the link was not made by this store for this
	// operation and key, or was changed.
	ErrSignature = errors.New("the link is not genuine")
	// ErrExpired means that the link is genuine and too old.
	ErrExpired = errors.New("the link has expired")
)

// Op is what a link allows. A link for one operation is worth nothing for
// another.
type Op string

// The operations of links.
const (
	OpUpload   Op = "upload"
	OpDownload Op = "download"
)

// The parameters of a link.
const (
	expiresParam   = "expires"
	signatureParam = "signature"
	// ExtraParam holds what Sign was given as extra, in that order.
	ExtraParam = "extra"
)

// signLabel keeps these signatures apart from any other use of the key.
const signLabel = "parley blob link 1"

// Sign returns the query of a link, without "?", that allows op on the blob of
// key until expires, in whole seconds. It is for those who decided that the
// bearer may; the path of the link must lead to the key, for that is not in the
// query. Extra is carried along, readable by all and changeable by nobody: once
// Verify has accepted the query, its ExtraParam values are what was given here.
func (s *Store) Sign(op Op, key string, expires time.Time, extra ...string) string {
	deadline := strconv.FormatInt(expires.Unix(), 10)
	values := url.Values{
		expiresParam:   {deadline},
		signatureParam: {s.signature(op, key, deadline, extra)},
	}
	if len(extra) > 0 {
		values[ExtraParam] = extra
	}
	return values.Encode()
}

// Verify tells whether the query of a request allows op on the blob of key at
// the time now: nil, ErrSignature or ErrExpired. Parameters that Sign does not
// write are ignored. It does not tell whether there is such a blob.
func (s *Store) Verify(op Op, key string, values url.Values, now time.Time) error {
	deadlines, signatures := values[expiresParam], values[signatureParam]
	if len(deadlines) != 1 || len(signatures) != 1 {
		return fmt.Errorf("%w: incomplete", ErrSignature)
	}
	want := s.signature(op, key, deadlines[0], values[ExtraParam])
	if !hmac.Equal([]byte(signatures[0]), []byte(want)) {
		return ErrSignature
	}
	// It was signed as a number, so it is one.
	deadline, err := strconv.ParseInt(deadlines[0], 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if now.Unix() >= deadline {
		return ErrExpired
	}
	return nil
}

// signature is an HMAC over all that a link says. Each part is preceded by its
// length, so that no two lists of parts have the same bytes.
func (s *Store) signature(op Op, key, deadline string, extra []string) string {
	mac := hmac.New(sha256.New, s.key[:])
	for _, part := range slices.Concat([]string{signLabel, string(op), key, deadline}, extra) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		mac.Write(length[:])
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
