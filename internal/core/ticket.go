package core

import (
	"context"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
)

const (
	ticketLife = 30 * time.Second
	ticketsMax = 10_000 // that wait to be used
)

// tickets are the permissions to open one dashboard socket each, for browsers, which
// cannot send a header with it (AC 22.4).
type tickets struct {
	mu    sync.Mutex
	open  map[secret.Digest]ticket
	order []secret.Digest // of those ever in open, the oldest first
}

type ticket struct {
	account    chat.AccountID
	credential chat.CredentialID // the session it was issued in
	at         time.Time
}

func newTickets() *tickets { return &tickets{open: make(map[secret.Digest]ticket)} }

// add keeps a ticket, and drops the oldest beyond the bound.
func (t *tickets) add(digest secret.Digest, added ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[digest] = added
	t.order = append(t.order, digest)
	for len(t.order) > ticketsMax || added.at.Sub(t.open[t.order[0]].at) >= ticketLife {
		delete(t.open, t.order[0])
		t.order = t.order[1:]
	}
}

// take uses a ticket up; ok is false if it is unknown or too old.
func (t *tickets) take(digest secret.Digest, now time.Time) (found ticket, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok = t.open[digest]
	delete(t.open, digest)
	return found, ok && now.Sub(found.at) < ticketLife
}

// IssueTicket lets the caller open one dashboard socket, within the time returned
// (AC 22.4).
func (s *Service) IssueTicket(_ context.Context, c Call) (string, time.Duration, error) {
	if err := c.human(); err != nil {
		return "", 0, err
	}
	token := secret.NewToken("")
	s.tickets.add(secret.DigestOf(token), ticket{c.Actor.Account, c.Actor.Credential, s.now()})
	return token, ticketLife, nil
}

// RedeemTicket uses a ticket up and returns the person it was issued to:
// token_invalid if it is unknown, used or too old, if the session it was issued in
// has ended, or if the person may not act any more.
func (s *Service) RedeemTicket(ctx context.Context, token string) (chat.AccountID, error) {
	t, ok := s.tickets.take(secret.DigestOf(token), s.now())
	if !ok {
		return 0, chat.Fail(chat.CodeTokenInvalid)
	}
	ok, err := s.MayListen(ctx, t.account, t.credential)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, chat.Fail(chat.CodeTokenInvalid)
	}
	return t.account, nil
}
