package core

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// ConversationRef names a direct conversation or group, and which of them the
// caller takes it for; 0: either.
type ConversationRef struct {
	Kind         chat.ConversationKind
	Conversation chat.ConversationID
}

// seat is an account's place in a direct conversation or group that it takes part in.
type seat struct {
	conv   *chat.Conversation
	member *chat.Member
	group  *chat.Group // nil: a direct conversation
}

// peer is the other side of a direct conversation, 0 in a group.
func (s *seat) peer() chat.AccountID {
	if s.group != nil {
		return 0
	}
	return s.conv.Peer(s.member.Account)
}

// seatIn finds an account's seat. It fails with conversation_unknown for whoever
// takes no part, also in a direct conversation without messages; and with
// group_deleted for those who were members when a group was deleted.
func seatIn(ctx context.Context, r store.Reader, ref ConversationRef, account chat.AccountID) (*seat, error) {
	if ref.Kind == chat.ConversationGroup {
		return groupSeatIn(ctx, r, ref.Conversation, account)
	}
	conv, err := r.Conversation(ctx, ref.Conversation)
	if conv, err = known(conv, err, chat.CodeConversationUnknown); err != nil {
		return nil, err
	}
	if conv.Kind == chat.ConversationGroup && ref.Kind == 0 {
		return groupSeatIn(ctx, r, ref.Conversation, account)
	}
	if conv.Kind != chat.ConversationDirect || !conv.Joins(account) || !exists(conv) {
		return nil, chat.Fail(chat.CodeConversationUnknown)
	}
	m, err := r.Member(ctx, conv.ID, account)
	if err != nil {
		return nil, err
	}
	return &seat{conv: conv, member: m}, nil
}

func groupSeatIn(ctx context.Context, r store.Reader, group chat.ConversationID, account chat.AccountID) (*seat, error) {
	g, m, err := groupSeat(ctx, r, group, account)
	if chat.CodeOf(err) == chat.CodeGroupUnknown {
		err = chat.Fail(chat.CodeConversationUnknown)
	}
	if err != nil {
		return nil, err
	}
	return &seat{conv: &g.Conversation, member: m, group: g}, nil
}

// Unread is what an account has not read in a conversation.
type Unread struct {
	Count          int
	Oldest, Newest int64 // sequence numbers
}

// ConversationEntry is a conversation in its member's list.
type ConversationEntry struct {
	Conversation chat.Conversation
	With         *chat.Profile // the other side of a direct conversation
	Group        *chat.Group
	Last         *chat.Message // the newest one that the member sees; nil: none
	Unread       Unread
	Muted        bool // the conversation, or the other side
}

// ListConversations lists the caller's direct conversations and groups, without
// those it hid that saw no newer message; the latest visible message comes first
// (AC 13.1). limit is the dialect's.
func (s *Service) ListConversations(ctx context.Context, c Call, offset, limit int) ([]ConversationEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var list []ConversationEntry
	err := s.view(ctx, "list conversations", func(ctx context.Context, r store.Reader) error {
		var err error
		list, err = conversationsOf(ctx, r, c.Actor.Account, offset, limit, s.now())
		return err
	})
	return list, err
}

func conversationsOf(
	ctx context.Context, r store.Reader, account chat.AccountID, offset, limit int, now time.Time,
) ([]ConversationEntry, error) {
	listed, err := r.Listings(ctx, account, offset, limit)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.ConversationID, len(listed))
	var peers []chat.AccountID
	for i := range listed {
		conv := &listed[i].Conversation
		ids[i] = conv.ID
		if conv.Kind == chat.ConversationDirect {
			peers = append(peers, conv.Peer(account))
		}
	}
	who, err := profiles(ctx, r, peers)
	if err != nil {
		return nil, err
	}
	groups, err := r.Groups(ctx, ids)
	if err != nil {
		return nil, err
	}
	unread, err := r.Unread(ctx, account, ids)
	if err != nil {
		return nil, err
	}
	mutes, err := r.Mutes(ctx, []chat.AccountID{account})
	if err != nil {
		return nil, err
	}
	list := make([]ConversationEntry, len(listed))
	for i := range listed {
		conv := listed[i].Conversation
		e := ConversationEntry{
			Conversation: conv, Group: groups[conv.ID], Last: listed[i].Last, Unread: Unread(unread[conv.ID]),
		}
		from := chat.Event{Conversation: conv.ID}
		if conv.Kind == chat.ConversationDirect {
			with := who(conv.Peer(account))
			e.With, from.Actor = &with, with.ID
		}
		e.Muted = silenced(mutes, &from, now)
		list[i] = e
	}
	return list, nil
}

