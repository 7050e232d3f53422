package store

import (
	"context"
	"time"

	"parley/internal/chat"
)

// EnvelopeKey names one recipient's copy of a message.
type EnvelopeKey struct {
	Recipient chat.AccountID
	Message   chat.MessageID
}

// Acknowledger writes acknowledgements, the most frequent write there is: it is
// apart from Update because it changes nothing that sends are decided on, so that
// an engine may keep what it remembers for them.
type Acknowledger interface {
	// Acknowledge is AcknowledgeMany in a transaction of its own, in the write order.
	Acknowledge(ctx context.Context, keys []EnvelopeKey, at time.Time) (map[chat.AccountID]int, error)
}

// AcknowledgeTx is the part of Tx that writes them.
type AcknowledgeTx interface {
	// AcknowledgeMany marks those of the envelopes that are stored and not hidden
	// as delivered at a time and returns how many of each recipient moved. Keys
	// that name nothing are passed over; a key may be there twice.
	AcknowledgeMany(ctx context.Context, keys []EnvelopeKey, at time.Time) (map[chat.AccountID]int, error)
}
