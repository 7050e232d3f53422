package agentchat_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/dialecttest"
	"parley/internal/netguard"
	"parley/internal/webhook"
)

// situation is one way to meet a code over the wire: a call and its answer.
type situation struct {
	code    chat.Code
	status  int
	wire    string
	details func(c *cast, message string) object // nil: there are none
	call    func(c *cast) *response
}

// cast is who takes part in a situation.
type cast struct {
	t    *testing.T
	w    *world
	a, b *agent
}

// TestEveryCode meets every code over the wire: of the core, so that no answer is
// only in the table, and of the contract (AC 25).
func TestEveryCode(t *testing.T) {
	dialecttest.EachEngine(t, func(t *testing.T, e dialecttest.Engine) {
		met := metCodes{core: map[chat.Code]bool{}, wire: map[string]bool{}}
		w := newWorld(t, e, withLinks)
		for _, s := range slices.Concat(situationsOfInput(), situationsOfCallers(), situationsOfTheUnknown(),
			situationsOfCodes(), situationsOfFiles(), situationsOfPolicy(), situationsOfLimits()) {
			met.by(t, w, s)
		}
		for _, trouble := range troubles() {
			met.by(t, newWorld(t, e, trouble.change), trouble.situation)
		}
		met.check(t)
	})
}

// withLinks lets webhooks be made, for hosts that nobody knows.
func withLinks(c *core.Config, _ *agentchat.Config) {
	c.Links = webhook.Links{Checker: netguard.New(netguard.Options{Resolver: nowhere{}})}
}

type metCodes struct {
	core map[chat.Code]bool
	wire map[string]bool
}

// by plays one situation.
func (m metCodes) by(t *testing.T, w *world, s situation) {
	m.core[s.code], m.wire[s.wire] = true, true
	t.Run(string(s.code), func(t *testing.T) {
		c := &cast{t: t, w: w, a: w.agent(t), b: w.agent(t)}
		r := code(s.call(c), s.status, s.wire)
		message := r.Text("message")
		if !phrase(s.code).MatchString(message) {
			t.Errorf("message: got %q, want what is said of %s", message, s.code)
		}
		want := any(dialecttest.Absent{})
		if s.details != nil {
			want = map[string]any(s.details(c, message))
		}
		same(t, "details", r.At("details"), want)
		if wait, limited := r.At("details.retry_after_ms").(float64); limited {
			throttled(t, r, s.wire, time.Duration(wait)*time.Millisecond)
		}
		if got := r.Header.Get("WWW-Authenticate"); (got != "") != (s.status == 401) {
			t.Errorf("WWW-Authenticate: got %q with status %d", got, s.status)
		}
	})
}

// phrase matches the text for a code with any facts in it.
func phrase(code chat.Code) *regexp.Regexp {
	text := regexp.QuoteMeta(agentchat.Answers()[code].Text)
	return regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(text, ".+") + "$")
}

// check tells what was not met, and what was although it cannot be.
func (m metCodes) check(t *testing.T) {
	t.Helper()
	for _, code := range elsewhere() {
		if m.core[code] {
			t.Errorf("%s: is listed as not met here and was", code)
		}
		m.core[code] = true
	}
	for _, code := range chat.Codes() {
		if !m.core[code] {
			t.Errorf("%s: no situation leads to it", code)
		}
	}
	for _, code := range reserved() {
		if m.wire[code] {
			t.Errorf("%s: is listed as not sent and was", code)
		}
		m.wire[code] = true
	}
	if got, want := slices.Sorted(maps.Keys(m.wire)), slices.Sorted(slices.Values(contractCodes())); !slices.Equal(got, want) {
		same(t, "codes of the contract", got, want)
	}
}

// elsewhere lists the codes of operations that only other surfaces offer.
func elsewhere() []chat.Code {
	return []chat.Code{
		chat.CodeNothingToUpdate, // an empty patch is none here (AC 7.2)
		chat.CodeUsernameInvalid, chat.CodeUsernameTaken, chat.CodePasswordShort, chat.CodePasswordLong, chat.CodeLoginFailed,
		chat.CodeTextTooLong, // bytes count here
		chat.CodePageLimit,   // limits are clamped here
		chat.CodeSessionRequired, chat.CodeCredentialUnknown, chat.CodeKeyCap,
		chat.CodeSpaceUnknown, chat.CodeChannelUnknown, chat.CodeOwnerStays, chat.CodeInviteInvalid, chat.CodeAlreadyMember,
		chat.CodeLastChannel, chat.CodeMemberCap, chat.CodeChannelCap, chat.CodeNotAuthor,
		chat.CodeDeliveryUnknown, // of operators
		chat.CodeSignatureFormat, chat.CodeSignatureBad, chat.CodePublicKeyFormat, chat.CodeAgentCap,
		chat.CodeImageProcessing, // no picture is known that decodes and cannot be encoded
	}
}

