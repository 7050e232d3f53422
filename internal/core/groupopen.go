package core

import (
	"context"

	"parley/internal/chat"
)

// This file is about groups that are joined by id (AI 8.5 to 8.11).

// OpenGroup is a group as /ai shows it.
type OpenGroup struct {
	Group chat.Group
	Owner chat.AccountID // 0: nobody
}

// JoinedGroup is a group with the caller's place in it.
type JoinedGroup struct {
	OpenGroup
	Seat chat.Member
}

// outsider says how an account that is no member of a group is refused: not_member
// where it could join by id, group_unknown where it could not or nothing is left.
func (s *Service) outsider(ctx context.Context, group chat.ConversationID) error {
	return chat.Fail(chat.CodeNotMember)
}

func (s *Service) ListGroups(ctx context.Context, c Call) ([]JoinedGroup, error) {
	return nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) JoinGroup(ctx context.Context, c Call, group chat.ConversationID) (joined *OpenGroup, already bool, err error) {
	return nil, false, chat.Fail(chat.CodeInternal)
}

func (s *Service) ListGroupMembers(ctx context.Context, c Call, group chat.ConversationID) (owner chat.AccountID, list []chat.MemberView, err error) {
	return 0, nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) ReadGroup(ctx context.Context, c Call, group chat.ConversationID, in TimePage) (*Messages, error) {
	return nil, chat.Fail(chat.CodeInternal)
}
