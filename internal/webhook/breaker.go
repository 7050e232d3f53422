package webhook

import (
	"slices"
	"time"

	"parley/internal/chat"
)

// When the circuit breaker of a hook opens, and for how long (AC 18.7).
const (
	breakerRow    = 5  // failures in a row, or
	breakerCount  = 10 // failures ...
	breakerWindow = time.Minute
	breakerPause  = 5 * time.Minute
)

// failed is a breaker after a failure. One that was open has let a probe through,
// and opens again.
func failed(b chat.Breaker, at time.Time) chat.Breaker {
	b.Failures++
	b.Recent = append(slices.DeleteFunc(slices.Clone(b.Recent), func(t time.Time) bool {
		return t.Before(at.Add(-breakerWindow))
	}), at)
	if !b.OpenUntil.IsZero() || b.Failures >= breakerRow || len(b.Recent) >= breakerCount {
		b.OpenUntil, b.Recent = at.Add(breakerPause), nil
	}
	return b
}

// succeeded is a breaker after a success. One that was open closes and forgets.
func succeeded(b chat.Breaker) chat.Breaker {
	if !b.OpenUntil.IsZero() {
		return chat.Breaker{}
	}
	b.Failures = 0
	return b
}
