package aiclient_test

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/dialecttest"
	"parley/internal/httpx"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

// The texts of AI 5 that sends and groups are refused with.
const (
	textEmpty     = "消息内容不能为空"
	textLong      = "消息内容不能超过 4000 个字符"
	textSelf      = "不能给自己发送消息"
	textSigFormat = "签名格式无效"
	textSigBad    = "签名验证失败"
	textTargetOff = "对方 AI 已停用"
	textNotMember = "不是群成员"
	textGroupFull = "群聊人数已满"
	textNoGroup   = "群聊不存在"
	textPaused    = "已被所有者暂停发送"
	textTooLarge  = "请求体过大"
	textGone      = "已删除的 AI"
)

// strange is a well-formed UUID that no server made.
const strange = "12345678-1234-4234-8234-123456789abc"

// guest makes an account past the core, as another dialect would have made it, with a
// key that works everywhere.
func (w *world) guest(t testing.TB, change ...func(*chat.Account)) *client {
	t.Helper()
	return w.guests(t, 1, change...)[0]
}

// guests makes many at once.
func (w *world) guests(t testing.TB, n int, change ...func(*chat.Account)) []*client {
	t.Helper()
	out, now := make([]*client, n), w.Clock.Now()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		first, err := tx.NextID(ctx, 2*n)
		if err != nil {
			return err
		}
		for i := range out {
			c := w.visitor(t)
			a := &chat.Account{
				ID: chat.AccountID(first) + chat.AccountID(2*i), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat,
				State: chat.StateActive, CreatedAt: now, UpdatedAt: now,
			}
			c.name = "guest" + strconv.FormatInt(int64(a.ID), 10)
			a.Username, a.NameKey, a.Handle = c.name, c.name, c.name
			for _, apply := range change {
				apply(a)
			}
			c.id, c.Token = w.IDs.Seal(id.KindAccount, int64(a.ID)).String(), secret.NewToken("ac_live_")
			if err := tx.InsertAccount(ctx, a, ""); err != nil {
				return err
			}
			err := tx.InsertCredential(ctx, &chat.Credential{
				ID: chat.CredentialID(a.ID + 1), Account: a.ID, Kind: chat.CredentialKey, Issuer: chat.SurfaceAgentChat,
				Name: "default", Prefix: c.Token[:12], CreatedAt: now,
			}, secret.DigestOf(c.Token))
			if err != nil {
				return err
			}
			out[i] = c
		}
		return nil
	})
	return out
}

// through is the client's call through another dialect.
func (c *client) through(surface chat.Surface) core.Call {
	return core.Call{Actor: core.Actor{Account: c.account(), Is: chat.KindAgent}, Surface: surface}
}

// written is the position of the last durable change.
func (w *world) written(t testing.TB) (p chat.Position) {
	t.Helper()
	err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) (err error) {
		p, err = r.LastPosition(ctx)
		return err
	})
	if err != nil {
		t.Fatalf("read the last position: %v", err)
	}
	return p
}

// inbox reads the client's newest messages.
func (c *client) inbox(query ...string) *dialecttest.Response {
	c.T.Helper()
	return c.Get("/ai/messages" + strings.Join(query, "")).Want(200)
}

func TestB13SendPrivate(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		w.Clock.Advance(1234 * time.Millisecond)
		r := c.A.says(c.B, "你好").Want(200).Is("success", true)
		r.Is("message.from_ai_id", c.A.id).Is("message.to_ai_id", c.B.id).Is("message.content", "你好")
		r.Is("message.from_ai.id", c.A.id).Is("message.from_ai.name", "A").Is("message.from_ai.public_key", nil)
		r.Is("message.created_at", "2026-11-21T12:00:31.234Z").Is("message.timestamp", int(dialecttest.Noon.Unix()+1))
		for _, absent := range []string{"signature", "signature_verified", "signature_scheme", "group_id"} {
			r.Is("message."+absent, dialecttest.Absent{})
		}
		got := c.B.inbox().At("messages.0.id")
		if got != r.Text("message.id") {
			t.Errorf("B got message %v, want %s", got, r.Text("message.id"))
		}
	})
}

func TestB14ReceivedOnly(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		sent := c.A.says(c.B, "for B").Want(200).Text("message.id")
		c.B.inbox().Is("messages.0.id", sent).Is("messages.0.from_ai_id", c.A.id).Is("messages.0.to_ai_id", c.B.id).
			Is("messages.0.from_ai.id", c.A.id).Is("messages.0.from_ai.name", "A").Is("messages.0.from_ai.public_key", nil).
			Is("messages.1", dialecttest.Absent{}).Is("has_more", false)
		for _, other := range []*client{c.A, c.C} {
			other.inbox().Is("messages.0", dialecttest.Absent{}).Is("has_more", false)
		}
	})
}

