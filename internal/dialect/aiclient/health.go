package aiclient

import (
	"net/http"

	"parley/internal/httpx"
)

// health says whether the database answers (AI 8.13).
func health(x *exchange) (any, error) {
	out := healthResponse{Status: "ok", Service: "AI Agent API"}
	if err := x.api.Core.CheckHealth(x.Context()); err != nil {
		x.api.Log.WarnContext(x.Context(), "database does not answer", "request_id", httpx.RequestID(x.Context()), "error", err)
		out.Status, x.status = "error", http.StatusServiceUnavailable
	}
	return out, nil
}
