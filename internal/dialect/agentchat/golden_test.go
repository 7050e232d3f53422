package agentchat_test

import (
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/chat"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
)

// TestGolden plays one story that passes by every route and compares what goes over
// the wire with the golden files. Both engines must tell the same.
func TestGolden(t *testing.T) {
	withHooks(t, func(t *testing.T, w *hookWorld) {
		s := &story{t: t, w: w.world, routes: map[string]agentchat.Route{}}
		for _, r := range agentchat.Routes() {
			s.routes[r.ID] = r
		}
		s.tell()
		for id := range s.routes {
			t.Errorf("the story does not pass by %s", id)
		}
	})
}

// story is told by several: agents, a person with a browser, an operator.
type story struct {
	t      *testing.T
	w      *world
	routes map[string]agentchat.Route // not told yet
}

func (s *story) tell() {
	ada, bob, eve := s.registration(), s.w.agentNamed(s.t, "bob"), s.w.agentNamed(s.t, "eve")
	s.account(ada, bob)
	s.keys(ada, bob)
	conversation := s.messages(ada, bob)
	s.relations(ada, bob, eve)
	s.mutes(ada, conversation)
	group := s.groups(ada, bob)
	s.files(ada, bob)
	s.hooks(ada)
	s.replies(ada)
	s.dashboard(ada, conversation, group)
	s.operations(ada)
	s.step("removeAgent", eve.Client, nil, "eve")
	s.step("connect", ada.Client, nil) // at the end: it makes ada online, when is not for us to say
}

func (s *story) registration() *agent {
	ada := &agent{Client: s.w.Visitor(s.t), handle: "ada", address: "ada@example.org"}
	started := s.step("startRegistration", ada.Client, object{
		"email": "Ada@Example.org", "handle": "@Ada", "display_name": "Ada", "description": "Counts <things>.",
	})
	ada.Token = s.step("finishRegistration", ada.Client, object{
		"pending_id": started.Text("pending_id"), "code": s.w.Mail.Code(s.t, ada.address, 1),
	}).Text("api_key")
	ada.id = s.w.holder(s.t, ada.handle).ID
	return ada
}

func (s *story) account(ada, bob *agent) {
	s.step("showAgent", ada.Client, nil)
	s.step("updateAgent", ada.Client, object{
		"display_name": "Ada L.", "description": nil, "settings": object{"group_invite_policy": "contacts_only"},
	}, "%40ada")
	picture := s.step("setAvatar", ada.Client, portrait(s.t), "ada").Text("avatar_key")
	owner, content, _ := strings.Cut(picture, "/")
	s.step("openAvatar", s.w.Visitor(s.t), nil, owner, content)
	s.step("showProfile", s.w.Visitor(s.t), nil, "ada")
	s.step("searchDirectory", bob.Client, nil, "?q=@AD&limit=99")
	s.step("removeAvatar", ada.Client, nil, "ada")
}

func (s *story) keys(ada, bob *agent) {
	s.w.Clock.Advance(time.Minute) // else there is no second code
	started := s.step("startRotation", ada.Client, nil, "ada")
	ada.Token = s.step("finishRotation", ada.Client, object{
		"pending_id": started.Text("pending_id"), "code": s.w.Mail.Code(s.t, ada.address, 2),
	}, "ada").Text("api_key")
	started = s.step("startRecovery", s.w.Visitor(s.t), object{"email": bob.address})
	bob.Token = s.step("finishRecovery", s.w.Visitor(s.t), object{
		"pending_id": started.Text("pending_id"), "code": s.w.Mail.Code(s.t, bob.address, 1),
	}).Text("api_key")
}

// messages leaves a conversation that is established.
func (s *story) messages(ada, bob *agent) (conversation string) {
	first := s.step("sendMessage", ada.Client, object{
		"to": "bob", "client_msg_id": "first", "content": object{"text": "Hello @bob, <world> & all", "data": object{"n": 1}},
		"metadata": object{"mood": "good"},
	})
	conversation = first.Text("conversation_id")
	waiting := s.step("syncMessages", bob.Client, nil, "?limit=1")
	s.step("acknowledgeMessages", bob.Client, object{"last_delivery_id": waiting.Text("0.delivery_id")})
	s.step("markRead", bob.Client, nil, first.Text("id"))
	second := bob.post(object{"to": "ada", "client_msg_id": "second", "content": object{"text": "Hi"}}).Want(201)
	s.step("readHistory", ada.Client, nil, conversation, "?limit=2")
	s.step("listConversations", ada.Client, nil, "?limit=1")
	s.step("listParticipants", ada.Client, nil, conversation)
	s.step("showConversation", ada.Client, nil, conversation)
	s.step("hideMessage", ada.Client, nil, second.Text("id"))
	s.step("hideConversation", bob.Client, nil, conversation)
	return conversation
}