func TestB15WhoIsWrittenTo(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		send := func(body any) *dialecttest.Response { return c.A.Post("/ai/messages", body) }
		before := w.written(t)
		fails(t, send(object{"toAiId": c.A.id, "content": "x"}), 400, textSelf)
		for _, unknown := range []string{strange, c.R, strings.Repeat("0", 8) + "-0000-0000-0000-" + strings.Repeat("0", 12)} {
			fails(t, send(object{"toAiId": unknown, "content": "x"}), 404, textNoAgent)
		}
		for _, malformed := range []any{"x", "", " " + c.B.id, "{" + c.B.id + "}", strings.ReplaceAll(c.B.id, "-", ""), 7, true, []any{}} {
			fails(t, send(object{"toAiId": malformed, "content": "x"}), 400, textInvalid("toAiId"))
		}
		fails(t, send(object{"content": "x"}), 400, textMissing("toAiId"))
		fails(t, send(object{"toAiId": nil, "content": "x"}), 400, textMissing("toAiId"))
		fails(t, send(object{"to_ai_id": c.B.id, "content": "x"}), 400, textMissing("toAiId"))
		if after := w.written(t); after != before {
			t.Errorf("the last position went from %d to %d, want nothing written", before, after)
		}
		send(object{"toAiId": strings.ToUpper(c.B.id), "content": "x"}).Want(200).Is("message.to_ai_id", c.B.id)
	})
}

// The first thing wrong in the order of AI 8.2 is told.
func TestSendTellsWhatIsWrongInOrder(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		long := strings.Repeat("x", 4001)
		for _, tc := range []struct {
			body   object
			status int
			text   string
		}{
			{object{}, 400, textMissing("toAiId")},
			{object{"toAiId": 7}, 400, textMissing("content")},
			{object{"toAiId": "x"}, 400, textMissing("content")},
			{object{"toAiId": 7, "content": 7}, 400, textInvalid("toAiId")},
			{object{"toAiId": c.A.id, "content": 7, "signature": 7}, 400, textInvalid("content")},
			{object{"toAiId": "x", "content": "", "signature": 7}, 400, textInvalid("signature")},
			{object{"toAiId": "x", "content": ""}, 400, textInvalid("toAiId")},
			{object{"toAiId": c.A.id, "content": "", "signature": "zz"}, 400, textEmpty},
			{object{"toAiId": c.A.id, "content": long, "signature": "zz"}, 400, textLong},
			{object{"toAiId": strange, "content": "x", "signature": "zz"}, 400, textSigFormat},
			{object{"toAiId": c.A.id, "content": "x"}, 400, textSelf},
			{object{"toAiId": strange, "content": "x"}, 404, textNoAgent},
		} {
			fails(t, c.A.Post("/ai/messages", tc.body), tc.status, tc.text)
		}
	})
}

func TestB16Content(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for path, body := range map[string]object{"/ai/messages": {"toAiId": c.B.id}, "/ai/groups/" + c.R + "/messages": {}} {
			fails(t, c.A.Post(path, body.But("content", "")), 400, textEmpty)
			fails(t, c.A.Post(path, body.But("content", " \n\t\u00a0\u3000")), 400, textEmpty)
			fails(t, c.A.Post(path, body), 400, textMissing("content"))
			fails(t, c.A.Post(path, body.But("content", nil)), 400, textMissing("content"))
			fails(t, c.A.Post(path, body.But("content", 5)), 400, textInvalid("content"))
			fails(t, c.A.Post(path, body.But("content", object{"text": "x"})), 400, textInvalid("content"))
			fails(t, c.A.Post(path, body.But("content", "a\x00b")), 400, textInvalid("content"))
			c.A.Post(path, body.But("content", strings.Repeat("\U0001F916", 4000))).Want(200)
			fails(t, c.A.Post(path, body.But("content", strings.Repeat("\U0001F916", 4001))), 400, textLong)
			fails(t, c.A.Post(path, body.But("content", "x"+strings.Repeat(" ", 4000))), 400, textLong) // not trimmed
		}
	})
}

func TestB17ContentStaysAsItIs(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		for _, content := range []string{" \n<&>\U0001F916", "e\u0301 \u2028\u2029\\\"\x01\x7f\t "} {
			c.A.says(c.B, content).Want(200).Is("message.content", content)
			c.B.inbox().Is("messages.0.content", content)
		}
		c.A.Post("/ai/messages", `{"toAiId":"`+c.B.id+`","content":"a\ud800b"}`).Want(200).Is("message.content", "a\ufffdb")
	})
}

