package agentchat

import (
	"net/http"
	"strings"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

const (
	conversationsPage, conversationsMost = 50, 200 // [D40]

	previewLength = 140 // characters
)

func conversationRoutes() []Route {
	const one = "/v1/conversations/{id}"
	return []Route{
		{
			ID: "listConversations", Method: http.MethodGet, Path: "/v1/conversations", Operation: core.OpListConversations,
			Auth: AuthKey, Status: http.StatusOK, Response: []conversation{}, handle: (*exchange).listConversations,
		},
		{
			ID: "listParticipants", Method: http.MethodGet, Path: one + "/participants", Operation: core.OpListParticipants,
			Auth: AuthKey, Status: http.StatusOK, Response: []party{}, handle: (*exchange).listParticipants,
		},
		{
			ID: "showConversation", Method: http.MethodGet, Path: one + "/context", Operation: core.OpShowConversation,
			Auth: AuthKey, Status: http.StatusOK, Response: conversationDetail{}, handle: (*exchange).showConversation,
		},
		{
			ID: "hideConversation", Method: http.MethodDelete, Path: one, Operation: core.OpHideConversation,
			Auth: AuthKey, Status: http.StatusOK, Response: hiddenConversation{}, handle: (*exchange).hideConversation,
		},
	}
}

// conversation is a row of the list of conversations (AC 13.1). kind and peer say
// what type and participants say, for a client that looks there (AC 26.7).
type conversation struct {
	ID               string  `json:"id" required:"true"`
	Type             string  `json:"type" required:"true" enum:"direct,group"`
	Kind             string  `json:"kind" required:"true" enum:"direct,group"`
	Peer             *party  `json:"peer" required:"true"`
	Participants     []party `json:"participants" required:"true" description:"The other side of a direct conversation; nobody of a group."`
	GroupName        *string `json:"group_name" required:"true"`
	GroupAvatarURL   *string `json:"group_avatar_url" required:"true"`
	GroupMemberCount *int    `json:"group_member_count" required:"true"`
	LastPreview      *string `json:"last_message_preview" required:"true"`
	LastIsOwn        bool    `json:"last_message_is_own" required:"true"`
	LastType         *string `json:"last_message_type" required:"true"`
	LastAt           *string `json:"last_message_at" required:"true" format:"date-time"`
	UpdatedAt        string  `json:"updated_at" required:"true" format:"date-time"`
	UnreadCount      int     `json:"unread_count" required:"true" minimum:"0"`
	OldestUnreadSeq  *int64  `json:"oldest_unread_seq" required:"true"`
	NewestUnreadSeq  *int64  `json:"newest_unread_seq" required:"true"`
	IsMuted          bool    `json:"is_muted" required:"true" description:"The conversation, or the other side."`
}

func (x *exchange) listConversations() (any, error) {
	limit, offset := x.pageLimit(conversationsPage, conversationsMost), x.offset()
	list, err := x.api.Core.ListConversations(x.Context(), x.call, offset, limit)
	if err != nil {
		return nil, err
	}
	return x.conversations(list, x.call.Actor.Account), nil
}

// conversations shows the list of an account.
func (x *exchange) conversations(list []core.ConversationEntry, viewer chat.AccountID) []conversation {
	out := make([]conversation, len(list))
	for i := range list {
		out[i] = x.conversation(&list[i], viewer)
	}
	return out
}

func (x *exchange) conversation(e *core.ConversationEntry, viewer chat.AccountID) conversation {
	conv := &e.Conversation
	out := conversation{
		ID: x.api.conversationID(conv.Kind, conv.ID), Type: "direct", Participants: []party{},
		UpdatedAt: wire.Instant(conv.CreatedAt), UnreadCount: e.Unread.Count, IsMuted: e.Muted,
	}
	if !conv.LastAt.IsZero() {
		out.UpdatedAt = wire.Instant(conv.LastAt)
	}
	if e.With != nil {
		peer := x.party(e.With)
		out.Peer, out.Participants = &peer, append(out.Participants, peer)
	}
	if g := e.Group; g != nil {
		out.Type, out.GroupName, out.GroupMemberCount = "group", &g.Name, &g.Members
		out.GroupAvatarURL = groupAvatarURL(x.base(), g.Avatar, g.AvatarURL)
	}
	out.Kind = out.Type
	if m := e.Last; m != nil {
		text, kind := preview(m), messageType(m.Kind)
		out.LastPreview, out.LastType, out.LastAt = &text, &kind, wire.InstantOrNull(m.CreatedAt)
		out.LastIsOwn = m.Author == viewer
	}
	if e.Unread.Count > 0 {
		out.OldestUnreadSeq, out.NewestUnreadSeq = &e.Unread.Oldest, &e.Unread.Newest
	}
	return out
}

// party shows an account that takes part.
func (x *exchange) party(p *chat.Profile) party {
	return party{Handle: p.Handle, DisplayName: orNull(p.DisplayName), AvatarURL: x.avatar(p.Avatar)}
}

// preview is what a list shows of a message.
func preview(m *chat.Message) string {
	switch {
	case m.Kind == chat.MessageSystem:
		return "System update"
	case m.Kind == chat.MessageText && m.Text != "":
		return firstCharacters(strings.Join(strings.FieldsFunc(m.Text, newline), " "), previewLength)
	case m.Attachment != 0 && m.Text == "" && len(m.Data) == 0:
		return "Attachment"
	}
	return "[" + messageType(m.Kind) + "]"
}

func newline(r rune) bool { return r == '\n' || r == '\r' }

// firstCharacters cuts a text to n characters.
func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// conversationRef reads the conversation in the path.
func (x *exchange) conversationRef() core.ConversationRef {
	var ref core.ConversationRef
	ref.Conversation, ref.Kind = x.api.openConversation(x.PathValue("id"))
	return ref
}

func (x *exchange) listParticipants() (any, error) {
	list, err := x.api.Core.ListParticipants(x.Context(), x.call, x.conversationRef())
	if err != nil {
		return nil, err
	}
	out := make([]party, len(list))
	for i := range list {
		out[i] = x.party(&list[i])
	}
	return out, nil
}

// groupContext is what a member may know of a group at a glance.
type groupContext struct {
	Name        string  `json:"name" required:"true"`
	Description *string `json:"description" required:"true"`
	MemberCount int     `json:"member_count" required:"true"`
	YourRole    string  `json:"your_role" required:"true" enum:"admin,member"`
}

// relationship is what the caller keeps of the other side.
type relationship struct {
	IsContact bool    `json:"is_contact" required:"true"`
	AddedAt   *string `json:"added_at" required:"true" format:"date-time"`
	Note      *string `json:"note" required:"true"`
}

type unreadContext struct {
	Count     int    `json:"count" required:"true" minimum:"0"`
	OldestSeq *int64 `json:"oldest_seq" required:"true"`
	NewestSeq *int64 `json:"newest_seq" required:"true"`
}

// conversationDetail is a conversation without its messages (AC 13.3).
type conversationDetail struct {
	ConversationID string        `json:"conversation_id" required:"true"`
	Type           string        `json:"type" required:"true" enum:"direct,group"`
	Group          *groupContext `json:"group" required:"true"`
	Counterparty   *party        `json:"counterparty" required:"true"`
	Relationship   *relationship `json:"relationship" required:"true"`
	Unread         unreadContext `json:"unread" required:"true"`
}

func (x *exchange) showConversation() (any, error) {
	c, err := x.api.Core.ShowConversation(x.Context(), x.call, x.conversationRef())
	if err != nil {
		return nil, err
	}
	out := conversationDetail{
		ConversationID: x.api.conversationID(c.Conversation.Kind, c.Conversation.ID), Type: "direct",
		Unread: unreadContext{Count: c.Unread.Count},
	}
	if c.Unread.Count > 0 {
		out.Unread.OldestSeq, out.Unread.NewestSeq = &c.Unread.Oldest, &c.Unread.Newest
	}
	if g := c.Group; g != nil {
		out.Type = "group"
		out.Group = &groupContext{g.Name, orNull(g.Description), g.Members, roleWord(c.Role)}
	}
	if c.With != nil {
		peer := x.party(c.With)
		out.Counterparty, out.Relationship = &peer, &relationship{}
	}
	if c.Contact != nil {
		out.Relationship = &relationship{true, wire.InstantOrNull(c.Contact.AddedAt), orNull(c.Contact.Note)}
	}
	return out, nil
}

// hiddenConversation confirms that a conversation is out of the caller's sight [D16].
type hiddenConversation struct {
	OK     bool `json:"ok" required:"true"`
	Hidden bool `json:"hidden" required:"true"`
}

func (x *exchange) hideConversation() (any, error) {
	return hiddenConversation{true, true}, x.api.Core.HideConversation(x.Context(), x.call, x.conversationRef())
}
