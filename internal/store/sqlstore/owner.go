package sqlstore

import (
	"context"
	"math"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	accountsOwned = `SELECT ` + accountColumns + ` FROM accounts a
		WHERE a.owner_id = $1 AND a.state <> 4 ORDER BY a.id LIMIT 0 + $2`

	auditOf = `SELECT id, created_at, actor_id, act, target_id, surface, remote, detail FROM audit
		WHERE target_id = $1 AND created_at < $2 ORDER BY id DESC LIMIT 0 + $3`

	blocksOf = `SELECT owner_id, target_id, created_at FROM blocks
		WHERE owner_id = $1 ORDER BY created_at DESC, target_id LIMIT 0 + $2`
	countBlocksOf = `SELECT count(*) FROM blocks WHERE owner_id = $1`

	meet = `SELECT CASE WHEN
			EXISTS (SELECT 1 FROM conversations c
				WHERE c.kind = 2 AND c.low_id = $1 AND c.high_id = $2 AND c.last_seq > 0)
			OR EXISTS (SELECT 1 FROM members x CROSS JOIN members y CROSS JOIN conversations c
				WHERE x.account_id = $1 AND x.left_at IS NULL
				AND y.conversation_id = x.conversation_id AND y.account_id = $2 AND y.left_at IS NULL
				AND c.id = x.conversation_id AND c.kind = 3 AND c.deleted_at IS NULL)
		THEN 1 ELSE 0 END`

	escalationColumns = `e.id, e.account_id, e.category, e.text, e.status, e.note, e.operator, e.created_at, e.updated_at`
	escalationByID    = `SELECT ` + escalationColumns + ` FROM escalations e WHERE e.id = $1`
	escalations       = `SELECT ` + escalationColumns + ` FROM escalations e
		WHERE e.id < $2 AND e.created_at < $3 AND e.status IN (SELECT j.value FROM {ints}) ORDER BY e.id DESC LIMIT 0 + $4`

	insertEscalation = `INSERT INTO escalations
		(id, account_id, category, text, status, note, operator, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	updateEscalation = `UPDATE escalations SET status = $2, note = $3, operator = $4, updated_at = $5 WHERE id = $1`
)

// OwnedBy lists the agents of a human in the order they were made.
func (t *Tx) OwnedBy(ctx context.Context, owner chat.AccountID, limit int) ([]*chat.Account, error) {
	var list []*chat.Account
	err := t.each(ctx, "list owned accounts", func(r Row) error {
		a := new(chat.Account)
		list = append(list, a)
		return scanAccount(r, a)
	}, accountsOwned, int64(owner), limit)
	return list, err
}

// AuditList lists what was done to an account, the newest first.
func (t *Tx) AuditList(ctx context.Context, target chat.AccountID, before time.Time, limit int) ([]store.AuditRecord, error) {
	var list []store.AuditRecord
	err := t.each(ctx, "list audit entries", func(r Row) error {
		var e store.AuditRecord
		err := r.Scan((*number)(&e.ID), (*millis)(&e.At), (*number)(&e.Actor), &e.Act, (*number)(&e.Target),
			(*small)(&e.Surface), &e.Remote, &e.Detail)
		list = append(list, e)
		return err
	}, auditOf, int64(target), endMillis(before), limit)
	return list, err
}

// BlocksOf lists the blocks that an account has set, the newest first, and counts
// all of them.
func (t *Tx) BlocksOf(ctx context.Context, owner chat.AccountID, limit int) (list []chat.Block, total int, err error) {
	err = t.each(ctx, "list blocks", func(r Row) error {
		var b chat.Block
		err := r.Scan((*number)(&b.Owner), (*number)(&b.Target), (*millis)(&b.CreatedAt))
		list = append(list, b)
		return err
	}, blocksOf, int64(owner), limit)
	if err != nil {
		return nil, 0, err
	}
	if err := t.one(ctx, "count blocks", scan(&total), countBlocksOf, int64(owner)); err != nil {
		return nil, 0, err
	}
	return list, total, nil
}

// Meet tells whether two accounts take part in the same conversation.
func (t *Tx) Meet(ctx context.Context, a, b chat.AccountID) (bool, error) {
	var n number
	low, high := chat.Pair(a, b)
	err := t.one(ctx, "look for a shared conversation", scan(&n), meet, int64(low), int64(high))
	return n != 0, err
}

func scanEscalation(r Row, e *chat.Escalation) error {
	return r.Scan((*number)(&e.ID), (*number)(&e.Account), &e.Category, &e.Text, (*small)(&e.Status), &e.Note,
		&e.Operator, (*millis)(&e.CreatedAt), (*millis)(&e.UpdatedAt))
}

// Escalation returns one request for help.
func (t *Tx) Escalation(ctx context.Context, id chat.EscalationID) (*chat.Escalation, error) {
	var e chat.Escalation
	err := t.one(ctx, "read escalation", func(r Row) error { return scanEscalation(r, &e) }, escalationByID, int64(id))
	if err != nil {
		return nil, err
	}
	return &e, nil
}

// Escalations lists requests for help, the newest first.
func (t *Tx) Escalations(ctx context.Context, q store.EscalationQuery) ([]chat.Escalation, error) {
	statuses := q.Statuses
	if len(statuses) == 0 {
		statuses = []chat.EscalationStatus{
			chat.EscalationOpen, chat.EscalationInProgress, chat.EscalationResolved, chat.EscalationDiscarded,
		}
	}
	wanted := make([]int64, len(statuses))
	for i, s := range statuses {
		wanted[i] = int64(s)
	}
	below := int64(q.BeforeID)
	if below == 0 {
		below = math.MaxInt64
	}
	var list []chat.Escalation
	err := t.each(ctx, "list escalations", func(r Row) error {
		var e chat.Escalation
		err := scanEscalation(r, &e)
		list = append(list, e)
		return err
	}, escalations, t.f.Ints(wanted), below, endMillis(q.Before), q.Limit)
	return list, err
}

// InsertEscalation stores a new request for help.
func (t *Tx) InsertEscalation(ctx context.Context, e *chat.Escalation) error {
	return t.exec(ctx, "insert escalation", insertEscalation, int64(e.ID), int64(e.Account), e.Category, e.Text,
		int64(e.Status), e.Note, e.Operator, Millis(e.CreatedAt), Millis(e.UpdatedAt))
}

// UpdateEscalation stores status, note, operator and updated time.
func (t *Tx) UpdateEscalation(ctx context.Context, e *chat.Escalation) error {
	return t.hit(ctx, "update escalation", updateEscalation, int64(e.ID), int64(e.Status), e.Note, e.Operator,
		Millis(e.UpdatedAt))
}

// endMillis is the stored form of an exclusive end of a span of time, of which zero
// is none.
func endMillis(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return ceilMillis(t)
}
