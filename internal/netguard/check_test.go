package netguard_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"parley/internal/netguard"
)

func TestCheckURLForm(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{Resolver: names{}})
	longest := "https://h.example/" + strings.Repeat("a", 2048-len("https://h.example/"))
	for _, tc := range []struct {
		url  string
		want error
	}{
		{"https://h.example/", nil},
		{"https://h.example", nil},
		{"HTTPS://H.Example/", nil},
		{"https://h.example./", nil},
		{"https://h.example:443/hook?x=1", nil},
		{"https://h.example:80/", nil},
		{"https://h.example:1024/", nil},
		{"https://h.example:65535/", nil},
		{"https://single/", nil},
		{"https://a_b.example/", nil},
		{"https://xn--fsqu00a.xn--0zwm56d/", nil},
		{"https://1.2.3.example/", nil},
		{"https://0xy.example/", nil},
		{"https://8.8.8.8/", nil},
		{"https://[2606:4700::1111]:8443/", nil},
		{longest, nil},

		{longest + "a", netguard.ErrURL},
		{"", netguard.ErrURL},
		{"/x", netguard.ErrURL},
		{"//h.example/", netguard.ErrURL},
		{"h.example", netguard.ErrURL},
		{"https:h.example", netguard.ErrURL},
		{"https:///x", netguard.ErrURL},
		{"https://:443/", netguard.ErrURL},
		{"ftp://h.example/", netguard.ErrURL},
		{"file:///etc/passwd", netguard.ErrURL},
		{"http://h.example/", netguard.ErrURL},
		{"http://127.0.0.1/", netguard.ErrURL},
		{"https://u:p@h.example/", netguard.ErrURL},
		{"https://u@h.example/", netguard.ErrURL},
		{"https://@h.example/", netguard.ErrURL},
		{"https://h.example/#f", netguard.ErrURL},
		{"https://h.example/#", netguard.ErrURL},
		{"https://h.example:/", netguard.ErrURL},
		{"https://h.example:0/", netguard.ErrURL},
		{"https://h.example:22/", netguard.ErrURL},
		{"https://h.example:1023/", netguard.ErrURL},
		{"https://h.example:65536/", netguard.ErrURL},
		{"https://h.example:-443/", netguard.ErrURL},
		{"https://h.example:https/", netguard.ErrURL},
		{"https://h..example/", netguard.ErrURL},
		{"https://.h.example/", netguard.ErrURL},
		{"https://./", netguard.ErrURL},
		{"https://h example/", netguard.ErrURL},
		{"https://h.example\n/", netguard.ErrURL},
		{"https://" + strings.Repeat("a.", 127) + "a/", netguard.ErrURL},

		{"https://2130706433/", netguard.ErrURL},
		{"https://0x7f000001/", netguard.ErrURL},
		{"https://0X7F.1/", netguard.ErrURL},
		{"https://0x/", netguard.ErrURL},
		{"https://127.1/", netguard.ErrURL},
		{"https://127.0.0.1./", netguard.ErrURL},
		{"https://0177.0.0.1/", netguard.ErrURL},
		{"https://127.0.0.01/", netguard.ErrURL},
		{"https://127.0.0.0x1/", netguard.ErrURL},
		{"https://256.0.0.1/", netguard.ErrURL},
		{"https://1.2.3.4.5/", netguard.ErrURL},
		{"https://１２７.０.０.１/", netguard.ErrURL},
		{"https://127。0。0。1/", netguard.ErrURL},
		{"https://%31%32%37.0.0.1/", netguard.ErrURL},
		{"https://[127.0.0.1]/", netguard.ErrURL},
		{"https://[h.example]/", netguard.ErrURL},
		{"https://::1/", netguard.ErrURL},
		{"https://[::1/", netguard.ErrURL},
	} {
		if got := c.CheckURL(t.Context(), tc.url); !errors.Is(got, tc.want) {
			t.Errorf("CheckURL(%.80q) = %v, want %v", tc.url, got, tc.want)
		}
	}
}

