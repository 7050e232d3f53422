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
