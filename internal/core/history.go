package core

import (
	"context"
	"errors"
	"math"

	"parley/internal/chat"
	"parley/internal/store"
)

// HistoryQuery asks for a page of a conversation by sequence number. At most one of
// Before, After and Around is present; without any the page ends at the newest
// message.
type HistoryQuery struct {
	ConversationRef

	Before chat.Opt[int64]          // lower numbers, newest first
	After  chat.Opt[int64]          // higher numbers, oldest first
	Around chat.Opt[chat.MessageID] // up to and including this message, newest first
	Limit  int
}

// ReadHistory returns a page of a conversation as the caller sees it (AC 14.5):
// from where it joined or last hid the conversation, without messages it hid; of
// retracted messages only those of which it was let keep a copy. It moves nothing.
// The failures are page_cursor, conversation_unknown, group_deleted and, for Around,
// message_unknown.
func (s *Service) ReadHistory(ctx context.Context, c Call, in HistoryQuery) ([]chat.MessageRow, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if more := in.Before.Present && in.After.Present; more || in.Around.Present && (in.Before.Present || in.After.Present) {
		return nil, chat.Fail(chat.CodePageCursor)
	}
	var rows []chat.MessageRow
	err := s.view(ctx, "read history", func(ctx context.Context, r store.Reader) error {
		at, err := seatIn(ctx, r, in.ConversationRef, c.Actor.Account)
		if err != nil {
			return err
		}
		rows, err = historyOf(ctx, r, at, in)
		return err
	})
	return rows, err
}

// historyOf reads a page for whoever has the seat.
func historyOf(ctx context.Context, r store.Reader, at *seat, in HistoryQuery) ([]chat.MessageRow, error) {
	q := store.RowQuery{
		Conversation: at.conv.ID, Viewer: at.member.Account, Peer: at.peer(), Limit: in.Limit,
		From: firstSeen(at.member), To: math.MaxInt64,
	}
	switch {
	case in.Before.Present:
		q.To = in.Before.Value - 1
	case in.After.Present:
		q.From, q.Ascending = max(q.From, saturate(in.After.Value)), true
	case in.Around.Present:
		anchor, err := anchorOf(ctx, r, q, in.Around.Value)
		if err != nil {
			return nil, err
		}
		q.To = anchor
	}
	rows, err := r.Rows(ctx, q)
	if err != nil {
		return nil, err
	}
	return rows, joinRows(ctx, r, rows)
}

// firstSeen is the first sequence number that a member sees.
func firstSeen(m *chat.Member) int64 { return max(m.JoinedSeq, m.HiddenSeq+1) }

// saturate is the next number, if there is one.
func saturate(n int64) int64 {
	if n == math.MaxInt64 {
		return n
	}
	return n + 1
}

// anchorOf is the number of a message that the query could show: else message_unknown.
func anchorOf(ctx context.Context, r store.Reader, q store.RowQuery, message chat.MessageID) (int64, error) {
	m, err := r.Message(ctx, message)
	if m, err = known(m, err, chat.CodeMessageUnknown); err != nil {
		return 0, err
	}
	if m.Conversation != q.Conversation || m.Seq < q.From {
		return 0, chat.Fail(chat.CodeMessageUnknown)
	}
	q.From, q.To, q.Limit = m.Seq, m.Seq, 1
	visible, err := r.Rows(ctx, q)
	if err == nil && len(visible) == 0 {
		err = chat.Fail(chat.CodeMessageUnknown)
	}
	return m.Seq, err
}

// joinRows adds authors, as their profiles stand now, and groups.
func joinRows(ctx context.Context, r store.Reader, rows []chat.MessageRow) error {
	authors, in := make([]chat.AccountID, len(rows)), make([]chat.ConversationID, len(rows))
	for i := range rows {
		authors[i], in[i] = rows[i].Author, rows[i].Conversation
	}
	who, err := profiles(ctx, r, authors)
	if err != nil {
		return err
	}
	groups, err := r.Groups(ctx, in)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].By = who(rows[i].Author)
		if g := groups[rows[i].Conversation]; g != nil {
			rows[i].Group = g.Brief()
		}
	}
	return nil
}

