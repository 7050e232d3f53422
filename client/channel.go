package client

import (
	"context"
	"net/http"
	"time"
)

// ChannelID names a channel of a server.
type ChannelID string

// Channel is a text channel of a server.
type Channel struct {
	ID        ChannelID `json:"id"`
	ServerID  ServerID  `json:"server_id"`
	Name      string    `json:"name"`
	Topic     string    `json:"topic"` // "" is none
	Type      string    `json:"type"`  // "text"
	Position  int       `json:"position"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Channels lists the channels of a server by position (OC 9.1).
func (c *Client) Channels(ctx context.Context, id ServerID) ([]Channel, error) {
	return field[[]Channel](ctx, c, "channels", http.MethodGet, nil, "servers", string(id), "channels")
}

// CreateChannel makes a channel at the end of a server of the caller. The name
// comes back in lower case with hyphens for blanks; the topic has at most 1024
// characters (OC 9.2).
func (c *Client) CreateChannel(ctx context.Context, id ServerID, name, topic string) (*Channel, error) {
	in := struct {
		Name  string `json:"name"`
		Topic string `json:"topic,omitempty"`
	}{name, topic}
	return field[*Channel](ctx, c, "channel", http.MethodPost, in, "servers", string(id), "channels")
}

// Channel returns a channel to a member of its server.
func (c *Client) Channel(ctx context.Context, id ChannelID) (*Channel, error) {
	return field[*Channel](ctx, c, "channel", http.MethodGet, nil, "channels", string(id))
}

// ChannelUpdate changes a channel: what is nil stays as it was.
type ChannelUpdate struct {
	Name     *string `json:"name,omitempty"`
	Topic    *string `json:"topic,omitempty"`    // "" clears it
	Position *int    `json:"position,omitempty"` // 0 to 1000
}

// UpdateChannel changes a channel of a server of the caller (OC 9.3).
func (c *Client) UpdateChannel(ctx context.Context, id ChannelID, in ChannelUpdate) (*Channel, error) {
	return field[*Channel](ctx, c, "channel", http.MethodPatch, in, "channels", string(id))
}

// DeleteChannel removes a channel and its messages; the last one of a server
// stays (OC 9.4).
func (c *Client) DeleteChannel(ctx context.Context, id ChannelID) error {
	return c.call(ctx, http.MethodDelete, nil, nil, "channels", string(id))
}
