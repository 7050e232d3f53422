package opencord_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
)

// TestGolden plays one story that passes by every route and compares what goes
// over the wire with the golden files. Both engines must tell the same.
func TestGolden(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		s := &story{t: t, w: w, routes: map[string]opencord.Route{}, client: w.visitor(t)}
		for _, r := range opencord.Routes() {
			s.routes[r.ID] = r
		}
		s.tell()
		for id := range s.routes {
			t.Errorf("the story does not pass by %s", id)
		}
	})
}

type story struct {
	t      *testing.T
	w      *world
	routes map[string]opencord.Route // not told yet
	client *client
	pair   []string // ids of the two accounts, as DM channels name them
}

func (s *story) tell() {
	ada := object{"email": "Ada@Example.org", "password": password, "username": "Ada", "is_agent": true}
	adaID := s.step("register", "", ada).text("user.id")
	bob := object{"email": "bob@example.org", "password": password, "username": "bob"}
	bobID := s.client.post("/api/auth/register", bob).want(201).text("user.id")
	s.pair = []string{adaID, bobID}
	slices.Sort(s.pair)
	s.client.Token = s.step("login", "", object{"email": "ada@example.org", "password": password}).text("token")
	bobs := s.client.post("/api/auth/login", object{"email": "bob@example.org", "password": password}).want(200).text("token")

	s.step("getMe", "", nil)
	s.step("getMeAlias", "", nil)
	s.step("updateMe", "", object{"display_name": "Ada L."})
	s.step("setStatus", "", object{"status": "dnd", "custom_status": "thinking"})
	s.step("getUser", bobID, nil)
	key := s.step("createKey", "", object{"name": "laptop"}).text("id")
	s.step("listKeys", "", nil)
	s.step("revokeKey", key, nil)

	made := s.step("createServer", "", object{"name": "HQ", "description": "Where we meet."})
	server, code := made.text("server.id"), made.text("server.invite_code")
	s.step("getServer", server, nil)
	s.step("updateServer", server, object{"name": "Headquarters", "description": nil})
	s.as(bobs, func() {
		s.step("listServers", "", nil)
		s.step("joinServer", server, object{"invite_code": code})
		s.step("leaveServer", server, nil)
		s.client.join(server, code).want(200)
		s.step("leaveServerAlias", server, nil)
		s.client.join(server, code).want(200)
		s.step("listMembers", server, nil)
	})

	channel := s.step("createChannel", server, object{"name": "#Dev Talk", "topic": "All about code."}).text("channel.id")
	s.step("getChannel", channel, nil)
	s.step("updateChannel", channel, object{"topic": "", "position": 7})
	s.step("listChannels", server, nil)
	message := s.step("sendMessage", channel, object{"content": "Hello, <world> & all"}).text("message.id")
	s.client.say(channel, "second").want(201)
	s.step("editMessage", message, object{"content": "Hello, world"})
	s.step("listMessages", channel, nil)
	s.step("deleteMessage", message, nil)

	direct := s.step("openDM", "", object{"user_id": bobID}).text("channel.id")
	message = s.step("sendDMMessage", direct, object{"content": "psst"}).text("message.id")
	s.step("editDMMessage", message, object{"content": "pssst"})
	s.step("listDMMessages", direct, nil)
	s.step("listDMs", "", nil)
	s.step("deleteDMMessage", message, nil)

	s.step("deleteChannel", channel, nil)
	s.step("deleteServer", server, nil)
	s.step("logout", "", nil)
}

// as tells a part of the story with another token.
func (s *story) as(token string, part func()) {
	before := s.client
	s.client = before.with(token)
	part()
	s.client = before
}

// step calls a route by its name and compares the exchange with its golden file.
func (s *story) step(name, id string, body any) *response {
	s.t.Helper()
	route, ok := s.routes[name]
	if !ok {
		s.t.Fatalf("%s: is no route, or was told before", name)
	}
	delete(s.routes, name)
	s.w.Clock.Advance(time.Second)
	path := strings.Replace(route.Path, "{id}", id, 1)
	r := s.client.do(route.Method, path, body, "X-Request-Id: "+name).want(route.Status)

	e := dialecttest.Exchange{Method: route.Method, Path: path, Body: body, Answer: r.Response, Plain: s.plain}
	if s.client.Token != "" && route.Auth != opencord.AuthNone {
		e.Headers = []string{"Authorization: Bearer " + s.client.Token}
	}
	dialecttest.Golden(s.t, filepath.Join(goldenFolder, name+".golden"), dialecttest.Normal(e.Text(s.t), "sess_", "aoc_"))
	return r
}

// plain replaces what is drawn at random and no id: invite codes, and which of
// two accounts has the lower id.
func (s *story) plain(key string, value any) any {
	switch key {
	case "invite_code":
		return "xxxxxxxx"
	case "participant_ids":
		pair := value.([]any)
		if pair[0] != s.pair[0] || pair[1] != s.pair[1] {
			s.t.Errorf("got participant_ids %v, want %v", pair, s.pair)
		}
		return []any{"the lower id of the two", "the higher"}
	}
	return value
}