// MarkRead marks the caller's copy of one message as read and tells the author, the
// first time (AC 14.6). Earlier messages are not touched. It fails with
// message_unknown for whoever has no copy.
func (s *Service) MarkRead(ctx context.Context, c Call, message chat.MessageID) (*chat.MessageRow, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var row chat.MessageRow
	arrived := 0
	err := s.perform(ctx, c, "mark message read", &row, func(ctx context.Context, ch *change) error {
		arrived = 0
		e, err := ch.Envelope(ctx, message, c.Actor.Account)
		if e, err = known(e, err, chat.CodeMessageUnknown); err != nil {
			return err
		}
		m, err := ch.Message(ctx, message)
		if m, err = known(m, err, chat.CodeMessageUnknown); err != nil {
			return err
		}
		if e.Hidden && !m.RetractedAt.IsZero() {
			return chat.Fail(chat.CodeMessageUnknown)
		}
		rows := []chat.MessageRow{{MessageView: chat.MessageView{Message: *m}, Envelope: e, Own: m.Author == c.Actor.Account}}
		if err := joinRows(ctx, ch, rows); err != nil {
			return err
		}
		row = rows[0]
		if e.State >= chat.EnvelopeRead {
			return nil
		}
		if err := ch.Read(ctx, message, c.Actor.Account, ch.at); err != nil {
			return err
		}
		if e.State == chat.EnvelopeStored && !e.Hidden {
			arrived = 1
		}
		e.State, e.ReadAt = chat.EnvelopeRead, ch.at
		if e.DeliveredAt.IsZero() {
			e.DeliveredAt = ch.at
		}
		if row.By.Gone {
			return nil
		}
		return tellRead(ctx, ch, c.Actor.Account, row.Conversation, row.Group, []store.Reading{
			{Author: m.Author, ReadMark: chat.ReadMark{Message: m.ID, Seq: m.Seq}},
		})
	})
	if err != nil {
		return nil, err
	}
	s.pending.add(c.Actor.Account, -arrived)
	return &row, nil
}

// tellRead tells authors which of their messages was read.
func tellRead(
	ctx context.Context, ch *change, reader chat.AccountID, in chat.ConversationID, group *chat.GroupBrief,
	marks []store.Reading,
) error {
	who, err := profiles(ctx, ch, []chat.AccountID{reader})
	if err != nil {
		return err
	}
	by := who(reader)
	for i := range marks {
		ch.emit(chat.Event{
			Kind: chat.EventMessageRead, Actor: reader, Conversation: in, By: &by, Group: group,
			Read: &marks[i].ReadMark, Recipients: []chat.AccountID{marks[i].Author},
		})
	}
	return nil
}

// HideMessage takes a message out of the caller's sight for good; nobody else
// notices (AC 14.7). Its author, its recipients and those who could see it may, also
// after they left. It fails with message_unknown.
func (s *Service) HideMessage(ctx context.Context, c Call, message chat.MessageID) error {
	if err := c.agent(); err != nil {
		return err
	}
	arrived := 0
	err := s.perform(ctx, c, "hide message", nil, func(ctx context.Context, ch *change) error {
		arrived = 0
		m, err := ch.Message(ctx, message)
		if m, err = known(m, err, chat.CodeMessageUnknown); err != nil {
			return err
		}
		e, err := ch.Envelope(ctx, message, c.Actor.Account)
		switch {
		case err == nil && e.State == chat.EnvelopeStored && !e.Hidden:
			arrived = 1
		case err == nil:
		case !errors.Is(err, store.ErrNotFound):
			return err
		default:
			if err := couldSee(ctx, ch, m, c.Actor.Account); err != nil {
				return err
			}
		}
		return ch.HideMessage(ctx, c.Actor.Account, message, ch.at)
	})
	if err == nil {
		s.pending.add(c.Actor.Account, -arrived)
	}
	return err
}

// couldSee fails with message_unknown unless the account has a place in the
// conversation, or had one, from which it saw the message.
func couldSee(ctx context.Context, r store.Reader, m *chat.Message, account chat.AccountID) error {
	at, err := r.Member(ctx, m.Conversation, account)
	if at, err = known(at, err, chat.CodeMessageUnknown); err != nil {
		return err
	}
	if m.Author != account && (m.Seq < at.JoinedSeq || !at.Active() && m.Seq > at.LeftSeq) {
		return chat.Fail(chat.CodeMessageUnknown)
	}
	return nil
}
