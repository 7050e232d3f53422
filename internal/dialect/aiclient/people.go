package aiclient

import (
	"strings"

	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/dialect/wire"
)

type registerRequest struct {
	Email    string `json:"email" required:"true" format:"email" maxLength:"254" description:"Unique; lower-cased." example:"ada@example.org"`
	Password string `json:"password" required:"true" minLength:"8" maxLength:"128" description:"Not trimmed." example:"correct horse"`
	Username string `json:"username" required:"true" minLength:"2" maxLength:"32" description:"Unique, whatever the case of its letters: letters of any script, digits, dot, underscore, hyphen." example:"艾达"`
}

func (q *registerRequest) read(f *wire.Fields) {
	q.Email = f.Required("email")
	q.Password = f.Required("password")
	q.Username = f.Required("username")
	if strings.TrimSpace(q.Username) == "" { // missing, as are the blank names of agents and groups
		f.Fail(chat.FailField(chat.CodeFieldRequired, "username"))
	}
}

// register makes a person's account; logging in is another step (AI 10.1).
func register(x *exchange) (any, error) {
	var q registerRequest
	x.read(&q)
	a, err := x.api.Core.Register(x.Context(), x.call, core.Registration{
		Address: q.Email, Password: q.Password, Username: q.Username,
	})
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

type loginRequest struct {
	Email    string `json:"email" required:"true" example:"ada@example.org"`
	Password string `json:"password" required:"true" example:"correct horse"`
}

func (q *loginRequest) read(f *wire.Fields) {
	q.Email = f.Required("email")
	q.Password = f.Required("password")
}

func logIn(x *exchange) (any, error) {
	var q loginRequest
	x.read(&q)
	s, err := x.api.Core.Login(x.Context(), x.call, x.call.Bucket, q.Email, q.Password)
	if err != nil {
		return nil, err
	}
	return loginResponse{Token: s.Token, User: x.api.user(s.Account), ExpiresAt: wire.Instant(s.ExpiresAt)}, nil
}

func logOut(x *exchange) (any, error) {
	return successResponse{true}, x.api.Core.Logout(x.Context(), x.call)
}

func showUser(x *exchange) (any, error) {
	a, err := x.api.Core.ShowOwner(x.Context(), x.call)
	if err != nil {
		return nil, err
	}
	return userResponse{x.api.user(a)}, nil
}

// user is a person as they see themselves (AI 10).
func (a *api) user(p *chat.Account) user {
	return user{ID: a.accountID(p.ID), Email: p.LoginAddress, Username: p.Username, CreatedAt: wire.Instant(p.CreatedAt)}
}
