package agentchat_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/dialect/dialecttest"
)

// owned is an agent with an owner, and the path of what the owner sees of it.
func (w *world) owned(t testing.TB) (p *person, a *agent, path string) {
	t.Helper()
	a = w.agent(t)
	p = w.owner(t, "owner-of-"+a.handle+"@example.org")
	p.claim(a)
	return p, a, "/dashboard/agents/" + a.handle
}

func TestOwnerReadsMessages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		b := w.agent(t)
		w.change(t, b, func(a *chat.Account) { a.DisplayName = "Bob" })
		conversation := a.befriend(b)
		w.Clock.Advance(time.Second)
		sent := b.in(conversation, "how are you?").Want(201)

		r := p.Get(path + "/messages?conversation_id=" + conversation).Want(200)
		if got := r.Texts("messages", "sender_handle"); !slices.Equal(got, []string{b.handle, b.handle, a.handle}) {
			t.Errorf("senders: got %v, want the newest first", got)
		}
		for _, member := range []string{"id", "client_msg_id", "conversation_id", "type", "created_at"} {
			r.Is("messages.0."+member, sent.At(member))
		}
		r.Is("messages.0.seq", 3).Is("messages.0.content.text", "how are you?").Is("messages.0.is_own", false)
		r.Is("messages.0.sender_display_name", "Bob").Is("messages.0.sender_avatar_url", nil)
		r.Is("messages.0.status", "stored").Is("messages.0.delivered_at", nil).Is("messages.0.read_at", nil)
		r.Is("messages.2.is_own", true).Is("messages.2.sender_display_name", nil)

		p.Get(path+"/messages?before_seq=3&conversation_id="+conversation).Want(200).
			Is("messages.0.seq", 2).Is("messages.2", dialecttest.Absent{})

		// Looking on changed nothing: the agent is still offered what was written to it.
		if got := a.Get("/v1/messages/sync").Want(200).Texts("", "status"); !slices.Equal(got, []string{"stored", "stored"}) {
			t.Errorf("sync after the owner has looked: got %v, want two stored rows", got)
		}
		b.Post("/v1/messages/"+p.Get(path+"/messages?conversation_id="+conversation).Text("messages.2.id")+"/read", nil).Want(200)
		r = p.Get(path+"/messages?conversation_id="+conversation).Want(200).Is("messages.2.status", "read")
		if at := readTime(t, r.Text("messages.2.read_at")); !at.Equal(w.Clock.Now()) {
			t.Errorf("read_at: got %v, want %v", at, w.Clock.Now())
		}
	})
}

// The owner sees what the agent sees: not what it hid, nor what came before it joined.
func TestOwnerSeesNoMoreThanTheAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		b, c := w.agent(t), w.agent(t)
		conversation := a.befriend(b)
		first := b.Get("/v1/messages/" + conversation).Want(200).Text("1.id")
		a.Delete("/v1/messages/" + first).Want(200)
		r := p.Get(path + "/messages?conversation_id=" + conversation).Want(200)
		if got := len(r.List("messages")); got != 1 {
			t.Errorf("messages: got %d, want one without the hidden one", got)
		}
		for _, id := range []string{"", "&before_seq=0", "&before_seq=x"} {
			query := "?conversation_id=" + conversation + id
			if id == "" {
				query = ""
			}
			code(p.Get(path+"/messages"+query), 400, "VALIDATION_ERROR")
		}
		other := b.befriend(c)
		for _, id := range []string{other, "conv_x", "grp_x", "x"} {
			code(p.Get(path+"/messages?conversation_id="+id), 404, "CONVERSATION_NOT_FOUND")
		}

		group := b.Post("/v1/groups", object{"name": "Early birds"}).Want(201).Text("group.id")
		b.in(group, "before").Want(201)
		code(p.Get(path+"/messages?conversation_id="+group), 404, "CONVERSATION_NOT_FOUND")
		w.join(b, a, group)
		b.in(group, "after").Want(201)
		r = p.Get(path + "/messages?conversation_id=" + group).Want(200)
		if strings.Contains(r.Raw, `"before"`) || !strings.Contains(r.Raw, `"after"`) {
			t.Errorf("messages of a group: got %s, want those since joining", r.Raw)
		}
	})
}

// join makes an agent a member of another's group.
func (w *world) join(admin, a *agent, group string) {
	admin.T.Helper()
	invite := admin.Post("/v1/groups/"+group+"/members", object{"handle": a.handle}).Want(201).Text("invite_id")
	a.Post("/v1/groups/invites/"+invite+"/accept", nil).Want(200)
}

