package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"time"
)

// client sends over one connection and waits for each answer. The generator
// shares the processors with what it measures, so it does as little as it can:
// requests are built beforehand but for the id in the path, and of an answer it
// reads the status and the length.
type client struct {
	conn   net.Conn
	in     *bufio.Reader
	random *rand.Rand
	done   string // status of an answer to a send

	channels target
	directs  target
	ready    [][]byte // to be sent as they are, in the place of both targets
}

// target is a request and the conversations it may go to.
type target struct {
	request []byte
	at      int // where the id stands
	ids     []string
}

const (
	uuidLength = 36
	readBuffer = 4 << 10
	dialTime   = 5 * time.Second
)

// dial connects sender i of f to a server, for one kind of work.
func dial(ctx context.Context, f *fixture, i int, address, work string) (*client, error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	c := &client{
		conn: conn, in: bufio.NewReaderSize(conn, readBuffer),
		random: rand.New(rand.NewPCG(uint64(i), 1)), //nolint:gosec // chooses conversations, guards nothing
		done:   "201",
	}
	if throughAI(work) {
		c.done = "200"
		c.ready, err = privateRequests(f, i, work == workAISigned)
		return c, err
	}
	c.channels = newTarget("/api/channels/", f.Tokens[i], f.IDs[:f.Channels])
	var own []string
	for _, k := range f.own(i) {
		own = append(own, f.IDs[k])
	}
	c.directs = newTarget("/api/dm/", f.Tokens[i], own)
	return c, nil
}

func newTarget(path, token string, ids []string) target {
	body := `{"content":"` + messageText() + `"}`
	head := "POST " + path
	return target{
		request: []byte(head + string(make([]byte, uuidLength)) + "/messages HTTP/1.1\r\n" +
			"Host: bench\r\nAuthorization: Bearer " + token + "\r\nContent-Type: application/json\r\n" +
			"Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body),
		at: len(head), ids: ids,
	}
}

// send sends one message to a conversation chosen at random and reads the answer.
func (c *client) send() error {
	if len(c.ready) > 0 {
		return c.exchange(c.ready[c.random.IntN(len(c.ready))])
	}
	t := &c.channels
	if len(t.ids) == 0 || len(c.directs.ids) > 0 && c.random.IntN(2) == 0 {
		t = &c.directs
	}
	copy(t.request[t.at:], t.ids[c.random.IntN(len(t.ids))])
	return c.exchange(t.request)
}

// exchange sends a request and reads the answer to it.
func (c *client) exchange(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return fmt.Errorf("send a request: %w", err)
	}
	return c.answer()
}

// answer reads one response, which must be of the status of done, with a length.
func (c *client) answer() error {
	length, err := c.head(c.done)
	if err != nil {
		return err
	}
	if _, err := c.in.Discard(length); err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	return nil
}

// head reads a response up to its body, of which it returns the length. The status
// must be the one wanted.
func (c *client) head(want string) (length int, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	refused := "" // the status line, unless it is the one wanted
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 "+want+" ")) {
		refused = string(bytes.TrimSpace(line))
	}
	length = -1
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return 0, fmt.Errorf("read an answer: %w", err)
		}
		if len(line) <= 2 {
			break
		}
		const name = "Content-Length: "
		if len(line) > len(name) && bytes.EqualFold(line[:len(name)], []byte(name)) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(name):]))); err != nil {
				return 0, fmt.Errorf("read an answer: %w", err)
			}
		}
	}
	if length < 0 {
		return 0, errors.New("read an answer: it has no length")
	}
	if refused != "" {
		body, _ := c.in.Peek(min(length, readBuffer)) // as much of the reason as there is
		return 0, fmt.Errorf("a request was answered %q: %s", refused, body)
	}
	return length, nil
}

// overHTTP drives one slice against a server.
func overHTTP(
	ctx context.Context, f *fixture, address, work string, p pace, used func() (usage, error),
) (*slice, error) {
	clients := make([]*client, p.Connections)
	defer func() {
		for _, c := range clients {
			if c != nil {
				_ = c.conn.Close()
			}
		}
	}()
	deadline := time.Now().Add(p.WarmUp + p.Duration + time.Minute) // a server that hangs must not hang the bench
	for i := range clients {
		c, err := dial(ctx, f, i, address, work)
		if err != nil {
			return nil, err
		}
		clients[i] = c
		if err := c.conn.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	return drive(ctx, p, used, func(i int) error { return clients[i].send() }, nil)
}
