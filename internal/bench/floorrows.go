package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// What the bare reader says to either engine: the rows that a page of sync shows,
// and what an acknowledgement changes. The texts are its own, so that a slow engine
// does not lower the floor it is measured by.
const (
	bareRead = `SELECT m.id, m.conversation_id, m.seq, m.author_id, m.client_id, m.kind, m.text, m.created_at
		FROM envelopes e CROSS JOIN messages m
		WHERE e.recipient_id = $1 AND e.message_id > $2 AND e.state = 0 AND NOT e.hidden AND m.id = e.message_id
		ORDER BY e.message_id LIMIT $3`
	bareMark = `UPDATE envelopes SET state = 1, delivered_at = $3
		WHERE recipient_id = $1 AND message_id <= $2 AND state = 0 AND NOT hidden`
)

// inboxShare is the order to drain inboxes.
type inboxShare struct {
	Recipients  []int64
	Connections int
}

// bareReader is the floor below Inbox: it reads and marks the same rows as the
// server does and knows nobody.
type bareReader struct {
	db         *sql.DB
	read, mark *sql.Stmt
	writer     sync.Mutex // one writes at a time, as in the server
}

func beginRows(ctx context.Context, b *brief) (_ subject, err error) {
	r := new(bareReader)
	if b.Place.Database.Postgres() {
		config, err := pgx.ParseConfig(string(b.Place.Database))
		if err != nil {
			return nil, err
		}
		r.db = stdlib.OpenDB(*config)
	} else if r.db, err = sql.Open("sqlite", fileDSN(sqliteFile(b.Place.Data))+rowsParams); err != nil {
		return nil, err
	}
	if r.read, err = r.db.PrepareContext(ctx, bareRead); err == nil {
		r.mark, err = r.db.PrepareContext(ctx, bareMark)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the bare reader: %w", err), r.db.Close())
	}
	return r, nil
}

// rowsParams are those of the server, but that the log is copied as SQLite does it
// by itself.
const rowsParams = `?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=temp_store(MEMORY)` +
	`&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)`

func (r *bareReader) address() string { return "" }

func (r *bareReader) drive(context.Context, pace) (*slice, error) {
	return nil, errors.New("drains inboxes only")
}

func (r *bareReader) stop() error { return r.db.Close() }

// drain empties the inboxes of a share.
func (r *bareReader) drain(ctx context.Context, share *inboxShare) (*slice, error) {
	r.db.SetMaxOpenConns(share.Connections)
	r.db.SetMaxIdleConns(share.Connections)
	pagers := make([]pager, share.Connections)
	for i := range pagers {
		pagers[i] = &rowPager{r, share.Recipients}
	}
	return drainAll(ctx, len(share.Recipients), pagers)
}

// rowPager is one connection of a bare reader.
type rowPager struct {
	reader     *bareReader
	recipients []int64
}

// page needs no cursor: what was acknowledged does not wait any more.
func (p *rowPager) page(ctx context.Context, i int, _ bool) (int, error) {
	count, last, err := p.reader.fetch(ctx, p.recipients[i])
	if err != nil || count == 0 {
		return 0, err
	}
	p.reader.writer.Lock()
	defer p.reader.writer.Unlock()
	result, err := p.reader.mark.ExecContext(ctx, p.recipients[i], last, time.Now().UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("mark rows: %w", err)
	}
	moved, err := result.RowsAffected()
	if err == nil && int(moved) != count {
		err = fmt.Errorf("%d rows were marked, want %d", moved, count)
	}
	return count, err
}

// fetch reads a page and says how many rows it has and which is the last.
func (r *bareReader) fetch(ctx context.Context, recipient int64) (count int, last int64, err error) {
	rows, err := r.read.QueryContext(ctx, recipient, 0, inboxPage)
	if err != nil {
		return 0, 0, fmt.Errorf("read rows: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var conversation, seq, author, kind, at int64
		var client, text sql.RawBytes
		if err := rows.Scan(&last, &conversation, &seq, &author, &client, &kind, &text, &at); err != nil {
			return 0, 0, fmt.Errorf("read rows: %w", err)
		}
		count++
	}
	return count, last, rows.Err()
}