func TestB31DisabledAgentGetsNothing(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.says(c.C, "before").Want(200)
		c.U2.Patch("/ai/agents/"+c.C.id, object{"status": "disabled"}).Want(200)
		for _, id := range c.A.Get("/ai/friends").Want(200).Is("total", 1).Texts("friends", "id") {
			if id == c.C.id {
				t.Error("C is listed, want it missing")
			}
		}
		fails(t, c.A.says(c.C, "after"), 403, textTargetOff)
		fails(t, c.C.says(c.A, "after"), 403, textDisabled)
		fails(t, c.C.Get("/ai/messages"), 403, textDisabled)
		c.U2.Patch("/ai/agents/"+c.C.id, object{"status": "active"}).Want(200)
		c.A.says(c.C, "again").Want(200)
		if got := c.C.inbox().Texts("messages", "content"); len(got) != 2 || got[0] != "again" || got[1] != "before" {
			t.Errorf("got %q, want again and before", got)
		}
	})
}

// Row 2 is for agents, and what the server knows of the sender and of the addressee
// comes before what they may say to each other.
func TestSendWhoMay(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		body := object{"toAiId": c.B.id, "content": "x"}
		fails(t, w.visitor(t).Post("/ai/messages", body), 401, textBadKey)
		fails(t, c.U1.Post("/ai/messages", body), 401, textBadKey) // a person's
		fails(t, c.U1.Get("/ai/messages"), 401, textBadKey)
		fails(t, c.A.with(c.A.Token+"x").Post("/ai/messages", body), 401, textBadKey)

		for _, tc := range []struct {
			state   func(*chat.Account)
			refused string
			status  int
		}{
			{func(a *chat.Account) { a.State = chat.StateSuspended }, textTargetOff, 403},
			{func(a *chat.Account) { a.Disabled = true }, textTargetOff, 403},
			{func(a *chat.Account) { a.ContactsOnly = true }, textForbidden, 403},
		} {
			to := w.guest(t, tc.state)
			fails(t, c.A.says(to, "x"), tc.status, tc.refused)
		}
		blocker := w.guest(t)
		if err := w.Core.BlockAccount(t.Context(), blocker.through(chat.SurfaceAgentChat), w.handle(t, c.A)); err != nil {
			t.Fatalf("block A: %v", err)
		}
		fails(t, c.A.says(blocker, "x"), 403, textForbidden)
		fails(t, blocker.says(c.A, "x"), 403, textForbidden)

		guarded := w.guest(t, func(a *chat.Account) { a.Guarded = true })
		c.A.says(guarded, "one").Want(200)
		fails(t, c.A.says(guarded, "two"), 403, textForbidden) // it waits for a reply
		guarded.says(c.A, "yes?").Want(200)
		c.A.says(guarded, "two").Want(200)

		w.Update(t, func(ctx context.Context, tx store.Tx) error {
			a, err := tx.Account(ctx, c.A.account())
			if err != nil {
				return err
			}
			a.Pause = chat.PauseSend
			return tx.UpdateAccount(ctx, a)
		})
		fails(t, c.A.says(c.B, "x"), 403, textPaused)
		fails(t, c.A.Post("/ai/groups/"+c.R+"/messages", object{"content": "x"}), 403, textPaused)
	})
}

// handle is the address of an account in other dialects.
func (w *world) handle(t testing.TB, c *client) (handle string) {
	t.Helper()
	err := w.Store.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		a, err := r.Account(ctx, c.account())
		if err == nil {
			handle = a.Handle
		}
		return err
	})
	if err != nil {
		t.Fatalf("read the account: %v", err)
	}
	return handle
}

// An agent can answer a person, who reads it through another dialect (README 1).
func TestAgentWritesToPerson(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		c.A.says(c.U2, "hello").Want(200).Is("message.to_ai_id", c.U2.id)
		call := core.Call{
			Actor: core.Actor{Account: c.U2.account(), Is: chat.KindHuman, Kind: chat.CredentialSession}, Surface: chat.SurfaceOpenCord,
		}
		if _, err := w.Core.SendMessage(t.Context(), call, core.NewMessage{
			Kind: chat.ConversationDirect, Peer: c.A.account(), Text: "hello yourself",
		}); err != nil {
			t.Fatalf("answer: %v", err)
		}
		c.A.inbox().Is("messages.0.content", "hello yourself").Is("messages.0.from_ai_id", c.U2.id).
			Is("messages.0.from_ai.name", c.U2.name).Is("messages.0.from_ai.public_key", nil)
	})
}

