package sqlstore

import (
	"context"

	"parley/internal/chat"
)

const accountColumns = `a.id, a.kind, a.made_by, a.username, a.name_key, a.handle, a.display_name, a.description,
	a.login_address, a.recovery_address, a.state, a.disabled, a.pause, a.guarded, a.contacts_only,
	a.status, a.status_text, a.status_chosen, a.created_at, a.updated_at,
	a.invites_contacts_only, a.proven, a.owner_id, a.owned, a.owned_at, a.avatar, a.hooks, a.muting, a.last_seen_at,
	a.enforced, a.public_key`

const (
	accountByID      = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.id = $1`
	accountsByID     = `SELECT ` + accountColumns + ` FROM {ints} CROSS JOIN accounts a WHERE a.id = j.value`
	accountByLogin   = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.login_address = $1`
	accountByNameKey = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.name_key = $1`
	accountByHandle  = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.handle = $1`
	accountsAfter    = `SELECT ` + accountColumns + ` FROM accounts a WHERE a.id > $1 AND a.state <> 4 ORDER BY a.id LIMIT 0 + $2`

	// The condition is that of the index, word for word.
	listedAgents = ` FROM accounts a WHERE kind = 2 AND state < 3 AND NOT disabled AND a.id <> $1`
	countAgents  = `SELECT count(*)` + listedAgents
	agentsPage   = `SELECT ` + accountColumns + listedAgents + ` ORDER BY a.created_at, a.id LIMIT 0 + $2 OFFSET 0 + $3`

	passwordHash    = `SELECT password_hash FROM accounts WHERE id = $1`
	setPasswordHash = `UPDATE accounts SET password_hash = $2 WHERE id = $1`

	insertAccount = `INSERT INTO accounts (id, kind, made_by, username, name_key, handle, display_name, description,
		login_address, recovery_address, password_hash, state, disabled, pause, guarded, contacts_only,
		status, status_text, status_chosen, created_at, updated_at,
		invites_contacts_only, proven, owner_id, owned, owned_at, avatar, hooks, muting, last_seen_at, enforced, public_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
			$22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)`
	updateAccount = `UPDATE accounts SET kind = $2, made_by = $3, username = $4, name_key = $5, display_name = $6,
		description = $7, login_address = $8, recovery_address = $9, state = $10, disabled = $11, pause = $12,
		guarded = $13, contacts_only = $14, status = $15, status_text = $16, status_chosen = $17,
		created_at = $18, updated_at = $19, invites_contacts_only = $20, proven = $21,
		owner_id = $22, owned = $23, owned_at = $24, avatar = $25, hooks = $26, muting = $27, last_seen_at = $28, enforced = $29,
		public_key = $30
		WHERE id = $1`
)

func accountDest(a *chat.Account) []any {
	return []any{
		(*number)(&a.ID), (*small)(&a.Kind), (*small)(&a.MadeBy), &a.Username, (*text)(&a.NameKey), &a.Handle,
		&a.DisplayName, &a.Description, (*text)(&a.LoginAddress), (*text)(&a.RecoveryAddress),
		(*small)(&a.State), &a.Disabled, (*small)(&a.Pause), &a.Guarded, &a.ContactsOnly,
		(*small)(&a.Presence.Status), &a.Presence.Text, &a.Presence.Chosen,
		(*millis)(&a.CreatedAt), (*millis)(&a.UpdatedAt),
		&a.InvitesContactsOnly, &a.Proven, (*number)(&a.Owner), (*small)(&a.Owned), (*millis)(&a.OwnedAt), &a.Avatar,
		(*word)(&a.Hooks), &a.Muting, (*millis)(&a.LastSeenAt), &a.Enforced, &a.PublicKey,
	}
}

func scanAccount(r Row, a *chat.Account) error { return r.Scan(accountDest(a)...) }

// Account returns the account, tombstones included.
func (t *Tx) Account(ctx context.Context, id chat.AccountID) (*chat.Account, error) {
	return t.account(ctx, "read account", accountByID, int64(id))
}

// AccountByLogin finds the account with a lower-cased login address.
func (t *Tx) AccountByLogin(ctx context.Context, address string) (*chat.Account, error) {
	return t.account(ctx, "find login address", accountByLogin, address)
}

// AccountByNameKey finds the account with a folded username.
func (t *Tx) AccountByNameKey(ctx context.Context, key string) (*chat.Account, error) {
	return t.account(ctx, "find username", accountByNameKey, key)
}

