package chat

import "time"

// ConversationKind tells the three shapes of a conversation apart.
type ConversationKind uint8

// The kinds. The numbers are stored and never change.
const (
	ConversationChannel ConversationKind = 1 // belongs to a space
	ConversationDirect  ConversationKind = 2 // between two accounts
	ConversationGroup   ConversationKind = 3 // among invited or joined accounts
)

// Conversation is an ordered sequence of messages. Sequence numbers start at 1,
// have no holes when assigned, and are in commit order; message times rise
// strictly.
type Conversation struct {
	ID        ConversationID
	Kind      ConversationKind
	LastSeq   int64     // 0: nothing was ever written
	LastAt    time.Time // time of number LastSeq; zero if there is none
	CreatedAt time.Time

	Space       SpaceID // channels
	Overwritten bool    // channels: entitlement overwrites exist

	// Direct conversations: the pair, ascending; who wrote number 1 and when;
	// whether the other side ever answered.
	Low, High   AccountID
	Initiator   AccountID
	OpenedAt    time.Time
	Established bool
}

// Peer returns the other side of a direct conversation.
func (c *Conversation) Peer(of AccountID) AccountID {
	if c.Low == of {
		return c.High
	}
	return c.Low
}

// Joins tells whether account is one of the two sides of a direct conversation.
func (c *Conversation) Joins(account AccountID) bool {
	return c.Low == account || c.High == account
}

// Pair returns the two accounts in ascending order, as direct conversations
// keep them.
func Pair(a, b AccountID) (low, high AccountID) { return min(a, b), max(a, b) }

// MemberRole is what a member of a group may do there.
type MemberRole uint8

// The roles. The numbers are stored and never change.
const (
	RoleMember MemberRole = 1
	RoleAdmin  MemberRole = 2
)

// Member is an account in a direct conversation or group.
type Member struct {
	Conversation ConversationID
	Account      AccountID
	Role         MemberRole
	JoinedSeq    int64 // first sequence number the member may see
	JoinedAt     time.Time
	LeftSeq      int64     // last sequence number a former member may see
	LeftAt       time.Time // zero: still a member
	HiddenSeq    int64     // the member put everything up to here out of its sight
	Removed      bool      // an admin ended the membership: it begins again by invitation only
}

// Active tells whether the account is still a member.
func (m *Member) Active() bool { return m.LeftAt.IsZero() }

// Direct is a direct conversation as one side lists it.
type Direct struct {
	Conversation
	With Profile // the other side
}
