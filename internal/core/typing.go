package core

import (
	"context"
	"slices"
	"strconv"

	"parley/internal/chat"
	"parley/internal/store"
)

// Type tells the others in a conversation that the caller started or stopped
// typing (AC 19.6). What is too much, and what would cross a block, is dropped
// without a word; it fails with conversation_unknown or group_deleted.
func (s *Service) Type(ctx context.Context, c Call, ref ConversationRef, started bool) error {
	if err := c.agent(); err != nil {
		return err
	}
	if s.take(rateTyping, strconv.FormatInt(int64(c.Actor.Account), 10)) != nil {
		return nil
	}
	var e *chat.Event
	err := s.view(ctx, "tell of typing", func(ctx context.Context, r store.Reader) error {
		at, err := seatIn(ctx, r, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		if at.group == nil {
			err := unblocked(ctx, r, c.Actor.Account, at.peer())
			if chat.CodeOf(err) == chat.CodeBlocked {
				return nil
			}
			if err != nil {
				return err
			}
		}
		e, err = s.typing(ctx, r, at, started)
		return err
	})
	if err == nil && e != nil {
		s.publish([]chat.Event{*e})
	}
	return err
}

// typing is the event for the others in a conversation.
func (s *Service) typing(ctx context.Context, r store.Reader, at *seat, started bool) (*chat.Event, error) {
	who := at.member.Account
	to, err := at.participants(ctx, r)
	if err != nil {
		return nil, err
	}
	to = slices.DeleteFunc(to, func(id chat.AccountID) bool { return id == who })
	e := &chat.Event{
		Kind: chat.EventTypingStopped, At: s.now(), Actor: who, Conversation: at.conv.ID, Recipients: to,
	}
	if started {
		e.Kind = chat.EventTypingStarted
	}
	if at.group != nil {
		e.Group = at.group.Brief()
	}
	accounts, err := r.Accounts(ctx, append(slices.Clone(to), who))
	if err != nil {
		return nil, err
	}
	by := profileIn(accounts, who)
	e.By = &by
	return e, s.hush(ctx, r, []*chat.Event{e}, accounts)
}

// hush finds out which recipients of events are not to be told live: those fully
// paused, and those who muted the source. accounts has them all.
func (s *Service) hush(
	ctx context.Context, r store.Reader, events []*chat.Event, accounts map[chat.AccountID]*chat.Account,
) error {
	var muting []chat.AccountID
	for id, a := range accounts {
		if a.Muting {
			muting = append(muting, id)
		}
	}
	list, err := r.Mutes(ctx, muting)
	if err != nil {
		return err
	}
	mutes := make(map[chat.AccountID][]chat.Mute, len(muting))
	for _, m := range list {
		mutes[m.Owner] = append(mutes[m.Owner], m)
	}
	now := s.now()
	for _, e := range events {
		for _, id := range e.Recipients {
			a := accounts[id]
			if a != nil && id != e.Actor && (a.Pause == chat.PauseFull || silenced(mutes[id], e, now)) {
				e.Quiet = append(e.Quiet, id)
			}
		}
	}
	return nil
}
