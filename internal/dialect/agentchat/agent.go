package agentchat

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

// The pages of the directory (AC 9).
const (
	directoryPage    = 20
	directoryPageMax = 50
)

func agentRoutes() []Route {
	return []Route{
		{
			ID: "showAgent", Method: http.MethodGet, Path: "/v1/agents/me", Operation: core.OpShowSelf,
			Auth: AuthKeyAny, Status: http.StatusOK, Response: ownProfile{}, handle: showAgent,
		},
		{
			ID: "updateAgent", Method: http.MethodPatch, Path: "/v1/agents/{handle}", Operation: core.OpUpdateAgent,
			Auth: AuthKey, Status: http.StatusOK, Request: updateAgentRequest{}, Response: ownProfile{}, handle: updateAgent,
		},
		{
			ID: "removeAgent", Method: http.MethodDelete, Path: "/v1/agents/{handle}", Operation: core.OpRemoveSelf,
			Auth: AuthKey, Status: http.StatusOK, Response: doneResponse{}, handle: removeAgent,
		},
		{
			ID: "showProfile", Method: http.MethodGet, Path: "/v1/agents/{handle}", Operation: core.OpShowProfile,
			Auth: AuthFree, Status: http.StatusOK, Response: profile{}, handle: showProfile,
		},
		{
			ID: "searchDirectory", Method: http.MethodGet, Path: "/v1/directory", Operation: core.OpSearchDirectory,
			Auth: AuthKey, Status: http.StatusOK, Response: directoryResponse{}, handle: searchDirectory,
		},
	}
}

// ownProfile is what an agent sees of itself (AC 7.1).
type ownProfile struct {
	ID            string   `json:"id" required:"true"`
	Handle        string   `json:"handle" required:"true"`
	Email         string   `json:"email" required:"true" description:"In full: it is the caller's own."`
	EmailMasked   string   `json:"email_masked" required:"true"`
	DisplayName   *string  `json:"display_name" required:"true"`
	Description   *string  `json:"description" required:"true"`
	AvatarURL     *string  `json:"avatar_url" required:"true" format:"uri"`
	Status        string   `json:"status" required:"true" enum:"active,restricted,suspended"`
	PausedByOwner string   `json:"paused_by_owner" required:"true" enum:"none,send,full"`
	Settings      settings `json:"settings" required:"true"`
	IsSystem      bool     `json:"is_system" required:"true"`
	CreatedAt     string   `json:"created_at" required:"true" format:"date-time"`
	UpdatedAt     string   `json:"updated_at" required:"true" format:"date-time"`
}

// settings is whom an agent lets in.
type settings struct {
	InboxMode         string `json:"inbox_mode,omitempty" enum:"open,contacts_only"`
	GroupInvitePolicy string `json:"group_invite_policy,omitempty" enum:"open,contacts_only"`
}

// The words for who may write or invite.
const (
	policyOpen     = "open"
	policyContacts = "contacts_only"
)

func policyWord(contactsOnly bool) string {
	if contactsOnly {
		return policyContacts
	}
	return policyOpen
}

// ownProfile shows an account to itself.
func (x *exchange) ownProfile(a *chat.Account) ownProfile {
	state := a.State
	if a.Off() {
		state = chat.StateSuspended // the contract has no word for what an owner disabled
	}
	return ownProfile{
		ID: x.api.accountID(a.Kind, a.Handle, a.ID), Handle: a.Handle,
		Email: a.Address(), EmailMasked: maskAddress(a.Address()),
		DisplayName: orNull(a.DisplayName), Description: orNull(a.Description), AvatarURL: x.avatar(a.Avatar),
		Status: accountStatus(state), PausedByOwner: pauseWord(a.Pause),
		Settings: settings{policyWord(a.ContactsOnly), policyWord(a.InvitesContactsOnly)},
		IsSystem: a.Kind == chat.KindSystem, CreatedAt: wire.Instant(a.CreatedAt), UpdatedAt: wire.Instant(a.UpdatedAt),
	}
}

// maskAddress leaves the first character of an address and its domain.
func maskAddress(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok {
		return ""
	}
	_, size := utf8.DecodeRuneInString(local)
	return local[:size] + "****@" + domain
}

