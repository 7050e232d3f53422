package server

import (
	"log/slog"
	"testing"

	"parley/internal/chat"
	"parley/internal/config"
	"parley/internal/core"
	"parley/internal/hub"
)

var _ hub.Refill = refill{}

// The hub asks these questions when somebody connects or when events were lost.
func TestRefill(t *testing.T) {
	t.Parallel()
	place := config.Default().Place
	place.Data = t.TempDir()
	b, err := OpenBackend(t.Context(), BackendConfig{Place: place, Log: slog.New(slog.DiscardHandler), Purpose: "test", Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	ctx, f := t.Context(), refill{b.store}
	account := func(name string) chat.AccountID {
		a, err := b.Core.AddAccount(ctx, chat.KindAgent, core.Registration{
			Username: name, Address: name + "@example.org", Password: "correct horse",
		})
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	ada, grace := account("ada"), account("grace")
	key, token, err := b.Core.IssueKey(ctx, ada, "laptop")
	if err != nil {
		t.Fatal(err)
	}
	admitted, err := b.Core.Admit(ctx, core.Knock{Surface: chat.SurfaceOpenCord, Bucket: "x", Token: token})
	if err != nil || admitted.Denied != nil {
		t.Fatal(err, admitted.Denied)
	}
	space, err := b.Core.CreateSpace(ctx, core.Call{Actor: admitted.Actor, Surface: chat.SurfaceOpenCord}, core.NewSpace{Name: "Den"})
	if err != nil {
		t.Fatal(err)
	}

	if ids, err := f.SpacesOf(ctx, ada); err != nil || len(ids) != 1 || ids[0] != space.ID {
		t.Errorf("SpacesOf = %v, %v, want %v", ids, err, space.ID)
	}
	last, err := f.LastPosition(ctx)
	if err != nil {
		t.Fatal(err)
	}
	events, err := f.Changes(ctx, 0, 100)
	if err != nil || len(events) == 0 || events[len(events)-1].Position > last {
		t.Errorf("Changes = %v, %v, want some, up to %d", events, err, last)
	}
	listen := func(name string, account chat.AccountID, credential chat.CredentialID, want bool) {
		t.Helper()
		if got, err := f.MayListen(ctx, account, credential); err != nil || got != want {
			t.Errorf("%s: MayListen = %v, %v, want %v", name, got, err, want)
		}
	}
	listen("its key", ada, key.ID, true)
	listen("no key in particular", grace, 0, true)
	listen("somebody else's key", grace, key.ID, false)
	listen("nobody", 1<<40, 0, false)
	if _, err := b.Core.Suspend(ctx, ada, true); err != nil {
		t.Fatal(err)
	}
	listen("suspended", ada, key.ID, false)
	if _, err := b.Core.Suspend(ctx, ada, false); err != nil {
		t.Fatal(err)
	}
	if err := b.Core.EndKey(ctx, ada, key.ID); err != nil {
		t.Fatal(err)
	}
	listen("revoked", ada, key.ID, false)
}
