package netguard_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/netguard"
)

func TestAllowedLoopback(t *testing.T) {
	t.Parallel()
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Errorf("echo: %v", err)
		}
	})
	resolver := names{"agent.example": {"127.0.0.1"}, "localhost": {"127.0.0.1"}}
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8"), Resolver: resolver})
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "agent.example", "localhost"} {
		u := "http://" + host + ":" + port + "/hook"
		if err := c.CheckURL(t.Context(), u); err != nil {
			t.Errorf("CheckURL(%s) = %v, want nil", u, err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, strings.NewReader("ping"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err != nil {
			t.Errorf("Do(%s): %v", u, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(body) != "ping" || err != nil {
			t.Errorf("Do(%s) answered %q, %v, want ping", u, body, err)
		}
	}
}

// The attack of DNS rebinding: harmless while the URL is checked, loopback
// when it is called.
func TestRebindingIsRefused(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, inside := range []string{"127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0"} {
		c := netguard.New(netguard.Options{Resolver: &sequence{answers: []string{"8.8.8.8", inside}}})
		u := "https://rebind.example:" + port + "/"
		if err := c.CheckURL(t.Context(), u); err != nil {
			t.Fatalf("CheckURL while the name is public: %v", err)
		}
		if _, err := get(t, c, u); !errors.Is(err, netguard.ErrBlocked) {
			t.Errorf("Do when the name is %s = %v, want %v", inside, err, netguard.ErrBlocked)
		}
	}
	// Had one of them connected, it would be accepted before this one.
	own, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	first, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = first.Close() })
	if got, want := first.RemoteAddr().String(), own.LocalAddr().String(); got != want {
		t.Errorf("loopback was reached from %s, want only this test's own %s", got, want)
	}
}

// http was allowed because the name was in the allow list; then it moved.
func TestHTTPOutsideAllowListIsRefusedAtDial(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{
		Allow:          prefixes("127.0.0.0/8"),
		Resolver:       &sequence{answers: []string{"127.0.0.1", "8.8.8.8", "10.0.0.1"}},
		ConnectTimeout: 200 * time.Millisecond,
	})
	const u = "http://moving.example/"
	if err := c.CheckURL(t.Context(), u); err != nil {
		t.Fatalf("CheckURL while the name is allowed: %v", err)
	}
	for _, now := range []string{"8.8.8.8", "10.0.0.1"} {
		if _, err := get(t, c, u); !errors.Is(err, netguard.ErrBlocked) {
			t.Errorf("Do when the name is %s = %v, want %v", now, err, netguard.ErrBlocked)
		}
	}
}

func TestDoRefusesBadURL(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{Resolver: names{}})
	for _, u := range []string{
		"ftp://h.example/", "https://u:p@h.example/", "https://h.example:22/",
		"https://2130706433/", "https://１２７.0.0.1/", "https://h.example/#f",
	} {
		body := &closer{Reader: strings.NewReader("x")}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, netguard.ErrURL) {
			t.Errorf("Do(%s) = %v, want %v", u, err, netguard.ErrURL)
		}
		if !body.closed.Load() {
			t.Errorf("Do(%s) left the request body open", u)
		}
	}
}

type closer struct {
	io.Reader
	closed atomic.Bool
}

func (c *closer) Close() error {
	c.closed.Store(true)
	return nil
}

func TestUnknownNameIsNotBlocked(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{Resolver: names{"empty.example": {}}})
	for _, host := range []string{"unknown.example", "empty.example"} {
		_, err := get(t, c, "https://"+host+"/")
		if err == nil || errors.Is(err, netguard.ErrBlocked) || errors.Is(err, netguard.ErrURL) {
			t.Errorf("Do(%s) = %v, want an error that can be retried", host, err)
		}
	}
}

func TestTriesFurtherAddresses(t *testing.T) {
	t.Parallel()
	port := server(t, func(http.ResponseWriter, *http.Request) {})
	resolver := names{
		"two.example":     {"127.0.0.2", "127.0.0.1"}, // nobody listens on the first
		"blocked.example": {"10.0.0.1", "127.0.0.1"},
	}
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8"), Resolver: resolver})
	if _, err := get(t, c, "http://two.example:"+port+"/"); err != nil {
		t.Errorf("second address: %v", err)
	}
	if _, err := get(t, c, "http://blocked.example:"+port+"/"); !errors.Is(err, netguard.ErrBlocked) {
		t.Errorf("refused first address: %v, want %v", err, netguard.ErrBlocked)
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/target" {
			followed.Store(true)
			return
		}
		http.Redirect(w, r, "/target", http.StatusFound)
	})
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8")})
	status, err := get(t, c, "http://127.0.0.1:"+port+"/")
	if err != nil || status != http.StatusFound {
		t.Errorf("Do = %d, %v, want the 302", status, err)
	}
	if followed.Load() {
		t.Error("the redirect was followed")
	}
}

func TestConnectionsAreNotReused(t *testing.T) {
	t.Parallel()
	peers := make(chan string, 2)
	encodings := make(chan string, 2)
	port := server(t, func(_ http.ResponseWriter, r *http.Request) {
		peers <- r.RemoteAddr
		encodings <- r.Header.Get("Accept-Encoding")
	})
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8")})
	for range 2 {
		if _, err := get(t, c, "http://127.0.0.1:"+port+"/"); err != nil {
			t.Fatal(err)
		}
		if got := <-encodings; got != "" {
			t.Errorf("Accept-Encoding %q, want none", got)
		}
	}
	if a, b := <-peers, <-peers; a == b {
		t.Errorf("two calls came over one connection, %s", a)
	}
}

func TestResponseHeaderIsBounded(t *testing.T) {
	t.Parallel()
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		size := 16 << 10
		if r.URL.Path == "/large" {
			size = 64 << 10
		}
		w.Header().Set("X-Fill", strings.Repeat("x", size))
	})
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8")})
	if _, err := get(t, c, "http://127.0.0.1:"+port+"/small"); err != nil {
		t.Errorf("header of 16 KiB: %v", err)
	}
	if _, err := get(t, c, "http://127.0.0.1:"+port+"/large"); err == nil {
		t.Error("header of 64 KiB was accepted")
	}
}

func TestTimeoutCoversBody(t *testing.T) {
	t.Parallel()
	port := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Write(bytes.Repeat([]byte("x"), 10))
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("flush: %v", err)
			}
		}
		<-r.Context().Done()
	})
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8"), Timeout: 300 * time.Millisecond})
	for _, path := range []string{"/header", "/body"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:"+port+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("%s: %v, want a timeout", path, err)
		}
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c := netguard.New(netguard.Options{Allow: prefixes("127.0.0.0/8")})
	var unknown x509.UnknownAuthorityError
	if _, err := get(t, c, s.URL); !errors.As(err, &unknown) {
		t.Errorf("Do against an unknown authority = %v, want %T", err, unknown)
	}
}

// Through a proxy the address judged would be the proxy's. The standard library
// exempts loopback hosts from proxies, so the destination has a name here.
func TestProxyOfEnvironmentIsIgnored(t *testing.T) {
	var proxied atomic.Bool
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Store(true) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	port := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	c := netguard.New(netguard.Options{
		Allow:    prefixes("127.0.0.0/8"),
		Resolver: names{"agent.example": {"127.0.0.1"}},
	})
	status, err := get(t, c, "http://agent.example:"+port+"/")
	if err != nil || status != http.StatusTeapot {
		t.Errorf("Do = %d, %v, want the answer of the destination", status, err)
	}
	if proxied.Load() {
		t.Error("the call went through the proxy")
	}
}
