package aiclient_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
)

// pen is a key pair that signs.
type pen struct {
	key *ecdsa.PrivateKey
	pem string // the public key as the server shows it
}

func newPen(t testing.TB) *pen {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key pair: %v", err)
	}
	return &pen{key: key, pem: publicPEM(t, &key.PublicKey)}
}

// publicPEM is a public key of any kind, without a newline at the end.
func publicPEM(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatalf("encode a public key: %v", err)
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "\n")
}

// sign signs a text and returns the digits.
func (p *pen) sign(t testing.TB, text string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(rand.Reader, p.key, digest[:])
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return hex.EncodeToString(der)
}

// inBytes puts a text beyond a size in bytes that stays one key.
func inBytes(key string, size int) string { return key + strings.Repeat("\n", size-len(key)) }

// agentPath is the path of an agent.
func agentPath(a *client) string { return "/ai/agents/" + a.id }

func TestB02Me(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, key := w.person(t), newPen(t)
		a := p.makes("A", object{"public_key": key.pem, "description": "does things"})
		now := w.Clock.Now().Format("2006-01-02T15:04:05.000Z")
		r := a.Get("/ai/me").Want(200).Is("message", "AI Agent API 连接成功")
		r.Is("aiAgent.id", a.id).Is("aiAgent.name", "A").Is("aiAgent.status", "active").Is("aiAgent.public_key", key.pem)
		r.Is("aiAgent.description", "does things").Is("aiAgent.created_at", now).Is("aiAgent.updated_at", now)
		for _, hidden := range []string{"has_key", "key_prefix", "last_used_at", "owner", "handle"} {
			r.Is("aiAgent."+hidden, dialecttest.Absent{})
		}
		p.makes("bare").Get("/ai/me").Want(200).Is("aiAgent.public_key", nil).Is("aiAgent.description", nil)
	})
}

func TestB03KeysOfAgentsOnly(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		fails(t, w.visitor(t).Get("/ai/me"), 401, textBadKey)
		fails(t, a.with("x").Get("/ai/me"), 401, textBadKey)
		fails(t, p.Get("/ai/me"), 401, textBadKey)
		fails(t, p.with(p.foreignKey()).Get("/ai/me"), 401, textBadKey)
		a.with(a.foreignKey()).Get("/ai/me").Want(200).Is("aiAgent.id", a.id)
	})
}

func TestB07CreateAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		r := p.Post("/ai/agents", object{"name": "甲"}).Want(200)
		key := r.Text("api_key")
		if !strings.HasPrefix(key, "aik_") || len(key) != len("aik_")+43 {
			t.Errorf("key: got %q, want aik_ and 43 characters", key)
		}
		r.Is("aiAgent.public_key", nil).Is("aiAgent.name", "甲").Is("aiAgent.status", "active").Is("aiAgent.description", nil)
		r.Is("aiAgent.has_key", true).Is("aiAgent.key_prefix", key[:12]).Is("aiAgent.last_used_at", nil)
		fails(t, p.with(key).Post("/ai/agents", object{"name": "乙"}), 401, textNoLogin)

		// Names are not unique; what they are reached by elsewhere is.
		again := p.Post("/ai/agents", object{"name": "甲"}).Want(200)
		if again.Text("aiAgent.id") == r.Text("aiAgent.id") || again.Text("api_key") == key {
			t.Errorf("got the same agent twice: %s", again.Raw)
		}
	})
}

