package core

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

// The accounts and conversations of the tables below.
const (
	ann   chat.AccountID      = 1
	ben   chat.AccountID      = 2
	cleo  chat.AccountID      = 3
	room  chat.ConversationID = 10
	talk  chat.ConversationID = 11
	crew  chat.ConversationID = 12
	space chat.SpaceID        = 20
)

var at = time.Date(2026, 4, 27, 12, 0, 0, 0, time.UTC)

// world returns facts in which everybody may write everywhere: a channel with
// all three as members, a fresh direct conversation of ann and ben, a group of all.
func world() *store.SendFacts {
	f := store.NewSendFacts(0)
	f.Conversations[room] = &chat.Conversation{ID: room, Kind: chat.ConversationChannel, Space: space}
	f.Conversations[talk] = &chat.Conversation{ID: talk, Kind: chat.ConversationDirect, Low: ann, High: ben}
	f.Conversations[crew] = &chat.Conversation{ID: crew, Kind: chat.ConversationGroup}
	f.Directs[[2]chat.AccountID{ann, ben}] = talk
	f.Members[crew] = []chat.AccountID{ann, ben, cleo}
	f.FirstID = 1000
	names := map[chat.AccountID]string{ann: "ann", ben: "ben", cleo: "cleo"}
	for id := range names {
		f.Accounts[id] = &chat.Account{ID: id, Kind: chat.KindAgent, State: chat.StateActive, Username: "u", Handle: names[id]}
		f.Grants[store.Seat{Conversation: room, Account: id}] = chat.EntEveryone
	}
	return f
}

func inRoom(author chat.AccountID, text string) *sendItem {
	return item(author, NewMessage{Kind: chat.ConversationChannel, Conversation: room, Text: text})
}

func inTalk(author chat.AccountID, text string) *sendItem {
	return item(author, NewMessage{Kind: chat.ConversationDirect, Conversation: talk, Text: text})
}

func inCrew(author chat.AccountID, text string) *sendItem {
	return item(author, NewMessage{Kind: chat.ConversationGroup, Conversation: crew, Text: text})
}

func to(author, peer chat.AccountID, clientID string) *sendItem {
	return item(author, NewMessage{Kind: chat.ConversationDirect, Peer: peer, ClientID: clientID, Text: "hi"})
}

func item(author chat.AccountID, in NewMessage) *sendItem {
	in.Type = chat.MessageText
	return &sendItem{author: author, in: in, key: store.SendKey{
		Author: author, ClientID: in.ClientID, Conversation: in.Conversation, Peer: in.Peer,
	}}
}

// decided runs items over facts and returns the code of each answer, "" for sent.
func decided(f *store.SendFacts, items ...*sendItem) ([]chat.Code, *sendRun) {
	run := newSendRun(items, newPendingCounts(), nil, at)
	run.decide(f)
	codes := make([]chat.Code, len(items))
	for i, it := range items {
		codes[i] = chat.CodeOf(it.err)
	}
	return codes, run
}

