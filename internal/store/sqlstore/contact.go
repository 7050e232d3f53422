package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	accountsByHandle = `SELECT ` + accountColumns + ` FROM {keys} CROSS JOIN accounts a WHERE a.handle = j.key`

	contactColumns = `b.owner_id, b.target_id, b.note, b.created_at`
	contactByKey   = `SELECT ` + contactColumns + ` FROM contacts b WHERE b.owner_id = $1 AND b.target_id = $2`

	// Only accounts that may act are in the address book to be seen.
	contactsFrom = ` FROM contacts b CROSS JOIN accounts a
		WHERE b.owner_id = $1 AND a.id = b.target_id AND a.state < 3 AND NOT a.disabled`
	contactPage   = `SELECT ` + contactColumns + contactsFrom + ` ORDER BY a.handle LIMIT 0 + $2 OFFSET $3`
	contactTotal  = `SELECT count(*)` + contactsFrom
	contactsAmong = `SELECT b.target_id FROM {ints} CROSS JOIN contacts b WHERE b.owner_id = $2 AND b.target_id = j.value`
	noteContact   = `UPDATE contacts SET note = $3 WHERE owner_id = $1 AND target_id = $2`
	watchers      = `SELECT b.owner_id FROM contacts b WHERE b.target_id = $1
		AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.owner_id = b.owner_id AND x.target_id = b.target_id)
		AND NOT EXISTS (SELECT 1 FROM blocks x WHERE x.owner_id = b.target_id AND x.target_id = b.owner_id)
		ORDER BY b.owner_id LIMIT 0 + $2`

	touchAccounts = `UPDATE accounts SET last_seen_at = j.value FROM {pairs}
		WHERE accounts.id = j.key AND (accounts.last_seen_at IS NULL OR accounts.last_seen_at < j.value)`
)

// AccountsByHandle returns those of the handles that were ever given.
func (t *Tx) AccountsByHandle(ctx context.Context, handles []string) (map[string]*chat.Account, error) {
	found := make(map[string]*chat.Account, len(handles))
	if len(handles) == 0 {
		return found, nil
	}
	err := t.each(ctx, "find handles", func(r Row) error {
		a := new(chat.Account)
		if err := scanAccount(r, a); err != nil {
			return err
		}
		found[a.Handle] = a
		return nil
	}, accountsByHandle, t.f.Keys(handles, make([]int64, len(handles)))...)
	return found, err
}

func scanContact(r Row, c *chat.Contact) error {
	return r.Scan((*number)(&c.Owner), (*number)(&c.Target), &c.Note, (*millis)(&c.AddedAt))
}

// Contact returns one entry of an account's address book.
func (t *Tx) Contact(ctx context.Context, e store.Edge) (*chat.Contact, error) {
	var c chat.Contact
	err := t.one(ctx, "read contact", func(r Row) error { return scanContact(r, &c) }, contactByKey, int64(e.Owner), int64(e.Target))
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Contacts lists a page of an account's address book and counts its entries.
func (t *Tx) Contacts(ctx context.Context, q store.ContactQuery) (page []chat.Contact, total int, err error) {
	if err := t.one(ctx, "count contacts", scan(&total), contactTotal, int64(q.Owner)); err != nil {
		return nil, 0, err
	}
	err = t.each(ctx, "list contacts", func(r Row) error {
		var c chat.Contact
		err := scanContact(r, &c)
		page = append(page, c)
		return err
	}, contactPage, int64(q.Owner), q.Limit, q.Offset)
	return page, total, err
}

// ContactsAmong tells which of targets an account has in its address book.
func (t *Tx) ContactsAmong(
	ctx context.Context, owner chat.AccountID, targets []chat.AccountID,
) (map[chat.AccountID]bool, error) {
	among := make(map[chat.AccountID]bool, len(targets))
	if len(targets) == 0 {
		return among, nil
	}
	err := t.each(ctx, "find contacts", func(r Row) error {
		var id chat.AccountID
		err := r.Scan((*number)(&id))
		among[id] = true
		return err
	}, contactsAmong, t.f.Ints(numbers(targets)), int64(owner))
	return among, err
}

// NoteContact replaces the note of a contact.
func (t *Tx) NoteContact(ctx context.Context, e store.Edge, note string) error {
	return t.hit(ctx, "note contact", noteContact, int64(e.Owner), int64(e.Target), note)
}

// Watchers lists those who have an account in their address book, without those
// whom a block parts from it.
func (t *Tx) Watchers(ctx context.Context, account chat.AccountID, limit int) ([]chat.AccountID, error) {
	var list []chat.AccountID
	err := t.each(ctx, "list watchers", func(r Row) error {
		var id chat.AccountID
		err := r.Scan((*number)(&id))
		list = append(list, id)
		return err
	}, watchers, int64(account), limit)
	return list, err
}

// TouchAccounts records when accounts were last seen.
func (t *Tx) TouchAccounts(ctx context.Context, seen map[chat.AccountID]time.Time) error {
	if len(seen) == 0 {
		return nil
	}
	ids, times := make([]int64, 0, len(seen)), make([]int64, 0, len(seen))
	for id, at := range seen {
		ids, times = append(ids, int64(id)), append(times, at.UnixMilli())
	}
	return t.exec(ctx, "touch accounts", touchAccounts, t.f.Pairs(ids, times)...)
}
