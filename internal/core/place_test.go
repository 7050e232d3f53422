package core

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
)

func limitedItem(it *sendItem) *sendItem {
	it.limited = true
	return it
}

func TestAttachmentsOfSends(t *testing.T) {
	t.Parallel()
	const file chat.AttachmentID = 70
	for _, test := range []struct {
		what string
		file *chat.Attachment
		item *sendItem
		want chat.Code
	}{
		{"unknown", nil, inTalk(ann, "a"), chat.CodeAttachmentUnknown},
		{"another's", &chat.Attachment{Uploader: ben, Peer: ben}, inTalk(ann, "a"), chat.CodeAttachmentUnknown},
		{"for the peer", &chat.Attachment{Uploader: ann, Peer: ben}, inTalk(ann, "a"), ""},
		{"for the peer of a new conversation", &chat.Attachment{Uploader: ann, Peer: cleo}, to(ann, cleo, ""), ""},
		{"for another peer", &chat.Attachment{Uploader: ann, Peer: cleo}, inTalk(ann, "a"), chat.CodeAttachmentScope},
		{"for the group", &chat.Attachment{Uploader: ann, Conversation: crew}, inCrew(ann, "a"), ""},
		{"for a peer, into a group", &chat.Attachment{Uploader: ann, Peer: ben}, inCrew(ann, "a"), chat.CodeAttachmentScope},
		{"for a group, to a peer", &chat.Attachment{Uploader: ann, Conversation: crew}, inTalk(ann, "a"), chat.CodeAttachmentScope},
	} {
		f := world()
		if test.file != nil {
			f.Attachments = map[chat.AttachmentID]*chat.Attachment{file: test.file}
		}
		test.item.in.Attachment = file
		got, run := decided(f, test.item)
		if got[0] != test.want {
			t.Errorf("%s: got %q, want %q", test.what, got[0], test.want)
		}
		if test.want == "" && run.writes.Messages[0].Attachment != file {
			t.Errorf("%s: got attachment %d, want %d", test.what, run.writes.Messages[0].Attachment, file)
		}
	}
}