// A user's URL often holds a secret, and errors end up in logs.
func TestErrorsDoNotQuoteTheURL(t *testing.T) {
	t.Parallel()
	c := netguard.New(netguard.Options{Resolver: names{}})
	for _, u := range []string{"https://h.example/hush%zz", "https://hush@h.example/", "ftp://hush/", "https://127.0.0.1/hush"} {
		if err := c.CheckURL(t.Context(), u); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("CheckURL(%q) = %v, want an error without the URL", u, err)
		}
	}
}

func TestLocalNames(t *testing.T) {
	t.Parallel()
	resolver := names{"localhost": {"127.0.0.1"}, "box.local": {"192.168.1.9"}, "two.internal": {"192.168.1.9", "8.8.8.8"}}
	for _, host := range []string{
		"localhost", "LocalHost", "localhost.", "a.localhost", "box.local", "BOX.LOCAL.",
		"a.b.internal", "metadata.google.internal", "two.internal",
	} {
		c := netguard.New(netguard.Options{Resolver: resolver})
		if got := c.CheckURL(t.Context(), "https://"+host+"/"); !errors.Is(got, netguard.ErrBlocked) {
			t.Errorf("CheckURL(%s) = %v, want %v", host, got, netguard.ErrBlocked)
		}
		if _, got := get(t, c, "https://"+host+"/"); !errors.Is(got, netguard.ErrBlocked) {
			t.Errorf("Do(%s) = %v, want %v", host, got, netguard.ErrBlocked)
		}
	}
	for _, host := range []string{"local", "internal", "notlocalhost", "localhost.example", "a-internal"} {
		c := netguard.New(netguard.Options{Resolver: resolver})
		if got := c.CheckURL(t.Context(), "https://"+host+"/"); got != nil {
			t.Errorf("CheckURL(%s) = %v, want nil", host, got)
		}
	}
	// The allow list lifts the block of a name all of whose addresses it holds.
	c := netguard.New(netguard.Options{Resolver: resolver, Allow: prefixes("192.168.1.0/24")})
	for host, want := range map[string]error{
		"box.local":       nil,
		"two.internal":    netguard.ErrBlocked,
		"localhost":       netguard.ErrBlocked,
		"unknown.local":   netguard.ErrBlocked,
		"unknown.example": nil,
	} {
		if got := c.CheckURL(t.Context(), "https://"+host+"/"); !errors.Is(got, want) {
			t.Errorf("CheckURL(%s) with allow list = %v, want %v", host, got, want)
		}
	}
}

