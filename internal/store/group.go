package store

import (
	"context"
	"time"

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
	// GroupsOf lists the groups that an account is an active member of, with ids
	// above after, ascending.
	GroupsOf(ctx context.Context, account chat.AccountID, after chat.ConversationID, limit int) ([]chat.ConversationID, error)

	// GroupSeats lists the active memberships of an account in groups, earliest
	// joined first.
	GroupSeats(ctx context.Context, account chat.AccountID, limit int) ([]GroupSeat, error)
	// GroupSeatCount counts the active memberships of an account in groups that were
	// made through a surface.
	GroupSeatCount(ctx context.Context, account chat.AccountID, madeBy chat.Surface) (int, error)
	// GroupOwners says whom groups have as their owner: the creator while
	// it is a member, else the earliest-joined admin. Groups without members are not
	// in the map.
	GroupOwners(ctx context.Context, groups []chat.ConversationID) (map[chat.ConversationID]chat.AccountID, error)

	// Invite returns an invitation, an ended one included.
	Invite(ctx context.Context, id chat.InviteID) (*chat.Invite, error)
	// OpenInvite returns the one invitation of an account into a group that waits
	// for an answer.
	OpenInvite(ctx context.Context, group chat.ConversationID, invitee chat.AccountID) (*chat.Invite, error)
	// InvitesTo lists the invitations of an account that wait, oldest first, at
	// most limit.
	InvitesTo(ctx context.Context, invitee chat.AccountID, limit int) ([]GroupInvite, error)
	// InvitesSince counts the invitations, ended ones included, that an account
	// made after a time, and says when the oldest of them was made (zero: none was).
	InvitesSince(ctx context.Context, inviter chat.AccountID, since time.Time) (n int, oldest time.Time, err error)
}

// GroupSeat is a group and one account's place in it.
type GroupSeat struct {
	Group  chat.Group
	Member chat.Member
}

// GroupInvite is an invitation with the group it leads into.
type GroupInvite struct {
	chat.Invite
	Group chat.GroupBrief
}

// GroupTx writes groups, their members and invitations.
type GroupTx interface {
	// InsertGroup stores a group without messages, and its members in the order
	// given.
	InsertGroup(ctx context.Context, g *chat.Group, members []chat.Member) error
	// UpdateGroup stores name, description, picture and deletion. It is
	// ErrNotFound if there is no such group.
	UpdateGroup(ctx context.Context, g *chat.Group) error
	// SetMember makes an account the newest member, with a role, the first number
	// it may see and the time it joined. A former member starts over.
	SetMember(ctx context.Context, m chat.Member) error
	// SetRole changes the role of an active member: ErrNotFound if it is none.
	SetRole(ctx context.Context, id chat.ConversationID, account chat.AccountID, role chat.MemberRole) error
	// EndMember ends the membership of an active member at LeftSeq and LeftAt, with
	// Removed: ErrNotFound if it is none. EndMembers ends all of a group.
	EndMember(ctx context.Context, m chat.Member) error
	EndMembers(ctx context.Context, id chat.ConversationID, seq int64, at time.Time) error
	// FlushEnvelopes marks the pending envelopes of a group as delivered at a
	// time: those of one recipient, or of all active members (0).
	FlushEnvelopes(ctx context.Context, id chat.ConversationID, recipient chat.AccountID, at time.Time) error

	// InsertInvite is ErrConflict if the account has an invitation into the group
	// that waits.
	InsertInvite(ctx context.Context, i *chat.Invite) error
	// EndInvite ends an invitation: ErrNotFound if it does not wait. EndInvites
	// ends all into a group that wait; those of an account end with ClearAccount.
	EndInvite(ctx context.Context, id chat.InviteID, at time.Time) error
	EndInvites(ctx context.Context, group chat.ConversationID, at time.Time) error
}
