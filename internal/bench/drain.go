package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	inboxPage = 200 // messages, as the official clients ask for
	pageWait  = time.Minute
)

// pager fetches what waits for agents, page by page. One goroutine uses it.
type pager interface {
	// page fetches the next page of the i-th agent, its first if begin is set,
	// acknowledges it and says how many messages moved. Less than inboxPage is the
	// last page.
	page(ctx context.Context, i int, begin bool) (int, error)
}

// drainAll empties the inboxes of the first n agents, with one pager each at a time.
// The times of the slice are those of pages, its count is that of messages.
func drainAll(ctx context.Context, n int, pagers []pager) (*slice, error) {
	var next, rows atomic.Int64
	took := make([][]time.Duration, len(pagers))
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for k, p := range pagers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				moved := inboxPage
				for begin := true; moved == inboxPage; begin = false {
					if err := ctx.Err(); err != nil {
						return err
					}
					at := time.Now()
					var err error
					if moved, err = p.page(ctx, i, begin); err != nil {
						return err
					}
					took[k] = append(took[k], time.Since(at))
					rows.Add(int64(moved))
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s := &slice{Sends: int(rows.Load()), Elapsed: time.Since(began)}
	all := slices.Concat(took...)
	slices.Sort(all)
	s.P50, s.P99 = quantile(all, 0.50), quantile(all, 0.99)
	return s, nil
}

// syncPager is a client of GET /v1/messages/sync and of its acknowledgement (AC 15).
type syncPager struct {
	client *client
	agents []agent
	after  string // the cursor, "" at the start
	body   []byte
}

func dialSync(ctx context.Context, address string, agents []agent) (*syncPager, error) {
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &syncPager{client: &client{conn: conn, in: bufio.NewReaderSize(conn, frameLimit)}, agents: agents}, nil
}

func (p *syncPager) page(_ context.Context, i int, begin bool) (int, error) {
	if begin {
		p.after = ""
	}
	token := p.agents[i].token
	path := "/v1/messages/sync?limit=" + strconv.Itoa(inboxPage)
	if p.after != "" {
		path += "&after=" + p.after
	}
	if err := p.request("GET", path, token, ""); err != nil {
		return 0, fmt.Errorf("fetch a page: %w", err)
	}
	const cursor = `"delivery_id":"`
	count := bytes.Count(p.body, []byte(cursor))
	if count == 0 {
		return 0, nil
	}
	last, _ := member(p.body[bytes.LastIndex(p.body, []byte(cursor)):], cursor)
	p.after = string(last)
	if err := p.request("POST", "/v1/messages/sync/ack", token, `{"last_delivery_id":"`+p.after+`"}`); err != nil {
		return 0, fmt.Errorf("acknowledge a page: %w", err)
	}
	if want := `{"acked":` + strconv.Itoa(count) + `}`; string(p.body) != want {
		return 0, fmt.Errorf("acknowledge a page: got %.200s, want %s", p.body, want)
	}
	return count, nil
}

// request makes one request and reads the answer, which must be a 200, into body.
func (p *syncPager) request(method, path, token, body string) error {
	text := method + " " + path + " HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer " + token + "\r\n"
	if body != "" {
		text += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	if err := p.client.conn.SetDeadline(time.Now().Add(pageWait)); err != nil {
		return err
	}
	if _, err := io.WriteString(p.client.conn, text+"\r\n"+body); err != nil {
		return err
	}
	length, err := p.client.head("200")
	if err != nil {
		return err
	}
	p.body = slices.Grow(p.body[:0], length)[:length]
	_, err = io.ReadFull(p.client.in, p.body)
	return err
}
