package core

import (
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// This file decides whether one account may write to another at all: what the
// recipient set for itself, and the guard against floods of strangers. The rules
// are pure and hold whichever surface the message comes through.

// blocked tells whether either of two accounts blocks the other.
func blocked(f *store.SendFacts, a, b chat.AccountID) bool {
	return f.Blocks[store.Edge{Owner: a, Target: b}] || f.Blocks[store.Edge{Owner: b, Target: a}]
}

// exists tells whether a direct conversation exists for the rules: only from its
// first message on. conv may be nil.
func exists(conv *chat.Conversation) bool { return conv != nil && conv.LastSeq > 0 }

// mayReach decides, in the order that /v1 shows (AC 14.2 rows 8 to 10), whether peer
// takes anything from author. conv is their conversation, or nil.
func mayReach(f *store.SendFacts, author, peer *chat.Account, conv *chat.Conversation) error {
	if blocked(f, author.ID, peer.ID) {
		return chat.Fail(chat.CodeBlocked)
	}
	if author.State == chat.StateRestricted && !exists(conv) {
		return chat.Fail(chat.CodeRestricted)
	}
	if peer.ContactsOnly && !f.Contacts[store.Edge{Owner: peer.ID, Target: author.ID}] {
		invited := exists(conv) && (conv.Established || conv.Initiator == peer.ID)
		if !invited {
			return chat.Fail(chat.CodeContactsOnly)
		}
	}
	return nil
}

// mayOpen decides whether the guard of peer lets a stranger write now (AC 14.2 rows
// 13 and 14).
func mayOpen(f *store.SendFacts, author, peer *chat.Account, conv *chat.Conversation, now time.Time) error {
	if !peer.Guarded || author.Kind == chat.KindSystem {
		return nil
	}
	if exists(conv) {
		if !conv.Established && conv.Initiator == author.ID {
			return &chat.Error{Code: chat.CodeAwaitingReply, Handle: peer.Handle, Since: conv.OpenedAt}
		}
		return nil
	}
	if cold := f.Cold[author.ID]; cold.Count >= coldCap {
		return &chat.Error{Code: chat.CodeColdCap, RetryAfter: max(cold.Oldest.Add(coldWindow).Sub(now), time.Second)}
	}
	return nil
}

// opens tells whether a message from author would be the first of a direct
// conversation that counts against the cap on new ones.
func opens(author, peer *chat.Account, conv *chat.Conversation) bool {
	return peer.Guarded && author.Kind != chat.KindSystem && !exists(conv)
}