func TestCheckURLResolves(t *testing.T) {
	t.Parallel()
	resolver := names{
		"public.example": {"8.8.8.8", "2606:4700::1111"},
		"mapped.example": {"::ffff:8.8.8.8"},
		"one.example":    {"8.8.8.8", "2606:4700::1111", "10.0.0.1"},
		"zone.example":   {"fe80::1%eth0"},
		"empty.example":  {},
		"lan.example":    {"10.1.2.3", "fd00::5"},
		"mixed.example":  {"10.1.2.3", "8.8.8.8"},
		"other.example":  {"10.1.2.3", "10.9.9.9"},
	}
	none := netguard.New(netguard.Options{Resolver: resolver})
	lan := netguard.New(netguard.Options{Resolver: resolver, Allow: prefixes("10.1.0.0/16", "fd00::/64")})
	for _, tc := range []struct {
		name   string
		client *netguard.Client
		url    string
		want   error
	}{
		{"public", none, "https://public.example/", nil},
		{"mapped public", none, "https://mapped.example/", nil},
		{"one of several blocked", none, "https://one.example/", netguard.ErrBlocked},
		{"zone id", none, "https://zone.example/", netguard.ErrBlocked},
		{"no address", none, "https://empty.example/", nil},
		{"unknown", none, "https://unknown.example/", nil},
		{"private", none, "https://lan.example/", netguard.ErrBlocked},
		{"http public", none, "http://public.example/", netguard.ErrURL},

		{"allowed", lan, "https://lan.example/", nil},
		{"public beside allow list", lan, "https://public.example/", nil},
		{"allowed and public", lan, "https://mixed.example/", nil},
		{"allowed and blocked", lan, "https://other.example/", netguard.ErrBlocked},
		{"http allowed", lan, "http://lan.example/", nil},
		{"http allowed literal", lan, "http://10.1.2.3:8080/", nil},
		{"http allowed IPv6 literal", lan, "http://[fd00::5]/", nil},
		{"http public with allow list", lan, "http://public.example/", netguard.ErrURL},
		{"http public literal", lan, "http://8.8.8.8/", netguard.ErrURL},
		{"http partly public", lan, "http://mixed.example/", netguard.ErrURL},
		{"http partly blocked", lan, "http://other.example/", netguard.ErrURL},
		{"http unknown", lan, "http://unknown.example/", netguard.ErrURL},
		{"http no address", lan, "http://empty.example/", netguard.ErrURL},
	} {
		if got := tc.client.CheckURL(t.Context(), tc.url); !errors.Is(got, tc.want) {
			t.Errorf("%s: CheckURL(%s) = %v, want %v", tc.name, tc.url, got, tc.want)
		}
	}
}

// stuck is a resolver that never answers.
type stuck struct{}

func (stuck) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCheckURLWithStuckResolver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := netguard.New(netguard.Options{Resolver: stuck{}})
		if got := c.CheckURL(t.Context(), "https://h.example/"); got != nil {
			t.Errorf("CheckURL = %v, want nil: it did not resolve in time", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if got := c.CheckURL(ctx, "https://h.example/"); !errors.Is(got, context.Canceled) {
			t.Errorf("CheckURL with a cancelled context = %v, want %v", got, context.Canceled)
		}
	})
}

// FuzzCheckURL looks for a literal address that slips through. Its oracle
// shares no code with the package: it reads what a lenient resolver would.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{
		"https://h.example/", "https://127.0.0.1/", "https://[::1]:443/", "https://[::ffff:10.0.0.1]/",
		"https://[64:ff9b::7f00:1]/", "https://[fe80::1%25eth0]/", "https://2130706433/", "https://0x7f.1/",
		"https://u:p@h.example:22/#f", "https://0177.0.0.1/", "https://１２７.0.0.1/", "http://127.0.0.1/",
	} {
		f.Add(s)
	}
	var blocked []netip.Prefix
	for _, r := range ranges {
		blocked = append(blocked, netip.MustParsePrefix(r.prefix))
	}
	numeric := regexp.MustCompile(`(?i)^(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*\.?$`)
	c := netguard.New(netguard.Options{Resolver: names{}})
	f.Fuzz(func(t *testing.T, raw string) {
		err := c.CheckURL(t.Context(), raw)
		if err != nil {
			if !errors.Is(err, netguard.ErrURL) && !errors.Is(err, netguard.ErrBlocked) {
				t.Errorf("CheckURL(%q) = %v, want ErrURL or ErrBlocked", raw, err)
			}
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(raw) > 2048 {
			t.Fatalf("CheckURL accepted %q", raw)
		}
		addr, err := netip.ParseAddr(u.Hostname())
		if err != nil {
			if numeric.MatchString(u.Hostname()) || strings.EqualFold(u.Hostname(), "localhost") {
				t.Errorf("CheckURL accepted %q", raw)
			}
			return
		}
		for _, p := range blocked {
			if p.Contains(addr) || p.Contains(addr.Unmap()) || addr.Zone() != "" {
				t.Errorf("CheckURL accepted %q, which is in %s", raw, p)
			}
		}
	})
}
