package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
)

// deliveryDoc is an event as the queue keeps it: with its position and time, for
// which an event's own row has columns, and the file of its message.
type deliveryDoc struct {
	eventDoc

	Position chat.Position `json:"position,omitempty"`
	At       time.Time     `json:"at,omitzero"`
	File     *fileDoc      `json:"file,omitempty"`
}

// fileDoc is what a file is shown by as text.
type fileDoc struct {
	ID       chat.AttachmentID `json:"id"`
	Filename string            `json:"filename"`
}

const (
	deliveryColumns = `d.id, d.hook_id, d.account_id, d.kind, d.event, d.body, d.attempts, d.created_at, d.last_error`
	letterColumns   = `hook_id, account_id, source, kind, event, body`

	insertDelivery = `INSERT INTO deliveries
		(id, hook_id, account_id, source, kind, event, attempts, next_at, created_at, last_error)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, '') ON CONFLICT (hook_id, source) DO NOTHING`
	dueDeliveries = `SELECT ` + deliveryColumns + `, d.next_at FROM deliveries d
		WHERE d.hook_id = $1 AND d.next_at <= $2 ORDER BY d.next_at, d.id LIMIT 0 + $3`
	setBody        = `UPDATE deliveries SET body = $2 WHERE id = $1`
	deleteDelivery = `DELETE FROM deliveries WHERE id = $1`
	postpone       = `UPDATE deliveries SET attempts = $2, next_at = $3, last_error = $4 WHERE id = $1`

	bury = `INSERT INTO dead_letters (id, ` + letterColumns + `, attempts, created_at, last_error, failed_at)
		SELECT id, ` + letterColumns + `, $2, created_at, $3, $4 FROM deliveries WHERE id = $1`
	oldDeliveries = `SELECT id, attempts, last_error FROM deliveries WHERE created_at < $1 ORDER BY created_at LIMIT 0 + $2`
	hookTrouble   = `SELECT (SELECT count(*) FROM dead_letters),
		(SELECT count(*) FROM hooks WHERE open_until > $1 AND NOT deleted)`
	deadLetters = `SELECT ` + deliveryColumns + `, d.failed_at FROM dead_letters d CROSS JOIN hooks h
		WHERE d.id > $1 AND h.id = d.hook_id AND NOT h.deleted ORDER BY d.id LIMIT 0 + $2`
	revive = `INSERT INTO deliveries (id, ` + letterColumns + `, attempts, next_at, created_at, last_error)
		SELECT id, ` + letterColumns + `, 0, $2, $2, '' FROM dead_letters WHERE id = $1`
	letterHook = `SELECT d.hook_id FROM dead_letters d CROSS JOIN hooks h
		WHERE d.id = $1 AND h.id = d.hook_id AND NOT h.deleted`
	deleteLetter = `DELETE FROM dead_letters WHERE id = $1`
	dropQueue    = `DELETE FROM deliveries WHERE id IN
		(SELECT id FROM deliveries WHERE hook_id = $1 ORDER BY id DESC LIMIT 9223372036854775807 OFFSET 0 + $2)`
	pruneLetters = `DELETE FROM dead_letters WHERE id IN
		(SELECT id FROM dead_letters WHERE failed_at < $1 ORDER BY failed_at LIMIT 0 + $2)`
)

// EncodeDelivery returns the columns event and source of a delivery with an id.
func EncodeDelivery(d *chat.Delivery, id int64) (event string, source int64, err error) {
	doc := deliveryDoc{eventDoc: newEventDoc(&d.Event), Position: d.Event.Position, At: d.Event.At}
	if d.File != nil {
		doc.File = &fileDoc{ID: d.File.ID, Filename: d.File.Filename}
	}
	encoded, err := json.Marshal(doc)
	if err != nil {
		return "", 0, fmt.Errorf("encode event %s for a hook: %w", d.Event.Kind, err)
	}
	// What has no position happened once: its own id tells it apart, since ids and
	// positions are drawn from one sequence.
	if source = int64(d.Event.Position); source == 0 {
		source = id
	}
	return string(encoded), source, nil
}

// scanDelivery scans deliveryColumns and one time.
func scanDelivery(r Row, d *chat.Delivery, at *time.Time) error {
	var kind, event string
	err := r.Scan((*number)(&d.ID), (*number)(&d.Hook), (*number)(&d.Account), &kind, &event, &d.Body, &d.Attempts,
		(*millis)(&d.CreatedAt), &d.LastError, (*millis)(at))
	if err != nil {
		return err
	}
	var doc deliveryDoc
	if err := json.Unmarshal([]byte(event), &doc); err != nil {
		return fmt.Errorf("decode the event of delivery %d: %w", d.ID, err)
	}
	d.Event.Kind, d.Event.Position, d.Event.At = chat.EventKind(kind), doc.Position, doc.At
	doc.fill(&d.Event)
	if doc.File != nil {
		d.File = &chat.Attachment{ID: doc.File.ID, Filename: doc.File.Filename}
	}
	return nil
}

