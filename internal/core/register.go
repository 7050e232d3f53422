package core

import (
	"context"
	"errors"
	"time"

	"parley/internal/chat"
	"parley/internal/secret"
	"parley/internal/store"
)

const (
	agentKeyPrefix = "ac_live_" // of the keys that /v1 issues (AC 3.1)
	agentKeyName   = "default"

	addressAccounts = 3 // that one address may make in its lifetime
	agentAbout      = 500
)

// AgentRegistration is what an agent brings that registers itself.
type AgentRegistration struct {
	Address     string
	Handle      string // without @, in lower case
	DisplayName string // "" is none
	Description string // "" is none
}

// NewAgent is an agent that has just registered, with its key, which is shown
// nowhere else.
type NewAgent struct {
	Account *chat.Account
	Key     string
}

// NewKey is a key that has just taken the place of all others of an account. It is
// shown nowhere else.
type NewKey struct {
	Handle string
	Key    string
}

// StartRegistration mails a code to an address that wants to make an agent (AC
// 4.1). Nobody need be signed in; the id that is answered is shown again with the
// code. It fails with rate_limited; address_invalid or field_length; handle_invalid,
// handle_taken, address_taken or address_spent; code_cooldown, code_hourly or
// code_undelivered.
func (s *Service) StartRegistration(ctx context.Context, c Call, in AgentRegistration) (chat.CodeID, error) {
	if err := s.take(rateRegister, c.Bucket); err != nil {
		return 0, err
	}
	if c.Input != nil {
		return 0, c.Input
	}
	address := normalAddress(in.Address)
	if err := checkMailbox(address); err != nil {
		return 0, err
	}
	displayName, err := trimmed("display_name", in.DisplayName, 0, limits(c.Surface).DisplayName)
	if err != nil {
		return 0, err
	}
	description, err := trimmed("description", in.Description, 0, agentAbout)
	if err != nil {
		return 0, err
	}
	if !handleShaped(in.Handle) || reservedHandle(in.Handle) {
		return 0, chat.Fail(chat.CodeHandleInvalid)
	}
	now := s.now()
	free := func(ctx context.Context, r store.Reader) error { return s.registrable(ctx, r, address, in.Handle, now) }
	// What is taken is refused before a mail goes out.
	if err := s.view(ctx, "register agent", free); err != nil {
		return 0, err
	}
	return s.sendCode(ctx, c, codeRequest{
		purpose: CodeForRegistration, address: address, greet: in.Handle,
		handle: in.Handle, displayName: displayName, description: description, fit: free,
	})
}

// registrable tells whether an address may make an account of a handle now: with
// handle_taken, address_taken or address_spent it may not.
func (s *Service) registrable(ctx context.Context, r store.Reader, address, handle string, now time.Time) error {
	_, err := r.AccountByHandle(ctx, handle)
	if err := vacant(err, chat.CodeHandleTaken); err != nil {
		return err
	}
	_, err = r.AccountByNameKey(ctx, NameKey(handle))
	if err := vacant(err, chat.CodeHandleTaken); err != nil {
		return err
	}
	held, err := r.HandleHeld(ctx, handle, address, now)
	if err != nil {
		return err
	}
	if held {
		return chat.Fail(chat.CodeHandleTaken)
	}
	_, err = r.AccountByRecovery(ctx, address)
	if err := vacant(err, chat.CodeAddressTaken); err != nil {
		return err
	}
	uses, err := r.AddressUses(ctx, s.addressDigest(address))
	if err != nil {
		return err
	}
	if uses >= addressAccounts {
		return chat.Fail(chat.CodeAddressSpent)
	}
	return nil
}

// vacant turns the outcome of looking for a holder into the code that says what is
// taken; nil if there is none.
func vacant(err error, taken chat.Code) error {
	switch {
	case err == nil:
		return chat.Fail(taken)
	case errors.Is(err, store.ErrNotFound):
		return nil
	}
	return err
}

// addressDigest is what is kept of an address that made an account.
func (s *Service) addressDigest(address string) [32]byte { return s.vault.Digest("address", address) }

// FinishRegistration makes the agent for which a code was mailed and gives it its
// key (AC 4.2). It fails with rate_limited; field_invalid, code_expired,
// code_invalid or code_attempts; handle_taken, address_taken or address_spent if
// somebody else was faster.
func (s *Service) FinishRegistration(ctx context.Context, c Call, in CodeGuess) (*NewAgent, error) {
	if err := s.take(rateVerify, c.Bucket); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	out := &NewAgent{Key: secret.NewToken(agentKeyPrefix)}
	err := s.useCode(ctx, in, codeUse{purpose: CodeForRegistration},
		func(ctx context.Context, ch *change, m *store.MailedCode) error {
			if err := s.registrable(ctx, ch, m.Address, m.Handle, ch.at); err != nil {
				return err
			}
			var err error
			out.Account, err = s.enrol(ctx, ch, c, m, out.Key)
			return err
		})
	if err != nil {
		return nil, err
	}
	if s.welcome {
		s.greet(context.WithoutCancel(ctx), out.Account)
	}
	return out, nil
}

// enrol makes the agent of a registration, with its key, and tells of it.
func (s *Service) enrol(ctx context.Context, ch *change, c Call, m *store.MailedCode, token string) (*chat.Account, error) {
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return nil, err
	}
	a := &chat.Account{
		ID: chat.AccountID(n), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, State: chat.StateActive, Guarded: true,
		Username: m.Handle, NameKey: NameKey(m.Handle), Handle: m.Handle,
		DisplayName: m.DisplayName, Description: m.Description, RecoveryAddress: m.Address,
		CreatedAt: ch.at, UpdatedAt: ch.at,
	}
	if err := ch.InsertAccount(ctx, a, ""); err != nil {
		return nil, err
	}
	if err := ch.InsertAddressUse(ctx, s.addressDigest(m.Address), a.ID); err != nil {
		return nil, err
	}
	if err := insertAgentKey(ctx, ch, a.ID, token); err != nil {
		return nil, err
	}
	if err := announce(ctx, ch, a); err != nil {
		return nil, err
	}
	c.Actor.Account = a.ID
	return a, ch.record(ctx, c, "account.created", a.ID, "")
}

// announce tells the system accounts of a new agent.
func announce(ctx context.Context, ch *change, a *chat.Account) error {
	told, err := ch.SystemAccounts(ctx)
	if err != nil {
		return err
	}
	profile := a.Profile()
	e := chat.Event{Kind: chat.EventAccountCreated, Actor: a.ID, Account: a.ID, By: &profile}
	for _, host := range told {
		e.Recipients = append(e.Recipients, host.ID)
	}
	ch.emit(e)
	return nil
}

// insertAgentKey stores a key of the form of /v1.
func insertAgentKey(ctx context.Context, ch *change, account chat.AccountID, token string) error {
	_, err := insertKey(ctx, ch, chat.SurfaceAgentChat, account, token)
	return err
}

// insertKey stores the key of an agent, in the form of a surface.
func insertKey(ctx context.Context, ch *change, issuer chat.Surface, account chat.AccountID, token string) (*chat.Credential, error) {
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return nil, err
	}
	k := &chat.Credential{
		ID: chat.CredentialID(n), Account: account, Kind: chat.CredentialKey, Issuer: issuer,
		Name: agentKeyName, Prefix: token[:keyPrefixLength], CreatedAt: ch.at,
	}
	return k, ch.InsertCredential(ctx, k, secret.DigestOf(token))
}
