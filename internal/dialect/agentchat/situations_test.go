package agentchat_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/id"
	"parley/internal/store"
)

// field are the details of what is wrong with a member of the input (AC 2.6).
func field(name string) func(*cast, string) object {
	return func(_ *cast, message string) object {
		return object{"formErrors": []any{}, "fieldErrors": map[string]any{name: []any{message}}}
	}
}

// form are the details of what is wrong with the input as a whole.
func form(_ *cast, message string) object {
	return object{"formErrors": []any{message}, "fieldErrors": map[string]any{}}
}

// waits are the details of a limit.
func waits(wait time.Duration, rule ...string) func(*cast, string) object {
	return func(*cast, string) object {
		out := object{"retry_after_ms": float64(wait.Milliseconds())}
		for _, r := range rule {
			out["rule"] = r
		}
		return out
	}
}

func situationsOfInput() []situation {
	const invalid = "VALIDATION_ERROR"
	presence := func(body object) func(*cast) *response {
		return func(c *cast) *response { return c.a.Put("/v1/presence", body) }
	}
	history := func(c *cast, query string) *response { return c.a.Get("/v1/messages/" + c.a.befriend(c.b) + query) }
	hook := func(url string) func(*cast) *response {
		return func(c *cast) *response {
			return c.a.Post("/v1/webhooks", object{"url": url, "events": []string{"message.new"}})
		}
	}
	return []situation{
		{chat.CodeBodyInvalid, 400, invalid, form, func(c *cast) *response { return c.a.Post("/v1/contacts", "{") }},
		{chat.CodeBodyTooLarge, 413, "PAYLOAD_TOO_LARGE", nil, func(c *cast) *response {
			return c.a.Post("/v1/contacts", strings.Repeat(" ", 1<<20+1))
		}},
		{chat.CodeFieldRequired, 400, invalid, field("handle"), func(c *cast) *response { return c.a.Post("/v1/contacts", nil) }},
		{chat.CodeFieldType, 400, invalid, field("custom_message"), presence(object{"status": "online", "custom_message": 1})},
		{chat.CodeFieldLength, 400, invalid, field("notes"), func(c *cast) *response {
			c.a.Post("/v1/contacts", object{"handle": c.b.handle}).Want(201)
			return c.a.Patch("/v1/contacts/"+c.b.handle, object{"notes": strings.Repeat("x", 1001)})
		}},
		{chat.CodeFieldInvalid, 400, invalid, field("limit"), func(c *cast) *response { return c.a.Get("/v1/contacts?limit=0") }},
		{chat.CodeHookURL, 400, invalid, field("url"), hook("ftp://agents.example/")},
		{chat.CodeHookBlocked, 400, invalid, field("url"), hook("https://127.0.0.1/")},
		{chat.CodeAddressInvalid, 400, invalid, field("email"), func(c *cast) *response {
			return c.a.Post("/v1/agents/recover", object{"email": "a@b"})
		}},
		{chat.CodeTextEmpty, 400, invalid, form, func(c *cast) *response { return c.a.send(c.b, "") }},
		{chat.CodePageCursor, 400, invalid, form, func(c *cast) *response { return history(c, "?before_seq=2&after_seq=1") }},
		{chat.CodeStatusInvalid, 400, invalid, field("status"), presence(object{"status": "asleep"})},
		{
			chat.CodeStatusTextLong, 400, invalid, field("custom_message"),
			presence(object{"status": "online", "custom_message": strings.Repeat("x", 201)}),
		},
		{chat.CodeSelf, 400, invalid, form, func(c *cast) *response { return c.a.send(c.a, "hi") }},
		{chat.CodeSelfMute, 400, "SELF_MUTE", nil, func(c *cast) *response {
			return c.a.mute(object{"target_kind": "agent", "target_handle": c.a.handle})
		}},
		{chat.CodeContentTooLarge, 413, "CONTENT_TOO_LARGE", nil, func(c *cast) *response {
			return c.a.send(c.b, strings.Repeat("x", 32_768))
		}},
		{chat.CodeHandleInvalid, 400, "INVALID_HANDLE", nil, func(c *cast) *response {
			return c.w.applicant(c.t, "admin").apply()
		}},
		{chat.CodeOnceInvalid, 400, "IDEMPOTENCY_KEY_INVALID", nil, func(c *cast) *response { return c.a.announceOnce("short", c.b) }},
		{chat.CodeOnceConflict, 422, "IDEMPOTENCY_KEY_CONFLICT", nil, func(c *cast) *response {
			c.a.announceOnce("a-long-key", c.b).Want(201)
			return c.a.announceOnce("a-long-key", c.a)
		}},
		{chat.CodeOnceRunning, 409, "IDEMPOTENT_IN_PROGRESS", nil, func(c *cast) *response {
			call := c.w.as(c.a)
			request := sha256.Sum256([]byte("POST /v1/contacts\n{}"))
			if err := c.w.Core.Begin(c.t.Context(), &call, "a-long-key", request); err != nil {
				c.t.Fatalf("begin: %v", err)
			}
			return c.a.Post("/v1/contacts", "{}", onceKey("a-long-key"))
		}},
	}
}

