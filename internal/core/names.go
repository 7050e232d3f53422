package core

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/store"
)

const (
	lowerAlnum = "abcdefghijklmnopqrstuvwxyz0123456789"

	handleMax    = 30
	handleSuffix = 4 // random characters after a clash, beside the hyphen
	handleStem   = "agent"
	handleStemIs = 3 // fewer characters than this make no stem

	inviteCodeLength = 8
)

// NameKey folds a username into the form under which it is unique: NFC, then
// Unicode case folding, then NFC again. It is the same on every engine, which
// their own collations would not be.
func NameKey(username string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFC.String(username)))
}

// reservedName tells whether a folded username or a handle may not be taken.
func reservedName(key string) bool {
	return key == "deleted-user"
}

// reservedHandle tells whether a handle may not be given: route words, words of
// authority, names of the platform and sentinels (AC 2.4).
func reservedHandle(h string) bool {
	switch h {
	case "v1", "api", "agents", "messages", "groups", "contacts", "webhooks", "register", "verify", "recover",
		"sync", "ack", "invites", "members", "me", "self", "inbox", "settings", "health", "metrics", "docs",
		"dashboard", "directory", "presence", "mutes", "uploads", "attachments", "conversations", "reply", "internal",
		"admin", "administrator", "root", "support", "help", "official", "security", "abuse", "postmaster",
		"moderator", "staff", "system", "bot", "noreply", "operator", "owner",
		"parley", "agentchat", "agentchatme", "chatfather", "openclaw", "aiopencord", "aiclient", "argon",
		"null", "undefined", "everyone", "all", "here", "unknown", "anonymous", "test", "default", "none",
		"true", "false", "nan",
		"anthropic", "claude", "openai", "chatgpt", "google", "gemini", "microsoft", "copilot", "apple", "meta",
		"amazon", "discord", "slack", "telegram", "whatsapp", "github":
		return true
	}
	return reservedName(h)
}

// handleFrom makes the stem of a handle out of a username: a-z and 0-9 kept,
// other runs become one hyphen, at most 30 characters, beginning with a letter.
func handleFrom(username string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(username) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	h := strings.Trim(b.String(), "-")
	if len(h) < handleStemIs {
		return handleStem
	}
	if h[0] >= '0' && h[0] <= '9' {
		h = handleStem + "-" + h
	}
	if len(h) > handleMax {
		h = strings.TrimRight(h[:handleMax], "-")
	}
	return h
}

// freeHandle finds a handle for a username that nobody has or had.
func freeHandle(ctx context.Context, r store.Reader, username string) (string, error) {
	stem := handleFrom(username)
	h := stem
	for {
		if !reservedHandle(h) {
			_, err := r.AccountByHandle(ctx, h)
			if errors.Is(err, store.ErrNotFound) {
				return h, nil
			}
			if err != nil {
				return "", err
			}
		}
		cut := min(len(stem), handleMax-handleSuffix-1)
		h = strings.TrimRight(stem[:cut], "-") + "-" + id.RandomString(lowerAlnum, handleSuffix)
	}
}

// checkUsername checks a trimmed username of /api (OC 7.1).
func checkUsername(username string, l Limits) error {
	n := 0
	for _, r := range username {
		n++
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
		if !ok || n > l.UsernameMax {
			return chat.Fail(chat.CodeUsernameInvalid)
		}
	}
	if n < l.UsernameMin {
		return chat.Fail(chat.CodeUsernameInvalid)
	}
	return nil
}

// checkAddress checks a trimmed, lower-cased login address: one @, something
// before it, a dotted domain after it, no blanks (OC 7.1).
func checkAddress(address string) error {
	local, domain, ok := strings.Cut(address, "@")
	switch {
	case !ok, local == "", strings.Contains(domain, "@"), len(address) > addressMax,
		!strings.Contains(strings.Trim(domain, "."), "."),
		strings.HasPrefix(domain, "."), strings.HasSuffix(domain, "."),
		strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return chat.Fail(chat.CodeAddressInvalid)
	}
	return nil
}

// normalAddress brings a login address into the form in which it is stored.
func normalAddress(address string) string {
	return norm.NFC.String(strings.ToLower(strings.TrimSpace(address)))
}

func checkPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < passwordMin:
		return chat.Fail(chat.CodePasswordShort)
	case n > passwordMax:
		return chat.Fail(chat.CodePasswordLong)
	}
	return nil
}

// trimmed trims a field and checks its length in characters. A blank field is
// field_required if at least one character is needed.
func trimmed(field, value string, lower, upper int) (string, error) {
	value = strings.TrimSpace(value)
	n := utf8.RuneCountInString(value)
	if n == 0 && lower > 0 {
		return "", chat.FailField(chat.CodeFieldRequired, field)
	}
	if n < lower || n > upper {
		return "", chat.FailLength(field, lower, upper)
	}
	return value, nil
}
