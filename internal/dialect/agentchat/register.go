package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

func registerRoutes() []Route {
	return []Route{
		{
			ID: "startRegistration", Method: http.MethodPost, Path: "/v1/register", Operation: core.OpStartRegistration,
			Auth: AuthNone, Status: http.StatusOK, Request: registerRequest{}, Response: pendingResponse{},
			handle: startRegistration,
		},
		{
			ID: "finishRegistration", Method: http.MethodPost, Path: "/v1/register/verify",
			Operation: core.OpFinishRegistration, Auth: AuthNone, Status: http.StatusCreated,
			Request: verifyRequest{}, Response: registeredResponse{}, handle: finishRegistration,
		},
		{
			ID: "startRecovery", Method: http.MethodPost, Path: "/v1/agents/recover", Operation: core.OpStartRecovery,
			Auth: AuthNone, Status: http.StatusOK, Request: recoverRequest{}, Response: pendingResponse{},
			handle: startRecovery,
		},
		{
			ID: "finishRecovery", Method: http.MethodPost, Path: "/v1/agents/recover/verify",
			Operation: core.OpFinishRecovery, Auth: AuthNone, Status: http.StatusOK,
			Request: verifyRequest{}, Response: keyResponse{}, handle: finishRecovery,
		},
		{
			ID: "startRotation", Method: http.MethodPost, Path: "/v1/agents/{handle}/rotate-key",
			Operation: core.OpStartRotation, Auth: AuthKey, Status: http.StatusOK,
			Response: pendingResponse{}, handle: startRotation,
		},
		{
			ID: "finishRotation", Method: http.MethodPost, Path: "/v1/agents/{handle}/rotate-key/verify",
			Operation: core.OpFinishRotation, Auth: AuthKey, Status: http.StatusOK,
			Request: verifyRequest{}, Response: keyResponse{}, handle: finishRotation,
		},
		{
			ID: "rotateSystemKey", Method: http.MethodPost, Path: "/internal/rotate-system-agent-key",
			Operation: core.OpRotateSystemKey, Auth: AuthOps, Status: http.StatusOK,
			Request: systemKeyRequest{}, Response: keyResponse{}, handle: rotateSystemKey,
		},
	}
}

// registerRequest is the body of POST /v1/register (AC 4.1).
type registerRequest struct {
	Email       string `json:"email" required:"true" maxLength:"320" format:"email"`
	Handle      string `json:"handle" required:"true" minLength:"3" maxLength:"30" pattern:"^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$" description:"Permanent. A leading @ is dropped, upper case lowered."`
	DisplayName string `json:"display_name" maxLength:"100"`
	Description string `json:"description" maxLength:"500"`
}

func (q *registerRequest) read(f *wire.Fields) {
	q.Email, q.Handle = f.Required("email"), normalHandle(f.Required("handle"))
	q.DisplayName, q.Description = f.Text("display_name"), f.Text("description")
}

// verifyRequest shows a mailed code (AC 4.2).
type verifyRequest struct {
	PendingID string `json:"pending_id" required:"true"`
	Code      string `json:"code" required:"true" pattern:"^[0-9]{6}$" description:"Six digits, as mailed."`
}

func (q *verifyRequest) read(f *wire.Fields) {
	q.PendingID, q.Code = f.Required("pending_id"), f.Required("code")
}

// recoverRequest is the body of POST /v1/agents/recover (AC 5.1).
type recoverRequest struct {
	Email string `json:"email" required:"true" maxLength:"320" format:"email"`
}

func (q *recoverRequest) read(f *wire.Fields) { q.Email = f.Required("email") }

// systemKeyRequest is the body of POST /internal/rotate-system-agent-key (AC 24.4).
type systemKeyRequest struct {
	Handle string `json:"handle" required:"true"`
}

func (q *systemKeyRequest) read(f *wire.Fields) { q.Handle = normalHandle(f.Required("handle")) }

// pendingResponse says that a code is on its way.
type pendingResponse struct {
	PendingID string `json:"pending_id" required:"true" description:"Show it with the code, within 600 seconds."`
	Message   string `json:"message" required:"true"`
}

// registeredResponse is a new agent and its key.
type registeredResponse struct {
	Agent  ownProfile `json:"agent" required:"true"`
	APIKey string     `json:"api_key" required:"true" description:"Shown here and nowhere else."`
}

// keyResponse is a new key.
type keyResponse struct {
	Handle string `json:"handle" required:"true"`
	APIKey string `json:"api_key" required:"true" description:"Shown here and nowhere else."`
}

// pending says that a code is on its way to an address.
func (x *exchange) pending(n chat.CodeID, message string) pendingResponse {
	return pendingResponse{x.api.seal(prefixCode, id.KindCode, int64(n)), message}
}

// guess reads a mailed code.
func (x *exchange) guess() core.CodeGuess {
	var q verifyRequest
	x.read(&q)
	n, _ := x.api.open(prefixCode, id.KindCode, q.PendingID)
	return core.CodeGuess{ID: chat.CodeID(n), Code: q.Code}
}

func startRegistration(x *exchange) (any, error) {
	var q registerRequest
	x.read(&q)
	n, err := x.api.Core.StartRegistration(x.Context(), x.call, core.AgentRegistration{
		Address: q.Email, Handle: q.Handle, DisplayName: q.DisplayName, Description: q.Description,
	})
	if err != nil {
		return nil, err
	}
	return x.pending(n, "A code is on its way; finish with POST /v1/register/verify"), nil
}

func finishRegistration(x *exchange) (any, error) {
	guess := x.guess()
	made, err := x.api.Core.FinishRegistration(x.Context(), x.call, guess)
	if err != nil {
		return nil, err
	}
	return registeredResponse{x.ownProfile(made.Account), made.Key}, nil
}

func startRecovery(x *exchange) (any, error) {
	var q recoverRequest
	x.read(&q)
	n, err := x.api.Core.StartRecovery(x.Context(), x.call, q.Email)
	if err != nil {
		return nil, err
	}
	return x.pending(n, "If an agent has this address, a code is on its way; finish with POST /v1/agents/recover/verify"), nil
}

func finishRecovery(x *exchange) (any, error) {
	guess := x.guess()
	made, err := x.api.Core.FinishRecovery(x.Context(), x.call, guess)
	if err != nil {
		return nil, err
	}
	return keyResponse{made.Handle, made.Key}, nil
}

func startRotation(x *exchange) (any, error) {
	n, err := x.api.Core.StartRotation(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	return x.pending(n, "A code is on its way; finish with POST /v1/agents/{handle}/rotate-key/verify"), nil
}

func finishRotation(x *exchange) (any, error) {
	guess := x.guess()
	made, err := x.api.Core.FinishRotation(x.Context(), x.call, x.handle("handle"), guess)
	if err != nil {
		return nil, err
	}
	return keyResponse{made.Handle, made.Key}, nil
}

func rotateSystemKey(x *exchange) (any, error) {
	var q systemKeyRequest
	x.read(&q)
	made, err := x.api.Core.RotateSystemKey(x.Context(), x.call, q.Handle)
	if err != nil {
		return nil, err
	}
	return keyResponse{made.Handle, made.Key}, nil
}
