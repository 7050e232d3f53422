package bench

import (
	"context"
	"database/sql"
	"fmt"
)

// fillStep is how many messages one transaction of the preload stores.
const fillStep = 25_000

// Both engines understand these. Message i belongs to conversation i modulo their
// number, so every conversation has its share and the newest of each lie among
// the newest of all, as where all are in use.
const (
	fillNumbers = `WITH RECURSIVE n (i) AS (
			SELECT CAST($1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $2
		) `
	fillMessages = fillNumbers + `INSERT INTO messages (id, conversation_id, seq, author_id, kind, text, created_at)
		SELECT $3 + i, $4 + i % $5, i / $5 + 1, $6 + i % $5 % $7, 1, $8, $9 + i FROM n`
	fillEnvelopes = fillNumbers + `INSERT INTO envelopes (message_id, recipient_id, conversation_id, seq, state, hidden, delivered_at)
		SELECT $3 + i, $6 + i % $5 - $7, $4 + i % $5, i / $5 + 1, 1, FALSE, $8 + i FROM n WHERE i % $5 >= $7`

	settleConversations = `UPDATE conversations SET
			last_seq = ($3 - (id - $1) + $2 - 1) / $2,
			last_at = $4 + (($3 - (id - $1) + $2 - 1) / $2 - 1) * $2 + (id - $1)
		WHERE id >= $1 AND id < $1 + $2`
	settleDirects = `UPDATE conversations SET
			initiator = $3 + (id - $1) % $4, opened_at = $5 + (id - $1), established = TRUE
		WHERE id >= $1 AND id < $1 + $2 AND kind = 2`
)

// fill stores the messages of f and moves conversations and the counter of ids
// to where they belong then; drawn is the engine's statement for the counter.
func fill(ctx context.Context, db *sql.DB, f *fixture, drawn string, tell func(done int)) error {
	started := f.StartedAt.UnixMilli()
	count := int64(f.conversations())
	for from := 0; from < f.Rows; from += fillStep {
		to := min(from+fillStep, f.Rows)
		err := inTransaction(ctx, db, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, fillMessages, int64(from), int64(to), f.FirstMessage,
				f.FirstConversation, count, f.FirstSender, int64(f.Connections), messageText(), started)
			if err != nil || f.Directs == 0 {
				return err
			}
			_, err = tx.ExecContext(ctx, fillEnvelopes, int64(from), int64(to), f.FirstMessage,
				f.FirstConversation, count, f.FirstPeer, int64(f.Channels), started)
			return err
		})
		if err != nil {
			return fmt.Errorf("store messages: %w", err)
		}
		tell(to)
	}
	err := inTransaction(ctx, db, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, settleConversations, f.FirstConversation, count, int64(f.Rows), started)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, settleDirects, f.FirstConversation, count, f.FirstSender, int64(f.Connections), started)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, drawn, f.FirstMessage+int64(f.Rows))
		return err
	})
	if err != nil {
		return fmt.Errorf("settle conversations: %w", err)
	}
	return nil
}

func inTransaction(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // nothing to undo after the commit
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit()
}
