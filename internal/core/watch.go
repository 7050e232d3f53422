package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// What a person may read of an agent of theirs (AC 22.3): what the agent itself
// sees, without any trace of having been read. The size of a page is the surface's to
// bound.

// watch runs fn on an agent of the caller: account_unknown for all others, then the
// held input error.
func (s *Service) watch(
	ctx context.Context, doing string, c Call, handle string,
	fn func(ctx context.Context, r store.Reader, a *chat.Account) error,
) error {
	if err := c.human(); err != nil {
		return err
	}
	return s.view(ctx, doing, func(ctx context.Context, r store.Reader) error {
		a, err := ownedAgent(ctx, r, c, handle)
		if err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		return fn(ctx, r, a)
	})
}

// ListOwnedConversations lists the latest conversations of an agent of the caller, as
// ListConversations does for the agent, and says which account the agent is.
func (s *Service) ListOwnedConversations(
	ctx context.Context, c Call, handle string, limit int,
) (list []ConversationEntry, agent chat.AccountID, err error) {
	err = s.watch(ctx, "list conversations", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		agent = a.ID
		var err error
		list, err = conversationsOf(ctx, r, a.ID, 0, limit, s.now())
		return err
	})
	return list, agent, err
}

// ReadOwnedHistory returns a page of a conversation of an agent of the caller, as
// ReadHistory does for the agent: conversation_unknown, group_deleted.
func (s *Service) ReadOwnedHistory(ctx context.Context, c Call, handle string, in HistoryQuery) ([]chat.MessageRow, error) {
	var rows []chat.MessageRow
	err := s.watch(ctx, "read history", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		at, err := seatIn(ctx, r, in.ConversationRef, a.ID)
		if err != nil {
			return err
		}
		rows, err = historyOf(ctx, r, at, in)
		return err
	})
	return rows, err
}

// ListOwnedContacts lists the first contacts of an agent of the caller, as
// ListContacts does for the agent.
func (s *Service) ListOwnedContacts(ctx context.Context, c Call, handle string, limit int) (*ContactPage, error) {
	var page *ContactPage
	err := s.watch(ctx, "list contacts", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		var err error
		page, err = contactPage(ctx, r, store.ContactQuery{Owner: a.ID, Limit: limit})
		return err
	})
	return page, err
}

// BlockEntry is a block with the profile of the one who is blocked.
type BlockEntry struct {
	chat.Block
	With chat.Profile
}

// BlockPage is the beginning of a list of blocks.
type BlockPage struct {
	Blocks []BlockEntry
	Total  int // with those that do not fit
}

// ListOwnedBlocks lists the newest blocks that an agent of the caller has set.
func (s *Service) ListOwnedBlocks(ctx context.Context, c Call, handle string, limit int) (*BlockPage, error) {
	var page *BlockPage
	err := s.watch(ctx, "list blocks", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		list, total, err := r.BlocksOf(ctx, a.ID, limit)
		if err != nil {
			return err
		}
		targets := make([]chat.AccountID, len(list))
		for i := range list {
			targets[i] = list[i].Target
		}
		who, err := profiles(ctx, r, targets)
		if err != nil {
			return err
		}
		page = &BlockPage{Blocks: make([]BlockEntry, len(list)), Total: total}
		for i := range list {
			page.Blocks[i] = BlockEntry{Block: list[i], With: who(list[i].Target)}
		}
		return nil
	})
	return page, err
}

// ShowOwnedGroup shows a group as an agent of the caller sees it: group_unknown,
// group_deleted.
func (s *Service) ShowOwnedGroup(ctx context.Context, c Call, handle string, group chat.ConversationID) (*chat.GroupView, error) {
	var view *chat.GroupView
	err := s.watch(ctx, "read group", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		var err error
		view, err = s.groupFor(ctx, r, group, a.ID)
		return err
	})
	return view, err
}

// SetOwnedGroupAvatar makes an uploaded picture that of a group of which an agent
// of the caller is an admin, as SetGroupAvatar does for the agent (AC 22.3).
func (s *Service) SetOwnedGroupAvatar(
	ctx context.Context, c Call, handle string, group chat.ConversationID, picture []byte,
) (string, error) {
	a, err := s.actingAgent(ctx, c, handle)
	if err != nil {
		return "", err
	}
	return s.setGroupAvatar(ctx, c, group, a.ID, picture)
}

// RemoveOwnedGroupAvatar takes the picture of such a group away, as
// RemoveGroupAvatar does for the agent (AC 22.3).
func (s *Service) RemoveOwnedGroupAvatar(ctx context.Context, c Call, handle string, group chat.ConversationID) error {
	a, err := s.actingAgent(ctx, c, handle)
	if err != nil {
		return err
	}
	return s.removeGroupAvatar(ctx, c, group, a.ID)
}

// actingAgent reads an agent for which the caller is about to act: not_permitted if
// it may not act itself.
func (s *Service) actingAgent(ctx context.Context, c Call, handle string) (*chat.Account, error) {
	a, err := s.ShowOwnedAgent(ctx, c, handle)
	if err == nil && a.Off() {
		return nil, chat.Fail(chat.CodeNotPermitted)
	}
	return a, err
}

// ShowOwnedPresence returns what an agent of the caller shows of itself.
func (s *Service) ShowOwnedPresence(ctx context.Context, c Call, handle string) (*PresenceEntry, error) {
	var entry PresenceEntry
	err := s.watch(ctx, "read presence", c, handle, func(_ context.Context, _ store.Reader, a *chat.Account) error {
		entry = s.presenceEntry(a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &entry, nil
}

// WatchedProfile is the profile of somebody whom an agent knows.
type WatchedProfile struct {
	chat.Profile
	Own      bool // the owner of the agent owns this one, too
	Presence PresenceEntry
}

// ShowOwnedProfile shows the profile of an account with which an agent of the caller
// shares a conversation, or of another agent of the caller's: account_unknown for
// all others, and for strangers who may not act. The text beside a presence is not
// for owners (AC 22.3).
func (s *Service) ShowOwnedProfile(ctx context.Context, c Call, handle, target string) (*WatchedProfile, error) {
	var out *WatchedProfile
	err := s.watch(ctx, "read profile", c, handle, func(ctx context.Context, r store.Reader, a *chat.Account) error {
		t, err := givenTo(ctx, r, target)
		if err != nil {
			return err
		}
		own := t.Owned != chat.OwnedByNobody && t.Owner == c.Actor.Account
		if t.Gone() || t.Off() && !own {
			return chat.Fail(chat.CodeAccountUnknown)
		}
		if !own {
			meet, err := r.Meet(ctx, a.ID, t.ID)
			if err != nil {
				return err
			}
			if !meet {
				return chat.Fail(chat.CodeAccountUnknown)
			}
		}
		out = &WatchedProfile{Profile: t.Profile(), Own: own, Presence: s.presenceEntry(t)}
		out.Presence.Presence.Text = ""
		return nil
	})
	return out, err
}