func (s *story) relations(ada, bob, eve *agent) {
	s.step("addContact", ada.Client, object{"handle": "@Eve"})
	s.step("noteContact", ada.Client, object{"notes": "listens"}, "eve")
	s.step("listContacts", ada.Client, nil)
	s.step("showContact", ada.Client, nil, "eve")
	s.step("removeContact", ada.Client, nil, "eve")
	s.step("announcePresence", bob.Client, object{"status": "away", "custom_message": "thinking"})
	s.step("showPresence", ada.Client, nil, "bob")
	s.step("listPresences", ada.Client, object{"handles": []string{"bob", "nobody", "ada"}})
	s.step("blockAccount", ada.Client, nil, "eve")
	s.step("unblockAccount", ada.Client, nil, "eve")
	s.step("reportAccount", ada.Client, object{"reason": "eavesdrops"}, eve.handle)
}

func (s *story) mutes(ada *agent, conversation string) {
	s.step("setMute", ada.Client, object{"target_kind": "agent", "target_handle": "bob", "muted_until": "2026-12-01T00:00:00Z"})
	ada.mute(object{"target_kind": "conversation", "target_id": conversation}).Want(201)
	s.step("listMutes", ada.Client, nil, "?kind=agent")
	s.step("showAgentMute", ada.Client, nil, "bob")
	s.step("showConversationMute", ada.Client, nil, conversation)
	s.step("removeAgentMute", ada.Client, nil, "bob")
	s.step("removeConversationMute", ada.Client, nil, conversation)
}

// groups leaves a group of which ada is the admin and bob is a member.
func (s *story) groups(ada, bob *agent) (group string) {
	made := s.step("createGroup", ada.Client, object{
		"name": "Counting", "description": "All about numbers.", "member_handles": []string{"bob", "nobody"},
	})
	group = made.Text("group.id")
	s.step("listGroupInvites", bob.Client, nil)
	s.step("acceptGroupInvite", bob.Client, nil, made.Text("add_results.0.invite_id"))
	s.step("promoteGroupMember", ada.Client, nil, group, "bob")
	s.step("demoteGroupMember", ada.Client, nil, group, "bob")
	s.step("updateGroup", ada.Client, object{"name": "Numbers", "description": nil}, group)
	picture := s.step("setGroupAvatar", ada.Client, portrait(s.t), group).Text("avatar_key")
	part := strings.Split(picture, "/")
	s.step("openGroupAvatar", s.w.Visitor(s.t), nil, part[1], part[2])
	s.step("getGroup", bob.Client, nil, group)
	s.step("removeGroupAvatar", ada.Client, nil, group)
	s.step("removeGroupMember", ada.Client, nil, group, "bob")
	invite := s.step("addGroupMember", ada.Client, object{"handle": "bob"}, group).Text("invite_id")
	s.step("rejectGroupInvite", bob.Client, nil, invite)
	ada.admit(group, bob)

	other := ada.group(s.w, bob)
	s.step("leaveGroup", ada.Client, nil, other)
	s.step("deleteGroup", ada.Client, nil, ada.group(s.w, bob))
	return group
}

func (s *story) files(ada, bob *agent) {
	reserved := s.step("reserveUpload", ada.Client, announcement(fileText, object{"to": "bob"}))
	attachment, link := reserved.Text("attachment_id"), reserved.Text("upload_url")
	s.step("storeUpload", s.w.Visitor(s.t), fileText, attachment, "?"+query(link))
	got := s.step("fetchAttachment", bob.Client, nil, attachment)
	s.step("openAttachment", s.w.Visitor(s.t), nil, attachment, "?"+query(got.Header.Get("Location")))
}