// A batch sees what it takes itself; only what is stored counts, once it is.
func TestRatesOfABatch(t *testing.T) {
	t.Parallel()
	f := world()
	rates := newRates()
	var items []*sendItem
	for range 22 {
		items = append(items, limitedItem(inCrew(ann, "a")), inCrew(ben, "through another dialect"))
	}
	refused := limitedItem(inRoom(cleo, "a"))
	refused.in.Conversation = 999
	items = append(items, refused, limitedItem(inRoom(cleo, "into a channel")))
	run := newSendRun(items, newPendingCounts(), rates, at)
	for range 2 { // a rerun begins anew
		run.decide(f)
		f = world()
	}
	codes := map[chat.Code]int{}
	for _, it := range items {
		codes[chat.CodeOf(it.err)]++
	}
	if diff := cmp.Diff(map[chat.Code]int{"": 20 + 22 + 1, chat.CodeRateLimited: 2, chat.CodeChannelUnknown: 1}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
	want := map[sendRate]int{{rateSends, int64(ann)}: 20, {rateGroupSends, int64(crew)}: 20, {rateSends, int64(cleo)}: 1}
	if diff := cmp.Diff(want, run.taken, cmp.AllowUnexported(sendRate{})); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	if err := rates.fits(at, rateGroupSends, sendRate{of: int64(crew)}.key(), 19); err != nil {
		t.Errorf("before the commit: got %v, want nothing counted", err)
	}
	var e *chat.Error
	if !errors.As(items[40].err, &e) || e.Rule != chat.RuleGroup || e.RetryAfter != time.Second {
		t.Errorf("refusal: got %+v, want the group's rule and a second", items[40].err)
	}
}

func TestSystemAccountsMaySendMore(t *testing.T) {
	t.Parallel()
	for kind, most := range map[chat.AccountKind]int{chat.KindAgent: 60, chat.KindSystem: 200} {
		f := world()
		f.Accounts[ann].Kind = kind
		var items []*sendItem
		for range 210 {
			items = append(items, limitedItem(inRoom(ann, "a")))
		}
		run := newSendRun(items, newPendingCounts(), newRates(), at)
		run.decide(f)
		if got := len(run.writes.Messages); got != most {
			t.Errorf("kind %s: got %d messages, want %d", kind, got, most)
		}
	}
}

func TestWhoIsToldOfAMessage(t *testing.T) {
	t.Parallel()
	const hook chat.HookID = 80
	hooked := func(f *store.SendFacts, id chat.AccountID) {
		f.Accounts[id].Hooks = chat.HookMessageCreated
		f.Hooks[id] = []chat.Hook{{ID: hook, Account: id, Events: chat.HookMessageCreated}, {ID: hook + 1, Account: id, Events: chat.HookPresence}}
	}
	mute := func(f *store.SendFacts, id chat.AccountID, m chat.Mute) {
		f.Accounts[id].Muting = true
		f.Mutes[id] = []chat.Mute{m}
	}
	for _, test := range []struct {
		what       string
		facts      func(*store.SendFacts)
		recipients []chat.AccountID
		quiet      []chat.AccountID
		queued     []chat.AccountID
	}{
		{"everybody", func(*store.SendFacts) {}, []chat.AccountID{ann, ben, cleo}, nil, nil},
		{"hooks", func(f *store.SendFacts) { hooked(f, ann); hooked(f, cleo) }, []chat.AccountID{ann, ben, cleo}, nil, []chat.AccountID{cleo}},
		{"the author muted", func(f *store.SendFacts) {
			hooked(f, ben)
			mute(f, ben, chat.Mute{Kind: chat.MuteAccount, Target: int64(ann)})
		}, []chat.AccountID{ann, ben, cleo}, []chat.AccountID{ben}, nil},
		{"the group muted", func(f *store.SendFacts) {
			mute(f, ben, chat.Mute{Kind: chat.MuteConversation, Target: int64(crew), Until: at.Add(time.Second)})
		}, []chat.AccountID{ann, ben, cleo}, []chat.AccountID{ben}, nil},
		{"a mute that ended", func(f *store.SendFacts) {
			mute(f, ben, chat.Mute{Kind: chat.MuteAccount, Target: int64(ann), Until: at})
		}, []chat.AccountID{ann, ben, cleo}, nil, nil},
		{"another muted", func(f *store.SendFacts) {
			mute(f, ben, chat.Mute{Kind: chat.MuteAccount, Target: int64(cleo)})
		}, []chat.AccountID{ann, ben, cleo}, nil, nil},
		{"paused", func(f *store.SendFacts) {
			hooked(f, ben)
			f.Accounts[ben].Pause, f.Accounts[cleo].Pause = chat.PauseFull, chat.PauseSend
		}, []chat.AccountID{ann, ben, cleo}, []chat.AccountID{ben}, nil},
		{"suspended", func(f *store.SendFacts) {
			hooked(f, ben)
			f.Accounts[ben].State = chat.StateSuspended
		}, []chat.AccountID{ann, ben, cleo}, nil, nil},
		{"skipped", func(f *store.SendFacts) {
			hooked(f, ben)
			f.Accounts[ben].Guarded, f.Pending[ben] = true, backlogStop
		}, []chat.AccountID{ann, cleo}, nil, nil},
	} {
		f := world()
		f.Names[crew] = "the crew"
		test.facts(f)
		it := inCrew(ann, "a")
		_, run := decided(f, it)
		e := run.events[0]
		var queued []chat.AccountID
		for _, d := range run.writes.Deliveries {
			queued = append(queued, d.Account)
			if d.Hook != hook || d.Event.Position != e.Position || !d.NextAt.Equal(at) {
				t.Errorf("%s: got delivery %+v, want the event for hook %d now", test.what, d, hook)
			}
		}
		got := [][]chat.AccountID{e.Recipients, e.Quiet, queued}
		if diff := cmp.Diff([][]chat.AccountID{test.recipients, test.quiet, test.queued}, got); diff != "" {
			t.Errorf("%s: recipients, quiet, queued (-want +got):\n%s", test.what, diff)
		}
		if e.By == nil || e.By.Handle != "ann" || e.Group == nil || *e.Group != (chat.GroupBrief{Name: "the crew", Members: 3}) {
			t.Errorf("%s: got author %+v and group %+v, want ann and the crew of 3", test.what, e.By, e.Group)
		}
		if diff := cmp.Diff([]chat.AccountID{ann, ben, cleo}, f.Members[crew]); diff != "" {
			t.Errorf("%s: members among the facts (-want +got):\n%s", test.what, diff)
		}
	}
}

func TestAskForMutesAndHooksOfThoseWhoHaveThem(t *testing.T) {
	t.Parallel()
	f := world()
	f.Accounts[ben].Muting, f.Accounts[cleo].Hooks = true, chat.HookMessageCreated|chat.HookPresence
	f.Accounts[ann].Hooks = chat.HookPresence
	run := newSendRun([]*sendItem{inCrew(ann, "a"), inTalk(ann, "b"), to(ben, cleo, "")}, newPendingCounts(), nil, at)
	want := store.Questions{
		ColdSince: at.Add(-coldWindow), Mutes: []chat.AccountID{ben}, Hooks: []chat.AccountID{cleo},
		Keys: []chat.AccountID{ann, ben},
	}
	if diff := cmp.Diff(want, run.ask(f)); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	clear(f.Accounts)
	if q := run.ask(f); q.Any() {
		t.Errorf("questions about nobody: got %+v, want none", q)
	}
}
