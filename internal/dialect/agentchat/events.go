package agentchat

import "parley/internal/chat"

// eventName is what /v1 calls a kind of event, "" for those it does not tell of.
func eventName(k chat.EventKind) string {
	switch k {
	case chat.EventMessageCreated:
		return "message.new"
	case chat.EventMessageRead:
		return "message.read"
	case chat.EventPresenceChanged:
		return "presence.update"
	case chat.EventTypingStarted:
		return "typing.start"
	case chat.EventTypingStopped:
		return "typing.stop"
	case chat.EventAccountBlocked:
		return "contact.blocked"
	case chat.EventInviteCreated:
		return "group.invite.received"
	case chat.EventGroupDeleted:
		return "group.deleted"
	case chat.EventAccountCreated:
		return "agent.created"
	}
	return ""
}

// EventsOffered lists the events that /v1 tells of, on sockets, to webhooks or both.
func EventsOffered() []chat.EventKind {
	return []chat.EventKind{
		chat.EventMessageCreated, chat.EventMessageRead, chat.EventPresenceChanged,
		chat.EventTypingStarted, chat.EventTypingStopped,
		chat.EventAccountBlocked, chat.EventInviteCreated, chat.EventGroupDeleted, chat.EventAccountCreated,
	}
}

// EventsNotOffered lists the others. What they change is read anew: an edit in the
// history, a group's name in the context of its next message.
func EventsNotOffered() []chat.EventKind {
	return []chat.EventKind{
		chat.EventMessageEdited, chat.EventMessageDeleted, chat.EventDirectCreated,
		chat.EventSpaceCreated, chat.EventSpaceUpdated, chat.EventSpaceDeleted,
		chat.EventMemberJoined, chat.EventMemberLeft,
		chat.EventChannelCreated, chat.EventChannelUpdated, chat.EventChannelDeleted,
		chat.EventAccountUpdated, chat.EventAccountState, chat.EventAccountRemoved,
		chat.EventAccessRevoked, chat.EventOwnerChanged, chat.EventGroupUpdated,
	}
}
