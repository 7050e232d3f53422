package opencord

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

// Channels and direct conversations have routes of their own for the same
// operations: which kind the caller means goes along, and the ids of one are
// unknown among the other.

func listMessages(x *exchange) (any, error) { return x.history(chat.ConversationChannel) }

func listDirectMessages(x *exchange) (any, error) { return x.history(chat.ConversationDirect) }

func (x *exchange) history(kind chat.ConversationKind) (any, error) {
	in := core.HistoryPage{Kind: kind, Conversation: x.conversation(), Limit: limit(x.Request)}
	if before := wire.Query(x.Request, "before"); before != "" {
		var ok bool
		if in.Before, ok = wire.ParseInstant(before); !ok {
			x.call.Input = chat.FailField(chat.CodePageCursor, "before")
		}
	}
	page, err := x.api.core.ListMessages(x.Context(), x.call, in)
	if err != nil {
		return nil, err
	}
	out := make([]message, 0, len(page.Messages))
	for i := range page.Messages {
		out = append(out, x.message(&page.Messages[i]))
	}
	return messagesResponse{Messages: out, HasMore: page.More}, nil
}

type contentRequest struct {
	Content string `json:"content" required:"true" minLength:"1" maxLength:"4000" description:"Kept exactly as sent; not only white space." example:"Hello, world"`
}

func (q *contentRequest) read(f *wire.Fields) { q.Content = f.Required("content") }

func sendMessage(x *exchange) (any, error) { return x.send(chat.ConversationChannel) }

func sendDirectMessage(x *exchange) (any, error) { return x.send(chat.ConversationDirect) }

func (x *exchange) send(kind chat.ConversationKind) (any, error) {
	var q contentRequest
	x.read(&q)
	sent, err := x.api.core.SendMessage(x.Context(), x.call, core.NewMessage{
		Kind: kind, Conversation: x.conversation(), Text: q.Content, InPath: true,
	})
	if err != nil {
		return nil, err
	}
	return messageResponse{x.message(&sent.MessageView)}, nil
}

func editMessage(x *exchange) (any, error) { return x.edit(chat.ConversationChannel) }

func editDirectMessage(x *exchange) (any, error) { return x.edit(chat.ConversationDirect) }

func (x *exchange) edit(kind chat.ConversationKind) (any, error) {
	var q contentRequest
	x.read(&q)
	m, err := x.api.core.EditMessage(x.Context(), x.call, core.MessageRef{Kind: kind, Message: x.messageID()}, q.Content)
	if err != nil {
		return nil, err
	}
	return messageResponse{x.message(m)}, nil
}

func deleteMessage(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.DeleteMessage(x.Context(), x.call, x.messageID())
}

func deleteDirectMessage(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.RetractMessage(x.Context(), x.call, x.messageID())
}

func (x *exchange) messageID() chat.MessageID { return chat.MessageID(x.pathID(id.KindMessage)) }

func (x *exchange) message(m *chat.MessageView) message {
	a := x.api
	by := a.author(m.By)
	return message{
		ID: a.seal(id.KindMessage, int64(m.ID)), Content: wire.PlainText(m, x.fileLink), AuthorID: by.ID,
		ChannelID: a.seal(id.KindConversation, int64(m.Conversation)), Edited: !m.EditedAt.IsZero(),
		CreatedAt: wire.Instant(m.CreatedAt), UpdatedAt: wire.InstantOrNull(m.EditedAt), Author: by,
	}
}

// fileLink is where the file of a message is, "" if no dialect serves it.
func (x *exchange) fileLink(file *chat.Attachment) string {
	if x.api.fileLink == nil {
		return ""
	}
	return x.api.fileLink(wire.Base(x.Request, x.api.publicURL), file)
}
