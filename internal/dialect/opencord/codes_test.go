package opencord_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/dialecttest"
	"parley/internal/dialect/opencord"
	"parley/internal/httpx"
	"parley/internal/id"
	"parley/internal/store"
)

// situation is one way to meet a code over the wire: a call and its answer.
type situation struct {
	code   chat.Code
	status int
	text   string
	call   func(c *cast) *response
}

// TestEveryCode meets every code of the core over the wire, so that no answer is
// only in the table.
func TestEveryCode(t *testing.T) {
	onBothEngines(t, func(t *testing.T, w *world) {
		met := map[chat.Code]bool{}
		for _, s := range situations() {
			met[s.code] = true
			t.Run(string(s.code), func(t *testing.T) {
				t.Parallel()
				s.call(newCast(t, w)).fails(s.status, s.text)
			})
		}
		// The two that need a broken server have tests of their own.
		met[chat.CodeInternal], met[chat.CodeUnavailable] = true, true
		for _, code := range elsewhere() {
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

// elsewhere lists the codes of operations that only other surfaces offer.
func elsewhere() []chat.Code {
	return []chat.Code{
		chat.CodeSelfMute, chat.CodeContentTooLarge, chat.CodeHandleInvalid, chat.CodeImageEmpty, chat.CodeImageFormat,
		chat.CodeImageDecode, chat.CodeImageSmall, chat.CodeImageProcessing, chat.CodeUploadSize,
		chat.CodeUploadChecksum, chat.CodeUploadExpired, chat.CodeUploadDone, chat.CodeAttachmentScope,
		chat.CodeStorageUnreached, chat.CodeCodeExpired, chat.CodeCodeInvalid, chat.CodeCodeAttempts,
		chat.CodeCodeCooldown, chat.CodeCodeHourly, chat.CodeCodeUndelivered, chat.CodeOnceInvalid,
		chat.CodeOnceConflict, chat.CodeOnceRunning, chat.CodeOperatorNeeded, chat.CodeContactUnknown,
		chat.CodeBlockUnknown, chat.CodeMuteUnknown, chat.CodeMuteForeign, chat.CodePresenceUnknown, chat.CodeGroupUnknown,
		chat.CodeGroupDeleted, chat.CodeMemberUnknown, chat.CodeInviteUnknown, chat.CodeAttachmentUnknown, chat.CodeFileUnknown,
		chat.CodeAvatarUnknown, chat.CodeHookUnknown, chat.CodeHookUnreachable, chat.CodeKeyUnknown,
		chat.CodeSystemUnknown, chat.CodeEscalationUnknown, chat.CodeDeliveryUnknown, chat.CodeNotOwn, chat.CodeNotAdmin, chat.CodeLastAdmin,
		chat.CodeProtected, chat.CodeGroupFull, chat.CodeHookCap, chat.CodeMuteCap, chat.CodeHandleTaken, chat.CodeAddressSpent,
		chat.CodeAddressAgent, chat.CodeReported, chat.CodeClaimed, chat.CodeClaimAttempts, chat.CodeRefreshDown,
		chat.CodeSignatureFormat, chat.CodeSignatureBad, chat.CodePublicKeyFormat, chat.CodeHookURL, chat.CodeHookBlocked,
		chat.CodePeerOff, chat.CodeAgentCap,
	}
}

func situations() []situation {
	register := func(c *cast, key string, value any) *response {
		return c.X.post("/api/auth/register", registration(c.X.w).But(key, value))
	}
	return []situation{
		{chat.CodeBodyInvalid, 400, badJSON, func(c *cast) *response { return c.O.post("/api/servers", "x") }},
		{chat.CodeBodyTooLarge, 413, "Request body too large", func(c *cast) *response {
			return c.O.post("/api/servers", strings.Repeat(" ", 65537))
		}},
		{chat.CodeFieldRequired, 400, "name is required", func(c *cast) *response { return c.O.post("/api/servers", "{}") }},
		{chat.CodeFieldType, 400, "name must be a string", func(c *cast) *response { return c.O.post("/api/servers", object{"name": 1}) }},
		{chat.CodeFieldLength, 400, "description must be 0-500 characters", func(c *cast) *response {
			return c.O.post("/api/servers", object{"name": "x", "description": strings.Repeat("x", 501)})
		}},
		{chat.CodeFieldInvalid, 400, "position is invalid", func(c *cast) *response {
			return c.O.patch("/api/channels/"+c.G, object{"position": 1001})
		}},
		{chat.CodeNothingToUpdate, 400, nothingSupplied, func(c *cast) *response { return c.O.patch("/api/channels/"+c.G, "{}") }},
		{chat.CodeAddressInvalid, 400, "Invalid email address", func(c *cast) *response { return register(c, "email", "a@b") }},
		{
			chat.CodeUsernameInvalid, 400, "Username must be 3-32 characters: letters, digits, dot, underscore or hyphen",
			func(c *cast) *response { return register(c, "username", "a b") },
		},
		{chat.CodePasswordShort, 400, "Password must be at least 8 characters", func(c *cast) *response { return register(c, "password", "") }},
		{chat.CodePasswordLong, 400, "Password must be at most 128 characters", func(c *cast) *response {
			return register(c, "password", strings.Repeat("x", 129))
		}},
		{chat.CodeTextEmpty, 400, emptyContent, func(c *cast) *response { return c.O.say(c.G, " ") }},
		{chat.CodeTextTooLong, 400, longContent, func(c *cast) *response { return c.O.whisper(c.D, strings.Repeat("x", 4001)) }},
		{chat.CodePageLimit, 400, badLimit, func(c *cast) *response { return c.O.get(inDirect(c.D) + "?limit=101") }},
		{chat.CodePageCursor, 400, badBefore, func(c *cast) *response { return c.O.get(inDirect(c.D) + "?before=now") }},
		{chat.CodeStatusInvalid, 400, "status must be one of online, offline, idle, dnd", func(c *cast) *response {
			return c.O.patch(ownStatus, object{"status": "busy"})
		}},
		{chat.CodeStatusTextLong, 400, "custom_status must be at most 128 characters", func(c *cast) *response {
			return c.O.patch(ownStatus, object{"custom_status": strings.Repeat("x", 129)})
		}},
		{chat.CodeSelf, 400, "Cannot start a conversation with yourself", func(c *cast) *response {
			return c.O.post("/api/dm", object{"user_id": c.O.id})
		}},

		{chat.CodeTokenMissing, 401, noToken, func(c *cast) *response { return c.O.with("").get("/api/dm") }},
		{chat.CodeTokenInvalid, 401, badToken, func(c *cast) *response { return c.O.with("x").get("/api/dm") }},
		{chat.CodeLoginFailed, 401, badLogin, func(c *cast) *response {
			return c.O.post("/api/auth/login", object{"email": "", "password": ""})
		}},
		{chat.CodeSessionRequired, 403, "This action needs a session token", func(c *cast) *response {
			key, _ := c.O.newKey("k")
			return c.O.with(key).post("/api/auth/logout", nil)
		}},
		{chat.CodeAccountOff, 403, "Your account is suspended", func(c *cast) *response {
			c.suspend(c.O)
			return c.O.get("/api/servers")
		}},
		{chat.CodePaused, 403, "Sending is paused by your owner", func(c *cast) *response {
			c.set(c.O, func(a *chat.Account) { a.Pause = chat.PauseSend })
			return c.O.say(c.G, "hi")
		}},

		{chat.CodeRouteUnknown, 404, "Not found", func(c *cast) *response { return c.O.get("/api/bots") }},
		{chat.CodeMethodNotAllowed, 405, "Method not allowed", func(c *cast) *response { return c.O.delete("/api/dm") }},
		{chat.CodeAccountUnknown, 404, noUser, func(c *cast) *response { return c.O.get("/api/users/" + c.S) }},
		{chat.CodeCredentialUnknown, 404, noKey, func(c *cast) *response { return c.O.delete("/api/auth/api-key/" + c.O.id) }},
		{chat.CodeSpaceUnknown, 404, noServer, func(c *cast) *response { return c.O.get("/api/servers/" + c.G) }},
		{chat.CodeChannelUnknown, 404, noChannel, func(c *cast) *response { return c.O.get("/api/channels/" + c.S) }},
		{chat.CodeConversationUnknown, 404, noConversation, func(c *cast) *response { return c.O.get(inDirect(c.S)) }},
		{chat.CodeMessageUnknown, 404, noMessage, func(c *cast) *response { return c.O.delete("/api/messages/" + c.G) }},

		{chat.CodeNotMember, 403, notMember, func(c *cast) *response { return c.X.get("/api/channels/" + c.G) }},
		{chat.CodeNotParticipant, 403, notParticipant, func(c *cast) *response { return c.X.get(inDirect(c.D)) }},
		{chat.CodeNotPermitted, 403, notOwner, func(c *cast) *response { return c.M.patch("/api/channels/"+c.G, "{") }},
		{chat.CodeNotAuthor, 403, notAuthor, func(c *cast) *response {
			return c.O.patch("/api/messages/"+c.M.say(c.G, "hi").want(201).text("message.id"), "{")
		}},
		{chat.CodeOwnerStays, 403, "The owner cannot leave; delete the server instead", func(c *cast) *response {
			return c.O.delete("/api/servers/" + c.S + "/leave")
		}},
		{chat.CodeInviteInvalid, 403, badInvite, func(c *cast) *response { return c.X.join(c.S, "x") }},

		{chat.CodePeerGone, 403, "This user is no longer available", func(c *cast) *response {
			c.suspend(c.M)
			return c.O.whisper(c.D, "hi")
		}},
		{chat.CodeBlocked, 403, "You cannot write to this user", func(c *cast) *response {
			c.relate(c.M, c.O, store.Tx.SetBlock)
			return c.O.whisper(c.D, "hi")
		}},
		{chat.CodeContactsOnly, 403, "This user accepts messages from contacts only", func(c *cast) *response {
			c.set(c.M, func(a *chat.Account) { a.ContactsOnly = true })
			return c.O.whisper(c.D, "hi")
		}},
		{chat.CodeAwaitingReply, 403, "Wait for a reply before writing again", func(c *cast) *response {
			c.set(c.M, func(a *chat.Account) { a.Guarded = true })
			c.O.whisper(c.D, "hi").want(201)
			return c.O.whisper(c.D, "hi?")
		}},
		{chat.CodeRestricted, 403, "Your account may not start new conversations", func(c *cast) *response {
			c.set(c.O, func(a *chat.Account) { a.State = chat.StateRestricted })
			return c.O.whisper(c.D, "hi")
		}},
		{chat.CodeBacklogged, 429, tooMany, func(c *cast) *response {
			c.set(c.M, func(a *chat.Account) { a.Guarded = true })
			c.pile(c.M, 10_000)
			r := c.O.whisper(c.D, "hi")
			if got := r.Header.Get("Retry-After"); got != "60" {
				c.O.T.Errorf("backlog: got Retry-After %q, want 60", got)
			}
			return r
		}},

		{chat.CodeAddressTaken, 409, "Email already registered", func(c *cast) *response { return register(c, "email", c.O.email) }},
		{chat.CodeUsernameTaken, 409, "Username already taken", func(c *cast) *response { return register(c, "username", c.O.name) }},
		{chat.CodeAlreadyMember, 409, alreadyMember, func(c *cast) *response { return c.M.join(c.S, "") }},
		{chat.CodeLastChannel, 400, "Cannot delete the last channel of a server", func(c *cast) *response {
			return c.O.delete("/api/channels/" + c.G)
		}},
		{chat.CodeKeyCap, 409, "API key limit reached", func(c *cast) *response {
			for range 10 {
				c.O.newKey("k")
			}
			return c.O.post("/api/auth/api-key", "{}")
		}},
		{chat.CodeMembershipCap, 409, "Server membership limit reached", func(c *cast) *response {
			for range 99 {
				c.O.post("/api/servers", object{"name": "x"}).want(201)
			}
			return c.O.post("/api/servers", object{"name": "x"})
		}},
		{chat.CodeMemberCap, 409, "Server is full", func(c *cast) *response {
			c.crowd(998)
			return c.X.join(c.S, c.code)
		}},
		{chat.CodeChannelCap, 409, "Channel limit reached", func(c *cast) *response {
			for range 99 {
				c.O.post("/api/servers/"+c.S+"/channels", object{"name": "x"}).want(201)
			}
			return c.O.post("/api/servers/"+c.S+"/channels", object{"name": "x"})
		}},
		{chat.CodeRateLimited, 429, tooMany, func(c *cast) *response {
			v := c.O.w.visitor(c.O.T)
			for range 200 {
				v.get("/api/nope").want(404)
			}
			return v.get("/api/nope")
		}},
		{chat.CodeColdCap, 429, tooMany, func(c *cast) *response {
			for _, peer := range c.guarded(100) {
				c.O.elsewhere().whisper(c.O.elsewhere().post("/api/dm", object{"user_id": peer}).text("channel.id"), "hi").want(201)
			}
			c.set(c.M, func(a *chat.Account) { a.Guarded = true })
			r := c.O.whisper(c.D, "hi")
			if got := r.Header.Get("Retry-After"); got != "86400" {
				c.O.T.Errorf("cap on new conversations: got Retry-After %q, want a day", got)
			}
			return r
		}},
	}
}

func (c *cast) suspend(who *client) {
	who.T.Helper()
	if _, err := who.w.Core.Suspend(who.T.Context(), who.account(), true); err != nil {
		who.T.Fatalf("suspend: %v", err)
	}
}

// set changes an account past the core. The core may remember a token it has
// resolved, so what is said of State and Disabled counts for others only.
func (c *cast) set(who *client, change func(*chat.Account)) {
	who.T.Helper()
	account := who.account()
	who.w.Update(who.T, func(ctx context.Context, tx store.Tx) error {
		a, err := tx.Account(ctx, account)
		if err != nil {
			return err
		}
		change(a)
		return tx.UpdateAccount(ctx, a)
	})
}

// relate stores one directed relation.
func (c *cast) relate(owner, target *client, set func(store.Tx, context.Context, store.Edge, time.Time, bool) error) {
	owner.T.Helper()
	e := store.Edge{Owner: owner.account(), Target: target.account()}
	owner.w.Update(owner.T, func(ctx context.Context, tx store.Tx) error {
		return set(tx, ctx, e, owner.w.Clock.Now(), true)
	})
}

// strangers stores n accounts and calls each for every one, in one transaction.
func (c *cast) strangers(n int, guarded bool, each func(ctx context.Context, tx store.Tx, a *chat.Account) error) {
	w := c.O.w
	w.Update(c.O.T, func(ctx context.Context, tx store.Tx) error {
		for range n {
			first, err := tx.NextID(ctx, 1)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("stranger%d", first)
			a := &chat.Account{
				ID: chat.AccountID(first), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, State: chat.StateActive,
				Username: name, NameKey: name, Handle: name, DisplayName: name, Guarded: guarded,
				CreatedAt: w.Clock.Now(), UpdatedAt: w.Clock.Now(),
			}
			if err := tx.InsertAccount(ctx, a, ""); err != nil {
				return err
			}
			if err := each(ctx, tx, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// guarded makes n guarded accounts and returns their public ids.
func (c *cast) guarded(n int) []string {
	var ids []string
	c.strangers(n, true, func(_ context.Context, _ store.Tx, a *chat.Account) error {
		ids = append(ids, c.O.w.IDs.Seal(id.KindAccount, int64(a.ID)).String())
		return nil
	})
	return ids
}

// crowd adds n members to the server.
func (c *cast) crowd(n int) {
	space := chat.SpaceID(c.O.w.open(c.O.T, id.KindSpace, c.S))
	c.strangers(n, false, func(ctx context.Context, tx store.Tx, a *chat.Account) error {
		return tx.InsertSpaceMember(ctx, chat.SpaceMember{
			Space: space, Account: a.ID, Grants: chat.EntEveryone, JoinedAt: a.CreatedAt,
		}, nil)
	})
}

// pile stores n envelopes for an account, of messages in a conversation that X
// opened with it.
func (c *cast) pile(who *client, n int) {
	t, w := who.T, who.w
	t.Helper()
	direct := c.X.post("/api/dm", object{"user_id": who.id}).want(201).text("channel.id")
	conversation := chat.ConversationID(w.open(t, id.KindConversation, direct))
	key := store.SendKey{Author: c.X.account(), Conversation: conversation}
	recipient := who.account()
	const batch = 500
	for range n / batch {
		keys := make([]store.SendKey, batch)
		for i := range keys {
			keys[i] = key
		}
		err := w.Store.Send(t.Context(), store.Batch{
			Keys: keys,
			Ask:  func(*store.SendFacts) store.Questions { return store.Questions{} },
			Decide: func(f *store.SendFacts) store.Writes {
				conv := f.Conversations[conversation]
				writes := store.Writes{Moved: []*chat.Conversation{conv}, At: w.Clock.Now()}
				for i := range batch {
					conv.LastSeq++
					conv.LastAt = w.Clock.Now().Add(time.Duration(conv.LastSeq) * time.Millisecond)
					m := &chat.Message{
						ID: chat.MessageID(f.FirstID + int64(i)), Conversation: conversation, Seq: conv.LastSeq,
						Author: key.Author, Kind: chat.MessageText, Text: "x", CreatedAt: conv.LastAt,
					}
					writes.Messages = append(writes.Messages, m)
					writes.Envelopes = append(writes.Envelopes, chat.Envelope{
						Message: m.ID, Recipient: recipient, Conversation: conversation, Seq: m.Seq,
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

// A server that cannot reach its database says so in the words of the catalogue,
// with all headers, and so does one whose handler panics.
func TestInternalError(t *testing.T) {
	t.Parallel()
	w := troubled(t, func() error { return errors.New("the disk is on fire") })
	for _, token := range []string{"", "sess_unknown"} {
		v := w.visitor(t).with(token)
		r := v.post("/api/auth/register", registration(w)).fails(500, "Internal server error").quota(200, 199)
		if got := r.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("got Access-Control-Allow-Origin %q, want *", got)
		}
	}
	w.visitor(t).with("sess_unknown").get("/api/dm").fails(500, "Internal server error").quota(200, 199)
}

// troubled is a world whose store fails when a request reads it; the server's own work
// goes on.
func troubled(t *testing.T, fail func() error) *world {
	t.Helper()
	return newWorld(t, dialecttest.Engines()[0], func(cc *core.Config, _ *opencord.Config) {
		cc.Store = dialecttest.Unreadable{Store: cc.Store, Fail: func(ctx context.Context) error {
			if httpx.RequestID(ctx) == "" {
				return nil
			}
			return fail()
		}}
	})
}

func TestPanicKeepsHeaders(t *testing.T) {
	t.Parallel()
	w := troubled(t, func() error { panic("a bug") })
	r := w.visitor(t).post("/api/auth/register", registration(w)).fails(500, "Internal server error").quota(200, 199)
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"Access-Control-Allow-Origin": "*",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
}

func TestUnavailableWhileClosing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dialecttest.Engines()[0])
	c := newCast(t, w)
	w.Core.Close()
	r := c.O.say(c.G, "hi").fails(500, "Internal server error")
	if got := r.Header.Get("Retry-After"); got != "1" {
		t.Errorf("got Retry-After %q, want 1", got)
	}
}
