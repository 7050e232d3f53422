package opencord_test

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

const goldenFolder = "testdata/golden"

func TestDialect(t *testing.T) {
	t.Parallel()
	answers := opencord.Answers()
	d := dialecttest.Dialect{
		Answer: func(e *chat.Error) (int, string, bool) {
			_, ok := answers[e.Code]
			a := answers.Word(e)
			return a.Status, a.Text, ok
		},
		NotOffered: opencord.EventsNotOffered(),
		Golden:     goldenFolder,
	}
	for _, r := range opencord.Routes() {
		d.Routes = append(d.Routes, dialecttest.Route{
			Name: r.ID, Operation: r.Operation, Open: r.Auth == opencord.AuthNone,
		})
	}
	dialecttest.Run(t, d)
}
