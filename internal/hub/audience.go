package hub

import (
	"slices"

	"parley/internal/chat"
)

// The three kinds of event that change who is a member of a space.

func joins(e *chat.Event) bool     { return e.Kind == chat.EventMemberJoined && e.Space != 0 }
func leaves(e *chat.Event) bool    { return e.Kind == chat.EventMemberLeft && e.Space != 0 }
func dissolves(e *chat.Event) bool { return e.Kind == chat.EventSpaceDeleted && e.Space != 0 }

// past follows one account over events that were dispatched before: what step
// does for everybody, for one.
type past struct {
	account chat.AccountID
	cursor  chat.Position             // where it has come
	spaces  map[chat.SpaceID]struct{} // as at cursor
	budget  int                       // how many changes it may still read from the store
}

// sees moves over the next event and tells whether it is for the account.
func (p *past) sees(e *chat.Event) bool {
	if joins(e) && e.Account == p.account {
		p.spaces[e.Space] = struct{}{}
	}
	var seen bool
	switch {
	case len(e.Recipients) > 0:
		seen = slices.Contains(e.Recipients, p.account)
	case e.Space != 0:
		_, seen = p.spaces[e.Space]
	default:
		seen = e.Account == p.account
	}
	if dissolves(e) || leaves(e) && e.Account == p.account {
		delete(p.spaces, e.Space)
	}
	return seen
}

// before collects, over events in ascending order, which spaces an account was a
// member of at their beginning: the first change of each space tells.
type before struct {
	account chat.AccountID
	member  map[chat.SpaceID]bool // only spaces that changed
}

func (b *before) add(e *chat.Event) {
	member := false
	switch {
	case joins(e) && e.Account == b.account:
	case leaves(e) && e.Account == b.account:
		member = true
	case dissolves(e):
		// Who was a member of a space that is gone is known only from the event
		// itself. To others it is as unknown as if it had never been.
		member = slices.Contains(e.Recipients, b.account)
	default:
		return
	}
	if _, known := b.member[e.Space]; !known {
		b.member[e.Space] = member
	}
}

// spaces turns the membership at the end into that at the beginning.
func (b *before) spaces(end []seat) map[chat.SpaceID]struct{} {
	spaces := make(map[chat.SpaceID]struct{}, len(end))
	for _, s := range end {
		spaces[s.space.id] = struct{}{}
	}
	for id, member := range b.member {
		if member {
			spaces[id] = struct{}{}
		} else {
			delete(spaces, id)
		}
	}
	return spaces
}
