package sqlstore

import (
	"context"
	"time"

	"parley/internal/store"
)

const (
	insertBlock   = `INSERT INTO blocks (owner_id, target_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (owner_id, target_id) DO NOTHING`
	deleteBlock   = `DELETE FROM blocks WHERE owner_id = $1 AND target_id = $2`
	insertContact = `INSERT INTO contacts (owner_id, target_id, created_at) VALUES ($1, $2, $3) ON CONFLICT (owner_id, target_id) DO NOTHING`
	deleteContact = `DELETE FROM contacts WHERE owner_id = $1 AND target_id = $2`
)

// SetBlock stores or removes a block.
func (t *Tx) SetBlock(ctx context.Context, e store.Edge, at time.Time, on bool) error {
	if !on {
		return t.exec(ctx, "delete block", deleteBlock, int64(e.Owner), int64(e.Target))
	}
	return t.exec(ctx, "insert block", insertBlock, int64(e.Owner), int64(e.Target), Millis(at))
}

// SetContact stores or removes a contact.
func (t *Tx) SetContact(ctx context.Context, e store.Edge, at time.Time, on bool) error {
	if !on {
		return t.exec(ctx, "delete contact", deleteContact, int64(e.Owner), int64(e.Target))
	}
	return t.exec(ctx, "insert contact", insertContact, int64(e.Owner), int64(e.Target), Millis(at))
}
