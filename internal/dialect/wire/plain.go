package wire

import (
	"strings"

	"parley/internal/blob"
	"parley/internal/chat"
)

// PlainText is all that a message says, as text: what another dialect put beside the
// text follows it, data as its JSON, a file as its name and where link finds it, if
// anywhere.
func PlainText(m *chat.MessageView, link func(*chat.Attachment) string) string {
	if m.Data == nil && m.File == nil {
		return m.Text
	}
	var lines []string
	if m.Text != "" {
		lines = append(lines, m.Text)
	}
	if m.Data != nil {
		lines = append(lines, string(m.Data))
	}
	if m.File != nil {
		line := blob.SafeFilename(m.File.Filename) // else it could pass for lines of its own
		if at := link(m.File); at != "" {
			line += " " + at
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}
