package dialecttest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Object is a JSON object to be sent.
type Object map[string]any

// But is the object with another value of one member.
func (o Object) But(member string, value any) Object {
	o = maps.Clone(o)
	o[member] = value
	return o
}

// Client is somebody who calls the server from one address, with or without a token.
type Client struct {
	T     testing.TB
	World *World
	Addr  string
	Token string
	HTTP  *http.Client // nil: the server's own
}

// Visitor is a client without an account.
func (w *World) Visitor(t testing.TB) *Client {
	n := w.Serial()
	return &Client{T: t, World: w, Addr: fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255)}
}

// Get sends no body.
func (c *Client) Get(path string, headers ...string) *Response {
	return c.Do("GET", path, nil, headers...)
}

// Post sends a body.
func (c *Client) Post(path string, body any, headers ...string) *Response {
	return c.Do("POST", path, body, headers...)
}

// Put sends a body.
func (c *Client) Put(path string, body any, headers ...string) *Response {
	return c.Do("PUT", path, body, headers...)
}

// Patch sends a body.
func (c *Client) Patch(path string, body any, headers ...string) *Response {
	return c.Do("PATCH", path, body, headers...)
}

// Delete sends no body.
func (c *Client) Delete(path string, headers ...string) *Response {
	return c.Do("DELETE", path, nil, headers...)
}

// Do sends a request to a path, or to a whole URL. A body that is a string or
// []byte is sent as it is, all else as JSON, nil not at all. A header is "Name:
// value". Redirects are not followed. Failures of transport are reported without
// ending the test, so that any goroutine may call Do.
func (c *Client) Do(method, path string, body any, headers ...string) *Response {
	c.T.Helper()
	var reader io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(b)
	case []byte:
		reader = strings.NewReader(string(b))
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			c.T.Fatalf("encode the body: %v", err)
		}
		reader = strings.NewReader(string(encoded))
	}
	r := &Response{t: c.T, what: method + " " + path}
	url := path
	if strings.HasPrefix(path, "/") {
		url = c.World.Server.URL + path
	}
	req, err := http.NewRequestWithContext(c.T.Context(), method, url, reader)
	if err != nil {
		c.T.Errorf("%s: %v", r.what, err)
		return r
	}
	req.Header.Set("X-Forwarded-For", c.Addr)
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Set(name, value)
	}
	client := http.Client{Transport: c.World.Server.Client().Transport}
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		c.T.Errorf("%s: %v", r.what, err)
		return r
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		c.T.Errorf("%s: read the answer: %v", r.what, err)
	}
	r.Status, r.Header, r.Raw = res.StatusCode, res.Header, string(raw)
	if method != http.MethodHead && strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &r.body); err != nil {
			c.T.Errorf("%s: answer is no JSON: %v\n%s", r.what, err, raw)
		}
	}
	return r
}

// Response is an answer and what may be asked of it.
type Response struct {
	t      testing.TB
	what   string
	Status int
	Header http.Header
	Raw    string
	body   any
}

// Want asserts the status.
func (r *Response) Want(status int) *Response {
	r.t.Helper()
	if r.Status != status {
		r.t.Fatalf("%s: got %d %s, want %d", r.what, r.Status, r.Raw, status)
	}
	return r
}

// Fails asserts a failure by status and the value of a member, such as "code".
func (r *Response) Fails(status int, member, value string) *Response {
	r.t.Helper()
	if r.Status != status || r.At(member) != value {
		r.t.Errorf("%s: got %d %s, want %d with %s %q", r.what, r.Status, r.Raw, status, member, value)
	}
	return r
}

// Is asserts the value at a path such as "messages.0.author.id"; the path of a
// bare array begins with an index, "" is the whole body.
func (r *Response) Is(path string, want any) *Response {
	r.t.Helper()
	if n, ok := want.(int); ok {
		want = float64(n)
	}
	if got := r.At(path); got != want {
		r.t.Errorf("%s: got %s = %#v, want %#v in %s", r.what, path, got, want, r.Raw)
	}
	return r
}

// Absent is what At finds where there is nothing: not even null.
type Absent struct{}

// At returns the value at a path; a missing one is Absent{}.
func (r *Response) At(path string) any { return At(r.body, path) }

// At returns the value at a path in decoded JSON, as Is names it; a missing one is
// Absent{}.
func At(value any, path string) any {
	if path == "" {
		return value
	}
	for part := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[part]
			if !ok {
				return Absent{}
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				return Absent{}
			}
			value = v[i]
		default:
			return Absent{}
		}
	}
	return value
}

// Next waits for what comes next on a channel, such as a call to a webhook.
func Next[T any](t testing.TB, calls <-chan T) T {
	t.Helper()
	select {
	case v := <-calls:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// Text returns the text at a path.
func (r *Response) Text(path string) string {
	r.t.Helper()
	s, ok := r.At(path).(string)
	if !ok {
		r.t.Fatalf("%s: no text at %q in %s", r.what, path, r.Raw)
	}
	return s
}

// List returns the list at a path.
func (r *Response) List(path string) []any {
	r.t.Helper()
	list, ok := r.At(path).([]any)
	if !ok {
		r.t.Fatalf("%s: no list at %q in %s", r.what, path, r.Raw)
	}
	return list
}

// Texts collects one member of every element of a list.
func (r *Response) Texts(list, member string) []string {
	r.t.Helper()
	prefix := list
	if prefix != "" {
		prefix += "."
	}
	out := []string{}
	for i := range r.List(list) {
		out = append(out, r.Text(prefix+strconv.Itoa(i)+"."+member))
	}
	return out
}

// Together runs n calls at once and returns their answers.
func Together[T any](n int, call func(i int) T) []T {
	out := make([]T, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			out[i] = call(i)
		})
	}
	close(start)
	all.Wait()
	return out
}

// Statuses counts answers by status.
func Statuses(all []*Response) map[int]int {
	n := make(map[int]int)
	for _, r := range all {
		n[r.Status]++
	}
	return n
}
