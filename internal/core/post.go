package core

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// posting is a system message to be stored with the change it tells of (AC 16.14).
type posting struct {
	Conversation chat.ConversationID // a group
	Author       chat.AccountID
	Data         []byte           // a JSON object
	To           []chat.AccountID // who gets an envelope; nil: all active members but the author
}

// post stores a system message. No rate and no policy stops it; recipients who have
// too much waiting are passed over as for any message.
func (s *Service) post(ctx context.Context, ch *change, p posting) (*chat.Message, error) {
	conv, err := ch.Conversation(ctx, p.Conversation)
	if err != nil {
		return nil, err
	}
	group, err := ch.Group(ctx, p.Conversation)
	if err != nil {
		return nil, err
	}
	to, err := s.addressees(ctx, ch, p)
	if err != nil {
		return nil, err
	}
	by, err := profiles(ctx, ch, []chat.AccountID{p.Author})
	if err != nil {
		return nil, err
	}
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return nil, err
	}
	advance(conv, ch.at)
	m := &chat.Message{
		ID: chat.MessageID(n), Conversation: conv.ID, Seq: conv.LastSeq, Author: p.Author,
		Kind: chat.MessageSystem, Data: p.Data, CreatedAt: conv.LastAt,
	}
	w := store.Writes{Moved: []*chat.Conversation{conv}, Messages: []*chat.Message{m}, At: ch.at}
	for _, recipient := range to {
		w.Envelopes = append(w.Envelopes, chat.Envelope{
			Message: m.ID, Recipient: recipient, Conversation: conv.ID, Seq: m.Seq,
		})
	}
	if err := ch.Write(ctx, &w); err != nil {
		return nil, err
	}
	author := by(p.Author)
	e := chat.Event{
		Position: m.Position(), Kind: chat.EventMessageCreated, At: m.CreatedAt, Actor: p.Author,
		Conversation: conv.ID, Message: m, By: &author, Group: group.Brief(), Recipients: to,
	}
	if !slices.Contains(to, p.Author) {
		e.Recipients = append(slices.Clone(to), p.Author)
	}
	ch.emit(e)
	return m, nil
}

// addressees lists who gets an envelope of a posting. What is remembered of their
// backlogs is dropped, to be counted again: the caller holds the turn, so nobody
// counts before the change is there.
func (s *Service) addressees(ctx context.Context, ch *change, p posting) ([]chat.AccountID, error) {
	to := p.To
	if to == nil {
		members, err := ch.Members(ctx, p.Conversation)
		if err != nil {
			return nil, err
		}
		for _, m := range members {
			if m.Account != p.Author {
				to = append(to, m.Account)
			}
		}
	}
	accounts, err := ch.Accounts(ctx, to)
	if err != nil {
		return nil, err
	}
	kept := make([]chat.AccountID, 0, len(to))
	for _, id := range to {
		if a := accounts[id]; a != nil && a.Guarded {
			n := s.pending.get(id)
			if !s.pending.trusted(id, ch.at) {
				if n, err = ch.PendingCount(ctx, id, store.PendingLimit); err != nil {
					return nil, err
				}
			}
			if n >= backlogStop {
				continue
			}
			s.pending.forget(id)
		}
		kept = append(kept, id)
	}
	return kept, nil
}

// advance gives a conversation its next number and time: now, or just after the
// last one, so that times rise strictly.
func advance(conv *chat.Conversation, now time.Time) {
	conv.LastSeq++
	if floor := conv.LastAt.Add(time.Millisecond); now.Before(floor) {
		now = floor
	}
	conv.LastAt = now
}
