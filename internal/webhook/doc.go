// Package webhook carries queued events to the webhooks they are for: it claims,
// words, signs, sends, tries again and gives up (AC 18.6, 18.7).
//
// # Queue
//
// The store has one queue per hook. Deliveries get there in the transaction of what
// they tell of. A hook is claimed as a whole, for a time, together with the first
// deliveries that are due: one attempt is under way per hook, so a slow receiver
// holds up nobody but itself, and an open breaker holds the queue without looking
// at what is in it. What is sent is made from the delivery alone and stored with the
// claim, before the first attempt: every attempt sends the same bytes.
//
// A worker that dies leaves its claims to run out; then what it had not recorded is
// sent again. Delivery is at least once.
//
// # Goroutines
//
// One loop claims and records; nobody else writes. A claim is worked off by a
// goroutine of its own, which hands each outcome to the loop and waits until it is
// taken: the loop records whatever has come together in one transaction. There are
// at most maxRuns of them, and maxWakes for wakes, which are no deliveries: they are
// kept in memory, one per account, newest message only. The loop sleeps until
// something is due, is queued or has ended. Stop lets attempts end; when its patience
// ends, they are broken off, which does not count as a failure.
package webhook
