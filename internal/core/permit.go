package core

import (
	"context"
	"errors"
	"slices"

	"parley/internal/chat"
	"parley/internal/store"
)

// channelEntitlements works out what a member may do in a channel: the union over
// the archetypes held, then the overwrites of those archetypes (all denies, then
// all allows), then the member's own, then the prerequisites of single bits. All
// 64 bits at the start skip the overwrites (AG 6.2).
func channelEntitlements(grants chat.Entitlements, held []chat.ArchetypeID, account chat.AccountID, overwrites []chat.Overwrite) chat.Entitlements {
	if grants == chat.EntAll {
		return grants
	}
	var allow, deny, ownAllow, ownDeny chat.Entitlements
	for _, o := range overwrites {
		switch {
		case o.Account != 0 && o.Account == account:
			ownAllow, ownDeny = o.Allow, o.Deny
		case o.Archetype != 0 && slices.Contains(held, o.Archetype):
			allow |= o.Allow
			deny |= o.Deny
		}
	}
	e := grants&^deny | allow
	e = e&^ownDeny | ownAllow
	return withPrerequisites(e)
}

// withPrerequisites drops bits whose prerequisite is missing.
func withPrerequisites(e chat.Entitlements) chat.Entitlements {
	const (
		sending = chat.EntExternalEmoji | chat.EntExternalStickers | chat.EntUseCommands | chat.EntEmbedLinks
		voice   = chat.EntConnect | chat.EntSpeak | chat.EntVideo | chat.EntStream
	)
	if !e.Has(chat.EntViewChannel) {
		e &^= chat.EntSendMessages | chat.EntJoinVoice
	}
	if !e.Has(chat.EntSendMessages) {
		e &^= sending
	}
	if !e.Has(chat.EntJoinVoice) {
		e &^= voice
	}
	return e
}

// memberOf returns an account's membership: not_member if there is none.
func memberOf(ctx context.Context, r store.Reader, space chat.SpaceID, account chat.AccountID) (*chat.SpaceMember, error) {
	m, err := r.SpaceMember(ctx, space, account)
	return known(m, err, chat.CodeNotMember)
}

// spaceFor returns a space and the caller's membership of it, which must carry
// the entitlements needed. The failures are, in this order, space_unknown,
// not_member and not_permitted.
func spaceFor(ctx context.Context, r store.Reader, space chat.SpaceID, account chat.AccountID, needs chat.Entitlements) (*chat.Space, error) {
	sp, err := r.Space(ctx, space)
	if sp, err = known(sp, err, chat.CodeSpaceUnknown); err != nil {
		return nil, err
	}
	m, err := memberOf(ctx, r, space, account)
	if err != nil {
		return nil, err
	}
	if !m.Grants.Has(needs) {
		return nil, chat.Fail(chat.CodeNotPermitted)
	}
	return sp, nil
}

// channelFor returns a channel and what the caller may do in it. The failures
// are, in this order, channel_unknown, not_member, channel_unknown for a channel
// the caller may not view, and not_permitted.
func channelFor(ctx context.Context, r store.Reader, channel chat.ConversationID, account chat.AccountID, needs chat.Entitlements) (*chat.Channel, chat.Entitlements, error) {
	c, err := r.Channel(ctx, channel)
	if c, err = known(c, err, chat.CodeChannelUnknown); err != nil {
		return nil, 0, err
	}
	m, err := memberOf(ctx, r, c.Space, account)
	if err != nil {
		return nil, 0, err
	}
	e, err := entitlementsIn(ctx, r, channel, m)
	if err != nil {
		return nil, 0, err
	}
	if !e.Has(chat.EntViewChannel) {
		return nil, 0, chat.Fail(chat.CodeChannelUnknown)
	}
	if !e.Has(needs) {
		return nil, 0, chat.Fail(chat.CodeNotPermitted)
	}
	return c, e, nil
}

// entitlementsIn loads what channelEntitlements decides on.
func entitlementsIn(ctx context.Context, r store.Reader, channel chat.ConversationID, m *chat.SpaceMember) (chat.Entitlements, error) {
	overwrites, err := r.Overwrites(ctx, channel)
	if err != nil {
		return 0, err
	}
	var held []chat.ArchetypeID
	if len(overwrites) > 0 {
		if held, err = heldBy(ctx, r, m); err != nil {
			return 0, err
		}
	}
	return channelEntitlements(m.Grants, held, m.Account, overwrites), nil
}

// heldBy lists the archetypes a member holds, the default one included.
func heldBy(ctx context.Context, r store.Reader, m *chat.SpaceMember) ([]chat.ArchetypeID, error) {
	held, err := r.HeldArchetypes(ctx, m.Space, m.Account)
	if err != nil {
		return nil, err
	}
	all, err := r.Archetypes(ctx, m.Space)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.Default {
			held = append(held, a.ID)
		}
	}
	return held, nil
}

// directFor returns a direct conversation the caller takes part in. The failures
// are conversation_unknown and not_participant.
func directFor(ctx context.Context, r store.Reader, direct chat.ConversationID, account chat.AccountID) (*chat.Conversation, error) {
	c, err := r.Conversation(ctx, direct)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Kind != chat.ConversationDirect {
		return nil, chat.Fail(chat.CodeConversationUnknown)
	}
	if err != nil {
		return nil, err
	}
	if !c.Joins(account) {
		return nil, chat.Fail(chat.CodeNotParticipant)
	}
	return c, nil
}
