package client

import (
	"context"
	"net/http"
	"time"
)

// ServerID names a server.
type ServerID string

// Server is a community: channels and members.
type Server struct {
	ID          ServerID  `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"` // "" is none
	InviteCode  string    `json:"invite_code"` // whoever has it may join
	OwnerID     UserID    `json:"owner_id"`
	MemberCount int       `json:"member_count"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// Role is what a member is in a server.
type Role string

// The roles.
const (
	Owner  Role = "owner"
	Member Role = "member"
)

// Membership is a user in a server.
type Membership struct {
	UserID   UserID    `json:"user_id"`
	Role     Role      `json:"role"`
	JoinedAt time.Time `json:"joined_at"`
	User     User      `json:"user"`
}

// Servers lists the servers the caller is a member of, earliest joined first
// (OC 8.1).
func (c *Client) Servers(ctx context.Context) ([]Server, error) {
	return field[[]Server](ctx, c, "servers", http.MethodGet, nil, "servers")
}

// CreateServer makes a server that the caller owns, with a channel called
// general. The name has 1 to 100 characters, the description at most 500 (OC 8.2).
func (c *Client) CreateServer(ctx context.Context, name, description string) (*Server, error) {
	in := struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
	}{name, description}
	return field[*Server](ctx, c, "server", http.MethodPost, in, "servers")
}

// Server returns a server to a member (OC 8.3).
func (c *Client) Server(ctx context.Context, id ServerID) (*Server, error) {
	return field[*Server](ctx, c, "server", http.MethodGet, nil, "servers", string(id))
}

// ServerUpdate changes a server: what is nil or false stays as it was.
type ServerUpdate struct {
	Name             *string `json:"name,omitempty"`
	Description      *string `json:"description,omitempty"` // "" clears it
	RegenerateInvite bool    `json:"regenerate_invite,omitempty"`
}

// UpdateServer changes a server of the caller. A new invite code makes the old one
// useless at once (OC 8.4).
func (c *Client) UpdateServer(ctx context.Context, id ServerID, in ServerUpdate) (*Server, error) {
	return field[*Server](ctx, c, "server", http.MethodPatch, in, "servers", string(id))
}

// DeleteServer removes a server of the caller with all that is in it (OC 8.5).
func (c *Client) DeleteServer(ctx context.Context, id ServerID) error {
	return c.call(ctx, http.MethodDelete, nil, nil, "servers", string(id))
}

// JoinServer makes the caller a member; 409 if it is one already (OC 8.6).
func (c *Client) JoinServer(ctx context.Context, id ServerID, inviteCode string) (*Server, error) {
	in := struct {
		InviteCode string `json:"invite_code"`
	}{inviteCode}
	return field[*Server](ctx, c, "server", http.MethodPost, in, "servers", string(id), "join")
}

// LeaveServer ends the caller's membership; the owner cannot leave (OC 8.7).
func (c *Client) LeaveServer(ctx context.Context, id ServerID) error {
	return c.call(ctx, http.MethodPost, nil, nil, "servers", string(id), "leave")
}

// Members lists the members of a server, earliest joined first (OC 8.8).
func (c *Client) Members(ctx context.Context, id ServerID) ([]Membership, error) {
	return field[[]Membership](ctx, c, "members", http.MethodGet, nil, "servers", string(id), "members")
}
