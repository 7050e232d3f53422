package agentchat_test

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
)

// scene has something of everything that a path can name. Ann may do with it what
// every route does; Ben is the other side of it all.
type scene struct {
	w        *world
	ann, ben *agent
	owner    *person // of ann
	ops      *dialecttest.Client

	conversation, message, group, invite, attachment, hook, escalation string
	picture                                                            [2]string
}

// newScene sets it up in a world without rate limits.
func newScene(t *testing.T, e dialecttest.Engine) *scene {
	t.Helper()
	w := newWorld(t, e, withLinks, func(c *core.Config, _ *agentchat.Config) { c.LimitsOff = true })
	s := &scene{w: w, ann: w.agentNamed(t, "ann"), ben: w.agentNamed(t, "ben"), owner: w.owner(t, "owner@example.org"), ops: w.operator(t)}
	s.owner.claim(s.ann)
	s.conversation = s.ann.befriend(s.ben)
	s.message = s.ben.in(s.conversation, "how are you?").Want(201).Text("id")
	s.group = s.ann.group(w, s.ben)
	s.invite = s.ben.invite(s.ben.group(w), s.ann)
	s.attachment = s.ann.upload(fileText, object{"to": s.ben.handle})
	s.hook, _ = s.ann.hook("https://agents.example/", "message.new")
	w.escalation(t, s.ann, "It is broken.", chat.EscalationOpen)
	s.escalation = s.ops.Get(escalations).Want(200).Text("escalations.0.id")
	picture := s.ann.Put("/v1/agents/ann/avatar", portrait(t)).Want(200).Text("avatar_key")
	s.picture[0], s.picture[1], _ = strings.Cut(picture, "/")
	s.ann.mute(object{"target_kind": "agent", "target_handle": "ben"}).Want(201)
	return s
}

// onScenes runs a test on a scene of its own per engine.
func onScenes(t *testing.T, test func(t *testing.T, s *scene)) {
	t.Helper()
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) { test(t, newScene(t, e)) })
}

// path is a path of the route that ann, or her owner, may ask for.
func (s *scene) path(r agentchat.Route) string {
	var out []string
	for part := range strings.SplitSeq(r.Path, "/") {
		if name, isWildcard := strings.CutPrefix(part, "{"); isWildcard {
			part = s.word(r, strings.TrimSuffix(name, "}"))
		}
		out = append(out, part)
	}
	return strings.Join(out, "/")
}

// word is what takes the place of a wildcard.
func (s *scene) word(r agentchat.Route, name string) string {
	switch {
	case name == "handle" && (strings.HasPrefix(r.Path, "/v1/agents/") || strings.HasPrefix(r.Path, "/dashboard/agents/")):
		return "ann"
	case name == "handle", name == "target":
		return "ben"
	case name == "conversation_id":
		return s.conversation
	case name == "group":
		return s.group
	case name == "invite_id":
		return s.invite
	case name == "owner":
		return s.picture[0]
	case name == "picture":
		return s.picture[1]
	}
	for prefix, word := range map[string]string{
		"/v1/conversations/": s.conversation, "/v1/mutes/conversation/": s.conversation, "/v1/messages/": s.message,
		"/v1/groups/": s.group, "/v1/attachments/": s.attachment, "/v1/blobs/": s.attachment, "/v1/webhooks/": s.hook,
		escalations: s.escalation,
	} {
		if strings.HasPrefix(r.Path, prefix) {
			return word
		}
	}
	return name
}

// caller is who may call the route, at an address of their own.
func (s *scene) caller(t testing.TB, r agentchat.Route) *dialecttest.Client {
	c := *s.w.Visitor(t)
	switch r.Auth {
	case agentchat.AuthKey, agentchat.AuthKeyAny:
		c.Token = s.ann.Token
	case agentchat.AuthCookie, agentchat.AuthFree:
		c.HTTP = s.owner.HTTP
	case agentchat.AuthOps:
		c.Token = s.ops.Token
	}
	return &c
}

