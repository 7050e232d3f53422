package client

import (
	"context"
	"net/http"
	"time"
)

// KeyID names an API key.
type KeyID string

// Key is an API key of the caller.
type Key struct {
	ID         KeyID     `json:"id"`
	Name       string    `json:"name"`
	Prefix     string    `json:"prefix"` // the first 12 characters of the key
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at"` // zero: never; may lag by a minute
}

// NewKey is a key with its secret, which is shown once.
type NewKey struct {
	Key
	Secret string `json:"key"` // the token to act with
}

// CreateKey makes an API key, which works until it is revoked. The name is for
// the caller's own use, 1 to 64 characters; ten keys may live at a time (OC 7.4).
func (c *Client) CreateKey(ctx context.Context, name string) (*NewKey, error) {
	in := struct {
		Name string `json:"name"`
	}{name}
	out := new(NewKey)
	if err := c.call(ctx, http.MethodPost, in, out, "auth/api-key"); err != nil {
		return nil, err
	}
	return out, nil
}

// Keys lists the caller's keys, newest first, without their secrets (OC 7.5).
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	return field[[]Key](ctx, c, "keys", http.MethodGet, nil, "auth/api-key")
}

// RevokeKey ends a key of the caller at once, also the one it acts with (OC 7.6).
func (c *Client) RevokeKey(ctx context.Context, id KeyID) error {
	return c.call(ctx, http.MethodDelete, nil, nil, "auth/api-key", string(id))
}
