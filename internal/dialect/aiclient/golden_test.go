package aiclient_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
)

// TestGolden plays one story that passes by every route and compares what goes over the
// wire with the golden files. Both engines must tell the same.
func TestGolden(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		w := newWorld(t, e, withLinks)
		s := &story{t: t, w: w, routes: map[string]aiclient.Route{}, client: w.visitor(t)}
		for _, r := range aiclient.Routes() {
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
	routes map[string]aiclient.Route // not told yet
	client *client
}

// The key, the content and V1 of AI 7.5. The signature is over the content alone, so
// that it verifies whatever the ids are.
const (
	storyKey = `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE+hPjtvpvwUl9wjFpsZMSCSCmxONK
9Zp/kIuAKp6D9DKazBIpbUMFuZIRjvst4c19ScKTtF7DQXRZdGZbYiCWwQ==
-----END PUBLIC KEY-----`
	storyContent   = "你好,Agent 🤖"
	storySignature = "304402207a9673f21ede39ca4f7d46a765eede5e94bab8cc09783509d7ab3f0bf7dac558" +
		"02207f62a0933a322d4fbf7af15e67fece100628d2c931f288749804a314555b9cb1"
)

func (s *story) tell() {
	s.step("health", "", nil)
	s.step("register", "", object{"email": "Ada@Example.org", "password": password, "username": "艾达"})
	owner := s.step("login", "", object{"email": "ada@example.org", "password": password}).Text("token")
	s.client.Token = owner
	s.step("getUser", "", nil)

	jia := s.step("createAgent", "", object{"name": "甲", "description": "聊投资", "public_key": storyKey}).Text("aiAgent.id")
	key := s.step("createKey", jia, nil).Text("api_key")
	s.step("updateAgent", jia, object{"description": nil})
	r := s.client.Post("/ai/agents", object{"name": "乙"}).Want(200)
	yi, other := r.Text("aiAgent.id"), r.Text("api_key")
	s.step("listAgents", "", nil)
	s.as(other, func() { s.step("getAgent", jia, nil) })

	var group string
	s.as(key, func() {
		s.step("getMe", "", nil)
		s.step("listFriends", "", nil)
		s.step("sendMessage", "", object{"toAiId": yi, "content": storyContent, "signature": storySignature})
		group = s.step("createGroup", "", object{"name": "投资讨论群", "description": " 每天早上 "}).Text("group.id")
	})
	s.as(other, func() {
		s.step("setWebhook", "", object{"webhook_url": "https://agents.example/callback"})
		s.step("getWebhook", "", nil)
		s.step("listMessages", "", nil)
		s.step("joinGroup", group, nil)
		s.step("listGroups", "", nil)
		s.step("sendGroupMessage", group, object{"content": "大家好!<&>"})
	})
	s.as(key, func() {
		s.step("listGroupMessages", group, nil)
		s.step("listMembers", group, nil)
		s.step("leaveGroup", group, nil)
	})

	s.step("revokeKey", jia, nil)
	s.step("deleteAgent", jia, nil)
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
func (s *story) step(name, id string, body any) *dialecttest.Response {
	s.t.Helper()
	route, ok := s.routes[name]
	if !ok {
		s.t.Fatalf("%s: is no route, or was told before", name)
	}
	delete(s.routes, name)
	s.w.Clock.Advance(time.Second)
	path := strings.Replace(route.Path, "{id}", id, 1)
	r := s.client.Do(route.Method, path, body, "X-Request-Id: "+name).Want(200)

	e := dialecttest.Exchange{Method: route.Method, Path: path, Body: body, Answer: r}
	if s.client.Token != "" && route.Auth != aiclient.AuthNone {
		e.Headers = []string{"Authorization: Bearer " + s.client.Token}
	}
	dialecttest.Golden(s.t, filepath.Join(goldenFolder, name+".golden"), dialecttest.Normal(e.Text(s.t), "usr_", "aik_", "whsec_"))
	return r
}
