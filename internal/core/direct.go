package core

import (
	"context"
	"errors"

	"parley/internal/chat"
	"parley/internal/store"
)

// OpenDirect returns the direct conversation of the caller and another account,
// and whether it was there already; it makes an empty one if not (OC 10.2). It
// meets state and blocks and no other policy: self, account_unknown for a peer
// that is gone or may not act, blocked.
func (s *Service) OpenDirect(ctx context.Context, c Call, peer chat.AccountID) (*chat.Direct, bool, error) {
	if err := c.signedIn(); err != nil {
		return nil, false, err
	}
	if c.Input != nil {
		return nil, false, c.Input
	}
	if peer == c.Actor.Account {
		return nil, false, chat.Fail(chat.CodeSelf)
	}
	var out *chat.Direct
	existing := false
	err := s.update(ctx, "open direct conversation", func(ctx context.Context, ch *change) error {
		a, err := liveAccount(ctx, ch, peer)
		if err != nil {
			return err
		}
		if a.Off() {
			return chat.Fail(chat.CodeAccountUnknown)
		}
		if err := unblocked(ctx, ch, c.Actor.Account, peer); err != nil {
			return err
		}
		low, high := chat.Pair(c.Actor.Account, peer)
		conv, err := ch.DirectOf(ctx, low, high)
		if err == nil {
			existing = true
			out = &chat.Direct{Conversation: *conv, With: a.Profile()}
			return nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		conv = newDirect(chat.ConversationID(n), low, high)
		conv.CreatedAt = s.now()
		existing = false
		out = &chat.Direct{Conversation: *conv, With: a.Profile()}
		ch.emit(directCreated(conv, c.Actor.Account))
		return ch.InsertDirect(ctx, conv)
	})
	if err != nil {
		return nil, false, err
	}
	s.present(&out.With)
	return out, existing, nil
}

func newDirect(id chat.ConversationID, low, high chat.AccountID) *chat.Conversation {
	return &chat.Conversation{ID: id, Kind: chat.ConversationDirect, Low: low, High: high}
}

func directCreated(c *chat.Conversation, actor chat.AccountID) chat.Event {
	return chat.Event{
		Kind: chat.EventDirectCreated, Actor: actor, Conversation: c.ID, Recipients: []chat.AccountID{c.Low, c.High},
	}
}

// unblocked fails with blocked if either of two accounts blocks the other.
func unblocked(ctx context.Context, r store.Reader, a, b chat.AccountID) error {
	facts, err := r.SendFacts(ctx, []store.SendKey{{Author: a, Peer: b}})
	if err != nil {
		return err
	}
	if blocked(facts, a, b) {
		return chat.Fail(chat.CodeBlocked)
	}
	return nil
}

// DirectPage is a page of the caller's direct conversations.
type DirectPage struct {
	Directs []chat.Direct
	More    bool
}

// ListDirects lists the caller's direct conversations, empty ones included,
// latest activity first (OC 10.1). Beyond the newest 1,000 the caller names the
// last one seen (after; 0: from the top). limit 0 is the most. It fails with
// page_limit.
func (s *Service) ListDirects(ctx context.Context, c Call, after chat.ConversationID, limit chat.Opt[int64]) (*DirectPage, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	l := limits(c.Surface)
	n, err := pageSize(limit, l.DirectsPage, l.DirectsPage)
	if err != nil {
		return nil, err
	}
	page := &DirectPage{}
	err = s.view(ctx, "list direct conversations", func(ctx context.Context, r store.Reader) error {
		list, err := r.Directs(ctx, c.Actor.Account, after, n+1)
		if err != nil {
			return err
		}
		page.More = len(list) > n
		list = list[:min(n, len(list))]
		ids := make([]chat.AccountID, len(list))
		for i := range list {
			ids[i] = list[i].Peer(c.Actor.Account)
		}
		who, err := profiles(ctx, r, ids)
		if err != nil {
			return err
		}
		page.Directs = make([]chat.Direct, len(list))
		for i := range list {
			page.Directs[i] = chat.Direct{Conversation: list[i], With: who(ids[i])}
			s.present(&page.Directs[i].With)
		}
		return nil
	})
	return page, err
}

// pageSize checks the size asked for a page, without clamping.
func pageSize(asked chat.Opt[int64], usual, most int) (int, error) {
	if !asked.Present || asked.Null {
		return usual, nil
	}
	if asked.Value < 1 || asked.Value > int64(most) {
		return 0, &chat.Error{Code: chat.CodePageLimit, Field: "limit", Min: 1, Max: most}
	}
	return int(asked.Value), nil
}
