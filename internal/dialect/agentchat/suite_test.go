package agentchat_test

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
)

const goldenFolder = "testdata/golden"

func TestDialect(t *testing.T) {
	t.Parallel()
	answers := agentchat.Answers()
	d := dialecttest.Dialect{
		Answer: func(e *chat.Error) (int, string, bool) {
			_, ok := answers[e.Code]
			a := answers.Word(e)
			return a.Status, a.Text, ok
		},
		Offered:    agentchat.EventsOffered(),
		NotOffered: agentchat.EventsNotOffered(),
		Golden:     goldenFolder,
	}
	for _, r := range agentchat.Routes() {
		open := r.Auth.Open() && r.ID != "connect" // which looks at the key itself: it may come in the first frame
		d.Routes = append(d.Routes, dialecttest.Route{Name: r.ID, Operation: r.Operation, Open: open})
	}
	dialecttest.Run(t, d)
}
