// Package postgres is the PostgreSQL engine, version 15 or newer. Several
// processes may serve one database.
//
// # Write order
//
// Every Update and Send first takes one advisory lock of the transaction
// (keyWrite), before it has a transaction id. PostgreSQL makes a commit visible
// before it lets go of such locks, so at READ COMMITTED each statement after the
// lock sees everything the previous holder wrote, ids are drawn in commit order,
// and any snapshot shows a prefix of the write order. Whoever writes to the
// tables past this package must take the lock too.
//
// # Connections
//
//   - Send has two of its own, used through pgx: its statements travel in
//     pipelines. Two, so that one batch waits at the lock while another commits.
//   - Update has two, for the same reason, used by the SQL both engines share.
//   - View has the rest, as READ ONLY transactions at REPEATABLE READ.
//   - Exclusive has one while it is held.
//
// The limits on time that these connections carry stand in settings.go. A proxy
// between here and the server must not share connections between transactions:
// sessions hold settings, prepared statements and the lock of Exclusive.
//
// # A connection that breaks
//
// Before COMMIT was sent nothing is stored, and Send starts again on another
// connection. While COMMIT is under way the outcome is unknown to the client but
// not to the server: Send takes the lock on a new connection, by which the lost
// transaction has ended, and asks what became of its id. Only if the server
// cannot be reached for settleTimeout does Send give up, with an error that is
// store.ErrConflict: run again, the batch finds what was stored by the authors'
// own ids; a message without one may then be stored twice. An Update whose
// COMMIT breaks returns an error though it may have been stored.
package postgres