func situationsOfCallers() []situation {
	suspension := func(reason string) func(*cast, string) object {
		return func(*cast, string) object {
			return object{"reason": reason, "detail": "See GET /v1/agents/me for the state of this account."}
		}
	}
	return []situation{
		{chat.CodeTokenMissing, 401, "UNAUTHORIZED", nil, func(c *cast) *response { return c.w.Visitor(c.t).Get("/v1/contacts") }},
		{chat.CodeTokenInvalid, 401, "UNAUTHORIZED", nil, func(c *cast) *response {
			c.a.Token += "x"
			return c.a.Get("/v1/contacts")
		}},
		{chat.CodeAccountOff, 403, "SUSPENDED", suspension("community_enforcement"), func(c *cast) *response {
			peers := c.w.agents(c.t, 10)
			c.w.approached(c.t, c.a, peers...)
			for _, p := range peers {
				p.report(c.a).Want(200)
			}
			r := c.a.Get("/v1/contacts")
			return r.Is("reason", r.At("details.reason")).Is("detail", r.At("details.detail"))
		}},
		{chat.CodeAccountOff, 403, "SUSPENDED", suspension("operator"), func(c *cast) *response {
			if _, err := c.w.Core.Suspend(c.t.Context(), c.a.id, true); err != nil {
				c.t.Fatalf("suspend: %v", err)
			}
			r := c.a.Get("/v1/contacts")
			return r.Is("reason", r.At("details.reason")).Is("detail", r.At("details.detail"))
		}},
		{chat.CodeOperatorNeeded, 401, "OPS_AUTH_REQUIRED", nil, func(c *cast) *response { return c.a.Get(escalations) }},
		{chat.CodeRouteUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Get("/v1/nothing") }},
		{chat.CodeMethodNotAllowed, 405, "METHOD_NOT_ALLOWED", nil, func(c *cast) *response { return c.a.Put("/v1/contacts", nil) }},
		{chat.CodeNotOwn, 403, "FORBIDDEN", nil, func(c *cast) *response { return c.a.Patch("/v1/agents/"+c.b.handle, nil) }},
		{chat.CodeNotPermitted, 403, "FORBIDDEN", nil, func(c *cast) *response {
			return c.b.Patch("/v1/groups/"+c.a.group(c.w, c.b), object{"name": "Mine"})
		}},
		{chat.CodeProtected, 409, "SYSTEM_AGENT_PROTECTED", nil, func(c *cast) *response {
			c.w.kind(c.t, c.b, chat.KindSystem)
			return c.a.block(c.b)
		}},
	}
}