// query is what follows the question mark of a link.
func query(link string) string {
	_, q, _ := strings.Cut(link, "?")
	return q
}

func (s *story) hooks(ada *agent) {
	made := s.step("createWebhook", ada.Client, object{
		"url": "https://agents.example/hook", "events": []string{"message.new", "message.read"}, "secret": "sixteen letters.",
	}).Text("id")
	s.step("listWebhooks", ada.Client, nil)
	s.step("getWebhook", ada.Client, nil, made)
	s.step("deleteWebhook", ada.Client, nil, made)
	s.step("setWakeWebhook", ada.Client, object{"url": "https://agents.example/wake", "secret": "s"})
	s.step("removeWakeWebhook", ada.Client, nil)
}

func (s *story) replies(ada *agent) {
	s.step("setActive", ada.Client, object{"session_id": "laptop", "ttl_seconds": 60})
	s.step("showActive", ada.Client, nil)
	s.step("clearActive", ada.Client, object{"session_id": "laptop"})
	s.step("claimReply", ada.Client, object{"message_id": "msg_1", "holder": "daemon:1", "defer_if_active": true})
	s.step("claimReplies", ada.Client, object{"message_ids": []string{"msg_1", "msg_2"}, "holder": "daemon:1"})
}

func (s *story) dashboard(ada *agent, conversation, group string) {
	p := s.w.person(s.t)
	p.address = "owner@example.org"
	started := s.step("requestSignIn", p.Client, object{"email": p.address})
	s.step("verifySignIn", p.Client, object{
		"pending_id": started.Text("pending_id"), "code": s.w.Mail.Code(s.t, p.address, 1),
	})
	s.step("refreshSession", p.Client, nil)
	s.step("showOwner", p.Client, nil)
	s.step("claimAgent", p.Client, object{"api_key": ada.Token})
	s.step("showDashboard", p.Client, nil)
	s.step("listOwnedAgents", p.Client, nil)
	s.step("showOwnedAgent", p.Client, nil, "ada")
	s.step("listOwnedConversations", p.Client, nil, "ada")
	s.step("readOwnedHistory", p.Client, nil, "ada", "?conversation_id="+conversation)
	s.step("listOwnedEvents", p.Client, nil, "ada")
	s.step("listOwnedContacts", p.Client, nil, "ada")
	s.step("listOwnedBlocks", p.Client, nil, "ada")
	s.step("showOwnedPresence", p.Client, nil, "ada")
	s.step("showOwnedProfile", p.Client, nil, "ada", "bob")
	s.step("showOwnedGroup", p.Client, nil, "ada", group)
	s.step("setOwnedGroupAvatar", p.Client, portrait(s.t), "ada", group)
	s.step("removeOwnedGroupAvatar", p.Client, nil, "ada", group)
	s.step("pauseAgent", p.Client, object{"mode": "send"}, "ada")
	s.step("unpauseAgent", p.Client, nil, "ada")
	ticket := s.step("issueTicket", p.Client, nil).Text("ticket")
	s.step("watch", s.w.Visitor(s.t), nil, "?ticket="+ticket)
	s.step("releaseAgent", p.Client, nil, "ada")
	s.step("endSessions", p.Client, nil)
	s.w.Clock.Advance(time.Minute)
	p.verify(p.request(p.address)).Want(200)
	s.step("endSession", p.Client, nil)
}

func (s *story) operations(ada *agent) {
	if err := s.w.Core.EnsureSystem(s.t.Context()); err != nil {
		s.t.Fatalf("make the system account: %v", err)
	}
	operator := s.w.operator(s.t)
	s.step("rotateSystemKey", operator, object{"handle": "chatfather"})
	s.w.escalation(s.t, ada, "It does not count.", chat.EscalationOpen)
	escalation := s.step("listEscalations", operator, nil).Text("escalations.0.id")
	operator.Patch(escalations+"/"+escalation, object{"status": "in_progress"}, "X-Ops-Operator: grace").Want(200)
	s.step("updateEscalation", operator, object{"status": "resolved", "resolution_note": "It does."}, escalation)
}

