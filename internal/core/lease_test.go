package core_test

import (
	"strconv"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/core"
)

// An agent's leases are bounded: what ends soonest goes first.
func TestLeasesAreBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	a, b := f.join("ana"), f.join("ben")
	ctx := t.Context()

	claim := func(c core.Call, holder string, from, n int) int {
		t.Helper()
		in := core.ReplyClaim{Holder: holder}
		for i := range n {
			in.Messages = append(in.Messages, strconv.Itoa(from+i))
		}
		got, err := f.ClaimReplies(ctx, c, in)
		if err != nil {
			t.Fatalf("claim: %v", err)
		}
		return got.Claimed
	}
	claim(b, "one", 0, 1)
	for i := 0; i < 5000; i += 200 {
		claim(a, "one", i, 200)
	}
	claim(a, "one", 0, 1) // the first is the last to end now
	claim(a, "one", 5000, 10)
	for message, want := range map[int]int{0: 0, 1: 1, 5009: 0} {
		if got := claim(a, "two", message, 1); got != want {
			t.Errorf("message %d for another holder: got %d, want %d", message, got, want)
		}
	}
	if got := claim(b, "two", 0, 1); got != 0 {
		t.Error("the claim of another agent went")
	}

	session := func(i int, seconds int64) {
		t.Helper()
		if _, err := f.SetActive(ctx, a, strconv.Itoa(i), chat.Opt[int64]{Present: true, Value: seconds}); err != nil {
			t.Fatalf("set active: %v", err)
		}
	}
	for i := range 100 {
		session(i, 1000)
	}
	session(7, 3600)
	for i := range 99 { // in place of all but the one that ends last
		session(1000+i, 2000)
	}
	session(2000, 5) // the newest stays, however short
	f.clock.Advance(1000 * time.Second)
	for i := range 100 {
		if _, err := f.ClearActive(ctx, a, strconv.Itoa(1000+i)); err != nil {
			t.Fatalf("clear active: %v", err)
		}
	}
	if active, err := f.ShowActive(ctx, a); err != nil || !active {
		t.Errorf("the session that ends last: got %v, %v; want it active", active, err)
	}
	if active, err := f.ClearActive(ctx, a, "7"); err != nil || active {
		t.Errorf("after all were cleared: got %v, %v; want none", active, err)
	}
}

// People have no leases.
func TestLeasesAreForAgents(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	person := core.Call{Actor: core.Actor{Account: 1, Kind: chat.CredentialSession, Is: chat.KindHuman}}
	if _, err := f.ShowActive(t.Context(), person); chat.CodeOf(err) != chat.CodeTokenInvalid {
		t.Errorf("a person: got %v, want %s", err, chat.CodeTokenInvalid)
	}
	if _, err := f.ClaimReply(t.Context(), core.Call{}, core.ReplyClaim{}); chat.CodeOf(err) != chat.CodeTokenMissing {
		t.Errorf("nobody: got %v, want %s", err, chat.CodeTokenMissing)
	}
}