// situationsOfTheUnknown are those in which something is not there, or not for the
// caller to see (AC 2.15).
func situationsOfTheUnknown() []situation {
	get := func(path string) func(*cast) *response {
		return func(c *cast) *response { return c.a.Get(path) }
	}
	stranger := func(c *cast) *agent { return c.w.agent(c.t) }
	return []situation{
		{chat.CodeAccountUnknown, 404, "AGENT_NOT_FOUND", nil, get("/v1/agents/nobody")},
		{chat.CodeConversationUnknown, 404, "CONVERSATION_NOT_FOUND", nil, get("/v1/messages/conv_x")},
		{chat.CodeNotParticipant, 404, "CONVERSATION_NOT_FOUND", nil, func(c *cast) *response {
			return stranger(c).in(c.a.befriend(c.b), "hi")
		}},
		{chat.CodeMuteForeign, 403, "NOT_PARTICIPANT", nil, func(c *cast) *response {
			return stranger(c).mute(object{"target_kind": "conversation", "target_id": c.a.befriend(c.b)})
		}},
		{chat.CodeMessageUnknown, 404, "MESSAGE_NOT_FOUND", nil, func(c *cast) *response {
			return c.a.Post("/v1/messages/"+c.a.send(c.b, "my own").Want(201).Text("id")+"/read", nil)
		}},
		{chat.CodeContactUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Delete("/v1/contacts/" + c.b.handle) }},
		{chat.CodeBlockUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Delete("/v1/contacts/" + c.b.handle + "/block") }},
		{chat.CodeMuteUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Get("/v1/mutes/agent/" + c.b.handle) }},
		{chat.CodePresenceUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Get("/v1/presence/" + c.b.handle) }},
		{chat.CodeGroupUnknown, 404, "GROUP_NOT_FOUND", nil, get("/v1/groups/grp_x")},
		{chat.CodeNotMember, 404, "GROUP_NOT_FOUND", nil, func(c *cast) *response { return c.a.in(c.b.group(c.w), "hi") }},
		{chat.CodeGroupDeleted, 410, "GROUP_DELETED", func(c *cast, _ string) object {
			group := c.a.Get("/v1/agents/me").Text("display_name") // where the call has left it
			return object{"group_id": group, "deleted_by_handle": c.b.handle, "deleted_at": instant(c.w.Clock.Now())}
		}, func(c *cast) *response {
			group := c.b.group(c.w, c.a)
			c.b.Delete("/v1/groups/" + group).Want(200)
			c.a.Patch("/v1/agents/"+c.a.handle, object{"display_name": group}).Want(200)
			return c.a.in(group, "hi")
		}},
		{chat.CodeMemberUnknown, 404, "NOT_MEMBER", nil, func(c *cast) *response { return c.a.promote(c.a.group(c.w), c.b) }},
		{chat.CodeNotAdmin, 400, "NOT_ADMIN", nil, func(c *cast) *response { return c.a.demote(c.a.group(c.w, c.b), c.b) }},
		{chat.CodeLastAdmin, 400, "LAST_ADMIN", nil, func(c *cast) *response {
			creator := stranger(c)
			group := creator.group(c.w, c.a)
			creator.promote(group, c.a).Want(200)
			creator.leave(group).Want(200)
			return c.a.demote(group, c.a)
		}},
		{chat.CodeInviteUnknown, 404, "INVITE_NOT_FOUND", nil, func(c *cast) *response { return c.a.accept("gri_x") }},
		{chat.CodeHookUnknown, 404, "NOT_FOUND", nil, get("/v1/webhooks/whk_x")},
		{chat.CodeSystemUnknown, 404, "NOT_A_SYSTEM_AGENT", nil, func(c *cast) *response {
			return c.w.operator(c.t).Post("/internal/rotate-system-agent-key", object{"handle": c.a.handle})
		}},
		{chat.CodeEscalationUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response {
			return c.w.operator(c.t).Patch(escalations+"/esc_x", object{"status": "open"}, "X-Ops-Operator: ada")
		}},
	}
}

