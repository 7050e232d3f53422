package opencord_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/internal/dialect/dialecttest"
)

func createServer(t *testing.T, w *world) {
	u := w.user(t)
	r := u.post("/api/servers", object{"name": " HQ "}).want(201)
	r.is("server.name", "HQ").is("server.owner_id", u.id).is("server.description", nil).is("server.member_count", 1)
	if code := r.text("server.invite_code"); !regexp.MustCompile(`^[a-z0-9]{8}$`).MatchString(code) {
		t.Errorf("got invite code %q", code)
	}
	u.get("/api/servers/"+r.text("server.id")).want(200).is("server.member_count", 1).is("server.description", nil)
}

func firstChannel(t *testing.T, w *world) {
	u := w.user(t)
	s, _, _ := u.newServer("HQ")
	r := u.get("/api/servers/" + s + "/channels").want(200)
	r.is("channels.0.name", "general").is("channels.0.position", 0).is("channels.0.type", "text")
	r.is("channels.0.topic", nil).is("channels.0.server_id", s).is("channels.1", dialecttest.Absent{})
}

func serverName(t *testing.T, w *world) {
	u := w.user(t)
	u.post("/api/servers", object{"name": "   "}).fails(400, "name is required")
	u.post("/api/servers", object{"name": strings.Repeat("n", 101)}).fails(400, "name must be 1-100 characters")
	u.post("/api/servers", object{"name": strings.Repeat("ж", 100)}).want(201)
}

func outsider(t *testing.T, w *world) {
	c := newCast(t, w)
	c.X.get("/api/servers/"+c.S).fails(403, notMember)
	c.X.get("/api/servers/"+c.S+"/members").fails(403, notMember)
	c.X.get(inChannel(c.G)).fails(403, notMember)
}

func unknownServer(t *testing.T, w *world) {
	u := w.user(t)
	u.get("/api/servers/not-a-uuid").fails(404, noServer)
	u.get("/api/servers/"+unknownID).fails(404, noServer)
}

func join(t *testing.T, w *world) {
	c := newCast(t, w)
	c.X.join(c.S, " "+c.code+" ").want(200).is("server.id", c.S).is("server.member_count", 3)
	c.X.get("/api/servers").want(200).is("servers.0.id", c.S)
	c.O.get("/api/servers/"+c.S+"/members").want(200).
		is("members.0.user_id", c.O.id).is("members.0.role", "owner").
		is("members.2.user_id", c.X.id).is("members.2.role", "member").is("members.2.user.username", c.X.name)
}

func joinAgain(t *testing.T, w *world) {
	c := newCast(t, w)
	c.M.join(c.S, c.code).fails(409, alreadyMember)
	c.M.join(c.S, "wrong").fails(409, alreadyMember)
	c.M.post("/api/servers/"+c.S+"/join", "{").fails(409, alreadyMember)
}

func joinRefused(t *testing.T, w *world) {
	c := newCast(t, w)
	_, other, _ := c.O.newServer("other")
	c.X.join(c.S, "wrong").fails(403, badInvite)
	c.X.join(c.S, other).fails(403, badInvite)
	c.X.join(c.S, strings.ToUpper(c.code)+"!").fails(403, badInvite)
	c.X.post("/api/servers/"+c.S+"/join", object{}).fails(400, "invite_code is required")
	c.X.join(c.S, "  ").fails(400, "invite_code is required")
	c.X.join(unknownID, c.code).fails(404, noServer)
}

func newInvite(t *testing.T, w *world) {
	c := newCast(t, w)
	code := c.O.rename(c.S, object{"regenerate_invite": true}).want(200).text("server.invite_code")
	if code == c.code {
		t.Errorf("got the old code %q again", code)
	}
	c.X.join(c.S, c.code).fails(403, badInvite)
	c.X.join(c.S, code).want(200)
}

