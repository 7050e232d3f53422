package agentchat_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
)

// aboutPaths are those that stand in no table of routes.
func aboutPaths() []string {
	return []string{"/v1/health", "/v1/openapi.json", "/llms.txt", "/skill.md"}
}

// matches tells whether a path has the shape of a pattern.
func matches(pattern, path string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(want, got, func(w, g string) bool { return w == g || strings.HasPrefix(w, "{") && g != "" })
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	paths := map[string][]string{}
	for _, path := range aboutPaths() {
		paths[path] = []string{"GET", "HEAD"}
	}
	for _, r := range agentchat.Routes() {
		paths[s.path(r)] = nil
	}
	for path := range paths {
		for _, r := range agentchat.Routes() {
			if matches(r.Path, path) {
				paths[path] = append(paths[path], r.Method)
				if r.Method == http.MethodGet {
					paths[path] = append(paths[path], "HEAD")
				}
			}
		}
	}
	for path, methods := range paths {
		methods = append(methods, "OPTIONS")
		slices.Sort(methods)
		allow := strings.Join(slices.Compact(methods), ", ")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "BREW"} {
			if slices.Contains(methods, method) {
				continue
			}
			r := code(s.w.Visitor(t).Do(method, path, "{"), 405, "METHOD_NOT_ALLOWED")
			if got := r.Header.Get("Allow"); got != allow {
				t.Errorf("%s %s: got Allow %q, want %q", method, path, got, allow)
			}
		}
		if got := s.w.Visitor(t).Do("OPTIONS", path, nil).Want(204).Header.Get("Allow"); got != allow {
			t.Errorf("OPTIONS %s: got Allow %q, want %q", path, got, allow)
		}
	}
}

// What is no path of the contract is unknown to everybody; nothing redirects.
func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	for _, path := range []string{
		"/v1", "/v1/", "/v1/nothing", "/v1/contacts/", "/v1//contacts", "/v1/./contacts", "/v1/../v1/contacts", "/V1/contacts",
		"/v1/contacts/ben/block/me", "/v1%2Fcontacts", "/v1/agents", "/v1/agents/",
		"/dashboard/", "/dashboard/nothing", "/dashboard/agents/ann/nothing", "/internal/support-escalations/", "/v2/contacts",
	} {
		for _, method := range []string{"GET", "POST"} {
			code(s.ann.Do(method, path, nil), 404, "NOT_FOUND")
		}
	}
}

// Paths are decoded before they are looked up, segment by segment.
func TestPathsAreDecoded(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	s.ann.Get("/v1/%63ontacts").Want(200)
	s.ann.Get("/v1/groups/"+strings.Replace(s.group, "_", "%5F", 1)).Want(200).Is("id", s.group)
	s.ann.Get("/v1/agents/%6De").Want(200).Is("handle", "ann").Text("email")
	s.ann.Get("/v1/contacts/b%65n").Want(200).Is("is_contact", true)
	code(s.ann.Get("/v1/agents/ann%2F"), 404, "AGENT_NOT_FOUND")
}

// HEAD is answered as GET is, without a body.
func TestHead(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	for _, r := range agentchat.Routes() {
		if r.Method != http.MethodGet || r.Auth == agentchat.AuthSigned || r.ID == "connect" || r.ID == "openGroupAvatar" ||
			r.ID == "showConversationMute" || r.ID == "readOwnedHistory" {
			continue
		}
		path := s.path(r)
		if r.ID == "searchDirectory" {
			path += "?q=be"
		}
		get, head := s.caller(t, r).Get(path).Want(r.Status), s.caller(t, r).Do(http.MethodHead, path, nil).Want(r.Status)
		if head.Raw != "" {
			t.Errorf("HEAD %s: got a body %q", r.Path, head.Raw)
		}
		for _, name := range []string{"Content-Type", "Content-Length"} {
			if got, want := head.Header.Get(name), get.Header.Get(name); got != want && get.Raw != "" {
				t.Errorf("HEAD %s: got %s %q, want %q as for GET", r.Path, name, got, want)
			}
		}
	}
}

