// Package hub keeps live subscriptions: it tells each subscriber, in order and
// once, every change it is entitled to, from a position it names.
//
// # Who is told
//
// An event with recipients is for them; else one with a space for the members of
// that space; else it is for its account alone. Membership counts as it was at the
// event: who joins sees the join and what follows, who leaves sees all up to and
// including the leave. What members may see inside a space is for the
// subscriber's Filter.
//
// # One timeline
//
// Hub.seen is the position up to which everything has been dispatched, without a
// hole. It moves only by dispatching, in ascending order, a run that begins right
// after it. Two sources bring such runs: the bus, and the store read from seen on
// (pull). What arrives a second time lies at or below seen and is passed over.
// The memberships of all accounts that are subscribed stand exactly as at seen.
// This relies on the bus: between two gaps a run continues where the one before
// ended. A bus of several publishers has to bring their runs into position order.
//
// After a gap deliveries are held back while the healer pulls; then they are
// dispatched, and since they were published after the gap was found they continue
// what was pulled. Nobody is ever handed a later event first. Events without a
// position are ephemeral: passed on once, never healed, never replayed.
//
// # Subscribing
//
// An account is entered in the index first, so that the joins and leaves which
// pass are noted; then its spaces are loaded and seen is pulled to the end of the
// store, which is not before that reading; then the notes are applied to what was
// loaded. The last change of each space decides, so the result is the membership
// at seen whichever notes the reading had included already. The membership at an
// earlier position follows from it: the first change after that position tells
// what was before.
//
// A subscriber that resumes is behind: its own Next reads on from its cursor, from
// the ring of recent events or from the store, until it has reached seen; there,
// under the lock, it turns live. Until then only ephemeral events are queued for
// it, and those that find no room are dropped. So a crowd that reconnects fills no
// queues, and a subscriber far behind takes its own time. One that has other things
// to do first may wait with its first reading as long.
//
// # Reading
//
// A reader waits in Next, or it is notified and polls; so an idle subscription
// need not keep a goroutine. Either way Subscription.waiting says, under the lock
// of the queue, that the reader has found the queue empty: whoever queues the next
// event sees it and wakes the reader, once. Ends and doubts wake it always.
//
// # Ends
//
// A subscription ends once, for a named reason, and what it has queued goes. The
// right to listen is asked for after it is in the index, and an event that takes
// the right away ends it when dispatched: one of the two sees every revocation.
//
// # Locks and goroutines
//
// Hub.mu guards the timeline, the ring and the index; Subscription.mu what the
// dispatcher and the reader share. Hub.mu is taken first. Under neither is there
// I/O, a callback, or the waking of a reader. New starts one goroutine, the
// healer; Close waits for it. Everything else runs in the bus's handler, which
// never waits for I/O, or in the goroutine of the caller. Readers are notified from
// there, from the healer, or by whoever ends a subscription.
package hub
