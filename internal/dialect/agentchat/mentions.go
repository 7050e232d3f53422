package agentchat

import "strings"

// The length of a handle in characters (AC 2.3).
const (
	handleShortest = 3
	handleLongest  = 30
)

// mentions lists the handles that a text names with an @, in order of appearance,
// each once, in lower case (AC 14.4). It never returns nil.
func mentions(text string) []string {
	out := []string{}
	var seen map[string]bool
	for at := 0; ; at++ {
		next := strings.IndexByte(text[at:], '@')
		if next < 0 {
			return out
		}
		at += next
		if at > 0 && joins(text[at-1]) {
			continue
		}
		h := strings.ToLower(handlePrefix(text[at+1:]))
		if len(h) < handleShortest || seen[h] {
			continue
		}
		if seen == nil {
			seen = make(map[string]bool)
		}
		seen[h] = true
		out = append(out, h)
	}
}

// joins tells whether an @ after c belongs to what stands before it, such as an
// address. Letters beyond a to z are no part of handles or addresses: they end a
// word, as they do where no blanks are written.
func joins(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("_.-/@", c) >= 0 }

// handlePrefix is the longest beginning of a text that has the form of a handle, in
// either case: a letter, then letters and digits with single hyphens between them.
func handlePrefix(s string) string {
	if s == "" || !letter(s[0]) {
		return ""
	}
	end := 1
	for i := 1; i < len(s) && i < handleLongest; i++ {
		switch {
		case letter(s[i]) || digit(s[i]):
			end = i + 1
		case s[i] != '-' || s[i-1] == '-':
			return s[:end]
		}
	}
	return s[:end]
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }
