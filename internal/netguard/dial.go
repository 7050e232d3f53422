package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
)

// router is the transport of a Client. It judges the URL of the request and
// hands it to the transport whose dialler suits it.
type router struct {
	dest        judge
	public      http.RoundTripper // dials any address that is not blocked
	onlyAllowed http.RoundTripper // dials addresses of the allow list only
}

// RoundTrip refuses with ErrURL or ErrBlocked what the URL alone can tell.
func (rt router) RoundTrip(r *http.Request) (*http.Response, error) {
	t, err := targetOf(r.URL)
	if err == nil {
		err = rt.dest.checkTarget(t)
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a RoundTripper closes the body also when it fails
		}
		return nil, err
	}
	if t.onlyAllowed() {
		return rt.onlyAllowed.RoundTrip(r)
	}
	return rt.public.RoundTrip(r)
}

// dialer resolves a host and connects to the first of its addresses that
// answers. It resolves by itself so that each address reaches dial as a
// literal, where dial.Control judges it once more just before connecting.
type dialer struct {
	resolve Resolver
	dial    net.Dialer
}

func (d *dialer) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split destination: %w", err)
	}
	addrs := make([]netip.Addr, 1)
	if addrs[0], err = netip.ParseAddr(host); err != nil {
		if addrs, err = d.resolve.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, fmt.Errorf("look up destination: %w", err)
		}
	}
	failed := errors.New("the name has no address")
	for _, a := range addrs {
		conn, err := d.dial.DialContext(ctx, network, net.JoinHostPort(a.Unmap().String(), port))
		if err == nil {
			return conn, nil
		}
		failed = err
		// One refused address refuses the name, as when it is configured.
		if errors.Is(err, ErrBlocked) || ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("connect: %w", failed)
}
