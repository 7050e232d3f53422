package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// HookReader answers questions about webhooks and what is queued for them.
type HookReader interface {
	// HooksOf lists the hooks of accounts, ascending by account and hook. An
	// account has a handful.
	HooksOf(ctx context.Context, accounts []chat.AccountID) ([]chat.Hook, error)
	// Hook returns one hook.
	Hook(ctx context.Context, id chat.HookID) (*chat.Hook, error)
	// HookList returns up to limit hooks of all accounts with ids above after,
	// ascending, or of one account if it is not zero; Handle is not set. Each costs
	// two counts, which stop at HookCountLimit.
	HookList(ctx context.Context, account chat.AccountID, after chat.HookID, limit int) ([]chat.HookStatus, error)
	// DeadLetters lists dead letters with ids above after, ascending.
	DeadLetters(ctx context.Context, after chat.DeliveryID, limit int) ([]chat.DeadLetter, error)
	// HookTrouble counts the dead letters, and the hooks whose breaker is open at a
	// time.
	HookTrouble(ctx context.Context, now time.Time) (dead, open int, err error)
	// NextDelivery is when ClaimHooks has something to hand out next, zero if
	// nothing is queued. It may have been then already.
	NextDelivery(ctx context.Context) (time.Time, error)
	// DueDeliveries lists up to limit deliveries of one hook that are due at a time,
	// the longest due first, whether the hook is claimed or not.
	DueDeliveries(ctx context.Context, id chat.HookID, now time.Time, limit int) ([]chat.Delivery, error)
}

// HookCountLimit is where the counts of HookList stop.
const HookCountLimit = 10_000

// HookTx writes webhooks and moves their queues. What fails at a hook that is gone
// is passed over unless said otherwise: it may go while its deliveries are under way.
type HookTx interface {
	// InsertHook stores a hook with a closed breaker.
	InsertHook(ctx context.Context, h *chat.Hook) error
	// MoveHook stores URL, Secret and UpdatedAt of a hook and forgets how it fared;
	// what is queued stays. ErrNotFound when it was not there.
	MoveHook(ctx context.Context, h *chat.Hook) error
	// DeleteHook makes a hook, its queue and its dead letters unknown at once;
	// PurgeHooks removes them afterwards. ErrNotFound when it was not there.
	DeleteHook(ctx context.Context, id chat.HookID) error
	// DeleteHooksOf does that with all hooks of an account.
	DeleteHooksOf(ctx context.Context, account chat.AccountID) error
	// PurgeHooks removes up to limit deliveries and dead letters of deleted hooks, and
	// the hooks that have none left. It returns how many rows went; 0 means nothing is
	// left to purge.
	PurgeHooks(ctx context.Context, limit int) (int, error)

	// Enqueue queues events for hooks, each under an id it draws; of the deliveries,
	// Hook, Account, Event, File, NextAt and CreatedAt are taken. An event that has a
	// position is queued for a hook once: doing it again is passed over.
	Enqueue(ctx context.Context, deliveries []chat.Delivery) error
	// ClaimHooks takes hooks that have something due, the longest due first. Nobody
	// else is given them before ReleaseHook, or before the claim has run out. A
	// claimed hook may turn out to have nothing due; it is to be released all the same.
	ClaimHooks(ctx context.Context, c HookClaim) ([]chat.HookWork, error)
	// ReleaseHook gives a hook back with the state of its breaker, which holds its
	// queue while it is open.
	ReleaseHook(ctx context.Context, id chat.HookID, b chat.Breaker) error
	// NoteHealth stores Health of a hook: times that are zero leave what is known. It is
	// passed over if the hook was moved since h.UpdatedAt, since it fared so elsewhere.
	NoteHealth(ctx context.Context, h *chat.Hook) error
	// DropQueue removes what is queued for a hook beyond the newest so many, and
	// returns how many went.
	DropQueue(ctx context.Context, id chat.HookID, keep int) (int, error)
	// SetDeliveryBody stores what is sent.
	SetDeliveryBody(ctx context.Context, id chat.DeliveryID, body []byte) error
	// DeleteDelivery takes a delivery off its queue.
	DeleteDelivery(ctx context.Context, id chat.DeliveryID) error
	// PostponeDelivery stores Attempts, NextAt and LastError of a delivery whose hook
	// is claimed: the release of the hook looks at NextAt.
	PostponeDelivery(ctx context.Context, d *chat.Delivery) error
	// BuryDelivery makes a delivery a dead letter with its Attempts and LastError.
	BuryDelivery(ctx context.Context, d *chat.Delivery, at time.Time) error
	// BuryOldDeliveries makes up to limit deliveries that were queued before a time
	// dead letters, and returns how many.
	BuryOldDeliveries(ctx context.Context, before, at time.Time, limit int) (int, error)
	// ReviveLetter puts a dead letter back to the end of its queue, with no attempts
	// and the same body: ErrNotFound if there is none.
	ReviveLetter(ctx context.Context, id chat.DeliveryID, at time.Time) error
	// PruneDeadLetters removes up to limit of those given up before a time.
	PruneDeadLetters(ctx context.Context, before time.Time, limit int) (int, error)
}

// HookClaim says what ClaimHooks may hand out, and for how long.
type HookClaim struct {
	Now, Until time.Time
	Hooks      int // at most so many hooks ...
	Each       int // ... with so many deliveries each; only one where the breaker has been open
}
