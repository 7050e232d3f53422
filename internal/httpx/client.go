package httpx

import (
	"net/http"
	"net/netip"
	"strings"
)

// Clients resolves who is behind a request. Its zero value trusts no proxy. It
// is immutable and safe for concurrent use.
type Clients struct {
	trusted []netip.Prefix
}

// NewClients trusts the forwarding headers of peers inside the given prefixes.
// IPv4 prefixes in their IPv6-mapped form are taken as IPv4.
func NewClients(trusted []netip.Prefix) *Clients {
	c := &Clients{trusted: make([]netip.Prefix, 0, len(trusted))}
	for _, p := range trusted {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		c.trusted = append(c.trusted, p.Masked())
	}
	return c
}

// Addr returns the address of the client, unmapped and without zone. That is
// the socket address unless a trusted proxy is the peer: then the right-most
// untrusted entry of X-Forwarded-For, or without that header X-Real-IP. An
// entry that is no address ends the walk at the last good one, so that nothing
// left of it is believed. A peer on a Unix socket counts as loopback. The zero
// Addr stands for a RemoteAddr that is no address at all.
func (c *Clients) Addr(r *http.Request) netip.Addr {
	addr := peer(r.RemoteAddr)
	if !c.trusts(addr) {
		return addr
	}
	if lines, ok := r.Header["X-Forwarded-For"]; ok {
		return c.walk(addr, lines)
	}
	if hop, ok := parseHop(r.Header.Get("X-Real-Ip")); ok {
		return hop
	}
	return addr
}

// walk goes from the peer towards the client, over all header lines as if they
// were joined by commas, for as long as the hop that wrote an entry is trusted.
func (c *Clients) walk(peer netip.Addr, lines []string) netip.Addr {
	last := peer
	for i := len(lines) - 1; i >= 0; i-- {
		rest, more := lines[i], true
		for more {
			var entry string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, entry = rest[:comma], rest[comma+1:]
			} else {
				entry, more = rest, false
			}
			hop, ok := parseHop(entry)
			if !ok {
				return last
			}
			if last = hop; !c.trusts(hop) {
				return last
			}
		}
	}
	return last
}

func (c *Clients) trusts(addr netip.Addr) bool {
	for _, p := range c.trusted {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// peer reads the RemoteAddr of a request. The server reports "@", "" or the
// path of the client's own socket for Unix peers.
func peer(remote string) netip.Addr {
	if remote == "" || remote[0] == '@' || remote[0] == '/' {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return plain(ap.Addr())
	}
	addr, _ := parseHop(remote)
	return addr
}

// parseHop reads one address, with or without port, IPv6 with or without
// brackets: proxies differ.
func parseHop(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if addr, err := netip.ParseAddr(s); err == nil {
		return plain(addr), true
	}
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		s += ":0" // brackets without a port
	}
	ap, err := netip.ParseAddrPort(s)
	return plain(ap.Addr()), err == nil
}

func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Bucket groups addresses for rate limits: IPv4 singly, IPv6 by /64, which is
// what one customer gets. The result is comparable and costs no allocation;
// that of the zero Addr is the zero Prefix.
func Bucket(addr netip.Addr) netip.Prefix {
	addr = plain(addr)
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // fails for too many bits only
	return p
}
