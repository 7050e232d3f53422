package opencord_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

// BenchmarkSendMessage measures a send from the request to the answer, without a
// socket; most of it is the commit.
func BenchmarkSendMessage(b *testing.B) {
	w := newWorld(b, dialecttest.Engines()[0], func(cc *core.Config, _ *opencord.Config) { cc.LimitsOff = true })
	c := newCast(b, w)
	h := w.Server.Config.Handler
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, inChannel(c.G), strings.NewReader(`{"content":"Hello, world"}`))
			r.Header.Set("Authorization", "Bearer "+c.M.Token)
			res := httptest.NewRecorder()
			h.ServeHTTP(res, r)
			if res.Code != http.StatusCreated {
				b.Fatalf("got %d %s, want 201", res.Code, res.Body)
			}
		}
	})
}
