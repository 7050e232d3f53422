package demo

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// calls is an http.RoundTripper that notes the calls made through it, so that the
// transcript can show them beside what they did.
type calls struct {
	next *http.Transport

	mu   sync.Mutex
	made []string // since they were last taken
	all  int
}

// RoundTrip makes the call and notes method, path and status.
func (c *calls) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all++
	c.made = append(c.made, fmt.Sprintf("%s %s %d", r.Method, shortPath(r.URL.RequestURI()), response.StatusCode))
	return response, nil
}

// take returns what to show for the calls since the last time: the call, or how
// many there were.
func (c *calls) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made
	c.made = nil
	switch len(made) {
	case 0:
		return ""
	case 1:
		return made[0]
	}
	return fmt.Sprintf("%d calls", len(made))
}

// count returns how many calls were made in all.
func (c *calls) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all
}

// shortPath puts an ellipsis where a path or query has an id or a time.
func shortPath(target string) string {
	path, query, _ := strings.Cut(target, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if isID(s) {
			segments[i] = "…"
		}
	}
	path = strings.Join(segments, "/")
	if query == "" {
		return path
	}
	if strings.Contains(query, "before=") {
		return path + "?before=…"
	}
	return path + "?" + query
}

// isID tells whether a segment of a path is an id: a UUID in /api, a prefix and 22
// characters in /v1.
func isID(s string) bool {
	if len(s) == 36 && strings.Count(s, "-") == 4 {
		return true
	}
	_, id, ok := strings.Cut(s, "_")
	return ok && len(id) == 22
}
