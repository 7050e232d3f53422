package aiclient

import "parley/internal/chat"

type registerRequest struct {
	Email    string `json:"email" required:"true" format:"email" maxLength:"254" description:"Unique; lower-cased." example:"ada@example.org"`
	Password string `json:"password" required:"true" minLength:"8" maxLength:"128" description:"Not trimmed." example:"correct horse"`
	Username string `json:"username" required:"true" minLength:"2" maxLength:"32" description:"Unique, whatever the case of its letters: letters of any script, digits, dot, underscore, hyphen." example:"艾达"`
}

type loginRequest struct {
	Email    string `json:"email" required:"true" example:"ada@example.org"`
	Password string `json:"password" required:"true" example:"correct horse"`
}

func register(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func logIn(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func logOut(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }

func showUser(x *exchange) (any, error) { return nil, chat.Fail(chat.CodeInternal) }
