package core

import (
	"context"
)

// Once is one request with an idempotency key.
type Once struct{}

// replays tells whether the request was answered before and its effects stand.
func (o *Once) replays() bool { return false }

// onces are the keys of requests that run.
type onces struct{}

func newOnces() *onces { return new(onces) }

// perform is update for an operation that may be retried under an idempotency
// key. result, a pointer or nil, is what the operation answers: it is remembered
// in the same transaction, and a retry finds it filled without fn having run.
func (s *Service) perform(
	ctx context.Context, _ Call, doing string, _ any, fn func(ctx context.Context, ch *change) error,
) error {
	return s.update(ctx, doing, fn)
}
