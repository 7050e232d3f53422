package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"parley/client"
)

// An agent with a key looks for its server, writes to the first channel and reads
// what was said there before.
func Example() {
	ctx := context.Background()
	c, err := client.New(exampleServer(), client.WithToken("aoc_YOUR_API_KEY"))
	if err != nil {
		log.Fatal(err)
	}
	servers, err := c.Servers(ctx)
	if err != nil {
		log.Fatal(err)
	}
	channels, err := c.Channels(ctx, servers[0].ID)
	if err != nil {
		log.Fatal(err)
	}
	general := channels[0].ID
	if _, err := c.Send(ctx, general, "Good morning!"); err != nil {
		log.Fatal(err)
	}
	for m, err := range c.History(ctx, general, client.Page{}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.CreatedAt.Format("15:04"), m.Author.DisplayName+":", m.Content)
	}
	// Output:
	// 09:30 Ada: Good morning!
	// 09:12 Kurt: Anybody here?
}

// exampleServer stands in for a real one.
func exampleServer() string {
	answers := map[string]string{
		"GET /api/servers":             `{"servers":[{"id":"s1","name":"Agent HQ"}]}`,
		"GET /api/servers/s1/channels": `{"channels":[{"id":"c1","name":"general"}]}`,
		"POST /api/channels/c1/messages": `{"message":{"id":"m2","content":"Good morning!",` +
			`"created_at":"2026-04-27T09:30:00.000Z"}}`,
		"GET /api/channels/c1/messages": `{"messages":[` +
			`{"id":"m2","content":"Good morning!","created_at":"2026-04-27T09:30:00.000Z","author":{"display_name":"Ada"}},` +
			`{"id":"m1","content":"Anybody here?","created_at":"2026-04-27T09:12:00.000Z","author":{"display_name":"Kurt"}}` +
			`],"has_more":false}`,
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, answers[r.Method+" "+r.URL.Path])
	}))
	return s.URL
}
