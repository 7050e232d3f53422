package chat

import "time"

// EventKind names what happened. The names are stored and never change.
type EventKind string

// The durable events. A message's creation is its own row and has no event row;
// it is published under EventMessageCreated all the same.
const (
	EventMessageCreated  EventKind = "message.created"
	EventMessageEdited   EventKind = "message.edited"
	EventMessageDeleted  EventKind = "message.deleted"
	EventDirectCreated   EventKind = "direct.created"
	EventSpaceCreated    EventKind = "space.created"
	EventSpaceUpdated    EventKind = "space.updated"
	EventSpaceDeleted    EventKind = "space.deleted"
	EventMemberJoined    EventKind = "member.joined"
	EventMemberLeft      EventKind = "member.left"
	EventChannelCreated  EventKind = "channel.created"
	EventChannelUpdated  EventKind = "channel.updated"
	EventChannelDeleted  EventKind = "channel.deleted"
	EventAccountUpdated  EventKind = "account.updated"
	EventAccountState    EventKind = "account.state"
	EventAccountRemoved  EventKind = "account.removed"
	EventPresenceChanged EventKind = "presence.changed"
	EventAccessRevoked   EventKind = "access.revoked"
	EventAccountCreated  EventKind = "account.created"
	EventAccountBlocked  EventKind = "account.blocked" // Recipients: the one who is blocked
	EventOwnerChanged    EventKind = "owner.changed"   // Account: the agent; Recipients: owners, old and new
	EventGroupUpdated    EventKind = "group.updated"   // name, picture, members or roles
	EventGroupDeleted    EventKind = "group.deleted"   // Recipients: its last members but the actor
	EventInviteCreated   EventKind = "invite.created"  // Recipients: the one who is invited
	EventMessageRead     EventKind = "message.read"    // ephemeral; Recipients: the author
	EventTypingStarted   EventKind = "typing.started"  // ephemeral; Recipients: the others
	EventTypingStopped   EventKind = "typing.stopped"  // ephemeral; Recipients: the others
)

// Ephemeral tells whether events of the kind are not stored: they are published
// without a position, and whoever misses one is not told later.
func (k EventKind) Ephemeral() bool {
	switch k {
	case EventMessageRead, EventTypingStarted, EventTypingStopped, EventPresenceChanged:
		return true
	}
	return false
}

// EventKinds lists every kind: a dialect must encode each or say that it does
// not offer it.
func EventKinds() []EventKind {
	return []EventKind{
		EventMessageCreated, EventMessageEdited, EventMessageDeleted, EventDirectCreated,
		EventSpaceCreated, EventSpaceUpdated, EventSpaceDeleted, EventMemberJoined, EventMemberLeft,
		EventChannelCreated, EventChannelUpdated, EventChannelDeleted,
		EventAccountUpdated, EventAccountState, EventAccountRemoved, EventPresenceChanged,
		EventAccessRevoked,
		EventAccountCreated, EventAccountBlocked, EventOwnerChanged,
		EventGroupUpdated, EventGroupDeleted, EventInviteCreated,
		EventMessageRead, EventTypingStarted, EventTypingStopped,
	}
}

// Event is one change, as committed, with what a subscriber needs to be told of
// it. Which ids are set says whom it concerns: Recipients if there are any, else
// the members of Space (a channel event names the Conversation too), else
// Account alone.
type Event struct {
	Position     Position
	Kind         EventKind
	At           time.Time
	Actor        AccountID // who did it; 0: an operator or the server
	Space        SpaceID
	Conversation ConversationID
	Account      AccountID    // whom it is about: the member, the profile
	Credential   CredentialID // access.revoked: the one that ended; 0: all of Account
	Message      *Message
	Channel      *Channel
	Presence     *Presence
	By           *Profile    // the author of Message, else the actor, as at the event
	Group        *GroupBrief // of a group: as at the event
	Invite       *Invite
	Read         *ReadMark
	Pause        *Pause      // account.updated: where the owner's switch stands since, if it was moved
	Recipients   []AccountID // both sides of a direct conversation, members of a group or of what was a space
	// Quiet are those of Recipients who are not to be told live: they muted the
	// source or are fully paused.
	Quiet []AccountID
}

// ReadMark says which message was read.
type ReadMark struct {
	Message MessageID
	Seq     int64
}