// situationsOfCodes are about mailed codes, accounts and owners.
func situationsOfCodes() []situation {
	applicant := func(c *cast) *applicant {
		return c.w.applicant(c.t, "applicant"+strconv.FormatInt(c.w.Serial(), 10))
	}
	owner := func(c *cast) *person {
		return c.w.owner(c.t, "owner"+strconv.FormatInt(c.w.Serial(), 10)+"@example.org")
	}
	claim := func(p *person, a *agent) *response {
		return p.Post("/dashboard/agents/claim", object{"api_key": a.Token})
	}
	return []situation{
		{chat.CodeCodeExpired, 400, "EXPIRED", nil, func(c *cast) *response { return applicant(c).verify("pnd_x", "123456") }},
		{chat.CodeCodeInvalid, 400, "INVALID_CODE", nil, func(c *cast) *response {
			a := applicant(c)
			return a.verify(a.pending(), wrong(a.code()))
		}},
		{chat.CodeCodeAttempts, 429, "OTP_ATTEMPTS_EXHAUSTED", waits(time.Minute), func(c *cast) *response {
			a := applicant(c)
			pending := a.pending()
			for range 5 {
				code(a.verify(pending, wrong(a.code())), 400, "INVALID_CODE")
			}
			return a.verify(pending, a.code())
		}},
		{chat.CodeCodeCooldown, 429, "OTP_COOLDOWN", waits(time.Minute), func(c *cast) *response {
			a := applicant(c)
			a.pending()
			return a.apply()
		}},
		{chat.CodeCodeHourly, 429, "OTP_HOURLY_CAP", waits(time.Hour - 20*time.Minute), func(c *cast) *response {
			now := c.w.Clock.Now()
			c.w.Clock.Advance(now.Truncate(time.Hour).Add(time.Hour).Sub(now)) // to the beginning of an hour
			a := applicant(c)
			for range 20 {
				a.Post("/v1/agents/recover", object{"email": a.address}, "X-Forwarded-For: "+c.w.Visitor(c.t).Addr).Want(200)
				c.w.Clock.Advance(time.Minute)
			}
			return a.apply()
		}},
		{chat.CodeCodeUndelivered, 500, "OTP_FAILED", nil, func(c *cast) *response {
			c.w.Mail.Fail(errors.New("no mail today"))
			defer c.w.Mail.Fail(nil)
			return applicant(c).apply()
		}},
		{chat.CodeHandleTaken, 409, "HANDLE_TAKEN", nil, func(c *cast) *response {
			a := applicant(c)
			a.handle = c.a.handle
			return a.apply()
		}},
		{chat.CodeAddressTaken, 409, "EMAIL_TAKEN", nil, func(c *cast) *response {
			a := applicant(c)
			a.address = c.a.address
			return a.apply()
		}},
		{chat.CodeAddressSpent, 409, "EMAIL_EXHAUSTED", nil, func(c *cast) *response {
			address := applicant(c).address
			for range 3 {
				a := applicant(c)
				a.address = address
				a.register()
				a.Delete("/v1/agents/" + a.handle).Want(200)
				c.w.Clock.Advance(time.Minute)
			}
			a := applicant(c)
			a.address = address
			return a.apply()
		}},
		{chat.CodeAddressAgent, 409, "EMAIL_IS_AGENT", nil, func(c *cast) *response {
			c.w.change(c.t, c.a, func(a *chat.Account) { a.LoginAddress = c.a.address })
			p := c.w.person(c.t)
			return p.verify(p.request(c.a.address))
		}},
		{chat.CodeKeyUnknown, 404, "INVALID_API_KEY", nil, func(c *cast) *response {
			return owner(c).Post("/dashboard/agents/claim", object{"api_key": "ac_live_x"})
		}},
		{chat.CodeClaimed, 409, "ALREADY_CLAIMED", nil, func(c *cast) *response {
			owner(c).claim(c.a)
			return claim(owner(c), c.a)
		}},
		{chat.CodeClaimAttempts, 429, "TOO_MANY_CLAIMS", waits(10 * time.Minute), func(c *cast) *response {
			owner(c).claim(c.a)
			p := owner(c)
			now := c.w.Clock.Now()
			c.w.Clock.Advance(now.Truncate(10 * time.Minute).Add(10 * time.Minute).Sub(now)) // to the beginning of a window
			for range 5 {
				code(claim(p, c.a), 409, "ALREADY_CLAIMED")
			}
			return claim(p, c.a)
		}},
	}
}

