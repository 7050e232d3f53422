package server

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/config"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/aiclient"
	"parley/internal/dialect/opencord"
	"parley/internal/httpx"
)

// surface is a dialect with the paths that belong to it.
type surface struct {
	paths   []string // those that end in a slash are prefixes
	handler http.Handler
}

// owns tells whether a path belongs to the surface.
func (s *surface) owns(path string) bool {
	for _, p := range s.paths {
		if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// public is everything that is served to everybody.
func (s *Server) public() http.Handler {
	clients := httpx.NewClients(s.cfg.Proxies())
	var surfaces []surface
	for _, d := range s.cfg.Dialects {
		switch chat.Surface(d) {
		case chat.SurfaceOpenCord:
			surfaces = append(surfaces, surface{[]string{"/api/"}, s.openCord(clients)})
		case chat.SurfaceAgentChat:
			surfaces = append(surfaces, surface{agentchat.Paths(), s.agentChat(clients)})
		case chat.SurfaceAIClient:
			surfaces = append(surfaces, surface{[]string{"/ai/"}, s.aiClient(clients)})
		}
	}
	rest := s.rest(clients)
	return withoutPrefix(s.cfg.PublicURL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range surfaces {
			if surfaces[i].owns(r.URL.Path) {
				surfaces[i].handler.ServeHTTP(w, r)
				return
			}
		}
		rest.ServeHTTP(w, r)
	}))
}

func (s *Server) openCord(clients *httpx.Clients) http.Handler {
	o := s.observer(chat.SurfaceOpenCord.String())
	for _, r := range opencord.Routes() {
		o.add(r.Method, r.Path, string(r.Operation))
		if r.Method == http.MethodPatch {
			o.add(http.MethodPut, r.Path, string(r.Operation))
		}
	}
	return opencord.New(opencord.Config{
		Core: s.backend.Core, IDs: s.backend.Codec, Log: s.log, Clients: clients, Observe: o.observe,
		PublicURL: s.cfg.PublicURL.String(), FileLink: s.fileLinks(s.backend),
	})
}

func (s *Server) aiClient(clients *httpx.Clients) http.Handler {
	o := s.observer(chat.SurfaceAIClient.String())
	for _, r := range aiclient.Routes() {
		o.add(r.Method, r.Path, string(r.Operation))
	}
	return aiclient.New(aiclient.Config{
		Core: s.backend.Core, IDs: s.backend.Codec, Log: s.log, Clients: clients, Observe: o.observe,
		PublicURL: s.cfg.PublicURL.String(), FileLink: s.fileLinks(s.backend),
	})
}

// fileLinks says where files are for dialects that show them as text; nil while the
// dialect that serves them is switched off.
func (s *Server) fileLinks(b *Backend) func(base string, file *chat.Attachment) string {
	if !slices.Contains(s.cfg.Dialects, config.Dialect(chat.SurfaceAgentChat)) {
		return nil
	}
	return agentchat.FileLinks(b.Codec, b.Blobs, time.Now)
}

// agentChat also remembers the surface, whose sockets have to be ended.
func (s *Server) agentChat(clients *httpx.Clients) http.Handler {
	o := s.observer(chat.SurfaceAgentChat.String())
	for _, r := range agentchat.Routes() {
		o.add(r.Method, r.Path, string(r.Operation))
	}
	s.sockets = agentchat.New(agentchat.Config{
		Core: s.backend.Core, IDs: s.backend.Codec, Log: s.log, Clients: clients, Observe: o.observe,
		Hub: s.hub, Blobs: s.backend.Blobs, PublicURL: s.cfg.PublicURL.String(),
		Origins: origins(s.cfg.Origins), DashboardOrigins: origins(s.cfg.DashboardOrigins), OpsToken: string(s.cfg.OpsToken),
	})
	return s.sockets
}

// origins lists origins as the CORS rules take them.
func origins(list []config.Origin) string {
	words := make([]string, len(list))
	for i, o := range list {
		words[i] = string(o)
	}
	return strings.Join(words, " ")
}

// withoutPrefix serves requests under the path of the public URL as those without
// it, for proxies that hand the path on as it came. Paths without the prefix are
// served too, for proxies that take it off.
func withoutPrefix(public config.URL, next http.Handler) http.Handler {
	prefix := public.Prefix()
	if prefix == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, under := cutPrefix(r.URL.Path, prefix)
		escaped, underEscaped := cutPrefix(r.URL.RawPath, prefix)
		if !under || r.URL.RawPath != "" && !underEscaped {
			next.ServeHTTP(w, r)
			return
		}
		inner := *r
		url := *r.URL
		inner.URL = &url
		url.Path, url.RawPath = path, escaped
		next.ServeHTTP(w, &inner)
	})
}

// cutPrefix takes whole segments off a path; the root stays.
func cutPrefix(path, prefix string) (rest string, under bool) {
	rest, under = strings.CutPrefix(path, prefix)
	switch {
	case !under || rest != "" && rest[0] != '/':
		return path, false
	case rest == "":
		return "/", true
	}
	return rest, true
}
