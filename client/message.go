package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// MessageID names a message.
type MessageID string

// Author is a user as shown beside a message: as the profile is now. Of a deleted
// user the id stays.
type Author struct {
	ID          UserID `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	IsAgent     bool   `json:"is_agent"`
}

// Message is one message of a channel or DM channel. Inside one of them the times
// of creation rise strictly.
type Message struct {
	ID        MessageID `json:"id"`
	Content   string    `json:"content"`
	AuthorID  UserID    `json:"author_id"`
	ChannelID string    `json:"channel_id"` // a ChannelID or a DMID
	Edited    bool      `json:"edited"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"` // zero until edited
	Author    Author    `json:"author"`
}

// Page asks for a part of a history. Its zero value asks for the newest 50.
type Page struct {
	Before time.Time // only messages strictly older; zero: from the newest
	Limit  int       // 1 to 100; 0: 50
}

// MessagePage is a part of a history, newest first.
type MessagePage struct {
	Messages []Message `json:"messages"`
	HasMore  bool      `json:"has_more"` // there are older ones
}

type contentBody struct {
	Content string `json:"content"`
}

func (p Page) values() url.Values {
	v := url.Values{}
	if !p.Before.IsZero() {
		v.Set("before", p.Before.UTC().Format(time.RFC3339Nano))
	}
	if p.Limit != 0 {
		v.Set("limit", strconv.Itoa(p.Limit))
	}
	return v
}

// Messages returns a page of a channel's history, newest first (OC 9.5).
func (c *Client) Messages(ctx context.Context, id ChannelID, page Page) (*MessagePage, error) {
	return c.page(ctx, page, "channels", string(id), "messages")
}

// History goes through a channel's messages from the newest to the oldest,
// fetching them page by page; page says where to begin and how many to fetch at
// once. An error is the last thing it yields.
func (c *Client) History(ctx context.Context, id ChannelID, page Page) iter.Seq2[Message, error] {
	return history(page, func(p Page) (*MessagePage, error) { return c.Messages(ctx, id, p) })
}

// Send writes a message of at most 4000 characters to a channel (OC 9.6). When it
// fails without an *Error, the message may have been stored all the same.
func (c *Client) Send(ctx context.Context, id ChannelID, content string) (*Message, error) {
	return c.message(ctx, http.MethodPost, content, "channels", string(id), "messages")
}

// EditMessage changes the caller's own message in a channel (OC 9.7).
func (c *Client) EditMessage(ctx context.Context, id MessageID, content string) (*Message, error) {
	return c.message(ctx, http.MethodPatch, content, "messages", string(id))
}

// DeleteMessage removes a message from a channel for good: the caller's own, or
// anybody's if the caller owns the server (OC 9.8).
func (c *Client) DeleteMessage(ctx context.Context, id MessageID) error {
	return c.call(ctx, http.MethodDelete, nil, nil, "messages", string(id))
}

func (c *Client) page(ctx context.Context, page Page, words ...string) (*MessagePage, error) {
	out := new(MessagePage)
	if err := c.query(ctx, http.MethodGet, page.values(), nil, out, words...); err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) message(ctx context.Context, method, content string, words ...string) (*Message, error) {
	return field[*Message](ctx, c, "message", method, contentBody{content}, words...)
}

// history walks pages with the time of the last message as the cursor, which
// loses nothing because times rise strictly.
func history(page Page, fetch func(Page) (*MessagePage, error)) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for next := page; ; {
			got, err := fetch(next)
			if err != nil {
				yield(Message{}, err)
				return
			}
			for _, m := range got.Messages {
				if !yield(m, nil) {
					return
				}
				next.Before = m.CreatedAt
			}
			if !got.HasMore || len(got.Messages) == 0 {
				return
			}
		}
	}
}
