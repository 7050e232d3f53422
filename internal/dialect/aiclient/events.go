package aiclient

import "parley/internal/chat"

// EventsNotOffered lists the events that /ai does not deliver: all but new messages,
// of which webhooks are told. It is spelled out so that each new
// kind is decided on.
func EventsNotOffered() []chat.EventKind {
	return []chat.EventKind{
		chat.EventMessageEdited, chat.EventMessageDeleted, chat.EventDirectCreated,
		chat.EventSpaceCreated, chat.EventSpaceUpdated, chat.EventSpaceDeleted,
		chat.EventMemberJoined, chat.EventMemberLeft,
		chat.EventChannelCreated, chat.EventChannelUpdated, chat.EventChannelDeleted,
		chat.EventAccountUpdated, chat.EventAccountState, chat.EventAccountRemoved, chat.EventPresenceChanged,
		chat.EventAccessRevoked,
		chat.EventAccountCreated, chat.EventAccountBlocked, chat.EventOwnerChanged,
		chat.EventGroupUpdated, chat.EventGroupDeleted, chat.EventInviteCreated,
		chat.EventMessageRead, chat.EventTypingStarted, chat.EventTypingStopped,
	}
}

// EventsOffered lists the events that webhooks are told of.
func EventsOffered() []chat.EventKind { return []chat.EventKind{chat.EventMessageCreated} }
