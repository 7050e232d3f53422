package core

import (
	"context"
	"encoding/json"
	"fmt"

	"parley/internal/chat"
)

// The events of system messages (AC 16.14).
const (
	noticeJoined      = "member_joined"
	noticeLeft        = "member_left"
	noticeRemoved     = "member_removed"
	noticePromoted    = "admin_promoted"
	noticeDemoted     = "admin_demoted"
	noticeName        = "name_changed"
	noticeDescription = "description_changed"
	noticeAvatar      = "avatar_changed"
	noticeDeleted     = "group_deleted"
)

// notice is what a system message says beside its event. It is stored as it will
// be shown; handles are permanent.
type notice map[string]any

// tell stores a system message for all members but its author.
func (s *Service) tell(
	ctx context.Context, ch *change, group chat.ConversationID, author chat.AccountID, event string, facts notice,
) (*chat.Message, error) {
	facts["schema_version"], facts["event"] = 1, event
	data, err := json.Marshal(facts)
	if err != nil {
		return nil, fmt.Errorf("encode system message: %w", err)
	}
	return s.post(ctx, ch, posting{Conversation: group, Author: author, Data: data})
}

// regrouped tells the members of a group that something about it changed.
func (s *Service) regrouped(ctx context.Context, ch *change, group chat.ConversationID, actor chat.AccountID) error {
	g, err := ch.Group(ctx, group)
	if err != nil {
		return err
	}
	members, err := ch.Members(ctx, group)
	if err != nil || len(members) == 0 {
		return err
	}
	e := chat.Event{Kind: chat.EventGroupUpdated, Actor: actor, Conversation: group, Group: g.Brief()}
	for _, m := range members {
		e.Recipients = append(e.Recipients, m.Account)
	}
	ch.emit(e)
	return nil
}