// step calls a route by its name and compares the exchange with its golden file. The
// words take the places of what is in braces in the path; a last one that begins
// with a question mark is the query.
func (s *story) step(name string, who *dialecttest.Client, body any, words ...string) *response {
	s.t.Helper()
	route, ok := s.routes[name]
	if !ok {
		s.t.Fatalf("%s: is no route, or was told before", name)
	}
	delete(s.routes, name)
	s.w.Clock.Advance(time.Second)
	e := dialecttest.Exchange{Method: route.Method, Path: fill(s.t, route.Path, words), Body: body, Plain: plain}
	headers := []string{"X-Request-Id: " + name}
	if route.Auth == agentchat.AuthOps {
		e.Headers = append(e.Headers, "X-Ops-Operator: grace")
	}
	headers = append(headers, e.Headers...)
	e.Headers = append(e.Headers, s.credentials(who, route)...)
	if route.Status == http.StatusSwitchingProtocols {
		e.Answer = s.upgrade(e.Path, who, append(headers, e.Headers...))
	} else {
		e.Answer = who.Do(e.Method, e.Path, body, headers...).Want(route.Status)
	}
	dialecttest.Golden(s.t, filepath.Join(goldenFolder, name+".golden"), s.normal(e.Text(s.t)))
	return e.Answer
}

// fill puts words into a path.
func fill(t testing.TB, path string, words []string) string {
	t.Helper()
	for _, word := range words {
		before, rest, found := strings.Cut(path, "{")
		_, after, _ := strings.Cut(rest, "}")
		switch {
		case found:
			path = before + word + after
		case strings.HasPrefix(word, "?"):
			path += word
		default:
			t.Fatalf("%s: has no place for %q", path, word)
		}
	}
	return path
}

// credentials are the headers that tell who calls.
func (s *story) credentials(who *dialecttest.Client, route agentchat.Route) (headers []string) {
	s.t.Helper()
	if route.ID == "connect" || route.Auth != agentchat.AuthNone && who.Token != "" {
		headers = append(headers, "Authorization: Bearer "+who.Token)
	}
	if who.HTTP == nil || who.HTTP.Jar == nil {
		return headers
	}
	u, err := url.Parse(s.w.Server.URL)
	if err != nil {
		s.t.Fatalf("parse the address of the server: %v", err)
	}
	var cookies []string
	for _, c := range who.HTTP.Jar.Cookies(u) {
		cookies = append(cookies, c.String())
	}
	if len(cookies) > 0 {
		headers = append(headers, "Cookie: "+strings.Join(cookies, "; "))
	}
	return headers
}

// upgrade opens a WebSocket; its first frame stands for the body of the answer.
func (s *story) upgrade(path string, who *dialecttest.Client, headers []string) *response {
	s.t.Helper()
	h := http.Header{"X-Forwarded-For": {who.Addr}}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		h.Set(name, value)
	}
	conn, res, err := websocket.Dial(s.t.Context(), s.w.Server.URL+path, &websocket.DialOptions{HTTPHeader: h}) //nolint:bodyclose // the connection's
	if err != nil {
		s.t.Fatalf("dial %s: %v", path, err)
	}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	_, hello, err := conn.Read(s.t.Context())
	if err != nil {
		s.t.Fatalf("read the first frame of %s: %v", path, err)
	}
	return &response{Status: res.StatusCode, Header: res.Header, Raw: string(hello)}
}

// plain replaces members that are drawn at random and show it by no prefix.
func plain(key string, value any) any {
	switch key {
	case "code":
		return "000000"
	case "ticket":
		return "..."
	}
	return value
}

// normal replaces what differs from run to run.
func (s *story) normal(text string) string {
	for _, r := range []struct{ pattern, with string }{
		{regexp.QuoteMeta(s.w.Server.URL), "http://chat.example"},
		{`(ac_dashboard_\w+)=[^;\s]+`, "$1=..."},
		{`\b(ticket|signature)=[^&\s"]+`, "$1=..."},
		{`(dur)=\d+`, "$1=0"},
		{`\b(g/)?[0-9a-f]{16}/[0-9a-f]{32}\.`, "$1...."},
		{`(?m)^(Etag: ).*`, `$1...`},
		{`(?m)^(Last-Modified: ).*`, "$1..."},
		{`(?m)^(Sec-Websocket-Accept: ).*`, "$1..."},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return dialecttest.Normal(text, "ac_live_")
}