func situationsOfFiles() []situation {
	avatar := func(body any) func(*cast) *response {
		return func(c *cast) *response { return c.a.Put("/v1/agents/"+c.a.handle+"/avatar", body) }
	}
	put := func(c *cast, content string) *response {
		return c.w.Visitor(c.t).Put(c.a.announce(fileText, object{"to": c.b.handle}).Want(201).Text("upload_url"), content)
	}
	attach := func(c *cast, attachment string) *response {
		return c.a.post(object{"to": c.b.handle, "content": object{"attachment_id": attachment}})
	}
	return []situation{
		{chat.CodeImageEmpty, 400, "EMPTY_BODY", nil, avatar("")},
		{chat.CodeImageFormat, 400, "UNSUPPORTED_FORMAT", nil, avatar("hello")},
		{chat.CodeImageDecode, 400, "DECODE_FAILED", nil, func(c *cast) *response { return avatar(portrait(c.t)[:100])(c) }},
		{chat.CodeImageSmall, 400, "IMAGE_TOO_SMALL", nil, func(c *cast) *response { return avatar(portraitOf(c.t, 127, 0))(c) }},
		{chat.CodeAvatarUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Delete("/v1/agents/" + c.a.handle + "/avatar") }},
		{chat.CodeUploadSize, 400, "SIZE_MISMATCH", nil, func(c *cast) *response { return put(c, fileText[1:]) }},
		{chat.CodeUploadChecksum, 400, "CHECKSUM_MISMATCH", nil, func(c *cast) *response { return put(c, strings.ToUpper(fileText)) }},
		{chat.CodeUploadDone, 409, "ALREADY_UPLOADED", nil, func(c *cast) *response {
			link := c.a.announce(fileText, object{"to": c.b.handle}).Want(201).Text("upload_url")
			c.a.Put(link, fileText).Want(200)
			return c.a.Put(link, fileText)
		}},
		{chat.CodeUploadExpired, 403, "UPLOAD_EXPIRED", nil, func(c *cast) *response {
			link := c.a.announce(fileText, object{"to": c.b.handle}).Want(201).Text("upload_url")
			c.w.Clock.Advance(2 * time.Hour)
			return c.a.Put(link, fileText)
		}},
		{chat.CodeFileUnknown, 404, "NOT_FOUND", nil, func(c *cast) *response { return c.a.Get("/v1/attachments/att_x") }},
		{chat.CodeAttachmentUnknown, 404, "ATTACHMENT_NOT_FOUND", nil, func(c *cast) *response { return attach(c, "att_x") }},
		{chat.CodeAttachmentScope, 400, "ATTACHMENT_WRONG_SCOPE", nil, func(c *cast) *response {
			return attach(c, c.a.upload(fileText, object{"to": c.w.agent(c.t).handle}))
		}},
	}
}