// Who calls is asked before anything else (AC 3.1): without a credential, with a bad
// one, and with that of the wrong kind of account.
func TestRoutesNeedTheRightCredential(t *testing.T) {
	onScenes(t, func(t *testing.T, s *scene) {
		human := s.w.session(t, s.w.human(t))
		suspended := s.w.agent(t)
		s.w.change(t, suspended, func(a *chat.Account) { a.State = chat.StateSuspended })
		for _, r := range agentchat.Routes() {
			ask := func(headers ...string) *response {
				t.Helper()
				return s.w.Visitor(t).Do(r.Method, s.path(r), "{", append(headers, onceKey("x"))...)
			}
			session := "Cookie: " + sessionCookie + "="
			switch r.Auth {
			case agentchat.AuthKey, agentchat.AuthKeyAny:
				for _, headers := range [][]string{
					nil,
					{"Authorization: Bearer"},
					{"Authorization: Basic x"},
					{"Authorization: " + s.ann.Token},
					{"Authorization: Bearer ac_live_nobody-has-this-key"},
					{"Authorization: Bearer " + human},
					{"Authorization: Bearer " + s.owner.token(sessionCookie)},
					{session + s.owner.token(sessionCookie)},
					{"Authorization: Bearer " + opsToken},
				} {
					code(ask(headers...), 401, "UNAUTHORIZED")
				}
				if r.Auth == agentchat.AuthKeyAny {
					ask("Authorization: Bearer "+suspended.Token).Want(200).Is("status", "suspended")
				} else {
					code(ask("Authorization: Bearer "+suspended.Token), 403, "SUSPENDED")
				}
			case agentchat.AuthCookie:
				for _, headers := range [][]string{
					nil,
					{session},
					{session + "x"},
					{session + s.ann.Token},
					{session + human + "x"},
					{session + s.owner.token(refreshCookie)},
					{"Authorization: Bearer " + s.owner.token(sessionCookie)},
				} {
					code(ask(headers...), 401, "UNAUTHORIZED")
				}
			case agentchat.AuthOps:
				for _, headers := range [][]string{nil, {"Authorization: Bearer x"}, {"Authorization: Bearer " + s.ann.Token}} {
					code(ask(headers...), 401, "OPS_AUTH_REQUIRED")
				}
			case agentchat.AuthSigned:
				if r.ID != "watch" {
					code(ask(), 403, "FORBIDDEN")
				}
			}
		}
	})
}

// masks says how each route answers for what is not there or not the caller's to see,
// by the first word of its path that names it (AC 2.15).
func masks(r agentchat.Route) string {
	switch {
	case strings.HasPrefix(r.Path, "/v1/conversations/"), r.ID == "readHistory":
		return "CONVERSATION_NOT_FOUND"
	case strings.HasPrefix(r.Path, "/v1/messages/"):
		return "MESSAGE_NOT_FOUND"
	case strings.Contains(r.Path, "{invite_id}"):
		return "INVITE_NOT_FOUND"
	case strings.Contains(r.Path, "/groups/"):
		return "GROUP_NOT_FOUND"
	}
	return "NOT_FOUND"
}

