package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxBody bounds what is read of an answer. The largest honest one, a page of a
// hundred full messages of escaped characters, has a fifth of it.
const maxBody = 16 << 20

// path makes the path of a call; the words at odd places are ids. An id that
// would change the path is a mistake of the caller and never sent.
func path(words ...string) (string, error) {
	var b strings.Builder
	b.WriteString("/api")
	for i, word := range words {
		if i%2 == 1 {
			if word == "" || word == "." || word == ".." {
				return "", fmt.Errorf("%s: %q is no id", words[i-1], word)
			}
			word = url.PathEscape(word)
		}
		b.WriteString("/" + word)
	}
	return b.String(), nil
}

// call makes one call and reads the answer into out unless it is nil. In is sent
// as JSON unless it is nil. The words are those of path.
func (c *Client) call(ctx context.Context, method string, in, out any, words ...string) error {
	return c.query(ctx, method, nil, in, out, words...)
}

// query is call with parameters after the path.
func (c *Client) query(ctx context.Context, method string, parameters url.Values, in, out any, words ...string) error {
	where, err := path(words...)
	if err != nil {
		return err
	}
	var body []byte
	if in != nil {
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("%s %s: encode: %w", method, where, err)
		}
	}
	target := where
	if len(parameters) > 0 {
		target += "?" + parameters.Encode()
	}
	left := c.maxWait
	for {
		err := c.once(ctx, method, where, target, body, out)
		var refused *Error
		if !errors.As(err, &refused) || refused.Status != http.StatusTooManyRequests ||
			refused.RetryAfter == 0 || refused.RetryAfter > left {
			return err
		}
		left -= refused.RetryAfter
		if !wait(ctx, refused.RetryAfter) {
			return err
		}
	}
}

// field makes one call and reads the named member of the answer, which every
// answer of the kind has.
func field[T any](ctx context.Context, c *Client, name, method string, in any, words ...string) (T, error) {
	var value T
	var out map[string]json.RawMessage
	if err := c.call(ctx, method, in, &out, words...); err != nil {
		return value, err
	}
	raw, ok := out[name]
	if !ok || string(raw) == "null" {
		return value, fmt.Errorf("%s %s: the answer has no %s", method, strings.Join(words, "/"), name)
	}
	if err := json.Unmarshal(raw, &value); err != nil {
		return value, fmt.Errorf("%s %s: decode the %s: %w", method, strings.Join(words, "/"), name, err)
	}
	return value, nil
}

// once makes one exchange.
func (c *Client) once(ctx context.Context, method, where, target string, body []byte, out any) error {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+target, reader)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, where, err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", c.agent)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, where, cause(err))
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, where, err)
	}
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return errorFrom(response, method, where, answer)
	}
	if len(answer) > maxBody {
		return fmt.Errorf("%s %s: the answer is longer than %d bytes", method, where, maxBody)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: decode the answer: %w", method, where, err)
	}
	return nil
}

// cause takes off the method and URL that net/http puts before an error: the
// caller has put its own there.
func cause(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// wait waits and tells whether ctx lasted that long.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
