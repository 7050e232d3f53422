// Package webhook carries queued events to the webhooks they are for: it claims,
// words, signs, sends, tries again and gives up, each surface by a policy of its own
// (AC 18.6, 18.7, AI 9.5).
//
// # Queue
//
// The store has one queue per hook. Deliveries get there in the transaction of what
// they tell of. A hook is claimed as a whole, for a time, together with the first
// deliveries that are due, so a slow receiver holds up nobody but itself, and an open
// breaker holds the queue without looking at what is in it. What is sent is made from
// the delivery alone and stored with the claim, before the first attempt: every attempt
// sends the same bytes.
//
// Where a policy lets several attempts of a hook be under way, the run of a claimed
// hook claims more as it gets room, so that one attempt that hangs does not keep back
// the others. A hook may be moved at any time: all attempts but those that begin with
// the claim read it again.
//
// A worker that dies leaves its claims to run out; then what it had not recorded is
// sent again. Delivery is at least once.
//
// # Goroutines
//
// One loop claims, decides what begins, and records; it alone knows the runs, and
// nobody else writes. An attempt is a goroutine of its own, which hands its outcome to
// the loop and waits until it is taken: the loop records whatever has come together in
// one transaction. There are at most maxRuns runs and maxAttempts attempts, and maxWakes
// for wakes, which are no deliveries: they are kept in memory, one per account, newest
// message only. The loop sleeps until something is due, is queued or has ended. Stop
// lets attempts end; when its patience ends, they are broken off, which does not count
// as a failure.
package webhook
