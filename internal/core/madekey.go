package core

import (
	"context"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

// ownedKeyPrefix is how keys begin that people get for the agents they made (AI 3).
const ownedKeyPrefix = "aik_"

func newAgentKey() string { return secret.NewToken(ownedKeyPrefix) }

// agentKey returns the live key of a surface that an agent has, nil if it has none.
// Only who made an agent can get such a key for it, so that none is looked for
// elsewhere: lists of claimed agents may be long.
func agentKey(ctx context.Context, r store.Reader, surface chat.Surface, a *chat.Account) (*chat.Credential, error) {
	if a.Owned != chat.OwnedByCreator {
		return nil, nil
	}
	keys, err := issuedKeys(ctx, r, surface, a.ID)
	if err != nil || len(keys) == 0 {
		return nil, err
	}
	return keys[0], nil
}

// IssueAgentKey gives an agent that the caller made a new key, which is returned here
// and nowhere else, in the place of every credential it has in whatever dialect (AI
// 10.8): a stolen one must not outlive this. It works for an agent without any, too,
// and fails with account_unknown or not_permitted.
func (s *Service) IssueAgentKey(ctx context.Context, c Call, agent chat.AccountID) (key string, err error) {
	key = newAgentKey()
	err = s.endAccess(ctx, c, agent, "account.key_rotated", func(ctx context.Context, ch *change) error {
		_, err := insertKey(ctx, ch, c.Surface, agent, key)
		return err
	})
	if err != nil {
		return "", err
	}
	return key, nil
}

// RevokeAgentKey ends every credential of an agent that the caller made, in whatever
// dialect (AI 10.8); there need not be one. It fails with account_unknown or
// not_permitted.
func (s *Service) RevokeAgentKey(ctx context.Context, c Call, agent chat.AccountID) error {
	return s.endAccess(ctx, c, agent, "account.key_revoked", func(context.Context, *change) error { return nil })
}

// endAccess ends every credential of an agent that the caller made, and what was
// opened with them; then happens in the same transaction.
func (s *Service) endAccess(
	ctx context.Context, c Call, agent chat.AccountID, act string, then func(ctx context.Context, ch *change) error,
) error {
	if err := c.human(); err != nil {
		return err
	}
	return s.update(ctx, act, func(ctx context.Context, ch *change) error {
		a, err := madeAgent(ctx, ch, c, agent)
		if err != nil {
			return err
		}
		if err := ch.DeleteCredentials(ctx, a.ID, 0); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Actor: c.Actor.Account, Account: a.ID})
		if err := then(ctx, ch); err != nil {
			return err
		}
		return ch.record(ctx, c, act, a.ID, "")
	})
}
