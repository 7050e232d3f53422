package httpx

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxPathValues bounds the wildcards of one pattern, so that a lookup keeps
// its values on the stack.
const maxPathValues = 8

// Route is one row of a surface's table.
type Route struct {
	Method string // one method; a GET serves HEAD too unless the table has its own
	// Path is a pattern in the syntax of http.ServeMux, of which whole-segment
	// wildcards "{id}" are known, and "/{$}" for the root.
	Path    string
	Handler http.Handler
}

// Mux serves a table of routes and nothing else: it never redirects and never
// cleans a path. Among patterns that overlap the one whose earlier segments are
// literal wins, if it has the method. A Mux is immutable and safe for
// concurrent use.
//
// Differences to http.ServeMux, which the contracts ask for: an unclean path or
// a trailing slash is an unknown path; overlapping patterns never conflict; the
// answers 404 and 405 are the caller's.
type Mux struct {
	root             node
	notFound         http.Handler
	methodNotAllowed http.Handler
}

// node is a place in the tree of path segments.
type node struct {
	literal  map[string]*node
	wildcard *node
	leaf     *leaf // nil when no pattern ends here
}

// leaf holds the routes of all patterns with the same shape.
type leaf struct {
	routes []endpoint
	deny   *denial // the usual 405: this leaf alone matches the path
}

type endpoint struct {
	method, pattern string
	names           []string // of the path values, in order
	handler         http.Handler
}

// denial sets Allow and lets the surface write its 405.
type denial struct {
	allow   string
	methods []string // sorted
	pattern string
	next    http.Handler
}

func (d *denial) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", d.allow)
	d.next.ServeHTTP(w, r)
}

// NewMux builds the router. methodNotAllowed is called with Allow already set:
// every method of the path, HEAD where GET is, and OPTIONS. NewMux panics on a
// bad or doubled row: tables are program text, and a bad one must not start.
func NewMux(routes []Route, notFound, methodNotAllowed http.Handler) *Mux {
	m := &Mux{notFound: notFound, methodNotAllowed: methodNotAllowed}
	for _, r := range routes {
		if err := m.add(r); err != nil {
			panic(fmt.Sprintf("httpx: route %s %s: %v", r.Method, r.Path, err))
		}
	}
	m.root.seal(methodNotAllowed)
	return m
}

// ServeHTTP serves the handler that [Mux.Handler] finds.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h, _ := m.Handler(r)
	h.ServeHTTP(w, r)
}

// Handler returns the handler for r and the Path of its route, for those who
// have to know the route before it is served. For a known path with a wrong
// method that is the 405 handler and the pattern of the path; for an unknown
// path the 404 handler and "". It sets the path values and the pattern of r.
//
// Path values are percent-decoded and may hold any bytes, also slashes, NUL and
// invalid UTF-8. For HEAD the server drops the body; a handler that streams has
// to return after its headers.
func (m *Mux) Handler(r *http.Request) (http.Handler, string) {
	path, escaped := r.URL.Path, false
	if r.URL.RawPath != "" {
		path, escaped = r.URL.EscapedPath(), true
	}
	if path == "" || path[0] != '/' {
		return m.notFound, ""
	}
	l := lookup{method: r.Method, escaped: escaped}
	if e := l.find(&m.root, path[1:], 0); e != nil {
		for i, name := range e.names {
			r.SetPathValue(name, l.values[i])
		}
		r.Pattern = e.pattern
		SetPattern(r.Context(), e.pattern)
		return e.handler, e.pattern
	}
	if len(l.leaves) == 0 {
		return m.notFound, ""
	}
	d := l.denial(m.methodNotAllowed)
	r.Pattern = d.pattern
	SetPattern(r.Context(), d.pattern)
	return d, d.pattern
}

// lookup is the state of one search.
type lookup struct {
	method  string
	escaped bool // the path is percent-encoded
	values  [maxPathValues]string
	leaves  []*leaf // patterns that match the path but not the method
}

// find looks for the first endpoint under n that matches the rest of the path
// and the method, literal segments first. An empty or dot segment matches
// nothing, so a path that is not clean is unknown without a check of its own.
func (l *lookup) find(n *node, path string, depth int) *endpoint {
	segment, rest, more := strings.Cut(path, "/")
	if l.escaped {
		segment, _ = url.PathUnescape(segment) // EscapedPath returns no bad escapes
	}
	if segment == "." || segment == ".." {
		return nil
	}
	if child := n.literal[segment]; child != nil {
		if e := l.step(child, rest, more, depth); e != nil {
			return e
		}
	}
	if n.wildcard == nil || segment == "" {
		return nil
	}
	l.values[depth] = segment
	return l.step(n.wildcard, rest, more, depth+1)
}

func (l *lookup) step(n *node, rest string, more bool, depth int) *endpoint {
	if more {
		return l.find(n, rest, depth)
	}
	if n.leaf == nil {
		return nil
	}
	if e := n.leaf.endpoint(l.method); e != nil {
		return e
	}
	l.leaves = append(l.leaves, n.leaf)
	return nil
}

// denial returns the 405 for the patterns met; several of them share the path
// when they overlap, and then all their methods are allowed.
func (l *lookup) denial(next http.Handler) *denial {
	if len(l.leaves) == 1 {
		return l.leaves[0].deny
	}
	var methods []string
	for _, f := range l.leaves {
		methods = append(methods, f.deny.methods...)
	}
	return newDenial(methods, l.leaves[0].deny.pattern, next)
}

func newDenial(methods []string, pattern string, next http.Handler) *denial {
	slices.Sort(methods)
	methods = slices.Compact(methods)
	return &denial{allow: strings.Join(methods, ", "), methods: methods, pattern: pattern, next: next}
}

func (f *leaf) endpoint(method string) *endpoint {
	var get *endpoint
	for i := range f.routes {
		e := &f.routes[i]
		if e.method == method {
			return e
		}
		if e.method == http.MethodGet {
			get = e
		}
	}
	if method == http.MethodHead {
		return get
	}
	return nil
}

// seal prepares the 405 of every leaf once the table is complete.
func (n *node) seal(next http.Handler) {
	if n.leaf != nil {
		methods := []string{http.MethodOptions}
		for _, e := range n.leaf.routes {
			methods = append(methods, e.method)
			if e.method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
		n.leaf.deny = newDenial(methods, n.leaf.routes[0].pattern, next)
	}
	for _, child := range n.literal {
		child.seal(next)
	}
	if n.wildcard != nil {
		n.wildcard.seal(next)
	}
}
