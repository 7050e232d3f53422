package server

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"parley/internal/chat"
	"parley/internal/config"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/secret"
)

//go:embed page.html
var pageText string

// rest serves the paths that belong to no dialect: the root, health, and 404.
func (s *Server) rest(clients *httpx.Clients) http.Handler {
	o := s.observer("server")
	root := s.root()
	table := []httpx.Route{
		{Method: http.MethodGet, Path: "/{$}", Handler: root},
		{Method: http.MethodGet, Path: "/healthz", Handler: http.HandlerFunc(s.health.Live)},
		{Method: http.MethodGet, Path: "/readyz", Handler: http.HandlerFunc(s.health.Ready)},
		{Method: http.MethodGet, Path: "/metrics", Handler: s.publicMetrics()},
		{Method: http.MethodGet, Path: "/internal/metrics", Handler: s.publicMetrics()},
	}
	for i, operation := range []string{"Root", "Live", "Ready", "Metrics", "Metrics"} {
		o.add(table[i].Method, table[i].Path, operation)
	}
	mux := httpx.NewMux(table,
		refusal(http.StatusNotFound, "not_found", "There is nothing here. GET / says what this server is."),
		refusal(http.StatusMethodNotAllowed, "method_not_allowed", "This path takes other methods; the Allow header lists them."))
	guard := httpx.Guard{
		Log:    s.log,
		Answer: refusal(http.StatusInternalServerError, "internal", "Something went wrong on the server.").ServeHTTP,
	}
	return httpx.Observe(clients, o.observe)(httpx.RequestIDs(guard.Wrap(mux)))
}

// publicMetrics serves the metrics on the main address: to whoever has the token,
// or without one to clients on this machine (AC 24.2).
func (s *Server) publicMetrics() http.Handler {
	metrics := s.metrics.Handler()
	denied := refusal(http.StatusUnauthorized, "unauthorized",
		"Metrics need the metrics token, or a client on this machine if none is set.")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := string(s.cfg.MetricsToken)
		allowed := httpx.ClientAddr(r.Context()).IsLoopback()
		if token != "" {
			allowed = secret.Equal(wire.Bearer(r), token)
		}
		if !allowed {
			w.Header().Set("WWW-Authenticate", "Bearer")
			denied.ServeHTTP(w, r)
			return
		}
		metrics.ServeHTTP(w, r)
	})
}

// refusal answers with an error in the form of no dialect.
func refusal(status int, word, message string) http.Handler {
	body := fmt.Appendf(nil, `{"error":%q,"message":%q}`, word, message)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		httpx.WriteBody(w, status, body)
	})
}

// rootInfo is what GET / tells programs: the members that the dialects promise.
type rootInfo struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Status     string   `json:"status"`
	Interfaces []string `json:"interfaces"`
}

// root answers browsers with a page for people and everybody else with JSON.
func (s *Server) root() http.Handler {
	page := s.page()
	info := rootInfo{Name: "Parley", Version: s.build.Version, Status: "alive", Interfaces: []string{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Vary", "Accept")
		h.Set("X-Content-Type-Options", "nosniff")
		if !strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/html") {
			if err := httpx.WriteJSON(w, http.StatusOK, info); err != nil {
				s.log.Error("root not encoded", "error", err)
			}
			return
		}
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		_, _ = w.Write(page) // the reader has gone
	})
}

// speaks tells whether a dialect is served.
func (s *Server) speaks(surface chat.Surface) bool {
	return slices.Contains(s.cfg.Dialects, config.Dialect(surface))
}

// document is where the OpenAPI document of a dialect is.
type document struct{ Name, Path string }

// documents lists those of the dialects that are served.
func (s *Server) documents() []document {
	var list []document
	for _, d := range []struct {
		surface chat.Surface
		document
	}{
		{chat.SurfaceAgentChat, document{"AgentChat", "/v1/openapi.json"}},
		{chat.SurfaceOpenCord, document{"AiOpenCord", "/api/openapi.json"}},
		{chat.SurfaceAIClient, document{"aiclient", "/ai/openapi.json"}},
	} {
		if s.speaks(d.surface) {
			list = append(list, d.document)
		}
	}
	return list
}

// page is made once: nothing in it depends on the request.
func (s *Server) page() []byte {
	var page bytes.Buffer
	template.Must(template.New("page").Parse(pageText)).Execute(&page, map[string]any{ //nolint:errcheck // a buffer takes everything
		"Prefix": s.cfg.PublicURL.Prefix(), "Base": s.base(), "Version": s.build.Version, "Documents": s.documents(),
		"AgentChat": s.speaks(chat.SurfaceAgentChat), "OpenCord": s.speaks(chat.SurfaceOpenCord),
		"AIClient": s.speaks(chat.SurfaceAIClient),
	})
	return page.Bytes()
}