func TestOwnerReadsFiftyMessages(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		b := w.agent(t)
		conversation := a.befriend(b)
		for i := range 53 {
			w.Clock.Advance(time.Second)
			a.in(conversation, "message "+strconv.Itoa(i)).Want(201)
		}
		path += "/messages?conversation_id=" + conversation
		if got := len(p.Get(path).Want(200).List("messages")); got != 50 {
			t.Errorf("first page: got %d messages, want 50", got)
		}
		r := p.Get(path+"&before_seq=6").Want(200).Is("messages.0.seq", 5)
		if got := len(r.List("messages")); got != 5 {
			t.Errorf("last page: got %d messages, want 5", got)
		}
	})
}

func TestOwnerReadsConversations(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		if got := p.Get(path + "/conversations").Want(200).List("conversations"); len(got) != 0 {
			t.Errorf("conversations: got %v, want none", got)
		}
		b := w.agent(t)
		conversation := a.befriend(b)
		r := p.Get(path + "/conversations").Want(200)
		own := a.Get("/v1/conversations").Want(200)
		for _, member := range []string{
			"id", "type", "participants.0.handle", "group_name", "last_message_preview", "last_message_is_own",
			"last_message_at", "unread_count", "oldest_unread_seq", "is_muted",
		} {
			r.Is("conversations.0."+member, own.At("0."+member))
		}
		r.Is("conversations.0.id", conversation).Is("conversations.0.unread_count", 1)
		a.Delete("/v1/conversations/" + conversation).Want(200)
		if got := p.Get(path + "/conversations").Want(200).List("conversations"); len(got) != 0 {
			t.Errorf("conversations after hiding: got %v, want none", got)
		}
	})
}

func TestOwnerReadsContactsAndBlocks(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		friend, foe, worse := w.agent(t), w.agent(t), w.agent(t)
		p.Get(path+"/contacts").Want(200).Is("total", 0).Is("limit", 100).Is("offset", 0).Is("contacts.0", dialecttest.Absent{})
		p.Get(path+"/blocks").Want(200).Is("total", 0).Is("limit", 100).Is("offset", 0).Is("blocks.0", dialecttest.Absent{})

		a.Post("/v1/contacts", object{"handle": friend.handle}).Want(201)
		a.Patch("/v1/contacts/"+friend.handle, object{"notes": "met at the fair"}).Want(200)
		p.Get(path+"/contacts").Want(200).Is("total", 1).Is("contacts.0.handle", friend.handle).Is("contacts.0.notes", "met at the fair")

		w.change(t, worse, func(a *chat.Account) { a.DisplayName = "Worse" })
		a.Post("/v1/contacts/"+foe.handle+"/block", nil).Want(200)
		w.Clock.Advance(time.Minute)
		a.Post("/v1/contacts/"+worse.handle+"/block", nil).Want(200)
		foe.Post("/v1/contacts/"+a.handle+"/block", nil).Want(200) // not the agent's own
		r := p.Get(path+"/blocks").Want(200).Is("total", 2)
		r.Is("blocks.0.display_name", "Worse").Is("blocks.1.display_name", nil).Is("blocks.0.avatar_url", nil)
		if got, want := r.Texts("blocks", "handle"), []string{worse.handle, foe.handle}; !slices.Equal(got, want) {
			t.Errorf("blocks: got %v, want %v", got, want)
		}
		if at := readTime(t, r.Text("blocks.0.blocked_at")); !at.Equal(w.Clock.Now()) {
			t.Errorf("blocked_at: got %v, want %v", at, w.Clock.Now())
		}
	})
}

func TestOwnerReadsPresence(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		p.Get(path+"/presence").Want(200).Is("handle", a.handle).Is("status", "offline").Is("custom_message", nil).Is("last_seen", nil)
		a.Put("/v1/presence", object{"status": "busy", "custom_message": "thinking"}).Want(200)
		r := p.Get(path+"/presence").Want(200).Is("status", "busy").Is("custom_message", "thinking")
		if at := readTime(t, r.Text("last_seen")); !at.Equal(w.Clock.Now()) {
			t.Errorf("last_seen: got %v, want %v", at, w.Clock.Now())
		}
	})
}

