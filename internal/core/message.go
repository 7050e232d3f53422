package core

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// HistoryPage asks for a page of a conversation.
type HistoryPage struct {
	Kind         chat.ConversationKind // what the caller takes the conversation for
	Conversation chat.ConversationID
	Limit        chat.Opt[int64]
	Before       time.Time // only messages strictly older, at full precision; zero: from the end
}

// Messages is a page of a conversation, newest first.
type Messages struct {
	Messages []chat.MessageView
	More     bool // an older message exists beyond this page
}

// ListMessages returns a page of a channel or direct conversation (OC 9.5, 10.3).
// It fails with channel_unknown, not_member or not_permitted for a channel, with
// conversation_unknown or not_participant for a direct conversation, and with
// page_limit.
func (s *Service) ListMessages(ctx context.Context, c Call, in HistoryPage) (*Messages, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	page := &Messages{}
	err := s.view(ctx, "list messages", func(ctx context.Context, r store.Reader) error {
		q := store.HistoryQuery{Conversation: in.Conversation, Before: in.Before}
		if err := readable(ctx, r, in.Kind, &q, c.Actor.Account); err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		l := limits(c.Surface)
		n, err := pageSize(in.Limit, l.Page, l.PageMax)
		if err != nil {
			return err
		}
		q.Limit = n + 1
		list, err := r.History(ctx, q)
		if err != nil {
			return err
		}
		page.More = len(list) > n
		list = list[:min(n, len(list))]
		if page.Messages, err = withAuthors(ctx, r, list); err != nil {
			return err
		}
		return withFiles(ctx, r, page.Messages)
	})
	return page, err
}

// readable checks that an account may read the conversation of a query, which is of
// the kind named, and leaves out of it what the account hid.
func readable(
	ctx context.Context, r store.Reader, kind chat.ConversationKind, q *store.HistoryQuery, account chat.AccountID,
) error {
	if kind != chat.ConversationDirect {
		_, _, err := channelFor(ctx, r, q.Conversation, account, chat.EntReadHistory)
		return err
	}
	if _, err := directFor(ctx, r, q.Conversation, account); err != nil {
		return err
	}
	m, err := r.Member(ctx, q.Conversation, account)
	if err != nil {
		return err
	}
	q.Viewer, q.After = account, m.HiddenSeq
	return nil
}

// withAuthors joins messages and the current profiles of their authors.
func withAuthors(ctx context.Context, r store.Reader, list []chat.Message) ([]chat.MessageView, error) {
	ids := make([]chat.AccountID, 0, 8)
	seen := make(map[chat.AccountID]bool, 8)
	for i := range list {
		if !seen[list[i].Author] {
			seen[list[i].Author] = true
			ids = append(ids, list[i].Author)
		}
	}
	who, err := profiles(ctx, r, ids)
	if err != nil {
		return nil, err
	}
	out := make([]chat.MessageView, len(list))
	for i := range list {
		out[i] = chat.MessageView{Message: list[i], By: who(list[i].Author)}
	}
	return out, nil
}

// withFiles adds the files of messages.
func withFiles(ctx context.Context, r store.Reader, list []chat.MessageView) error {
	var ids []chat.AttachmentID
	for i := range list {
		if list[i].Attachment != 0 {
			ids = append(ids, list[i].Attachment)
		}
	}
	files, err := r.Attachments(ctx, ids)
	for i := range list {
		list[i].File = files[list[i].Attachment]
	}
	return err
}

// MessageRef names a message and what the caller takes its conversation for: a
// channel message is unknown among the direct ones and the other way round.
type MessageRef struct {
	Kind    chat.ConversationKind
	Message chat.MessageID
}

// visibleMessage finds a message the caller may see and says what the caller may
// do in its channel; for direct conversations that is nothing. The failures are
// message_unknown, then not_member or not_participant.
func visibleMessage(ctx context.Context, r store.Reader, ref MessageRef, account chat.AccountID) (*chat.Message, *chat.Conversation, chat.Entitlements, error) {
	m, err := r.Message(ctx, ref.Message)
	if m, err = known(m, err, chat.CodeMessageUnknown); err != nil {
		return nil, nil, 0, err
	}
	conv, err := r.Conversation(ctx, m.Conversation)
	if conv, err = known(conv, err, chat.CodeMessageUnknown); err != nil {
		return nil, nil, 0, err
	}
	if conv.Kind != ref.Kind || !m.RetractedAt.IsZero() {
		return nil, nil, 0, chat.Fail(chat.CodeMessageUnknown)
	}
	if conv.Kind == chat.ConversationDirect {
		if !conv.Joins(account) {
			return nil, nil, 0, chat.Fail(chat.CodeNotParticipant)
		}
		return m, conv, 0, nil
	}
	_, e, err := channelFor(ctx, r, m.Conversation, account, 0)
	if chat.CodeOf(err) == chat.CodeChannelUnknown {
		err = chat.Fail(chat.CodeMessageUnknown)
	}
	return m, conv, e, err
}

