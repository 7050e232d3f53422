package aiclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/id"
	"parley/internal/netguard"
	"parley/internal/store"
	"parley/internal/webhook"
)

// situation is one way to meet a code over the wire: a call and its answer.
type situation struct {
	code   chat.Code
	status int
	text   string
	call   func(c *cast) *dialecttest.Response
}

// TestEveryCode meets every code of the core over the wire, so that no answer is only in
// the table.
func TestEveryCode(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		w := newWorld(t, e, withLinks, limitsOff)
		met := map[chat.Code]bool{}
		for _, s := range slices.Concat(situationsOfInput(), situationsOfCallers(), situationsOfPolicy()) {
			met[s.code] = true
			t.Run(string(s.code), func(t *testing.T) {
				t.Parallel()
				c := newCast(t, w)
				r := s.call(c)
				if s.status == 429 {
					waits(t, r, s.text)
				} else {
					fails(t, r, s.status, s.text)
				}
			})
		}
		// The two that need a broken server have tests of their own, and so do limits.
		met[chat.CodeInternal], met[chat.CodeUnavailable], met[chat.CodeRateLimited] = true, true, true
		for _, code := range notOffered() {
			if met[code] {
				t.Errorf("%s: is listed as not met here and was", code)
			}
			met[code] = true
		}
		for _, code := range chat.Codes() {
			if !met[code] {
				t.Errorf("%s: no situation leads to it", code)
			}
		}
	})
}

// withLinks lets webhooks be set, for hosts that nobody knows.
func withLinks(c *core.Config) {
	c.Links = webhook.Links{Checker: netguard.New(netguard.Options{Resolver: nowhere{}})}
}

// nowhere resolves no name.
type nowhere struct{}

func (nowhere) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.New("no such host")
}

// waits asserts a 429, whichever limit it is of: the same wait in body and header.
func waits(t testing.TB, r *dialecttest.Response, text string) {
	t.Helper()
	wait := header(t, r, "Retry-After")
	if want := fmt.Sprintf(`{"error":%q,"retry_after":%d}`, text, wait); r.Status != 429 || r.Raw != want || wait < 1 {
		t.Errorf("got %d %s, want 429 %s", r.Status, r.Raw, want)
	}
}

// notOffered lists the codes of operations that only other surfaces offer.
func notOffered() []chat.Code {
	return []chat.Code{
		chat.CodeSelfMute, chat.CodeContentTooLarge, chat.CodeHandleInvalid, chat.CodeImageEmpty, chat.CodeImageFormat,
		chat.CodeImageDecode, chat.CodeImageSmall, chat.CodeImageProcessing, chat.CodeUploadSize, chat.CodeUploadChecksum,
		chat.CodeUploadExpired, chat.CodeUploadDone, chat.CodeAttachmentScope, chat.CodeStorageUnreached, chat.CodeCodeExpired,
		chat.CodeCodeInvalid, chat.CodeCodeAttempts, chat.CodeCodeCooldown, chat.CodeCodeHourly, chat.CodeCodeUndelivered,
		chat.CodeOnceInvalid, chat.CodeOnceConflict, chat.CodeOnceRunning, chat.CodeOperatorNeeded, chat.CodeCredentialUnknown,
		chat.CodeStatusInvalid, chat.CodeStatusTextLong, chat.CodeSpaceUnknown, chat.CodeChannelUnknown,
		chat.CodeConversationUnknown, chat.CodeMessageUnknown, chat.CodeContactUnknown, chat.CodeBlockUnknown,
		chat.CodeMuteUnknown, chat.CodePresenceUnknown, chat.CodeMemberUnknown, chat.CodeInviteUnknown,
		chat.CodeAttachmentUnknown, chat.CodeFileUnknown, chat.CodeAvatarUnknown, chat.CodeHookUnknown, chat.CodeKeyUnknown,
		chat.CodeDeliveryUnknown, chat.CodeSystemUnknown, chat.CodeEscalationUnknown, chat.CodeNotParticipant,
		chat.CodeMuteForeign, chat.CodeNotAuthor, chat.CodeOwnerStays, chat.CodeInviteInvalid, chat.CodeNotOwn,
		chat.CodeNotAdmin, chat.CodeLastAdmin, chat.CodeProtected, chat.CodeAlreadyMember, chat.CodeLastChannel,
		chat.CodeKeyCap, chat.CodeMemberCap, chat.CodeChannelCap, chat.CodeHookCap, chat.CodeMuteCap, chat.CodeHandleTaken,
		chat.CodeAddressSpent, chat.CodeAddressAgent, chat.CodeReported, chat.CodeClaimed, chat.CodeClaimAttempts,
		chat.CodeRefreshDown,
		chat.CodePeerGone,        // of conversations that are named themselves; here their peer is
		chat.CodeHookUnreachable, // of a server that sends no webhooks
	}
}

