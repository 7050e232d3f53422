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

// GroupBrief is what a message or an invitation shows of its group.
type GroupBrief struct {
	Name    string
	Members int // active ones

	// Set for invitations only.
	Description string
	Avatar      string // as in Group
	AvatarURL   string
}

// MemberView is a member with the profile it has now.
type MemberView struct {
	Member
	Profile Profile
}

// GroupView is a group as one of its members sees it.
type GroupView struct {
	Group    Group
	Creator  Profile
	Members  []MemberView // active ones, earliest joined first
	YourRole MemberRole
}

// Invite is an invitation into a group. It waits for an answer until it ends: by
// being accepted, rejected or withdrawn.
type Invite struct {
	ID        InviteID
	Group     ConversationID
	Inviter   AccountID
	Invitee   AccountID
	CreatedAt time.Time
	EndedAt   time.Time // zero while it waits
}

// Open tells whether the invitation still waits for an answer.
func (i *Invite) Open() bool { return i.EndedAt.IsZero() }

// InviteView is an invitation with what its invitee is shown.
type InviteView struct {
	Invite
	Group GroupBrief
	By    Profile // the inviter
}
