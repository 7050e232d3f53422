package agentchat

import (
	"strconv"
	"strings"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// Answer is how /v1 words a failure: status, machine code and text. In the text
// {field}, {want}, {min}, {max} and {handle} stand for the facts of the error.
type Answer struct {
	Status int
	Code   string
	Text   string
}

// Catalogue words failures by code.
type Catalogue map[chat.Code]Answer

const (
	invalid      = "VALIDATION_ERROR"
	unauthorized = "UNAUTHORIZED"
	forbidden    = "FORBIDDEN"
	notFound     = "NOT_FOUND"
	limited      = "RATE_LIMITED"
)

// Answers maps every code of the core to the answer of the catalogue (AC 25).
func Answers() Catalogue {
	return Catalogue{
		chat.CodeBodyInvalid:     {400, invalid, "Invalid JSON body"},
		chat.CodeBodyTooLarge:    {413, "PAYLOAD_TOO_LARGE", "The request body is too large"},
		chat.CodeFieldRequired:   {400, invalid, "{field} is required"},
		chat.CodeFieldType:       {400, invalid, "{field} must be {want}"},
		chat.CodeFieldLength:     {400, invalid, "{field} must have {min} to {max} characters"},
		chat.CodeFieldInvalid:    {400, invalid, "{field} is invalid"},
		chat.CodeNothingToUpdate: {400, invalid, "There is nothing to update"},
		chat.CodeAddressInvalid:  {400, invalid, "email must be an e-mail address"},
		chat.CodeUsernameInvalid: {400, invalid, "The username is invalid"},
		chat.CodePasswordShort:   {400, invalid, "The password is too short"},
		chat.CodePasswordLong:    {400, invalid, "The password is too long"},
		chat.CodeTextEmpty:       {400, invalid, "content must hold text, data or an attachment_id"},
		chat.CodeTextTooLong:     {400, invalid, "content must have at most {max} characters"},
		chat.CodePageLimit:       {400, invalid, "limit must be a whole number from {min} to {max}"},
		chat.CodePageCursor:      {400, invalid, "At most one valid cursor may be given"},
		chat.CodeStatusInvalid:   {400, invalid, "status must be one of online, offline, busy"},
		chat.CodeStatusTextLong:  {400, invalid, "custom_message must have at most {max} characters"},
		chat.CodeSelf:            {400, invalid, "You cannot do this to yourself"},
		chat.CodeSignatureFormat: {400, invalid, "signature is invalid"},
		chat.CodeSignatureBad:    {400, invalid, "signature is invalid"},
		chat.CodePublicKeyFormat: {400, invalid, "public_key is invalid"},
		chat.CodeHookURL:         {400, invalid, "url is invalid"},
		chat.CodeHookBlocked:     {400, invalid, "url is invalid"},
		chat.CodeSelfMute:        {400, "SELF_MUTE", "You cannot mute yourself"},
		chat.CodeContentTooLarge: {413, "CONTENT_TOO_LARGE", "content and metadata together must have at most {max} bytes"},
		chat.CodeHandleInvalid:   {400, "INVALID_HANDLE", "The handle is malformed or reserved"},

		chat.CodeImageEmpty:       {400, "EMPTY_BODY", "The image is empty"},
		chat.CodeImageFormat:      {400, "UNSUPPORTED_FORMAT", "The image must be a JPEG, PNG, WebP or GIF"},
		chat.CodeImageDecode:      {400, "DECODE_FAILED", "The image cannot be decoded, or has too many pixels"},
		chat.CodeImageSmall:       {400, "IMAGE_TOO_SMALL", "The shorter side of the image must have at least 128 pixels"},
		chat.CodeImageProcessing:  {400, "PROCESSING_FAILED", "The image cannot be processed"},
		chat.CodeUploadSize:       {400, "SIZE_MISMATCH", "The content has another size than was announced"},
		chat.CodeUploadChecksum:   {400, "CHECKSUM_MISMATCH", "The content has another SHA-256 than was announced"},
		chat.CodeUploadExpired:    {403, "UPLOAD_EXPIRED", "The upload link has expired; reserve a new one"},
		chat.CodeUploadDone:       {409, "ALREADY_UPLOADED", "The content of this attachment was uploaded before"},
		chat.CodeAttachmentScope:  {400, "ATTACHMENT_WRONG_SCOPE", "The attachment was uploaded for another conversation"},
		chat.CodeStorageUnreached: {503, "STORAGE_UNAVAILABLE", "Files cannot be stored or read just now; try again later"},

		chat.CodeCodeExpired:     {400, "EXPIRED", "The code has expired or was used; ask for a new one"},
		chat.CodeCodeInvalid:     {400, "INVALID_CODE", "The code is wrong"},
		chat.CodeCodeAttempts:    {429, "OTP_ATTEMPTS_EXHAUSTED", "Too many wrong codes; ask for a new one"},
		chat.CodeCodeCooldown:    {429, "OTP_COOLDOWN", "A code was sent a moment ago; wait before asking for another"},
		chat.CodeCodeHourly:      {429, "OTP_HOURLY_CAP", "Too many codes were sent to this address within an hour"},
		chat.CodeCodeUndelivered: {500, "OTP_FAILED", "The mail with the code could not be sent; try again later"},
		chat.CodeOnceInvalid:     {400, "IDEMPOTENCY_KEY_INVALID", "Idempotency-Key must have 8 to 128 letters, digits, _ or -"},
		chat.CodeOnceConflict:    {422, "IDEMPOTENCY_KEY_CONFLICT", "This Idempotency-Key was used for another request"},
		chat.CodeOnceRunning:     {409, "IDEMPOTENT_IN_PROGRESS", "The first request with this Idempotency-Key is still running"},

		chat.CodeTokenMissing:    {401, unauthorized, "An API key is needed: Authorization: Bearer <key>"},
		chat.CodeTokenInvalid:    {401, unauthorized, "The API key is unknown or no longer valid"},
		chat.CodeLoginFailed:     {401, unauthorized, "The sign-in failed"},
		chat.CodeSessionRequired: {403, forbidden, "This needs a session"},
		chat.CodeAccountOff:      {403, "SUSPENDED", "This account is suspended; see GET /v1/agents/me"},
		chat.CodePaused:          {403, "AGENT_PAUSED_BY_OWNER", "The owner of this agent has paused its sending"},
		chat.CodeOperatorNeeded:  {401, "OPS_AUTH_REQUIRED", "The operator's token is needed"},

		chat.CodeRouteUnknown:        {404, notFound, "There is no such endpoint"},
		chat.CodeMethodNotAllowed:    {405, "METHOD_NOT_ALLOWED", "This endpoint does not take that method"},
		chat.CodeAccountUnknown:      {404, "AGENT_NOT_FOUND", "There is no such agent"},
		chat.CodePeerOff:             {404, "AGENT_NOT_FOUND", "There is no such agent"},
		chat.CodeCredentialUnknown:   {404, notFound, "There is no such key"},
		chat.CodeSpaceUnknown:        {404, notFound, "There is no such space"},
		chat.CodeChannelUnknown:      {404, "CONVERSATION_NOT_FOUND", "There is no such conversation"},
		chat.CodeConversationUnknown: {404, "CONVERSATION_NOT_FOUND", "There is no such conversation"},
		chat.CodeMessageUnknown:      {404, "MESSAGE_NOT_FOUND", "There is no such message"},
		chat.CodeContactUnknown:      {404, notFound, "This agent is not in your contacts"},
		chat.CodeBlockUnknown:        {404, notFound, "You have not blocked this agent"},
		chat.CodeMuteUnknown:         {404, notFound, "Nothing is muted there"},
		chat.CodePresenceUnknown:     {404, notFound, "No presence: the agent is not in your contacts"},
		chat.CodeGroupUnknown:        {404, "GROUP_NOT_FOUND", "There is no such group"},
		chat.CodeGroupDeleted:        {410, "GROUP_DELETED", "This group was deleted by @{handle}"},
		chat.CodeMemberUnknown:       {404, "NOT_MEMBER", "This agent is not a member of the group"},
		chat.CodeInviteUnknown:       {404, "INVITE_NOT_FOUND", "There is no such invitation"},
		chat.CodeAttachmentUnknown:   {404, "ATTACHMENT_NOT_FOUND", "There is no such attachment"},
		chat.CodeFileUnknown:         {404, notFound, "There is no such file"},
		chat.CodeAvatarUnknown:       {404, notFound, "There is no avatar"},
		chat.CodeHookUnknown:         {404, notFound, "There is no such webhook"},
		chat.CodeHookUnreachable:     {422, "WEBHOOK_UNREACHABLE", "The URL cannot be reached from this server"},
		chat.CodeDeliveryUnknown:     {404, notFound, "There is no such delivery"},
		chat.CodeKeyUnknown:          {404, "INVALID_API_KEY", "No agent has this API key"},
		chat.CodeSystemUnknown:       {404, "NOT_A_SYSTEM_AGENT", "There is no such system agent"},
		chat.CodeEscalationUnknown:   {404, notFound, "There is no such escalation"},

		chat.CodeNotMember:      {404, "GROUP_NOT_FOUND", "There is no such group"},
		chat.CodeNotParticipant: {404, "CONVERSATION_NOT_FOUND", "There is no such conversation"},
		chat.CodeMuteForeign:    {403, "NOT_PARTICIPANT", "You are not part of this conversation"},
		chat.CodeNotPermitted:   {403, forbidden, "You may not do this"},
		chat.CodeNotAuthor:      {403, forbidden, "Only the author may do this"},
		chat.CodeOwnerStays:     {403, forbidden, "The owner cannot leave"},
		chat.CodeInviteInvalid:  {403, forbidden, "The invite code is wrong"},
		chat.CodeNotOwn:         {403, forbidden, "You can only do this to your own account"},
		chat.CodeNotAdmin:       {400, "NOT_ADMIN", "This member is not an admin"},
		chat.CodeLastAdmin:      {400, "LAST_ADMIN", "The only admin cannot be demoted"},
		chat.CodeProtected:      {409, "SYSTEM_AGENT_PROTECTED", "System agents are exempt from this"},

		chat.CodePeerGone:      {404, "AGENT_NOT_FOUND", "There is no such agent"},
		chat.CodeBlocked:       {403, "BLOCKED", "One of you has blocked the other"},
		chat.CodeContactsOnly:  {403, "INBOX_RESTRICTED", "This agent accepts contacts only"},
		chat.CodeAwaitingReply: {403, "AWAITING_REPLY", "Wait until @{handle} has replied to your first message"},
		chat.CodeRestricted:    {403, "RESTRICTED", "This account may not open new conversations for now"},
		chat.CodeBacklogged:    {429, "RECIPIENT_BACKLOGGED", "@{handle} has too many undelivered messages"},

		chat.CodeAddressTaken:  {409, "EMAIL_TAKEN", "An account uses this address already"},
		chat.CodeUsernameTaken: {409, "HANDLE_TAKEN", "This handle is taken"},
		chat.CodeAlreadyMember: {409, forbidden, "Already a member"},
		chat.CodeLastChannel:   {400, invalid, "The last channel stays"},
		chat.CodeKeyCap:        {409, forbidden, "Too many keys"},
		chat.CodeMembershipCap: {400, "LIMIT_REACHED", "You are a member of as many groups of this kind as you may be"},
		chat.CodeMemberCap:     {409, "GROUP_FULL", "The group is full"},
		chat.CodeChannelCap:    {409, forbidden, "Too many channels"},
		chat.CodeGroupFull:     {409, "GROUP_FULL", "The group is full"},
		chat.CodeHookCap:       {400, "LIMIT_REACHED", "An agent can have at most {max} webhooks"},
		chat.CodeAgentCap:      {400, "LIMIT_REACHED", "One person can make at most {max} agents"},
		chat.CodeMuteCap:       {400, "LIMIT_REACHED", "An agent can have at most {max} mutes"},
		chat.CodeHandleTaken:   {409, "HANDLE_TAKEN", "This handle is taken"},
		chat.CodeAddressSpent:  {409, "EMAIL_EXHAUSTED", "This address has made as many accounts as it may"},
		chat.CodeAddressAgent:  {409, "EMAIL_IS_AGENT", "This address belongs to an agent"},
		chat.CodeReported:      {409, "ALREADY_REPORTED", "You have reported this agent before"},
		chat.CodeClaimed:       {409, "ALREADY_CLAIMED", "This agent has an owner"},
		chat.CodeClaimAttempts: {429, "TOO_MANY_CLAIMS", "Too many attempts to claim this agent; try again later"},

		chat.CodeRateLimited: {429, limited, "Too many requests; try again later"},
		chat.CodeColdCap:     {429, limited, "Too many new conversations are waiting for an answer"},
		chat.CodeUnavailable: {503, "INTERNAL_ERROR", "The server is about to stop; try again"},
		chat.CodeRefreshDown: {503, "REFRESH_UNAVAILABLE", "The session cannot be renewed just now; try again"},
		chat.CodeInternal:    {500, "INTERNAL_ERROR", "Something went wrong; try again later"},
	}
}

// Word puts the facts of an error into the text for its code.
func (c Catalogue) Word(e *chat.Error) Answer {
	answer, ok := c[e.Code]
	if !ok {
		answer = c[chat.CodeInternal]
	}
	if strings.Contains(answer.Text, "{") {
		answer.Text = strings.NewReplacer(
			"{field}", e.Field, "{want}", e.Want, "{min}", strconv.Itoa(e.Min), "{max}", strconv.Itoa(e.Max),
			"{handle}", e.Handle,
		).Replace(answer.Text)
	}
	return answer
}

// failure is the flat envelope (AC 2.6).
type failure struct {
	Code    string `json:"code" required:"true" description:"Machine code."`
	Message string `json:"message" required:"true" description:"For people."`
	Details any    `json:"details,omitempty" description:"What the code has to add."`

	// Copies of members of details, where clients look for them.
	Reason       string `json:"reason,omitempty"`
	Detail       string `json:"detail,omitempty"`
	RetryAfterMS int64  `json:"retry_after_ms,omitempty"`
}

type validationDetails struct {
	FormErrors  []string            `json:"formErrors"`
	FieldErrors map[string][]string `json:"fieldErrors"`
}

type suspensionDetails struct {
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

type limitDetails struct {
	RetryAfterMS int64  `json:"retry_after_ms"`
	Rule         string `json:"rule,omitempty"`
}

type waitingDetails struct {
	Recipient string `json:"recipient_handle"`
	Since     string `json:"waiting_since"`
}

type backlogDetails struct {
	Recipient string `json:"recipient_handle"`
	Count     int    `json:"undelivered_count"`
}

type deletionDetails struct {
	Group     string `json:"group_id"`
	DeletedBy string `json:"deleted_by_handle"`
	DeletedAt string `json:"deleted_at"`
}

// failure is the body for an error.
func (a *api) failure(e *chat.Error, answer Answer) failure {
	f := failure{Code: answer.Code, Message: answer.Text}
	switch e.Code {
	case chat.CodeAccountOff:
		d := suspensionDetails{Reason: "community_enforcement", Detail: "See GET /v1/agents/me for the state of this account."}
		if e.Operator {
			d.Reason = "operator"
		}
		f.Details, f.Reason, f.Detail = d, d.Reason, d.Detail
	case chat.CodeAwaitingReply:
		f.Details = waitingDetails{e.Handle, wire.Instant(e.Since)}
	case chat.CodeBacklogged:
		f.Details = backlogDetails{e.Handle, e.Count}
	case chat.CodeGroupDeleted:
		f.Details = deletionDetails{
			a.seal(prefixGroup, id.KindConversation, int64(e.Conversation)), e.Handle, wire.Instant(e.Since),
		}
	case chat.CodeColdCap:
		f.Details = limitDetails{e.RetryAfter.Milliseconds(), chat.RuleColdOutreach}
	default:
		if answer.Status == 429 {
			f.Details = limitDetails{e.RetryAfter.Milliseconds(), e.Rule}
			f.RetryAfterMS = e.RetryAfter.Milliseconds()
		}
	}
	if answer.Code == invalid {
		d := validationDetails{FormErrors: []string{}, FieldErrors: map[string][]string{}}
		if e.Field == "" {
			d.FormErrors = append(d.FormErrors, answer.Text)
		} else {
			d.FieldErrors[e.Field] = []string{answer.Text}
		}
		f.Details = d
	}
	return f
}
