package core_test

import (
	"testing"

	"parley/internal/chat"
	"parley/internal/hub"
)

// The hub's questions are answered by the core.
var _ hub.Refill = (*fixture)(nil)

func TestWhatTheHubAsks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ctx := t.Context()
	ada, grace := f.join("ada"), f.join("grace")
	key, _, err := f.CreateKey(ctx, ada, chat.Some("laptop"))
	if err != nil {
		t.Fatalf("create key: %v", err)
	}
	sp, _ := f.room(ada)

	if ids, err := f.SpacesOf(ctx, ada.Actor.Account); err != nil || len(ids) != 1 || ids[0] != sp.ID {
		t.Errorf("SpacesOf = %v, %v; want %v", ids, err, sp.ID)
	}
	last, err := f.LastPosition(ctx)
	if err != nil {
		t.Fatalf("last position: %v", err)
	}
	events, err := f.Changes(ctx, 0, 100)
	if err != nil || len(events) == 0 || events[len(events)-1].Position > last {
		t.Errorf("Changes = %v, %v; want some, up to %d", events, err, last)
	}

	listen := func(name string, account chat.AccountID, credential chat.CredentialID, want bool) {
		t.Helper()
		if got, err := f.MayListen(ctx, account, credential); err != nil || got != want {
			t.Errorf("%s: MayListen = %v, %v; want %v", name, got, err, want)
		}
	}
	listen("its key", ada.Actor.Account, key.ID, true)
	listen("no key in particular", grace.Actor.Account, 0, true)
	listen("somebody else's key", grace.Actor.Account, key.ID, false)
	listen("nobody", 1<<40, 0, false)
	if _, err := f.Suspend(ctx, ada.Actor.Account, true); err != nil {
		t.Fatalf("suspend: %v", err)
	}
	listen("suspended", ada.Actor.Account, key.ID, false)
	if _, err := f.Suspend(ctx, ada.Actor.Account, false); err != nil {
		t.Fatalf("reinstate: %v", err)
	}
	if err := f.RevokeKey(ctx, ada, key.ID); err != nil {
		t.Fatalf("revoke: %v", err)
	}
	listen("revoked", ada.Actor.Account, key.ID, false)
}
