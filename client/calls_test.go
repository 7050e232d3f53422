package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/client"
)

// Golden objects, as the server writes them.
const (
	goldenUser = `{"id":"u1","email":"ada@example.com","username":"Ada","display_name":"Ada L.","is_agent":true,` +
		`"status":"dnd","custom_status":null,"created_at":"2026-04-27T12:00:00.000Z","updated_at":"2026-04-27T12:00:01.250Z"}`
	goldenServer = `{"id":"s1","name":"HQ","description":null,"invite_code":"abcd1234","owner_id":"u1","member_count":2,` +
		`"created_at":"2026-04-27T12:00:00.000Z","updated_at":"2026-04-27T12:00:01.250Z"}`
	goldenChannel = `{"id":"c1","server_id":"s1","name":"general","topic":"all","type":"text","position":3,` +
		`"created_at":"2026-04-27T12:00:00.000Z","updated_at":"2026-04-27T12:00:01.250Z"}`
	goldenMessage = `{"id":"m1","content":"hi","author_id":"u1","channel_id":"c1","edited":false,` +
		`"created_at":"2026-04-27T12:00:00.000Z","updated_at":null,` +
		`"author":{"id":"u1","username":"Ada","display_name":"Ada L.","is_agent":true}}`
	goldenKey = `{"id":"k1","name":"prod","prefix":"aoc_12345678","created_at":"2026-04-27T12:00:00.000Z","last_used_at":null}`
	goldenDM  = `{"id":"d1","type":"dm","participant_ids":["u1","u2"],"recipient":` + goldenUser +
		`,"created_at":"2026-04-27T12:00:00.000Z","last_message_at":"2026-04-27T12:00:01.250Z"}`
	success = `{"success":true}`
)

func noon() time.Time  { return time.Date(2026, 4, 27, 12, 0, 0, 0, time.UTC) }
func later() time.Time { return noon().Add(1250 * time.Millisecond) }

func user() *client.User {
	return &client.User{
		ID: "u1", Email: "ada@example.com", Username: "Ada", DisplayName: "Ada L.", IsAgent: true, Status: client.DND,
		CreatedAt: noon(), UpdatedAt: later(),
	}
}

func server() *client.Server {
	return &client.Server{
		ID: "s1", Name: "HQ", InviteCode: "abcd1234", OwnerID: "u1", MemberCount: 2, CreatedAt: noon(), UpdatedAt: later(),
	}
}

func channel() *client.Channel {
	return &client.Channel{
		ID: "c1", ServerID: "s1", Name: "general", Topic: "all", Type: "text", Position: 3, CreatedAt: noon(), UpdatedAt: later(),
	}
}

func message() *client.Message {
	return &client.Message{
		ID: "m1", Content: "hi", AuthorID: "u1", ChannelID: "c1", CreatedAt: noon(),
		Author: client.Author{ID: "u1", Username: "Ada", DisplayName: "Ada L.", IsAgent: true},
	}
}

func key() client.Key {
	return client.Key{ID: "k1", Name: "prod", Prefix: "aoc_12345678", CreatedAt: noon()}
}

func dm() *client.DMChannel {
	return &client.DMChannel{
		ID: "d1", Type: "dm", ParticipantIDs: []client.UserID{"u1", "u2"}, Recipient: *user(),
		CreatedAt: noon(), LastMessageAt: later(),
	}
}

// openedDM is what OpenDM returns, as one value.
type openedDM struct {
	DM       *client.DMChannel
	Existing bool
}

