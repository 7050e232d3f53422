package opencord

import (
	"strconv"
	"strings"

	"parley/internal/chat"
)

// Answer is how /api words a failure. In the text {field}, {want}, {min} and
// {max} stand for the facts of the error.
type Answer struct {
	Status int
	Text   string
}

// rateText is the same whatever ran out.
const rateText = "Rate limit exceeded. Please try again later."

// Catalogue words failures by code.
type Catalogue map[chat.Code]Answer

// Answers maps every code of the core to the answer of the catalogue (OC 5); for
// policies the catalogue does not know, see the words the dialects agreed on.
func Answers() Catalogue {
	return Catalogue{
		chat.CodeBodyInvalid:     {400, "Invalid JSON body"},
		chat.CodeBodyTooLarge:    {413, "Request body too large"},
		chat.CodeFieldRequired:   {400, "{field} is required"},
		chat.CodeFieldType:       {400, "{field} must be {want}"},
		chat.CodeFieldLength:     {400, "{field} must be {min}-{max} characters"},
		chat.CodeFieldInvalid:    {400, "{field} is invalid"},
		chat.CodeNothingToUpdate: {400, "No updatable fields supplied"},
		chat.CodeAddressInvalid:  {400, "Invalid email address"},
		chat.CodeUsernameInvalid: {400, "Username must be 3-32 characters: letters, digits, dot, underscore or hyphen"},
		chat.CodePasswordShort:   {400, "Password must be at least 8 characters"},
		chat.CodePasswordLong:    {400, "Password must be at most 128 characters"},
		chat.CodeTextEmpty:       {400, "Message content must not be empty"},
		chat.CodeTextTooLong:     {400, "Message content must be at most {max} characters"},
		chat.CodePageLimit:       {400, "limit must be an integer between {min} and {max}"},
		chat.CodePageCursor:      {400, "before must be an ISO 8601 timestamp"},
		chat.CodeStatusInvalid:   {400, "status must be one of online, offline, idle, dnd"},
		chat.CodeStatusTextLong:  {400, "custom_status must be at most {max} characters"},
		chat.CodeSelf:            {400, "Cannot start a conversation with yourself"},

		chat.CodeTokenMissing:    {401, "Missing authorization token"},
		chat.CodeTokenInvalid:    {401, "Invalid or expired token"},
		chat.CodeLoginFailed:     {401, "Invalid email or password"},
		chat.CodeSessionRequired: {403, "This action needs a session token"},
		chat.CodeAccountOff:      {403, "Your account is suspended"},
		chat.CodePaused:          {403, "Sending is paused by your owner"},

		chat.CodeRouteUnknown:        {404, "Not found"},
		chat.CodeMethodNotAllowed:    {405, "Method not allowed"},
		chat.CodeAccountUnknown:      {404, "User not found"},
		chat.CodeCredentialUnknown:   {404, "API key not found"},
		chat.CodeSpaceUnknown:        {404, "Server not found"},
		chat.CodeChannelUnknown:      {404, "Channel not found"},
		chat.CodeConversationUnknown: {404, "Conversation not found"},
		chat.CodeMessageUnknown:      {404, "Message not found"},

		chat.CodeNotMember:      {403, "You are not a member of this server"},
		chat.CodeNotParticipant: {403, "You are not part of this conversation"},
		chat.CodeMuteForeign:    {403, "You are not part of this conversation"},
		chat.CodeNotPermitted:   {403, "Only the server owner can do this"},
		chat.CodeNotAuthor:      {403, "You can only modify your own messages"},
		chat.CodeOwnerStays:     {403, "The owner cannot leave; delete the server instead"},
		chat.CodeInviteInvalid:  {403, "Invalid invite code"},

		chat.CodePeerGone:      {403, "This user is no longer available"},
		chat.CodeBlocked:       {403, "You cannot write to this user"},
		chat.CodeContactsOnly:  {403, "This user accepts messages from contacts only"},
		chat.CodeAwaitingReply: {403, "Wait for a reply before writing again"},
		chat.CodeRestricted:    {403, "Your account may not start new conversations"},
		chat.CodeBacklogged:    {429, rateText},

		chat.CodeAddressTaken:  {409, "Email already registered"},
		chat.CodeUsernameTaken: {409, "Username already taken"},
		chat.CodeAlreadyMember: {409, "Already a member of this server"},
		chat.CodeLastChannel:   {400, "Cannot delete the last channel of a server"},
		chat.CodeKeyCap:        {409, "API key limit reached"},
		chat.CodeMembershipCap: {409, "Server membership limit reached"},
		chat.CodeMemberCap:     {409, "Server is full"},
		chat.CodeChannelCap:    {409, "Channel limit reached"},

		// What /api has no operation for: these cannot be met here, and are worded
		// as what comes nearest.
		chat.CodeSignatureFormat:  {400, "signature is invalid"},
		chat.CodeSignatureBad:     {400, "signature is invalid"},
		chat.CodePublicKeyFormat:  {400, "public_key is invalid"},
		chat.CodeHookURL:          {400, "url is invalid"},
		chat.CodeHookBlocked:      {400, "url is invalid"},
		chat.CodeSelfMute:         {400, "You cannot mute yourself"},
		chat.CodeContentTooLarge:  {400, "Message content is too large"},
		chat.CodeHandleInvalid:    {400, "Invalid handle"},
		chat.CodeImageEmpty:       {400, "The image is empty"},
		chat.CodeImageFormat:      {400, "The image has an unsupported format"},
		chat.CodeImageDecode:      {400, "The image cannot be read"},
		chat.CodeImageSmall:       {400, "The image is too small"},
		chat.CodeImageProcessing:  {400, "The image cannot be processed"},
		chat.CodeUploadSize:       {400, "The upload has another size than announced"},
		chat.CodeUploadChecksum:   {400, "The upload has another checksum than announced"},
		chat.CodeUploadExpired:    {403, "The upload link has expired"},
		chat.CodeUploadDone:       {409, "Already uploaded"},
		chat.CodeAttachmentScope:  {400, "The attachment belongs to another conversation"},
		chat.CodeStorageUnreached: {500, "Internal server error"},

		chat.CodeCodeExpired:     {400, "The code has expired"},
		chat.CodeCodeInvalid:     {400, "The code is wrong"},
		chat.CodeCodeAttempts:    {429, rateText},
		chat.CodeCodeCooldown:    {429, rateText},
		chat.CodeCodeHourly:      {429, rateText},
		chat.CodeCodeUndelivered: {500, "Internal server error"},
		chat.CodeOnceInvalid:     {400, "Invalid idempotency key"},
		chat.CodeOnceConflict:    {409, "The idempotency key was used for another request"},
		chat.CodeOnceRunning:     {409, "The first request with this idempotency key is still running"},

		chat.CodeOperatorNeeded:    {401, "Missing authorization token"},
		chat.CodeContactUnknown:    {404, "Contact not found"},
		chat.CodeBlockUnknown:      {404, "Block not found"},
		chat.CodeMuteUnknown:       {404, "Mute not found"},
		chat.CodePresenceUnknown:   {404, "User not found"},
		chat.CodeGroupUnknown:      {404, "Conversation not found"},
		chat.CodeGroupDeleted:      {404, "Conversation not found"},
		chat.CodeMemberUnknown:     {404, "Member not found"},
		chat.CodeInviteUnknown:     {404, "Invite not found"},
		chat.CodeAttachmentUnknown: {404, "Attachment not found"},
		chat.CodeFileUnknown:       {404, "File not found"},
		chat.CodeAvatarUnknown:     {404, "Avatar not found"},
		chat.CodeHookUnknown:       {404, "Webhook not found"},
		chat.CodeHookUnreachable:   {400, "The webhook cannot be reached"},
		chat.CodeDeliveryUnknown:   {404, "Delivery not found"},
		chat.CodeKeyUnknown:        {404, "API key not found"},
		chat.CodeSystemUnknown:     {404, "User not found"},
		chat.CodeEscalationUnknown: {404, "Escalation not found"},

		chat.CodePeerOff:       {403, "This user is no longer available"},
		chat.CodeNotOwn:        {403, "You can only change your own account"},
		chat.CodeNotAdmin:      {400, "This member is no admin"},
		chat.CodeLastAdmin:     {400, "The last admin cannot step down"},
		chat.CodeProtected:     {403, "System accounts are protected"},
		chat.CodeGroupFull:     {409, "The group is full"},
		chat.CodeHookCap:       {409, "Webhook limit reached"},
		chat.CodeAgentCap:      {409, "Agent limit reached"},
		chat.CodeMuteCap:       {409, "Mute limit reached"},
		chat.CodeHandleTaken:   {409, "Username already taken"},
		chat.CodeAddressSpent:  {409, "Email already registered"},
		chat.CodeAddressAgent:  {409, "This address belongs to an agent"},
		chat.CodeReported:      {409, "Already reported"},
		chat.CodeClaimed:       {409, "Already claimed"},
		chat.CodeClaimAttempts: {429, rateText},
		chat.CodeRefreshDown:   {500, "Internal server error"},

		chat.CodeRateLimited: {429, rateText},
		chat.CodeColdCap:     {429, rateText},
		chat.CodeUnavailable: {500, "Internal server error"}, // the statuses are a closed set without 503
		chat.CodeInternal:    {500, "Internal server error"},
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
		).Replace(answer.Text)
	}
	return answer
}
