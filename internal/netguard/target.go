package netguard

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const (
	maxURLLen  = 2048 // bytes
	maxHostLen = 253  // bytes, the limit of DNS
)

// target is what matters of a URL that has the right form.
type target struct {
	host    string
	literal netip.Addr // the host, if it is an address
	local   bool       // the host is a name of the local machine or network
	plain   bool       // http
}

// onlyAllowed tells whether the target may be reached only at addresses of the
// operator's allow list.
func (t target) onlyAllowed() bool { return t.plain || t.local }

// parseTarget reads a URL by the rules of AI 9.6. Its errors are ErrURL and do
// not quote the URL, which may hold a secret.
func parseTarget(rawURL string) (target, error) {
	if len(rawURL) > maxURLLen {
		return target{}, fmt.Errorf("%w: longer than %d bytes", ErrURL, maxURLLen)
	}
	// The parser does not tell an empty fragment from none.
	if strings.Contains(rawURL, "#") {
		return target{}, fmt.Errorf("%w: has a fragment", ErrURL)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return target{}, fmt.Errorf("%w: malformed", ErrURL)
	}
	return targetOf(u)
}

// targetOf is parseTarget for a URL that was parsed already.
func targetOf(u *url.URL) (target, error) {
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return target{}, fmt.Errorf("%w: scheme is not https", ErrURL)
	case u.Host == "":
		return target{}, fmt.Errorf("%w: no host", ErrURL)
	case u.User != nil:
		return target{}, fmt.Errorf("%w: has user info", ErrURL)
	case u.Fragment != "":
		return target{}, fmt.Errorf("%w: has a fragment", ErrURL)
	case !allowedPort(u):
		return target{}, fmt.Errorf("%w: port is not 80, 443 or from 1024 up", ErrURL)
	}
	t := target{host: u.Hostname(), plain: u.Scheme == "http"}
	literal, err := netip.ParseAddr(t.host)
	switch {
	case err == nil && literal.Is6() == strings.HasPrefix(u.Host, "["):
		t.literal = literal
	case err == nil || !isName(t.host):
		return target{}, fmt.Errorf("%w: host is neither a name nor an address", ErrURL)
	default:
		t.local = isLocalName(t.host)
	}
	return t, nil
}

func allowedPort(u *url.URL) bool {
	text := u.Port()
	if text == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && (port == 80 || port == 443 || port >= 1024)
}

// isName tells whether host is a DNS name in its ASCII form. International
// names are written in Punycode: the HTTP client would map other characters
// before it resolves, full-width digits to digits among them. A name whose
// last label is a number is not a name but an address in an odd form (decimal,
// octal, hexadecimal, shortened), which some resolvers would understand.
func isName(host string) bool {
	host = strings.TrimSuffix(host, ".")
	if host == "" || len(host) > maxHostLen {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.ContainsFunc(label, notInName) {
			return false
		}
		last = label
	}
	return !isNumber(last)
}

func notInName(r rune) bool {
	const inName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
	return !strings.ContainsRune(inName, r)
}

// isNumber tells whether a label is digits only, or 0x and hexadecimal digits,
// also none: the forms a lenient resolver takes for a part of an address.
func isNumber(label string) bool {
	digits, set := label, "0123456789"
	if len(label) >= 2 && strings.EqualFold(label[:2], "0x") {
		digits, set = label[2:], "0123456789abcdefABCDEF"
	}
	return strings.Trim(digits, set) == ""
}

// isLocalName tells whether a name is reserved for the own machine or network.
func isLocalName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" {
		return true
	}
	for _, suffix := range []string{".localhost", ".local", ".internal"} {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
