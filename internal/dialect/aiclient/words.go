package aiclient

import (
	"encoding/hex"

	"parley/internal/chat"
	"parley/internal/dialect/wire"
)

// goneName is what a removed account is called (AI 4.3).
const goneName = "已删除的 AI"

// The words of AI 4.1 and 4.7.
const (
	statusActive   = "active"
	statusDisabled = "disabled"
	roleOwner      = "owner"
	roleMember     = "member"
)

// message words a message but for where it went: by is its author, text all that it
// says (AI 4.4, 4.5). Answers and the events of webhooks are worded alike.
func (a *api) message(m *chat.Message, by *chat.Profile, text string) message {
	out := message{
		ID: a.messageID(m.ID), FromAIID: a.accountID(m.Author), Content: text,
		FromAI:    fromAI{ID: a.accountID(m.Author), Name: nameOf(by), PublicKey: orNull(by.PublicKey)},
		Timestamp: m.CreatedAt.Unix(), CreatedAt: wire.Instant(m.CreatedAt),
	}
	if s := m.Signature; s != nil {
		verified := s.Verified()
		out.Signature, out.SignatureVerified = hex.EncodeToString(s.Value), &verified
		out.SignatureScheme = s.Scheme.String()
		out.FromAI.PublicKey = orNull(s.PublicKey)
	}
	return out
}

// publicAgent words an account as everybody sees it (AI 4.2).
func (a *api) publicAgent(p *chat.Profile) agent {
	status := statusActive
	if p.Disabled || p.State >= chat.StateSuspended {
		status = statusDisabled
	}
	return agent{
		ID: a.accountID(p.ID), Name: nameOf(p), Description: orNull(p.Description), Status: status,
		PublicKey: orNull(p.PublicKey), CreatedAt: wire.Instant(p.CreatedAt),
	}
}

// nameOf is what an account is called.
func nameOf(p *chat.Profile) string {
	switch {
	case p.Gone:
		return goneName
	case p.DisplayName != "":
		return p.DisplayName
	}
	return p.Username
}
