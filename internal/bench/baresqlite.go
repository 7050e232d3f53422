package bench

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// What the bare writer says to SQLite. Like the server's engine it uses no
// savepoint, a few fixed numbers of rows per statement, and a checkpointer beside
// the writer; but the texts are its own, so that a slow engine does not lower the
// floor it is measured by.
const (
	bareParams = `?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=temp_store(MEMORY)` +
		`&_pragma=wal_autocheckpoint(0)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)` +
		`&_pragma=cache_size(-65536)&_pragma=foreign_keys(0)`

	bareDraw    = `UPDATE counters SET value = ? WHERE name = 'ids'`
	bareMessage = `INSERT OR ROLLBACK INTO messages
		(id, conversation_id, seq, author_id, kind, text, created_at) VALUES `
	bareMessageRow = `(?, ?, ?, ?, 1, ?, ?)`

	bareEnvelope = `INSERT OR ROLLBACK INTO envelopes
		(message_id, recipient_id, conversation_id, seq, state, hidden) VALUES `
	bareEnvelopeRow = `(?, ?, ?, ?, 0, 0)`

	bareMove = `UPDATE conversations SET last_seq = j.value->>1, last_at = j.value->>2
		FROM json_each(?) AS j WHERE conversations.id = j.value->>0`
)

// bareChunks are the numbers of rows that have a statement.
var bareChunks = [...]int{64, 32, 16, 8, 4, 2, 1}

// bareInsert is an insert of many rows, prepared for every number in bareChunks.
type bareInsert [len(bareChunks)]*sql.Stmt

type bareSQLite struct {
	pool *sql.DB
	conn *sql.Conn
	log  *bareLog

	begin, commit, draw, move *sql.Stmt
	messages, envelopes       bareInsert

	text   string
	values []any
	moved  []byte
}

func openBareSQLite(ctx context.Context, b *brief) (bareStore, error) {
	pool, err := sql.Open("sqlite", fileDSN(sqliteFile(b.Place.Data))+bareParams)
	if err != nil {
		return nil, err
	}
	s := &bareSQLite{pool: pool, text: messageText()}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return s, nil
}

func (s *bareSQLite) prepare(ctx context.Context) (err error) {
	if s.conn, err = s.pool.Conn(ctx); err != nil {
		return err
	}
	var errs []error
	prepare := func(text string) *sql.Stmt {
		stmt, err := s.conn.PrepareContext(ctx, text) // ends with its connection
		errs = append(errs, err)
		return stmt
	}
	s.begin, s.commit = prepare(`BEGIN IMMEDIATE`), prepare(`COMMIT`)
	s.draw, s.move = prepare(bareDraw), prepare(bareMove)
	for i, n := range bareChunks {
		s.messages[i] = prepare(bareMessage + strings.Repeat(bareMessageRow+", ", n-1) + bareMessageRow)
		s.envelopes[i] = prepare(bareEnvelope + strings.Repeat(bareEnvelopeRow+", ", n-1) + bareEnvelopeRow)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.log, err = startBareLog(ctx, s.pool)
	return err
}

func (s *bareSQLite) last(ctx context.Context, f *fixture) (id int64, places []barePlace, err error) {
	if err := s.conn.QueryRowContext(ctx, `SELECT value FROM counters WHERE name = 'ids'`).Scan(&id); err != nil {
		return 0, nil, err
	}
	rows, err := s.conn.QueryContext(ctx, readPlaces, f.FirstConversation, int64(f.conversations()))
	if err != nil {
		return 0, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p barePlace
		if err := rows.Scan(&p.seq, &p.at); err != nil {
			return 0, nil, err
		}
		places = append(places, p)
	}
	return id, places, rows.Err()
}

func (s *bareSQLite) write(ctx context.Context, rows []bareRow) error {
	if err := s.log.giveWay(ctx, s.conn); err != nil {
		return err
	}
	if _, err := s.begin.ExecContext(ctx); err != nil {
		return err
	}
	if err := s.insert(ctx, rows); err != nil {
		_, _ = s.conn.ExecContext(ctx, `ROLLBACK`) // an insert that failed has done so
		return err
	}
	_, err := s.commit.ExecContext(ctx)
	s.log.written()
	return err
}

func (s *bareSQLite) insert(ctx context.Context, rows []bareRow) error {
	if _, err := s.draw.ExecContext(ctx, rows[len(rows)-1].id); err != nil {
		return err
	}
	s.values = s.values[:0]
	s.moved = append(s.moved[:0], '[')
	for i := range rows {
		r := &rows[i]
		s.values = append(s.values, r.id, r.conversation, r.seq, r.author, s.text, r.at)
		// A conversation that moves twice is listed twice; only its last place
		// may count.
		if !movesAgain(rows[i+1:], r.conversation) {
			s.moved = appendNumbers(s.moved, r.conversation, r.seq, r.at)
		}
	}
	if err := s.messages.run(ctx, s.values, len(rows)); err != nil {
		return err
	}
	s.moved[len(s.moved)-1] = ']'
	if _, err := s.move.ExecContext(ctx, string(s.moved)); err != nil {
		return err
	}
	s.values = s.values[:0]
	enclosed := 0
	for i := range rows {
		if r := &rows[i]; r.recipient != 0 {
			enclosed++
			s.values = append(s.values, r.id, r.recipient, r.conversation, r.seq)
		}
	}
	return s.envelopes.run(ctx, s.values, enclosed)
}

func appendNumbers(list []byte, numbers ...int64) []byte {
	list = append(list, '[')
	for i, n := range numbers {
		if i > 0 {
			list = append(list, ',')
		}
		list = strconv.AppendInt(list, n, 10)
	}
	return append(list, ']', ',')
}

// run inserts rows whose values stand one row after the other.
func (in *bareInsert) run(ctx context.Context, values []any, rows int) error {
	if rows == 0 {
		return nil
	}
	columns := len(values) / rows
	for i, n := range bareChunks {
		for size := n * columns; len(values) >= size; values = values[size:] {
			if _, err := in[i].ExecContext(ctx, values[:size]...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *bareSQLite) close() error {
	return errors.Join(s.log.stop(), s.conn.Close(), s.pool.Close())
}
