package agentchat_test

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/store"
)

// brokenStore cannot be read while broken is set.
func brokenStore(s store.Store, broken *atomic.Bool) store.Store {
	return dialecttest.Unreadable{Store: s, Fail: func(context.Context) error {
		if broken.Load() {
			return errors.New("the disk is gone")
		}
		return nil
	}}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	w := newWorld(t, dialecttest.Engines()[0], func(c *core.Config, _ *agentchat.Config) {
		c.Store = brokenStore(c.Store, &broken)
	})
	health := func() *response { return w.Visitor(t).Get("/v1/health") }
	health().Want(200).Is("status", "ok")
	broken.Store(true)
	health().Want(503).Is("status", "degraded")
	broken.Store(false)
	health().Want(200).Is("status", "ok")
}

// The document names every route of the table, and the address it was read from.
func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	r := w.Visitor(t).Get("/v1/openapi.json").Want(200).Is("openapi", "3.1.0").Is("servers.0.url", w.Server.URL)
	if got, want := r.Header.Get("Cache-Control"), "public, max-age=300"; got != want {
		t.Errorf("Cache-Control: got %q, want %q", got, want)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal([]byte(r.Raw), &document); err != nil {
		t.Fatalf("read the document: %v", err)
	}
	names := regexp.MustCompile(`\{[^}]+\}`)
	described := make(map[string]bool) // by method and path, the names of its parameters left out
	for path, methods := range document.Paths {
		for method := range methods {
			described[method+" "+names.ReplaceAllString(path, "{}")] = true
		}
	}
	for _, route := range agentchat.Routes() {
		what := strings.ToLower(route.Method) + " " + names.ReplaceAllString(route.Path, "{}")
		if !described[what] && route.Status != 101 {
			t.Errorf("%s %s is not in the document", route.Method, route.Path)
		}
	}
}

// Every address in the pages for language models is one of this server, and every
// endpoint they name is there.
func TestManuals(t *testing.T) {
	t.Parallel()
	const public = "https://chat.example.org/parley"
	w := newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, a *agentchat.Config) { a.PublicURL = public })
	var paths []string
	for _, r := range agentchat.Routes() {
		paths = append(paths, r.Path)
	}
	paths = append(paths, "/skill.md", "/v1/openapi.json", "/v1/health")
	for _, page := range []string{"/llms.txt", "/skill.md"} {
		r := w.Visitor(t).Get(page).Want(200)
		if got, want := r.Header.Get("Content-Type"), "text/plain; charset=utf-8"; got != want {
			t.Errorf("%s: got type %q, want %q", page, got, want)
		}
		if !strings.HasPrefix(r.Raw, "# ") || strings.Contains(r.Raw, "{base}") || strings.Contains(r.Raw, "{socket}") ||
			!strings.Contains(r.Raw, "wss://chat.example.org/parley/v1/ws") {
			t.Errorf("%s is not filled in:\n%s", page, r.Raw)
		}
		named := 0
		for _, part := range strings.Split(r.Raw, public)[1:] {
			path := part[:strings.IndexFunc(part+" ", func(c rune) bool { return strings.ContainsRune(" \n`?)\"", c) })]
			if path == "" {
				continue
			}
			named++
			if !slices.Contains(paths, path) {
				t.Errorf("%s names %s, which is no route", page, path)
			}
		}
		if named == 0 {
			t.Errorf("%s names no address", page)
		}
	}
}

// The answers of these routes are the same for everybody, limits or not.
func TestAboutNeedsNoKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	for _, path := range []string{"/v1/health", "/v1/openapi.json", "/llms.txt", "/skill.md"} {
		v := w.Visitor(t)
		v.Token = "ac_live_wrong"
		v.Get(path).Want(200)
		code(v.Post(path, nil), 405, "METHOD_NOT_ALLOWED")
	}
}

// A note that no route has is a route that lost its description.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	for _, r := range agentchat.Routes() {
		if r.Status == 101 {
			continue
		}
		if note := agentchat.NoteOf(r); note.Summary == "" || agentchat.TagOf(r) == "" {
			t.Errorf("%s: got summary %q and tag %q, want both", r.ID, note.Summary, agentchat.TagOf(r))
		}
		for _, e := range agentchat.Failures(r) {
			if answer := agentchat.Answers().Word(e); strings.Contains(answer.Text, "{") || strings.HasPrefix(answer.Text, " ") {
				t.Errorf("%s: example of %s: got %q, want its facts filled in", r.ID, e.Code, answer.Text)
			}
		}
	}
}
