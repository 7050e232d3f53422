// Package ratelimit counts requests against limits in memory: algorithms only.
// Who is counted, how much is allowed and what a refusal looks like is the
// caller's; so is the clock, which every call is given.
package ratelimit

import "time"

// Quota is what a key has left in the current window.
type Quota struct {
	Limit     int       // as given by the caller
	Remaining int       // requests still allowed, never below 0
	Reset     time.Time // when the window ends, UTC
	OK        bool      // whether the request is allowed
}

// RetryAfter is how long a refused caller should wait from now: whole seconds
// until Reset, rounded up, at least 1.
func (q Quota) RetryAfter(now time.Time) int {
	wait := q.Reset.Sub(now)
	seconds := int(wait / time.Second)
	if wait%time.Second > 0 {
		seconds++
	}
	return max(1, seconds)
}
