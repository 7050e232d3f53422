package core

import (
	"context"
	"strings"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

// Names of what every new space has.
const (
	archetypeEveryone = "everyone"
	archetypeOwner    = "owner"
	firstChannel      = "general"
)

// ListSpaces lists the caller's spaces, earliest joined first (OC 8.1).
func (s *Service) ListSpaces(ctx context.Context, c Call) ([]*chat.Space, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var spaces []*chat.Space
	err := s.view(ctx, "list spaces", func(ctx context.Context, r store.Reader) error {
		var err error
		spaces, err = r.SpacesOf(ctx, c.Actor.Account)
		return err
	})
	return spaces, err
}

// NewSpace is what a new space is made from.
type NewSpace struct {
	Name        string
	Description string
}

// CreateSpace makes a space with the caller as owner and first member, the
// archetypes everyone and owner, a channel named general and an invite code, in
// one transaction (OC 8.2). It fails with field_required, field_length or
// membership_cap.
func (s *Service) CreateSpace(ctx context.Context, c Call, in NewSpace) (*chat.Space, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	l := limits(c.Surface)
	name, err := trimmed("name", in.Name, 1, l.SpaceName)
	if err != nil {
		return nil, err
	}
	description, err := trimmed("description", in.Description, 0, l.SpaceDescription)
	if err != nil {
		return nil, err
	}
	sp := &chat.Space{
		MadeBy: c.Surface, Name: name, Description: description, Owner: c.Actor.Account, MemberCount: 1,
		InviteCode: id.RandomString(lowerAlnum, inviteCodeLength),
	}
	err = s.update(ctx, "create space", func(ctx context.Context, ch *change) error {
		if err := membershipFree(ctx, ch, c); err != nil {
			return err
		}
		return s.insertSpace(ctx, ch, sp)
	})
	if err != nil {
		return nil, err
	}
	return sp, nil
}

// insertSpace stores a space with all that belongs to a new one.
func (s *Service) insertSpace(ctx context.Context, ch *change, sp *chat.Space) error {
	first, err := ch.NextID(ctx, 4)
	if err != nil {
		return err
	}
	now := s.now()
	sp.ID, sp.CreatedAt, sp.UpdatedAt = chat.SpaceID(first), now, now
	everyone := chat.Archetype{
		ID: chat.ArchetypeID(first + 1), Space: sp.ID, Name: archetypeEveryone, Grants: chat.EntEveryone, Default: true,
	}
	owner := chat.Archetype{
		ID: chat.ArchetypeID(first + 2), Space: sp.ID, Name: archetypeOwner, Grants: chat.EntAll, Hidden: true, Locked: true,
	}
	general := &chat.Channel{
		ID: chat.ConversationID(first + 3), Space: sp.ID, Name: firstChannel, CreatedAt: now, UpdatedAt: now,
	}
	count := sp.MemberCount
	sp.MemberCount = 0 // InsertSpaceMember counts
	if err := ch.InsertSpace(ctx, sp); err != nil {
		return err
	}
	sp.MemberCount = count
	for _, a := range []chat.Archetype{everyone, owner} {
		if err := ch.InsertArchetype(ctx, a); err != nil {
			return err
		}
	}
	m := chat.SpaceMember{Space: sp.ID, Account: sp.Owner, Grants: chat.EntAll, JoinedAt: now}
	if err := ch.InsertSpaceMember(ctx, m, []chat.ArchetypeID{owner.ID}); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventMemberJoined, Actor: sp.Owner, Space: sp.ID, Account: sp.Owner})
	ch.emit(chat.Event{Kind: chat.EventSpaceCreated, Actor: sp.Owner, Space: sp.ID})
	return insertChannel(ctx, ch, sp.Owner, general)
}

// ShowSpace returns a space to its members (OC 8.3).
func (s *Service) ShowSpace(ctx context.Context, c Call, space chat.SpaceID) (*chat.Space, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var sp *chat.Space
	err := s.view(ctx, "read space", func(ctx context.Context, r store.Reader) error {
		var err error
		sp, err = spaceFor(ctx, r, space, c.Actor.Account, 0)
		return err
	})
	return sp, err
}

