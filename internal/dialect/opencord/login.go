package opencord

type loginRequest struct {
	Email    string `json:"email" required:"true" example:"ada@example.org"`
	Password string `json:"password" required:"true" example:"correct horse"`
}

func (q *loginRequest) read(f *fields) {
	q.Email = f.required("email")
	q.Password = f.required("password")
}

func login(x *exchange) (any, error) {
	var q loginRequest
	x.read(&q)
	s, err := x.api.core.Login(x.Context(), x.call, bucket(x.Request), q.Email, q.Password)
	if err != nil {
		return nil, err
	}
	return loginResponse{Token: s.Token, ExpiresAt: instant(s.ExpiresAt), User: x.api.user(s.Account)}, nil
}

func logout(x *exchange) (any, error) {
	return successResponse{true}, x.api.core.Logout(x.Context(), x.call)
}
