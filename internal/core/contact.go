package core

import (
	"context"
	"errors"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// noteMax is the length of a note on a contact and of the reason of a report, in
// characters (AC 29).
const noteMax = 1_000

// ContactEntry is a contact with the profile it has now.
type ContactEntry struct {
	chat.Contact
	With chat.Profile
}

// ContactPage is a page of an address book.
type ContactPage struct {
	Contacts []ContactEntry
	Total    int // on all pages
}

// givenTo reads the account that a handle was given to, tombstones included:
// account_unknown if it was given to nobody.
func givenTo(ctx context.Context, r store.Reader, handle string) (*chat.Account, error) {
	a, err := r.AccountByHandle(ctx, handle)
	return known(a, err, chat.CodeAccountUnknown)
}

// apparent reads the account of a handle as others may know of it: account_unknown
// also for one that is removed or may not act (AC 2.15).
func apparent(ctx context.Context, r store.Reader, handle string) (*chat.Account, error) {
	a, err := givenTo(ctx, r, handle)
	if err != nil {
		return nil, err
	}
	if a.Gone() || a.Off() {
		return nil, chat.Fail(chat.CodeAccountUnknown)
	}
	return a, nil
}

// AddContact puts an account into the caller's address book. One that is there
// keeps its note and its time (AC 10.1). It fails with account_unknown or self.
func (s *Service) AddContact(ctx context.Context, c Call, handle string) (*ContactEntry, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var out ContactEntry
	err := s.perform(ctx, c, "add contact", &out, func(ctx context.Context, ch *change) error {
		a, err := apparent(ctx, ch, handle)
		if err != nil {
			return err
		}
		if a.ID == c.Actor.Account {
			return chat.Fail(chat.CodeSelf)
		}
		e := store.Edge{Owner: c.Actor.Account, Target: a.ID}
		if err := ch.SetContact(ctx, e, ch.at, true); err != nil {
			return err
		}
		contact, err := ch.Contact(ctx, e)
		if err != nil {
			return err
		}
		out = ContactEntry{Contact: *contact, With: a.Profile()}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// ListContacts lists a page of the caller's address book, ascending by handle,
// without accounts that are removed or may not act (AC 10.2). The size of a page is
// the surface's to bound.
func (s *Service) ListContacts(ctx context.Context, c Call, offset, limit int) (*ContactPage, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	var out *ContactPage
	err := s.view(ctx, "list contacts", func(ctx context.Context, r store.Reader) error {
		var err error
		out, err = contactPage(ctx, r, store.ContactQuery{Owner: c.Actor.Account, Offset: offset, Limit: limit})
		return err
	})
	return out, err
}

// contactPage reads a page of an address book with the profiles in it.
func contactPage(ctx context.Context, r store.Reader, q store.ContactQuery) (*ContactPage, error) {
	list, total, err := r.Contacts(ctx, q)
	if err != nil {
		return nil, err
	}
	ids := make([]chat.AccountID, len(list))
	for i := range list {
		ids[i] = list[i].Target
	}
	who, err := profiles(ctx, r, ids)
	if err != nil {
		return nil, err
	}
	page := &ContactPage{Contacts: make([]ContactEntry, len(list)), Total: total}
	for i := range list {
		page.Contacts[i] = ContactEntry{Contact: list[i], With: who(list[i].Target)}
	}
	return page, nil
}

// ShowContact returns the caller's entry for a handle, nil if there is none: whether
// anybody has the handle is not told (AC 10.3).
func (s *Service) ShowContact(ctx context.Context, c Call, handle string) (*chat.Contact, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var out *chat.Contact
	err := s.view(ctx, "read contact", func(ctx context.Context, r store.Reader) error {
		a, err := r.AccountByHandle(ctx, handle)
		if err == nil {
			out, err = r.Contact(ctx, store.Edge{Owner: c.Actor.Account, Target: a.ID})
		}
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return out, err
}

// NoteContact replaces the caller's note on a contact; null and "" clear it (AC
// 10.4). It fails with contact_unknown, field_required or field_length.
func (s *Service) NoteContact(ctx context.Context, c Call, handle string, note chat.Opt[string]) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	if !note.Present {
		return chat.FailField(chat.CodeFieldRequired, "notes")
	}
	if err := checkNote("notes", note.Value); err != nil {
		return err
	}
	return s.perform(ctx, c, "note contact", nil, func(ctx context.Context, ch *change) error {
		a, err := contactOf(ctx, ch, c.Actor.Account, handle)
		if err != nil {
			return err
		}
		return ch.NoteContact(ctx, store.Edge{Owner: c.Actor.Account, Target: a.ID}, note.Value)
	})
}

// RemoveContact takes an account out of the caller's address book (AC 10.5). It
// fails with contact_unknown.
func (s *Service) RemoveContact(ctx context.Context, c Call, handle string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	return s.perform(ctx, c, "remove contact", nil, func(ctx context.Context, ch *change) error {
		a, err := contactOf(ctx, ch, c.Actor.Account, handle)
		if err != nil {
			return err
		}
		return ch.SetContact(ctx, store.Edge{Owner: c.Actor.Account, Target: a.ID}, ch.at, false)
	})
}

// contactOf reads an account that is in an address book, whatever has become of it:
// contact_unknown if it is not there.
func contactOf(ctx context.Context, r store.Reader, owner chat.AccountID, handle string) (*chat.Account, error) {
	a, err := r.AccountByHandle(ctx, handle)
	if err == nil {
		_, err = r.Contact(ctx, store.Edge{Owner: owner, Target: a.ID})
	}
	return known(a, err, chat.CodeContactUnknown)
}

// checkNote checks a text that is stored as it was written.
func checkNote(field, text string) error {
	if utf8.RuneCountInString(text) > noteMax {
		return chat.FailLength(field, 0, noteMax)
	}
	if !storable(text) {
		return chat.FailField(chat.CodeFieldInvalid, field)
	}
	return nil
}
