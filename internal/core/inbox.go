package core

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// SyncQuery asks for what waits for an account.
type SyncQuery struct {
	After chat.MessageID // only what was written later; 0: from the start
	Limit int
}

// Sync lists the caller's undelivered messages over all conversations in the order
// of writing (AC 15.1). It moves nothing. An account that is fully paused, and one
// that names a message it has no copy of, is offered nothing.
func (s *Service) Sync(ctx context.Context, c Call, in SyncQuery) ([]chat.MessageRow, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var rows []chat.MessageRow
	err := s.view(ctx, "read inbox", func(ctx context.Context, r store.Reader) error {
		if ok, err := mayDrain(ctx, r, c.Actor.Account, in.After); !ok {
			return err
		}
		var err error
		rows, err = pendingRows(ctx, r, c.Actor.Account, in)
		return err
	})
	return rows, err
}

// pendingRows lists what waits for an account as it sees it.
func pendingRows(ctx context.Context, r store.Reader, account chat.AccountID, in SyncQuery) ([]chat.MessageRow, error) {
	list, err := r.Pending(ctx, account, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	rows := make([]chat.MessageRow, len(list))
	for i, m := range list {
		rows[i] = chat.MessageRow{MessageView: chat.MessageView{Message: m}, Envelope: &chat.Envelope{
			Message: m.ID, Recipient: account, Conversation: m.Conversation, Seq: m.Seq,
		}}
	}
	return rows, joinRows(ctx, r, rows)
}

// mayDrain tells whether an account is offered what waits for it, and whether the
// cursor, if it is not zero, is a message that it has a copy of.
func mayDrain(ctx context.Context, r store.Reader, account chat.AccountID, cursor chat.MessageID) (bool, error) {
	a, err := r.Account(ctx, account)
	if err != nil || a.Pause == chat.PauseFull {
		return false, err
	}
	if cursor == 0 {
		return true, nil
	}
	_, err = r.Envelope(ctx, cursor, account)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Acknowledge marks what Sync offers up to and including a message as delivered,
// and returns how many moved (AC 15.2): none for a message that the caller has no
// copy of, and while it is fully paused.
func (s *Service) Acknowledge(ctx context.Context, c Call, through chat.MessageID) (int, error) {
	if err := c.agent(); err != nil {
		return 0, err
	}
	if c.Input != nil {
		return 0, c.Input
	}
	acked := 0
	err := s.perform(ctx, c, "acknowledge messages", &acked, func(ctx context.Context, ch *change) error {
		acked = 0
		ok, err := mayDrain(ctx, ch, c.Actor.Account, through)
		if !ok || through == 0 {
			return err
		}
		acked, err = ch.Acknowledge(ctx, c.Actor.Account, through, ch.at)
		return err
	})
	if err != nil {
		return 0, err
	}
	if !c.Once.Replayed() {
		s.pending.add(c.Actor.Account, -acked)
	}
	return acked, nil
}

// ReadThrough marks the caller's copies of a conversation up to and including a
// sequence number as read, and tells each author its last one that was (AC 19.6).
// It fails with conversation_unknown or group_deleted.
func (s *Service) ReadThrough(ctx context.Context, c Call, ref ConversationRef, through int64) error {
	if err := c.agent(); err != nil {
		return err
	}
	arrived := 0
	err := s.update(ctx, "read through", func(ctx context.Context, ch *change) error {
		at, err := seatIn(ctx, ch, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		var marks []store.Reading
		seat := store.Seat{Conversation: at.conv.ID, Account: c.Actor.Account}
		if marks, arrived, err = ch.ReadThrough(ctx, seat, through, ch.at); err != nil {
			return err
		}
		if marks, err = withoutGone(ctx, ch, marks); err != nil {
			return err
		}
		var group *chat.GroupBrief
		if at.group != nil {
			group = at.group.Brief()
		}
		return tellRead(ctx, ch, c.Actor.Account, at.conv.ID, group, marks)
	})
	if err == nil {
		s.pending.add(c.Actor.Account, -arrived)
	}
	return err
}

// withoutGone leaves out the marks of authors who have removed their account.
func withoutGone(ctx context.Context, r store.Reader, marks []store.Reading) ([]store.Reading, error) {
	ids := make([]chat.AccountID, len(marks))
	for i := range marks {
		ids[i] = marks[i].Author
	}
	who, err := profiles(ctx, r, ids)
	if err != nil {
		return nil, err
	}
	kept := make([]store.Reading, 0, len(marks))
	for _, m := range marks {
		if !who(m.Author).Gone {
			kept = append(kept, m)
		}
	}
	return kept, nil
}

// expireEvery is how often old envelopes are looked for: it takes a look at all that
// waits.
const expireEvery = time.Hour

// expire marks envelopes as expired that waited for longer than they are kept (AC
// 14.1): they are no longer offered and count for no backlog.
func (s *Service) expire(ctx context.Context) error {
	now := s.now()
	if s.retention == 0 || now.Sub(time.UnixMilli(s.expired.Load())) < expireEvery {
		return nil
	}
	for {
		var stale []chat.Envelope
		err := s.view(ctx, "find stale envelopes", func(ctx context.Context, r store.Reader) error {
			var err error
			stale, err = r.StaleEnvelopes(ctx, now.Add(-s.retention), sweepRows)
			return err
		})
		if err != nil {
			return err
		}
		if len(stale) == 0 {
			s.expired.Store(now.UnixMilli())
			return nil
		}
		if err := s.expireEnvelopes(ctx, stale); err != nil {
			return err
		}
	}
}

func (s *Service) expireEnvelopes(ctx context.Context, stale []chat.Envelope) error {
	of := make(map[chat.AccountID][]chat.MessageID)
	for i := range stale {
		e := &stale[i]
		of[e.Recipient] = append(of[e.Recipient], e.Message)
	}
	err := s.update(ctx, "expire envelopes", func(ctx context.Context, ch *change) error {
		for recipient, messages := range of {
			if err := ch.ExpireEnvelopes(ctx, recipient, messages); err != nil {
				return err
			}
		}
		return nil
	})
	for recipient := range of {
		s.pending.forget(recipient)
	}
	return err
}