func TestCreateAgentBodies(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, key := w.person(t), newPen(t)
		for _, tc := range []struct {
			body any
			want string
		}{
			{object{}, textMissing("name")},
			{object{"name": nil}, textMissing("name")},
			{object{"name": ""}, textMissing("name")},
			{object{"name": " \n\t\u3000"}, textMissing("name")},
			{object{"name": 7}, textInvalid("name")},
			{object{"name": "a\x00b"}, textInvalid("name")},
			{object{"name": strings.Repeat("甲", 51)}, textInvalid("name")},
			{object{"name": "a", "description": 7}, textInvalid("description")},
			{object{"name": "a", "description": strings.Repeat("述", 501)}, textInvalid("description")},
			{object{"name": "a", "public_key": 7}, textInvalid("public_key")},
			{object{"name": "a", "public_key": ""}, textBadPEM},
			{object{"name": "a", "public_key": inBytes(key.pem, 1001)}, textBadPEM},
			{object{"name": "", "public_key": "junk"}, textMissing("name")},
			{"[]", textBadJSON},
			{"", textBadJSON},
		} {
			fails(t, p.Post("/ai/agents", tc.body), 400, tc.want)
		}
		p.Get("/ai/agents").Want(200).Is("aiAgents.0", dialecttest.Absent{}) // nothing was made on the way

		r := p.Post("/ai/agents", object{
			"name": "  " + strings.Repeat("甲", 50) + " ", "description": strings.Repeat("述", 500), "unknown": 1,
			"public_key": inBytes(strings.ReplaceAll(key.pem, "\n", "\r\n"), 1000),
		}).Want(200)
		r.Is("aiAgent.name", strings.Repeat("甲", 50)).Is("aiAgent.description", strings.Repeat("述", 500))
		r.Is("aiAgent.public_key", key.pem)
		r = p.Post("/ai/agents", object{"name": "b", "description": " kept as sent ", "public_key": nil}).Want(200)
		r.Is("aiAgent.description", " kept as sent ").Is("aiAgent.public_key", nil)
		p.Post("/ai/agents", object{"name": "c", "description": "  "}).Want(200).Is("aiAgent.description", nil)
	})
}

func TestB08KeysAreShownOnce(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		fails(t, w.visitor(t).Get("/ai/agents"), 401, textNoLogin)
		if r := p.Get("/ai/agents").Want(200); r.Raw != `{"aiAgents":[]}` {
			t.Errorf("no agents: got %s", r.Raw)
		}
		a := p.makes("A")
		w.Clock.Advance(time.Second)
		b := p.makes("B")
		w.person(t).makes("of somebody else")
		list := p.Get("/ai/agents").Want(200)
		if got := list.Texts("aiAgents", "id"); !slices.Equal(got, []string{a.id, b.id}) {
			t.Errorf("agents: got %v, want A and B, oldest first", got)
		}
		one := p.Get(agentPath(a)).Want(200).Is("aiAgent.key_prefix", a.Token[:12]).Is("aiAgent.has_key", true)
		list.Is("aiAgents.0.key_prefix", a.Token[:12]).Is("aiAgents.1.key_prefix", b.Token[:12])
		for _, r := range []*dialecttest.Response{list, one, a.Get("/ai/me"), p.Patch(agentPath(a), object{"name": "A2"}).Want(200)} {
			if strings.Contains(r.Raw, a.Token) || strings.Contains(r.Raw, a.Token[12:]) {
				t.Errorf("got the key in %s", r.Raw)
			}
		}
	})
}

func TestB09NewKey(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		old := a.Token
		a.Get("/ai/me").Want(200) // known to every cache
		w.Clock.Advance(time.Second)
		r := p.Post(agentPath(a)+"/key", "no JSON").Want(200)
		fresh := r.Text("api_key")
		if !strings.HasPrefix(fresh, "aik_") || fresh == old {
			t.Errorf("key: got %q, want another one", fresh)
		}
		fails(t, a.with(old).Get("/ai/me"), 401, textBadKey)
		a.with(fresh).Get("/ai/me").Want(200).Is("aiAgent.id", a.id)
		p.Get(agentPath(a)).Want(200).Is("aiAgent.key_prefix", fresh[:12]).Is("aiAgent.has_key", true)
	})
}

func TestB10RevokedKey(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		a.Get("/ai/me").Want(200)
		for range 2 {
			if r := p.Do("DELETE", agentPath(a)+"/key", "{").Want(200); r.Raw != `{"success":true}` {
				t.Errorf("got %s", r.Raw)
			}
		}
		fails(t, a.Get("/ai/me"), 401, textBadKey)
		p.Get(agentPath(a)).Want(200).Is("aiAgent.has_key", false).Is("aiAgent.key_prefix", nil).Is("aiAgent.last_used_at", nil)
		a.with(p.Post(agentPath(a)+"/key", nil).Want(200).Text("api_key")).Get("/ai/me").Want(200)
	})
}

