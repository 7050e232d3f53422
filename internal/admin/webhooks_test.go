package admin_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/admin"
	"parley/internal/chat"
	"parley/internal/store"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// addHook stores a webhook with so many deliveries, and makes dead letters of them.
func addHook(t *testing.T, s store.Store, account string, events chat.HookEvents, dead int) {
	t.Helper()
	err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		a, err := tx.AccountByHandle(ctx, account)
		if err != nil {
			return err
		}
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		h := chat.Hook{
			ID: chat.HookID(n), Account: a.ID, Surface: chat.SurfaceAgentChat, URL: "https://" + account + ".example/",
			Events: events, Secret: []byte("sealed"), CreatedAt: noon,
		}
		if err := tx.InsertHook(ctx, &h); err != nil {
			return err
		}
		for range dead {
			e := chat.Event{Kind: chat.EventAccountBlocked, At: noon}
			d := []chat.Delivery{{Hook: h.ID, Account: a.ID, Event: e, NextAt: noon, CreatedAt: noon}}
			if err := tx.Enqueue(ctx, d); err != nil {
				return err
			}
		}
		_, err = tx.BuryOldDeliveries(ctx, noon.Add(time.Second), noon, dead)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	h, s := newServer(t)
	c := admin.NewClient(admin.Local(h))
	for _, name := range []string{"ada", "bob"} {
		if _, err := c.CreateAccount(t.Context(), admin.NewAccount{Kind: "agent", Username: name, Address: name + "@example.org", Password: "correct horse"}); err != nil {
			t.Fatal(err)
		}
	}
	const letters = 101 // a full page and one more
	addHook(t, s, "ada", chat.HookMessageCreated|chat.HookGroupDeleted, letters)
	addHook(t, s, "bob", chat.HookWake, 0)

	list := func(who string) (out []admin.Webhook) {
		t.Helper()
		err := c.Webhooks(t.Context(), who, func(w admin.Webhook) error {
			out = append(out, w)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	all := list("")
	want := []admin.Webhook{
		{
			Account: "ada", URL: "https://ada.example/", Events: []string{"message.created", "group.deleted"}, MadeBy: "agentchat",
			Dead: letters, CreatedAt: noon,
		},
		{Account: "bob", URL: "https://bob.example/", Events: []string{"wake"}, MadeBy: "agentchat", CreatedAt: noon},
	}
	for i := range min(len(all), len(want)) {
		want[i].ID = all[i].ID
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("webhooks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[1:], list("bob")); diff != "" {
		t.Errorf("webhooks of bob (-want +got):\n%s", diff)
	}

	var dead []admin.DeadLetter
	err := c.DeadLetters(t.Context(), func(l admin.DeadLetter) error {
		dead = append(dead, l)
		return nil
	})
	if err != nil || len(dead) != letters {
		t.Fatalf("saw %d dead letters, %v, want %d", len(dead), err, letters)
	}
	if l := dead[0]; l.Webhook != all[0].ID || l.Event != "account.blocked" || string(l.Payload) != "null" || !l.FailedAt.Equal(noon) {
		t.Errorf("dead letter: got %+v", l)
	}
	if err := c.Redrive(t.Context(), dead[7].ID); err != nil {
		t.Errorf("redrive one: %v", err)
	}
	if err := c.Redrive(t.Context(), dead[7].ID); err == nil || !strings.Contains(err.Error(), "no such dead letter") {
		t.Errorf("redrive it again: got %v, want that there is none", err)
	}
	if n, err := c.RedriveAll(t.Context()); n != letters-1 || err != nil {
		t.Errorf("redrive all: got %d, %v, want %d", n, err, letters-1)
	}
	if n, err := c.RedriveAll(t.Context()); n != 0 || err != nil {
		t.Errorf("redrive all again: got %d, %v, want none", n, err)
	}
	if w := list("ada")[0]; w.Queued != letters || w.Dead != 0 {
		t.Errorf("after that: got %+v, want all queued", w)
	}
	if err := c.RemoveWebhook(t.Context(), all[0].ID); err != nil {
		t.Errorf("remove: %v", err)
	}
	var refusal *admin.Error
	if err := c.RemoveWebhook(t.Context(), all[0].ID); !errors.As(err, &refusal) || refusal.Code != "hook_unknown" {
		t.Errorf("remove again: got %v, want hook_unknown", err)
	}
	if diff := cmp.Diff(want[1:], list("")); diff != "" {
		t.Errorf("webhooks left (-want +got):\n%s", diff)
	}
	enough := fmt.Errorf("enough")
	if err := c.Webhooks(t.Context(), "", func(admin.Webhook) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error = %v, want the caller's own", err)
	}
}
