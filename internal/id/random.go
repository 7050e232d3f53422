package id

import (
	"crypto/rand"
	"fmt"
)

// RandomString is n characters, each drawn from alphabet with equal chance by
// the system's secure generator: for invite codes and handle suffixes. The
// alphabet is 1 to 256 single-byte characters fixed in the program; any other
// length panics.
func RandomString(alphabet string, n int) string {
	if len(alphabet) < 1 || len(alphabet) > 256 {
		panic(fmt.Sprintf("id: alphabet of %d bytes", len(alphabet)))
	}
	// Bytes from here up would favour the beginning of the alphabet: they are
	// drawn again.
	fair := 256 - 256%len(alphabet)
	out := make([]byte, 0, n)
	buf := make([]byte, n)
	for len(out) < n {
		draw := buf[:n-len(out)]
		rand.Read(draw)
		for _, b := range draw {
			if int(b) < fair {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	return string(out)
}
