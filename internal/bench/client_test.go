package bench

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A run in which sends are refused must not look like a fast one.
func TestRefusedSendsEndTheRun(t *testing.T) {
	t.Parallel()
	f := &fixture{Connections: 2, Channels: 1, Tokens: []string{"aoc_a", "aoc_b"}, IDs: []string{strings.Repeat("0", uuidLength)}}
	p := pace{Connections: 2, Duration: time.Hour}
	used := func() (usage, error) { return usage{}, nil }
	for _, tc := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow down", http.StatusTooManyRequests) }, "slow down"},
		{"no length", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusCreated)
			_ = http.NewResponseController(w).Flush()
		}, "no length"},
		{"hung up", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "read an answer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(tc.answer)
			defer server.Close()
			_, err := overHTTP(t.Context(), f, strings.TrimPrefix(server.URL, "http://"), workSend, p, used)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error = %v, want %q in it", err, tc.want)
			}
		})
	}
}

// What the generator sends is what a client would send.
func TestRequest(t *testing.T) {
	t.Parallel()
	id := "0193b5e2-7a4b-8c1d-9e2f-3a4b5c6d7e8f"
	f := &fixture{Connections: 1, Directs: 1, Tokens: []string{"aoc_a"}, IDs: []string{id}}
	got := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		select {
		case got <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization") + " " + string(body):
		default:
		}
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	c, err := dial(t.Context(), f, 0, strings.TrimPrefix(server.URL, "http://"), workSend)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.conn.Close() }()
	if err := c.send(); err != nil {
		t.Fatal(err)
	}
	want := "POST /api/dm/" + id + `/messages Bearer aoc_a {"content":"` + messageText() + `"}`
	if request := <-got; request != want {
		t.Errorf("request = %s, want %s", request, want)
	}
	if len(messageText()) != messageBytes {
		t.Errorf("a message has %d bytes, want %d", len(messageText()), messageBytes)
	}
}