func situationsOfInput() []situation {
	register := func(key string, value any) func(*cast) *dialecttest.Response {
		return func(c *cast) *dialecttest.Response {
			return c.A.w.visitor(c.A.T).Post("/ai/auth/register", registration(c.A.w).But(key, value))
		}
	}
	send := func(key string, value any) func(*cast) *dialecttest.Response {
		return func(c *cast) *dialecttest.Response {
			return c.A.Post("/ai/messages", object{"toAiId": c.B.id, "content": "x", key: value})
		}
	}
	hook := func(url string) func(*cast) *dialecttest.Response {
		return func(c *cast) *dialecttest.Response { return c.A.Post("/ai/webhook", object{"webhook_url": url}) }
	}
	return []situation{
		{chat.CodeBodyInvalid, 400, textBadJSON, func(c *cast) *dialecttest.Response { return c.A.Post("/ai/groups", "x") }},
		{chat.CodeBodyTooLarge, 413, textTooLarge, func(c *cast) *dialecttest.Response {
			return c.A.Post("/ai/groups", strings.Repeat(" ", 65_537))
		}},
		{chat.CodeFieldRequired, 400, textMissing("webhook_url"), func(c *cast) *dialecttest.Response { return c.A.Post("/ai/webhook", "{}") }},
		{chat.CodeFieldType, 400, textInvalid("content"), send("content", 1)},
		{chat.CodeFieldLength, 400, textInvalid("name"), func(c *cast) *dialecttest.Response {
			return c.U1.Post("/ai/agents", object{"name": strings.Repeat("x", 51)})
		}},
		{chat.CodeFieldInvalid, 400, textInvalid("toAiId"), send("toAiId", "x")},
		{chat.CodeNothingToUpdate, 400, textNothing, func(c *cast) *dialecttest.Response { return c.U1.Patch("/ai/agents/"+c.A.id, "{}") }},
		{chat.CodeAddressInvalid, 400, textInvalid("email"), register("email", "a@b")},
		{chat.CodeUsernameInvalid, 400, textInvalid("username"), register("username", "a b")},
		{chat.CodePasswordShort, 400, textInvalid("password"), register("password", "1234567")},
		{chat.CodePasswordLong, 400, textInvalid("password"), register("password", strings.Repeat("x", 129))},
		{chat.CodeTextEmpty, 400, textEmpty, send("content", " ")},
		{chat.CodeTextTooLong, 400, textLong, send("content", strings.Repeat("x", 4001))},
		{chat.CodePageLimit, 400, textInvalid("limit"), func(c *cast) *dialecttest.Response { return c.A.Get("/ai/messages?limit=101") }},
		{chat.CodePageCursor, 400, textInvalid("before"), func(c *cast) *dialecttest.Response { return c.A.Get("/ai/messages?before=now") }},
		{chat.CodeSelf, 400, textSelf, func(c *cast) *dialecttest.Response { return c.A.says(c.A, "x") }},
		{chat.CodeSignatureFormat, 400, textSigFormat, send("signature", "zz")},
		{chat.CodeSignatureBad, 400, textSigBad, func(c *cast) *dialecttest.Response {
			return c.A.signed(c.B, "x", c.signs(c.A.T).sign(c.A.T, "y"))
		}},
		{chat.CodePublicKeyFormat, 400, textBadPEM, func(c *cast) *dialecttest.Response {
			return c.U1.Patch("/ai/agents/"+c.A.id, object{"public_key": "x"})
		}},
		{chat.CodeHookURL, 400, "webhook_url 无效", hook("ftp://agents.example/")},
		{chat.CodeHookBlocked, 400, "webhook_url 不允许指向该地址", hook("https://127.0.0.1/")},
		{chat.CodeAddressTaken, 409, textEmailTaken, func(c *cast) *dialecttest.Response { return register("email", c.U1.email)(c) }},
		{chat.CodeUsernameTaken, 409, textNameTaken, func(c *cast) *dialecttest.Response { return register("username", c.U1.name)(c) }},
	}
}

