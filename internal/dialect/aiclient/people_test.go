package aiclient_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/dialect/dialecttest"
)

const (
	textBadKey     = "API Key 无效"
	textNoLogin    = "未登录或登录已过期"
	textBadLogin   = "邮箱或密码错误"
	textForbidden  = "没有权限"
	textDisabled   = "AI Agent 已停用"
	textNoAgent    = "AI Agent 不存在"
	textEmailTaken = "邮箱已被注册"
	textNameTaken  = "用户名已被占用"
	textBadPEM     = "公钥格式无效"
	textBadJSON    = "请求体不是有效的 JSON"
	textNothing    = "没有可更新的字段"
	textCap        = "数量已达上限"
)

func textMissing(field string) string { return "缺少参数: " + field }

func textInvalid(field string) string { return "参数无效: " + field }

// registration is a body with names nobody else has.
func registration(w *world) object {
	n := w.Serial()
	return object{"email": fmt.Sprintf("Reg%d@example.org", n), "username": fmt.Sprintf("Reg%d", n), "password": password}
}

func TestB04Register(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v, in := w.visitor(t), registration(w)
		r := v.Post("/ai/auth/register", in).Want(200)
		r.Is("user.email", strings.ToLower(in["email"].(string))).Is("user.username", in["username"])
		r.Is("user.created_at", w.Clock.Now().Format("2006-01-02T15:04:05.000Z")).Is("token", dialecttest.Absent{})
		if id := r.Text("user.id"); len(id) != 36 || id != strings.ToLower(id) {
			t.Errorf("id: got %q, want a UUID in lower case", id)
		}
		again := func(change object) *dialecttest.Response {
			body := registration(w)
			for k, v := range change {
				body[k] = v
			}
			return v.Post("/ai/auth/register", body)
		}
		shouted := strings.ToUpper(in["email"].(string))
		fails(t, again(object{"email": shouted}), 409, textEmailTaken)
		fails(t, again(object{"username": in["username"]}), 409, textNameTaken)
		fails(t, again(object{"username": strings.ToUpper(in["username"].(string))}), 409, textNameTaken)
		fails(t, again(object{"email": shouted, "username": in["username"]}), 409, textEmailTaken)
		fails(t, again(object{"username": "Deleted-User"}), 409, textNameTaken)
	})
}

func TestB05RegisterBadBodies(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		without := func(fields ...string) object {
			in := registration(w)
			for _, f := range fields {
				delete(in, f)
			}
			return in
		}
		with := func(field string, value any) object { return registration(w).But(field, value) }
		for _, tc := range []struct {
			body any
			want string
		}{
			{with("password", "1234567"), textInvalid("password")},
			{without("username"), textMissing("username")},

			{without("email", "password", "username"), textMissing("email")},
			{without("password", "username"), textMissing("password")},
			{with("email", nil), textMissing("email")},
			{with("email", 1), textInvalid("email")},
			{with("email", ""), textInvalid("email")},
			{with("email", "a"), textInvalid("email")},
			{with("email", "a@b"), textInvalid("email")},
			{with("email", "a@b@c.example"), textInvalid("email")},
			{with("email", "a b@c.example"), textInvalid("email")},
			{with("email", "@c.example"), textInvalid("email")},
			{with("email", "a@c.example."), textInvalid("email")},
			{with("email", "a\x00@c.example"), textInvalid("email")},
			{with("email", strings.Repeat("a", 243)+"@example.org"), textInvalid("email")}, // 255 bytes
			{with("password", []string{}), textInvalid("password")},
			{with("password", strings.Repeat("字", 129)), textInvalid("password")},
			{with("password", strings.Repeat("字", 7)), textInvalid("password")},
			{with("username", true), textInvalid("username")},
			{with("username", ""), textMissing("username")},
			{with("username", " \t "), textMissing("username")},
			{with("username", "艾"), textInvalid("username")},
			{with("username", strings.Repeat("艾", 33)), textInvalid("username")},
			{with("username", "a b"), textInvalid("username")},
			{with("username", "a/b"), textInvalid("username")},
			{with("username", "ab\U0001f600"), textInvalid("username")},
			{with("username", "ab\u200b"), textInvalid("username")},
			{"{", textBadJSON},
			{"[]", textBadJSON},
			{"", textBadJSON},
			{"{\"email\":\"\xff@c.example\"}", textBadJSON},
		} {
			fails(t, w.visitor(t).Post("/ai/auth/register", tc.body), 400, tc.want)
		}
		fails(t, w.visitor(t).Post("/ai/auth/register", with("x", strings.Repeat("x", 65536))), 413, "请求体过大")
	})
}

// Letters of any script, in one form whatever the client's.
func TestUsernames(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for _, name := range []struct{ sent, kept string }{
			{"艾达", "艾达"},
			{"  Ада.Л_1-2 ", "Ада.Л_1-2"},
			{"e\u0301a", "éa"},
			{"٣٤", "٣٤"},
			{"हिन्दी", "हिन्दी"},
			{strings.Repeat("字", 32), strings.Repeat("字", 32)},
		} {
			w.visitor(t).Post("/ai/auth/register", registration(w).But("username", name.sent)).Want(200).
				Is("user.username", name.kept)
		}
		v := w.visitor(t)
		fails(t, v.Post("/ai/auth/register", registration(w).But("username", "ÉA")), 409, textNameTaken)
		fails(t, v.Post("/ai/auth/register", registration(w).But("username", "АДА.л_1-2")), 409, textNameTaken)
	})
}