// Of keys that are asked for at the same time one is left.
func TestKeyRace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		all := dialecttest.Together(10, func(int) *dialecttest.Response { return p.Post(agentPath(a)+"/key", nil) })
		alive := 0
		for _, r := range all {
			if a.with(r.Want(200).Text("api_key")).Get("/ai/me").Status == 200 {
				alive++
			}
		}
		if alive != 1 {
			t.Errorf("live keys: got %d, want 1", alive)
		}
		p.Delete(agentPath(a) + "/key").Want(200)
	})
}

func TestB11AgentsOfOthers(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		before := c.U1.Get(agentPath(c.A)).Want(200).Raw
		for _, r := range []*dialecttest.Response{
			c.U2.Patch(agentPath(c.A), object{"name": "mine"}), c.U2.Delete(agentPath(c.A)), c.U2.Post(agentPath(c.A)+"/key", nil),
			c.U2.Delete(agentPath(c.A) + "/key"), c.U2.Patch(agentPath(c.A), "{"), c.U2.Patch(agentPath(c.A), object{}),
		} {
			fails(t, r, 403, textForbidden)
		}
		c.A.Get("/ai/me").Want(200)
		if after := c.U1.Get(agentPath(c.A)).Want(200).Raw; after != before {
			t.Errorf("got %s, want it as before: %s", after, before)
		}
		for _, unknown := range []string{
			"nonsense", "11111111-1111-4111-8111-111111111111", strings.ToUpper(c.A.id) + "0", c.U1.id, c.U2.id, c.R,
			w.IDs.Seal(id.KindMessage, 1).String(),
		} {
			path := "/ai/agents/" + unknown
			for _, r := range []*dialecttest.Response{
				c.U1.Get(path), c.U1.Patch(path, "{"), c.U1.Delete(path), c.U1.Post(path+"/key", nil), c.U1.Delete(path + "/key"),
			} {
				fails(t, r, 404, textNoAgent)
			}
		}
	})
}

func TestB12AgentCap(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		agents := []*client{}
		for range 20 {
			agents = append(agents, p.makes("A"))
		}
		fails(t, p.Post("/ai/agents", object{"name": "A"}), 403, textCap)
		fails(t, p.Post("/ai/agents", object{}), 400, textMissing("name")) // the body is looked at first
		p.Patch(agentPath(agents[0]), object{"status": "disabled"}).Want(200)
		fails(t, p.Post("/ai/agents", object{"name": "A"}), 403, textCap)
		p.Delete(agentPath(agents[0])).Want(200)
		p.Post("/ai/agents", object{"name": "A"}).Want(200)
		fails(t, p.Post("/ai/agents", object{"name": "A"}), 403, textCap)
		w.person(t).makes("of somebody else")
	})
}

func TestAgentCapRace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		all := dialecttest.Together(25, func(i int) *dialecttest.Response {
			return p.Post("/ai/agents", object{"name": "A" + strconv.Itoa(i)})
		})
		if got := dialecttest.Statuses(all); got[200] != 20 || got[403] != 5 {
			t.Errorf("got statuses %v, want twenty 200 and five 403", got)
		}
		if got := len(p.Get("/ai/agents").Want(200).List("aiAgents")); got != 20 {
			t.Errorf("agents: got %d, want 20", got)
		}
	})
}