// SpaceChange is a partial update of a space.
type SpaceChange struct {
	Name             chat.Opt[string]
	Description      chat.Opt[string] // null or blank clears
	RegenerateInvite chat.Opt[bool]   // true replaces the invite code
}

// UpdateSpace changes a space; it needs manageServer (OC 8.4). A new invite code
// makes the old one useless at once. It fails with nothing_to_update,
// field_required or field_length.
func (s *Service) UpdateSpace(ctx context.Context, c Call, space chat.SpaceID, in SpaceChange) (*chat.Space, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var sp *chat.Space
	err := s.update(ctx, "update space", func(ctx context.Context, ch *change) error {
		var err error
		if sp, err = spaceFor(ctx, ch, space, c.Actor.Account, chat.EntManageServer); err != nil {
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		if err := in.apply(sp, limits(c.Surface)); err != nil {
			return err
		}
		sp.UpdatedAt = s.now()
		if err := ch.UpdateSpace(ctx, sp); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventSpaceUpdated, Actor: c.Actor.Account, Space: space})
		return nil
	})
	return sp, err
}

func (in SpaceChange) apply(sp *chat.Space, l Limits) error {
	named := in.Name.Present && !in.Name.Null
	if !named && !in.Description.Present && !in.RegenerateInvite.Present {
		return chat.Fail(chat.CodeNothingToUpdate)
	}
	if named {
		name, err := trimmed("name", in.Name.Value, 1, l.SpaceName)
		if err != nil {
			return err
		}
		sp.Name = name
	}
	if in.Description.Present {
		description, err := trimmed("description", in.Description.Value, 0, l.SpaceDescription)
		if err != nil {
			return err
		}
		sp.Description = description
	}
	if in.RegenerateInvite.Value {
		sp.InviteCode = id.RandomString(lowerAlnum, inviteCodeLength)
	}
	return nil
}

// DeleteSpace makes a space and all below it unknown at once; the messages are
// removed in the background (OC 8.5). Only the owner may: not_permitted.
func (s *Service) DeleteSpace(ctx context.Context, c Call, space chat.SpaceID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	err := s.update(ctx, "delete space", func(ctx context.Context, ch *change) error {
		sp, err := spaceFor(ctx, ch, space, c.Actor.Account, 0)
		if err != nil {
			return err
		}
		if sp.Owner != c.Actor.Account {
			return chat.Fail(chat.CodeNotPermitted)
		}
		return s.deleteSpace(ctx, ch, c.Actor.Account, space)
	})
	if err == nil {
		s.wakeJanitor()
	}
	return err
}

// deleteSpace names the members in the event: nobody can look them up afterwards.
func (s *Service) deleteSpace(ctx context.Context, ch *change, actor chat.AccountID, space chat.SpaceID) error {
	members, err := ch.SpaceMembers(ctx, space)
	if err != nil {
		return err
	}
	recipients := make([]chat.AccountID, len(members))
	for i, m := range members {
		recipients[i] = m.Account
	}
	ch.emit(chat.Event{Kind: chat.EventSpaceDeleted, Actor: actor, Space: space, Recipients: recipients})
	return ch.DeleteSpace(ctx, space, s.now())
}

// JoinSpace makes the caller a member, for a space's current invite code. The
// failures are, in this order, space_unknown, already_member, the held input
// error, field_required, invite_invalid, membership_cap and member_cap (OC 8.6).
func (s *Service) JoinSpace(ctx context.Context, c Call, space chat.SpaceID, code string) (*chat.Space, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var sp *chat.Space
	err := s.update(ctx, "join space", func(ctx context.Context, ch *change) error {
		var err error
		sp, err = ch.Space(ctx, space)
		if sp, err = known(sp, err, chat.CodeSpaceUnknown); err != nil {
			return err
		}
		if _, err := memberOf(ctx, ch, space, c.Actor.Account); chat.CodeOf(err) != chat.CodeNotMember {
			if err == nil {
				return chat.Fail(chat.CodeAlreadyMember)
			}
			return err
		}
		if c.Input != nil {
			return c.Input
		}
		code := strings.TrimSpace(code)
		if code == "" {
			return chat.FailField(chat.CodeFieldRequired, "invite_code")
		}
		if !secret.Equal(code, sp.InviteCode) {
			return chat.Fail(chat.CodeInviteInvalid)
		}
		if err := membershipFree(ctx, ch, c); err != nil {
			return err
		}
		if sp.MemberCount >= limits(sp.MadeBy).SpaceMembers {
			return chat.Fail(chat.CodeMemberCap)
		}
		return s.addMember(ctx, ch, sp, c.Actor.Account)
	})
	return sp, err
}