// Passwords are kept as they are, blanks and all.
func TestPasswordsAreNotTrimmed(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		v, in := w.visitor(t), registration(w).But("password", "  blanks  ")
		v.Post("/ai/auth/register", in).Want(200)
		fails(t, v.Post("/ai/auth/login", object{"email": in["email"], "password": "blanks"}), 401, textBadLogin)
		v.Post("/ai/auth/login", object{"email": in["email"], "password": "  blanks  "}).Want(200)
	})
}

func TestB06Login(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		v := w.visitor(t)
		r := v.Post("/ai/auth/login", object{"email": " " + strings.ToUpper(p.email), "password": password}).Want(200)
		token := r.Text("token")
		if !strings.HasPrefix(token, "usr_") || len(token) != len("usr_")+43 {
			t.Errorf("token: got %q, want usr_ and 43 characters", token)
		}
		r.Is("user.id", p.id).Is("user.email", p.email).Is("user.username", p.name)
		r.Is("expires_at", w.Clock.Now().Add(24*time.Hour).Format("2006-01-02T15:04:05.000Z"))
		v.with(token).Get("/ai/auth/me").Want(200).Is("user.id", p.id)
		p.Get("/ai/auth/me").Want(200) // the session before lives on

		wrong := v.Post("/ai/auth/login", object{"email": p.email, "password": "wrong password"})
		unknown := v.Post("/ai/auth/login", object{"email": "x" + p.email, "password": password})
		fails(t, wrong, 401, textBadLogin)
		fails(t, unknown, 401, textBadLogin)
		if wrong.Raw != unknown.Raw {
			t.Errorf("bodies: got %s and %s, want the same", wrong.Raw, unknown.Raw)
		}
	})
}

func TestLoginBadBodies(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		for _, tc := range []struct {
			body any
			want string
		}{
			{object{}, textMissing("email")},
			{object{"password": password}, textMissing("email")},
			{object{"email": "ada@example.org"}, textMissing("password")},
			{object{"email": nil, "password": nil}, textMissing("email")},
			{object{"email": 1, "password": password}, textInvalid("email")},
			{object{"email": "ada@example.org", "password": 1}, textInvalid("password")},
			{"nonsense", textBadJSON},
		} {
			fails(t, w.visitor(t).Post("/ai/auth/login", tc.body), 400, tc.want)
		}
		v := w.visitor(t)
		for _, email := range []string{"", "no address", strings.Repeat("x", 10_000)} {
			fails(t, v.Post("/ai/auth/login", object{"email": email, "password": password}), 401, textBadLogin)
		}
		fails(t, v.Post("/ai/auth/login", object{"email": "ada@example.org", "password": ""}), 401, textBadLogin)
	})
}

func TestB68SessionsEnd(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		w.Clock.Advance(24*time.Hour - time.Second)
		p.Get("/ai/auth/me").Want(200)
		w.Clock.Advance(2 * time.Second)
		fails(t, p.Get("/ai/auth/me"), 401, textNoLogin)

		one := p.Post("/ai/auth/login", object{"email": p.email, "password": password}).Want(200).Text("token")
		two := p.Post("/ai/auth/login", object{"email": p.email, "password": password}).Want(200).Text("token")
		if r := p.with(one).Post("/ai/auth/logout", "no JSON").Want(200); r.Raw != `{"success":true}` {
			t.Errorf("logout: got %s", r.Raw)
		}
		fails(t, p.with(one).Get("/ai/auth/me"), 401, textNoLogin)
		fails(t, p.with(one).Post("/ai/auth/logout", nil), 401, textNoLogin)
		p.with(two).Get("/ai/auth/me").Want(200)
	})
}

// Many people want one name and one address at once: one of them gets it.
func TestRegistrationRace(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		both, byName, byEmail := registration(w), registration(w), registration(w)
		for what, in := range map[string]func() object{
			"both":  func() object { return both },
			"name":  func() object { return registration(w).But("username", byName["username"]) },
			"email": func() object { return registration(w).But("email", byEmail["email"]) },
		} {
			all := dialecttest.Together(12, func(int) *dialecttest.Response { return w.visitor(t).Post("/ai/auth/register", in()) })
			if got := dialecttest.Statuses(all); got[200] != 1 || got[409] != 11 {
				t.Errorf("%s: got statuses %v, want one 200 and eleven 409", what, got)
			}
		}
	})
}

// Somebody who is suspended can neither log in nor do anything, not even log out; the
// agents they made go on.
func TestSuspendedPerson(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		p := w.person(t)
		a := p.makes("甲")
		if _, err := w.Core.Suspend(t.Context(), p.account(), true); err != nil {
			t.Fatalf("suspend: %v", err)
		}
		for _, r := range []*dialecttest.Response{
			p.Get("/ai/auth/me"), p.Post("/ai/auth/logout", nil), p.Get("/ai/agents"), p.Post("/ai/agents", "{"),
			p.Get("/ai/agents/" + a.id), p.Patch("/ai/agents/"+a.id, object{}), p.Delete("/ai/agents/" + a.id),
			p.Post("/ai/agents/"+a.id+"/key", nil), p.Delete("/ai/agents/" + a.id + "/key"),
			p.Post("/ai/auth/login", object{"email": p.email, "password": password}),
		} {
			fails(t, r, 403, textDisabled)
		}
		fails(t, p.Post("/ai/auth/login", object{"email": p.email, "password": "wrong password"}), 401, textBadLogin)
		a.Get("/ai/me").Want(200)
		if _, err := w.Core.Suspend(t.Context(), p.account(), false); err != nil {
			t.Fatalf("reinstate: %v", err)
		}
		p.Get("/ai/auth/me").Want(200)
	})
}
