package chat

import (
	"errors"
	"fmt"
	"time"
)

// Code names one way a call can fail. Codes are finer than any dialect needs;
// each dialect maps every one to its own status, word and text. Codes are added,
// never renamed or reused.
type Code string

// The codes, by what they are about.
const (
	// Input: what arrived cannot be read or breaks a limit. Field says where.
	CodeBodyInvalid     Code = "body_invalid"
	CodeBodyTooLarge    Code = "body_too_large"
	CodeFieldRequired   Code = "field_required"
	CodeFieldType       Code = "field_type"   // Want says the type
	CodeFieldLength     Code = "field_length" // Min and Max, in characters
	CodeFieldInvalid    Code = "field_invalid"
	CodeNothingToUpdate Code = "nothing_to_update"
	CodeAddressInvalid  Code = "address_invalid" // login or recovery address
	CodeUsernameInvalid Code = "username_invalid"
	CodePasswordShort   Code = "password_short"
	CodePasswordLong    Code = "password_long"
	CodeTextEmpty       Code = "text_empty"
	CodeTextTooLong     Code = "text_too_long" // Max
	CodePageLimit       Code = "page_limit"    // Min and Max
	CodePageCursor      Code = "page_cursor"
	CodeStatusInvalid   Code = "status_invalid"
	CodeStatusTextLong  Code = "status_text_long" // Max
	CodeSelf            Code = "self"             // an act on oneself that needs another

	CodeSignatureFormat Code = "signature_format" // no DER in hexadecimal
	CodeSignatureBad    Code = "signature_bad"    // not of this sender over this message
	CodePublicKeyFormat Code = "public_key_format"
	CodeHookURL         Code = "hook_url"     // no URL that could be called
	CodeHookBlocked     Code = "hook_blocked" // it leads to an address that may not be called

	CodeSelfMute        Code = "self_mute"
	CodeContentTooLarge Code = "content_too_large" // text, data and metadata together
	CodeHandleInvalid   Code = "handle_invalid"    // malformed or reserved: not told apart

	// Pictures and files.
	CodeImageEmpty       Code = "image_empty"
	CodeImageFormat      Code = "image_format"
	CodeImageDecode      Code = "image_decode"
	CodeImageSmall       Code = "image_small"
	CodeImageProcessing  Code = "image_processing"
	CodeUploadSize       Code = "upload_size"     // fewer bytes than announced
	CodeUploadChecksum   Code = "upload_checksum" // other bytes than announced
	CodeUploadExpired    Code = "upload_expired"
	CodeUploadDone       Code = "upload_done" // the content is there already
	CodeAttachmentScope  Code = "attachment_scope"
	CodeStorageUnreached Code = "storage_unreached"

	// Mailed codes.
	CodeCodeExpired     Code = "code_expired" // unknown, used or too old
	CodeCodeInvalid     Code = "code_invalid"
	CodeCodeAttempts    Code = "code_attempts"    // guessed too often; RetryAfter
	CodeCodeCooldown    Code = "code_cooldown"    // asked for again too soon; RetryAfter
	CodeCodeHourly      Code = "code_hourly"      // too many in an hour; RetryAfter
	CodeCodeUndelivered Code = "code_undelivered" // the mail could not be handed over

	// Idempotency keys.
	CodeOnceInvalid  Code = "once_invalid"  // malformed key
	CodeOnceConflict Code = "once_conflict" // the key was used for another request
	CodeOnceRunning  Code = "once_running"  // the first request with it has not ended

	// Who is calling.
	CodeTokenMissing    Code = "token_missing"
	CodeTokenInvalid    Code = "token_invalid" // unknown, expired, revoked, account gone
	CodeLoginFailed     Code = "login_failed"
	CodeSessionRequired Code = "session_required" // a key may not do this
	CodeAccountOff      Code = "account_off"      // the caller is suspended or disabled
	CodePaused          Code = "paused"           // the caller's owner stopped its sending
	CodeOperatorNeeded  Code = "operator_needed"  // the operator's token is missing or wrong

	// Not there, as far as the caller may know.
	CodeRouteUnknown        Code = "route_unknown"
	CodeMethodNotAllowed    Code = "method_not_allowed"
	CodeAccountUnknown      Code = "account_unknown"
	CodeCredentialUnknown   Code = "credential_unknown"
	CodeSpaceUnknown        Code = "space_unknown"
	CodeChannelUnknown      Code = "channel_unknown"
	CodeConversationUnknown Code = "conversation_unknown"
	CodeMessageUnknown      Code = "message_unknown"
	CodeContactUnknown      Code = "contact_unknown"
	CodeBlockUnknown        Code = "block_unknown"
	CodeMuteUnknown         Code = "mute_unknown"
	CodePresenceUnknown     Code = "presence_unknown" // not the caller's to see
	CodeGroupUnknown        Code = "group_unknown"
	CodeGroupDeleted        Code = "group_deleted"  // the caller was a member; Conversation, Handle, Since
	CodeMemberUnknown       Code = "member_unknown" // the account is not in the group
	CodeInviteUnknown       Code = "invite_unknown"
	CodeAttachmentUnknown   Code = "attachment_unknown"
	CodeFileUnknown         Code = "file_unknown" // no content that is the caller's to have
	CodeAvatarUnknown       Code = "avatar_unknown"
	CodeHookUnknown         Code = "hook_unknown"
	CodeHookUnreachable     Code = "hook_unreachable"
	CodeDeliveryUnknown     Code = "delivery_unknown" // no such dead letter
	CodeKeyUnknown          Code = "key_unknown"      // no live agent has the key that was shown
	CodeSystemUnknown       Code = "system_unknown"
	CodeEscalationUnknown   Code = "escalation_unknown"

	// There, but not for the caller.
	CodeNotMember      Code = "not_member"      // of the space or group
	CodeNotParticipant Code = "not_participant" // of the direct conversation
	CodeNotPermitted   Code = "not_permitted"   // an entitlement is missing
	CodeMuteForeign    Code = "mute_foreign"    // to be muted: a conversation that the caller has no part in
	CodeNotAuthor      Code = "not_author"
	CodeOwnerStays     Code = "owner_stays" // the owner cannot leave
	CodeInviteInvalid  Code = "invite_invalid"
	CodeNotOwn         Code = "not_own"   // an act on somebody else's account
	CodeNotAdmin       Code = "not_admin" // the target is no admin of the group
	CodeLastAdmin      Code = "last_admin"
	CodeProtected      Code = "protected" // system accounts are exempt from this

	// The other side does not take it.
	CodePeerGone      Code = "peer_gone" // removed, suspended or disabled
	CodePeerOff       Code = "peer_off"  // suspended or disabled, where the caller named the account
	CodeBlocked       Code = "blocked"
	CodeContactsOnly  Code = "contacts_only"
	CodeAwaitingReply Code = "awaiting_reply" // one opener was sent; Since
	CodeRestricted    Code = "restricted"     // the caller may not open conversations
	CodeBacklogged    Code = "backlogged"     // the recipient has too much waiting; Count

	// Already so, or full.
	CodeAddressTaken  Code = "address_taken"
	CodeUsernameTaken Code = "username_taken"
	CodeAlreadyMember Code = "already_member"
	CodeLastChannel   Code = "last_channel"
	CodeKeyCap        Code = "key_cap"
	CodeMembershipCap Code = "membership_cap" // of the account
	CodeMemberCap     Code = "member_cap"     // of the space
	CodeChannelCap    Code = "channel_cap"
	CodeGroupFull     Code = "group_full"
	CodeHookCap       Code = "hook_cap"
	CodeAgentCap      Code = "agent_cap" // of agents that one person made
	CodeMuteCap       Code = "mute_cap"  // Max
	CodeHandleTaken   Code = "handle_taken"
	CodeAddressSpent  Code = "address_spent" // it has made its lifetime's number of accounts
	CodeAddressAgent  Code = "address_agent" // an agent's address where a human's is needed
	CodeReported      Code = "reported"      // the caller reported the account before
	CodeClaimed       Code = "claimed"       // the agent has an owner
	CodeClaimAttempts Code = "claim_attempts"

	// Too much, or the server's own trouble. RetryAfter is set for the first two.
	CodeRateLimited Code = "rate_limited"
	CodeColdCap     Code = "cold_cap" // too many unanswered new conversations
	CodeUnavailable Code = "unavailable"
	CodeRefreshDown Code = "refresh_down" // a session cannot be renewed just now
	CodeInternal    Code = "internal"
)