// addMember adds an account that holds nothing but the default archetype.
func (s *Service) addMember(ctx context.Context, ch *change, sp *chat.Space, account chat.AccountID) error {
	archetypes, err := ch.Archetypes(ctx, sp.ID)
	if err != nil {
		return err
	}
	m := chat.SpaceMember{Space: sp.ID, Account: account, JoinedAt: s.now()}
	for _, a := range archetypes {
		if a.Default {
			m.Grants |= a.Grants
		}
	}
	if err := ch.InsertSpaceMember(ctx, m, nil); err != nil {
		return err
	}
	sp.MemberCount++
	ch.emit(chat.Event{Kind: chat.EventMemberJoined, Actor: account, Space: sp.ID, Account: account})
	return nil
}

// membershipFree checks that the caller may be in one more space.
func membershipFree(ctx context.Context, r store.Reader, c Call) error {
	n, err := r.SpaceCount(ctx, c.Actor.Account)
	if err != nil {
		return err
	}
	if n >= limits(c.Surface).Memberships {
		return chat.Fail(chat.CodeMembershipCap)
	}
	return nil
}

// LeaveSpace ends the caller's membership; its messages stay (OC 8.7). The owner
// cannot: owner_stays.
func (s *Service) LeaveSpace(ctx context.Context, c Call, space chat.SpaceID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	return s.update(ctx, "leave space", func(ctx context.Context, ch *change) error {
		sp, err := spaceFor(ctx, ch, space, c.Actor.Account, 0)
		if err != nil {
			return err
		}
		if sp.Owner == c.Actor.Account {
			return chat.Fail(chat.CodeOwnerStays)
		}
		if c.Input != nil {
			return c.Input
		}
		return removeMember(ctx, ch, space, c.Actor.Account)
	})
}

func removeMember(ctx context.Context, ch *change, space chat.SpaceID, account chat.AccountID) error {
	ch.emit(chat.Event{Kind: chat.EventMemberLeft, Actor: account, Space: space, Account: account})
	return ch.DeleteSpaceMember(ctx, space, account)
}

// SpaceMemberView is a member with the profile it has now.
type SpaceMemberView struct {
	chat.SpaceMember
	Profile chat.Profile
	Owner   bool
}

// ListMembers lists a space's members, earliest joined first (OC 8.8).
func (s *Service) ListMembers(ctx context.Context, c Call, space chat.SpaceID) ([]SpaceMemberView, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var out []SpaceMemberView
	err := s.view(ctx, "list members", func(ctx context.Context, r store.Reader) error {
		sp, err := spaceFor(ctx, r, space, c.Actor.Account, 0)
		if err != nil {
			return err
		}
		members, err := r.SpaceMembers(ctx, space)
		if err != nil {
			return err
		}
		ids := make([]chat.AccountID, len(members))
		for i, m := range members {
			ids[i] = m.Account
		}
		who, err := profiles(ctx, r, ids)
		if err != nil {
			return err
		}
		out = make([]SpaceMemberView, len(members))
		for i, m := range members {
			out[i] = SpaceMemberView{SpaceMember: m, Profile: who(m.Account), Owner: m.Account == sp.Owner}
			s.present(&out[i].Profile)
		}
		return nil
	})
	return out, err
}

// profiles loads accounts and returns a look-up that knows removed and unknown
// ones as tombstones.
func profiles(ctx context.Context, r store.Reader, ids []chat.AccountID) (func(chat.AccountID) chat.Profile, error) {
	accounts, err := r.Accounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	return func(id chat.AccountID) chat.Profile { return profileIn(accounts, id) }, nil
}

func profileIn(accounts map[chat.AccountID]*chat.Account, id chat.AccountID) chat.Profile {
	if a, ok := accounts[id]; ok {
		return a.Profile()
	}
	return chat.Profile{ID: id, Gone: true}
}
