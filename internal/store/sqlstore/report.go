package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	blockByKey = `SELECT owner_id, target_id, created_at FROM blocks WHERE owner_id = $1 AND target_id = $2`

	// messagedFirst narrows a list of complaints to those of accounts whom the
	// target wrote to first.
	messagedFirst = ` AND c.kind = 2 AND c.initiator = $1 AND c.last_seq > 0`
	blocksAgainst = `SELECT count(*) FROM (SELECT 1 AS hit FROM blocks b CROSS JOIN conversations c
		WHERE b.target_id = $1 AND b.created_at > $2
		AND c.low_id = CASE WHEN b.owner_id < $1 THEN b.owner_id ELSE $1 END
		AND c.high_id = CASE WHEN b.owner_id < $1 THEN $1 ELSE b.owner_id END` + messagedFirst + ` LIMIT 0 + $3) hits`
	reportsAgainst = `SELECT count(*) FROM (SELECT 1 AS hit FROM reports b CROSS JOIN conversations c
		WHERE b.target_id = $1 AND b.created_at > $2
		AND c.low_id = CASE WHEN b.reporter_id < $1 THEN b.reporter_id ELSE $1 END
		AND c.high_id = CASE WHEN b.reporter_id < $1 THEN $1 ELSE b.reporter_id END` + messagedFirst + ` LIMIT 0 + $3) hits`

	reportByKey = `SELECT id, reporter_id, target_id, reason, evidence, created_at FROM reports
		WHERE reporter_id = $1 AND target_id = $2`
	insertReport = `INSERT INTO reports (id, reporter_id, target_id, reason, evidence, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`

	writtenTo = `SELECT ` + messageColumns + ` FROM conversations c CROSS JOIN messages m
		WHERE c.kind = 2 AND c.low_id = $1 AND c.high_id = $2 AND m.conversation_id = c.id AND m.author_id = $3
		ORDER BY m.seq DESC LIMIT 0 + $4`
	revisionsOf = `SELECT r.message_id, r.text, r.signature, r.replaced_at FROM {ints} CROSS JOIN revisions r
		WHERE r.message_id = j.value ORDER BY r.message_id, r.n`
)

// evidenceDoc and revisionDoc are the evidence column of a report.
type evidenceDoc struct {
	Message messageDoc    `json:"message"`
	Earlier []revisionDoc `json:"earlier,omitempty"`
}

type revisionDoc struct {
	Text       string          `json:"text"`
	Signature  *chat.Signature `json:"signature,omitempty"`
	ReplacedAt time.Time       `json:"replaced_at"`
}

// Block returns one block.
func (t *Tx) Block(ctx context.Context, e store.Edge) (*chat.Block, error) {
	var b chat.Block
	err := t.one(ctx, "read block", scan((*number)(&b.Owner), (*number)(&b.Target), (*millis)(&b.CreatedAt)),
		blockByKey, int64(e.Owner), int64(e.Target))
	if err != nil {
		return nil, err
	}
	return &b, nil
}

// BlocksAgainst counts those whom an account messaged first and who blocked it.
func (t *Tx) BlocksAgainst(ctx context.Context, account chat.AccountID, since time.Time, limit int) (int, error) {
	var n int
	err := t.one(ctx, "count blocks", scan(&n), blocksAgainst, int64(account), since.UnixMilli(), limit)
	return n, err
}

// ReportsAgainst counts those whom an account messaged first and who reported it.
func (t *Tx) ReportsAgainst(ctx context.Context, account chat.AccountID, since time.Time, limit int) (int, error) {
	var n int
	err := t.one(ctx, "count reports", scan(&n), reportsAgainst, int64(account), since.UnixMilli(), limit)
	return n, err
}

// Report returns the report of one account about another.
func (t *Tx) Report(ctx context.Context, e store.Edge) (*store.Report, error) {
	var r store.Report
	var evidence string
	err := t.one(ctx, "read report", scan(&r.ID, (*number)(&r.Reporter), (*number)(&r.Target), &r.Reason, &evidence,
		(*millis)(&r.CreatedAt)), reportByKey, int64(e.Owner), int64(e.Target))
	if err != nil {
		return nil, err
	}
	var docs []evidenceDoc
	if err := json.Unmarshal([]byte(evidence), &docs); err != nil {
		return nil, fmt.Errorf("decode the evidence of report %d: %w", r.ID, err)
	}
	for _, d := range docs {
		item := store.Evidence{Message: chat.Message(d.Message)}
		for _, earlier := range d.Earlier {
			item.Earlier = append(item.Earlier, store.Revision(earlier))
		}
		r.Evidence = append(r.Evidence, item)
	}
	return &r, nil
}

// InsertReport stores a report with its evidence.
func (t *Tx) InsertReport(ctx context.Context, r *store.Report) error {
	docs := make([]evidenceDoc, len(r.Evidence))
	for i, item := range r.Evidence {
		docs[i].Message = messageDoc(item.Message)
		for _, earlier := range item.Earlier {
			docs[i].Earlier = append(docs[i].Earlier, revisionDoc(earlier))
		}
	}
	evidence, err := json.Marshal(docs)
	if err != nil {
		return fmt.Errorf("encode evidence: %w", err)
	}
	return t.exec(ctx, "insert report", insertReport,
		r.ID, int64(r.Reporter), int64(r.Target), r.Reason, string(evidence), Millis(r.CreatedAt))
}

// Evidence lists what an account wrote to another, with what it said before edits.
func (t *Tx) Evidence(ctx context.Context, e store.Edge, limit int) ([]store.Evidence, error) {
	low, high := chat.Pair(e.Owner, e.Target)
	messages, err := t.messages(ctx, "read evidence", limit, writtenTo, int64(low), int64(high), int64(e.Owner), limit)
	if err != nil || len(messages) == 0 {
		return nil, err
	}
	ids := make([]int64, len(messages))
	for i := range messages {
		ids[i] = int64(messages[i].ID)
	}
	earlier := make(map[chat.MessageID][]store.Revision)
	err = t.each(ctx, "read revisions", func(r Row) error {
		var id chat.MessageID
		var rev store.Revision
		err := r.Scan((*number)(&id), &rev.Text, signature{&rev.Signature}, (*millis)(&rev.ReplacedAt))
		earlier[id] = append(earlier[id], rev)
		return err
	}, revisionsOf, t.f.Ints(ids))
	if err != nil {
		return nil, err
	}
	list := make([]store.Evidence, len(messages))
	for i := range messages {
		list[i] = store.Evidence{Message: messages[i], Earlier: earlier[messages[i].ID]}
	}
	return list, nil
}
