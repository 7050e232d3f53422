package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
)

// Client speaks to a Handler. Accounts are named by public id, username, handle
// or login address. What the server refuses is an *Error. A Client is safe for
// concurrent use.
type Client struct{ http *http.Client }

// NewClient uses a transport from Local, or any other that ends at a Handler.
func NewClient(transport http.RoundTripper) *Client {
	return &Client{&http.Client{Transport: transport}}
}

// Accounts calls each for every account that was not removed, oldest first, and
// ends at its first error. It asks for the accounts in pages.
func (c *Client) Accounts(ctx context.Context, each func(Account) error) error {
	for after := ""; ; {
		var page accountPage
		if err := c.call(ctx, "GET", "/accounts?"+url.Values{"after": {after}}.Encode(), nil, &page); err != nil {
			return err
		}
		for _, a := range page.Accounts {
			if err := each(a); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// CreateAccount makes an account.
func (c *Client) CreateAccount(ctx context.Context, in NewAccount) (Account, error) {
	return call[Account](ctx, c, "POST", "/accounts", in)
}

// Account shows one account.
func (c *Client) Account(ctx context.Context, who string) (Account, error) {
	return call[Account](ctx, c, "GET", accountPath(who), nil)
}

// Remove removes an account for good and returns it as it was.
func (c *Client) Remove(ctx context.Context, who string) (Account, error) {
	return call[Account](ctx, c, "DELETE", accountPath(who), nil)
}

// Suspend takes an account out of service from its next request on.
func (c *Client) Suspend(ctx context.Context, who string) (Account, error) {
	return call[Account](ctx, c, "POST", accountPath(who, "suspend"), nil)
}

// Reinstate puts a suspended account back.
func (c *Client) Reinstate(ctx context.Context, who string) (Account, error) {
	return call[Account](ctx, c, "POST", accountPath(who, "reinstate"), nil)
}

// SetGuard turns the guard of an account on or off.
func (c *Client) SetGuard(ctx context.Context, who string, on bool) (Account, error) {
	return call[Account](ctx, c, "PUT", accountPath(who, "guard"), guardChange{on})
}

// SetPassword replaces a password and ends the account's sessions.
func (c *Client) SetPassword(ctx context.Context, who, password string) (Account, error) {
	return call[Account](ctx, c, "PUT", accountPath(who, "password"), passwordChange{password})
}

// Keys lists the keys of an account, newest first.
func (c *Client) Keys(ctx context.Context, who string) ([]Key, error) {
	list, err := call[keyList](ctx, c, "GET", accountPath(who, "keys"), nil)
	return list.Keys, err
}

// CreateKey makes a key; its token is returned here and nowhere else.
func (c *Client) CreateKey(ctx context.Context, who, name string) (IssuedKey, error) {
	return call[IssuedKey](ctx, c, "POST", accountPath(who, "keys"), keyRequest{name})
}

// RevokeKey ends a key, named by its public id.
func (c *Client) RevokeKey(ctx context.Context, who, key string) error {
	_, err := call[empty](ctx, c, "DELETE", accountPath(who, "keys", key), nil)
	return err
}

// Webhooks calls each for every webhook, of one account if who is not "", oldest
// first, and ends at its first error.
func (c *Client) Webhooks(ctx context.Context, who string, each func(Webhook) error) error {
	for after := ""; ; {
		var page webhookPage
		if err := c.call(ctx, "GET", "/webhooks?"+url.Values{"account": {who}, "after": {after}}.Encode(), nil, &page); err != nil {
			return err
		}
		for _, h := range page.Webhooks {
			if err := each(h); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// RemoveWebhook removes a webhook, named by its id, with all that is queued for it.
func (c *Client) RemoveWebhook(ctx context.Context, id string) error {
	_, err := call[empty](ctx, c, "DELETE", "/webhooks/"+url.PathEscape(id), nil)
	return err
}

// DeadLetters calls each for every delivery that was given up, and ends at its first
// error.
func (c *Client) DeadLetters(ctx context.Context, each func(DeadLetter) error) error {
	for after := ""; ; {
		var page letterPage
		if err := c.call(ctx, "GET", "/dead-letters?"+url.Values{"after": {after}}.Encode(), nil, &page); err != nil {
			return err
		}
		for _, l := range page.Letters {
			if err := each(l); err != nil {
				return err
			}
		}
		if after = page.Next; after == "" {
			return nil
		}
	}
}

// Redrive queues a dead letter again, named by its id.
func (c *Client) Redrive(ctx context.Context, id string) error {
	_, err := call[Redriven](ctx, c, "POST", "/dead-letters/"+url.PathEscape(id)+"/redrive", nil)
	return err
}

// RedriveAll queues all dead letters again and returns how many.
func (c *Client) RedriveAll(ctx context.Context) (int, error) {
	done, err := call[Redriven](ctx, c, "POST", "/dead-letters/redrive", nil)
	return done.Redriven, err
}

// Backup has the server write a consistent copy of its database to a new file. A
// relative path is one from here, not from where the server was started. It
// returns when the copy is on the disk; the end of ctx ends it.
func (c *Client) Backup(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("find the place of the copy: %w", err)
	}
	_, err = call[empty](ctx, c, "POST", "/backup", backupRequest{path})
	return err
}

// Usage tells what the server's process has used.
func (c *Client) Usage(ctx context.Context) (Usage, error) {
	return call[Usage](ctx, c, "GET", "/usage", nil)
}

func accountPath(who string, rest ...string) string {
	path := "/accounts/" + url.PathEscape(who)
	for _, part := range rest {
		path += "/" + url.PathEscape(part)
	}
	return path
}

func call[T any](ctx context.Context, c *Client, method, path string, in any) (T, error) {
	var out T
	err := c.call(ctx, method, path, in, &out)
	return out, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	body := []byte(nil)
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the command: %w", err)
		}
	}
	// The host is for show: the transport knows where to go.
	r, err := http.NewRequestWithContext(ctx, method, "http://parley"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the command: %w", err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("speak to the server: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		var refusal errorBody
		if err := json.Unmarshal(text, &refusal); err != nil || refusal.Error == nil {
			return fmt.Errorf("the server answered %s", answer.Status)
		}
		refusal.Error.Status = answer.StatusCode
		return refusal.Error
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	return nil
}
