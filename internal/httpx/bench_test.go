package httpx_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"parley/internal/httpx"
)

// discard is the cheapest response writer there is, so that the benchmarks
// show the middlewares.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

type body struct{ *bytes.Reader }

func (body) Close() error { return nil }

func BenchmarkReadObject(b *testing.B) {
	for _, tc := range []struct{ name, text string }{
		{"short", `{"content":"hello, is anybody there?"}`},
		{"escapes", `{"content":"line one\nline two \u00e9\ud83d\ude00"}`},
		{"4000 characters", `{"content":"` + strings.Repeat("x", 4000) + `"}`},
		{"many members", "{" + strings.Repeat(`"a":1,`, 10000) + `"content":"x"}`},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(tc.text)))
			in := body{bytes.NewReader(nil)}
			r := &http.Request{Method: http.MethodPost, Body: in, ContentLength: int64(len(tc.text))}
			text := []byte(tc.text)
			for b.Loop() {
				in.Reset(text)
				o, err := httpx.ReadObject(r, 64<<10, false)
				if err != nil {
					b.Fatal(err)
				}
				if _, ok := o.String("content"); !ok || o.Err() != nil {
					b.Fatal("content not read", o.Err())
				}
			}
		})
	}
}

func BenchmarkWriteJSON(b *testing.B) {
	b.ReportAllocs()
	v := struct {
		ID      string `json:"id"`
		Content string `json:"content"`
		Edited  bool   `json:"edited"`
	}{"0192f0c1-2345-7890-abcd-ef0123456789", "hello, is anybody there?", false}
	w := discard{http.Header{}}
	for b.Loop() {
		if err := httpx.WriteJSON(w, http.StatusCreated, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChain(b *testing.B) {
	chain := func(h http.Handler) http.Handler {
		h = httpx.Guard{}.Wrap(httpx.CORS{Origin: "*", Expose: "X-RateLimit-Limit"}.Wrap(h))
		return httpx.Observe(httpx.NewClients(nil), func(httpx.Record) {})(httpx.RequestIDs(h))
	}
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	for _, tc := range []struct {
		name    string
		handler http.Handler
	}{
		{"middlewares", chain(ok)},
		{"middlewares and mux", chain(httpx.NewMux([]httpx.Route{
			{Method: "POST", Path: "/api/channels/{id}/messages", Handler: ok},
		}, nil, nil))},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest(http.MethodPost, "/api/channels/0192f0c1-2345-7890-abcd-ef0123456789/messages", nil)
			w := discard{http.Header{}}
			for b.Loop() {
				tc.handler.ServeHTTP(w, r)
			}
		})
	}
}

func BenchmarkClientAddr(b *testing.B) {
	b.ReportAllocs()
	c := httpx.NewClients([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "198.51.100.7, 203.0.113.9, 10.1.2.3")
	for b.Loop() {
		if p := httpx.Bucket(c.Addr(r)); !p.IsValid() {
			b.Fatal("no address")
		}
	}
}

// TestAllocations is not parallel: AllocsPerRun counts for the whole process.
func TestAllocations(t *testing.T) {
	addr := netip.MustParseAddr("2001:db8::1")
	clients := httpx.NewClients([]netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")})
	forwarded := httptest.NewRequest(http.MethodGet, "/", nil)
	forwarded.Header.Set("X-Forwarded-For", "6.6.6.6, 198.51.100.1, 192.0.2.7")
	many, err := httpx.ParseObject([]byte("{" + strings.Repeat(`"\n":1,`, 5000) + `"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		most float64
		run  func()
	}{
		{"Bucket", 0, func() { _ = httpx.Bucket(addr) }},
		{"Addr through a proxy", 0, func() { _ = clients.Addr(forwarded) }},
		{"lookup among hostile keys", 0, func() { _, _ = many.Raw("a") }},
		{"text, object and one string", 3, func() {
			o, _ := httpx.ParseObject([]byte(`{"content":"hello"}`))
			_, _ = o.String("content")
		}},
	} {
		if got := testing.AllocsPerRun(100, tc.run); got > tc.most {
			t.Errorf("%s allocates %v times, want at most %v", tc.name, got, tc.most)
		}
	}
}