// bodies are, for each route that takes JSON, right ones that together have all
// members.
func (s *scene) bodies() map[string][]object {
	verify := []object{{"pending_id": "pnd_x", "code": "123456"}}
	group := object{
		"name": "Name", "description": "About", "avatar_url": "https://example.org/a.png", "settings": object{"who_can_invite": "admin"},
	}
	message := object{
		"client_msg_id": "x", "type": "text", "content": object{"text": "hi", "data": object{}, "attachment_id": s.attachment},
		"metadata": object{},
	}
	return map[string][]object{
		"startRegistration":  {{"email": "new@example.org", "handle": "newcomer", "display_name": "New", "description": "Comer"}},
		"finishRegistration": verify, "finishRecovery": verify, "finishRotation": verify, "verifySignIn": verify,
		"startRecovery": {{"email": "ann@example.org"}},
		"updateAgent": {{
			"display_name": "Ann", "description": "x", "settings": object{"inbox_mode": "open", "group_invite_policy": "open"},
		}},
		"addContact":          {{"handle": "ben"}},
		"noteContact":         {{"notes": "x"}},
		"reportAccount":       {{"reason": "x"}},
		"sendMessage":         {message.But("to", "ben"), message.But("conversation_id", s.conversation).But("client_msg_id", "y")},
		"acknowledgeMessages": {{"last_delivery_id": "del_x"}},
		"setMute": {
			{"target_kind": "agent", "target_handle": "ben", "muted_until": "2030-01-01T00:00:00Z"},
			{"target_kind": "conversation", "target_id": s.conversation},
		},
		"announcePresence": {{"status": "online", "custom_message": "x"}},
		"listPresences":    {{"handles": []string{"ben"}}},
		"createGroup":      {group.But("member_handles", []string{"ben"})},
		"updateGroup":      {group},
		"addGroupMember":   {{"handle": "ben"}},
		"reserveUpload": {
			announcement("x", object{"to": "ben"}), announcement("x", object{"conversation_id": s.conversation}),
		},
		"createWebhook":    {{"url": "https://agents.example/", "events": []string{"message.new"}, "secret": "sixteen letters."}},
		"setWakeWebhook":   {{"url": "https://agents.example/", "secret": "s"}},
		"setActive":        {{"session_id": "x", "ttl_seconds": 60}},
		"clearActive":      {{"session_id": "x"}},
		"claimReply":       {{"message_id": "x", "holder": "x", "defer_if_active": true}},
		"claimReplies":     {{"message_ids": []string{"x"}, "holder": "x", "defer_if_active": true}},
		"requestSignIn":    {{"email": "somebody@example.org"}},
		"claimAgent":       {{"api_key": s.ben.Token}},
		"pauseAgent":       {{"mode": "send"}},
		"rotateSystemKey":  {{"handle": "chatfather"}},
		"updateEscalation": {{"status": "open", "resolution_note": "x"}},
	}
}

// requests calls each for every route that takes JSON and every right body.
func (s *scene) requests(t *testing.T, each func(r agentchat.Route, body object)) {
	t.Helper()
	bodies := s.bodies()
	for _, r := range agentchat.Routes() {
		if r.Request == nil {
			continue
		}
		if bodies[r.ID] == nil {
			t.Errorf("%s: takes a body, and there is none to try", r.ID)
		}
		for _, body := range bodies[r.ID] {
			each(r, body)
		}
		delete(bodies, r.ID)
	}
	for id := range bodies {
		t.Errorf("%s: takes no body", id)
	}
}

// send makes the request with whatever headers it needs.
func (s *scene) send(t testing.TB, r agentchat.Route, body any, headers ...string) *response {
	t.Helper()
	headers = append(slices.Clone(headers), "X-Ops-Operator: ada")
	return s.caller(t, r).Do(r.Method, s.path(r), body, headers...)
}