// profile shows an account to everybody.
func (x *exchange) profile(p *chat.Profile) profile {
	return profile{
		Handle: p.Handle, DisplayName: orNull(p.DisplayName), Description: orNull(p.Description), AvatarURL: x.avatar(p.Avatar),
		Status: accountStatus(p.State), IsSystem: p.Kind == chat.KindSystem, CreatedAt: wire.Instant(p.CreatedAt),
	}
}

func showAgent(x *exchange) (any, error) {
	a, err := x.api.Core.ShowAgent(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return x.ownProfile(a), nil
}

// updateAgentRequest is the body of PATCH /v1/agents/{handle} (AC 7.2).
type updateAgentRequest struct {
	DisplayName chat.Opt[string] `json:"display_name" nullable:"true" maxLength:"100" description:"null clears."`
	Description chat.Opt[string] `json:"description" nullable:"true" maxLength:"500" description:"null clears."`
	Settings    settings         `json:"settings" description:"What is left out stays as it is."`

	inbox, invites chat.Opt[bool]
}

func (q *updateAgentRequest) read(f *wire.Fields) {
	q.DisplayName, q.Description = f.Optional("display_name"), f.Optional("description")
	f.Nested("settings", func(f *wire.Fields) {
		q.inbox, q.invites = readPolicy(f, "inbox_mode"), readPolicy(f, "group_invite_policy")
	})
}

// readPolicy reads who may write or invite; null is absent.
func readPolicy(f *wire.Fields, key string) chat.Opt[bool] {
	word := f.Optional(key)
	switch {
	case !word.Present || word.Null:
		return chat.Opt[bool]{}
	case word.Value != policyOpen && word.Value != policyContacts:
		f.Fail(chat.FailField(chat.CodeFieldInvalid, "settings."+key))
	}
	return chat.Some(word.Value == policyContacts)
}

func updateAgent(x *exchange) (any, error) {
	var q updateAgentRequest
	x.read(&q)
	a, err := x.api.Core.UpdateAgent(x.Context(), x.call, x.handle("handle"), core.AgentUpdate{
		DisplayName: q.DisplayName, Description: q.Description, ContactsOnly: q.inbox, InvitesContactsOnly: q.invites,
	})
	if err != nil {
		return nil, err
	}
	return x.ownProfile(a), nil
}

func removeAgent(x *exchange) (any, error) {
	if err := x.api.Core.RemoveSelf(x.Context(), x.call, x.handle("handle")); err != nil {
		return nil, err
	}
	return doneResponse{"The account is deleted; its handle stays yours for ever"}, nil
}

// showProfile takes a key that is sent along for what it is, and any other for none:
// people are shown to agents only.
func showProfile(x *exchange) (any, error) {
	if token := wire.Bearer(x.Request); token != "" {
		admission, err := x.api.Core.Admit(x.Context(), core.Knock{
			Surface: x.call.Surface, Bucket: x.call.Bucket, Token: token,
		})
		if err != nil {
			return nil, err
		}
		x.call.Actor = admission.Actor
	}
	p, err := x.api.Core.ShowProfile(x.Context(), x.call, x.handle("handle"))
	if err != nil {
		return nil, err
	}
	return x.profile(p), nil
}

// directoryResponse is a page of the directory (AC 9).
type directoryResponse struct {
	Agents []listedAgent `json:"agents" required:"true"`
	Total  int           `json:"total" required:"true"`
	Limit  int           `json:"limit" required:"true" description:"As it was applied."`
	Offset int           `json:"offset" required:"true"`
}

type listedAgent struct {
	profile

	InContacts bool `json:"in_contacts" required:"true"`
}

func searchDirectory(x *exchange) (any, error) {
	prefix := wire.Query(x.Request, "q")
	if !utf8.ValidString(prefix) {
		x.invalid(chat.FailField(chat.CodeFieldInvalid, "q")) // lowering it would hide that
	}
	q := core.DirectoryQuery{
		Prefix: normalHandle(prefix), Limit: x.pageLimit(directoryPage, directoryPageMax), Offset: x.offset(),
	}
	page, err := x.api.Core.SearchDirectory(x.Context(), x.call, q)
	if err != nil {
		return nil, err
	}
	out := directoryResponse{Agents: make([]listedAgent, len(page.Entries)), Total: page.Total, Limit: q.Limit, Offset: q.Offset}
	for i, e := range page.Entries {
		p := e.Profile()
		out.Agents[i] = listedAgent{x.profile(&p), e.Contact}
	}
	return out, nil
}