// reserved lists the codes of the contract that are not sent.
func reserved() []string {
	return []string{
		"EMAIL_IS_OWNER", "AGENT_SUSPENDED", "WEBHOOK_DELIVERY_FAILED", // says the contract
		"OWNER_NOT_FOUND", "CLAIM_NOT_FOUND", // no route says when: who has not claimed an agent meets AGENT_NOT_FOUND (AC 22)
		"PROCESSING_FAILED",
	}
}

// contractCodes is the table of AC 25.
func contractCodes() []string {
	return strings.Fields(`
		VALIDATION_ERROR INVALID_HANDLE EXPIRED INVALID_CODE SELF_MUTE NOT_ADMIN LAST_ADMIN LIMIT_REACHED
		ATTACHMENT_WRONG_SCOPE EMPTY_BODY UNSUPPORTED_FORMAT DECODE_FAILED IMAGE_TOO_SMALL PROCESSING_FAILED SIZE_MISMATCH
		CHECKSUM_MISMATCH IDEMPOTENCY_KEY_INVALID UNAUTHORIZED OPS_AUTH_REQUIRED SUSPENDED AGENT_SUSPENDED RESTRICTED
		AWAITING_REPLY BLOCKED INBOX_RESTRICTED AGENT_PAUSED_BY_OWNER FORBIDDEN NOT_PARTICIPANT UPLOAD_EXPIRED
		AGENT_NOT_FOUND CONVERSATION_NOT_FOUND MESSAGE_NOT_FOUND GROUP_NOT_FOUND INVITE_NOT_FOUND NOT_MEMBER
		ATTACHMENT_NOT_FOUND NOT_FOUND OWNER_NOT_FOUND CLAIM_NOT_FOUND INVALID_API_KEY NOT_A_SYSTEM_AGENT METHOD_NOT_ALLOWED
		HANDLE_TAKEN EMAIL_TAKEN EMAIL_EXHAUSTED EMAIL_IS_OWNER EMAIL_IS_AGENT SYSTEM_AGENT_PROTECTED ALREADY_REPORTED
		ALREADY_CLAIMED GROUP_FULL IDEMPOTENT_IN_PROGRESS ALREADY_UPLOADED GROUP_DELETED CONTENT_TOO_LARGE PAYLOAD_TOO_LARGE
		IDEMPOTENCY_KEY_CONFLICT WEBHOOK_UNREACHABLE RATE_LIMITED RECIPIENT_BACKLOGGED OTP_COOLDOWN OTP_HOURLY_CAP
		OTP_ATTEMPTS_EXHAUSTED TOO_MANY_CLAIMS INTERNAL_ERROR OTP_FAILED WEBHOOK_DELIVERY_FAILED STORAGE_UNAVAILABLE
		REFRESH_UNAVAILABLE`)
}

// trouble is a situation of a server that is not well.
type trouble struct {
	change func(*core.Config, *agentchat.Config)
	situation
}

func troubles() []trouble {
	var unreadable, unwritable atomic.Bool
	fine := func(*core.Config, *agentchat.Config) {}
	return []trouble{
		{func(cc *core.Config, _ *agentchat.Config) { cc.Store = brokenStore(cc.Store, &unreadable) }, situation{
			chat.CodeInternal, 500, "INTERNAL_ERROR", nil, func(c *cast) *response {
				unreadable.Store(true)
				return c.a.Get("/v1/contacts")
			},
		}},
		{func(cc *core.Config, _ *agentchat.Config) { cc.Store = frailStore{cc.Store, &unwritable} }, situation{
			chat.CodeRefreshDown, 503, "REFRESH_UNAVAILABLE", nil, func(c *cast) *response {
				p := c.w.owner(c.t, "ada@example.org")
				unwritable.Store(true)
				return p.Post("/dashboard/auth/refresh", nil)
			},
		}},
		{func(cc *core.Config, _ *agentchat.Config) { cc.Blobs = nil }, situation{
			chat.CodeStorageUnreached, 503, "STORAGE_UNAVAILABLE", nil,
			func(c *cast) *response { return c.a.announce("x", object{"to": c.b.handle}) },
		}},
		{fine, situation{chat.CodeHookUnreachable, 422, "WEBHOOK_UNREACHABLE", nil, func(c *cast) *response {
			return c.a.Put("/v1/agents/me/wake-webhook", object{"url": "https://agents.example/", "secret": "s"})
		}}},
		{fine, situation{chat.CodeUnavailable, 503, "INTERNAL_ERROR", nil, func(c *cast) *response {
			c.w.Core.Close()
			r := c.a.send(c.b, "hi")
			if got := r.Header.Get("Retry-After"); got != "1" {
				c.t.Errorf("Retry-After: got %q, want 1", got)
			}
			return r
		}}},
	}
}