// ListParticipants lists the other side of a direct conversation, or the members of
// a group in the order they joined (AC 13.2). It fails with conversation_unknown or
// group_deleted.
func (s *Service) ListParticipants(ctx context.Context, c Call, ref ConversationRef) ([]chat.Profile, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var list []chat.Profile
	err := s.view(ctx, "list participants", func(ctx context.Context, r store.Reader) error {
		at, err := seatIn(ctx, r, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		ids, err := at.participants(ctx, r)
		if err != nil {
			return err
		}
		who, err := profiles(ctx, r, ids)
		if err != nil {
			return err
		}
		list = make([]chat.Profile, len(ids))
		for i, id := range ids {
			list[i] = who(id)
		}
		return nil
	})
	return list, err
}

// participants are the other side of a direct conversation, or all active members
// of a group.
func (s *seat) participants(ctx context.Context, r store.Reader) ([]chat.AccountID, error) {
	if s.group == nil {
		return []chat.AccountID{s.peer()}, nil
	}
	members, err := r.Members(ctx, s.conv.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.AccountID, len(members))
	for i := range members {
		ids[i] = members[i].Account
	}
	return ids, nil
}

// ConversationContext is what a member may know of a conversation beside its
// messages.
type ConversationContext struct {
	Conversation chat.Conversation
	Group        *chat.Group
	Role         chat.MemberRole // in the group
	With         *chat.Profile   // the other side of a direct conversation
	Contact      *chat.Contact   // the caller's entry for it; nil: it is no contact
	Unread       Unread
}

// ShowConversation returns the context of a conversation (AC 13.3). It fails with
// conversation_unknown or group_deleted.
func (s *Service) ShowConversation(ctx context.Context, c Call, ref ConversationRef) (*ConversationContext, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var out *ConversationContext
	err := s.view(ctx, "read conversation", func(ctx context.Context, r store.Reader) error {
		at, err := seatIn(ctx, r, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		unread, err := r.Unread(ctx, c.Actor.Account, []chat.ConversationID{at.conv.ID})
		if err != nil {
			return err
		}
		out = &ConversationContext{
			Conversation: *at.conv, Group: at.group, Role: at.member.Role, Unread: Unread(unread[at.conv.ID]),
		}
		if at.group != nil {
			return nil
		}
		return out.relate(ctx, r, c.Actor.Account)
	})
	return out, err
}

// relate adds the other side and what the account thinks of it.
func (x *ConversationContext) relate(ctx context.Context, r store.Reader, account chat.AccountID) error {
	peer := x.Conversation.Peer(account)
	who, err := profiles(ctx, r, []chat.AccountID{peer})
	if err != nil {
		return err
	}
	with := who(peer)
	x.With = &with
	entry, err := r.Contact(ctx, store.Edge{Owner: account, Target: peer})
	switch entry, err := known(entry, err, chat.CodeContactUnknown); chat.CodeOf(err) {
	case "":
		x.Contact = entry
	case chat.CodeContactUnknown:
	default:
		return err
	}
	return nil
}

// HideConversation takes everything that a conversation holds so far out of the
// caller's list, history and unread counts, and of nobody else's; what is not yet
// delivered is still offered (AC 13.4). It fails with conversation_unknown or
// group_deleted.
func (s *Service) HideConversation(ctx context.Context, c Call, ref ConversationRef) error {
	if err := c.agent(); err != nil {
		return err
	}
	return s.perform(ctx, c, "hide conversation", nil, func(ctx context.Context, ch *change) error {
		at, err := seatIn(ctx, ch, ref, c.Actor.Account)
		if err != nil {
			return err
		}
		through := at.conv.LastSeq
		if through == 0 {
			through = -1
		}
		return ch.HideConversation(ctx, store.Seat{Conversation: at.conv.ID, Account: c.Actor.Account}, through)
	})
}
