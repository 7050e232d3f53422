package opencord_test

import (
	"slices"
	"strings"
	"testing"

	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

func openDM(t *testing.T, w *world) {
	a, b := w.user(t), w.user(t)
	first := a.post("/api/dm", object{"user_id": b.id}).want(201).is("existing", false).is("channel.recipient.id", b.id)
	first.is("channel.type", "dm").is("channel.last_message_at", nil).is("channel.recipient.email", dialecttest.Absent{})
	a.post("/api/dm", object{"user_id": strings.ToUpper(b.id)}).want(200).is("existing", true).is("channel.id", first.text("channel.id"))
	b.post("/api/dm", object{"user_id": a.id}).want(200).is("existing", true).is("channel.id", first.text("channel.id")).is("channel.recipient.id", a.id)
	pair := []string{a.id, b.id}
	slices.Sort(pair)
	first.is("channel.participant_ids.0", pair[0]).is("channel.participant_ids.1", pair[1])
}

func openDMRefused(t *testing.T, w *world) {
	u := w.user(t)
	s, _, _ := u.newServer("HQ")
	u.post("/api/dm", object{"user_id": u.id}).fails(400, "Cannot start a conversation with yourself")
	u.post("/api/dm", object{"user_id": unknownID}).fails(404, noUser)
	u.post("/api/dm", object{"user_id": s}).fails(404, noUser) // the id of another kind of thing
	u.post("/api/dm", object{"user_id": w.IDs.Seal(id.KindAccount, 1<<40).String()}).fails(404, noUser)
	u.post("/api/dm", object{"user_id": "x"}).fails(400, "user_id is invalid")
	u.post("/api/dm", object{}).fails(400, "user_id is required")
}

func openDMRace(t *testing.T, w *world) {
	pair := []*client{w.user(t), w.user(t)}
	all := dialecttest.Together(10, func(i int) *response {
		return pair[i%2].post("/api/dm", object{"user_id": pair[(i+1)%2].id})
	})
	if got := statuses(all); got[201] != 1 || got[200] != 9 {
		t.Errorf("got statuses %v, want one 201 and nine 200", got)
	}
	for _, r := range all {
		r.is("channel.id", all[0].text("channel.id")).is("existing", r.Status == 200)
	}
}

func dmOutsider(t *testing.T, w *world) {
	c := newCast(t, w)
	c.X.get(inDirect(c.D)).fails(403, notParticipant)
	c.X.whisper(c.D, "hi").fails(403, notParticipant)
	c.X.post(inDirect(c.D), "{").fails(403, notParticipant)
}

func wrongKindOfChannel(t *testing.T, w *world) {
	c := newCast(t, w)
	c.O.get(inChannel(c.D)).fails(404, noChannel)
	c.O.say(c.D, "hi").fails(404, noChannel)
	c.O.get(inDirect(c.G)).fails(404, noConversation)
	c.O.whisper(c.G, "hi").fails(404, noConversation)
	c.O.patch("/api/channels/"+c.D, object{"name": "x"}).fails(404, noChannel)
}

func wrongKindOfMessage(t *testing.T, w *world) {
	c := newCast(t, w)
	direct := c.O.whisper(c.D, "hi").want(201).text("message.id")
	public := c.O.say(c.G, "hi").want(201).text("message.id")
	c.O.patch("/api/messages/"+direct, object{"content": "x"}).fails(404, noMessage)
	c.O.delete("/api/messages/"+direct).fails(404, noMessage)
	c.O.patch("/api/dm/messages/"+public, object{"content": "x"}).fails(404, noMessage)
	c.O.delete("/api/dm/messages/"+public).fails(404, noMessage)
}

func dmEdit(t *testing.T, w *world) {
	c := newCast(t, w)
	m := c.O.whisper(c.D, "hi").want(201).text("message.id")
	last := c.O.get("/api/dm").want(200).at("channels.0.last_message_at")
	c.M.patch("/api/dm/messages/"+m, object{"content": "x"}).fails(403, notAuthor)
	c.M.delete("/api/dm/messages/"+m).fails(403, notAuthor)
	c.X.patch("/api/dm/messages/"+m, object{"content": "x"}).fails(403, notParticipant)
	c.X.delete("/api/dm/messages/"+m).fails(403, notParticipant)
	c.O.patch("/api/dm/messages/"+m, object{"content": "ho"}).want(200).is("message.edited", true).is("message.content", "ho")
	c.O.do("PUT", "/api/dm/messages/"+m, object{"content": "ha"}).want(200).is("message.content", "ha")
	c.O.delete("/api/dm/messages/" + m).want(200)
	c.O.delete("/api/dm/messages/"+m).fails(404, noMessage)
	c.M.get(inDirect(c.D)).want(200).is("messages.0", dialecttest.Absent{})
	c.O.get("/api/dm").want(200).is("channels.0.last_message_at", last)
}

func dmOrder(t *testing.T, w *world) {
	c := newCast(t, w)
	newer := c.O.post("/api/dm", object{"user_id": c.X.id}).want(201).text("channel.id")
	c.O.get("/api/dm").want(200).is("channels.0.id", newer).is("channels.1.id", c.D).is("channels.2", dialecttest.Absent{}).is("has_more", false)
	c.O.whisper(newer, "hi").want(201)
	sent := c.O.whisper(c.D, "hi").want(201)
	again := c.O.whisper(c.D, "ho").want(201)
	if !again.time("message.created_at").After(sent.time("message.created_at")) {
		t.Errorf("got %s after %s, want rising times", again.text("message.created_at"), sent.text("message.created_at"))
	}
	c.O.get("/api/dm").want(200).is("channels.0.id", c.D).is("channels.0.last_message_at", again.text("message.created_at"))
}

func showUser(t *testing.T, w *world) {
	a, b := w.user(t), w.user(t)
	a.get("/api/users/"+b.id).want(200).is("user.id", b.id).is("user.email", dialecttest.Absent{}).is("user.updated_at", dialecttest.Absent{}).is("user.status", "offline")
	a.get("/api/users/"+a.id).want(200).is("user.email", a.email)
	a.get("/api/users/"+unknownID).fails(404, noUser)
	a.get("/api/users/nobody").fails(404, noUser)
	if me, self := a.get("/api/users/me").want(200), a.get("/api/auth/me").want(200); me.Raw != self.Raw {
		t.Errorf("got %s from users/me, want %s as from auth/me", me.Raw, self.Raw)
	}
}

func displayName(t *testing.T, w *world) {
	u := w.user(t)
	u.patch("/api/users/me", object{"display_name": strings.Repeat("ж", 32)}).want(200).is("user.display_name", strings.Repeat("ж", 32))
	u.patch("/api/users/me", object{"display_name": strings.Repeat("ж", 33)}).fails(400, "display_name must be 1-32 characters")
	u.patch("/api/users/me", object{"display_name": ""}).want(200).is("user.display_name", u.name)
	u.do("PUT", "/api/users/me", object{"display_name": " Ada "}).want(200).is("user.display_name", "Ada")
	u.patch("/api/users/me", object{"display_name": nil, "username": "x", "email": "x"}).want(200).
		is("user.display_name", u.name).is("user.username", u.name).is("user.email", u.email)
	u.patch("/api/users/me", object{}).fails(400, nothingSupplied)
}

const ownStatus = "/api/users/me/status"

func status(t *testing.T, w *world) {
	u, other := w.user(t), w.user(t)
	u.patch(ownStatus, object{"status": "dnd", "custom_status": "x"}).want(200).is("user.status", "dnd").is("user.custom_status", "x")
	other.get("/api/users/"+u.id).want(200).is("user.status", "dnd").is("user.custom_status", "x")
	u.patch(ownStatus, object{"custom_status": ""}).want(200).is("user.status", "dnd").is("user.custom_status", nil)
	u.patch(ownStatus, object{"status": "online", "custom_status": " y "}).want(200).is("user.custom_status", "y")
	u.do("PUT", ownStatus, object{"status": "offline"}).want(200).is("user.status", "offline").is("user.custom_status", "y")
	u.patch(ownStatus, object{"status": "idle", "custom_status": nil}).want(200).is("user.status", "idle").is("user.custom_status", nil)
}

func statusLimits(t *testing.T, w *world) {
	const badStatus = "status must be one of online, offline, idle, dnd"
	u := w.user(t)
	u.patch(ownStatus, object{"custom_status": " " + strings.Repeat("ж", 128) + " "}).want(200).is("user.custom_status", strings.Repeat("ж", 128))
	u.patch(ownStatus, object{"custom_status": strings.Repeat("ж", 129)}).fails(400, "custom_status must be at most 128 characters")
	for _, word := range []string{"away", "Online", "", " online"} {
		u.patch(ownStatus, object{"status": word}).fails(400, badStatus)
	}
	u.patch(ownStatus, object{}).fails(400, nothingSupplied)
	u.patch(ownStatus, object{"status": nil}).fails(400, nothingSupplied)
}

func statusAtomic(t *testing.T, w *world) {
	u := w.user(t)
	u.patch(ownStatus, object{"status": "away", "custom_status": "new"}).want(400)
	u.patch(ownStatus, object{"status": "dnd", "custom_status": strings.Repeat("x", 129)}).want(400)
	u.get("/api/auth/me").want(200).is("user.status", "offline").is("user.custom_status", nil)
}

func removedAccount(t *testing.T, w *world) {
	c := newCast(t, w)
	key, _ := c.M.newKey("k")
	c.M.say(c.G, "hi").want(201)
	c.M.whisper(c.D, "hi").want(201)
	if err := w.Core.RemoveAccount(t.Context(), c.M.account()); err != nil {
		t.Fatalf("remove the account: %v", err)
	}
	c.O.get(inChannel(c.G)).want(200).is("messages.0.author_id", c.M.id).
		is("messages.0.author.id", c.M.id).is("messages.0.author.username", "deleted-user").
		is("messages.0.author.display_name", "Deleted User").is("messages.0.author.is_agent", false)
	c.O.get("/api/users/"+c.M.id).fails(404, noUser)
	c.O.whisper(c.D, "hi").fails(403, "This user is no longer available")
	c.O.get(inDirect(c.D)).want(200).is("messages.0.content", "hi")
	c.O.get("/api/dm").want(200).is("channels.0.recipient.username", "deleted-user").is("channels.0.recipient.id", c.M.id).
		is("channels.0.recipient.status", "offline").is("channels.0.recipient.custom_status", nil).is("channels.0.recipient.created_at", nil)
	c.O.post("/api/dm", object{"user_id": c.M.id}).fails(404, noUser)
	c.M.get("/api/auth/me").fails(401, badToken)
	c.M.with(key).get("/api/auth/me").fails(401, badToken)
	c.O.get("/api/servers/"+c.S).is("server.member_count", 1)
	// Address and name are free again.
	c.X.post("/api/auth/register", object{"email": c.M.email, "username": c.M.name, "password": password}).want(201)

	// The server goes to the longest-standing member; without one it goes away.
	c.X.join(c.S, c.code).want(200)
	empty, _, _ := c.O.newServer("alone")
	if err := w.Core.RemoveAccount(t.Context(), c.O.account()); err != nil {
		t.Fatalf("remove the account: %v", err)
	}
	c.X.get("/api/servers/"+c.S).want(200).is("server.owner_id", c.X.id).is("server.member_count", 1)
	c.X.get("/api/servers/"+empty).fails(404, noServer)
	c.X.rename(c.S, object{"name": "mine"}).want(200)
}

func emptyLists(t *testing.T, w *world) {
	u := w.user(t)
	for path, want := range map[string]string{
		"/api/servers": `{"servers":[]}`, "/api/dm": `{"channels":[],"has_more":false}`, "/api/auth/api-key": `{"keys":[]}`,
	} {
		if r := u.get(path).want(200); r.Raw != want {
			t.Errorf("%s: got %s, want %s", path, r.Raw, want)
		}
	}
	_, _, g := u.newServer("HQ")
	if r := u.get(inChannel(g)).want(200); r.Raw != `{"messages":[],"has_more":false}` {
		t.Errorf("got %s", r.Raw)
	}
}
