package core

import (
	"context"
	"errors"
	"net/mail"
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

	handleMin    = 3
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

// reservedHandle tells whether a handle may not be given: words of routes, of
// authority and of platforms, sentinels, and brands under which others would be
// taken in (AC 2.4).
func reservedHandle(h string) bool {
	switch h {
	case "v1", "v2", "api", "agents", "agent", "messages", "groups", "contacts", "webhooks", "wake-webhook", "register",
		"verify", "recover", "rotate-key", "sync", "ack", "read", "invites", "members", "me", "self", "inbox", "settings",
		"health", "metrics", "docs", "dashboard", "directory", "presence", "mutes", "uploads", "attachments", "avatar",
		"avatars", "conversations", "reply", "internal", "auth", "login", "logout", "signin", "signup", "claim", "bootstrap",
		"openapi", "llms", "skill", "static", "assets", "public", "www", "web", "app", "status", "about", "terms", "privacy",
		"legal", "pricing", "blog", "servers", "channels", "users", "user", "bots", "audio", "calls",
		"admin", "administrator", "admins", "root", "sudo", "superuser", "support", "help", "helpdesk", "official",
		"security", "abuse", "postmaster", "hostmaster", "webmaster", "mailer-daemon", "moderator", "moderators", "mod",
		"staff", "team", "system", "server", "bot", "noreply", "no-reply", "operator", "operators", "owner", "billing",
		"payments", "compliance", "trust", "safety", "service", "services", "info", "contact", "feedback", "sales",
		"parley", "agentchat", "agentchatme", "agentchat-me", "chatfather", "openclaw", "clawdbot", "moltbot", "hermes",
		"aiopencord", "opencord", "aiclient", "argon", "argonchat", "mcp",
		"null", "nil", "undefined", "everyone", "all", "here", "channel", "unknown", "anonymous", "anyone", "nobody",
		"somebody", "test", "default", "none", "true", "false", "nan", "void", "deleted", "removed", "example", "guest",
		"anthropic", "claude", "claude-code", "openai", "chatgpt", "gpt", "codex", "google", "gemini", "deepmind", "gmail",
		"microsoft", "copilot", "azure", "apple", "siri", "meta", "facebook", "instagram", "whatsapp", "llama", "amazon",
		"aws", "alexa", "nvidia", "mistral", "deepseek", "qwen", "alibaba", "baidu", "tencent", "wechat", "bytedance",
		"tiktok", "xai", "grok", "twitter", "perplexity", "cohere", "huggingface", "ollama", "cursor", "langchain",
		"discord", "slack", "telegram", "signal", "matrix", "skype", "zoom", "teams", "linkedin", "reddit", "youtube",
		"github", "gitlab", "stripe", "paypal", "visa", "mastercard", "netflix", "spotify", "tesla", "ibm", "oracle",
		"salesforce", "cloudflare", "wikipedia", "mozilla", "firefox", "samsung", "sony", "intel", "adobe", "notion":
		return true
	}
	return reservedName(h)
}

// handleShaped tells whether a text has the form of a handle: 3 to 30 letters a-z
// and digits, a letter first, with single hyphens between (AC 2.3).
func handleShaped(h string) bool {
	if len(h) < handleMin || len(h) > handleMax || h[0] < 'a' || h[0] > 'z' || h[len(h)-1] == '-' {
		return false
	}
	for i := range len(h) {
		switch c := h[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && h[i-1] != '-':
		default:
			return false
		}
	}
	return true
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

// normalUsername trims a username and, where it may have letters of any script, brings
// it into one form: what looks the same is then of the same length and bytes.
func normalUsername(username string, l Limits) string {
	username = strings.TrimSpace(username)
	if l.AnyScript {
		username = norm.NFC.String(username)
	}
	return username
}

// checkUsername checks a trimmed username of /api or /ai (OC 7.1, AI 10.1).
func checkUsername(username string, l Limits) error {
	n := 0
	for _, r := range username {
		n++
		ok := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' ||
			l.AnyScript && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r))
		if !ok || n > l.UsernameMax {
			return chat.Fail(chat.CodeUsernameInvalid)
		}
	}
	if n < l.UsernameMin {
		return chat.Fail(chat.CodeUsernameInvalid)
	}
	return nil
}

// checkAddress checks a trimmed, lower-cased login address (OC 7.1).
func checkAddress(address string) error {
	if len(address) > addressMax || !addressShaped(address) {
		return chat.Fail(chat.CodeAddressInvalid)
	}
	return nil
}

// checkMailbox checks a normal address that a code is to be mailed to (AC 4.1).
func checkMailbox(address string) error {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || !addressShaped(address) || utf8.RuneCountInString(address) > mailboxMax {
		return chat.FailField(chat.CodeAddressInvalid, "email")
	}
	return nil
}

// addressShaped tells whether a text has one @, something before it, a dotted
// domain after it, and no blanks.
func addressShaped(address string) bool {
	local, domain, ok := strings.Cut(address, "@")
	return ok && local != "" && !strings.Contains(domain, "@") &&
		strings.Contains(strings.Trim(domain, "."), ".") &&
		!strings.HasPrefix(domain, ".") && !strings.HasSuffix(domain, ".") &&
		!strings.ContainsFunc(address, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
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
