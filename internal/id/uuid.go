package id

import (
	"crypto/rand"
	"encoding/hex"
)

// UUID is a UUID of any version in network byte order. Values compare with ==.
type UUID [16]byte

// textLen is the length of the hyphenated form.
const textLen = 36

// String is the lower-case hyphenated form, 36 characters.
func (u UUID) String() string {
	var b [textLen]byte
	hex.Encode(b[0:8], u[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], u[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], u[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], u[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], u[10:16])
	return string(b[:])
}

// ParseUUID reads the hyphenated form of 36 characters (8-4-4-4-12), hex digits
// in either case. Everything else is refused: braces, "urn:uuid:", 32 bare
// digits, blanks around it. Version and variant are not looked at.
func ParseUUID(s string) (UUID, bool) {
	if len(s) != textLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return UUID{}, false
	}
	// Where the two digits of each byte begin.
	starts := [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}
	var u UUID
	for i, at := range starts {
		hi, ok1 := hexDigit(s[at])
		lo, ok2 := hexDigit(s[at+1])
		if !ok1 || !ok2 {
			return UUID{}, false
		}
		u[i] = hi<<4 | lo
	}
	return u, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// NewRandom is a fresh UUID of version 4, for ids that name no row, such as
// request ids.
func NewRandom() UUID {
	var u UUID
	rand.Read(u[:]) // never fails: the process ends when the system has no randomness
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}
