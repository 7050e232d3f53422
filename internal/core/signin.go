package core

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

// Sessions of the dashboard come in pairs: one that makes calls, one that renews
// both. The ids of a pair are neighbours, the session's first, so that either leads
// to the other (AC 22.1).
const (
	dashboardPrefix = "dsh_"
	refreshPrefix   = "dsr_"
	refreshLife     = 30 * 24 * time.Hour

	ownerStem       = 20 // characters of an owner's handle that are kept after a clash
	ownerNameSuffix = 4
)

// SignedIn is a pair of credentials of the dashboard. The tokens are shown once.
type SignedIn struct {
	Session     string
	Refresh     string
	SessionLife time.Duration
	RefreshLife time.Duration
	Owner       *chat.Account
}

// RequestSignIn mails a code to an address with which a person may sign in to the
// dashboard (AC 22.1). Nobody need be signed in, and nobody is told whether the
// address has an account. It fails with rate_limited, address_invalid, and as
// mailing a code does.
func (s *Service) RequestSignIn(ctx context.Context, c Call, address string) (chat.CodeID, error) {
	if c.Input != nil {
		return 0, c.Input
	}
	if err := s.take(rateDashboardCode, c.Bucket); err != nil {
		return 0, err
	}
	address = normalAddress(address)
	if err := checkAddress(address); err != nil {
		return 0, err
	}
	return s.sendCode(ctx, c, codeRequest{purpose: CodeForDashboard, address: address})
}

// SignIn begins a session of the dashboard for whoever has the code; an address
// that is new gets a person's account (AC 22.1). The first code that an account's
// address answers proves that it is its own: whatever was opened before that, by
// whoever had registered it, ends, and the password with it.
//
// It fails with rate_limited, as using a code does, with address_agent for the login
// address of an agent, and with account_off.
func (s *Service) SignIn(ctx context.Context, c Call, in CodeGuess) (*SignedIn, error) {
	if c.Input != nil {
		return nil, c.Input
	}
	if err := s.take(rateDashboardGuess, c.Bucket); err != nil {
		return nil, err
	}
	out := newPair()
	use := codeUse{purpose: CodeForDashboard}
	err := s.useCode(ctx, in, use, func(ctx context.Context, ch *change, m *store.MailedCode) error {
		a, err := ownerWith(ctx, ch, c, m.Address)
		if err != nil {
			return err
		}
		if a.Off() {
			return chat.Fail(chat.CodeAccountOff)
		}
		if err := prove(ctx, ch, a); err != nil {
			return err
		}
		if err := endPairsBeyond(ctx, ch, a.ID, limits(chat.SurfaceAgentChat).SessionCap-1); err != nil {
			return err
		}
		out.Owner = a
		if err := insertPair(ctx, ch, out); err != nil {
			return err
		}
		by := c
		by.Actor.Account = a.ID
		return ch.record(ctx, by, "owner.signed_in", a.ID, "")
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ownerWith reads the person with a login address, or makes one.
func ownerWith(ctx context.Context, ch *change, c Call, address string) (*chat.Account, error) {
	a, err := ch.AccountByLogin(ctx, address)
	switch {
	case err == nil && a.Kind != chat.KindHuman:
		return nil, chat.Fail(chat.CodeAddressAgent)
	case err == nil || !errors.Is(err, store.ErrNotFound):
		return a, err
	}
	local, _, _ := strings.Cut(address, "@")
	name, err := freeName(ctx, ch, local)
	if err != nil {
		return nil, err
	}
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return nil, err
	}
	a = &chat.Account{
		ID: chat.AccountID(n), Kind: chat.KindHuman, MadeBy: chat.SurfaceAgentChat,
		Username: name, NameKey: NameKey(name), Handle: name,
		LoginAddress: address, Proven: true, State: chat.StateActive, CreatedAt: ch.at, UpdatedAt: ch.at,
	}
	if err := ch.InsertAccount(ctx, a, ""); err != nil {
		return nil, err
	}
	c.Actor.Account = a.ID
	return a, ch.record(ctx, c, "owner.created", a.ID, "")
}

// freeName finds a handle that is free as a username, too.
func freeName(ctx context.Context, r store.Reader, word string) (string, error) {
	stem := handleFrom(word)
	for name := stem; ; {
		h, err := freeHandle(ctx, r, name)
		if err != nil {
			return "", err
		}
		_, err = r.AccountByNameKey(ctx, NameKey(h))
		if errors.Is(err, store.ErrNotFound) {
			return h, nil
		}
		if err != nil {
			return "", err
		}
		name = stem[:min(len(stem), ownerStem)] + "-" + id.RandomString(lowerAlnum, ownerNameSuffix)
	}
}

// prove notes that a person has shown an address to be their own.
func prove(ctx context.Context, ch *change, a *chat.Account) error {
	if a.Proven {
		return nil
	}
	if err := ch.DeleteCredentials(ctx, a.ID, 0); err != nil {
		return err
	}
	if err := ch.SetPasswordHash(ctx, a.ID, ""); err != nil {
		return err
	}
	ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Account: a.ID})
	// The agents that were made meanwhile are the account's: only their keys may be
	// in other hands.
	agents, err := ch.OwnedBy(ctx, a.ID, agentsShown)
	if err != nil {
		return err
	}
	for _, agent := range agents {
		if agent.Owned != chat.OwnedByCreator {
			continue
		}
		if err := ch.DeleteCredentials(ctx, agent.ID, 0); err != nil {
			return err
		}
		ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Account: agent.ID})
	}
	a.Proven = true
	return ch.UpdateAccount(ctx, a)
}