// An id that is malformed, of another kind or somebody else's is unknown: nothing tells
// it from one that nobody has.
func TestForeignIDsAreUnknown(t *testing.T) {
	onScenes(t, func(t *testing.T, s *scene) {
		ids := map[string]string{
			"conv": s.conversation, "msg": s.message, "grp": s.group, "gri": s.invite, "att": s.attachment, "whk": s.hook,
			"esc": s.escalation,
		}
		stranger, bodies := s.w.agent(t), s.bodies()
		for _, r := range agentchat.Routes() {
			var body any
			if right := bodies[r.ID]; right != nil {
				body = right[0]
			}
			own := own(s, r)
			if own == "" || r.Auth == agentchat.AuthSigned {
				continue
			}
			kind, seal, _ := strings.Cut(own, "_")
			foreign := []string{
				"x", kind, kind + "_", kind + "_x", seal, "_" + seal, strings.ToUpper(own), own + "A", own[:len(own)-1], "%20" + own,
				own + "%20", own + "%00", "%ff", "%00", "a%2Fb", kind + "_" + strings.Repeat("A", 22), kind + "-" + seal, kind + "_" + seal + "%3D%3D",
				kind + "_" + strings.Repeat("A", 5000), "%25" + own,
			}
			for other, id := range ids {
				if other != kind && !strings.HasPrefix(r.Path, "/v1/conversations/") && r.ID != "readHistory" {
					foreign = append(foreign, id, kind+"_"+id[len(other)+1:])
				}
			}
			before, after, _ := strings.Cut(s.path(r), own)
			for _, id := range foreign {
				answer := s.caller(t, r).Do(r.Method, before+id+after, body, "X-Ops-Operator: ada")
				if answer.Status != 404 || answer.At("code") != masks(r) {
					t.Errorf("%s with %.60q: got %d %s, want 404 %s", r.ID, id, answer.Status, answer.Raw, masks(r))
				}
			}
			if r.Auth == agentchat.AuthKey {
				c := s.caller(t, r)
				c.Token = stranger.Token
				code(c.Do(r.Method, s.path(r), body), 404, masks(r))
			}
		}
	})
}

// own is the id in the path that the route is asked for with, "" if there is none.
func own(s *scene, r agentchat.Route) string {
	for _, id := range []string{s.conversation, s.message, s.group, s.invite, s.attachment, s.hook, s.escalation} {
		if strings.Contains(s.path(r), id) {
			return id
		}
	}
	return ""
}

// Owners learn nothing of agents that are not theirs, whatever the route.
func TestForeignAgentsAreUnknownToOwners(t *testing.T) {
	onScenes(t, func(t *testing.T, s *scene) {
		for _, r := range agentchat.Routes() {
			if !strings.HasPrefix(r.Path, "/dashboard/agents/{handle}") {
				continue
			}
			for _, handle := range []string{"ben", "nobody", "%40BEN", "a%00b", "%ff", "owner"} {
				path := strings.Replace(s.path(r), "/agents/ann", "/agents/"+handle, 1)
				code(s.caller(t, r).Do(r.Method, path, "{"), 404, "AGENT_NOT_FOUND")
			}
		}
	})
}

// Handles may have one @ before them and be in any case, wherever they stand (AC 2.3).
func TestHandlesAreNormalised(t *testing.T) {
	t.Parallel()
	e := dialecttest.Engines()[0]
	plain, odd := newScene(t, e), newScene(t, e)
	disguise := strings.NewReplacer("/ann", "/%40ANN", "/ben", "/@Ben")
	for _, r := range agentchat.Routes() {
		path := plain.path(r)
		if disguise.Replace(path) == path || r.ID == "removeAgent" {
			continue
		}
		want := plain.caller(t, r).Do(r.Method, path, nil)
		got := odd.caller(t, r).Do(r.Method, disguise.Replace(odd.path(r)), nil)
		if got.Status != want.Status || got.At("code") != want.At("code") || got.At("handle") != want.At("handle") {
			t.Errorf("%s: got %d %s, want %d %s as without disguise", r.ID, got.Status, got.Raw, want.Status, want.Raw)
		}
	}
	s := newScene(t, e)
	s.ann.Get("/v1/directory?q=@BE").Want(200).Is("agents.0.handle", "ben")
	s.ann.Post("/v1/contacts", object{"handle": "@BEN"}).Want(201).Is("handle", "ben")
	s.ann.post(object{"to": "@Ben", "content": object{"text": "x"}}).Want(201).Is("conversation_id", s.conversation)
	s.ann.mute(object{"target_kind": "agent", "target_handle": "@BEN"}).Want(201).Is("target_handle", "ben")
	s.ann.Post("/v1/presence/batch", object{"handles": []string{"@BEN", "ben"}}).Want(200).
		Is("presences.0.handle", "ben").Is("presences.1", dialecttest.Absent{})
	s.ann.Post("/v1/groups", object{"name": "x", "member_handles": []string{"@BEN", "ben", "@Ann"}}).Want(201).
		Is("add_results.0.handle", "ben").Is("add_results.1", dialecttest.Absent{})
	s.ann.Post("/v1/groups/"+s.group+"/members", object{"handle": "@BEN"}).Want(201).Is("outcome", "already_member")
	s.ann.announce("x", object{"to": "@BEN"}).Want(201)
	code(s.ann.Post("/v1/contacts", object{"handle": "@@ben"}), 404, "AGENT_NOT_FOUND")
}