func TestDecide(t *testing.T) {
	t.Parallel()
	guard := func(f *store.SendFacts, id chat.AccountID) { f.Accounts[id].Guarded = true }
	tests := []struct {
		name  string
		facts func(*store.SendFacts)
		items []*sendItem
		want  []chat.Code
	}{
		{"everybody may", nil, []*sendItem{inRoom(ann, "a"), inTalk(ben, "b"), inCrew(cleo, "c")}, []chat.Code{"", "", ""}},
		{
			"suspended author", func(f *store.SendFacts) { f.Accounts[ann].State = chat.StateSuspended },
			[]*sendItem{inRoom(ann, "a")},
			[]chat.Code{chat.CodeAccountOff},
		},
		{
			"disabled author", func(f *store.SendFacts) { f.Accounts[ann].Disabled = true },
			[]*sendItem{inRoom(ann, "a")},
			[]chat.Code{chat.CodeAccountOff},
		},
		{
			"paused author", func(f *store.SendFacts) { f.Accounts[ann].Pause = chat.PauseSend },
			[]*sendItem{inRoom(ann, "a"), inTalk(ann, "b")},
			[]chat.Code{chat.CodePaused, chat.CodePaused},
		},
		{
			"removed author", func(f *store.SendFacts) { f.Accounts[ann].State = chat.StateDeleted },
			[]*sendItem{inRoom(ann, "a")},
			[]chat.Code{chat.CodeTokenInvalid},
		},
		{
			"unknown channel", func(f *store.SendFacts) { delete(f.Conversations, room) },
			[]*sendItem{inRoom(ann, "a")},
			[]chat.Code{chat.CodeChannelUnknown},
		},
		{
			"a channel taken for a direct conversation", nil,
			[]*sendItem{item(ann, NewMessage{Kind: chat.ConversationDirect, Conversation: room, Text: "a"})},
			[]chat.Code{chat.CodeConversationUnknown},
		},
		{
			"not a member of the space", func(f *store.SendFacts) { clear(f.Grants) },
			[]*sendItem{inRoom(ann, "a")},
			[]chat.Code{chat.CodeNotMember},
		},
		{"may not view", func(f *store.SendFacts) {
			f.Grants[store.Seat{Conversation: room, Account: ann}] = chat.EntSendMessages
		}, []*sendItem{inRoom(ann, "a")}, []chat.Code{chat.CodeChannelUnknown}},
		{"may not send", func(f *store.SendFacts) {
			f.Overwrites = map[chat.ConversationID][]chat.Overwrite{room: {{Channel: room, Account: ann, Deny: chat.EntSendMessages}}}
		}, []*sendItem{inRoom(ann, "a"), inRoom(ben, "b")}, []chat.Code{chat.CodeNotPermitted, ""}},
		{"not a participant", nil, []*sendItem{inTalk(cleo, "a")}, []chat.Code{chat.CodeNotParticipant}},
		{
			"not in the group", func(f *store.SendFacts) { f.Members[crew] = []chat.AccountID{ben, cleo} },
			[]*sendItem{inCrew(ann, "a")},
			[]chat.Code{chat.CodeNotMember},
		},
		{
			"peer removed", func(f *store.SendFacts) { f.Accounts[ben].State = chat.StateDeleted },
			[]*sendItem{inTalk(ann, "a"), to(ann, ben, "")},
			[]chat.Code{chat.CodePeerGone, chat.CodeAccountUnknown},
		},
		{"to oneself", nil, []*sendItem{to(ann, ann, "")}, []chat.Code{chat.CodeSelf}},
		{
			"blocked either way", func(f *store.SendFacts) { f.Blocks[store.Edge{Owner: ann, Target: ben}] = true },
			[]*sendItem{inTalk(ann, "a"), inTalk(ben, "b"), inCrew(ann, "groups are not affected")},
			[]chat.Code{chat.CodeBlocked, chat.CodeBlocked, ""},
		},
		{
			"contacts only", func(f *store.SendFacts) { f.Accounts[ben].ContactsOnly = true },
			[]*sendItem{inTalk(ann, "a")},
			[]chat.Code{chat.CodeContactsOnly},
		},
		{"contacts only, in contacts", func(f *store.SendFacts) {
			f.Accounts[ben].ContactsOnly = true
			f.Contacts[store.Edge{Owner: ben, Target: ann}] = true
		}, []*sendItem{inTalk(ann, "a")}, []chat.Code{""}},
		{
			"contacts only, but it wrote first", func(f *store.SendFacts) { f.Accounts[ben].ContactsOnly = true },
			[]*sendItem{inTalk(ben, "a"), inTalk(ann, "b")},
			[]chat.Code{"", ""},
		},
		{
			"restricted opens nothing", func(f *store.SendFacts) { f.Accounts[ann].State = chat.StateRestricted },
			[]*sendItem{inTalk(ann, "a"), to(ann, cleo, "")},
			[]chat.Code{chat.CodeRestricted, chat.CodeRestricted},
		},
		{"restricted goes on", func(f *store.SendFacts) {
			f.Accounts[ann].State = chat.StateRestricted
			f.Conversations[talk].LastSeq = 1
			f.Conversations[talk].Initiator = ben
		}, []*sendItem{inTalk(ann, "a")}, []chat.Code{""}},
		{
			"two openers in one batch: the second waits for a reply", func(f *store.SendFacts) { guard(f, ben) },
			[]*sendItem{inTalk(ann, "a"), inTalk(ann, "b")},
			[]chat.Code{"", chat.CodeAwaitingReply},
		},
		{
			"a reply in the same batch establishes", func(f *store.SendFacts) { guard(f, ben) },
			[]*sendItem{inTalk(ann, "a"), inTalk(ben, "b"), inTalk(ann, "c")},
			[]chat.Code{"", "", ""},
		},
		{"no guard, no waiting", nil, []*sendItem{inTalk(ann, "a"), inTalk(ann, "b")}, []chat.Code{"", ""}},
		{
			"a system account is exempt", func(f *store.SendFacts) { guard(f, ben); f.Accounts[ann].Kind = chat.KindSystem },
			[]*sendItem{inTalk(ann, "a"), inTalk(ann, "b")},
			[]chat.Code{"", ""},
		},
		{"cold cap", func(f *store.SendFacts) {
			guard(f, ben)
			guard(f, cleo)
			f.Cold[ann] = store.ColdCount{Count: 99, Oldest: at.Add(-time.Hour)}
		}, []*sendItem{inTalk(ann, "the hundredth"), to(ann, cleo, "")}, []chat.Code{"", chat.CodeColdCap}},
		{"a reply frees a cold slot at once", func(f *store.SendFacts) {
			guard(f, ann)
			guard(f, ben)
			guard(f, cleo)
			f.Cold[ann] = store.ColdCount{Count: 99, Oldest: at}
		}, []*sendItem{inTalk(ann, "a"), inTalk(ben, "b"), to(ann, cleo, "")}, []chat.Code{"", "", ""}},
		{"backlog stops at 10,000", func(f *store.SendFacts) {
			guard(f, ben)
			f.Conversations[talk].LastSeq, f.Conversations[talk].Established = 2, true
			f.Pending[ben] = 9_999
		}, []*sendItem{inTalk(ann, "the last"), inTalk(ann, "too many")}, []chat.Code{"", chat.CodeBacklogged}},
		{
			"an open account has no backlog limit", func(f *store.SendFacts) { f.Pending[ben] = 10_000 },
			[]*sendItem{inTalk(ann, "a")},
			[]chat.Code{""},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := world()
			if tc.facts != nil {
				tc.facts(f)
			}
			got, run := decided(f, tc.items...)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Fatalf("codes (-want +got):\n%s", diff)
			}
			stored := 0
			for _, c := range got {
				if c == "" {
					stored++
				}
			}
			if len(run.writes.Messages) != stored {
				t.Errorf("%d messages to write, want %d: a refused send leaves no trace", len(run.writes.Messages), stored)
			}
		})
	}
}

