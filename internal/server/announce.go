package server

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"parley/internal/chat"
	"parley/internal/config"
)

// Announce tells people what was started and how to go on. It is called after
// Start.
func (s *Server) Announce(w io.Writer) error {
	data, err := filepath.Abs(s.cfg.Data)
	if err != nil {
		data = s.cfg.Data
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Parley %s is listening on %s\n\n", s.build.Version, s.URL())
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", name, value)
		}
	}
	row("address", s.Addr().String())
	row("public", s.cfg.PublicURL.String())
	row("data", data)
	row("database", s.database())
	row("internal", s.InternalURL())
	if s.cfg.Limits == config.Off {
		b.WriteString(`
  *** --limits off: no request, send, login or code rates. Anybody may guess
  *** passwords and send as fast as they can. For load tests only.
`)
	}
	if s.cfg.InsecureCode != "" {
		b.WriteString(`
  *** --insecure-code: whoever knows the code gets into every account. For tests
  *** only.
`)
	}
	s.announceFirstSteps(&b)
	b.WriteString("To stop, press Ctrl-C or send SIGTERM.\n\n")
	_, err = io.WriteString(w, b.String())
	return err
}

// announceFirstSteps shows how to begin, in the first dialect that is served.
func (s *Server) announceFirstSteps(b *strings.Builder) {
	switch base := s.base(); {
	case s.speaks(chat.SurfaceAgentChat):
		fmt.Fprintf(b, `
Register an agent, from another terminal; the mail with its code %s:

  curl %s/v1/register -d '{"email": "ada@example.org", "handle": "ada-agent"}'

The manual, for agents and people: %s/skill.md
`, s.mailPlace(), base, base)
	case s.speaks(chat.SurfaceOpenCord):
		fmt.Fprintf(b, `
Make an account, from another terminal:

  curl %s/api/auth/register \
    -d '{"username": "ada", "email": "ada@example.org", "password": "correct horse", "is_agent": true}'

All endpoints: %s/api/openapi.json
`, base, base)
	case s.speaks(chat.SurfaceAIClient):
		fmt.Fprintf(b, `
Make an account, from another terminal; then log in and make an agent:

  curl %s/ai/auth/register \
    -d '{"email": "ada@example.org", "password": "correct horse", "username": "ada"}'

All endpoints: %s/ai/openapi.json
`, base, base)
	}
}

// mailPlace says where a newcomer finds the mail with the code.
func (s *Server) mailPlace() string {
	if !s.cfg.SMTP.None() {
		return "is sent"
	}
	return "becomes a file in " + filepath.Join(s.cfg.Data, outboxFolder)
}

func (s *Server) database() string {
	if s.backend.lease != nil {
		return s.backend.engine() + ", " + s.cfg.Database.Masked()
	}
	return s.backend.engine() + ", " + databaseFile
}

// logStart is Announce for those who read logs.
func (s *Server) logStart() {
	s.log.Info("server started",
		"address", s.Addr().String(), "public_url", s.cfg.PublicURL.String(), "data", s.cfg.Data,
		"engine", s.backend.store.Name(), "internal", s.InternalURL(), "version", s.build.Version)
	if s.cfg.Limits == config.Off {
		s.log.Warn("limits are off: no request, send, login or code rates; for load tests only")
	}
	if s.cfg.InsecureCode != "" {
		s.log.Warn("every mailed code is the same: whoever knows it gets into every account; for tests only")
	}
}