// A limit above the most is taken for it; what is no positive whole number is refused,
// and so is a negative offset (AC 2.7).
func TestPages(t *testing.T) {
	onScenes(t, func(t *testing.T, s *scene) {
		lists := map[string]string{ // and a query that each of them needs
			"/v1/contacts": "", "/v1/directory": "q=be&", "/v1/conversations": "",
			"/v1/messages/" + s.conversation: "", "/v1/messages/sync": "", escalations: "",
		}
		const tooLong = "99999999999999999999999999"
		for path, needs := range lists {
			who := s.ann.Client
			if path == escalations {
				who = s.ops
			}
			get := func(query string) *response { return who.Get(path + "?" + needs + query) }
			for _, limit := range []string{"0", "-1", "x", "1.5", "%2B1", "%201", "1e3", "0x1", "-" + tooLong, "%00", "%ff", "null"} {
				if r := code(get("limit="+limit), 400, "VALIDATION_ERROR"); len(r.List("details.fieldErrors.limit")) != 1 {
					t.Errorf("%s: got %s, want a text about the limit", path, r.Raw)
				}
			}
			for _, limit := range []string{"1", "500", "501", tooLong, ""} {
				get("limit=" + limit).Want(200)
			}
		}
		for path, most := range map[string]int{"/v1/contacts": 200, "/v1/directory": 50} {
			for limit, want := range map[string]int{tooLong: most, "201": most, "1": 1} {
				s.ann.Get(path+"?"+lists[path]+"limit="+limit).Want(200).Is("limit", want).Is("offset", 0)
			}
		}
		for _, path := range []string{"/v1/contacts", "/v1/directory", "/v1/conversations"} {
			for _, offset := range []string{"-1", "x", "1.5", "%2B1", "-" + tooLong} {
				code(s.ann.Get(path+"?"+lists[path]+"offset="+offset), 400, "VALIDATION_ERROR")
			}
			s.ann.Get(path + "?" + lists[path] + "offset=1").Want(200)
		}
		s.ann.Get("/v1/directory?q=be&offset=10000").Want(200).Is("offset", 10_000)
		code(s.ann.Get("/v1/directory?q=be&offset=10001"), 400, "VALIDATION_ERROR")
		s.ann.Get("/v1/contacts?offset="+tooLong).Want(200).Is("contacts.0", dialecttest.Absent{})
		s.ann.Get("/v1/conversations?offset="+tooLong).Want(200).Is("0", dialecttest.Absent{})

		history := "/v1/messages/" + s.conversation
		for _, query := range []string{
			"before_seq=0", "before_seq=-1", "before_seq=x", "after_seq=-1", "after_seq=1.5", "after_seq=x",
			"before_seq=2&after_seq=1", "after_seq=1&around_message_id=" + s.message, "before_seq=3&around_message_id=" + s.message,
		} {
			code(s.ann.Get(history+"?"+query), 400, "VALIDATION_ERROR")
		}
		for query, want := range map[string][]int{
			"": {3, 2, 1}, "limit=1": {3}, "before_seq=3": {2, 1}, "before_seq=" + tooLong: {3, 2, 1}, "after_seq=0": {1, 2, 3},
			"after_seq=1&limit=1": {2}, "after_seq=" + tooLong: {}, "limit=1&around_message_id=" + s.message: {3},
		} {
			if got := numbers(s.ann.Get(history + "?" + query).Want(200)); !slices.Equal(got, want) {
				t.Errorf("history with %q: got %v, want %v", query, got, want)
			}
		}
		for _, id := range []string{"x", "msg_x", s.conversation, "%00", "%ff"} {
			code(s.ann.Get(history+"?around_message_id="+id), 404, "MESSAGE_NOT_FOUND")
		}
		for _, cursor := range []string{"x", "del_x", "del_" + strings.Repeat("0", 32), s.message, "%00", "%ff"} {
			if got := s.ann.Get("/v1/messages/sync?after=" + cursor).Want(200).Raw; got != "[]" {
				t.Errorf("sync after %s: got %s, want []", cursor, got)
			}
		}
	})
}

