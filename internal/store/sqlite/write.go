package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Placeholders are anonymous in the texts of this file: the driver looks named
// ones, $1 among them, up by name at every use.
const (
	insertMessages = `INSERT OR ROLLBACK INTO messages
		(id, conversation_id, seq, author_id, client_id, kind, text, data, metadata, attachment_id,
		created_at) VALUES `
	messageRow = `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

	insertEnvelopes = `INSERT OR ROLLBACK INTO envelopes
		(message_id, recipient_id, conversation_id, seq, state, hidden) VALUES `
	envelopeRow = `(?, ?, ?, ?, ?, 0)`

	// An insert that always meets its conflict: SQLite updates through it row by
	// row, where an UPDATE from a list copies the list into a table of its own
	// first. What the rows would begin with is never stored.
	moveConversations = `INSERT INTO conversations
		(id, last_seq, last_at, initiator, opened_at, established, kind, overwritten, created_at) VALUES `
	moveRow  = `(?, ?, ?, ?, ?, ?, 0, 0, 0)`
	moveTail = ` ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, last_at = excluded.last_at,
		initiator = excluded.initiator, opened_at = excluded.opened_at, established = excluded.established`
)

// chunks are the numbers of rows that have a statement: a text per number of
// rows would be prepared anew for every batch.
var chunks = [...]int{64, 32, 16, 8, 4, 2, 1}

// inserter is a statement that inserts many rows, in one text per chunk.
type inserter struct {
	texts   [len(chunks)]string
	columns int
}

func newInserter(insert, row, tail string) inserter {
	in := inserter{columns: strings.Count(row, "?")}
	for i, n := range chunks {
		in.texts[i] = insert + strings.Repeat(row+", ", n-1) + row + tail
	}
	return in
}

// insert takes the values of all rows, one row after the other.
func (in *inserter) insert(ctx context.Context, s *sqlstore.Session, values []any) error {
	for i, n := range chunks {
		for size := n * in.columns; len(values) >= size; values = values[size:] {
			if err := s.Exec(ctx, in.texts[i], values[:size]...); err != nil {
				return err
			}
		}
	}
	return nil
}

// batchWriter writes what batches decide. It keeps the lists of values between
// batches; whoever holds the writer's session may use it.
type batchWriter struct {
	moves     inserter
	messages  inserter
	envelopes inserter
	values    []any
}

func newBatchWriter() *batchWriter {
	return &batchWriter{
		moves:     newInserter(moveConversations, moveRow, moveTail),
		messages:  newInserter(insertMessages, messageRow, ""),
		envelopes: newInserter(insertEnvelopes, envelopeRow, ""),
	}
}

func (b *batchWriter) write(ctx context.Context, s *sqlstore.Session, tx *sqlstore.Tx, w *store.Writes) error {
	for _, c := range w.Directs {
		if err := tx.InsertDirect(ctx, c); err != nil {
			return err
		}
	}
	if err := b.move(ctx, s, w.Moved); err != nil {
		return err
	}
	if err := b.writeMessages(ctx, s, w.Messages); err != nil {
		return err
	}
	if err := tx.Sign(ctx, w.Messages); err != nil {
		return err
	}
	if err := b.writeEnvelopes(ctx, s, w.Envelopes); err != nil {
		return err
	}
	for _, e := range w.Contacts {
		if err := tx.SetContact(ctx, e, w.At, true); err != nil {
			return err
		}
	}
	if err := tx.AppendEvents(ctx, w.Events); err != nil {
		return err
	}
	return tx.Enqueue(ctx, w.Deliveries)
}

func (b *batchWriter) move(ctx context.Context, s *sqlstore.Session, moved []*chat.Conversation) error {
	values := slices.Grow(b.values[:0], len(moved)*b.moves.columns)
	for _, c := range moved {
		values = append(values, int64(c.ID), c.LastSeq, sqlstore.Millis(c.LastAt), sqlstore.NullID(c.Initiator),
			sqlstore.Millis(c.OpenedAt), c.Established)
	}
	defer b.keep(values)
	if err := b.moves.insert(ctx, s, values); err != nil {
		return fmt.Errorf("move conversations: %w", classify(err))
	}
	return nil
}

func (b *batchWriter) writeMessages(ctx context.Context, s *sqlstore.Session, messages []*chat.Message) error {
	values := slices.Grow(b.values[:0], len(messages)*b.messages.columns)
	for _, m := range messages {
		values = append(values, int64(m.ID), int64(m.Conversation), m.Seq, int64(m.Author), sqlstore.NullText(m.ClientID),
			int64(m.Kind), m.Text, sqlstore.NullText(m.Data), sqlstore.NullText(m.Metadata),
			sqlstore.NullID(m.Attachment), sqlstore.Millis(m.CreatedAt))
	}
	defer b.keep(values)
	if err := b.messages.insert(ctx, s, values); err != nil {
		return fmt.Errorf("insert messages: %w", classify(err))
	}
	return nil
}

func (b *batchWriter) writeEnvelopes(ctx context.Context, s *sqlstore.Session, envelopes []chat.Envelope) error {
	values := slices.Grow(b.values[:0], len(envelopes)*b.envelopes.columns)
	for i := range envelopes {
		e := &envelopes[i]
		values = append(values, int64(e.Message), int64(e.Recipient), int64(e.Conversation), e.Seq, int64(e.State))
	}
	defer b.keep(values)
	if err := b.envelopes.insert(ctx, s, values); err != nil {
		return fmt.Errorf("insert envelopes: %w", classify(err))
	}
	return nil
}

// keep keeps the list for the next batch without holding on to its texts.
func (b *batchWriter) keep(values []any) {
	clear(values)
	b.values = values
}
