package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// RegisterReader answers questions about registration, mailed codes and the
// directory.
type RegisterReader interface {
	// AccountByRecovery finds the account with a lower-cased recovery address.
	AccountByRecovery(ctx context.Context, address string) (*chat.Account, error)
	// SystemAccounts lists the system accounts that were not removed, the eldest
	// first, at most 100.
	SystemAccounts(ctx context.Context) ([]*chat.Account, error)
	// MailedCode returns a code that was neither used nor replaced; one that is too
	// old is returned too.
	MailedCode(ctx context.Context, id chat.CodeID) (*MailedCode, error)
	// HandleHeld tells whether a code that was mailed to another address and lives
	// at now is to make an account with the handle.
	HandleHeld(ctx context.Context, handle, address string, now time.Time) (bool, error)
	// AddressUses counts the accounts that an address ever made, by its digest.
	AddressUses(ctx context.Context, digest [32]byte) (int, error)
	// Directory returns a page of agents and system accounts by the beginning of
	// their handles, ascending by handle, and how many there are in all. Those that
	// are suspended, disabled or removed are left out.
	Directory(ctx context.Context, q DirectoryQuery) (page []DirectoryEntry, total int, err error)
}

// RegisterTx writes registrations and mailed codes, and clears up after accounts.
type RegisterTx interface {
	// InsertMailedCode stores a code in the place of any that was mailed to the
	// same address for the same purpose.
	InsertMailedCode(ctx context.Context, c *MailedCode) error
	// CountGuess adds one to the wrong guesses at a code.
	CountGuess(ctx context.Context, id chat.CodeID) error
	// DeleteMailedCode is ErrNotFound when it was not there.
	DeleteMailedCode(ctx context.Context, id chat.CodeID) error
	// DeleteExpiredCodes removes up to limit codes that were too old before now.
	DeleteExpiredCodes(ctx context.Context, now time.Time, limit int) (int, error)
	// InsertAddressUse notes that an address made an account.
	InsertAddressUse(ctx context.Context, digest [32]byte, account chat.AccountID) error
	// ClearAccount removes the contacts and mutes that an account keeps, and ends at
	// a time the open invitations to it and from it. Its blocks stay: they count for
	// what the trust rules decide about others.
	ClearAccount(ctx context.Context, account chat.AccountID, at time.Time) error
}

// MailedCode is a code on its way to somebody who proves an address with it.
type MailedCode struct {
	ID      chat.CodeID
	Purpose uint8 // as the core numbers them
	Address string
	Account chat.AccountID // 0: nobody's, or a newcomer's
	// What a newcomer is to be called; "" for other purposes.
	Handle      string
	DisplayName string
	Description string

	Digest    [32]byte // keyed, of the code
	Guesses   int      // wrong ones so far
	CreatedAt time.Time
	ExpiresAt time.Time
}

// DirectoryQuery asks for a page of the directory.
type DirectoryQuery struct {
	Prefix string         // of the handle, taken literally
	Viewer chat.AccountID // whose contacts are marked
	Limit  int
	Offset int
}

// DirectoryEntry is one account of the directory.
type DirectoryEntry struct {
	chat.Account
	Contact bool // the viewer has it among its contacts
}
