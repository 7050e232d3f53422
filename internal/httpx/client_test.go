package httpx_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"parley/internal/httpx"
)

func TestClientAddr(t *testing.T) {
	t.Parallel()
	clients := httpx.NewClients([]netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("::ffff:172.16.0.0/108"), // 172.16.0.0/12
		netip.MustParsePrefix("127.0.0.1/32"),
		netip.MustParsePrefix("fd00::/8"),
	})
	for _, tc := range []struct {
		name, remote string
		forwarded    []string
		realIP, want string
	}{
		{name: "socket", remote: "203.0.113.5:99", want: "203.0.113.5"},
		{name: "socket, IPv6 with zone", remote: "[fe80::1%eth0]:99", want: "fe80::1"},
		{name: "socket, mapped", remote: "[::ffff:203.0.113.5]:99", want: "203.0.113.5"},
		{name: "stranger forwards nothing", remote: "203.0.113.5:99", forwarded: []string{"198.51.100.1"}, realIP: "198.51.100.2", want: "203.0.113.5"},
		{name: "proxy", remote: "10.0.0.1:99", forwarded: []string{"198.51.100.1"}, want: "198.51.100.1"},
		{name: "mapped proxy", remote: "[::ffff:10.0.0.1]:99", forwarded: []string{"198.51.100.1"}, want: "198.51.100.1"},
		{name: "proxy from a mapped prefix", remote: "172.31.0.1:99", forwarded: []string{"198.51.100.1"}, want: "198.51.100.1"},
		{name: "proxy on IPv6", remote: "[fd00::1]:99", forwarded: []string{"2001:db8::1"}, want: "2001:db8::1"},
		{name: "right-most untrusted", remote: "10.0.0.1:99", forwarded: []string{"6.6.6.6, 198.51.100.1, 10.9.9.9"}, want: "198.51.100.1"},
		{name: "lines in order", remote: "10.0.0.1:99", forwarded: []string{"6.6.6.6", "198.51.100.1", "10.9.9.9 ,10.8.8.8"}, want: "198.51.100.1"},
		{name: "all trusted", remote: "10.0.0.1:99", forwarded: []string{"10.0.0.3, 10.0.0.2"}, want: "10.0.0.3"},
		{name: "malformed at once", remote: "10.0.0.1:99", forwarded: []string{"6.6.6.6, unknown"}, want: "10.0.0.1"},
		{name: "malformed behind a proxy", remote: "10.0.0.1:99", forwarded: []string{"6.6.6.6, , 10.0.0.2"}, want: "10.0.0.2"},
		{name: "empty header", remote: "10.0.0.1:99", forwarded: []string{""}, realIP: "198.51.100.2", want: "10.0.0.1"},
		{name: "entry with port", remote: "10.0.0.1:99", forwarded: []string{"198.51.100.1:4711"}, want: "198.51.100.1"},
		{name: "entry in brackets", remote: "10.0.0.1:99", forwarded: []string{"[2001:db8::1]"}, want: "2001:db8::1"},
		{name: "entry in brackets with port", remote: "10.0.0.1:99", forwarded: []string{"[2001:db8::1]:80"}, want: "2001:db8::1"},
		{name: "entry mapped", remote: "10.0.0.1:99", forwarded: []string{"::ffff:198.51.100.1"}, want: "198.51.100.1"},
		{name: "entry mapped and trusted", remote: "10.0.0.1:99", forwarded: []string{"198.51.100.1, ::ffff:10.1.1.1"}, want: "198.51.100.1"},
		{name: "entry with zone", remote: "10.0.0.1:99", forwarded: []string{"fe80::2%en0"}, want: "fe80::2"},
		{name: "real ip", remote: "10.0.0.1:99", realIP: "198.51.100.2", want: "198.51.100.2"},
		{name: "real ip malformed", remote: "10.0.0.1:99", realIP: "nobody", want: "10.0.0.1"},
		{name: "forwarded before real ip", remote: "10.0.0.1:99", forwarded: []string{"198.51.100.1"}, realIP: "198.51.100.2", want: "198.51.100.1"},
		{name: "unix socket", remote: "@", want: "127.0.0.1"},
		{name: "unix socket, unnamed", remote: "", want: "127.0.0.1"},
		{name: "unix socket, bound", remote: "/run/proxy.sock", want: "127.0.0.1"},
		{name: "proxy on a unix socket", remote: "@", forwarded: []string{"198.51.100.1"}, want: "198.51.100.1"},
		{name: "no address at all", remote: "pipe", want: "invalid IP"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = tc.remote
			if tc.forwarded != nil {
				r.Header["X-Forwarded-For"] = tc.forwarded
			}
			if tc.realIP != "" {
				r.Header.Set("X-Real-IP", tc.realIP)
			}
			if got := clients.Addr(r).String(); got != tc.want {
				t.Errorf("Addr = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestZeroClientsTrustNobody(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "6.6.6.6")
	if got := new(httpx.Clients).Addr(r).String(); got != "127.0.0.1" {
		t.Errorf("Addr = %s, want 127.0.0.1", got)
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"192.0.2.7":                "192.0.2.7/32",
		"::ffff:192.0.2.7":         "192.0.2.7/32",
		"2001:db8:1:2:3:4:5:6":     "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::%eth0": "2001:db8:1:2::/64",
	} {
		if got := httpx.Bucket(netip.MustParseAddr(addr)).String(); got != want {
			t.Errorf("Bucket(%s) = %s, want %s", addr, got, want)
		}
	}
	if got := httpx.Bucket(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("Bucket of no address = %v, want the zero Prefix", got)
	}
}

// FuzzClientAddr holds the walk against a slow reading of its rule: split
// everything, go from the right.
func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:1", "6.6.6.6, 10.0.0.2", "10.0.0.3")
	f.Add("10.0.0.1:1", ",", "")
	f.Add("[fe80::1%x]:1", "[::1]:80,::ffff:10.0.0.1", "1.2.3.4:5,")
	f.Add("@", "unknown", "10.0.0.1")
	trusted := netip.MustParsePrefix("10.0.0.0/8")
	clients := httpx.NewClients([]netip.Prefix{trusted})
	alone := func(s string) netip.Addr {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Real-Ip": {s}}}
		if addr := clients.Addr(r); addr != netip.MustParseAddr("10.0.0.1") || strings.Contains(s, "10.0.0.1") {
			return addr
		}
		return netip.Addr{}
	}
	f.Fuzz(func(t *testing.T, remote, line1, line2 string) {
		peer := (&httpx.Clients{}).Addr(&http.Request{RemoteAddr: remote})
		got := clients.Addr(&http.Request{RemoteAddr: remote, Header: http.Header{"X-Forwarded-For": {line1, line2}}})

		want := peer
		for _, entry := range slices.Backward(strings.Split(line1+","+line2, ",")) {
			if !trusted.Contains(want) {
				break
			}
			hop := alone(entry)
			if !hop.IsValid() {
				break
			}
			want = hop
		}
		if got != want {
			t.Errorf("peer %q, header %q %q: Addr = %v, want %v", remote, line1, line2, got, want)
		}
		if got.Is4In6() || got.Zone() != "" {
			t.Errorf("Addr = %v, want it unmapped and without zone", got)
		}
	})
}
