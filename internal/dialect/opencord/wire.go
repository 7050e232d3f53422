package opencord

// The objects of /api (OC 4) and the envelopes they travel in. The tags beside
// json feed the OpenAPI document.

type publicUser struct {
	ID           string  `json:"id" required:"true" format:"uuid"`
	Username     string  `json:"username" required:"true" description:"Case kept as registered; deleted-user for an account that is gone."`
	DisplayName  string  `json:"display_name" required:"true"`
	IsAgent      bool    `json:"is_agent" required:"true"`
	Status       string  `json:"status" required:"true" enum:"online,offline,idle,dnd"`
	CustomStatus *string `json:"custom_status" required:"true"`
	CreatedAt    *string `json:"created_at" required:"true" format:"date-time" description:"Null for an account that is gone."`
}

type user struct {
	publicUser

	Email     string `json:"email" required:"true" description:"Lower-cased; empty if the account has no address."`
	UpdatedAt string `json:"updated_at" required:"true" format:"date-time" description:"Last change of profile or status."`
}

type author struct {
	ID          string `json:"id" required:"true" format:"uuid"`
	Username    string `json:"username" required:"true" description:"deleted-user for an account that is gone."`
	DisplayName string `json:"display_name" required:"true"`
	IsAgent     bool   `json:"is_agent" required:"true"`
}

type apiKey struct {
	ID         string  `json:"id" required:"true" format:"uuid"`
	Name       string  `json:"name" required:"true"`
	Prefix     string  `json:"prefix" required:"true" description:"First 12 characters of the key."`
	CreatedAt  string  `json:"created_at" required:"true" format:"date-time"`
	LastUsedAt *string `json:"last_used_at" required:"true" format:"date-time" description:"May lag by up to 60 seconds."`
}

type server struct {
	ID          string  `json:"id" required:"true" format:"uuid"`
	Name        string  `json:"name" required:"true"`
	Description *string `json:"description" required:"true"`
	InviteCode  string  `json:"invite_code" required:"true" pattern:"^[a-z0-9]{8}$" description:"Shown to every member; case-sensitive."`
	OwnerID     string  `json:"owner_id" required:"true" format:"uuid"`
	MemberCount int     `json:"member_count" required:"true" minimum:"0"`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
	UpdatedAt   string  `json:"updated_at" required:"true" format:"date-time"`
}

type member struct {
	UserID   string     `json:"user_id" required:"true" format:"uuid"`
	Role     string     `json:"role" required:"true" enum:"owner,member"`
	JoinedAt string     `json:"joined_at" required:"true" format:"date-time"`
	User     publicUser `json:"user" required:"true"`
}

type channel struct {
	ID        string  `json:"id" required:"true" format:"uuid"`
	ServerID  string  `json:"server_id" required:"true" format:"uuid"`
	Name      string  `json:"name" required:"true"`
	Topic     *string `json:"topic" required:"true"`
	Type      string  `json:"type" required:"true" enum:"text"`
	Position  int     `json:"position" required:"true" minimum:"0"`
	CreatedAt string  `json:"created_at" required:"true" format:"date-time"`
	UpdatedAt string  `json:"updated_at" required:"true" format:"date-time"`
}

type message struct {
	ID        string  `json:"id" required:"true" format:"uuid"`
	Content   string  `json:"content" required:"true" description:"Exactly as sent."`
	AuthorID  string  `json:"author_id" required:"true" format:"uuid" description:"Kept when the account is gone."`
	ChannelID string  `json:"channel_id" required:"true" format:"uuid" description:"Id of the channel or conversation."`
	Edited    bool    `json:"edited" required:"true"`
	CreatedAt string  `json:"created_at" required:"true" format:"date-time" description:"Strictly increasing inside one channel."`
	UpdatedAt *string `json:"updated_at" required:"true" format:"date-time" description:"Null until edited."`
	Author    author  `json:"author" required:"true" description:"The profile as it is now."`
}

type directChannel struct {
	ID             string     `json:"id" required:"true" format:"uuid"`
	Type           string     `json:"type" required:"true" enum:"dm"`
	ParticipantIDs [2]string  `json:"participant_ids" required:"true" nullable:"false" minItems:"2" maxItems:"2" description:"Both users, ascending."`
	Recipient      publicUser `json:"recipient" required:"true" description:"The other participant."`
	CreatedAt      string     `json:"created_at" required:"true" format:"date-time"`
	LastMessageAt  *string    `json:"last_message_at" required:"true" format:"date-time"`
}

type errorResponse struct {
	Error string `json:"error" required:"true" description:"What went wrong; the texts are fixed."`
}

// ErrorBody is the body of every failure (OC 5).
func ErrorBody(text string) any { return errorResponse{Error: text} }

type successResponse struct {
	Success bool `json:"success" required:"true" description:"Always true."`
}

type userResponse struct {
	User user `json:"user" required:"true"`
}

type publicUserResponse struct {
	User publicUser `json:"user" required:"true" description:"For the caller's own id with email and updated_at."`
}

type loginResponse struct {
	Token     string `json:"token" required:"true" description:"Session token, to be sent as bearer token."`
	ExpiresAt string `json:"expires_at" required:"true" format:"date-time"`
	User      user   `json:"user" required:"true"`
}

type newKeyResponse struct {
	Key       string `json:"key" required:"true" description:"The full key; shown here and nowhere else."`
	ID        string `json:"id" required:"true" format:"uuid"`
	Name      string `json:"name" required:"true"`
	Prefix    string `json:"prefix" required:"true"`
	CreatedAt string `json:"created_at" required:"true" format:"date-time"`
}

type keysResponse struct {
	Keys []apiKey `json:"keys" required:"true" nullable:"false"`
}

type serverResponse struct {
	Server server `json:"server" required:"true"`
}

type serversResponse struct {
	Servers []server `json:"servers" required:"true" nullable:"false"`
}

type membersResponse struct {
	Members []member `json:"members" required:"true" nullable:"false"`
}

type channelResponse struct {
	Channel channel `json:"channel" required:"true"`
}

type channelsResponse struct {
	Channels []channel `json:"channels" required:"true" nullable:"false"`
}

type messageResponse struct {
	Message message `json:"message" required:"true"`
}

type messagesResponse struct {
	Messages []message `json:"messages" required:"true" nullable:"false" description:"Newest first."`
	HasMore  bool      `json:"has_more" required:"true" description:"An older message exists beyond this page."`
}

type directResponse struct {
	Channel  directChannel `json:"channel" required:"true"`
	Existing bool          `json:"existing" required:"true" description:"The conversation was there already."`
}

type directsResponse struct {
	Channels []directChannel `json:"channels" required:"true" nullable:"false" description:"Latest activity first."`
	HasMore  bool            `json:"has_more" required:"true" description:"More conversations follow beyond this page."`
}
