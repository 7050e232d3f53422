// Package sqlite is the SQLite engine: one file, no other service. It is for one
// process at a time; the caller sees to that.
//
// # Connections
//
//   - The writer: one connection, used by one transaction at a time. Its queue is
//     the write order. Transactions begin IMMEDIATE, so that none of them fails
//     half-way for the lock, and run on a context that cannot end: one caller who
//     hangs up must not interrupt a batch of other people's messages (and a
//     context that can end costs a goroutine per statement).
//   - The readers: a few connections that cannot write. A deferred transaction
//     is a snapshot.
//   - The checkpointer: one connection of its own, owned by one goroutine, which
//     Open starts and Close waits for.
//
// # The log
//
// With automatic checkpoints the commit that crosses the threshold pays for all:
// they were the whole of the 99th percentile. So the checkpointer copies the log
// into the database beside the writer (PASSIVE), several times, until little is
// left; only then the writer is stopped for the RESTART that lets the log begin
// anew. PASSIVE alone never does that while the writer is always ahead.
//
// # Durability
//
// synchronous=FULL: a commit has been synced before it is answered.
package sqlite
