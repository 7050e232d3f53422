// Package storetest holds the engines to the contract of package store: the same
// suite runs against each, through the public door, on real databases.
//
// # Design
//
// Every test has a database of its own, so all run in parallel. A fixture is
// that database with one open store and a clock that only moves when asked. What
// the contract leaves open the suite does not look at: lists without a promised
// order are sorted before they are compared, and ids are only compared with ids.
//
// Tests of races assert the outcome, never a rate, and their sizes do not
// depend on -short: a database that loses one envelope in two thousand passes a
// small test.
package storetest

import (
	"context"
	"database/sql"
	"testing"

	"parley/internal/store"
)

// Database is an empty database that an engine lends to one test.
type Database struct {
	// Open opens a store on the database, which it migrates. The suite closes it.
	Open func(ctx context.Context) (store.Store, error)
	// Raw opens connections past the store, for what a store must not offer: the
	// table of migrations, and counting what is left of deleted things. The
	// engine's test closes them with t.
	Raw func(t testing.TB) *sql.DB
	// Shared says that several processes may have the database open at once.
	Shared bool
}

// Run runs the suite. Create is called once per test, from several goroutines.
func Run(t *testing.T, create func(t testing.TB) Database) {
	t.Helper()
	for _, test := range tests() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{t: t, database: create(t)}
			if !test.unopened {
				f.start()
			}
			test.run(f)
		})
	}
}

type contract struct {
	name     string
	run      func(*fixture)
	unopened bool // the test opens the database itself
}

// tests lists the suite. The long one comes first, so that the others run beside it.
func tests() []contract {
	return []contract{
		{name: "Acknowledgement/TwoWriters", run: testTwoWriters},
		{name: "Send/WriteOrder", run: testWriteOrder},
		{name: "Send/Questions", run: testQuestions},

		{name: "Account/RoundTrip", run: testAccountRoundTrip},
		{name: "Account/Empty", run: testAccountEmpty},
		{name: "Account/List", run: testAccountList},
		{name: "Account/Tombstone", run: testAccountTombstone},
		{name: "Account/Taken", run: testAccountTaken},
		{name: "Account/TakenInRace", run: testAccountRace},
		{name: "Credential/RoundTrip", run: testCredentialRoundTrip},
		{name: "Credential/List", run: testCredentialList},
		{name: "Credential/Delete", run: testCredentialDelete},
		{name: "Credential/Expired", run: testCredentialExpired},
		{name: "Credential/Touch", run: testCredentialTouch},

		{name: "Space/RoundTrip", run: testSpaceRoundTrip},
		{name: "Space/Members", run: testSpaceMembers},
		{name: "Space/MembershipRace", run: testMembershipRace},
		{name: "Space/Archetypes", run: testArchetypes},
		{name: "Space/Overwrites", run: testOverwrites},
		{name: "Space/Delete", run: testSpaceDelete},
		{name: "Channel/RoundTrip", run: testChannelRoundTrip},
		{name: "Channel/Delete", run: testChannelDelete},
		{name: "Direct/RoundTrip", run: testDirectRoundTrip},
		{name: "Direct/List", run: testDirectList},
		{name: "Direct/Race", run: testDirectRace},
		{name: "Group/RoundTrip", run: testGroupRoundTrip},

		{name: "Message/RoundTrip", run: testMessageRoundTrip},
		{name: "Message/Edit", run: testMessageEdit},
		{name: "Message/Delete", run: testMessageDelete},
		{name: "Message/Retract", run: testMessageRetract},
		{name: "Message/Edges", run: testMessageEdges},
		{name: "History/Oracle", run: testHistoryOracle},
		{name: "Purge", run: testPurge},

		{name: "Pending/Order", run: testPendingOrder},
		{name: "Pending/Count", run: testPendingCount},
		{name: "Pending/Acknowledge", run: testAcknowledge},
		{name: "Events/RoundTrip", run: testEventRoundTrip},
		{name: "Events/Changes", run: testChanges},
		{name: "Events/Prune", run: testPruneEvents},
		{name: "Events/LastPosition", run: testLastPosition},
		{name: "NextID", run: testNextID},
		{name: "Audit", run: testAudit},

		{name: "Transaction/Snapshot", run: testSnapshot},
		{name: "Transaction/Rollback", run: testRollback},
		{name: "Transaction/Panic", run: testPanic},
		{name: "Transaction/Context", run: testContext},
		{name: "Transaction/OwnWrites", run: testOwnWrites},
		{name: "Values/Edges", run: testEdges},

		{name: "Send/Facts/Channel", run: testFactsChannel},
		{name: "Send/Facts/Direct", run: testFactsDirect},
		{name: "Send/Facts/Group", run: testFactsGroup},
		{name: "Send/Facts/Unknown", run: testFactsUnknown},
		{name: "Send/Facts/Mixed", run: testFactsMixed},
		{name: "Send/Writes", run: testSendWrites},
		{name: "Send/Replay", run: testReplay},
		{name: "Send/ReplayRace", run: testReplayRace},
		{name: "Send/OpenRace", run: testOpenRace},
		{name: "Send/Failed", run: testFailedBatch},
		{name: "Send/Panic", run: testSendPanic},
		{name: "Send/Large", run: testLargeBatch},

		{name: "Open/Again", run: testOpenAgain},
		{name: "Open/IDKey", run: testIDKey},
		{name: "Open/NewerSchema", run: testNewerSchema},
		{name: "Open/SchemaGap", run: testSchemaGap},
		{name: "Open/Together", run: testOpenTogether, unopened: true},
	}
}