// What other dialects put into messages is text here.
func TestContentOfOtherDialectsIsText(t *testing.T) {
	t.Parallel()
	for _, e := range dialecttest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			w := newLinkingWorld(t, e)
			c := newCast(t, w)
			const file chat.AttachmentID = 1 << 40
			w.Update(t, func(ctx context.Context, tx store.Tx) error {
				return tx.InsertAttachment(ctx, &chat.Attachment{
					ID: file, Uploader: c.A.account(), Peer: c.B.account(), Filename: "plan\nb.pdf",
					ContentType: "application/pdf", Size: 1, CreatedAt: dialecttest.Noon, ExpiresAt: dialecttest.Noon.Add(time.Hour),
				})
			})
			const link = "plan_b.pdf https://example.org/chat/files"
			for _, tc := range []struct {
				in    core.NewMessage
				shown string
			}{
				{core.NewMessage{Text: "plain"}, "plain"},
				{core.NewMessage{Data: []byte(`{"n":1.0}`)}, `{"n":1.0}`},
				{core.NewMessage{Text: "all", Data: []byte(`{}`), Attachment: file}, "all\n{}\n" + link},
			} {
				tc.in.Kind, tc.in.Peer, tc.in.ClientID = chat.ConversationDirect, c.B.account(), tc.shown
				if _, err := w.Core.SendMessage(t.Context(), c.A.through(chat.SurfaceAgentChat), tc.in); err != nil {
					t.Fatalf("send %q: %v", tc.shown, err)
				}
				c.B.inbox().Is("messages.0.content", tc.shown)
			}
		})
	}
}

// newLinkingWorld is a world where files have links.
func newLinkingWorld(t testing.TB, e dialecttest.Engine) *world {
	t.Helper()
	return &world{dialecttest.NewWorld(t, e, func(in *dialecttest.World, clients *httpx.Clients) http.Handler {
		return aiclient.New(aiclient.Config{
			Core: in.Core, IDs: in.IDs, Log: slog.New(slog.DiscardHandler), Clients: clients,
			PublicURL: "https://example.org/chat",
			FileLink:  func(base string, _ *chat.Attachment) string { return base + "/files" },
		})
	})}
}

// An edit in /api is seen here, a message taken back there is gone here, and what its
// reader hides in /v1 is hidden here (README 4).
func TestChangesOfOtherDialects(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		row := func(r *dialecttest.Response) chat.MessageID {
			u, _ := id.ParseUUID(r.Want(200).Text("message.id"))
			n, _ := w.IDs.Open(id.KindMessage, u)
			return chat.MessageID(n)
		}
		edited, taken, hidden := row(c.A.says(c.B, "one")), row(c.A.says(c.B, "two")), row(c.A.says(c.B, "three"))
		ref := core.MessageRef{Kind: chat.ConversationDirect, Message: edited}
		if _, err := w.Core.EditMessage(t.Context(), c.A.through(chat.SurfaceOpenCord), ref, "uno"); err != nil {
			t.Fatalf("edit: %v", err)
		}
		c.B.inbox().Is("messages.2.content", "uno")
		if err := w.Core.RetractMessage(t.Context(), c.A.through(chat.SurfaceOpenCord), taken); err != nil {
			t.Fatalf("retract: %v", err)
		}
		if err := w.Core.HideMessage(t.Context(), c.B.through(chat.SurfaceAgentChat), hidden); err != nil {
			t.Fatalf("hide: %v", err)
		}
		if got := c.B.inbox().Texts("messages", "content"); len(got) != 1 || got[0] != "uno" {
			t.Errorf("got %q, want uno alone", got)
		}
		low, high := chat.Pair(c.A.account(), c.B.account())
		var conv *chat.Conversation
		w.Update(t, func(ctx context.Context, tx store.Tx) (err error) {
			conv, err = tx.DirectOf(ctx, low, high)
			return err
		})
		if err := w.Core.HideConversation(t.Context(), c.B.through(chat.SurfaceAgentChat), core.ConversationRef{Conversation: conv.ID}); err != nil {
			t.Fatalf("hide the conversation: %v", err)
		}
		c.B.inbox().Is("messages.0", dialecttest.Absent{})
		c.A.says(c.B, "four").Want(200)
		c.B.inbox().Is("messages.0.content", "four").Is("messages.1", dialecttest.Absent{})
	})
}

// Bodies that are no JSON object, or too large, are told after who may write there.
func TestSendBodies(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		c := newCast(t, w)
		group := "/ai/groups/" + c.R + "/messages"
		huge := `{"content":"` + strings.Repeat("x", 65536) + `"}`
		for _, path := range []string{"/ai/messages", group} {
			for _, body := range []string{"", "{", "[]", "null", `"x"`, "{}{}", "{\"content\":\"\xff\"}"} {
				fails(t, c.A.Post(path, body), 400, textBadJSON)
			}
			fails(t, c.A.Post(path, huge), 413, textTooLarge)
		}
		fails(t, c.C.Post(group, "{"), 403, textNotMember)
		fails(t, c.C.Post(group, huge), 403, textNotMember)
		fails(t, c.C.Post("/ai/groups/"+strange+"/messages", "{"), 404, textNoGroup)
	})
}
