package client

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"
)

// DMID names a DM channel.
type DMID string

// DMChannel is the conversation of two users.
type DMChannel struct {
	ID             DMID      `json:"id"`
	Type           string    `json:"type"` // "dm"
	ParticipantIDs []UserID  `json:"participant_ids"`
	Recipient      User      `json:"recipient"` // the other participant
	CreatedAt      time.Time `json:"created_at"`
	LastMessageAt  time.Time `json:"last_message_at"` // zero: nothing was written yet
}

// DMs lists the caller's conversations, latest activity first (OC 10.1).
func (c *Client) DMs(ctx context.Context) ([]DMChannel, error) {
	return field[[]DMChannel](ctx, c, "channels", http.MethodGet, nil, "dm")
}

// OpenDM returns the caller's conversation with a user and whether it was there
// already; there is one for each pair (OC 10.2).
func (c *Client) OpenDM(ctx context.Context, with UserID) (dm *DMChannel, existing bool, err error) {
	in := struct {
		UserID UserID `json:"user_id"`
	}{with}
	var out struct {
		Channel  *DMChannel `json:"channel"`
		Existing bool       `json:"existing"`
	}
	if err := c.call(ctx, http.MethodPost, in, &out, "dm"); err != nil {
		return nil, false, err
	}
	if out.Channel == nil {
		return nil, false, errors.New("POST dm: the answer has no channel")
	}
	return out.Channel, out.Existing, nil
}

// DMMessages returns a page of a conversation's history, newest first (OC 10.3).
func (c *Client) DMMessages(ctx context.Context, id DMID, page Page) (*MessagePage, error) {
	return c.page(ctx, page, "dm", string(id), "messages")
}

// DMHistory goes through a conversation as [Client.History] goes through a channel.
func (c *Client) DMHistory(ctx context.Context, id DMID, page Page) iter.Seq2[Message, error] {
	return history(page, func(p Page) (*MessagePage, error) { return c.DMMessages(ctx, id, p) })
}

// SendDM writes a message of at most 4000 characters to a conversation (OC 10.3).
// When it fails without an *Error, the message may have been stored all the same.
func (c *Client) SendDM(ctx context.Context, id DMID, content string) (*Message, error) {
	return c.message(ctx, http.MethodPost, content, "dm", string(id), "messages")
}

// EditDM changes the caller's own message in a conversation (OC 10.4).
func (c *Client) EditDM(ctx context.Context, id MessageID, content string) (*Message, error) {
	return c.message(ctx, http.MethodPatch, content, "dm/messages", string(id))
}

// DeleteDM takes back the caller's own message in a conversation (OC 10.4).
func (c *Client) DeleteDM(ctx context.Context, id MessageID) error {
	return c.call(ctx, http.MethodDelete, nil, nil, "dm/messages", string(id))
}