func situationsOfCallers() []situation {
	return []situation{
		{chat.CodeTokenMissing, 401, textBadKey, func(c *cast) *dialecttest.Response { return c.A.with("").Get("/ai/me") }},
		{chat.CodeTokenInvalid, 401, textBadKey, func(c *cast) *dialecttest.Response { return c.A.with("x").Get("/ai/me") }},
		{chat.CodeSessionRequired, 401, textNoLogin, func(c *cast) *dialecttest.Response { return c.A.Get("/ai/agents") }},
		{chat.CodeLoginFailed, 401, textBadLogin, func(c *cast) *dialecttest.Response {
			return c.U1.Post("/ai/auth/login", object{"email": c.U1.email, "password": "wrong password"})
		}},
		{chat.CodeAccountOff, 403, textDisabled, func(c *cast) *dialecttest.Response {
			c.U1.Patch("/ai/agents/"+c.A.id, object{"status": "disabled"}).Want(200)
			return c.A.Get("/ai/me")
		}},
		{chat.CodePaused, 403, textPaused, func(c *cast) *dialecttest.Response {
			c.A.w.set(c.A.T, c.A, func(a *chat.Account) { a.Pause = chat.PauseSend })
			return c.A.says(c.B, "x")
		}},
		{chat.CodeRouteUnknown, 404, textNoRoute, func(c *cast) *dialecttest.Response { return c.A.Get("/ai/nope") }},
		{chat.CodeMethodNotAllowed, 405, textMethod, func(c *cast) *dialecttest.Response { return c.A.Delete("/ai/messages") }},
		{chat.CodeAccountUnknown, 404, textNoAgent, func(c *cast) *dialecttest.Response { return c.A.Get("/ai/agents/" + c.R) }},
		{chat.CodeGroupUnknown, 404, textNoGroup, func(c *cast) *dialecttest.Response { return c.A.Get("/ai/groups/" + c.A.id + "/members") }},
		{chat.CodeGroupDeleted, 404, textNoGroup, func(c *cast) *dialecttest.Response {
			call := core.Call{Actor: core.Actor{Account: c.A.account(), Is: chat.KindAgent}, Surface: chat.SurfaceAgentChat}
			if _, err := c.A.w.Core.DeleteGroup(c.A.T.Context(), call, c.group()); err != nil {
				c.A.T.Fatalf("delete the group: %v", err)
			}
			return c.B.Get("/ai/groups/" + c.R + "/members")
		}},
		{chat.CodeNotMember, 403, textNotMember, func(c *cast) *dialecttest.Response { return c.C.Get("/ai/groups/" + c.R + "/members") }},
		{chat.CodeNotPermitted, 403, textForbidden, func(c *cast) *dialecttest.Response { return c.U2.Delete("/ai/agents/" + c.A.id) }},
	}
}

