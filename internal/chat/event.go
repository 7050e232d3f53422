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
)

// EventKinds lists every kind: a dialect must encode each or say that it does
// not offer it.
func EventKinds() []EventKind {
	return []EventKind{
		EventMessageCreated, EventMessageEdited, EventMessageDeleted, EventDirectCreated,
		EventSpaceCreated, EventSpaceUpdated, EventSpaceDeleted, EventMemberJoined, EventMemberLeft,
		EventChannelCreated, EventChannelUpdated, EventChannelDeleted,
		EventAccountUpdated, EventAccountState, EventAccountRemoved, EventPresenceChanged,
		EventAccessRevoked,
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
	Recipients   []AccountID // both sides of a direct conversation, members of a group or of what was a space
}
