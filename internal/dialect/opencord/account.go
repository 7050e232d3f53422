package opencord

import (
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
	"parley/internal/id"
)

type registerRequest struct {
	Email    string `json:"email" required:"true" format:"email" maxLength:"254" description:"Unique; trimmed and lower-cased." example:"ada@example.org"`
	Password string `json:"password" required:"true" minLength:"8" maxLength:"128" example:"correct horse"`
	Username string `json:"username" required:"true" minLength:"3" maxLength:"32" pattern:"^[A-Za-z0-9._-]+$" description:"Unique, whatever the case of its letters." example:"ada"`
	IsAgent  bool   `json:"is_agent" default:"false"`
}

func (q *registerRequest) read(f *wire.Fields) {
	q.Email = f.Required("email")
	q.Password = f.Required("password")
	q.Username = f.Required("username")
	q.IsAgent = f.Flag("is_agent").Value
}

func register(x *exchange) (any, error) {
	var q registerRequest
	x.read(&q)
	a, err := x.api.core.Register(x.Context(), x.call, core.Registration{
		Address: q.Email, Password: q.Password, Username: q.Username, Agent: q.IsAgent,
	})
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

func showSelf(x *exchange) (any, error) {
	a, err := x.api.core.ShowSelf(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

func showUser(x *exchange) (any, error) {
	a, err := x.api.core.ShowAccount(x.Context(), x.call, chat.AccountID(x.pathID(id.KindAccount)))
	if err != nil {
		return nil, err
	}
	if a.ID == x.call.Actor.Account {
		return userResponse{x.api.user(a)}, nil
	}
	return publicUserResponse{x.api.publicUser(a.Profile())}, nil
}

type updateProfileRequest struct {
	DisplayName chat.Opt[string] `json:"display_name" nullable:"true" minLength:"0" maxLength:"32" description:"Trimmed; null or blank resets it to the username." example:"Ada L."`
}

func (q *updateProfileRequest) read(f *wire.Fields) { q.DisplayName = f.Optional("display_name") }

func updateProfile(x *exchange) (any, error) {
	var q updateProfileRequest
	x.read(&q)
	a, err := x.api.core.UpdateProfile(x.Context(), x.call, q.DisplayName)
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

type setStatusRequest struct {
	Status       chat.Opt[string] `json:"status" enum:"online,offline,idle,dnd" description:"Absent: left as it is." example:"dnd"`
	CustomStatus chat.Opt[string] `json:"custom_status" nullable:"true" maxLength:"128" description:"Trimmed; null or blank clears it." example:"thinking"`

	chosen chat.Opt[chat.Status]
}

func (q *setStatusRequest) read(f *wire.Fields) {
	q.Status = f.Optional("status")
	if q.Status.Present && !q.Status.Null {
		status, ok := statusNamed(q.Status.Value)
		if !ok {
			f.Fail(chat.FailField(chat.CodeStatusInvalid, "status"))
		}
		q.chosen = chat.Some(status)
	}
	q.CustomStatus = f.Optional("custom_status")
}

func setStatus(x *exchange) (any, error) {
	var q setStatusRequest
	x.read(&q)
	a, err := x.api.core.SetPresence(x.Context(), x.call, core.PresenceChange{Status: q.chosen, Text: q.CustomStatus})
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

// user is an account as it sees itself (OC 4.1).
func (a *api) user(account *chat.Account) user {
	return user{
		publicUser: a.publicUser(account.Profile()),
		Email:      account.Address(),
		UpdatedAt:  wire.Instant(account.UpdatedAt),
	}
}

// publicUser is an account as others see it, or its tombstone (OC 4.2, 4.9).
func (a *api) publicUser(p chat.Profile) publicUser {
	by := a.author(p)
	return publicUser{
		ID: by.ID, Username: by.Username, DisplayName: by.DisplayName, IsAgent: by.IsAgent,
		Status: statusName(p.Presence.Status), CustomStatus: textOrNull(p.Presence.Text),
		CreatedAt: wire.InstantOrNull(p.CreatedAt),
	}
}

// author is an account beside its message, or its tombstone (OC 4.3).
func (a *api) author(p chat.Profile) author {
	sealed := a.seal(id.KindAccount, int64(p.ID))
	if p.Gone {
		return author{ID: sealed, Username: "deleted-user", DisplayName: "Deleted User"}
	}
	name := p.DisplayName
	if name == "" { // accounts made through /v1 need not have one
		name = p.Username
	}
	return author{ID: sealed, Username: p.Username, DisplayName: name, IsAgent: p.Kind == chat.KindAgent}
}

func statusName(s chat.Status) string {
	switch s {
	case chat.StatusOnline:
		return "online"
	case chat.StatusAway:
		return "idle"
	case chat.StatusBusy:
		return "dnd"
	}
	return "offline"
}

func statusNamed(name string) (status chat.Status, ok bool) {
	for _, s := range []chat.Status{chat.StatusOnline, chat.StatusOffline, chat.StatusAway, chat.StatusBusy} {
		if statusName(s) == name {
			return s, true
		}
	}
	return 0, false
}

// textOrNull shows a text of which "" is none.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
