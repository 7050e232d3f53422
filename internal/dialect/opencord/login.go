package opencord

import "parley/internal/dialect/wire"

type loginRequest struct {
	Email    string `json:"email" required:"true" example:"ada@example.org"`
	Password string `json:"password" required:"true" example:"correct horse"`
}

func (q *loginRequest) read(f *wire.Fields) {
	q.Email = f.Required("email")
	q.Password = f.Required("password")
}

func login(x *exchange) (any, error) {
	var q loginRequest
	x.read(&q)
	s, err := x.api.core.Login(x.Context(), x.call, wire.Bucket(x.Request), q.Email, q.Password)
	if err != nil {
		return nil, err
	}
	return loginResponse{Token: s.Token, ExpiresAt: wire.Instant(s.ExpiresAt), User: x.api.user(s.Account)}, nil
}

func logout(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.Logout(x.Context(), x.call)
}