// EditMessage replaces the text of the caller's own message and keeps the old
// text as a revision (OC 9.7, 10.4). Place and time in the history stay. The
// failures are message_unknown, not_member or not_participant, not_author, and
// those of a text.
func (s *Service) EditMessage(ctx context.Context, c Call, ref MessageRef, text string) (*chat.MessageView, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out *chat.MessageView
	err := s.update(ctx, "edit message", func(ctx context.Context, ch *change) error {
		m, conv, _, err := visibleMessage(ctx, ch, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		if m.Author != c.Actor.Account {
			return chat.Fail(chat.CodeNotAuthor)
		}
		if c.Input != nil {
			return c.Input
		}
		if err := checkText(text, limits(c.Surface)); err != nil {
			return err
		}
		m.Text, m.EditedAt, m.Signature = text, s.now(), nil // nobody signed what it says now
		if err := ch.EditMessage(ctx, m.ID, text, m.EditedAt); err != nil {
			return err
		}
		edited, err := withAuthors(ctx, ch, []chat.Message{*m})
		if err != nil {
			return err
		}
		if err := withFiles(ctx, ch, edited); err != nil {
			return err
		}
		out = &edited[0]
		emitMessage(ch, chat.EventMessageEdited, c.Actor.Account, conv, m)
		return nil
	})
	return out, err
}

// DeleteMessage removes a channel message for good: the author's own, or anybody's
// with manageMessages (OC 9.8). The failures are message_unknown, not_member and
// not_author.
func (s *Service) DeleteMessage(ctx context.Context, c Call, message chat.MessageID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	return s.update(ctx, "delete message", func(ctx context.Context, ch *change) error {
		ref := MessageRef{Kind: chat.ConversationChannel, Message: message}
		m, conv, e, err := visibleMessage(ctx, ch, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		if m.Author != c.Actor.Account && !e.Has(chat.EntManageMessages) {
			return chat.Fail(chat.CodeNotAuthor)
		}
		emitMessage(ch, chat.EventMessageDeleted, c.Actor.Account, conv, m)
		return ch.DeleteMessage(ctx, message)
	})
}

// RetractMessage takes back the caller's own message in a direct conversation: it
// is gone for both sides, but a guarded recipient keeps its copy where the guard
// promises one (OC 10.4). The failures are message_unknown, not_participant and
// not_author.
func (s *Service) RetractMessage(ctx context.Context, c Call, message chat.MessageID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	return s.update(ctx, "retract message", func(ctx context.Context, ch *change) error {
		ref := MessageRef{Kind: chat.ConversationDirect, Message: message}
		m, conv, _, err := visibleMessage(ctx, ch, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		if m.Author != c.Actor.Account {
			return chat.Fail(chat.CodeNotAuthor)
		}
		emitMessage(ch, chat.EventMessageDeleted, c.Actor.Account, conv, m)
		return ch.RetractMessage(ctx, message, s.now())
	})
}

// emitMessage tells of a change to a message. What was deleted is named, not shown.
func emitMessage(ch *change, kind chat.EventKind, actor chat.AccountID, conv *chat.Conversation, m *chat.Message) {
	snapshot := *m
	if kind == chat.EventMessageDeleted {
		snapshot.Text, snapshot.Data, snapshot.Metadata, snapshot.Signature = "", nil, nil, nil
	}
	e := chat.Event{Kind: kind, Actor: actor, Space: conv.Space, Conversation: conv.ID, Message: &snapshot}
	if conv.Kind == chat.ConversationDirect {
		e.Recipients = []chat.AccountID{conv.Low, conv.High}
	}
	ch.emit(e)
}

// checkText checks the text of a message as it was written: not trimmed, in code
// points (OC 9.6).
func checkText(text string, l Limits) error {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsSpace(r) }) < 0 {
		return chat.Fail(chat.CodeTextEmpty)
	}
	if l.TextChars > 0 && len(text) > l.TextChars && utf8.RuneCountInString(text) > l.TextChars {
		return &chat.Error{Code: chat.CodeTextTooLong, Field: "content", Max: l.TextChars}
	}
	if !storable(text) {
		return chat.FailField(chat.CodeFieldInvalid, "content")
	}
	return nil
}

// storable tells whether every engine takes a text: valid UTF-8 without U+0000.
// One that an engine refuses would cost everybody's batch a rerun.
func storable(text string) bool {
	return utf8.ValidString(text) && !strings.Contains(text, "\x00")
}
