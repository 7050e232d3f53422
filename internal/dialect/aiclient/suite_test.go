package aiclient_test

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
)

const goldenFolder = "testdata/golden"

func TestDialect(t *testing.T) {
	t.Parallel()
	answers := aiclient.Answers()
	d := dialecttest.Dialect{
		Answer: func(e *chat.Error) (int, string, bool) {
			_, ok := answers[e.Code]
			a := answers.Word(e)
			return a.Status, a.Text, ok
		},
		Offered:    aiclient.EventsOffered(),
		NotOffered: aiclient.EventsNotOffered(),
		Golden:     goldenFolder,
	}
	for _, r := range aiclient.Routes() {
		d.Routes = append(d.Routes, dialecttest.Route{
			Name: r.ID, Operation: r.Operation, Open: r.Auth == aiclient.AuthNone,
		})
	}
	dialecttest.Run(t, d)
}

// Every route has a description of its own, and every description a route. What a route
// is said to fail with has an answer, and no two of its failures are the same.
func TestNotesAndRoutesAgree(t *testing.T) {
	t.Parallel()
	known, answers := aiclient.Notes(), aiclient.Answers()
	for _, r := range aiclient.Routes() {
		note, described := known[r.ID]
		if !described || note.Summary == "" || note.Tag == "" {
			t.Errorf("%s: is not described", r.ID)
		}
		delete(known, r.ID)
		said := map[aiclient.Answer]bool{}
		for _, e := range aiclient.Failures(r) {
			if _, ok := answers[e.Code]; !ok {
				t.Errorf("%s: fails with %s, which has no answer", r.ID, e.Code)
			}
			answer := answers.Word(e)
			if said[answer] {
				t.Errorf("%s: says %d %s twice", r.ID, answer.Status, answer.Text)
			}
			said[answer] = true
		}
	}
	for id := range known {
		t.Errorf("%s is described and is no route", id)
	}
}
