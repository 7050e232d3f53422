package postgres

import (
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// Keys of advisory locks. They are private to a database, not to a server, and
// never change: processes of different versions must meet at them.
const (
	keyWrite     int64 = 0x7061726c6579_01 // "parley", 1: the write order
	keyMigrate   int64 = 0x7061726c6579_02 // opening: migrations and the id key
	keyExclusive int64 = 0x7061726c6579_03 // Exclusive
)

const (
	// idleTimeout frees the write lock when its holder stopped in the middle of a
	// transaction: its process hangs, or its machine is gone and nobody said so.
	// Between two statements of a writer there is nothing but a little computing.
	idleTimeout = 10 * time.Second
	// lockTimeout is how long a writer waits for the write lock. It is longer
	// than idleTimeout: those who wait behind a dead holder outlive it.
	lockTimeout = 20 * time.Second
	// statementTimeout bounds any one statement, waiting for the lock included.
	statementTimeout = 30 * time.Second
	// snapshotTimeout ends a View that does nothing: an old snapshot keeps the
	// server from cleaning up behind acknowledgements.
	snapshotTimeout = time.Minute
	// writeTimeout bounds the second half of Send on this side, for a server that
	// does not answer at all.
	writeTimeout = statementTimeout + 10*time.Second
	// settleTimeout bounds asking what became of a transaction whose COMMIT broke.
	settleTimeout = 30 * time.Second
)

// configure returns a copy of config with settings of the session added.
func configure(config *pgx.ConnConfig, settings ...map[string]string) *pgx.ConnConfig {
	c := config.Copy()
	for _, s := range settings {
		maps.Copy(c.RuntimeParams, s)
	}
	return c
}

// common holds for every connection.
func common() map[string]string {
	return map[string]string{
		"application_name": "parley",
		"client_encoding":  "UTF8",
		// Statements take microseconds; compiling them takes milliseconds.
		"jit":               "off",
		"statement_timeout": milliseconds(statementTimeout),
	}
}

// writing holds for Update and Send.
func writing() map[string]string {
	return map[string]string{
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleTimeout),
	}
}

// batching holds for Send. Its statements all look rows up by key, from a list
// whose length the planner cannot know. Planning them anew costs more than
// running them; and a plan made while the tables were small must not read whole
// tables once they are large.
func batching() map[string]string {
	return map[string]string{
		"plan_cache_mode":  "force_generic_plan",
		"enable_seqscan":   "off",
		"enable_hashjoin":  "off",
		"enable_mergejoin": "off",
	}
}

// reading holds for View.
func reading() map[string]string {
	return map[string]string{"idle_in_transaction_session_timeout": milliseconds(snapshotTimeout)}
}

// unbounded undoes what would end a migration or a lock held for long.
func unbounded() map[string]string {
	return map[string]string{"statement_timeout": "0"}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
