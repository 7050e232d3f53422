package core

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	presencesAsked = 100    // handles of one request
	presencesTold  = 100    // changes of one transaction, so that many at once do not crowd out sends
	watchersTold   = 10_000 // of one change
)

// SocketOpened notes that an account has opened a socket: the first one brings it
// online (AC 12). Its watchers learn of it by calling tell, which may take its time.
func (s *Service) SocketOpened(account chat.AccountID) (tell func(context.Context)) {
	if !s.live.opened(account, s.now()) {
		return func(context.Context) {}
	}
	return func(ctx context.Context) { s.tellPresence(ctx, true, account) }
}

// SocketClosed notes that an account's socket has gone: with the last one it goes
// offline, after a grace.
func (s *Service) SocketClosed(account chat.AccountID) {
	s.live.closed(account, s.now())
}

// SocketAlive notes a sign of life on an account's socket.
func (s *Service) SocketAlive(account chat.AccountID) { s.live.alive(account, s.now()) }

// Connected tells whether an account has an open socket.
func (s *Service) Connected(account chat.AccountID) bool {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	a := s.live.of[account]
	return a != nil && a.sockets > 0
}

// PresenceOf is what an account shows of itself now.
func (s *Service) PresenceOf(a *chat.Account) chat.Presence {
	return s.live.show(a.ID, a.Presence, s.now())
}

// present puts what the account shows now into a profile.
func (s *Service) present(p *chat.Profile) {
	if !p.Gone {
		p.Presence = s.live.show(p.ID, p.Presence, s.now())
	}
}

// PresenceEntry is what an account shows of itself, and when it was last seen.
type PresenceEntry struct {
	Handle   string
	Presence chat.Presence
	SeenAt   time.Time // zero: never
}

func (s *Service) presenceEntry(a *chat.Account) PresenceEntry {
	return PresenceEntry{Handle: a.Handle, Presence: s.PresenceOf(a), SeenAt: s.live.lastSeen(a.ID, a.LastSeenAt)}
}

// AnnouncePresence sets the caller's status until it changes by itself: with its
// sockets, or five minutes after the last sign of life (AC 12.2). It takes the place
// of what was chosen to last, text included. It fails with status_text_long.
func (s *Service) AnnouncePresence(ctx context.Context, c Call, in chat.Presence) (*PresenceEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if upper := limits(c.Surface).StatusText; utf8.RuneCountInString(in.Text) > upper {
		return nil, &chat.Error{Code: chat.CodeStatusTextLong, Field: "custom_message", Max: upper}
	}
	if !storable(in.Text) {
		return nil, chat.FailField(chat.CodeFieldInvalid, "custom_message")
	}
	var out PresenceEntry
	var before chat.Presence
	ran := false
	err := s.perform(ctx, c, "announce presence", &out, func(ctx context.Context, ch *change) error {
		ran = true
		a, err := ch.Account(ctx, c.Actor.Account)
		if err != nil {
			return err
		}
		before = s.live.show(a.ID, a.Presence, ch.at)
		after := chat.Presence{Status: in.Status, Text: in.Text}
		out = PresenceEntry{Handle: a.Handle, Presence: after, SeenAt: ch.at}
		if kept := (chat.Presence{Text: in.Text}); a.Presence != kept {
			a.Presence, a.UpdatedAt = kept, ch.at
			return ch.UpdateAccount(ctx, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if ran {
		s.live.announce(c.Actor.Account, in.Status, s.now())
		before.Chosen = false
		if before != out.Presence {
			s.tellPresence(ctx, false, c.Actor.Account)
		}
	}
	return &out, nil
}

// ShowPresence returns the presence of the caller itself or of one of its contacts:
// presence_unknown for everybody else, and for who may not act (AC 12.1).
func (s *Service) ShowPresence(ctx context.Context, c Call, handle string) (*PresenceEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	list, err := s.presencesOf(ctx, c.Actor.Account, []string{handle})
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, chat.Fail(chat.CodePresenceUnknown)
	}
	return &list[0], nil
}

// ListPresences returns the presences of those of 1 to 100 handles of which
// ShowPresence would tell, in the order asked, each once (AC 12.3). It fails with
// field_invalid.
func (s *Service) ListPresences(ctx context.Context, c Call, handles []string) ([]PresenceEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if len(handles) < 1 || len(handles) > presencesAsked {
		return nil, chat.FailField(chat.CodeFieldInvalid, "handles")
	}
	return s.presencesOf(ctx, c.Actor.Account, handles)
}

func (s *Service) presencesOf(ctx context.Context, viewer chat.AccountID, handles []string) ([]PresenceEntry, error) {
	var list []PresenceEntry
	err := s.view(ctx, "read presences", func(ctx context.Context, r store.Reader) error {
		accounts, err := r.AccountsByHandle(ctx, handles)
		if err != nil {
			return err
		}
		ids := make([]chat.AccountID, 0, len(accounts))
		for _, a := range accounts {
			ids = append(ids, a.ID)
		}
		among, err := r.ContactsAmong(ctx, viewer, ids)
		if err != nil {
			return err
		}
		list = make([]PresenceEntry, 0, len(ids))
		for _, h := range handles {
			a := accounts[h]
			if a == nil || a.Gone() || a.Off() || a.ID != viewer && !among[a.ID] {
				continue
			}
			delete(accounts, h) // one that is asked for again is shown once
			list = append(list, s.presenceEntry(a))
		}
		return nil
	})
	return list, err
}

// tellPresence tells those who watch accounts what they show now. An automatic
// change of one that has chosen what to show is none. Whoever cannot be told now
// reads it later.
func (s *Service) tellPresence(ctx context.Context, automatic bool, accounts ...chat.AccountID) {
	for part := range slices.Chunk(accounts, presencesTold) {
		watched := make([]chat.AccountID, 0, len(part))
		err := s.view(ctx, "find watchers", func(ctx context.Context, r store.Reader) error {
			for _, account := range part {
				list, err := r.Watchers(ctx, account, 1)
				if err != nil {
					return err
				}
				if len(list) > 0 {
					watched = append(watched, account)
				}
			}
			return nil
		})
		if err == nil && len(watched) > 0 {
			err = s.update(ctx, "tell presence", func(ctx context.Context, ch *change) error {
				for _, account := range watched {
					if err := s.emitPresence(ctx, ch, account, automatic); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "presence not told", "accounts", len(part), "error", err)
		}
	}
}

// emitPresence emits what an account shows now, if anybody watches it.
func (s *Service) emitPresence(ctx context.Context, ch *change, account chat.AccountID, automatic bool) error {
	a, err := ch.Account(ctx, account)
	if err != nil || a.Gone() || automatic && a.Presence.Chosen {
		return err
	}
	list, err := ch.Watchers(ctx, account, watchersTold)
	if err != nil || len(list) == 0 {
		return err
	}
	by := a.Profile()
	by.Presence = s.live.show(a.ID, a.Presence, ch.at)
	presence := by.Presence
	ch.emit(chat.Event{
		Kind: chat.EventPresenceChanged, Actor: a.ID, Account: a.ID, Presence: &presence, By: &by, Recipients: list,
	})
	return nil
}