func TestOwnerReadsProfilesOfWhomTheAgentKnows(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		peer, member, stranger, second := w.agent(t), w.agent(t), w.agent(t), w.agent(t)
		profile := func(of *agent) *response { return p.Get(path + "/profiles/" + of.handle) }
		code(profile(peer), 404, "AGENT_NOT_FOUND")
		a.befriend(peer)
		peer.Put("/v1/presence", object{"status": "busy", "custom_message": "secret"}).Want(200)
		r := profile(peer).Want(200).Is("handle", peer.handle).Is("status", "active").Is("is_system", false).Is("is_own", false)
		r.Is("presence.status", "busy").Is("presence.custom_message", nil).Is("email_masked", dialecttest.Absent{})
		r.Is("paused_by_owner", dialecttest.Absent{}).Is("id", dialecttest.Absent{})

		group := member.Post("/v1/groups", object{"name": "Team"}).Want(201).Text("group.id")
		w.join(member, a, group)
		profile(member).Want(200).Is("is_own", false)
		a.Post("/v1/groups/"+group+"/leave", nil).Want(200)
		code(profile(member), 404, "AGENT_NOT_FOUND")

		// Own agents need not know each other.
		p.claim(second)
		profile(second).Want(200).Is("is_own", true)
		profile(a).Want(200).Is("is_own", true)

		code(profile(stranger), 404, "AGENT_NOT_FOUND")
		code(p.Get(path+"/profiles/nobody"), 404, "AGENT_NOT_FOUND")
		for _, state := range []chat.AccountState{chat.StateSuspended, chat.StateDeleted} {
			w.change(t, peer, func(a *chat.Account) { a.State = state })
			code(profile(peer), 404, "AGENT_NOT_FOUND")
		}
	})
}

func TestOwnerReadsGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		admin := w.agent(t)
		group := admin.Post("/v1/groups", object{"name": "Team"}).Want(201).Text("group.id")
		code(p.Get(path+"/groups/"+group), 404, "GROUP_NOT_FOUND")
		code(p.Get(path+"/groups/grp_x"), 404, "GROUP_NOT_FOUND")
		w.join(admin, a, group)
		r := p.Get(path+"/groups/"+group).Want(200).Is("id", group).Is("name", "Team").Is("your_role", "member")
		if got, want := r.Texts("members", "handle"), []string{admin.handle, a.handle}; !slices.Equal(got, want) {
			t.Errorf("members: got %v, want %v", got, want)
		}
		admin.Delete("/v1/groups/" + group).Want(200)
		code(p.Get(path+"/groups/"+group), 410, "GROUP_DELETED")
	})
}

func TestOwnerChangesPicturesOfGroups(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		admin := w.agent(t)
		mine := a.Post("/v1/groups", object{"name": "Mine"}).Want(201).Text("group.id")
		theirs := admin.Post("/v1/groups", object{"name": "Theirs"}).Want(201).Text("group.id")
		w.join(admin, a, theirs)

		r := p.Put(path+"/groups/"+mine+"/avatar", portrait(t)).Want(200)
		if key := r.Text("avatar_key"); !strings.HasPrefix(key, "g/") || !strings.HasSuffix(r.Text("avatar_url"), key) {
			t.Errorf("avatar: got %s, want a key of a group and where it is", r.Raw)
		}
		a.Get("/v1/groups/"+mine).Want(200).Is("avatar_url", r.At("avatar_url"))
		p.Delete(path+"/groups/"+mine+"/avatar").Want(200).Is("ok", true)
		code(p.Delete(path+"/groups/"+mine+"/avatar"), 404, "NOT_FOUND")

		code(p.Put(path+"/groups/"+mine+"/avatar", nil), 400, "EMPTY_BODY")
		code(p.Put(path+"/groups/"+mine+"/avatar", "no picture"), 400, "UNSUPPORTED_FORMAT")
		code(p.Put(path+"/groups/"+theirs+"/avatar", portrait(t)), 403, "FORBIDDEN")
		code(p.Delete(path+"/groups/"+theirs+"/avatar"), 403, "FORBIDDEN")
		code(p.Delete(path+"/groups/grp_x/avatar"), 404, "GROUP_NOT_FOUND")

		// An agent that may not act is not acted for.
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateSuspended })
		code(p.Put(path+"/groups/"+mine+"/avatar", portrait(t)), 403, "FORBIDDEN")
		code(p.Delete(path+"/groups/"+mine+"/avatar"), 403, "FORBIDDEN")
	})
}

// The owner of a suspended agent may still look at everything.
func TestOwnerReadsSuspendedAgents(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, a, path := w.owned(t)
		b := w.agent(t)
		conversation := a.befriend(b)
		w.change(t, a, func(a *chat.Account) { a.State = chat.StateSuspended })
		p.Get(path).Want(200).Is("status", "suspended")
		for _, part := range []string{
			"/conversations", "/messages?conversation_id=" + conversation, "/events", "/contacts", "/blocks", "/presence",
			"/profiles/" + b.handle,
		} {
			p.Get(path + part).Want(200)
		}
	})
}

// A retry of the agent's is nobody else's: keys of idempotency are for /v1.
func TestDashboardIgnoresIdempotencyKeys(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, _, path := w.owned(t)
		for _, mode := range []string{"send", "full"} {
			p.Post(path+"/pause", object{"mode": mode}, "Idempotency-Key: same-key-1").Want(200).Is("paused_by_owner", mode)
		}
	})
}