// Enqueue queues events for hooks, each under an id it draws.
func (t *Tx) Enqueue(ctx context.Context, deliveries []chat.Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	first, err := t.NextID(ctx, len(deliveries))
	if err != nil {
		return err
	}
	for i := range deliveries {
		d, id := &deliveries[i], first+int64(i)
		event, source, err := EncodeDelivery(d, id)
		if err != nil {
			return err
		}
		err = t.exec(ctx, "insert delivery", insertDelivery, id, int64(d.Hook), int64(d.Account), source,
			string(d.Event.Kind), event, Millis(d.NextAt), Millis(d.CreatedAt))
		if err != nil {
			return err
		}
		if err := t.exec(ctx, "make hook ready", readyHook, int64(d.Hook), Millis(d.NextAt)); err != nil {
			return err
		}
	}
	return nil
}

// DueDeliveries lists deliveries of one hook that are due, the longest due first.
func (t *Tx) DueDeliveries(ctx context.Context, hook chat.HookID, now time.Time, limit int) ([]chat.Delivery, error) {
	var list []chat.Delivery
	err := t.each(ctx, "list due deliveries", func(r Row) error {
		var d chat.Delivery
		err := scanDelivery(r, &d, &d.NextAt)
		list = append(list, d)
		return err
	}, dueDeliveries, int64(hook), now.UnixMilli(), limit)
	return list, err
}

// SetDeliveryBody stores what is sent.
func (t *Tx) SetDeliveryBody(ctx context.Context, id chat.DeliveryID, body []byte) error {
	return t.exec(ctx, "store the body of a delivery", setBody, int64(id), body)
}

// DeleteDelivery takes a delivery off its queue.
func (t *Tx) DeleteDelivery(ctx context.Context, id chat.DeliveryID) error {
	return t.exec(ctx, "delete delivery", deleteDelivery, int64(id))
}

// PostponeDelivery stores Attempts, NextAt and LastError of a delivery.
func (t *Tx) PostponeDelivery(ctx context.Context, d *chat.Delivery) error {
	return t.exec(ctx, "postpone delivery", postpone, int64(d.ID), d.Attempts, Millis(d.NextAt), d.LastError)
}

// BuryDelivery makes a delivery a dead letter with its Attempts and LastError.
func (t *Tx) BuryDelivery(ctx context.Context, d *chat.Delivery, at time.Time) error {
	if err := t.exec(ctx, "insert dead letter", bury, int64(d.ID), d.Attempts, d.LastError, Millis(at)); err != nil {
		return err
	}
	return t.DeleteDelivery(ctx, d.ID)
}

// BuryOldDeliveries makes up to limit deliveries queued before a time dead letters.
func (t *Tx) BuryOldDeliveries(ctx context.Context, before, at time.Time, limit int) (int, error) {
	var old []chat.Delivery
	err := t.each(ctx, "find old deliveries", func(r Row) error {
		var d chat.Delivery
		err := r.Scan((*number)(&d.ID), &d.Attempts, &d.LastError)
		old = append(old, d)
		return err
	}, oldDeliveries, ceilMillis(before), limit)
	if err != nil {
		return 0, err
	}
	for i := range old {
		if err := t.BuryDelivery(ctx, &old[i], at); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// DeadLetters lists dead letters with ids above after, ascending.
func (t *Tx) DeadLetters(ctx context.Context, after chat.DeliveryID, limit int) ([]chat.DeadLetter, error) {
	var list []chat.DeadLetter
	err := t.each(ctx, "list dead letters", func(r Row) error {
		var l chat.DeadLetter
		err := scanDelivery(r, &l.Delivery, &l.FailedAt)
		list = append(list, l)
		return err
	}, deadLetters, int64(after), limit)
	return list, err
}

// HookTrouble counts the dead letters, and the hooks whose breaker is open.
func (t *Tx) HookTrouble(ctx context.Context, now time.Time) (dead, open int, err error) {
	err = t.one(ctx, "count trouble of hooks", scan(&dead, &open), hookTrouble, ceilMillis(now))
	return dead, open, err
}

// ReviveLetter puts a dead letter back to the end of its queue.
func (t *Tx) ReviveLetter(ctx context.Context, id chat.DeliveryID, at time.Time) error {
	var hook chat.HookID
	if err := t.one(ctx, "find dead letter", scan((*number)(&hook)), letterHook, int64(id)); err != nil {
		return err
	}
	if err := t.exec(ctx, "queue dead letter", revive, int64(id), Millis(at)); err != nil {
		return err
	}
	if err := t.exec(ctx, "delete dead letter", deleteLetter, int64(id)); err != nil {
		return err
	}
	return t.exec(ctx, "make hook ready", readyHook, int64(hook), Millis(at))
}

// PruneDeadLetters removes up to limit of those given up before a time.
func (t *Tx) PruneDeadLetters(ctx context.Context, before time.Time, limit int) (int, error) {
	return t.affect(ctx, "prune dead letters", pruneLetters, ceilMillis(before), limit)
}

// DropQueue removes what is queued for a hook beyond the newest so many.
func (t *Tx) DropQueue(ctx context.Context, id chat.HookID, keep int) (int, error) {
	return t.affect(ctx, "drop old deliveries", dropQueue, int64(id), keep)
}
