package chat

import "time"

// Group is a conversation among invited or joined accounts, with what a direct
// one lacks.
type Group struct {
	Conversation

	MadeBy      Surface
	Name        string
	Description string // "" is none
	Avatar      string // key of an uploaded picture, "" if there is none
	AvatarURL   string // address of a picture elsewhere; never beside Avatar
	CreatedBy   AccountID
	// ByInvitation groups are joined by accepting an invitation, others by id;
	// FromStart groups show newcomers their whole history.
	ByInvitation bool
	FromStart    bool
	Members      int       // active ones
	DeletedAt    time.Time // zero unless deleted; its last members are told so
	DeletedBy    AccountID
}

// Gone tells whether the group was deleted.
func (g *Group) Gone() bool { return !g.DeletedAt.IsZero() }

// Brief returns what goes with each message of the group.
func (g *Group) Brief() *GroupBrief {
	return &GroupBrief{Name: g.Name, Members: g.Members}
}

// GroupBrief is what a message shows of its group.
type GroupBrief struct {
	Name    string
	Members int // active ones
}

// Invite is an invitation into a group that waits for an answer.
type Invite struct {
	ID        InviteID
	Group     ConversationID
	Inviter   AccountID
	Invitee   AccountID
	CreatedAt time.Time
}