// situationsOfPolicy are those in which the other side does not take it, or the
// caller's owner does not want it.
func situationsOfPolicy() []situation {
	return []situation{
		{chat.CodePaused, 403, "AGENT_PAUSED_BY_OWNER", nil, func(c *cast) *response {
			c.w.change(c.t, c.a, func(a *chat.Account) { a.Pause = chat.PauseSend })
			return c.a.send(c.b, "hi")
		}},
		{chat.CodePeerGone, 404, "AGENT_NOT_FOUND", nil, func(c *cast) *response {
			conversation := c.a.befriend(c.b)
			c.w.change(c.t, c.b, func(b *chat.Account) { b.State = chat.StateSuspended })
			return c.a.in(conversation, "hi")
		}},
		{chat.CodePeerOff, 404, "AGENT_NOT_FOUND", nil, func(c *cast) *response {
			c.w.change(c.t, c.b, func(b *chat.Account) { b.State = chat.StateSuspended })
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeBlocked, 403, "BLOCKED", nil, func(c *cast) *response {
			c.b.block(c.a).Want(200)
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeContactsOnly, 403, "INBOX_RESTRICTED", nil, func(c *cast) *response {
			c.b.Patch("/v1/agents/"+c.b.handle, object{"settings": object{"inbox_mode": "contacts_only"}}).Want(200)
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeRestricted, 403, "RESTRICTED", nil, func(c *cast) *response {
			c.w.change(c.t, c.a, func(a *chat.Account) { a.State = chat.StateRestricted })
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeAwaitingReply, 403, "AWAITING_REPLY", func(c *cast, _ string) object {
			return object{"recipient_handle": c.b.handle, "waiting_since": instant(c.w.Clock.Now().Add(-time.Minute))}
		}, func(c *cast) *response {
			c.a.send(c.b, "hi").Want(201)
			c.w.Clock.Advance(time.Minute)
			return c.a.send(c.b, "hi?")
		}},
		{chat.CodeBacklogged, 429, "RECIPIENT_BACKLOGGED", func(c *cast, _ string) object {
			return object{"recipient_handle": c.b.handle, "undelivered_count": 10_000.}
		}, func(c *cast) *response {
			c.w.burden(c.t, c.b, 10_000)
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeReported, 409, "ALREADY_REPORTED", nil, func(c *cast) *response {
			c.a.report(c.b).Want(200)
			return c.a.report(c.b)
		}},
	}
}

func situationsOfLimits() []situation {
	const limited = "RATE_LIMITED"
	return []situation{
		{chat.CodeRateLimited, 429, limited, waits(time.Second, chat.RuleGlobal), func(c *cast) *response {
			c.a.befriend(c.b)
			c.w.Clock.Advance(time.Second)
			for range 60 {
				c.a.send(c.b, "hi").Want(201)
			}
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeRateLimited, 429, limited, waits(time.Second, chat.RuleGroup), func(c *cast) *response {
			group := c.a.group(c.w)
			c.w.Clock.Advance(time.Second)
			for range 20 {
				c.a.in(group, "hi").Want(201)
			}
			return c.a.in(group, "hi")
		}},
		{chat.CodeRateLimited, 429, limited, waits(24*time.Hour, chat.RuleGroupInvites), func(c *cast) *response {
			c.w.spendInvites(c.t, c.a)
			return c.a.Post("/v1/groups/"+c.a.group(c.w)+"/members", object{"handle": c.b.handle})
		}},
		{chat.CodeColdCap, 429, limited, waits(24*time.Hour, chat.RuleColdOutreach), func(c *cast) *response {
			c.w.approached(c.t, c.a, c.w.agents(c.t, 100)...)
			return c.a.send(c.b, "hi")
		}},
		{chat.CodeHookCap, 400, "LIMIT_REACHED", nil, func(c *cast) *response {
			body := object{"url": "https://agents.example/", "events": []string{"message.new"}}
			for range 5 {
				c.a.Post("/v1/webhooks", body).Want(201)
			}
			return c.a.Post("/v1/webhooks", body)
		}},
		{chat.CodeMuteCap, 400, "LIMIT_REACHED", nil, func(c *cast) *response {
			c.w.Update(c.t, func(ctx context.Context, tx store.Tx) error {
				for i := range int64(1000) {
					m := chat.Mute{Owner: c.a.id, Kind: chat.MuteAccount, Target: 1<<40 + i, CreatedAt: c.w.Clock.Now()}
					if err := tx.SetMute(ctx, m); err != nil {
						return err
					}
				}
				return nil
			})
			return c.a.mute(object{"target_kind": "agent", "target_handle": c.b.handle})
		}},
		{chat.CodeMembershipCap, 400, "LIMIT_REACHED", nil, func(c *cast) *response {
			// Groups that were made through /ai bring their cap along.
			for range 100 {
				c.w.openGroup(c.t, c.a)
			}
			return c.a.accept(c.b.invite(c.w.openGroup(c.t, c.b), c.a))
		}},
		{chat.CodeGroupFull, 409, "GROUP_FULL", nil, func(c *cast) *response {
			group := c.a.group(c.w)
			c.w.fill(c.t, group, 256)
			return c.a.Post("/v1/groups/"+group+"/members", object{"handle": c.b.handle})
		}},
	}
}

// openGroup makes a group through /ai, which is joined by id.
func (w *world) openGroup(t testing.TB, a *agent) string {
	t.Helper()
	c := w.as(a)
	c.Surface = chat.SurfaceAIClient
	made, err := w.Core.CreateGroup(t.Context(), c, core.NewGroup{Name: "open"})
	if err != nil {
		t.Fatalf("make a group: %v", err)
	}
	return w.shown("grp_", id.KindConversation, int64(made.Group.Group.ID))
}
