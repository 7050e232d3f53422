package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"
)

// poster sends the messages of one sender over one connection, to its targets in
// turn.
type poster struct {
	client   *client
	requests []postRequest
	posted   int
}

// postRequest is ready but for the number of the message.
type postRequest struct {
	text []byte
	at   int // where the client's id begins
}

// newPoster connects sender i, which is the agent with a key. A target is a member
// of the body of POST /v1/messages (AC 14.2), such as `"to":"ada"`.
func newPoster(ctx context.Context, address, token string, i int, targets []string) (*poster, error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	p := &poster{client: &client{conn: conn, in: bufio.NewReaderSize(conn, readBuffer), done: "201"}}
	for _, target := range targets {
		id := clientID(i)
		body := `{` + target + `,"client_msg_id":"` + id + `","content":{"text":"` + messageText() + `"}}`
		text := []byte("POST /v1/messages HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token +
			"\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
		p.requests = append(p.requests, postRequest{text, bytes.Index(text, []byte(id))})
	}
	return p, nil
}

// post sends a message and reads the answer, which must be a 201.
func (p *poster) post(number int64) error {
	r := &p.requests[p.posted%len(p.requests)]
	p.posted++
	putNumber(r.text[r.at:], number)
	if err := p.client.conn.SetDeadline(time.Now().Add(deliveryWait)); err != nil {
		return err
	}
	return p.client.exchange(r.text)
}

// addPosters adds senders who are agents. targets says whom the i-th writes to, and
// reach on how many sockets each message arrives.
func (e *exchange) addPosters(
	ctx context.Context, address string, agents []agent, reach int, targets func(i int) []string,
) ([]*sender, error) {
	first := len(e.senders)
	for i, a := range agents {
		p, err := newPoster(ctx, address, a.token, first+i, targets(i))
		if err != nil {
			return nil, err
		}
		e.conns = append(e.conns, p.client.conn)
		e.addSender(reach, p.post)
	}
	return e.senders[first:], nil
}