func TestInvalidInputIsToldOnlyToThoseInside(t *testing.T) {
	t.Parallel()
	f := world()
	delete(f.Grants, store.Seat{Conversation: room, Account: cleo})
	inside, outside := inRoom(ann, ""), inRoom(cleo, "")
	inside.invalid = chat.Fail(chat.CodeTextEmpty)
	outside.invalid = chat.Fail(chat.CodeTextEmpty)
	got, _ := decided(f, inside, outside)
	if want := []chat.Code{chat.CodeTextEmpty, chat.CodeNotMember}; !cmp.Equal(want, got) {
		t.Errorf("codes = %v, want %v", got, want)
	}
}

func TestReplayInOneBatch(t *testing.T) {
	t.Parallel()
	f := world()
	items := []*sendItem{to(ann, cleo, "x"), to(ann, ben, "x"), to(ben, cleo, "x")}
	got, run := decided(f, items...)
	if want := []chat.Code{"", "", ""}; !cmp.Equal(want, got) {
		t.Fatalf("codes = %v, want %v", got, want)
	}
	if !items[1].sent.Replayed || items[1].sent.ID != items[0].sent.ID {
		t.Errorf("second send = %+v, want a replay of %d", items[1].sent, items[0].sent.ID)
	}
	if items[2].sent.Replayed {
		t.Error("another author's own id was taken for a replay")
	}
	if len(run.writes.Messages) != 2 {
		t.Errorf("%d messages written, want 2", len(run.writes.Messages))
	}
}

func TestReplayAfterARefusalIsJudgedItself(t *testing.T) {
	t.Parallel()
	f := world()
	f.Blocks[store.Edge{Owner: cleo, Target: ann}] = true
	items := []*sendItem{to(ann, cleo, "x"), to(ann, ben, "x")}
	got, _ := decided(f, items...)
	if want := []chat.Code{chat.CodeBlocked, ""}; !cmp.Equal(want, got) {
		t.Errorf("codes = %v, want %v", got, want)
	}
}

