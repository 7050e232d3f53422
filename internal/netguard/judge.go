package netguard

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"code.dny.dev/ssrf"
)

// judge decides about addresses, by the rules of AI 9.6. What the library
// blocks covers every range listed there, and a few more of the special-purpose
// registries (AS112, AMT, all IPv6 outside 2000::/3). Added here are the
// operator's allow list, the IPv4 addresses inside IPv6 ones, and zone ids.
type judge struct {
	allow  []netip.Prefix
	public *ssrf.Guardian
}

func newJudge(allow []netip.Prefix) judge {
	return judge{allow: slices.Clone(allow), public: ssrf.New()}
}

// check is nil if a may be connected to, else ErrBlocked. With onlyAllowed,
// public addresses are refused too, unless the allow list holds them.
func (j judge) check(a netip.Addr, onlyAllowed bool) error {
	if a.Zone() != "" {
		return fmt.Errorf("%w: %s has a zone id", ErrBlocked, a)
	}
	a = a.Unmap()
	inner := embedded4(a)
	for _, p := range j.allow {
		if p.Contains(a) || p.Contains(inner) {
			return nil
		}
	}
	if onlyAllowed {
		return fmt.Errorf("%w: %s is not in the allow list", ErrBlocked, a)
	}
	if err := j.public.SafeAddr(inner); err != nil {
		return fmt.Errorf("%w: %w", ErrBlocked, err)
	}
	return nil
}

// checkTarget refuses what is known without a look-up: a literal address by
// check, and a target that needs the allow list when there is none.
func (j judge) checkTarget(t target) error {
	if t.literal.IsValid() {
		return j.check(t.literal, t.onlyAllowed())
	}
	if t.onlyAllowed() && len(j.allow) == 0 {
		return fmt.Errorf("%w: no address is allowed", ErrBlocked)
	}
	return nil
}

// control is a net.Dialer.Control that refuses with check. It sees the address
// the socket is about to connect to.
func (j judge) control(onlyAllowed bool) func(network, address string, c syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrBlocked, err)
		}
		return j.check(ap.Addr(), onlyAllowed)
	}
}

// embedded4 is the IPv4 address inside an IPv4-compatible (::/96) or NAT64
// (64:ff9b::/96) one, and any other address itself. The unspecified and the
// loopback address have the form of the first and are themselves.
func embedded4(a netip.Addr) netip.Addr {
	if a.Is4() || a.IsUnspecified() || a.IsLoopback() {
		return a
	}
	b := a.As16()
	switch [12]byte(b[:12]) {
	case [12]byte{}, [12]byte{0x00, 0x64, 0xff, 0x9b}:
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}
