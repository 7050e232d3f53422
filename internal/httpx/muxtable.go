package httpx

import (
	"errors"
	"slices"
	"strings"
)

// add puts one row of the table into the tree.
func (m *Mux) add(r Route) error {
	if r.Method == "" || r.Handler == nil {
		return errors.New("needs a method and a handler")
	}
	segments, err := splitPattern(r.Path)
	if err != nil {
		return err
	}
	e := endpoint{method: r.Method, pattern: r.Path, handler: r.Handler}
	n := &m.root
	for _, s := range segments {
		if !s.wildcard {
			n = n.child(s.text)
			continue
		}
		e.names = append(e.names, s.text)
		if n.wildcard == nil {
			n.wildcard = new(node)
		}
		n = n.wildcard
	}
	if len(e.names) > maxPathValues {
		return errors.New("has too many wildcards")
	}
	if n.leaf == nil {
		n.leaf = new(leaf)
	}
	if slices.ContainsFunc(n.leaf.routes, func(o endpoint) bool { return o.method == e.method }) {
		return errors.New("is there already")
	}
	n.leaf.routes = append(n.leaf.routes, e)
	return nil
}

func (n *node) child(segment string) *node {
	if n.literal == nil {
		n.literal = make(map[string]*node)
	}
	c := n.literal[segment]
	if c == nil {
		c = new(node)
		n.literal[segment] = c
	}
	return c
}

type segment struct {
	text     string
	wildcard bool
}

// splitPattern reads a path pattern. The root has one empty literal segment,
// as the path "/" has.
func splitPattern(pattern string) ([]segment, error) {
	if pattern == "/{$}" {
		return []segment{{}}, nil
	}
	if !strings.HasPrefix(pattern, "/") {
		return nil, errors.New("must begin with a slash")
	}
	var out []segment
	for text := range strings.SplitSeq(pattern[1:], "/") {
		name, wildcard := strings.CutPrefix(text, "{")
		if wildcard {
			if name, wildcard = strings.CutSuffix(name, "}"); !wildcard {
				return nil, errors.New("has a wildcard that is no whole segment")
			}
			text = name
		}
		switch {
		case text == "" || text == "." || text == "..":
			return nil, errors.New("has an empty or dot segment; subtrees are not served and the root is /{$}")
		case strings.ContainsAny(text, "{}$%") || strings.HasSuffix(text, "..."):
			return nil, errors.New("has a segment that is neither plain text nor {name}")
		case wildcard && slices.Contains(out, segment{text, true}):
			return nil, errors.New("uses a wildcard name twice")
		}
		out = append(out, segment{text, wildcard})
	}
	return out, nil
}
