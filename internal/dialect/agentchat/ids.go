package agentchat

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"parley/internal/chat"
	"parley/internal/id"
)

// Public ids are a prefix and 22 base64url characters (AC 2.2, README 4).
const (
	prefixAgent      = "agt_"
	prefixOwner      = "own_"
	prefixMessage    = "msg_"
	prefixDirect     = "conv_"
	prefixGroup      = "grp_"
	prefixInvite     = "gri_"
	prefixAttachment = "att_"
	prefixHook       = "whk_"
	prefixDelivery   = "whd_"
	prefixCode       = "pnd_"
	prefixSignIn     = "dpnd_"
	prefixAudit      = "evt_"
	prefixEnvelope   = "del_" // 32 hexadecimal digits
)

// seal shows a row id.
func (a *api) seal(prefix string, kind id.Kind, n int64) string {
	u := a.IDs.Seal(kind, n)
	return prefix + base64.RawURLEncoding.EncodeToString(u[:])
}

// open reads a public id; ok is false unless this server made it.
func (a *api) open(prefix string, kind id.Kind, text string) (n int64, ok bool) {
	text, ok = strings.CutPrefix(text, prefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(len(id.UUID{})) {
		return 0, false
	}
	var u id.UUID
	if _, err := base64.RawURLEncoding.Strict().Decode(u[:], []byte(text)); err != nil {
		return 0, false
	}
	return a.IDs.Open(kind, u)
}

// messageID and the like show and open the ids of one noun. What is malformed or
// of another kind opens as 0, which nothing has: the core answers that it is
// unknown.
func (a *api) messageID(n chat.MessageID) string {
	return a.seal(prefixMessage, id.KindMessage, int64(n))
}

func (a *api) openMessage(text string) chat.MessageID {
	n, _ := a.open(prefixMessage, id.KindMessage, text)
	return chat.MessageID(n)
}

// conversationID shows the id of a direct conversation or group.
func (a *api) conversationID(kind chat.ConversationKind, n chat.ConversationID) string {
	if kind == chat.ConversationGroup {
		return a.seal(prefixGroup, id.KindConversation, int64(n))
	}
	return a.seal(prefixDirect, id.KindConversation, int64(n))
}

// openConversation reads the id of a direct conversation or group, and which of
// them its prefix says it is; the kind of anything else is 0.
func (a *api) openConversation(text string) (chat.ConversationID, chat.ConversationKind) {
	if strings.HasPrefix(text, prefixGroup) {
		n, _ := a.open(prefixGroup, id.KindConversation, text)
		return chat.ConversationID(n), chat.ConversationGroup
	}
	if strings.HasPrefix(text, prefixDirect) {
		n, _ := a.open(prefixDirect, id.KindConversation, text)
		return chat.ConversationID(n), chat.ConversationDirect
	}
	return 0, 0
}

// groupID reads the group in the path.
func (x *exchange) groupID(name string) chat.ConversationID {
	n, _ := x.api.open(prefixGroup, id.KindConversation, x.PathValue(name))
	return chat.ConversationID(n)
}

// accountID shows the id of an account; that of a system account is fixed and
// speaks for itself (AC 2.2).
func (a *api) accountID(kind chat.AccountKind, handle string, n chat.AccountID) string {
	if kind == chat.KindSystem {
		return prefixAgent + handle
	}
	return a.seal(prefixAgent, id.KindAccount, int64(n))
}

// envelopeID shows one recipient's copy of a message: the cursor of sync (AC 15.1).
func (a *api) envelopeID(m chat.MessageID, recipient chat.AccountID) string {
	u := a.IDs.SealPair(int64(m), int64(recipient))
	return prefixEnvelope + hex.EncodeToString(u[:])
}

// openEnvelope reads the cursor of a recipient; ok is false for one that is
// malformed or somebody else's.
func (a *api) openEnvelope(text string, recipient chat.AccountID) (m chat.MessageID, ok bool) {
	text, ok = strings.CutPrefix(text, prefixEnvelope)
	var u id.UUID
	if !ok || len(text) != hex.EncodedLen(len(u)) {
		return 0, false
	}
	if _, err := hex.Decode(u[:], []byte(text)); err != nil {
		return 0, false
	}
	n, whose := a.IDs.OpenPair(u)
	if chat.AccountID(whose) != recipient || n <= 0 {
		return 0, false
	}
	return chat.MessageID(n), true
}

// attachmentID shows the id of a file, "" for none.
func (a *api) attachmentID(n chat.AttachmentID) string {
	if n == 0 {
		return ""
	}
	return a.seal(prefixAttachment, id.KindAttachment, int64(n))
}
