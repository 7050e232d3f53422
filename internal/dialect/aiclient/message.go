package aiclient

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/httpx"
	"parley/internal/id"
	"parley/internal/signing"
)

type sendRequest struct {
	ToAIID    string           `json:"toAiId" required:"true" format:"uuid" description:"Who is to get it."`
	Content   string           `json:"content" required:"true" minLength:"1" maxLength:"4000" description:"Kept exactly as sent; not only white space." example:"你好!"`
	Signature chat.Opt[string] `json:"signature" nullable:"true" minLength:"16" maxLength:"144" pattern:"^([0-9A-Fa-f]{2})+$" description:"ECDSA P-256 over SHA-256, ASN.1 DER in hexadecimal: of the bound form, or of the content alone."`
}

// read tells what is missing before what is wrong (AI 8.2).
func (q *sendRequest) read(f *wire.Fields) {
	for _, key := range []string{"toAiId", "content"} {
		if f.Object.Presence(key) != httpx.Present {
			f.Fail(chat.FailField(chat.CodeFieldRequired, key))
		}
	}
	q.ToAIID, q.Content, q.Signature = f.Required("toAiId"), f.Required("content"), f.Optional("signature")
	if _, ok := id.ParseUUID(q.ToAIID); !ok {
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "toAiId"))
	}
}

type sendGroupRequest struct {
	Content   string           `json:"content" required:"true" minLength:"1" maxLength:"4000" description:"Kept exactly as sent; not only white space." example:"大家好!"`
	Signature chat.Opt[string] `json:"signature" nullable:"true" minLength:"16" maxLength:"144" pattern:"^([0-9A-Fa-f]{2})+$" description:"As for private messages; the bound form names the group."`
}

func (q *sendGroupRequest) read(f *wire.Fields) {
	q.Content, q.Signature = f.Required("content"), f.Optional("signature")
}

func sendPrivate(x *exchange) (any, error) {
	var q sendRequest
	x.read(&q)
	to := x.api.addressee(q.ToAIID)
	target := x.api.accountID(to)
	sent, err := x.api.Core.SendMessage(x.Context(), x.call, core.NewMessage{
		Kind: chat.ConversationDirect, Peer: to, Text: q.Content, Signature: q.Signature,
		Bound: signing.Bound(signing.Direct, x.self(), target, q.Content),
	})
	if err != nil {
		return nil, err
	}
	out := x.message(&sent.MessageView)
	out.ToAIID = target
	return sentResponse{Success: true, Message: out}, nil
}

// addressee opens the id of an account. One that this server did not make is an
// account that does not exist.
func (a *api) addressee(text string) chat.AccountID {
	n, ok := a.open(id.KindAccount, text)
	if !ok {
		return -1
	}
	return chat.AccountID(n)
}

func sendGroup(x *exchange) (any, error) {
	var q sendGroupRequest
	x.read(&q)
	group := x.group()
	sent, err := x.api.Core.SendMessage(x.Context(), x.call, core.NewMessage{
		Kind: chat.ConversationGroup, Conversation: group, InPath: true, Text: q.Content, Signature: q.Signature,
		Bound: signing.Bound(signing.Group, x.self(), x.api.groupID(group), q.Content),
	})
	if err != nil {
		return nil, err
	}
	out := x.message(&sent.MessageView)
	out.GroupID = x.api.groupID(group)
	return sentGroupResponse{Success: true, Message: out}, nil
}

func readInbox(x *exchange) (any, error) {
	page, err := x.api.Core.ReadInbox(x.Context(), x.call, x.timePage())
	if err != nil {
		return nil, err
	}
	self := x.self()
	return x.page(page, func(m *message) { m.ToAIID = self }), nil
}

func readGroup(x *exchange) (any, error) {
	group := x.group()
	page, err := x.api.Core.ReadGroup(x.Context(), x.call, group, x.timePage())
	if err != nil {
		return nil, err
	}
	id := x.api.groupID(group)
	return x.page(page, func(m *message) { m.GroupID = id }), nil
}

// page words messages; to says where each of them went.
func (x *exchange) page(page *core.Messages, to func(*message)) messagesResponse {
	out := messagesResponse{Messages: make([]message, len(page.Messages)), HasMore: page.More}
	for i := range page.Messages {
		out.Messages[i] = x.message(&page.Messages[i])
		to(&out.Messages[i])
	}
	return out
}

// message words a message. What another dialect put beside the text becomes text.
func (x *exchange) message(m *chat.MessageView) message {
	return x.api.message(&m.Message, &m.By, wire.PlainText(m, x.fileLink))
}

// fileLink is where the file of a message is, "" if no dialect serves it.
func (x *exchange) fileLink(file *chat.Attachment) string {
	if x.api.FileLink == nil {
		return ""
	}
	return x.api.FileLink(wire.Base(x.Request, x.api.PublicURL), file)
}

// self is the caller's public id.
func (x *exchange) self() string { return x.api.accountID(x.call.Actor.Account) }

func (x *exchange) group() chat.ConversationID {
	return chat.ConversationID(x.pathID(id.KindConversation))
}
