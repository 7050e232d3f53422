package client

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// defaultTimeout bounds one exchange, body included, unless the caller brings an
// HTTP client of its own.
const defaultTimeout = time.Minute

// Client makes calls to one server, with one token or none. It is immutable and
// safe for concurrent use.
type Client struct {
	base    string // without a slash at the end
	token   string
	agent   string
	http    *http.Client
	maxWait time.Duration
}

// Option changes how a Client made by New works.
type Option func(*Client)

// WithToken makes the Client act with a session token or an API key. A Client
// without one can register and log in, nothing else.
func WithToken(token string) Option { return func(c *Client) { c.token = token } }

// WithHTTPClient makes the Client use h as it is, for proxies, certificates or
// timeouts of one's own. The default gives up after a minute and follows no
// redirects: they would turn a POST into a GET.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(agent string) Option { return func(c *Client) { c.agent = agent } }

// WaitWhenLimited makes a call that is refused with 429 wait for the time in
// Retry-After and try again, as long as that is no more than longest in all. By
// default such a call fails at once, with the time in [Error.RetryAfter].
func WaitWhenLimited(longest time.Duration) Option {
	return func(c *Client) { c.maxWait = longest }
}

// New makes a Client for the server at baseURL, for example
// "https://chat.example.org". A path in it is kept: with
// "https://example.org/chat", calls go to /chat/api/... . New does not connect;
// its only error is a base URL that cannot be one.
func New(baseURL string, options ...Option) (*Client, error) {
	u, err := url.Parse(baseURL)
	if err != nil {
		return nil, fmt.Errorf("base URL: %w", err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return nil, fmt.Errorf("base URL %q: want http://... or https://... with a host", u.Redacted())
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return nil, fmt.Errorf("base URL %q: want no user, query or fragment", u.Redacted())
	}
	c := &Client{
		base:  strings.TrimRight(u.String(), "/"),
		agent: "parley-client",
		http: &http.Client{
			Timeout:       defaultTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	for _, option := range options {
		option(c)
	}
	return c, nil
}

// WithToken returns a Client for the same server that acts with another token.
// Both share their connections.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.token = token
	return &other
}

// Token returns the token that the Client acts with, "" if there is none.
func (c *Client) Token() string { return c.token }
