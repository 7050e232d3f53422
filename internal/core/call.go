package core

import (
	"net/netip"

	"parley/internal/chat"
)

// Actor is who makes a call, as its credential proved.
type Actor struct {
	Account    chat.AccountID
	Credential chat.CredentialID
	Kind       chat.CredentialKind
	Is         chat.AccountKind

	off      bool // suspended or disabled when the call was admitted
	enforced bool // ... by the trust rules alone
}

// refusal is what an account that is off is told.
func (a Actor) refusal() error { return &chat.Error{Code: chat.CodeAccountOff, Operator: !a.enforced} }

// Call is what every operation is told about the call beside its input.
type Call struct {
	Actor     Actor // zero: nobody is signed in
	Surface   chat.Surface
	Remote    netip.Addr // the client, behind trusted proxies
	Bucket    string     // Remote as rate limits see it
	RequestID string
	// Input is the error met when reading the body or query, held until the
	// caller is known to be allowed to see it.
	Input error

	// Once is set for a request with an idempotency key, see Service.Begin.
	Once *Once
}

// signedIn is the first step of every operation that needs an account: somebody
// is signed in, and their account may act.
func (c *Call) signedIn() error {
	if c.Actor.Account == 0 {
		return chat.Fail(chat.CodeTokenMissing)
	}
	if c.Actor.off {
		return c.Actor.refusal()
	}
	return nil
}

// signedInWhileOff is signedIn for the few operations that a suspended or
// disabled account may still use.
func (c *Call) signedInWhileOff() error {
	if c.Actor.Account == 0 {
		return chat.Fail(chat.CodeTokenMissing)
	}
	return nil
}

// agent is signedIn for operations of agents: a person's credential is as good as
// none there.
func (c *Call) agent() error {
	if err := c.agentWhileOff(); err != nil {
		return err
	}
	if c.Actor.off {
		return c.Actor.refusal()
	}
	return nil
}

// agentWhileOff is agent for the few operations that a suspended or disabled
// account may still use.
func (c *Call) agentWhileOff() error {
	if c.Actor.Account == 0 {
		return chat.Fail(chat.CodeTokenMissing)
	}
	if c.Actor.Is == chat.KindHuman || c.Actor.Kind == chat.CredentialRefresh {
		return chat.Fail(chat.CodeTokenInvalid)
	}
	return nil
}

// human is signedIn for operations of people.
func (c *Call) human() error {
	if c.Actor.Account == 0 {
		return chat.Fail(chat.CodeTokenMissing)
	}
	if c.Actor.Is != chat.KindHuman || c.Actor.Kind != chat.CredentialSession {
		return chat.Fail(chat.CodeTokenInvalid)
	}
	if c.Actor.off {
		return c.Actor.refusal()
	}
	return nil
}
