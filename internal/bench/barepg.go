package bench

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What the bare writer says to PostgreSQL: one round trip for a batch.
const (
	bareDrawPG    = `SELECT setval('ids', $1)`
	bareMessagePG = `INSERT INTO messages (id, conversation_id, seq, author_id, kind, text, created_at)
		SELECT id, conversation_id, seq, author_id, 1, $6, created_at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
			AS m(id, conversation_id, seq, author_id, created_at)`
	bareMovePG = `UPDATE conversations AS c SET last_seq = m.seq, last_at = m.at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS m(id, seq, at) WHERE c.id = m.id`
	bareEnvelopePG = `INSERT INTO envelopes (message_id, recipient_id, conversation_id, seq, state, hidden)
		SELECT message_id, recipient_id, conversation_id, seq, 0, FALSE
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])
			AS e(message_id, recipient_id, conversation_id, seq)`
)

type barePostgres struct {
	conn *pgx.Conn
	text string
}

func openBarePostgres(ctx context.Context, b *brief) (bareStore, error) {
	dsn, err := pgx.ParseConfig(string(b.Place.Database))
	if err != nil {
		return nil, err
	}
	dsn.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	dsn.RuntimeParams["jit"] = "off"
	conn, err := pgx.ConnectConfig(ctx, dsn)
	if err != nil {
		return nil, err
	}
	return &barePostgres{conn: conn, text: messageText()}, nil
}

func (s *barePostgres) last(ctx context.Context, f *fixture) (id int64, places []barePlace, err error) {
	if err := s.conn.QueryRow(ctx, `SELECT last_value FROM ids`).Scan(&id); err != nil {
		return 0, nil, err
	}
	rows, err := s.conn.Query(ctx, readPlaces, f.FirstConversation, int64(f.conversations()))
	if err != nil {
		return 0, nil, err
	}
	places, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p barePlace, err error) {
		return p, row.Scan(&p.seq, &p.at)
	})
	return id, places, err
}

func (s *barePostgres) write(ctx context.Context, rows []bareRow) error {
	var m, moved, e [5][]int64
	for i := range rows {
		r := &rows[i]
		add(&m, r.id, r.conversation, r.seq, r.author, r.at)
		if !movesAgain(rows[i+1:], r.conversation) {
			add(&moved, r.conversation, r.seq, r.at)
		}
		if r.recipient != 0 {
			add(&e, r.id, r.recipient, r.conversation, r.seq)
		}
	}
	b := &pgx.Batch{}
	b.Queue(`BEGIN`)
	b.Queue(bareDrawPG, rows[len(rows)-1].id)
	b.Queue(bareMessagePG, m[0], m[1], m[2], m[3], m[4], s.text)
	b.Queue(bareMovePG, moved[0], moved[1], moved[2])
	if len(e[0]) > 0 {
		b.Queue(bareEnvelopePG, e[0], e[1], e[2], e[3])
	}
	b.Queue(`COMMIT`)
	if err := s.conn.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("store a batch: %w", err)
	}
	return nil
}

// add appends one row to columns.
func add(columns *[5][]int64, values ...int64) {
	for i, v := range values {
		columns[i] = append(columns[i], v)
	}
}

func (s *barePostgres) close() error { return s.conn.Close(context.Background()) }
