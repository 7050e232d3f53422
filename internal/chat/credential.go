package chat

import "time"

// CredentialKind tells short-lived sessions from keys that live until revoked.
type CredentialKind uint8

// The kinds. The numbers are stored and never change.
const (
	CredentialSession CredentialKind = 1
	CredentialKey     CredentialKind = 2
	// CredentialRefresh renews a session of the dashboard and does nothing else.
	CredentialRefresh CredentialKind = 3
)

// Credential is a session or key. The token itself is never kept, only a digest
// that stays inside the store.
type Credential struct {
	ID         CredentialID
	Account    AccountID
	Kind       CredentialKind
	Issuer     Surface // the dialect whose form the token has
	Name       string
	Prefix     string // first characters of the token, to recognise it by
	CreatedAt  time.Time
	ExpiresAt  time.Time // zero: lives until revoked
	LastUsedAt time.Time // zero: never used; may lag by a minute
}

// Live tells whether the credential has not expired at now.
func (c *Credential) Live(now time.Time) bool {
	return c.ExpiresAt.IsZero() || now.Before(c.ExpiresAt)
}
