package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	accountByRecovery = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.recovery_address = $1`
	systemAccounts    = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.kind = 3 AND a.state <> 4 ORDER BY a.id LIMIT 100`

	mailedCode = `SELECT id, purpose, address, account_id, handle, display_name, description, digest, attempts,
		created_at, expires_at FROM codes WHERE id = $1`
	handleHeld = `SELECT EXISTS (SELECT 1 FROM codes
		WHERE handle = $1 AND handle <> '' AND address <> $2 AND expires_at > $3)`
	addressUses = `SELECT count(*) FROM address_uses WHERE digest = $1`

	// A range of handles, which the index serves, where LIKE would depend on how
	// the engine collates.
	listed = ` FROM accounts a WHERE a.handle >= $1 AND a.handle < $2
		AND a.kind IN (2, 3) AND a.state IN (1, 2) AND NOT a.disabled`
	directoryCount = `SELECT count(*)` + listed
	directoryPage  = `SELECT ` + accountColumns + `,
			EXISTS (SELECT 1 FROM contacts c WHERE c.owner_id = $3 AND c.target_id = a.id)` + listed + `
		ORDER BY a.handle LIMIT 0 + $4 OFFSET $5`

	replaceMailedCode = `DELETE FROM codes WHERE address = $1 AND purpose = $2`
	insertMailedCode  = `INSERT INTO codes (id, purpose, address, account_id, handle, display_name, description, digest,
		attempts, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	countGuess         = `UPDATE codes SET attempts = attempts + 1 WHERE id = $1`
	deleteMailedCode   = `DELETE FROM codes WHERE id = $1`
	deleteExpiredCodes = `DELETE FROM codes WHERE id IN
		(SELECT id FROM codes WHERE expires_at < $1 ORDER BY expires_at LIMIT 0 + $2)`
	insertAddressUse = `INSERT INTO address_uses (digest, account_id) VALUES ($1, $2)`

	clearContacts  = `DELETE FROM contacts WHERE owner_id = $1`
	clearMutes     = `DELETE FROM mutes WHERE owner_id = $1`
	endInvitesTo   = `UPDATE invites SET ended_at = $2 WHERE invitee_id = $1 AND ended_at IS NULL`
	endInvitesFrom = `UPDATE invites SET ended_at = $2 WHERE inviter_id = $1 AND ended_at IS NULL`
)

// afterHandles sorts after every character that a handle has.
const afterHandles = "~"

// AccountByRecovery finds the account with a lower-cased recovery address.
func (t *Tx) AccountByRecovery(ctx context.Context, address string) (*chat.Account, error) {
	return t.account(ctx, "find recovery address", accountByRecovery, address)
}

// SystemAccounts lists the system accounts that were not removed.
func (t *Tx) SystemAccounts(ctx context.Context) ([]*chat.Account, error) {
	var list []*chat.Account
	err := t.each(ctx, "list system accounts", func(r Row) error {
		a := new(chat.Account)
		list = append(list, a)
		return scanAccount(r, a)
	}, systemAccounts)
	return list, err
}

// MailedCode returns a code that was neither used nor replaced.
func (t *Tx) MailedCode(ctx context.Context, id chat.CodeID) (*store.MailedCode, error) {
	var c store.MailedCode
	var digest []byte
	err := t.one(ctx, "read mailed code", scan((*number)(&c.ID), (*small)(&c.Purpose), &c.Address, (*number)(&c.Account),
		&c.Handle, &c.DisplayName, &c.Description, &digest, &c.Guesses, (*millis)(&c.CreatedAt), (*millis)(&c.ExpiresAt)),
		mailedCode, int64(id))
	if err != nil {
		return nil, err
	}
	copy(c.Digest[:], digest)
	return &c, nil
}

// HandleHeld tells whether a registration by another address waits for its code.
func (t *Tx) HandleHeld(ctx context.Context, handle, address string, now time.Time) (bool, error) {
	var held bool
	err := t.one(ctx, "find registration", scan(&held), handleHeld, handle, address, now.UnixMilli())
	return held, err
}

// AddressUses counts the accounts that an address ever made.
func (t *Tx) AddressUses(ctx context.Context, digest [32]byte) (int, error) {
	var n int
	err := t.one(ctx, "count uses of address", scan(&n), addressUses, digest[:])
	return n, err
}

// Directory returns a page of accounts by the beginning of their handles.
func (t *Tx) Directory(ctx context.Context, q store.DirectoryQuery) ([]store.DirectoryEntry, int, error) {
	var total int
	first, end := q.Prefix, q.Prefix+afterHandles
	if err := t.one(ctx, "count directory", scan(&total), directoryCount, first, end); err != nil {
		return nil, 0, err
	}
	var page []store.DirectoryEntry
	err := t.each(ctx, "read directory", func(r Row) error {
		var e store.DirectoryEntry
		if err := r.Scan(append(accountDest(&e.Account), &e.Contact)...); err != nil {
			return err
		}
		page = append(page, e)
		return nil
	}, directoryPage, first, end, int64(q.Viewer), q.Limit, q.Offset)
	return page, total, err
}

// InsertMailedCode stores a code in the place of the one before.
func (t *Tx) InsertMailedCode(ctx context.Context, c *store.MailedCode) error {
	if err := t.exec(ctx, "replace mailed code", replaceMailedCode, c.Address, int64(c.Purpose)); err != nil {
		return err
	}
	return t.exec(ctx, "insert mailed code", insertMailedCode, int64(c.ID), int64(c.Purpose), c.Address, int64(c.Account),
		c.Handle, c.DisplayName, c.Description, c.Digest[:], c.Guesses, Millis(c.CreatedAt), Millis(c.ExpiresAt))
}

// CountGuess adds one to the wrong guesses at a code.
func (t *Tx) CountGuess(ctx context.Context, id chat.CodeID) error {
	return t.hit(ctx, "count guess", countGuess, int64(id))
}

// DeleteMailedCode is store.ErrNotFound when it was not there.
func (t *Tx) DeleteMailedCode(ctx context.Context, id chat.CodeID) error {
	return t.hit(ctx, "delete mailed code", deleteMailedCode, int64(id))
}

// DeleteExpiredCodes removes up to limit codes that were too old before now.
func (t *Tx) DeleteExpiredCodes(ctx context.Context, now time.Time, limit int) (int, error) {
	return t.affect(ctx, "delete expired codes", deleteExpiredCodes, ceilMillis(now), limit)
}

// InsertAddressUse notes that an address made an account.
func (t *Tx) InsertAddressUse(ctx context.Context, digest [32]byte, account chat.AccountID) error {
	return t.exec(ctx, "insert use of address", insertAddressUse, digest[:], int64(account))
}

// ClearAccount removes the contacts and mutes of an account and ends its invitations.
func (t *Tx) ClearAccount(ctx context.Context, account chat.AccountID, at time.Time) error {
	for _, text := range []string{clearContacts, clearMutes} {
		if err := t.exec(ctx, "clear account", text, int64(account)); err != nil {
			return err
		}
	}
	for _, text := range []string{endInvitesTo, endInvitesFrom} {
		if err := t.exec(ctx, "end invitations", text, int64(account), Millis(at)); err != nil {
			return err
		}
	}
	return nil
}