// Codes lists every code, for the suites that walk them.
func Codes() []Code {
	return []Code{
		CodeBodyInvalid, CodeBodyTooLarge, CodeFieldRequired, CodeFieldType, CodeFieldLength, CodeFieldInvalid,
		CodeNothingToUpdate, CodeAddressInvalid, CodeUsernameInvalid, CodePasswordShort, CodePasswordLong,
		CodeTextEmpty, CodeTextTooLong, CodePageLimit, CodePageCursor, CodeStatusInvalid, CodeStatusTextLong, CodeSelf,
		CodeSelfMute, CodeContentTooLarge, CodeHandleInvalid,
		CodeSignatureFormat, CodeSignatureBad, CodePublicKeyFormat, CodeHookURL, CodeHookBlocked,
		CodeImageEmpty, CodeImageFormat, CodeImageDecode, CodeImageSmall, CodeImageProcessing,
		CodeUploadSize, CodeUploadChecksum, CodeUploadExpired, CodeUploadDone, CodeAttachmentScope, CodeStorageUnreached,
		CodeCodeExpired, CodeCodeInvalid, CodeCodeAttempts, CodeCodeCooldown, CodeCodeHourly, CodeCodeUndelivered,
		CodeOnceInvalid, CodeOnceConflict, CodeOnceRunning,
		CodeTokenMissing, CodeTokenInvalid, CodeLoginFailed, CodeSessionRequired, CodeAccountOff, CodePaused,
		CodeOperatorNeeded,
		CodeRouteUnknown, CodeMethodNotAllowed, CodeAccountUnknown, CodeCredentialUnknown, CodeSpaceUnknown,
		CodeChannelUnknown, CodeConversationUnknown, CodeMessageUnknown, CodeContactUnknown, CodeBlockUnknown,
		CodeMuteUnknown, CodePresenceUnknown, CodeGroupUnknown, CodeGroupDeleted, CodeMemberUnknown, CodeInviteUnknown,
		CodeAttachmentUnknown, CodeFileUnknown, CodeAvatarUnknown, CodeHookUnknown, CodeHookUnreachable, CodeKeyUnknown,
		CodeDeliveryUnknown, CodeSystemUnknown, CodeEscalationUnknown,
		CodeNotMember, CodeNotParticipant, CodeMuteForeign, CodeNotPermitted, CodeNotAuthor, CodeOwnerStays, CodeInviteInvalid,
		CodeNotOwn, CodeNotAdmin, CodeLastAdmin, CodeProtected,
		CodePeerGone, CodePeerOff, CodeBlocked, CodeContactsOnly, CodeAwaitingReply, CodeRestricted, CodeBacklogged,
		CodeAddressTaken, CodeUsernameTaken, CodeAlreadyMember, CodeLastChannel, CodeKeyCap, CodeMembershipCap,
		CodeMemberCap, CodeChannelCap, CodeGroupFull, CodeHookCap, CodeAgentCap, CodeMuteCap, CodeHandleTaken, CodeAddressSpent, CodeAddressAgent,
		CodeReported, CodeClaimed, CodeClaimAttempts,
		CodeRateLimited, CodeColdCap, CodeUnavailable, CodeRefreshDown, CodeInternal,
	}
}

