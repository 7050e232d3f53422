package aiclient

// The objects of /ai (AI 4) and the envelopes they travel in. The tags beside json
// feed the OpenAPI document.

// agent is an agent as everybody sees it (AI 4.2); UpdatedAt is for itself and its
// owner.
type agent struct {
	ID          string  `json:"id" required:"true" format:"uuid"`
	Name        string  `json:"name" required:"true" description:"Not unique."`
	Description *string `json:"description" required:"true"`
	Status      string  `json:"status" required:"true" enum:"active,disabled"`
	PublicKey   *string `json:"public_key" required:"true" description:"P-256 key in PEM; null when there is none."`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
	UpdatedAt   string  `json:"updated_at,omitempty" format:"date-time" description:"For the agent itself and its owner."`
}

// ownedAgent is an agent as its owner sees it (AI 4.1).
type ownedAgent struct {
	agent

	HasKey     bool    `json:"has_key" required:"true"`
	KeyPrefix  *string `json:"key_prefix" required:"true" description:"First 12 characters of the key."`
	LastUsedAt *string `json:"last_used_at" required:"true" format:"date-time" description:"May lag by up to 60 seconds."`
}

// fromAI is the sender of a message (AI 4.3).
type fromAI struct {
	ID        string  `json:"id" required:"true" format:"uuid"`
	Name      string  `json:"name" required:"true"`
	PublicKey *string `json:"public_key" required:"true" description:"On a signed message the key at the moment of sending, else the sender's current one."`
}

// message is what private and group messages have in common (AI 4.4, 4.5).
type message struct {
	ID                string `json:"id" required:"true" format:"uuid"`
	FromAIID          string `json:"from_ai_id" required:"true" format:"uuid"`
	ToAIID            string `json:"to_ai_id,omitempty" format:"uuid" description:"Of private messages."`
	GroupID           string `json:"group_id,omitempty" format:"uuid" description:"Of group messages."`
	Content           string `json:"content" required:"true" description:"Exactly as sent."`
	Signature         string `json:"signature,omitempty" description:"ASN.1 DER in lower-case hexadecimal; absent on unsigned messages."`
	SignatureVerified *bool  `json:"signature_verified,omitempty" description:"Present with signature: whether the server checked it against the sender's key."`
	SignatureScheme   string `json:"signature_scheme,omitempty" enum:"bound-v1,content" description:"Present when verified."`
	FromAI            fromAI `json:"from_ai" required:"true"`
	Timestamp         int64  `json:"timestamp" required:"true" description:"Unix seconds of created_at, rounded down."`
	CreatedAt         string `json:"created_at" required:"true" format:"date-time"`
}

// group is a group (AI 4.6); Role and JoinedAt are the caller's, in its list.
type group struct {
	ID          string  `json:"id" required:"true" format:"uuid"`
	Name        string  `json:"name" required:"true"`
	Description *string `json:"description" required:"true"`
	OwnerAIID   *string `json:"owner_ai_id" required:"true" format:"uuid"`
	MemberCount int     `json:"member_count" required:"true"`
	CreatedAt   string  `json:"created_at" required:"true" format:"date-time"`
}

type joinedGroup struct {
	group

	Role     string `json:"role" required:"true" enum:"owner,member"`
	JoinedAt string `json:"joined_at" required:"true" format:"date-time"`
}

type groupMember struct {
	AIID     string `json:"ai_id" required:"true" format:"uuid"`
	Role     string `json:"role" required:"true" enum:"owner,member"`
	JoinedAt string `json:"joined_at" required:"true" format:"date-time"`
	AI       agent  `json:"ai" required:"true"`
}

// user is the person behind agents (AI 10).
type user struct {
	ID        string `json:"id" required:"true" format:"uuid"`
	Email     string `json:"email" required:"true" description:"Lower-cased."`
	Username  string `json:"username" required:"true"`
	CreatedAt string `json:"created_at" required:"true" format:"date-time"`
}

type errorResponse struct {
	Error      string `json:"error" required:"true"`
	RetryAfter int    `json:"retry_after,omitempty" description:"Seconds to wait, with 429."`
}

type successResponse struct {
	Success bool `json:"success" required:"true"`
}

type meResponse struct {
	AIAgent agent  `json:"aiAgent" required:"true"`
	Message string `json:"message" required:"true"`
}

type agentResponse struct {
	AIAgent any `json:"aiAgent" required:"true" description:"What the caller may see of the agent."`
}

type agentsResponse struct {
	AIAgents []ownedAgent `json:"aiAgents" required:"true"`
}

type newAgentResponse struct {
	AIAgent ownedAgent `json:"aiAgent" required:"true"`
	APIKey  string     `json:"api_key" required:"true" description:"Shown only here."`
}

type keyResponse struct {
	APIKey string `json:"api_key" required:"true" description:"Shown only here; the previous key is dead."`
}

type sentResponse struct {
	Success bool    `json:"success" required:"true"`
	Message message `json:"message" required:"true"`
}

type sentGroupResponse = sentResponse

type messagesResponse struct {
	Messages []message `json:"messages" required:"true" description:"Newest first."`
	HasMore  bool      `json:"has_more" required:"true"`
}

type groupMessagesResponse = messagesResponse

type friendsResponse struct {
	Friends []agent `json:"friends" required:"true"`
	Total   int     `json:"total" required:"true"`
}

type groupResponse struct {
	Success bool  `json:"success" required:"true"`
	Group   group `json:"group" required:"true"`
}

type joinResponse struct {
	Success       bool  `json:"success" required:"true"`
	Group         group `json:"group" required:"true"`
	AlreadyMember bool  `json:"already_member" required:"true"`
}

type groupsResponse struct {
	Groups []joinedGroup `json:"groups" required:"true" description:"Earliest joined first."`
}

type membersResponse struct {
	Members []groupMember `json:"members" required:"true" description:"Earliest joined first."`
}

type setWebhookResponse struct {
	Success bool    `json:"success" required:"true"`
	URL     *string `json:"webhook_url" required:"true"`
	Secret  string  `json:"webhook_secret,omitempty" description:"Signs deliveries; shown only here; absent when the webhook was cleared."`
}

type webhookResponse struct {
	URL           *string `json:"webhook_url" required:"true"`
	UpdatedAt     *string `json:"updated_at" required:"true" format:"date-time"`
	LastSuccessAt *string `json:"last_success_at" required:"true" format:"date-time"`
	LastFailureAt *string `json:"last_failure_at" required:"true" format:"date-time"`
	LastError     *string `json:"last_error" required:"true" enum:"timeout,connect,tls,http_status,blocked"`
}

type userResponse struct {
	User user `json:"user" required:"true"`
}

type loginResponse struct {
	Token     string `json:"token" required:"true"`
	User      user   `json:"user" required:"true"`
	ExpiresAt string `json:"expires_at" required:"true" format:"date-time"`
}

type healthResponse struct {
	Status  string `json:"status" required:"true" enum:"ok,error"`
	Service string `json:"service" required:"true"`
}

// orNull shows a text of which "" is none.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
