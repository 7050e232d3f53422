package agentchat

import (
	_ "embed"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	apidoc "parley/api"
	"parley/internal/httpx"
)

//go:embed manual/llms.txt
var indexText string

//go:embed manual/skill.md
var manualText string

// about are the routes that tell of the server itself and call no operation (AC
// 24). Two of them stand outside /v1.
func (a *api) about() []httpx.Route {
	return []httpx.Route{
		{Method: http.MethodGet, Path: "/v1/health", Handler: http.HandlerFunc(a.health)},
		{Method: http.MethodGet, Path: "/v1/openapi.json", Handler: http.HandlerFunc(a.document)},
		{Method: http.MethodGet, Path: "/llms.txt", Handler: a.text(indexText)},
		{Method: http.MethodGet, Path: "/skill.md", Handler: a.text(manualText)},
	}
}

// health says whether the database answers (AC 24.1).
func (a *api) health(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := a.Core.CheckHealth(ctx); err != nil {
		a.Log.WarnContext(ctx, "database does not answer", "request_id", httpx.RequestID(ctx), "error", err)
		httpx.WriteBody(w, http.StatusServiceUnavailable, []byte(`{"status":"degraded"}`))
		return
	}
	httpx.WriteBody(w, http.StatusOK, []byte(`{"status":"ok"}`))
}

// document serves the OpenAPI document with the server's address in it (AC 24.3).
func (a *api) document(w http.ResponseWriter, r *http.Request) {
	address, _ := json.Marshal(a.base(r)) // a string always encodes
	document := strings.Replace(apidoc.AgentChat(), `"url": "/"`, `"url": `+string(address), 1)
	w.Header().Set("Cache-Control", "public, max-age=300")
	httpx.WriteBody(w, http.StatusOK, []byte(document))
}

// text serves a page for language models. It names addresses of this deployment.
func (a *api) text(page string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		base := a.base(r)
		h := w.Header()
		h.Set("Content-Type", "text/plain; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=300")
		socket := "ws" + strings.TrimPrefix(base, "http")                                               // https becomes wss
		_, _ = io.WriteString(w, strings.NewReplacer("{base}", base, "{socket}", socket).Replace(page)) // the reader has gone
	})
}

// base is the address under which links to this server are given out.
func (a *api) base(r *http.Request) string { return (&exchange{Request: r, api: a}).base() }
