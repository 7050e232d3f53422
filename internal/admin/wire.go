package admin

import (
	"time"

	"parley/internal/chat"
	"parley/internal/id"
)

// Account is an account as an operator sees it. The names of its fields are what
// scripts read: they are added to, never renamed.
type Account struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"` // human, agent, system
	Username    string    `json:"username"`
	Handle      string    `json:"handle"`
	DisplayName string    `json:"display_name"`
	Address     string    `json:"address"` // login address; "" without a password login
	State       string    `json:"state"`   // active, restricted, suspended
	Disabled    bool      `json:"disabled"`
	Paused      bool      `json:"paused"`
	Guarded     bool      `json:"guarded"`
	MadeBy      string    `json:"made_by"` // the interface it was made through
	CreatedAt   time.Time `json:"created_at"`
}

// NewAccount is what CreateAccount needs.
type NewAccount struct {
	Kind     string `json:"kind"` // human, agent or system
	Username string `json:"username"`
	Address  string `json:"address"`
	Password string `json:"password"`
}

// Key is a key of an account, without its token.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Prefix     string     `json:"prefix"` // first characters of the token
	Issuer     string     `json:"issuer"` // the interface whose form it has
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // null: never; may lag by a minute
}

// IssuedKey is a new key with its token, which is shown here and nowhere else.
type IssuedKey struct {
	Key

	Token string `json:"token"`
}

// Usage is what the process of the server has used since it began.
type Usage struct {
	PID          int   `json:"pid"`
	UserMicros   int64 `json:"user_us"`   // CPU time in its own code
	SystemMicros int64 `json:"system_us"` // CPU time in the kernel on its behalf
	MaxRSSBytes  int64 `json:"max_rss_bytes"`
}

// accountPage is one page of the list; Next is "" on the last one.
type accountPage struct {
	Accounts []Account `json:"accounts"`
	Next     string    `json:"next"`
}

type keyList struct {
	Keys []Key `json:"keys"`
}

type guardChange struct {
	On bool `json:"on"`
}

type passwordChange struct {
	Password string `json:"password"`
}

type keyRequest struct {
	Name string `json:"name"`
}

type backupRequest struct {
	Path string `json:"path"` // absolute
}

type empty struct{}

func shownAccount(codec *id.Codec, a *chat.Account) Account {
	return Account{
		ID:   codec.Seal(id.KindAccount, int64(a.ID)).String(),
		Kind: a.Kind.String(), Username: a.Username, Handle: a.Handle, DisplayName: a.DisplayName,
		Address: a.LoginAddress, State: a.State.String(), Disabled: a.Disabled, Paused: a.Pause != chat.PauseNone,
		Guarded: a.Guarded, MadeBy: a.MadeBy.String(), CreatedAt: a.CreatedAt,
	}
}

func shownKey(codec *id.Codec, c *chat.Credential) Key {
	k := Key{
		ID:   codec.Seal(id.KindCredential, int64(c.ID)).String(),
		Name: c.Name, Prefix: c.Prefix, Issuer: c.Issuer.String(), CreatedAt: c.CreatedAt,
	}
	if !c.LastUsedAt.IsZero() {
		k.LastUsedAt = &c.LastUsedAt
	}
	return k
}
