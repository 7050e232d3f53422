package wsx_test

import (
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"parley/internal/wsx"
)

// FuzzPeer lets a peer send anything: the connection ends with a reason, nothing that
// is too large or no text is handed on, and nothing panics.
func FuzzPeer(f *testing.F) {
	for _, seed := range []string{
		"",
		masked(0x81, "hello"),
		masked(0x01, "hel") + masked(0x89, "ping") + masked(0x80, "lo"),
		masked(0x82, "\x00\xff") + masked(0x8A, ""),
		masked(0x88, "\x03\xe8bye"),
		masked(0x88, "x"),
		masked(0x81, strings.Repeat("x", 120)),
		"\x81\xfe\x01\x00\x00\x00\x00\x00",
		"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00",
		"GET / HTTP/1.1\r\n\r\n",
	} {
		f.Add(seed)
	}
	const limit = 100
	f.Fuzz(func(t *testing.T, sent string) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{MaxFrame: limit}), "", func(p *peer) {
			p.onMessage = func(data []byte, binary bool) {
				if len(data) > limit || !binary && !utf8.Valid(data) {
					t.Errorf("handed on %d bytes %q, binary %v", len(data), data, binary)
				}
			}
		})
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			_, _ = io.Copy(io.Discard, client)
		}()
		_, _ = io.WriteString(client, sent) // fails once the server has had enough
		_ = client.Close()
		if why := p.end(t); why == nil || strings.Contains(why.Error(), "panic") {
			t.Errorf("ended with %v, want a reason that is no panic", why)
		}
		<-answered
	})
}