// allows asserts the headers for web pages on an answer.
func allows(t *testing.T, r *response, want map[string]string) {
	t.Helper()
	for _, name := range []string{"Origin", "Methods", "Headers", "Credentials"} {
		header := "Access-Control-Allow-" + name
		if got := r.Header.Get(header); got != want[name] {
			t.Errorf("%s: got %q, want %q", header, got, want[name])
		}
	}
	for _, name := range []string{"Expose-Headers", "Max-Age"} {
		if got := r.Header.Get("Access-Control-" + name); got != want[name] {
			t.Errorf("Access-Control-%s: got %q, want %q", name, got, want[name])
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const panel, evil = "Origin: https://panel.example", "Origin: https://evil.example"
	w := newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, c *agentchat.Config) {
		c.DashboardOrigins = "https://panel.example https://other.example"
	})
	v := w.Visitor(t)
	const exposed = "Retry-After, X-Backlog-Warning, Idempotent-Replay, X-Request-Id, Location"
	r := v.Do("OPTIONS", "/v1/agents/ada", nil, evil, "Access-Control-Request-Method: PATCH").Want(204)
	allows(t, r, map[string]string{
		"Origin": "*", "Methods": "GET, POST, PUT, PATCH, DELETE", "Expose-Headers": exposed, "Max-Age": "600",
		"Headers": "Authorization, Content-Type, Idempotency-Key, X-AgentChat-Client, X-AgentChat-Client-Version, X-Request-Id, User-Agent",
	})
	for _, r := range []*response{
		v.Get("/v1/health", evil).Want(200), v.Get("/v1/contacts", evil).Want(401), v.Get("/v1/nothing", evil).Want(404),
		v.Put("/v1/contacts", nil, evil).Want(405),
	} {
		allows(t, r, map[string]string{"Origin": "*", "Expose-Headers": exposed})
	}

	r = v.Do("OPTIONS", "/dashboard/agents", nil, panel, "Access-Control-Request-Method: GET").Want(204)
	allows(t, r, map[string]string{
		"Origin": "https://panel.example", "Credentials": "true", "Methods": "GET, POST, PUT, DELETE", "Headers": "Content-Type",
		"Expose-Headers": "Retry-After, Server-Timing, X-Request-Id", "Max-Age": "600",
	})
	allows(t, v.Get("/dashboard/me", panel).Want(401), map[string]string{
		"Origin": "https://panel.example", "Credentials": "true", "Expose-Headers": "Retry-After, Server-Timing, X-Request-Id",
	})
	allows(t, v.Do("OPTIONS", "/dashboard/agents", nil, evil, "Access-Control-Request-Method: GET").Want(204), nil)
	allows(t, v.Get("/dashboard/me", evil).Want(401), nil)
	allows(t, v.Get("/dashboard/me").Want(401), nil)
	if got := v.Get("/dashboard/me").Header.Get("Vary"); got != "Origin" {
		t.Errorf("Vary: got %q, want Origin", got)
	}

	// Nobody is the default for /dashboard, and /v1 can be kept to a list, too.
	w = newWorld(t, dialecttest.Engines()[0], func(_ *core.Config, c *agentchat.Config) { c.Origins = "https://panel.example" })
	v = w.Visitor(t)
	allows(t, v.Get("/dashboard/me", panel).Want(401), nil)
	allows(t, v.Get("/v1/health", panel).Want(200), map[string]string{"Origin": "https://panel.example", "Expose-Headers": exposed})
	allows(t, v.Get("/v1/health", evil).Want(200), nil)
}

