package core

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// mutesMost is how many mutes an account may have: all of them are listed at once,
// and read when it is written to.
const mutesMost = 1_000

// MuteEntry is a mute with what names its two sides.
type MuteEntry struct {
	chat.Mute
	By chat.Profile          // the owner
	Of chat.Profile          // of an account: whom it silences
	In chat.ConversationKind // of a conversation: which kind it is
}

// SetMute silences an account or conversation for the caller until a time, zero for
// good; the one that is there takes the new end (AC 11.1). It fails with self_mute,
// account_unknown, conversation_unknown, mute_foreign, field_invalid, mute_cap or
// rate_limited.
func (s *Service) SetMute(ctx context.Context, c Call, t MuteTarget, until time.Time) (*MuteEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if err := s.takeOf(c, rateMutes, strconv.FormatInt(int64(c.Actor.Account), 10)); err != nil {
		return nil, err
	}
	var out MuteEntry
	err := s.perform(ctx, c, "set mute", &out, func(ctx context.Context, ch *change) error {
		if !until.IsZero() && !until.After(ch.at) {
			return chat.FailField(chat.CodeFieldInvalid, "muted_until")
		}
		owner, err := ch.Account(ctx, c.Actor.Account)
		if err != nil {
			return err
		}
		entry := MuteEntry{
			Mute: chat.Mute{Owner: owner.ID, Kind: t.Kind, Until: until, CreatedAt: ch.at}, By: owner.Profile(),
		}
		if err := entry.aim(ctx, ch, t); err != nil {
			return err
		}
		if err := entry.follow(ctx, ch); err != nil {
			return err
		}
		if err := ch.SetMute(ctx, entry.Mute); err != nil {
			return err
		}
		out = entry
		return muting(ctx, ch, owner, true)
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// follow takes over from the mute of the same target, if there is one that has not
// ended; if not, there must be room for one more.
func (e *MuteEntry) follow(ctx context.Context, ch *change) error {
	list, err := ch.Mutes(ctx, []chat.AccountID{e.Owner})
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(m chat.Mute) bool { return !m.Active(ch.at) })
	for _, m := range list {
		if m.Kind == e.Kind && m.Target == e.Target {
			e.CreatedAt = m.CreatedAt
			return nil
		}
	}
	if len(list) >= mutesMost {
		return &chat.Error{Code: chat.CodeMuteCap, Max: mutesMost}
	}
	return nil
}

// muting notes on an account whether it may have mutes.
func muting(ctx context.Context, ch *change, owner *chat.Account, on bool) error {
	if owner.Muting == on {
		return nil
	}
	owner.Muting = on
	return ch.UpdateAccount(ctx, owner)
}

// ListMutes lists the caller's mutes that have not ended, of one kind or (0) of
// both, the newest first (AC 11.2).
func (s *Service) ListMutes(ctx context.Context, c Call, kind chat.MuteKind) ([]MuteEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var out []MuteEntry
	now := s.now()
	err := s.view(ctx, "list mutes", func(ctx context.Context, r store.Reader) error {
		list, err := r.Mutes(ctx, []chat.AccountID{c.Actor.Account})
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(m chat.Mute) bool {
			return !m.Active(now) || kind != 0 && m.Kind != kind
		})
		slices.SortFunc(list, func(a, b chat.Mute) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Kind, b.Kind), cmp.Compare(b.Target, a.Target))
		})
		out, err = muteEntries(ctx, r, c.Actor.Account, list)
		return err
	})
	return out, err
}

// muteEntries shows mutes of one owner. One of a conversation that was removed
// since silences nothing and is left out.
func muteEntries(
	ctx context.Context, r store.Reader, owner chat.AccountID, list []chat.Mute,
) ([]MuteEntry, error) {
	accounts := []chat.AccountID{owner}
	var conversations []chat.ConversationID
	for _, m := range list {
		if m.Kind == chat.MuteAccount {
			accounts = append(accounts, chat.AccountID(m.Target))
		} else {
			conversations = append(conversations, chat.ConversationID(m.Target))
		}
	}
	who, err := profiles(ctx, r, accounts)
	if err != nil {
		return nil, err
	}
	kinds, err := r.ConversationKinds(ctx, conversations)
	if err != nil {
		return nil, err
	}
	entries := make([]MuteEntry, 0, len(list))
	for _, m := range list {
		e := MuteEntry{Mute: m, By: who(owner)}
		if m.Kind == chat.MuteAccount {
			e.Of = who(chat.AccountID(m.Target))
		} else if e.In = kinds[chat.ConversationID(m.Target)]; e.In == 0 {
			continue
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// ShowMute returns the caller's mute of a target: mute_unknown if there is none
// that has not ended (AC 11.3).
func (s *Service) ShowMute(ctx context.Context, c Call, t MuteTarget) (*MuteEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var out *MuteEntry
	now := s.now()
	err := s.view(ctx, "read mute", func(ctx context.Context, r store.Reader) error {
		m, err := muteOf(ctx, r, c.Actor.Account, t, now)
		if err != nil {
			return err
		}
		entries, err := muteEntries(ctx, r, m.Owner, []chat.Mute{*m})
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return chat.Fail(chat.CodeMuteUnknown)
		}
		out = &entries[0]
		return nil
	})
	return out, err
}

// muteOf reads a mute that has not ended: mute_unknown if there is none.
func muteOf(
	ctx context.Context, r store.Reader, owner chat.AccountID, t MuteTarget, now time.Time,
) (*chat.Mute, error) {
	target := int64(t.Conversation)
	if t.Kind == chat.MuteAccount {
		a, err := t.account(ctx, r)
		if chat.CodeOf(err) == chat.CodeAccountUnknown {
			return nil, chat.Fail(chat.CodeMuteUnknown)
		}
		if err != nil {
			return nil, err
		}
		target = int64(a.ID)
	}
	m, err := r.Mute(ctx, owner, t.Kind, target)
	if m, err = known(m, err, chat.CodeMuteUnknown); err != nil {
		return nil, err
	}
	if !m.Active(now) {
		return nil, chat.Fail(chat.CodeMuteUnknown)
	}
	return m, nil
}

// RemoveMute lets an account or conversation be heard again (AC 11.4). It fails with
// mute_unknown or rate_limited.
func (s *Service) RemoveMute(ctx context.Context, c Call, t MuteTarget) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	if err := s.takeOf(c, rateMutes, strconv.FormatInt(int64(c.Actor.Account), 10)); err != nil {
		return err
	}
	return s.perform(ctx, c, "remove mute", nil, func(ctx context.Context, ch *change) error {
		m, err := muteOf(ctx, ch, c.Actor.Account, t, ch.at)
		if err != nil {
			return err
		}
		if err := ch.DeleteMute(ctx, m.Owner, m.Kind, m.Target); err != nil {
			return err
		}
		left, err := ch.Mutes(ctx, []chat.AccountID{m.Owner})
		if err != nil || len(left) > 0 {
			return err
		}
		owner, err := ch.Account(ctx, m.Owner)
		if err != nil {
			return err
		}
		return muting(ctx, ch, owner, false)
	})
}
