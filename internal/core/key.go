package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// Forms of the tokens that /api issues (OC 3).
const (
	keyPrefix       = "aoc_"
	keyPrefixLength = 12 // characters of a token that may be shown
	keyDefaultName  = "default"
)

// sessionPrefix is how the sessions of a surface begin.
func sessionPrefix(surface chat.Surface) string {
	if surface == chat.SurfaceAIClient {
		return "usr_"
	}
	return "sess_"
}

// CreateKey issues a key for the caller's account (OC 7.4). The token is shown
// here and nowhere else. It fails with field_length or key_cap.
func (s *Service) CreateKey(ctx context.Context, c Call, name chat.Opt[string]) (*chat.Credential, string, error) {
	if err := c.signedIn(); err != nil {
		return nil, "", err
	}
	if c.Input != nil {
		return nil, "", c.Input
	}
	l := limits(c.Surface)
	label := keyDefaultName
	if name.Present && !name.Null {
		var err error
		if label, err = trimmed("name", name.Value, 0, l.KeyName); err != nil || label == "" {
			return nil, "", chat.FailLength("name", 1, l.KeyName)
		}
	}
	return s.issueKey(ctx, c.Surface, c.Actor.Account, label)
}

func (s *Service) issueKey(ctx context.Context, surface chat.Surface, account chat.AccountID, label string) (*chat.Credential, string, error) {
	token := secret.NewToken(keyPrefix)
	k := &chat.Credential{
		Account: account, Kind: chat.CredentialKey, Issuer: surface, Name: label, Prefix: token[:keyPrefixLength],
	}
	err := s.update(ctx, "create key", func(ctx context.Context, ch *change) error {
		if _, err := liveAccount(ctx, ch, account); err != nil {
			return err
		}
		keys, err := issuedKeys(ctx, ch, surface, account)
		if err != nil {
			return err
		}
		if len(keys) >= limits(surface).KeyCap {
			return chat.Fail(chat.CodeKeyCap)
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		k.ID, k.CreatedAt = chat.CredentialID(n), s.now()
		return ch.InsertCredential(ctx, k, secret.DigestOf(token))
	})
	if err != nil {
		return nil, "", err
	}
	return k, token, nil
}

// issuedKeys lists the keys of an account that a surface issued, newest first.
func issuedKeys(ctx context.Context, r store.Reader, surface chat.Surface, account chat.AccountID) ([]*chat.Credential, error) {
	all, err := r.Credentials(ctx, account, chat.CredentialKey)
	if err != nil {
		return nil, err
	}
	keys := make([]*chat.Credential, 0, len(all))
	for _, k := range all {
		if k.Issuer == surface {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// ListKeys lists the caller's keys of this surface, newest first (OC 7.5).
func (s *Service) ListKeys(ctx context.Context, c Call) ([]*chat.Credential, error) {
	if err := c.signedIn(); err != nil {
		return nil, err
	}
	var keys []*chat.Credential
	err := s.view(ctx, "list keys", func(ctx context.Context, r store.Reader) error {
		var err error
		keys, err = issuedKeys(ctx, r, c.Surface, c.Actor.Account)
		return err
	})
	return keys, err
}

// RevokeKey ends one of the caller's keys of this surface, the one making the
// call included (OC 7.6). Somebody else's is credential_unknown.
func (s *Service) RevokeKey(ctx context.Context, c Call, key chat.CredentialID) error {
	if err := c.signedIn(); err != nil {
		return err
	}
	return s.update(ctx, "revoke key", func(ctx context.Context, ch *change) error {
		keys, err := issuedKeys(ctx, ch, c.Surface, c.Actor.Account)
		if err != nil {
			return err
		}
		for _, k := range keys {
			if k.ID != key {
				continue
			}
			if err := revoke(ctx, ch, k); err != nil {
				return err
			}
			a, err := liveAccount(ctx, ch, c.Actor.Account)
			if err != nil {
				return err
			}
			return endClaim(ctx, ch, a, "key_revoked") // somebody may have claimed it with this very key
		}
		return chat.Fail(chat.CodeCredentialUnknown)
	})
}
