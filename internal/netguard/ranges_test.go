package netguard_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/internal/netguard"
)

// ranges are the blocked ranges of AI 9.6, each with its first and last
// address and the neighbours outside, "" where the neighbour is blocked too
// or is no address.
var ranges = []struct{ prefix, first, last, before, after string }{
	{"0.0.0.0/8", "0.0.0.0", "0.255.255.255", "", "1.0.0.0"},
	{"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
	{"100.64.0.0/10", "100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"},
	{"127.0.0.0/8", "127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"},
	{"169.254.0.0/16", "169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"},
	{"172.16.0.0/12", "172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"},
	{"192.0.0.0/24", "192.0.0.0", "192.0.0.255", "191.255.255.255", "192.0.1.0"},
	{"192.0.2.0/24", "192.0.2.0", "192.0.2.255", "192.0.1.255", "192.0.3.0"},
	{"192.88.99.0/24", "192.88.99.0", "192.88.99.255", "192.88.98.255", "192.88.100.0"},
	{"192.168.0.0/16", "192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"},
	{"198.18.0.0/15", "198.18.0.0", "198.19.255.255", "198.17.255.255", "198.20.0.0"},
	{"198.51.100.0/24", "198.51.100.0", "198.51.100.255", "198.51.99.255", "198.51.101.0"},
	{"203.0.113.0/24", "203.0.113.0", "203.0.113.255", "203.0.112.255", "203.0.114.0"},
	{"224.0.0.0/4", "224.0.0.0", "239.255.255.255", "223.255.255.255", ""},
	{"240.0.0.0/4", "240.0.0.0", "255.255.255.255", "", ""},

	{"::/128", "::", "::", "", ""},
	{"::1/128", "::1", "::1", "", ""},
	{"fc00::/7", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
	{"fe80::/10", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
	{"fec0::/10", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
	{"ff00::/8", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
	{"2001::/32", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "", ""},
	{"2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
	{"2002::/16", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
	{"100::/64", "100::", "100::ffff:ffff:ffff:ffff", "", ""},
}

// wrappings write an IPv4 address as the IPv6 addresses that mean it.
var wrappings = map[string]string{"mapped": "::ffff:", "compatible": "::", "NAT64": "64:ff9b::"}

// spellings are the address and, for IPv4, all its IPv6 forms.
func spellings(addr string) []string {
	all := []string{addr}
	if netip.MustParseAddr(addr).Is4() {
		for _, prefix := range wrappings {
			all = append(all, prefix+addr)
		}
	}
	return all
}

func literalURL(addr string) string {
	if strings.Contains(addr, ":") {
		addr = "[" + addr + "]"
	}
	return "https://" + addr + "/"
}

func TestBlockedRanges(t *testing.T) {
	t.Parallel()
	for _, r := range ranges {
		t.Run(r.prefix, func(t *testing.T) {
			t.Parallel()
			for _, edge := range []string{r.first, r.last} {
				for _, addr := range spellings(edge) {
					c := netguard.New(netguard.Options{
						Resolver:       names{"h.example": {addr}},
						ConnectTimeout: 200 * time.Millisecond,
					})
					for _, u := range []string{literalURL(addr), "https://h.example/"} {
						if got := c.CheckURL(t.Context(), u); !errors.Is(got, netguard.ErrBlocked) {
							t.Errorf("CheckURL(%s) at %s = %v, want %v", u, addr, got, netguard.ErrBlocked)
						}
						if _, got := get(t, c, u); !errors.Is(got, netguard.ErrBlocked) {
							t.Errorf("Do(%s) at %s = %v, want %v", u, addr, got, netguard.ErrBlocked)
						}
					}
				}
			}
			for _, outside := range []string{r.before, r.after} {
				if outside == "" {
					continue
				}
				c := netguard.New(netguard.Options{Resolver: names{}})
				for _, addr := range spellings(outside) {
					if got := c.CheckURL(t.Context(), literalURL(addr)); got != nil {
						t.Errorf("CheckURL(%s) = %v, want nil", addr, got)
					}
				}
			}
		})
	}
}

func TestZoneIDs(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{Allow: prefixes("fe80::/10", "::/0"), Resolver: names{}})
	for _, u := range []string{"https://[fe80::1%25eth0]/", "https://[2606:4700::1111%25lo]/", "https://[64:ff9b::8.8.8.8%25lo]/"} {
		if got := c.CheckURL(t.Context(), u); !errors.Is(got, netguard.ErrBlocked) {
			t.Errorf("CheckURL(%s) = %v, want %v", u, got, netguard.ErrBlocked)
		}
		if _, got := get(t, c, u); !errors.Is(got, netguard.ErrBlocked) {
			t.Errorf("Do(%s) = %v, want %v", u, got, netguard.ErrBlocked)
		}
	}
}

func TestAllowList(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		allow, addr string
		want        error
	}{
		{"127.0.0.0/8", "127.0.0.1", nil},
		{"127.0.0.0/8", "::ffff:127.0.0.1", nil},
		{"127.0.0.0/8", "64:ff9b::127.0.0.1", nil},
		{"127.0.0.0/8", "::127.0.0.1", nil},
		{"127.0.0.0/8", "::1", netguard.ErrBlocked},
		{"127.0.0.0/8", "10.0.0.1", netguard.ErrBlocked},
		{"::1/128", "::1", nil},
		{"::1/128", "0.0.0.1", netguard.ErrBlocked},
		{"::1/128", "127.0.0.1", netguard.ErrBlocked},
		{"0.0.0.0/8", "::", netguard.ErrBlocked},
		{"fd00::/8", "fd12::1", nil},
		{"fd00::/8", "fc12::1", netguard.ErrBlocked},
		{"192.168.1.7/24", "192.168.1.200", nil},
		{"64:ff9b::/96", "64:ff9b::10.0.0.1", nil},
		{"64:ff9b::/96", "10.0.0.1", netguard.ErrBlocked},
	} {
		c := netguard.New(netguard.Options{Allow: prefixes(tc.allow), Resolver: names{}})
		if got := c.CheckURL(t.Context(), literalURL(tc.addr)); !errors.Is(got, tc.want) {
			t.Errorf("allow %s: CheckURL(%s) = %v, want %v", tc.allow, tc.addr, got, tc.want)
		}
	}
}
