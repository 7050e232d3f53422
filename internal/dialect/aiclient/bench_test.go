package aiclient_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/internal/dialect/dialecttest"
)

// BenchmarkSendMessage measures a private message from the request to the answer,
// without a socket: unsigned, signed with a signature over the recipient or over the
// content alone, for which both forms are tried.
func BenchmarkSendMessage(b *testing.B) {
	w := newWorld(b, dialecttest.Engines()[0], limitsOff)
	c := newCast(b, w)
	k := c.signs(b)
	h := w.Server.Config.Handler
	const text = "Hello, world"
	plain := `{"toAiId":"` + c.B.id + `","content":"` + text + `"`
	for _, kind := range []struct{ name, body string }{
		{"unsigned", plain + `}`},
		{"bound", plain + `,"signature":"` + k.sign(b, bound("direct", c.A, c.B.id, text)) + `"}`},
		{"content", plain + `,"signature":"` + k.sign(b, text) + `"}`},
	} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := httptest.NewRequest(http.MethodPost, "/ai/messages", strings.NewReader(kind.body))
					r.Header.Set("Authorization", "Bearer "+c.A.Token)
					res := httptest.NewRecorder()
					h.ServeHTTP(res, r)
					if res.Code != http.StatusOK {
						b.Fatalf("got %d %s, want 200", res.Code, res.Body)
					}
				}
			})
		})
	}
}
