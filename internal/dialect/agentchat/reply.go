package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

func replyRoutes() []Route {
	const active = "/v1/reply/active"
	return []Route{
		{
			ID: "showActive", Method: http.MethodGet, Path: active, Operation: core.OpShowActive,
			Auth: AuthKey, Status: http.StatusOK, Response: activeReply{}, handle: (*exchange).showActive,
		},
		{
			ID: "setActive", Method: http.MethodPut, Path: active, Operation: core.OpSetActive,
			Auth: AuthKey, Status: http.StatusOK, Request: activeRequest{}, Response: activeUntil{},
			handle: (*exchange).setActive,
		},
		{
			ID: "clearActive", Method: http.MethodDelete, Path: active, Operation: core.OpClearActive,
			Auth: AuthKey, Status: http.StatusOK, Request: sessionRequest{}, Response: activeReply{},
			handle: (*exchange).clearActive,
		},
		{
			ID: "claimReply", Method: http.MethodPost, Path: "/v1/reply/claim", Operation: core.OpClaimReply,
			Auth: AuthKey, Status: http.StatusOK, Request: claimRequest{}, Response: claimReply{},
			handle: (*exchange).claimReply,
		},
		{
			ID: "claimReplies", Method: http.MethodPost, Path: "/v1/reply/claim-batch", Operation: core.OpClaimReplies,
			Auth: AuthKey, Status: http.StatusOK, Request: claimBatchRequest{}, Response: claimBatchReply{},
			handle: (*exchange).claimReplies,
		},
	}
}

// sessionRequest names a session (AC 20).
type sessionRequest struct {
	SessionID string `json:"session_id" maxLength:"200" description:"Sessions without one are one and the same."`
}

func (q *sessionRequest) read(f *wire.Fields) { q.SessionID = f.Text("session_id") }

// activeRequest puts a session into the foreground.
type activeRequest struct {
	SessionID string `json:"session_id" maxLength:"200" description:"Sessions without one are one and the same."`
	TTL       int64  `json:"ttl_seconds" default:"600" description:"5 to 3,600; less or more is taken for that."`

	ttl chat.Opt[int64]
}

func (q *activeRequest) read(f *wire.Fields) {
	q.SessionID, q.ttl = f.Text("session_id"), f.Integer("ttl_seconds")
}

// claimRequest asks for the right to answer a message.
type claimRequest struct {
	MessageID string `json:"message_id" required:"true" minLength:"1" maxLength:"200"`
	Holder    string `json:"holder" required:"true" minLength:"1" maxLength:"200" description:"Who wants to answer, in its own words."`
	Defer     bool   `json:"defer_if_active" description:"Claim nothing while a session is in the foreground."`
}

func (q *claimRequest) read(f *wire.Fields) {
	q.MessageID, q.Holder, q.Defer = f.Required("message_id"), f.Required("holder"), f.Flag("defer_if_active").Value
}

// claimBatchRequest asks for the right to answer several messages.
type claimBatchRequest struct {
	MessageIDs []string `json:"message_ids" required:"true" minItems:"1" maxItems:"200"`
	Holder     string   `json:"holder" required:"true" minLength:"1" maxLength:"200" description:"Who wants to answer, in its own words."`
	Defer      bool     `json:"defer_if_active" description:"Claim nothing while a session is in the foreground."`
}

func (q *claimBatchRequest) read(f *wire.Fields) {
	q.MessageIDs, q.Holder, q.Defer = f.Strings("message_ids"), f.Required("holder"), f.Flag("defer_if_active").Value
}

type activeReply struct {
	Active bool `json:"active" required:"true" description:"A session is in the foreground."`
}

type activeUntil struct {
	Active    bool   `json:"active" required:"true"`
	ExpiresAt string `json:"expires_at" required:"true" format:"date-time"`
}

type claimReply struct {
	Claimed  bool `json:"claimed" required:"true" description:"The message is the holder's, for ten minutes."`
	Deferred bool `json:"deferred" required:"true" description:"A session is in the foreground."`
}

type claimBatchReply struct {
	Count    int  `json:"claimed_count" required:"true" description:"So many of the messages, from the first on, are the holder's."`
	Deferred bool `json:"deferred" required:"true" description:"A session is in the foreground."`
}

func (x *exchange) showActive() (any, error) {
	active, err := x.api.Core.ShowActive(x.Context(), x.call)
	return activeReply{active}, err
}

func (x *exchange) setActive() (any, error) {
	var q activeRequest
	x.read(&q)
	until, err := x.api.Core.SetActive(x.Context(), x.call, q.SessionID, q.ttl)
	return activeUntil{true, wire.Instant(until)}, err
}

func (x *exchange) clearActive() (any, error) {
	var q sessionRequest
	x.read(&q)
	active, err := x.api.Core.ClearActive(x.Context(), x.call, q.SessionID)
	return activeReply{active}, err
}

func (x *exchange) claimReply() (any, error) {
	var q claimRequest
	x.read(&q)
	got, err := x.api.Core.ClaimReply(x.Context(), x.call, core.ReplyClaim{
		Messages: []string{q.MessageID}, Holder: q.Holder, Defer: q.Defer,
	})
	return claimReply{got.Claimed == 1, got.Deferred}, err
}

func (x *exchange) claimReplies() (any, error) {
	var q claimBatchRequest
	x.read(&q)
	got, err := x.api.Core.ClaimReplies(x.Context(), x.call, core.ReplyClaim{
		Messages: q.MessageIDs, Holder: q.Holder, Defer: q.Defer,
	})
	return claimBatchReply{got.Claimed, got.Deferred}, err
}
