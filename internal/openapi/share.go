package openapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// sharing knows which responses for failures several operations have in common:
// of each status the most frequent one, named after the status.
type sharing struct {
	names    map[string]string // by key
	failures map[string][]Failure
}

// shareFailures looks for what operations have in common.
func shareFailures(operations []Operation) *sharing {
	count := make(map[string]int)
	best := make(map[int]string) // by status
	s := &sharing{names: make(map[string]string), failures: make(map[string][]Failure)}
	for _, op := range operations {
		for _, failures := range byStatus(op.Failures) {
			key, status := keyOf(failures), failures[0].Status
			count[key]++
			s.failures[key] = failures
			if count[key] > count[best[status]] {
				best[status] = key
			}
		}
	}
	for status, key := range best {
		if count[key] > 1 {
			s.names[key] = strings.ReplaceAll(http.StatusText(status), " ", "")
		}
	}
	return s
}

// nameOf returns the name of a shared response.
func (s *sharing) nameOf(failures []Failure) (string, bool) {
	name, ok := s.names[keyOf(failures)]
	return name, ok
}

// named lists the shared responses by name.
func (s *sharing) named() map[string][]Failure {
	out := make(map[string][]Failure)
	for key, name := range s.names {
		out[name] = s.failures[key]
	}
	return out
}

// byStatus groups failures by status, ascending; each group keeps its order.
func byStatus(failures []Failure) [][]Failure {
	groups := make(map[int][]Failure)
	var statuses []int
	for _, f := range failures {
		if groups[f.Status] == nil {
			statuses = append(statuses, f.Status)
		}
		groups[f.Status] = append(groups[f.Status], f)
	}
	slices.Sort(statuses)
	var out [][]Failure
	for _, status := range statuses {
		out = append(out, groups[status])
	}
	return out
}

// keyOf tells groups apart.
func keyOf(group []Failure) string {
	var key strings.Builder
	for _, f := range group {
		fmt.Fprintf(&key, "%d %s %v\n", f.Status, f.Name, f.Text)
	}
	return key.String()
}
