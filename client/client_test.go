package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/client"
)

// roundTrip lets a function answer requests.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, header http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body))}
}

func newClient(t *testing.T, baseURL string, options ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(baseURL, options...)
	if err != nil {
		t.Fatalf("New(%q): got %v, want a client", baseURL, err)
	}
	return c
}

func TestBaseURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{
		"", "chat.example.org", "/api", "ftp://example.org", "http://", "http://a b", "https://user:pw@example.org",
		"https://example.org?x=1", "https://example.org#top", ":",
	} {
		_, err := client.New(bad)
		if err == nil {
			t.Errorf("New(%q): got a client, want an error", bad)
		} else if strings.Contains(err.Error(), ":pw") {
			t.Errorf("New(%q): the error shows the password: %v", bad, err)
		}
	}
	for _, test := range []struct{ base, want string }{
		{"https://example.org", "https://example.org/api/auth/me"},
		{"https://example.org/", "https://example.org/api/auth/me"},
		{"https://example.org/chat/", "https://example.org/chat/api/auth/me"},
		{"http://[::1]:8080/a%2Fb", "http://[::1]:8080/a%2Fb/api/auth/me"},
	} {
		var got string
		c := newClient(t, test.base, client.WithHTTPClient(&http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.URL.String()
			return answer(http.StatusOK, nil, `{"user":{"id":"u1"}}`), nil
		})}))
		if _, err := c.Me(t.Context()); err != nil || got != test.want {
			t.Errorf("Me with base %q: got %s, %v, want %s", test.base, got, err, test.want)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.Header.Get("User-Agent"))
		_, _ = io.WriteString(w, `{"user":{"id":"u1"}}`)
	}))
	defer s.Close()
	nobody := newClient(t, s.URL, client.WithUserAgent("ada/1"))
	ada := nobody.WithToken("aoc_ada")
	for _, c := range []*client.Client{nobody, ada, ada.WithToken("sess_eve"), newClient(t, s.URL, client.WithToken("aoc_opt"))} {
		if _, err := c.Me(t.Context()); err != nil {
			t.Fatalf("Me: %v", err)
		}
	}
	want := []string{" ada/1", "Bearer aoc_ada ada/1", "Bearer sess_eve ada/1", "Bearer aoc_opt parley-client"}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("headers: got %q, want %q", got, want)
	}
	if nobody.Token() != "" || ada.Token() != "aoc_ada" {
		t.Errorf("tokens: got %q and %q, want none and aoc_ada", nobody.Token(), ada.Token())
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body, retry string
		status            int
		want              client.Error
		text              string
	}{
		{
			"the server's sentence", `{"error":"Invalid invite code"}`, "", http.StatusForbidden,
			client.Error{Status: http.StatusForbidden, Text: "Invalid invite code"},
			"GET /api/auth/me: 403 Invalid invite code",
		},
		{
			"limited", `{"error":"Rate limit exceeded. Please try again later."}`, "45", http.StatusTooManyRequests,
			client.Error{Status: http.StatusTooManyRequests, Text: "Rate limit exceeded. Please try again later.", RetryAfter: 45 * time.Second},
			"GET /api/auth/me: 429 Rate limit exceeded. Please try again later.",
		},
		{
			"a proxy's page", "<h1>nothing here</h1>", "Wed, 21 Oct 2026 07:28:00 GMT", http.StatusBadGateway,
			client.Error{Status: http.StatusBadGateway, Text: "Bad Gateway"},
			"GET /api/auth/me: 502 Bad Gateway",
		},
		{
			"a redirect", "", "", http.StatusFound,
			client.Error{Status: http.StatusFound, Text: "Found"},
			"GET /api/auth/me: 302 Found",
		},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			if test.retry != "" {
				w.Header().Set("Retry-After", test.retry)
			}
			w.WriteHeader(test.status)
			_, _ = io.WriteString(w, test.body)
		}))
		test.want.Method, test.want.Path = http.MethodGet, "/api/auth/me"
		_, err := newClient(t, s.URL).Me(t.Context())
		s.Close()
		var got *client.Error
		if !errors.As(err, &got) || *got != test.want {
			t.Errorf("%s: got %#v, want %#v", test.name, got, test.want)
			continue
		}
		if err.Error() != test.text {
			t.Errorf("%s: got %q, want %q", test.name, err.Error(), test.text)
		}
		if got := client.StatusOf(err); got != test.status {
			t.Errorf("%s: StatusOf: got %d, want %d", test.name, got, test.status)
		}
	}
	if got := client.StatusOf(errors.New("no answer")); got != 0 {
		t.Errorf("StatusOf without an answer: got %d, want 0", got)
	}
}

func TestAnswersThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", `{"user":null}`, `{"user":[]}`, "<html>", `{"user":{"id":"u1"}`} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		u, err := newClient(t, s.URL).Me(t.Context())
		s.Close()
		if err == nil {
			t.Errorf("answer %q: got user %+v, want an error", body, u)
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"user":"`+strings.Repeat("x", 17<<20)+`"}`)
	}))
	defer s.Close()
	if _, err := newClient(t, s.URL).Me(t.Context()); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("answer of 17 MiB: got %v, want that it is too long", err)
	}
	if _, _, err := newClient(t, s.URL).OpenDM(t.Context(), "u2"); err == nil {
		t.Errorf("OpenDM with an answer of 17 MiB: got no error, want one")
	}
}

// An id is user input in many programs: it may not lead the call elsewhere.
func TestIDsStayInTheirPlace(t *testing.T) {
	t.Parallel()
	var got string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.RequestURI
		_, _ = io.WriteString(w, `{"success":true}`)
	}))
	defer s.Close()
	c := newClient(t, s.URL)
	for _, id := range []client.ServerID{"", ".", ".."} {
		if err := c.DeleteServer(t.Context(), id); err == nil || got != "" {
			t.Errorf("DeleteServer(%q): got %v and request %q, want an error and none", id, err, got)
		}
	}
	if err := c.DeleteServer(t.Context(), "a/../b?c#d e"); err != nil {
		t.Fatalf("DeleteServer: %v", err)
	}
	if want := "/api/servers/a%2F..%2Fb%3Fc%23d%20e"; got != want {
		t.Errorf("path: got %s, want %s", got, want)
	}
}

// limited answers 429 with the given seconds until they are used up, then success.
func limited(times *int, seconds ...string) *http.Client {
	return &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		*times++
		if *times <= len(seconds) {
			return answer(http.StatusTooManyRequests, http.Header{"Retry-After": {seconds[*times-1]}}, `{"error":"slow down"}`), nil
		}
		return answer(http.StatusCreated, nil, `{"message":{"id":"m1"}}`), nil
	})}
}

func TestWaitWhenLimited(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options []client.Option
		seconds []string
		calls   int
		took    time.Duration
		status  int
	}{
		{"not asked to wait", nil, []string{"3"}, 1, 0, http.StatusTooManyRequests},
		{"waits once", []client.Option{client.WaitWhenLimited(time.Minute)}, []string{"3"}, 2, 3 * time.Second, 0},
		{"waits twice", []client.Option{client.WaitWhenLimited(time.Minute)}, []string{"50", "10"}, 3, time.Minute, 0},
		{"no longer than asked", []client.Option{client.WaitWhenLimited(time.Minute)}, []string{"50", "11"}, 2, 50 * time.Second, http.StatusTooManyRequests},
		{"no time is said", []client.Option{client.WaitWhenLimited(time.Minute)}, []string{""}, 1, 0, http.StatusTooManyRequests},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls, began := 0, time.Now()
				c := newClient(t, "http://parley.test", append(test.options, client.WithHTTPClient(limited(&calls, test.seconds...)))...)
				_, err := c.Send(t.Context(), "c1", "hello")
				if got := client.StatusOf(err); got != test.status {
					t.Errorf("status: got %d (%v), want %d", got, err, test.status)
				}
				if took := time.Since(began); calls != test.calls || took != test.took {
					t.Errorf("got %d calls in %v, want %d in %v", calls, took, test.calls, test.took)
				}
			})
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := newClient(t, "http://parley.test", client.WaitWhenLimited(time.Hour), client.WithHTTPClient(limited(&calls, "60")))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.Send(ctx, "c1", "hello")
		if client.StatusOf(err) != http.StatusTooManyRequests || calls != 1 {
			t.Errorf("got %v after %d calls, want the 429 after 1", err, calls)
		}
	})
}

// Whether a message was stored is unknown when the connection breaks: sending it
// again could store it twice.
func TestBrokenConnectionIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	calls := 0
	broken := errors.New("connection reset")
	c := newClient(t, "http://parley.test", client.WaitWhenLimited(time.Hour), client.WithHTTPClient(&http.Client{
		Transport: roundTrip(func(*http.Request) (*http.Response, error) { calls++; return nil, broken }),
	}))
	_, err := c.Send(t.Context(), "c1", "hello")
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("got %v after %d calls, want %v after 1", err, calls, broken)
	}
	if want := "POST /api/channels/c1/messages: connection reset"; err == nil || err.Error() != want {
		t.Errorf("error: got %v, want %s", err, want)
	}
}

func TestContextEndsACall(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	if _, err := newClient(t, s.URL).Me(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
