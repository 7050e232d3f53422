package sqlstore

import (
	"context"
	"time"

	"parley/internal/chat"
)

const credentialColumns = `c.id, c.account_id, c.kind, c.issuer, c.name, c.prefix, c.created_at, c.expires_at, c.last_used_at`

const (
	credentialByDigest = `SELECT ` + credentialColumns + ` FROM credentials c WHERE c.digest = $1`
	credentialsOf      = `SELECT ` + credentialColumns + ` FROM credentials c
		WHERE c.account_id = $1 AND c.kind = $2 ORDER BY c.id DESC LIMIT 1000`

	insertCredential = `INSERT INTO credentials
		(id, account_id, kind, issuer, name, prefix, digest, created_at, expires_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	deleteCredential         = `DELETE FROM credentials WHERE id = $1`
	deleteCredentials        = `DELETE FROM credentials WHERE account_id = $1 AND id <> $2`
	deleteExpiredCredentials = `DELETE FROM credentials WHERE id IN
		(SELECT id FROM credentials WHERE expires_at < $1 ORDER BY expires_at LIMIT 0 + $2)`
	// The use that is recorded never moves back.
	touchCredentials = `UPDATE credentials SET last_used_at = j.value FROM {pairs}
		WHERE credentials.id = j.key AND (credentials.last_used_at IS NULL OR credentials.last_used_at < j.value)`
)

func scanCredential(r Row, c *chat.Credential) error {
	return r.Scan((*number)(&c.ID), (*number)(&c.Account), (*small)(&c.Kind), (*small)(&c.Issuer), &c.Name, &c.Prefix,
		(*millis)(&c.CreatedAt), (*millis)(&c.ExpiresAt), (*millis)(&c.LastUsedAt))
}

// CredentialByDigest finds a credential by the SHA-256 of its token.
func (t *Tx) CredentialByDigest(ctx context.Context, digest [32]byte) (*chat.Credential, error) {
	var c chat.Credential
	err := t.one(ctx, "find credential", func(r Row) error { return scanCredential(r, &c) }, credentialByDigest, digest[:])
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// Credentials lists an account's credentials of one kind, newest first.
func (t *Tx) Credentials(ctx context.Context, account chat.AccountID, kind chat.CredentialKind) ([]*chat.Credential, error) {
	var list []*chat.Credential
	err := t.each(ctx, "list credentials", func(r Row) error {
		c := new(chat.Credential)
		list = append(list, c)
		return scanCredential(r, c)
	}, credentialsOf, int64(account), int64(kind))
	return list, err
}

// InsertCredential stores a credential under the digest of its token.
func (t *Tx) InsertCredential(ctx context.Context, c *chat.Credential, digest [32]byte) error {
	return t.exec(ctx, "insert credential", insertCredential,
		int64(c.ID), int64(c.Account), int64(c.Kind), int64(c.Issuer), c.Name, c.Prefix, digest[:],
		Millis(c.CreatedAt), Millis(c.ExpiresAt), Millis(c.LastUsedAt))
}

// DeleteCredential is store.ErrNotFound when it was not there.
func (t *Tx) DeleteCredential(ctx context.Context, id chat.CredentialID) error {
	return t.hit(ctx, "delete credential", deleteCredential, int64(id))
}

// DeleteCredentials ends all credentials of an account but keep (0: none).
func (t *Tx) DeleteCredentials(ctx context.Context, account chat.AccountID, keep chat.CredentialID) error {
	return t.exec(ctx, "delete credentials", deleteCredentials, int64(account), int64(keep))
}

// DeleteExpiredCredentials removes up to limit that expired before now.
func (t *Tx) DeleteExpiredCredentials(ctx context.Context, now time.Time, limit int) (int, error) {
	return t.affect(ctx, "delete expired credentials", deleteExpiredCredentials, ceilMillis(now), limit)
}

// TouchCredentials records when credentials were last used.
func (t *Tx) TouchCredentials(ctx context.Context, used map[chat.CredentialID]time.Time) error {
	if len(used) == 0 {
		return nil
	}
	ids, times := make([]int64, 0, len(used)), make([]int64, 0, len(used))
	for id, at := range used {
		ids, times = append(ids, int64(id)), append(times, at.UnixMilli())
	}
	return t.exec(ctx, "touch credentials", touchCredentials, t.f.Pairs(ids, times)...)
}