func TestB25KeyReplaced(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c, old, fresh := newCast(t, w), newPen(t), newPen(t)
		c.U1.Patch(agentPath(c.A), object{"public_key": old.pem}).Want(200)
		send := func(text string, with *pen) *dialecttest.Response {
			return c.A.Post("/ai/messages", object{"toAiId": c.B.id, "content": text, "signature": with.sign(t, text)})
		}
		send("before", old).Want(200).Is("message.signature_verified", true)
		w.Clock.Advance(time.Second)
		c.U1.Patch(agentPath(c.A), object{"public_key": fresh.pem}).Want(200).Is("aiAgent.public_key", fresh.pem)
		fails(t, send("forged", old), 400, "签名验证失败")
		send("after", fresh).Want(200)
		w.Clock.Advance(time.Second)
		c.A.says(c.B, "unsigned").Want(200)

		r := c.B.Get("/ai/messages").Want(200)
		if got := r.Texts("messages", "content"); !slices.Equal(got, []string{"unsigned", "after", "before"}) {
			t.Fatalf("messages: got %v", got)
		}
		r.Is("messages.0.from_ai.public_key", fresh.pem).Is("messages.1.from_ai.public_key", fresh.pem)
		r.Is("messages.2.from_ai.public_key", old.pem).Is("messages.2.signature_scheme", "content")
		signature, err := hex.DecodeString(r.Text("messages.2.signature"))
		digest := sha256.Sum256([]byte("before"))
		if err != nil || !ecdsa.VerifyASN1(&old.key.PublicKey, digest[:], signature) {
			t.Errorf("the old message does not verify any more: %s", r.Raw)
		}
	})
}

func TestB26PublicKeys(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, good := w.person(t), newPen(t)
		a := p.makes("A", object{"public_key": good.pem})
		larger, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatalf("make a key pair: %v", err)
		}
		other, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatalf("make a key pair: %v", err)
		}
		edwards, _, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatalf("make a key pair: %v", err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(good.key)
		if err != nil {
			t.Fatalf("encode the key: %v", err)
		}
		privatePEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
		for what, key := range map[string]string{
			"P-384": publicPEM(t, &larger.PublicKey), "RSA": publicPEM(t, &other.PublicKey), "Ed25519": publicPEM(t, edwards),
			"private": privatePEM, "private after public": good.pem + "\n" + privatePEM,
			"junk": "junk", "empty": "", "text before": "x " + good.pem, "text after": good.pem + "\nx", "long": inBytes(good.pem, 1001),
			"two": good.pem + "\n" + good.pem,
		} {
			if r := p.Patch(agentPath(a), object{"public_key": key, "name": "changed"}); r.Status != 400 || r.At("error") != textBadPEM {
				t.Errorf("%s: got %d %s, want 400 %s", what, r.Status, r.Raw, textBadPEM)
			}
		}
		p.Get(agentPath(a)).Want(200).Is("aiAgent.public_key", good.pem).Is("aiAgent.name", "A")
		p.Patch(agentPath(a), object{"public_key": nil}).Want(200).Is("aiAgent.public_key", nil)
		p.Patch(agentPath(a), object{"public_key": "\r\n" + strings.ReplaceAll(good.pem, "\n", "\r\n") + "\r\n "}).Want(200).
			Is("aiAgent.public_key", good.pem)
	})
}

func TestUpdateAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p, key := w.person(t), newPen(t)
		a := p.makes("A", object{"description": "first", "public_key": key.pem})
		made := w.Clock.Now().Format("2006-01-02T15:04:05.000Z")
		for _, tc := range []struct {
			body any
			want string
		}{
			{object{}, textNothing},
			{object{"unknown": 1}, textNothing},
			{object{"name": nil, "status": nil}, textNothing},
			{object{"name": ""}, textInvalid("name")},
			{object{"name": "  "}, textInvalid("name")},
			{object{"name": strings.Repeat("甲", 51)}, textInvalid("name")},
			{object{"name": 7}, textInvalid("name")},
			{object{"name": "b", "description": strings.Repeat("述", 501)}, textInvalid("description")},
			{object{"name": "b", "description": true}, textInvalid("description")},
			{object{"name": "b", "status": "paused"}, textInvalid("status")},
			{object{"name": "b", "status": ""}, textInvalid("status")},
			{object{"name": "b", "status": false}, textInvalid("status")},
			{object{"name": "b", "public_key": "junk", "status": "disabled"}, textBadPEM},
			{"{", textBadJSON},
		} {
			fails(t, p.Patch(agentPath(a), tc.body), 400, tc.want)
		}
		// Nothing of what was refused has been stored.
		r := a.Get("/ai/me").Want(200).Is("aiAgent.name", "A").Is("aiAgent.description", "first").Is("aiAgent.updated_at", made)
		r.Is("aiAgent.status", "active").Is("aiAgent.public_key", key.pem)

		w.Clock.Advance(time.Second)
		r = p.Patch(agentPath(a), object{"name": " 乙 ", "description": nil, "status": "active"}).Want(200)
		r.Is("aiAgent.name", "乙").Is("aiAgent.description", nil).Is("aiAgent.public_key", key.pem).Is("aiAgent.status", "active")
		r.Is("aiAgent.created_at", made).Is("aiAgent.updated_at", w.Clock.Now().Format("2006-01-02T15:04:05.000Z"))
		r.Is("aiAgent.has_key", true).Is("aiAgent.key_prefix", a.Token[:12])
		p.Patch(agentPath(a), object{"name": nil, "description": "again"}).Want(200).Is("aiAgent.name", "乙").Is("aiAgent.description", "again")
		fails(t, a.Patch(agentPath(a), object{"public_key": nil}), 401, textNoLogin) // a leaked key cannot put in a key of its own
	})
}