// AccountByHandle finds the account a handle was given to, tombstones included.
func (t *Tx) AccountByHandle(ctx context.Context, handle string) (*chat.Account, error) {
	return t.account(ctx, "find handle", accountByHandle, handle)
}

func (t *Tx) account(ctx context.Context, doing, text string, arg any) (*chat.Account, error) {
	var a chat.Account
	if err := t.one(ctx, doing, func(r Row) error { return scanAccount(r, &a) }, text, arg); err != nil {
		return nil, err
	}
	return &a, nil
}

// Accounts returns those of ids that exist, tombstones included.
func (t *Tx) Accounts(ctx context.Context, ids []chat.AccountID) (map[chat.AccountID]*chat.Account, error) {
	found := make(map[chat.AccountID]*chat.Account, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	err := t.each(ctx, "read accounts", func(r Row) error {
		a := new(chat.Account)
		if err := scanAccount(r, a); err != nil {
			return err
		}
		found[a.ID] = a
		return nil
	}, accountsByID, t.f.Ints(numbers(ids)))
	return found, err
}

// AccountList returns accounts with ids above after, ascending, without tombstones.
func (t *Tx) AccountList(ctx context.Context, after chat.AccountID, limit int) ([]*chat.Account, error) {
	var list []*chat.Account
	err := t.each(ctx, "list accounts", func(r Row) error {
		a := new(chat.Account)
		list = append(list, a)
		return scanAccount(r, a)
	}, accountsAfter, int64(after), limit)
	return list, err
}

// Agents lists the agents that may act, and counts them all.
func (t *Tx) Agents(ctx context.Context, but chat.AccountID, offset, limit int) ([]*chat.Account, int, error) {
	var total int
	if err := t.one(ctx, "count agents", scan(&total), countAgents, int64(but)); err != nil {
		return nil, 0, err
	}
	var list []*chat.Account
	err := t.each(ctx, "list agents", func(r Row) error {
		a := new(chat.Account)
		list = append(list, a)
		return scanAccount(r, a)
	}, agentsPage, int64(but), limit, offset)
	return list, total, err
}

// PasswordHash returns the encoded hash, "" if the account has no password.
func (t *Tx) PasswordHash(ctx context.Context, id chat.AccountID) (string, error) {
	var hash string
	err := t.one(ctx, "read password hash", scan(&hash), passwordHash, int64(id))
	return hash, err
}

// SetPasswordHash replaces the hash; "" unsets the password.
func (t *Tx) SetPasswordHash(ctx context.Context, id chat.AccountID, hash string) error {
	return t.hit(ctx, "set password hash", setPasswordHash, int64(id), hash)
}

// InsertAccount stores a new account with its handle and password hash.
func (t *Tx) InsertAccount(ctx context.Context, a *chat.Account, passwordHash string) error {
	return t.exec(ctx, "insert account", insertAccount,
		int64(a.ID), int64(a.Kind), int64(a.MadeBy), a.Username, NullText(a.NameKey), a.Handle, a.DisplayName, a.Description,
		NullText(a.LoginAddress), NullText(a.RecoveryAddress), passwordHash,
		int64(a.State), a.Disabled, int64(a.Pause), a.Guarded, a.ContactsOnly,
		int64(a.Presence.Status), a.Presence.Text, a.Presence.Chosen, Millis(a.CreatedAt), Millis(a.UpdatedAt),
		a.InvitesContactsOnly, a.Proven, NullID(a.Owner), int64(a.Owned), Millis(a.OwnedAt), a.Avatar,
		int64(a.Hooks), a.Muting, Millis(a.LastSeenAt), a.Enforced, a.PublicKey)
}

// UpdateAccount stores every field of an account but the handle.
func (t *Tx) UpdateAccount(ctx context.Context, a *chat.Account) error {
	return t.hit(ctx, "update account", updateAccount,
		int64(a.ID), int64(a.Kind), int64(a.MadeBy), a.Username, NullText(a.NameKey), a.DisplayName, a.Description,
		NullText(a.LoginAddress), NullText(a.RecoveryAddress),
		int64(a.State), a.Disabled, int64(a.Pause), a.Guarded, a.ContactsOnly,
		int64(a.Presence.Status), a.Presence.Text, a.Presence.Chosen, Millis(a.CreatedAt), Millis(a.UpdatedAt),
		a.InvitesContactsOnly, a.Proven, NullID(a.Owner), int64(a.Owned), Millis(a.OwnedAt), a.Avatar,
		int64(a.Hooks), a.Muting, Millis(a.LastSeenAt), a.Enforced, a.PublicKey)
}