// Every answer names its request: as the caller did, if that is printable (AC 2.11).
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	made := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	ask := map[string]func(headers ...string) *response{
		"success":   func(h ...string) *response { return s.ann.Get("/v1/agents/me", h...).Want(200) },
		"refusal":   func(h ...string) *response { return s.w.Visitor(t).Get("/v1/agents/me", h...).Want(401) },
		"redirect":  func(h ...string) *response { return s.ann.Get("/v1/attachments/"+s.attachment, h...).Want(302) },
		"unknown":   func(h ...string) *response { return s.ann.Get("/v1/nothing", h...).Want(404) },
		"wrong":     func(h ...string) *response { return s.ann.Put("/v1/contacts", nil, h...).Want(405) },
		"dashboard": func(h ...string) *response { return s.owner.Get("/dashboard/me", h...).Want(200) },
		"preflight": func(h ...string) *response {
			return s.ann.Do("OPTIONS", "/v1/contacts", nil, append(h, "Origin: https://x.example", "Access-Control-Request-Method: GET")...).Want(204)
		},
	}
	for name, call := range ask {
		for _, id := range []string{"x", "a b~!", strings.Repeat("x", 128)} {
			if got := call("X-Request-Id: " + id).Header.Get("X-Request-Id"); got != id {
				t.Errorf("%s: got id %q, want %q", name, got, id)
			}
		}
		for _, headers := range [][]string{nil, {"X-Request-Id: "}, {"X-Request-Id: " + strings.Repeat("x", 129)}, {"X-Request-Id: ä"}, {"X-Request-Id: a\tb"}} {
			if got := call(headers...).Header.Get("X-Request-Id"); !made.MatchString(got) {
				t.Errorf("%s with %q: got id %q, want a UUID", name, headers, got)
			}
		}
	}
}

// Every failure is the flat envelope, in JSON, and not to be kept (AC 2.6).
func TestFailuresAreFlat(t *testing.T) {
	t.Parallel()
	s := newScene(t, dialecttest.Engines()[0])
	for _, r := range agentchat.Routes() {
		if r.ID == "watch" || r.Auth == agentchat.AuthFree || r.Auth == agentchat.AuthNone && r.Request == nil {
			continue
		}
		answer := s.w.Visitor(t).Do(r.Method, s.path(r), "[")
		var body map[string]json.RawMessage
		if err := json.Unmarshal([]byte(answer.Raw), &body); err != nil || answer.Status < 400 {
			t.Errorf("%s: got %d %s, want a failure", r.ID, answer.Status, answer.Raw)
		}
		for _, name := range []string{"code", "message"} {
			if answer.Text(name) == "" {
				t.Errorf("%s: got %s, want a %s", r.ID, answer.Raw, name)
			}
			delete(body, name)
		}
		delete(body, "details")
		if len(body) > 0 {
			t.Errorf("%s: got %s, want nothing but code, message and details", r.ID, answer.Raw)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: got %s %q, want %q", r.ID, name, got, want)
			}
		}
	}
}
