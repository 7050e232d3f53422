package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
)

// MuteTarget names what a mute is about: an account by its handle or id, or a
// conversation.
type MuteTarget struct {
	Kind chat.MuteKind

	Handle  string
	System  bool           // Handle is meant as the id of a system account
	Account chat.AccountID // instead of Handle

	Conversation chat.ConversationID
	In           chat.ConversationKind // which kind Conversation is said to be
}

// aim finds the target of a new mute.
func (e *MuteEntry) aim(ctx context.Context, r store.Reader, t MuteTarget) error {
	if t.Kind == chat.MuteConversation {
		e.Target, e.In = int64(t.Conversation), t.In
		return takesPart(ctx, r, t, e.Owner)
	}
	a, err := t.account(ctx, r)
	if err != nil {
		return err
	}
	if a.ID == e.Owner {
		return chat.Fail(chat.CodeSelfMute)
	}
	if a.Gone() || a.Off() {
		return chat.Fail(chat.CodeAccountUnknown)
	}
	e.Target, e.Of = int64(a.ID), a.Profile()
	return nil
}

// account reads the account that is meant, whatever its state: account_unknown if
// there is none.
func (t MuteTarget) account(ctx context.Context, r store.Reader) (*chat.Account, error) {
	if t.Account != 0 {
		a, err := r.Account(ctx, t.Account)
		return known(a, err, chat.CodeAccountUnknown)
	}
	a, err := givenTo(ctx, r, t.Handle)
	if err == nil && t.System && a.Kind != chat.KindSystem {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return a, err
}

// takesPart fails with conversation_unknown or mute_foreign unless an account is
// a member of the conversation that is meant.
func takesPart(ctx context.Context, r store.Reader, t MuteTarget, account chat.AccountID) error {
	conv, err := r.Conversation(ctx, t.Conversation)
	if conv, err = known(conv, err, chat.CodeConversationUnknown); err != nil {
		return err
	}
	unknown := conv.Kind != t.In
	switch conv.Kind {
	case chat.ConversationDirect:
		if unknown || !exists(conv) {
			return chat.Fail(chat.CodeConversationUnknown)
		}
		if !conv.Joins(account) {
			return chat.Fail(chat.CodeMuteForeign)
		}
		return nil
	case chat.ConversationGroup:
		g, err := r.Group(ctx, conv.ID)
		if g, err = known(g, err, chat.CodeConversationUnknown); err != nil {
			return err
		}
		if unknown || g.Gone() {
			return chat.Fail(chat.CodeConversationUnknown)
		}
		m, err := r.Member(ctx, conv.ID, account)
		if m, err = known(m, err, chat.CodeMuteForeign); err != nil {
			return err
		}
		if !m.Active() {
			return chat.Fail(chat.CodeMuteForeign)
		}
		return nil
	}
	return chat.Fail(chat.CodeConversationUnknown)
}