func situationsOfPolicy() []situation {
	peer := func(change func(*chat.Account)) func(*cast) *dialecttest.Response {
		return func(c *cast) *dialecttest.Response {
			c.A.w.set(c.A.T, c.B, change)
			return c.A.says(c.B, "x")
		}
	}
	return []situation{
		{chat.CodePeerOff, 403, textTargetOff, peer(func(b *chat.Account) { b.State = chat.StateSuspended })},
		{chat.CodeBlocked, 403, textForbidden, func(c *cast) *dialecttest.Response {
			e := store.Edge{Owner: c.B.account(), Target: c.A.account()}
			c.A.w.Update(c.A.T, func(ctx context.Context, tx store.Tx) error {
				return tx.SetBlock(ctx, e, c.A.w.Clock.Now(), true)
			})
			return c.A.says(c.B, "x")
		}},
		{chat.CodeContactsOnly, 403, textForbidden, peer(func(b *chat.Account) { b.ContactsOnly = true })},
		{chat.CodeAwaitingReply, 403, textForbidden, func(c *cast) *dialecttest.Response {
			opener := peer(func(b *chat.Account) { b.Guarded = true })
			opener(c).Want(200)
			return opener(c)
		}},
		{chat.CodeRestricted, 403, textForbidden, func(c *cast) *dialecttest.Response {
			c.A.w.set(c.A.T, c.A, func(a *chat.Account) { a.State = chat.StateRestricted })
			return c.A.says(c.B, "x")
		}},
		{chat.CodeBacklogged, 429, textRate, func(c *cast) *dialecttest.Response {
			c.C.pile(c.B, 10_000)
			r := peer(func(b *chat.Account) { b.Guarded = true })(c)
			return r.Is("retry_after", 60)
		}},
		{chat.CodeColdCap, 429, textRate, func(c *cast) *dialecttest.Response {
			for _, to := range c.A.w.guests(c.A.T, 100, func(a *chat.Account) { a.Guarded = true }) {
				c.A.says(to, "x").Want(200)
			}
			return peer(func(b *chat.Account) { b.Guarded = true })(c)
		}},
		{chat.CodeMembershipCap, 403, textCap, func(c *cast) *dialecttest.Response {
			for range 99 {
				c.A.Post("/ai/groups", object{"name": "x"}).Want(200)
			}
			return c.A.Post("/ai/groups", object{"name": "x"})
		}},
		{chat.CodeAgentCap, 403, textCap, func(c *cast) *dialecttest.Response {
			for range 18 {
				c.U1.makes("x")
			}
			return c.U1.Post("/ai/agents", object{"name": "x"})
		}},
		{chat.CodeGroupFull, 403, textGroupFull, func(c *cast) *dialecttest.Response {
			c.fill(498)
			return c.C.Post("/ai/groups/"+c.R+"/join", nil)
		}},
	}
}

// set changes an account past the core. The core may remember a token it has resolved,
// so what is said of State and Disabled counts for others only.
func (w *world) set(t testing.TB, who *client, change func(*chat.Account)) {
	t.Helper()
	account := who.account()
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		a, err := tx.Account(ctx, account)
		if err != nil {
			return err
		}
		change(a)
		return tx.UpdateAccount(ctx, a)
	})
}

// group is the core's id of R.
func (c *cast) group() chat.ConversationID {
	u, _ := id.ParseUUID(c.R)
	n, _ := c.A.w.IDs.Open(id.KindConversation, u)
	return chat.ConversationID(n)
}

// fill gives R n more members past the core.
func (c *cast) fill(n int) {
	w, t := c.A.w, c.A.T
	t.Helper()
	crowd := w.guests(t, n)
	w.Update(t, func(ctx context.Context, tx store.Tx) error {
		for _, m := range crowd {
			err := tx.SetMember(ctx, chat.Member{
				Conversation: c.group(), Account: m.account(), Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: w.Clock.Now(),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// pile stores n envelopes of messages of the client for another.
func (c *client) pile(to *client, n int) {
	t, w := c.T, c.w
	t.Helper()
	sent, err := w.Core.SendMessage(t.Context(), core.Call{
		Actor: core.Actor{Account: c.account(), Is: chat.KindAgent}, Surface: chat.SurfaceAIClient,
	}, core.NewMessage{Kind: chat.ConversationDirect, Peer: to.account(), Text: "x"})
	if err != nil {
		t.Fatalf("send the first of a pile: %v", err)
	}
	key, recipient := store.SendKey{Author: c.account(), Conversation: sent.Conversation}, to.account()
	const batch = 500
	for range n / batch {
		err := w.Store.Send(t.Context(), store.Batch{
			Keys: slices.Repeat([]store.SendKey{key}, batch),
			Ask:  func(*store.SendFacts) store.Questions { return store.Questions{} },
			Decide: func(f *store.SendFacts) store.Writes {
				conv := f.Conversations[key.Conversation]
				writes := store.Writes{Moved: []*chat.Conversation{conv}, At: w.Clock.Now()}
				for i := range batch {
					conv.LastSeq++
					conv.LastAt = conv.LastAt.Add(time.Millisecond)
					m := &chat.Message{
						ID: chat.MessageID(f.FirstID + int64(i)), Conversation: conv.ID, Seq: conv.LastSeq, Author: key.Author,
						Kind: chat.MessageText, Text: "x", CreatedAt: conv.LastAt,
					}
					writes.Messages = append(writes.Messages, m)
					writes.Envelopes = append(writes.Envelopes, chat.Envelope{
						Message: m.ID, Recipient: recipient, Conversation: conv.ID, Seq: m.Seq,
					})
				}
				return writes
			},
		})
		if err != nil {
			t.Fatalf("store a pile of messages: %v", err)
		}
	}
}