func TestCalls(t *testing.T) {
	t.Parallel()
	messages := &client.MessagePage{Messages: []client.Message{*message()}, HasMore: true}
	goldenPage := `{"messages":[` + goldenMessage + `],"has_more":true}`
	before := client.Page{Before: later().In(time.FixedZone("", 7200)), Limit: 25}
	for _, test := range []struct {
		request string // method, path and query
		body    string // "" is none
		answer  string
		call    func(ctx context.Context, c *client.Client) (any, error)
		want    any
	}{
		{
			"POST /api/auth/register", `{"email":"ada@example.com","password":"12345678","username":"Ada","is_agent":true}`, `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.Register(ctx, client.Registration{Email: "ada@example.com", Password: "12345678", Username: "Ada", IsAgent: true})
			}, user(),
		},
		{
			"POST /api/auth/login", `{"email":"ada@example.com","password":"12345678"}`,
			`{"token":"sess_x","expires_at":"2026-04-27T12:00:01.250Z","user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.Login(ctx, "ada@example.com", "12345678")
			}, &client.Session{Token: "sess_x", ExpiresAt: later(), User: *user()},
		},
		{
			"POST /api/auth/logout", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.Logout(ctx) }, nil,
		},
		{
			"GET /api/auth/me", "", `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Me(ctx) }, user(),
		},
		{
			"POST /api/auth/api-key", `{"name":"prod"}`, `{"key":"aoc_secret",` + goldenKey[1:],
			func(ctx context.Context, c *client.Client) (any, error) { return c.CreateKey(ctx, "prod") },
			&client.NewKey{Key: key(), Secret: "aoc_secret"},
		},
		{
			"GET /api/auth/api-key", "", `{"keys":[` + goldenKey + `]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Keys(ctx) },
			[]client.Key{key()},
		},
		{
			"DELETE /api/auth/api-key/k1", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.RevokeKey(ctx, "k1") }, nil,
		},
		{
			"GET /api/servers", "", `{"servers":[` + goldenServer + `]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Servers(ctx) },
			[]client.Server{*server()},
		},
		{
			"GET /api/servers", "", `{"servers":[]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Servers(ctx) },
			[]client.Server{},
		},
		{
			"POST /api/servers", `{"name":"HQ","description":"ours"}`, `{"server":` + goldenServer + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.CreateServer(ctx, "HQ", "ours") }, server(),
		},
		{
			"GET /api/servers/s1", "", `{"server":` + goldenServer + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Server(ctx, "s1") }, server(),
		},
		{
			"PATCH /api/servers/s1", `{"description":"","regenerate_invite":true}`, `{"server":` + goldenServer + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.UpdateServer(ctx, "s1", client.ServerUpdate{Description: new(""), RegenerateInvite: true})
			}, server(),
		},
		{
			"DELETE /api/servers/s1", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteServer(ctx, "s1") }, nil,
		},
		{
			"POST /api/servers/s1/join", `{"invite_code":"abcd1234"}`, `{"server":` + goldenServer + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.JoinServer(ctx, "s1", "abcd1234") }, server(),
		},
		{
			"POST /api/servers/s1/leave", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.LeaveServer(ctx, "s1") }, nil,
		},
		{
			"GET /api/servers/s1/members", "", `{"members":[{"user_id":"u1","role":"owner","joined_at":"2026-04-27T12:00:00.000Z","user":` + goldenUser + `}]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Members(ctx, "s1") },
			[]client.Membership{{UserID: "u1", Role: client.Owner, JoinedAt: noon(), User: *user()}},
		},
		{
			"GET /api/servers/s1/channels", "", `{"channels":[` + goldenChannel + `]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Channels(ctx, "s1") },
			[]client.Channel{*channel()},
		},
		{
			"POST /api/servers/s1/channels", `{"name":"general"}`, `{"channel":` + goldenChannel + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.CreateChannel(ctx, "s1", "general", "")
			}, channel(),
		},
		{
			"GET /api/channels/c1", "", `{"channel":` + goldenChannel + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Channel(ctx, "c1") }, channel(),
		},
		{
			"PATCH /api/channels/c1", `{"name":"all","position":0}`, `{"channel":` + goldenChannel + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.UpdateChannel(ctx, "c1", client.ChannelUpdate{Name: new("all"), Position: new(0)})
			}, channel(),
		},
		{
			"DELETE /api/channels/c1", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteChannel(ctx, "c1") }, nil,
		},
		{
			"GET /api/channels/c1/messages", "", goldenPage,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.Messages(ctx, "c1", client.Page{})
			}, messages,
		},
		{
			"GET /api/channels/c1/messages?before=2026-04-27T12%3A00%3A01.25Z&limit=25", "", goldenPage,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Messages(ctx, "c1", before) }, messages,
		},
		{
			"POST /api/channels/c1/messages", `{"content":"hi \u003cb\u003e"}`, `{"message":` + goldenMessage + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.Send(ctx, "c1", "hi <b>") }, message(),
		},
		{
			"PATCH /api/messages/m1", `{"content":"hi"}`, `{"message":` + goldenMessage + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.EditMessage(ctx, "m1", "hi") }, message(),
		},
		{
			"DELETE /api/messages/m1", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteMessage(ctx, "m1") }, nil,
		},
		{
			"GET /api/dm", "", `{"channels":[` + goldenDM + `]}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.DMs(ctx) },
			[]client.DMChannel{*dm()},
		},
		{
			"POST /api/dm", `{"user_id":"u2"}`, `{"channel":` + goldenDM + `,"existing":true}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				d, existing, err := c.OpenDM(ctx, "u2")
				return openedDM{d, existing}, err
			},
			openedDM{dm(), true},
		},
		{
			"GET /api/dm/d1/messages?limit=100", "", goldenPage,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.DMMessages(ctx, "d1", client.Page{Limit: 100})
			}, messages,
		},
		{
			"POST /api/dm/d1/messages", `{"content":"hi"}`, `{"message":` + goldenMessage + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.SendDM(ctx, "d1", "hi") }, message(),
		},
		{
			"PATCH /api/dm/messages/m1", `{"content":"hi"}`, `{"message":` + goldenMessage + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.EditDM(ctx, "m1", "hi") }, message(),
		},
		{
			"DELETE /api/dm/messages/m1", "", success,
			func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteDM(ctx, "m1") }, nil,
		},
		{
			"GET /api/users/u1", "", `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.User(ctx, "u1") }, user(),
		},
		{
			"PATCH /api/users/me", `{"display_name":"Ada L."}`, `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) { return c.SetDisplayName(ctx, "Ada L.") }, user(),
		},
		{
			"PATCH /api/users/me/status", `{"status":"dnd","custom_status":""}`, `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.SetPresence(ctx, client.Presence{Status: new(client.DND), CustomStatus: new("")})
			}, user(),
		},
		{
			"PATCH /api/users/me/status", `{"custom_status":"busy"}`, `{"user":` + goldenUser + `}`,
			func(ctx context.Context, c *client.Client) (any, error) {
				return c.SetPresence(ctx, client.Presence{CustomStatus: new("busy")})
			}, user(),
		},
	} {
		t.Run(test.request, func(t *testing.T) {
			t.Parallel()
			var request, body, contentType string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, err := io.ReadAll(r.Body)
				if err != nil {
					t.Errorf("read the request: %v", err)
				}
				request, body, contentType = r.Method+" "+r.RequestURI, string(b), r.Header.Get("Content-Type")
				_, _ = io.WriteString(w, test.answer)
			}))
			defer s.Close()
			got, err := test.call(t.Context(), newClient(t, s.URL))
			if err != nil {
				t.Fatalf("got error %v, want none", err)
			}
			if request != test.request || body != test.body {
				t.Errorf("request: got %s with %s, want %s with %s", request, body, test.request, test.body)
			}
			if (contentType == "application/json") != (test.body != "") {
				t.Errorf("Content-Type with body %q: got %q", test.body, contentType)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("result (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	page := func(more bool, numbers ...int) string {
		list := ""
		for i, n := range numbers {
			if i > 0 {
				list += ","
			}
			list += fmt.Sprintf(`{"id":"m%d","created_at":"2026-04-27T12:00:00.%03dZ"}`, n, n)
		}
		return fmt.Sprintf(`{"messages":[%s],"has_more":%t}`, list, more)
	}
	answers := map[string]string{
		"/api/channels/c1/messages?limit=2":                                     page(true, 5, 4),
		"/api/channels/c1/messages?before=2026-04-27T12%3A00%3A00.004Z&limit=2": page(true, 3, 2),
		"/api/channels/c1/messages?before=2026-04-27T12%3A00%3A00.002Z&limit=2": page(false, 1),
		"/api/dm/d1/messages?before=2026-04-27T12%3A00%3A01.25Z":                page(true, 9),
		"/api/dm/d1/messages?before=2026-04-27T12%3A00%3A00.009Z":               page(true),
		"/api/channels/c2/messages":                                             page(true, 7),
	}
	var fetched atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		body, ok := answers[r.RequestURI]
		if !ok {
			w.WriteHeader(http.StatusForbidden)
			body = `{"error":"You are not a member of this server"}`
		}
		_, _ = io.WriteString(w, body)
	}))
	defer s.Close()
	c := newClient(t, s.URL)

	var got []client.MessageID
	for m, err := range c.History(t.Context(), "c1", client.Page{Limit: 2}) {
		if err != nil {
			t.Fatalf("channel history: %v", err)
		}
		got = append(got, m.ID)
	}
	if diff := cmp.Diff([]client.MessageID{"m5", "m4", "m3", "m2", "m1"}, got); diff != "" {
		t.Errorf("channel history (-want +got):\n%s", diff)
	}

	got = nil
	for m, err := range c.DMHistory(t.Context(), "d1", client.Page{Before: later()}) {
		if err != nil {
			t.Fatalf("DM history: %v", err)
		}
		got = append(got, m.ID)
	}
	if diff := cmp.Diff([]client.MessageID{"m9"}, got); diff != "" {
		t.Errorf("DM history with an empty last page (-want +got):\n%s", diff)
	}

	got = nil
	var failed error
	for m, err := range c.History(t.Context(), "c2", client.Page{}) {
		if failed != nil {
			t.Error("the error was not the last thing")
		}
		if failed = err; err == nil {
			got = append(got, m.ID)
		}
	}
	if client.StatusOf(failed) != http.StatusForbidden || len(got) != 1 {
		t.Errorf("history that ends with an error: got %v and %v, want m7 and a 403", got, failed)
	}

	fetched.Store(0)
	for _, err := range c.History(t.Context(), "c1", client.Page{Limit: 2}) {
		if err != nil {
			t.Errorf("history that is left early: %v", err)
		}
		break
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("pages fetched for a history that is left at its first message: got %d, want 1", n)
	}
}