// newPair draws the tokens of a pair.
func newPair() *SignedIn {
	return &SignedIn{
		Session: secret.NewToken(dashboardPrefix), SessionLife: limits(chat.SurfaceAgentChat).SessionLife,
		Refresh: secret.NewToken(refreshPrefix), RefreshLife: refreshLife,
	}
}

// insertPair stores a pair.
func insertPair(ctx context.Context, ch *change, p *SignedIn) error {
	n, err := ch.NextID(ctx, 2)
	if err != nil {
		return err
	}
	err = ch.InsertCredential(ctx, &chat.Credential{
		ID: chat.CredentialID(n), Account: p.Owner.ID, Kind: chat.CredentialSession, Issuer: chat.SurfaceAgentChat,
		Prefix: p.Session[:keyPrefixLength], CreatedAt: ch.at, ExpiresAt: ch.at.Add(p.SessionLife),
	}, secret.DigestOf(p.Session))
	if err != nil {
		return err
	}
	return ch.InsertCredential(ctx, &chat.Credential{
		ID: chat.CredentialID(n + 1), Account: p.Owner.ID, Kind: chat.CredentialRefresh, Issuer: chat.SurfaceAgentChat,
		Prefix: p.Refresh[:keyPrefixLength], CreatedAt: ch.at, ExpiresAt: ch.at.Add(p.RefreshLife),
	}, secret.DigestOf(p.Refresh))
}

// endPair ends a pair by the id of its refresh; its session may have expired and
// gone before.
func endPair(ctx context.Context, ch *change, account chat.AccountID, refresh chat.CredentialID) error {
	for _, n := range []chat.CredentialID{refresh - 1, refresh} {
		if err := ch.DeleteCredential(ctx, n); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Account: account, Credential: refresh - 1})
	return nil
}

// endPairsBeyond ends the oldest pairs of a person beyond those that may stay.
func endPairsBeyond(ctx context.Context, ch *change, account chat.AccountID, stay int) error {
	refreshes, err := ch.Credentials(ctx, account, chat.CredentialRefresh)
	if err != nil {
		return err
	}
	for _, old := range refreshes[min(stay, len(refreshes)):] { // newest first
		if err := endPair(ctx, ch, account, old.ID); err != nil {
			return err
		}
	}
	return nil
}

// EndSession signs out of the dashboard whoever has one of the tokens of a pair;
// unknown and empty ones are passed over. Nobody need be signed in (AC 22.1).
func (s *Service) EndSession(ctx context.Context, tokens ...string) error {
	return s.update(ctx, "end session", func(ctx context.Context, ch *change) error {
		for _, token := range tokens {
			if token == "" {
				continue
			}
			c, err := ch.CredentialByDigest(ctx, secret.DigestOf(token))
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			refresh := c.ID
			switch {
			case c.Issuer != chat.SurfaceAgentChat || c.Kind == chat.CredentialKey:
				continue
			case c.Kind == chat.CredentialSession:
				refresh++
			}
			if err := endPair(ctx, ch, c.Account, refresh); err != nil {
				return err
			}
		}
		return nil
	})
}

// EndSessions signs the caller out everywhere: all sessions end, in all dialects,
// and what they opened (AC 22.1). Keys stay. It returns how many times the caller
// was signed in.
func (s *Service) EndSessions(ctx context.Context, c Call) (int, error) {
	if err := c.human(); err != nil {
		return 0, err
	}
	count := 0
	err := s.update(ctx, "end all sessions", func(ctx context.Context, ch *change) error {
		count = 0
		for _, kind := range []chat.CredentialKind{chat.CredentialSession, chat.CredentialRefresh} {
			list, err := ch.Credentials(ctx, c.Actor.Account, kind)
			if err != nil {
				return err
			}
			for _, old := range list {
				// Of a pair, the refresh counts: it lives longer.
				paired := kind == chat.CredentialSession && old.Issuer == chat.SurfaceAgentChat
				if !paired && old.Live(ch.at) {
					count++
				}
				if err := ch.DeleteCredential(ctx, old.ID); err != nil {
					return err
				}
			}
		}
		ch.emit(chat.Event{Kind: chat.EventAccessRevoked, Account: c.Actor.Account})
		return ch.record(ctx, c, "owner.signed_out_all", c.Actor.Account, "")
	})
	return count, err
}