func TestB31Disabled(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.C.Post("/ai/groups/"+c.R+"/join", nil).Want(200)
		c.C.Get("/ai/me").Want(200) // known to every cache
		c.U2.Patch(agentPath(c.C), object{"status": "disabled"}).Want(200).Is("aiAgent.status", "disabled").Is("aiAgent.has_key", true)
		if got := c.A.Get("/ai/friends").Want(200).Texts("friends", "id"); slices.Contains(got, c.C.id) {
			t.Errorf("friends: got %v, want them without C", got)
		}
		fails(t, c.A.says(c.C, "hi"), 403, "对方 AI 已停用")
		fails(t, c.C.Get("/ai/me"), 403, textDisabled)
		fails(t, c.C.says(c.A, "hi"), 403, textDisabled)
		c.A.Get(agentPath(c.C)).Want(200).Is("aiAgent.status", "disabled")
		c.U2.Get(agentPath(c.C)).Want(200).Is("aiAgent.status", "disabled")
		if got := c.A.Get("/ai/groups/"+c.R+"/members").Want(200).Texts("members", "ai_id"); !slices.Contains(got, c.C.id) {
			t.Errorf("members: got %v, want C among them", got)
		}
		fresh := c.U2.Post(agentPath(c.C)+"/key", nil).Want(200).Text("api_key") // which changes nothing about it
		fails(t, c.C.with(fresh).Get("/ai/me"), 403, textDisabled)

		c.U2.Patch(agentPath(c.C), object{"status": "active"}).Want(200).Is("aiAgent.status", "active")
		c.C.with(fresh).Get("/ai/me").Want(200)
		c.A.says(c.C, "welcome back").Want(200)
	})
}

func TestB65DeletedAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c, key := newCast(t, w), newPen(t)
		c.U1.Patch(agentPath(c.A), object{"public_key": key.pem}).Want(200)
		c.A.Post("/ai/messages", object{"toAiId": c.B.id, "content": "signed", "signature": key.sign(t, "signed")}).Want(200)
		w.Clock.Advance(time.Second)
		c.A.says(c.B, "unsigned").Want(200)
		c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "to all"}).Want(200)
		c.C.says(c.A, "to the one who goes").Want(200)
		if r := c.U1.Do("DELETE", agentPath(c.A), "no JSON").Want(200); r.Raw != `{"success":true}` {
			t.Errorf("got %s", r.Raw)
		}

		const gone = "已删除的 AI"
		r := c.B.Get("/ai/messages").Want(200)
		r.Is("messages.0.content", "unsigned").Is("messages.0.from_ai_id", c.A.id).Is("messages.0.from_ai.id", c.A.id)
		r.Is("messages.0.from_ai.name", gone).Is("messages.0.from_ai.public_key", nil)
		r.Is("messages.1.content", "signed").Is("messages.1.from_ai_id", c.A.id).Is("messages.1.from_ai.name", gone)
		r.Is("messages.1.from_ai.public_key", key.pem).Is("messages.1.signature_verified", true).Is("messages.2", dialecttest.Absent{})
		c.B.Get("/ai/groups/"+c.R+"/messages").Want(200).Is("messages.0.from_ai.name", gone).Is("messages.0.from_ai_id", c.A.id)
		c.B.Get("/ai/groups").Want(200).Is("groups.0.owner_ai_id", c.B.id).Is("groups.0.member_count", 1)
		fails(t, c.A.Get("/ai/me"), 401, textBadKey)
		for _, r := range []*dialecttest.Response{
			c.B.Get(agentPath(c.A)), c.U1.Get(agentPath(c.A)), c.U1.Delete(agentPath(c.A)), c.U2.Delete(agentPath(c.A)),
			c.U1.Post(agentPath(c.A)+"/key", nil), c.U1.Patch(agentPath(c.A), object{"name": "x"}), c.B.says(c.A, "hi"),
		} {
			fails(t, r, 404, textNoAgent)
		}
		if got := c.U1.Get("/ai/agents").Want(200).Texts("aiAgents", "id"); !slices.Equal(got, []string{c.B.id}) {
			t.Errorf("agents: got %v, want B", got)
		}
		if got := c.B.Get("/ai/friends").Want(200).Texts("friends", "id"); !slices.Equal(got, []string{c.C.id}) {
			t.Errorf("friends: got %v, want C", got)
		}
	})
}