// Error is how every operation of the core fails. It carries facts, no words: each
// surface has its own sentence for a code. Cause is for the log only.
type Error struct {
	Code  Code
	Field string // the input field, in the dialect's own word for it
	Want  string // field_type: "a string", "a boolean", "an integer"
	Min   int
	Max   int

	RetryAfter time.Duration // rate_limited, cold_cap, backlogged, unavailable
	Quota      *Quota        // rate_limited: the bucket that refused
	Rule       string        // rate_limited: which limit, one of the Rule constants
	Since      time.Time     // awaiting_reply: when the opener was sent; group_deleted: when
	Count      int           // backlogged: how many wait

	// Handle names who it is about: the recipient of awaiting_reply and
	// backlogged, who deleted the group of group_deleted.
	Handle       string
	Conversation ConversationID // group_deleted
	Operator     bool           // account_off: by an operator or owner, not by the trust rules
	Cause        error
}

// The limits that a rate_limited error may name.
const (
	RuleGlobal       = "global"        // sends of one account
	RuleGroup        = "group"         // sends into one group
	RuleColdOutreach = "cold_outreach" // new conversations that nobody answered
	RuleGroupInvites = "group_invites"
)

// Error gives the code and, for the log, the cause.
func (e *Error) Error() string {
	s := string(e.Code)
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail returns an error with a code and nothing else.
func Fail(code Code) *Error { return &Error{Code: code} }

// FailField returns an error about one input field.
func FailField(code Code, field string) *Error { return &Error{Code: code, Field: field} }

// FailLength returns a field_length error: field must have min to max characters.
func FailLength(field string, lower, upper int) *Error {
	return &Error{Code: CodeFieldLength, Field: field, Min: lower, Max: upper}
}

// Internal wraps an unexpected error with what was being done.
func Internal(doing string, cause error) *Error {
	return &Error{Code: CodeInternal, Cause: fmt.Errorf("%s: %w", doing, cause)}
}

// CodeOf returns the code of err: internal for anything that is no *Error, and
// "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// Quota is what a caller may know of a rate limit.
type Quota struct {
	Limit     int
	Remaining int
	Reset     time.Time
}
