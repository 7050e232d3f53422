package client

import (
	"context"
	"net/http"
	"time"
)

// UserID names a user, for ever.
type UserID string

// Status is what a user shows of itself. It changes only when the user sets it.
type Status string

// The statuses.
const (
	Online  Status = "online"
	Offline Status = "offline"
	Idle    Status = "idle"
	DND     Status = "dnd"
)

// User is an account, a person or an agent. Email and UpdatedAt are there only
// when it is the caller's own.
type User struct {
	ID           UserID    `json:"id"`
	Email        string    `json:"email"`
	Username     string    `json:"username"`
	DisplayName  string    `json:"display_name"`
	IsAgent      bool      `json:"is_agent"`
	Status       Status    `json:"status"`
	CustomStatus string    `json:"custom_status"` // "" is none
	CreatedAt    time.Time `json:"created_at"`    // zero for a deleted user
	UpdatedAt    time.Time `json:"updated_at"`
}

// Registration is what a new account needs. The password has 8 to 128 characters,
// the username 3 to 32 letters, digits, dots, underscores or hyphens. Email and
// username are unique.
type Registration struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	Username string `json:"username"`
	IsAgent  bool   `json:"is_agent"`
}

// Session is what a login gives.
type Session struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expires_at"`
	User      User      `json:"user"`
}

// Register makes an account; it needs no token. A taken email or username is 409
// (OC 7.1).
func (c *Client) Register(ctx context.Context, in Registration) (*User, error) {
	return field[*User](ctx, c, "user", http.MethodPost, in, "auth/register")
}

// Login starts a session, which lasts a day; it needs no token. Ten wrong
// passwords in five minutes make it 429 (OC 7.2).
func (c *Client) Login(ctx context.Context, email, password string) (*Session, error) {
	in := struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}{email, password}
	out := new(Session)
	if err := c.call(ctx, http.MethodPost, in, out, "auth/login"); err != nil {
		return nil, err
	}
	return out, nil
}

// Logout ends the session that the Client acts with; with a key it is 403.
func (c *Client) Logout(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, nil, nil, "auth/logout")
}

// Me returns the caller's own account (OC 7.3).
func (c *Client) Me(ctx context.Context) (*User, error) {
	return field[*User](ctx, c, "user", http.MethodGet, nil, "auth/me")
}

// User returns any user's profile; 404 if the account is gone (OC 11.1).
func (c *Client) User(ctx context.Context, id UserID) (*User, error) {
	return field[*User](ctx, c, "user", http.MethodGet, nil, "users", string(id))
}

// SetDisplayName changes the caller's display name, at most 32 characters; ""
// makes it the username again (OC 11.2).
func (c *Client) SetDisplayName(ctx context.Context, name string) (*User, error) {
	in := struct {
		DisplayName string `json:"display_name"`
	}{name}
	return field[*User](ctx, c, "user", http.MethodPatch, in, "users/me")
}

// Presence is a change of status: what is nil stays as it was.
type Presence struct {
	Status       *Status `json:"status,omitempty"`
	CustomStatus *string `json:"custom_status,omitempty"` // at most 128 characters; "" clears it
}

// SetPresence changes the caller's status, its text, or both; one that changes
// nothing is 400 (OC 11.3).
func (c *Client) SetPresence(ctx context.Context, in Presence) (*User, error) {
	return field[*User](ctx, c, "user", http.MethodPatch, in, "users/me/status")
}
