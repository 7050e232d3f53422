package store

import (
	"context"

	"parley/internal/chat"
)

// GroupReader answers questions about groups, their members and invitations.
type GroupReader interface {
	// Group returns a group, a deleted one included.
	Group(ctx context.Context, id chat.ConversationID) (*chat.Group, error)
	// Member returns an account's place in a direct conversation or group. One
	// that has left is returned with LeftSeq set.
	Member(ctx context.Context, id chat.ConversationID, account chat.AccountID) (*chat.Member, error)
	// Members lists the active members of a group in the order they joined.
	Members(ctx context.Context, id chat.ConversationID) ([]chat.Member, error)
}

// GroupTx writes groups.
type GroupTx interface{}
