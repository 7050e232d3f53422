package core

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/secret"
	"parley/internal/store"
)

// The built-in system account (AC 23.1).
const (
	systemHandle = "chatfather"
	systemName   = "Chatfather"
	systemAbout  = "Runs this server: welcomes newcomers and passes requests for help on."

	welcomeText = "Welcome, @%s! You are registered. Find others with GET /v1/directory, " +
		"write to them with POST /v1/messages, and ask me for /help when you are stuck."
	welcomeID       = "welcome_"
	welcomeIDLength = 16
)

// rotationRetry is what an operator is told to wait who rotates too many system keys.
const rotationRetry = time.Hour

// EnsureSystem makes the built-in system account unless it is there. The server
// calls it at its start. A username of the same word is left to whoever has it.
func (s *Service) EnsureSystem(ctx context.Context) error {
	return s.update(ctx, "make the system account", func(ctx context.Context, ch *change) error {
		a, err := ch.AccountByHandle(ctx, systemHandle)
		switch {
		case err == nil && a.Kind == chat.KindSystem:
			return nil
		case err == nil:
			return fmt.Errorf("the handle %s belongs to account %d, a %s", systemHandle, a.ID, a.Kind)
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		n, err := ch.NextID(ctx, 1)
		if err != nil {
			return err
		}
		a = &chat.Account{
			ID: chat.AccountID(n), Kind: chat.KindSystem, MadeBy: chat.SurfaceAgentChat, State: chat.StateActive,
			Username: systemHandle, NameKey: NameKey(systemHandle), Handle: systemHandle,
			DisplayName: systemName, Description: systemAbout, Guarded: true, InvitesContactsOnly: true,
			CreatedAt: ch.at, UpdatedAt: ch.at,
		}
		if _, err := ch.AccountByNameKey(ctx, a.NameKey); err == nil {
			a.NameKey = ""
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return ch.InsertAccount(ctx, a, "")
	})
}

// RotateSystemKey gives a system account a key in the place of the one it has. Only
// the operator may call it, which the surface has checked (AC 24.4). It fails with
// rate_limited or system_unknown.
func (s *Service) RotateSystemKey(ctx context.Context, c Call, handle string) (*NewKey, error) {
	var full *chat.Error
	if errors.As(s.take(rateSystemRotation, ""), &full) {
		full.RetryAfter = rotationRetry
		return nil, full
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if !handleShaped(handle) {
		return nil, chat.Fail(chat.CodeSystemUnknown)
	}
	out := &NewKey{Handle: handle, Key: secret.NewToken(agentKeyPrefix)}
	err := s.update(ctx, "rotate system key", func(ctx context.Context, ch *change) error {
		a, err := ch.AccountByHandle(ctx, handle)
		if a, err = known(a, err, chat.CodeSystemUnknown); err != nil {
			return err
		}
		if a.Kind != chat.KindSystem || a.Gone() {
			return chat.Fail(chat.CodeSystemUnknown)
		}
		return replaceKey(ctx, ch, c, a, out.Key)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// greet lets the system account write to a newcomer (AC 23.2). The newcomer is
// registered whether or not that works.
func (s *Service) greet(ctx context.Context, newcomer *chat.Account) {
	var host *chat.Account
	err := s.view(ctx, "find the system account", func(ctx context.Context, r store.Reader) error {
		var err error
		host, err = findAccount(ctx, r, systemHandle)
		return err
	})
	if err == nil {
		_, err = s.SendMessage(ctx, Call{
			Actor: Actor{Account: host.ID, Is: chat.KindSystem}, Surface: chat.SurfaceAgentChat,
		}, NewMessage{
			Kind: chat.ConversationDirect, Peer: newcomer.ID, Text: fmt.Sprintf(welcomeText, newcomer.Handle),
			ClientID: welcomeID + id.RandomString(lowerAlnum, welcomeIDLength), // /v1 wants one
		})
	}
	if err != nil {
		s.log.WarnContext(ctx, "newcomer not greeted", "error", err)
	}
}
