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
	// Migrate brings the database, before it is first opened, to an older schema, as
	// the program that wrote that one did.
	Migrate func(ctx context.Context, version int64) error
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
		{name: "Account/Agents", run: testAgents},
		{name: "Account/Tombstone", run: testAccountTombstone},
		{name: "Account/Taken", run: testAccountTaken},
		{name: "Account/TakenInRace", run: testAccountRace},
		{name: "Register/Code", run: testMailedCode},
		{name: "Register/Replaced", run: testMailedCodeReplaced},
		{name: "Register/Expired", run: testMailedCodeExpired},
		{name: "Register/HandleHeld", run: testHandleHeld},
		{name: "Register/Addresses", run: testAddresses},
		{name: "Register/SystemAccounts", run: testSystemAccounts},
		{name: "Register/Directory", run: testDirectory},
		{name: "Register/ClearAccount", run: testClearAccount},
		{name: "Credential/RoundTrip", run: testCredentialRoundTrip},
		{name: "Credential/List", run: testCredentialList},
		{name: "Credential/Delete", run: testCredentialDelete},
		{name: "Credential/Expired", run: testCredentialExpired},
		{name: "Credential/Touch", run: testCredentialTouch},

		{name: "Once/RoundTrip", run: testOnceRoundTrip},
		{name: "Once/Prune", run: testOncePrune},
		{name: "Attachment/RoundTrip", run: testAttachmentRoundTrip},
		{name: "Attachment/Uploaded", run: testAttachmentUploaded},
		{name: "Attachment/Purge", run: testAttachmentPurge},

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
		{name: "Group/Fields", run: testGroupFields},
		{name: "Group/Members", run: testGroupMembers},
		{name: "Group/Of", run: testGroupsOf},
		{name: "Group/Seats", run: testGroupSeats},
		{name: "Group/Owners", run: testGroupOwners},
		{name: "Group/Flush", run: testGroupFlush},
		{name: "Invite/RoundTrip", run: testInviteRoundTrip},
		{name: "Invite/To", run: testInvitesTo},
		{name: "Invite/Since", run: testInvitesSince},

		{name: "Contact/AccountsByHandle", run: testAccountsByHandle},
		{name: "Contact/RoundTrip", run: testContactRoundTrip},
		{name: "Contact/List", run: testContactList},
		{name: "Contact/Watchers", run: testWatchers},
		{name: "Contact/Block", run: testBlockRoundTrip},
		{name: "Contact/Complaints", run: testComplaints},
		{name: "Contact/Report", run: testReport},
		{name: "Contact/Mutes", run: testMutes},
		{name: "Contact/ConversationKinds", run: testConversationKinds},
		{name: "Contact/TouchAccounts", run: testTouchAccounts},

		{name: "Message/RoundTrip", run: testMessageRoundTrip},
		{name: "Message/Signed", run: testMessageSigned},
		{name: "Message/Edit", run: testMessageEdit},
		{name: "Message/Delete", run: testMessageDelete},
		{name: "Message/Retract", run: testMessageRetract},
		{name: "Message/Edges", run: testMessageEdges},
		{name: "History/Oracle", run: testHistoryOracle},
		{name: "History/Without", run: testHistoryWithout},
		{name: "Purge", run: testPurge},

		{name: "Inbox/Pages", run: testRowsPages},
		{name: "Inbox/Envelopes", run: testRowsEnvelopes},
		{name: "Inbox/Retracted", run: testRowsRetracted},
		{name: "Inbox/Forward", run: testEnvelopeForward},
		{name: "Inbox/HideMessage", run: testHideMessage},
		{name: "Inbox/Stale", run: testStaleEnvelopes},
		{name: "Inbox/List", run: testListings},
		{name: "Inbox/Unread", run: testUnread},
		{name: "Inbox/ReadThrough", run: testReadThrough},
		{name: "Inbox/Groups", run: testGroups},

		{name: "Pending/Order", run: testPendingOrder},
		{name: "Pending/Count", run: testPendingCount},
		{name: "Pending/Acknowledge", run: testAcknowledge},
		{name: "Pending/AcknowledgeMany", run: testAcknowledgeMany},
		{name: "Events/RoundTrip", run: testEventRoundTrip},
		{name: "Events/Changes", run: testChanges},
		{name: "Events/Recipients", run: testChangesRecipients},
		{name: "Events/Prune", run: testPruneEvents},
		{name: "Events/LastPosition", run: testLastPosition},
		{name: "NextID", run: testNextID},
		{name: "Audit", run: testAudit},

		{name: "Hook/RoundTrip", run: testHookRoundTrip},
		{name: "Hook/Health", run: testHookHealth},
		{name: "Hook/Move", run: testHookMove},
		{name: "Hook/Delete", run: testHookDelete},
		{name: "Hook/Gone", run: testHookGone},
		{name: "Hook/Claim", run: testClaimHooks},
		{name: "Hook/Due", run: testDueDeliveries},
		{name: "Hook/Breaker", run: testClaimBreaker},
		{name: "Delivery/RoundTrip", run: testDeliveryRoundTrip},
		{name: "Delivery/Once", run: testEnqueueOnce},
		{name: "Delivery/Age", run: testDeliveryAge},
		{name: "Delivery/Drop", run: testDropQueue},

		{name: "Owner/Agents", run: testOwnedBy},
		{name: "Owner/Audit", run: testAuditList},
		{name: "Owner/Blocks", run: testBlocksOf},
		{name: "Owner/Meet", run: testMeet},
		{name: "Escalation/RoundTrip", run: testEscalationRoundTrip},
		{name: "Escalation/List", run: testEscalationList},

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
		{name: "Send/Update", run: testWrite},
		{name: "Send/Extras", run: testSendExtras},
		{name: "Send/Keys", run: testQuestionKeys},
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
		{name: "Open/SecondSchema", run: testSecondSchema, unopened: true},
		{name: "Open/Together", run: testOpenTogether, unopened: true},
	}
}
