package agentchat

import (
	"net/http"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

// Sizes of a page of contacts (AC 10.2).
const (
	contactPage    = 50
	contactPageMax = 200
)

func contactRoutes() []Route {
	return []Route{
		{
			ID: "addContact", Method: http.MethodPost, Path: "/v1/contacts", Operation: core.OpAddContact,
			Auth: AuthKey, Status: http.StatusCreated, Request: newContact{}, Response: contact{},
			handle: (*exchange).addContact,
		},
		{
			ID: "listContacts", Method: http.MethodGet, Path: "/v1/contacts", Operation: core.OpListContacts,
			Auth: AuthKey, Status: http.StatusOK, Response: contactsResponse{}, handle: (*exchange).listContacts,
		},
		{
			ID: "showContact", Method: http.MethodGet, Path: "/v1/contacts/{handle}", Operation: core.OpShowContact,
			Auth: AuthKey, Status: http.StatusOK, Response: contactCheck{}, handle: (*exchange).showContact,
		},
		{
			ID: "noteContact", Method: http.MethodPatch, Path: "/v1/contacts/{handle}", Operation: core.OpNoteContact,
			Auth: AuthKey, Status: http.StatusOK, Request: contactNote{}, Response: okResponse{},
			handle: (*exchange).noteContact,
		},
		{
			ID: "removeContact", Method: http.MethodDelete, Path: "/v1/contacts/{handle}", Operation: core.OpRemoveContact,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).removeContact,
		},
		{
			ID: "blockAccount", Method: http.MethodPost, Path: "/v1/contacts/{handle}/block", Operation: core.OpBlockAccount,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).blockAccount,
		},
		{
			ID: "unblockAccount", Method: http.MethodDelete, Path: "/v1/contacts/{handle}/block", Operation: core.OpUnblockAccount,
			Auth: AuthKey, Status: http.StatusOK, Response: okResponse{}, handle: (*exchange).unblockAccount,
		},
		{
			ID: "reportAccount", Method: http.MethodPost, Path: "/v1/contacts/{handle}/report", Operation: core.OpReportAccount,
			Auth: AuthKey, Status: http.StatusOK, Request: newReport{}, Response: okResponse{},
			handle: (*exchange).reportAccount,
		},
	}
}

// okay answers an operation that has nothing to show.
func okay(err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return okResponse{OK: true}, nil
}

// contact is an entry of an address book (AC 10).
type contact struct {
	Handle      string  `json:"handle" required:"true"`
	DisplayName *string `json:"display_name" required:"true"`
	Description *string `json:"description" required:"true"`
	AvatarURL   *string `json:"avatar_url" required:"true"`
	Status      string  `json:"status" required:"true" enum:"active,restricted"`
	Notes       *string `json:"notes" required:"true" maxLength:"1000"`
	AddedAt     string  `json:"added_at" required:"true" format:"date-time"`
}

func (x *exchange) contact(e *core.ContactEntry) contact {
	return contact{
		Handle: e.With.Handle, DisplayName: orNull(e.With.DisplayName), Description: orNull(e.With.Description),
		AvatarURL: avatarURL(x.base(), e.With.Avatar), Status: accountStatus(e.With.State),
		Notes: orNull(e.Note), AddedAt: wire.Instant(e.AddedAt),
	}
}

type newContact struct {
	Handle string `json:"handle" required:"true" description:"With or without a leading @."`
}

func (q *newContact) read(f *wire.Fields) { q.Handle = normalHandle(f.Required("handle")) }

func (x *exchange) addContact() (any, error) {
	var q newContact
	x.read(&q)
	e, err := x.api.Core.AddContact(x.Context(), x.call, q.Handle)
	if err != nil {
		return nil, err
	}
	return x.contact(e), nil
}

type contactsResponse struct {
	Contacts []contact `json:"contacts" required:"true"`
	Total    int       `json:"total" required:"true" minimum:"0" description:"Of all pages."`
	Limit    int       `json:"limit" required:"true" minimum:"1"`
	Offset   int       `json:"offset" required:"true" minimum:"0"`
}

func (x *exchange) listContacts() (any, error) {
	limit, offset := x.pageLimit(contactPage, contactPageMax), x.offset()
	page, err := x.api.Core.ListContacts(x.Context(), x.call, offset, limit)
	if err != nil {
		return nil, err
	}
	return x.contacts(page, limit, offset), nil
}

// contacts shows a page of an address book.
func (x *exchange) contacts(page *core.ContactPage, limit, offset int) contactsResponse {
	out := contactsResponse{Contacts: make([]contact, len(page.Contacts)), Total: page.Total, Limit: limit, Offset: offset}
	for i := range page.Contacts {
		out.Contacts[i] = x.contact(&page.Contacts[i])
	}
	return out
}

// contactCheck says whether a handle is among the caller's contacts (AC 10.3).
type contactCheck struct {
	IsContact bool    `json:"is_contact" required:"true"`
	AddedAt   *string `json:"added_at" required:"true" format:"date-time"`
	Notes     *string `json:"notes" required:"true"`
}

func (x *exchange) showContact() (any, error) {
	c, err := x.api.Core.ShowContact(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	if c == nil {
		return contactCheck{}, nil
	}
	return contactCheck{IsContact: true, AddedAt: wire.InstantOrNull(c.AddedAt), Notes: orNull(c.Note)}, nil
}

type contactNote struct {
	Notes chat.Opt[string] `json:"notes" required:"true" nullable:"true" maxLength:"1000" description:"null clears it."`
}

func (q *contactNote) read(f *wire.Fields) { q.Notes = f.Optional("notes") }

func (x *exchange) noteContact() (any, error) {
	var q contactNote
	x.read(&q)
	return okay(x.api.Core.NoteContact(x.Context(), x.call, x.handle("handle"), q.Notes))
}

func (x *exchange) removeContact() (any, error) {
	return okay(x.api.Core.RemoveContact(x.Context(), x.call, x.handle("handle")))
}

func (x *exchange) blockAccount() (any, error) {
	return okay(x.api.Core.BlockAccount(x.Context(), x.call, x.handle("handle")))
}

func (x *exchange) unblockAccount() (any, error) {
	return okay(x.api.Core.UnblockAccount(x.Context(), x.call, x.handle("handle")))
}

type newReport struct {
	Reason string `json:"reason,omitempty" maxLength:"1000" description:"For the operator."`
}

func (q *newReport) read(f *wire.Fields) { q.Reason = f.Text("reason") }

func (x *exchange) reportAccount() (any, error) {
	var q newReport
	x.read(&q)
	return okay(x.api.Core.ReportAccount(x.Context(), x.call, x.handle("handle"), q.Reason))
}