func updateServer(t *testing.T, w *world) {
	c := newCast(t, w)
	c.M.rename(c.S, object{"name": "N"}).fails(403, notOwner)
	c.X.rename(c.S, object{"name": "N"}).fails(403, notMember)
	c.O.rename(c.S, object{}).fails(400, nothingSupplied)
	c.O.do("PUT", "/api/servers/"+c.S, object{"name": "N"}).want(200).is("server.name", "N").is("server.invite_code", c.code)
	c.O.rename(c.S, object{"name": " "}).fails(400, "name is required")
	c.O.rename(c.S, object{"description": " here "}).want(200).is("server.description", "here").is("server.name", "N")
	c.O.rename(c.S, object{"description": nil}).want(200).is("server.description", nil)
	c.O.rename(c.S, object{"name": nil}).fails(400, nothingSupplied)
}

func ownerLeaves(t *testing.T, w *world) {
	c := newCast(t, w)
	c.O.post("/api/servers/"+c.S+"/leave", nil).fails(403, "The owner cannot leave; delete the server instead")
	if got := c.M.get("/api/servers/"+c.S+"/members").texts("members", "user_id"); !slices.Contains(got, c.O.id) {
		t.Errorf("got members %v, want %s among them", got, c.O.id)
	}
}

func leave(t *testing.T, w *world) {
	c := newCast(t, w)
	c.M.post("/api/servers/"+c.S+"/leave", nil).want(200).is("success", true)
	c.M.post("/api/servers/"+c.S+"/leave", nil).fails(403, notMember)
	c.M.get(inChannel(c.G)).fails(403, notMember)
	c.O.get("/api/servers/"+c.S).is("server.member_count", 1)
	c.M.join(c.S, c.code).want(200) // a former member may come back
	c.M.delete("/api/servers/" + c.S + "/leave").want(200)
	c.M.get(inChannel(c.G)).fails(403, notMember)
}

func leftMessage(t *testing.T, w *world) {
	c := newCast(t, w)
	m := c.M.say(c.G, "hi").want(201).text("message.id")
	c.M.post("/api/servers/"+c.S+"/leave", nil).want(200)
	c.M.patch("/api/messages/"+m, object{"content": "ho"}).fails(403, notMember)
	c.M.delete("/api/messages/"+m).fails(403, notMember)
	c.O.get(inChannel(c.G)).want(200).is("messages.0.id", m).is("messages.0.author.id", c.M.id).is("messages.0.content", "hi")
}

func deleteServer(t *testing.T, w *world) {
	c := newCast(t, w)
	m := c.O.say(c.G, "hi").want(201).text("message.id")
	c.M.delete("/api/servers/"+c.S).fails(403, notOwner)
	c.X.delete("/api/servers/"+c.S).fails(403, notMember)
	c.O.delete("/api/servers/" + c.S).want(200)
	c.O.get("/api/servers/"+c.S).fails(404, noServer)
	c.O.get(inChannel(c.G)).fails(404, noChannel)
	c.O.patch("/api/messages/"+m, object{"content": "ho"}).fails(404, noMessage)
	c.O.delete("/api/servers/"+c.S).fails(404, noServer)
	c.M.get("/api/servers").is("servers.0", dialecttest.Absent{})
	c.O.whisper(c.D, "still here").want(201)
}

func createChannel(t *testing.T, w *world) {
	c := newCast(t, w)
	path := "/api/servers/" + c.S + "/channels"
	c.O.post(path, object{"name": "#Dev Talk"}).want(201).is("channel.name", "dev-talk").is("channel.position", 1).is("channel.topic", nil)
	c.M.post(path, object{"name": "#Dev Talk"}).fails(403, notOwner)
	c.X.post(path, object{"name": "#Dev Talk"}).fails(403, notMember)
	c.O.post(path, object{"name": " Entwürfe 密 \t 2_x ", "topic": " t "}).want(201).is("channel.name", "entwürfe-密-2_x").is("channel.topic", "t")
	for _, name := range []string{"##", "a!b", "a.b", "#", strings.Repeat("x", 101)} {
		c.O.post(path, object{"name": name}).fails(400, "name is invalid")
	}
}

func lastChannel(t *testing.T, w *world) {
	c := newCast(t, w)
	c.O.delete("/api/channels/"+c.G).fails(400, "Cannot delete the last channel of a server")
	c.O.post("/api/servers/"+c.S+"/channels", object{"name": "two"}).want(201)
	c.M.delete("/api/channels/"+c.G).fails(403, notOwner)
	c.O.delete("/api/channels/" + c.G).want(200)
	c.O.get(inChannel(c.G)).fails(404, noChannel)
}
