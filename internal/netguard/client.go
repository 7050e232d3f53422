// Package netguard calls URLs that users gave, without letting them reach what
// only the server can reach.
//
// A user who may name a URL could point it at the server's own network: the
// loopback interface, a neighbour's database, the metadata service of a cloud.
// Looking at the name is not enough, since a name may resolve to a harmless
// address when it is configured and to 127.0.0.1 when it is called. So a
// destination is judged twice by the same rules (AI 9.6): by Client.CheckURL
// when the URL is configured, which gives the user an early answer, and on the
// address of the socket about to connect, which is what protects. The second
// check runs inside the dialler after resolution, so no later answer of the
// resolver can replace the address that was judged.
//
// A call also ignores the proxies of the environment, follows no redirect,
// keeps no connection for a later call, asks for no compression and reads a
// bounded header. Bounding what is read of the body is left to the caller.
package netguard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Errors of this package. Both are found with errors.Is in what Do and CheckURL
// return. Their texts may name addresses: they are for logs, not for users.
var (
	// ErrURL means that the URL is malformed or its scheme is not allowed.
	ErrURL = errors.New("url not allowed")
	// ErrBlocked means that the destination's address is refused.
	ErrBlocked = errors.New("destination blocked")
)

const (
	// maxHeaderBytes bounds the header of a response.
	maxHeaderBytes = 32 << 10

	defaultConnectTimeout = 3 * time.Second
	defaultTLSTimeout     = 3 * time.Second
	defaultTimeout        = 10 * time.Second
)

// Resolver looks up the addresses of a name. *net.Resolver is one.
type Resolver interface {
	// LookupNetIP is called with network "ip": both families.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options of a client. A timeout that is not positive takes its default.
type Options struct {
	// Allow lifts the block for the addresses in these ranges, and allows
	// plain http to them. Empty allows no private address and no http.
	Allow []netip.Prefix

	ConnectTimeout time.Duration // per address tried, and for CheckURL's look-up; 3 s
	TLSTimeout     time.Duration // 3 s
	Timeout        time.Duration // of the whole call, reading the body included; 10 s

	// Resolver answers look-ups; nil is the system's.
	Resolver Resolver
}

// Client makes guarded calls. It is safe for concurrent use and holds nothing
// that needs closing.
type Client struct {
	http    http.Client
	dest    judge
	resolve Resolver
	// lookupTimeout bounds the look-up of CheckURL; that of Do counts against
	// the whole call.
	lookupTimeout time.Duration
}

// New makes a client.
func New(o Options) *Client {
	connect := positiveOr(o.ConnectTimeout, defaultConnectTimeout)
	c := &Client{dest: newJudge(o.Allow), resolve: o.Resolver, lookupTimeout: connect}
	if c.resolve == nil {
		c.resolve = net.DefaultResolver
	}
	transport := func(onlyAllowed bool) *http.Transport {
		d := &dialer{
			resolve: c.resolve,
			dial:    net.Dialer{Timeout: connect, Control: c.dest.control(onlyAllowed)},
		}
		return &http.Transport{
			DialContext:         d.dialContext,
			TLSHandshakeTimeout: positiveOr(o.TLSTimeout, defaultTLSTimeout),
			// A kept connection would pass from one user's calls to
			// another's, and would outlive the judgement of its address.
			DisableKeepAlives: true,
			// A compressed body could be far larger than what was read.
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeaderBytes,
		}
	}
	c.http = http.Client{
		Transport: router{dest: c.dest, public: transport(false), onlyAllowed: transport(true)},
		Timeout:   positiveOr(o.Timeout, defaultTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	return c
}

// Do makes the call. A redirect is returned as the response it is. The caller
// closes the body and decides how much of it to read. Errors are those of
// http.Client, with ErrURL or ErrBlocked inside where the guard refused.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	return c.http.Do(r)
}

// CheckURL tells whether a URL may be configured as a destination: nil,
// ErrURL, ErrBlocked, or the error of ctx. It looks the host up; one refused
// address among several refuses the URL. A name that does not resolve now is
// accepted if it is https, since every call is judged again; for plain http
// the addresses must be known to be allowed, else it is ErrURL.
func (c *Client) CheckURL(ctx context.Context, rawURL string) error {
	t, err := parseTarget(rawURL)
	if err != nil {
		return err
	}
	if err := c.checkTarget(ctx, t); err != nil {
		// Where only the scheme stands in the way, it is the URL that is
		// wrong: without an allow list http is simply not on offer.
		if t.plain && errors.Is(err, ErrBlocked) {
			return fmt.Errorf("%w: http to an address outside the allow list", ErrURL)
		}
		return err
	}
	return nil
}

func (c *Client) checkTarget(ctx context.Context, t target) error {
	if err := c.dest.checkTarget(t); err != nil || t.literal.IsValid() {
		return err
	}
	lookup, cancel := context.WithTimeout(ctx, c.lookupTimeout)
	defer cancel()
	addrs, err := c.resolve.LookupNetIP(lookup, "ip", t.host)
	if ctx.Err() != nil {
		return fmt.Errorf("look up destination: %w", ctx.Err())
	}
	if err != nil || len(addrs) == 0 {
		if t.onlyAllowed() {
			return fmt.Errorf("%w: the name does not resolve", ErrBlocked)
		}
		return nil
	}
	for _, a := range addrs {
		if err := c.dest.check(a, t.onlyAllowed()); err != nil {
			return err
		}
	}
	return nil
}

func positiveOr(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