func TestBothSidesOpenInOneBatch(t *testing.T) {
	t.Parallel()
	f := world()
	items := []*sendItem{to(ann, cleo, "1"), to(cleo, ann, "2")}
	got, run := decided(f, items...)
	if want := []chat.Code{"", ""}; !cmp.Equal(want, got) {
		t.Fatalf("codes = %v, want %v", got, want)
	}
	if len(run.writes.Directs) != 1 || len(run.writes.Moved) != 0 {
		t.Fatalf("writes = %d new, %d moved conversations, want 1 and 0", len(run.writes.Directs), len(run.writes.Moved))
	}
	c := run.writes.Directs[0]
	if c.LastSeq != 2 || c.Initiator != ann || !c.Established || !c.OpenedAt.Equal(at) {
		t.Errorf("conversation = %+v, want 2 messages, opened by ann, established", c)
	}
	want := []store.Edge{{Owner: ann, Target: cleo}, {Owner: cleo, Target: ann}}
	if diff := cmp.Diff(want, run.writes.Contacts); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
}

func TestNumbersTimesAndIDs(t *testing.T) {
	t.Parallel()
	f := world()
	f.Conversations[room].LastSeq, f.Conversations[room].LastAt = 7, at.Add(5*time.Millisecond) // the clock stepped back
	items := []*sendItem{inRoom(ann, "a"), inTalk(ben, "b"), inRoom(cleo, "c")}
	_, run := decided(f, items...)
	var prev chat.MessageID
	for _, m := range run.writes.Messages {
		if m.ID <= prev {
			t.Errorf("id %d after %d: ids must rise in the order of the batch", m.ID, prev)
		}
		prev = m.ID
	}
	first, third := items[0].sent, items[2].sent
	if first.Seq != 8 || third.Seq != 9 {
		t.Errorf("numbers = %d, %d, want 8, 9", first.Seq, third.Seq)
	}
	if want := at.Add(6 * time.Millisecond); !first.CreatedAt.Equal(want) {
		t.Errorf("time = %v, want %v: one millisecond after the newest", first.CreatedAt, want)
	}
	if !third.CreatedAt.After(first.CreatedAt) {
		t.Errorf("time %v is not after %v", third.CreatedAt, first.CreatedAt)
	}
	if got := run.writes.Moved; len(got) != 2 {
		t.Errorf("%d conversations moved, want each once: 2", len(got))
	}
}

func TestGroupMembersWithABacklogAreSkipped(t *testing.T) {
	t.Parallel()
	f := world()
	f.Accounts[ben].Guarded = true
	f.Pending[ben] = 10_000
	it := inCrew(ann, "a")
	_, run := decided(f, it)
	if diff := cmp.Diff([]string{"ben"}, it.sent.Skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if len(run.writes.Envelopes) != 1 || run.writes.Envelopes[0].Recipient != cleo {
		t.Errorf("envelopes = %+v, want one, for cleo", run.writes.Envelopes)
	}
}

func TestBacklogWarning(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ pending, want int }{{4_999, 0}, {5_000, 5_000}, {9_999, 9_999}} {
		f := world()
		f.Accounts[ben].Guarded = true
		f.Conversations[talk].LastSeq, f.Conversations[talk].Established = 2, true
		f.Pending[ben] = tc.pending
		it := inTalk(ann, "a")
		decided(f, it)
		if it.err != nil || it.sent.Waiting != tc.want {
			t.Errorf("with %d pending: %+v, %v; want a warning of %d", tc.pending, it.sent, it.err, tc.want)
		}
	}
}

func TestAskCountsOnlyWhatIsNeeded(t *testing.T) {
	t.Parallel()
	f := world()
	f.Accounts[ben].Guarded = true
	hints := newPendingCounts()
	run := newSendRun([]*sendItem{inRoom(ann, "a"), inTalk(ann, "b"), to(ann, cleo, "")}, hints, nil, at)
	q := run.ask(f)
	if diff := cmp.Diff(store.Questions{Pending: []chat.AccountID{ben}, Cold: []chat.AccountID{ann}, ColdSince: at.Add(-coldWindow)}, q); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	hints.counted(ben, 10, at)
	if q := run.ask(f); len(q.Pending) != 0 {
		t.Errorf("pending asked again: %v; memory knows", q.Pending)
	}
	hints.counted(ben, backlogExact, at)
	if q := run.ask(f); len(q.Pending) != 1 {
		t.Errorf("pending not asked near the threshold: %v", q.Pending)
	}
	hints.counted(ben, 10, at.Add(-time.Minute))
	if q := run.ask(f); len(q.Pending) != 1 {
		t.Errorf("pending not asked for an old count: %v", q.Pending)
	}
}
