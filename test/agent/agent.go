// Package agent is a client of /v1 for the tests of the binary that need many agents
// at once: it registers them, sends, syncs, acknowledges and listens, retries nothing
// and hides nothing. The server has to run with the insecure code Code.
package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
)

// Code is what the server has to take as every mailed code.
const Code = "123456"

// Network is where agents connect from. They share its idle connections.
type Network struct {
	client http.Client
}

// NewNetwork makes a network whose connections come from an address of this
// machine, or from any if it is the zero Addr. An address has some 28,000 ports.
func NewNetwork(source netip.Addr) *Network {
	var dialer net.Dialer
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	return &Network{http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 256}}}
}

// Close closes what is idle. Sockets are closed by those who opened them.
func (n *Network) Close() { n.client.CloseIdleConnections() }

// Agent is an agent of a server, acting. Its methods may be called by several
// goroutines at once, but for Move.
type Agent struct {
	Handle string

	key     string
	server  string // URL
	network *Network
}

// Register makes an agent on the server at a URL (AC 4).
func Register(ctx context.Context, n *Network, server, handle string) (*Agent, error) {
	a := &Agent{Handle: handle, server: server, network: n}
	var pending struct {
		ID string `json:"pending_id"`
	}
	request := map[string]string{"handle": handle, "email": handle + "@example.org"}
	if _, err := a.do(ctx, http.MethodPost, "/v1/register", request, &pending); err != nil {
		return nil, fmt.Errorf("register %s: %w", handle, err)
	}
	var made struct {
		Key string `json:"api_key"`
	}
	request = map[string]string{"pending_id": pending.ID, "code": Code}
	if _, err := a.do(ctx, http.MethodPost, "/v1/register/verify", request, &made); err != nil {
		return nil, fmt.Errorf("verify %s: %w", handle, err)
	}
	a.key = made.Key
	return a, nil
}

// Move turns to another server with the same data.
func (a *Agent) Move(server string) { a.server = server }

// StatusError is an answer other than 2xx. Any other error of a request means that
// there was no answer, or not the whole of it.
type StatusError struct {
	Status int
	Body   string
}

// Error shows the answer.
func (e *StatusError) Error() string { return fmt.Sprintf("status %d: %s", e.Status, e.Body) }

// StatusOf is the status of a failed request, 0 if it was not answered.
func StatusOf(err error) int {
	if e, ok := errors.AsType[*StatusError](err); ok {
		return e.Status
	}
	return 0
}

// do sends a request and decodes the answer, if it is 2xx, whose status it returns.
func (a *Agent) do(ctx context.Context, method, path string, body, answer any) (status int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, method, a.server+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	if body == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	if a.key != "" {
		req.Header.Set("Authorization", "Bearer "+a.key)
	}
	res, err := a.network.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return 0, err
	case res.StatusCode/100 != 2:
		return res.StatusCode, &StatusError{res.StatusCode, string(got)}
	}
	if err := json.Unmarshal(got, answer); err != nil {
		return 0, fmt.Errorf("decode %q: %w", got, err)
	}
	return res.StatusCode, nil
}

// Message is a message as the server shows it (AC 14.1).
type Message struct {
	ID           string `json:"id"`
	Conversation string `json:"conversation_id"`
	Sender       string `json:"sender"`
	ClientID     string `json:"client_msg_id"`
	Seq          int64  `json:"seq"`
	Content      struct {
		Text string `json:"text"`
	} `json:"content"`
	Delivery string `json:"delivery_id"` // the cursor of sync
}

// Draft is a message to an agent or into a group: one of the two is set.
type Draft struct {
	To           string `json:"to,omitempty"`
	Conversation string `json:"conversation_id,omitempty"`
	ClientID     string `json:"client_msg_id"`
	Content      struct {
		Text string `json:"text"`
	} `json:"content"`
}

// Send sends a message. replay tells that the server has had it before.
func (a *Agent) Send(ctx context.Context, d Draft) (m *Message, replay bool, err error) {
	m = new(Message)
	status, err := a.do(ctx, http.MethodPost, "/v1/messages", d, m)
	if err != nil {
		return nil, false, err
	}
	return m, status == http.StatusOK, nil
}

// History is a page of a conversation, oldest first.
func (a *Agent) History(ctx context.Context, conversation string, after int64, limit int) ([]Message, error) {
	var page []Message
	path := fmt.Sprintf("/v1/messages/%s?after_seq=%d&limit=%d", conversation, after, limit)
	_, err := a.do(ctx, http.MethodGet, path, nil, &page)
	return page, err
}

// Sync is a page of what waits for the agent, after a cursor or from the start.
func (a *Agent) Sync(ctx context.Context, after string, limit int) ([]Message, error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != "" {
		query.Set("after", after)
	}
	var page []Message
	_, err := a.do(ctx, http.MethodGet, "/v1/messages/sync?"+query.Encode(), nil, &page)
	return page, err
}

// Ack acknowledges what waits up to a cursor, and returns how much moved.
func (a *Agent) Ack(ctx context.Context, cursor string) (int, error) {
	var answer struct {
		Acked int `json:"acked"`
	}
	_, err := a.do(ctx, http.MethodPost, "/v1/messages/sync/ack", map[string]string{"last_delivery_id": cursor}, &answer)
	return answer.Acked, err
}

// Befriend has two agents write to each other once, so that either may go on, and
// returns their conversation.
func Befriend(ctx context.Context, a, b *Agent) (conversation string, err error) {
	var m *Message
	for _, pair := range [][2]*Agent{{a, b}, {b, a}} {
		d := Draft{To: pair[1].Handle, ClientID: "hello " + pair[1].Handle}
		d.Content.Text = "hello"
		if m, _, err = pair[0].Send(ctx, d); err != nil {
			return "", fmt.Errorf("%s greets %s: %w", pair[0].Handle, pair[1].Handle, err)
		}
	}
	return m.Conversation, nil
}

// Assemble makes a group of agents. The first makes it; it can invite 50 a day.
func Assemble(ctx context.Context, name string, members ...*Agent) (group string, err error) {
	handles := make([]string, 0, len(members))
	for _, m := range members[1:] {
		handles = append(handles, m.Handle)
	}
	var made struct {
		Group struct {
			ID string `json:"id"`
		} `json:"group"`
		Results []struct {
			Handle string `json:"handle"`
			Invite string `json:"invite_id"`
		} `json:"add_results"`
	}
	request := map[string]any{"name": name, "member_handles": handles}
	if _, err := members[0].do(ctx, http.MethodPost, "/v1/groups", request, &made); err != nil {
		return "", fmt.Errorf("make group %s: %w", name, err)
	}
	invites := make(map[string]string)
	for _, r := range made.Results {
		invites[r.Handle] = r.Invite
	}
	for _, m := range members[1:] {
		var group struct{}
		if _, err := m.do(ctx, http.MethodPost, "/v1/groups/invites/"+invites[m.Handle]+"/accept", nil, &group); err != nil {
			return "", fmt.Errorf("%s joins %s: %w", m.Handle, name, err)
		}
	}
	return made.Group.ID, nil
}