func TestDeleteRace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("A")
		all := dialecttest.Together(8, func(i int) *dialecttest.Response {
			if i%2 == 0 {
				return p.Post(agentPath(a)+"/key", nil)
			}
			return p.Delete(agentPath(a))
		})
		deleted := 0
		for i, r := range all {
			switch {
			case i%2 == 1 && r.Status == 200:
				deleted++
			case r.Status == 200: // a key that was made just before
				fails(t, a.with(r.Text("api_key")).Get("/ai/me"), 401, textBadKey)
			default:
				fails(t, r, 404, textNoAgent)
			}
		}
		if deleted != 1 {
			t.Errorf("deletions: got %d, want 1", deleted)
		}
	})
}

func TestB67ShowAgent(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.U1.Patch(agentPath(c.B), object{"description": "二"}).Want(200)
		public := func(r *dialecttest.Response) {
			t.Helper()
			r.Want(200).Is("aiAgent.id", c.B.id).Is("aiAgent.name", "B").Is("aiAgent.description", "二").Is("aiAgent.status", "active")
			r.Is("aiAgent.public_key", nil).Is("aiAgent.created_at", w.Clock.Now().Format("2006-01-02T15:04:05.000Z"))
			if fields, ok := r.At("aiAgent").(map[string]any); !ok || len(fields) != 6 {
				t.Errorf("got %s, want the six fields of the public view", r.Raw)
			}
			for _, secret := range []string{c.U1.id, c.U1.name, c.U1.email} {
				if strings.Contains(r.Raw, secret) {
					t.Errorf("got %s, which tells of the owner", r.Raw)
				}
			}
		}
		public(c.A.Get(agentPath(c.B)))
		public(c.U2.Get(agentPath(c.B)))
		c.B.Get(agentPath(c.B)).Want(200).Is("aiAgent.updated_at", w.Clock.Now().Format("2006-01-02T15:04:05.000Z")).
			Is("aiAgent.has_key", dialecttest.Absent{})
		c.U1.Get(agentPath(c.B)).Want(200).Is("aiAgent.has_key", true).Is("aiAgent.key_prefix", c.B.Token[:12])
		for _, unknown := range []string{"11111111-1111-4111-8111-111111111111", "nonsense", c.U1.id, c.U2.id, c.R} {
			fails(t, c.A.Get("/ai/agents/"+unknown), 404, textNoAgent)
			fails(t, c.U1.Get("/ai/agents/"+unknown), 404, textNoAgent)
		}
		fails(t, w.visitor(t).Get(agentPath(c.B)), 401, textBadKey)
		fails(t, c.A.with("aik_nonsense").Get(agentPath(c.B)), 401, textBadKey)
		fails(t, c.U1.with(c.U1.foreignKey()).Get(agentPath(c.B)), 401, textBadKey) // a person's key is no login
	})
}
