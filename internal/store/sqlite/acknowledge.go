package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Envelopes of one message lie side by side, and a statement that names their
// recipients changes them where it finds them. One that has to find them through a
// list, or to say which it changed, first copies all of it: half as much again. So
// who moved is known from the count alone, when that is all of them or nobody; what
// a count does not tell is undone and left to the statement that does. OR ROLLBACK is
// there for the reason that Send gives.
const (
	acknowledgeSome = `UPDATE OR ROLLBACK envelopes SET state = 1, delivered_at = ?
		WHERE message_id = ? AND recipient_id IN (`
	acknowledgeTail = `) AND state = 0 AND NOT hidden`

	beginSome = `SAVEPOINT some`
	undoSome  = `ROLLBACK TO some`
	endSome   = `RELEASE some`
)

// acknowledgeChunks are the numbers of recipients that have a statement. Fewer of one
// message are not worth one.
var acknowledgeChunks = [...]int{64, 32, 16, 8}

// Acknowledge marks envelopes as delivered, in one transaction. It leaves the
// facts alone, of which the state of an envelope is none.
func (s *Store) Acknowledge(
	ctx context.Context, keys []store.EnvelopeKey, at time.Time,
) (map[chat.AccountID]int, error) {
	defer s.checkpoint.written()
	running := context.WithoutCancel(ctx)
	session, err := s.writers.Begin(ctx, running, nil)
	if err != nil {
		return nil, fmt.Errorf("begin acknowledgements: %w", classify(err))
	}
	defer session.Rollback() // no-op after the commit
	rest, crowds, err := acknowledgeCrowds(running, session, keys, at)
	if err != nil {
		return nil, fmt.Errorf("acknowledge envelopes: %w", classify(err))
	}
	moved := make(map[chat.AccountID]int)
	if len(rest) > 0 {
		if moved, err = sqlstore.NewTx(session, s.flavor).AcknowledgeMany(running, rest, at); err != nil {
			return nil, err
		}
	}
	for _, k := range crowds {
		moved[k.Recipient]++
	}
	if err := session.Commit(); err != nil {
		return nil, fmt.Errorf("commit acknowledgements: %w", classify(err))
	}
	return moved, nil
}

// acknowledgeCrowds marks the envelopes of messages that many acknowledge. It returns
// those that moved, and the keys that it has not settled.
func acknowledgeCrowds(
	ctx context.Context, s *sqlstore.Session, keys []store.EnvelopeKey, at time.Time,
) (rest, moved []store.EnvelopeKey, err error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b store.EnvelopeKey) int {
		return cmp.Or(cmp.Compare(a.Message, b.Message), cmp.Compare(a.Recipient, b.Recipient))
	})
	keys = slices.Compact(keys)
	var texts [len(acknowledgeChunks)]string
	for i, n := range acknowledgeChunks {
		texts[i] = acknowledgeText(n)
	}
	for len(keys) > 0 {
		end := slices.IndexFunc(keys, func(k store.EnvelopeKey) bool { return k.Message != keys[0].Message })
		if end < 0 {
			end = len(keys)
		}
		run := keys[:end]
		keys = keys[end:]
		for i, n := range acknowledgeChunks {
			for ; len(run) >= n; run = run[n:] {
				count, err := acknowledgeChunk(ctx, s, texts[i], run[:n], at)
				switch {
				case err != nil:
					return nil, nil, err
				case count == n:
					moved = append(moved, run[:n]...)
				case count > 0:
					rest = append(rest, run[:n]...)
				}
			}
		}
		rest = append(rest, run...)
	}
	return rest, moved, nil
}

// acknowledgeText is the statement for n recipients of one message.
func acknowledgeText(n int) string {
	return acknowledgeSome + strings.Repeat("?, ", n-1) + "?" + acknowledgeTail
}

// acknowledgeChunk marks the envelopes of one message and returns how many moved. If
// that is some of them only, it undoes it.
func acknowledgeChunk(
	ctx context.Context, s *sqlstore.Session, text string, keys []store.EnvelopeKey, at time.Time,
) (int, error) {
	args := make([]any, 0, 2+len(keys))
	args = append(args, sqlstore.Millis(at), int64(keys[0].Message))
	for _, k := range keys {
		args = append(args, int64(k.Recipient))
	}
	if err := s.Exec(ctx, beginSome); err != nil {
		return 0, err
	}
	count, err := s.Affect(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	if count > 0 && count < len(keys) {
		if err := s.Exec(ctx, undoSome); err != nil {
			return 0, err
		}
	}
	return count, s.Exec(ctx, endSome)
}
