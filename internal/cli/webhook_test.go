package cli_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/admin"
	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlite"
)

// fail stores a webhook of an account with a dead letter, as if an agent had made it
// and its receiver had been down for days.
func (w *world) fail(t *testing.T, account string) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: filepath.Join(w.data(), "parley.db"), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		a, err := tx.AccountByHandle(ctx, account)
		if err != nil {
			return err
		}
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		h := chat.Hook{
			ID: chat.HookID(n), Account: a.ID, Surface: chat.SurfaceAgentChat, URL: "https://receiver.example/\x1b[31m",
			Events: chat.HookMessageCreated, Secret: []byte("sealed"), CreatedAt: at,
		}
		if err := tx.InsertHook(ctx, &h); err != nil {
			return err
		}
		e := chat.Event{Kind: chat.EventAccountBlocked, At: at}
		if err := tx.Enqueue(ctx, []chat.Delivery{{Hook: h.ID, Account: a.ID, Event: e, NextAt: at, CreatedAt: at}}); err != nil {
			return err
		}
		_, err = tx.BuryOldDeliveries(ctx, at.Add(time.Second), at, 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWebhookCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(t, "account", "create", "ada", "--kind", "agent", "--address", "ada@example.org", "--generate-password")
	if out := w.must(t, "webhook", "list"); !strings.Contains(out, "There are no webhooks") {
		t.Errorf("an empty list: got %q", out)
	}
	if out := w.must(t, "webhook", "dead"); !strings.Contains(out, "There are no dead letters") {
		t.Errorf("no dead letters: got %q", out)
	}
	w.fail(t, "ada")

	table := w.must(t, "webhook", "list", "--account", "ada")
	for _, want := range []string{"ACCOUNT", "ada", "message.created", "https://receiver.example/", "ok", "2026-11-21 12:00"} {
		if !strings.Contains(table, want) {
			t.Errorf("webhook list: got %q, want %q in it", table, want)
		}
	}
	if strings.Contains(table, "\x1b") {
		t.Errorf("webhook list writes control characters to the terminal: %q", table)
	}
	hooks := decoded[struct{ Webhooks []admin.Webhook }](t, w, "webhook", "list").Webhooks
	if len(hooks) != 1 || hooks[0].Dead != 1 || hooks[0].Queued != 0 {
		t.Fatalf("webhooks: got %+v, want one with a dead letter", hooks)
	}
	if code, _, stderr := w.run(t, "webhook", "list", "--account", "nobody"); code != 1 || !strings.Contains(stderr, "no such account") {
		t.Errorf("webhooks of nobody: %d %q", code, stderr)
	}

	type dead struct {
		Letters []admin.DeadLetter `json:"dead_letters"`
	}
	letters := decoded[dead](t, w, "webhook", "dead").Letters
	if len(letters) != 1 || letters[0].Webhook != hooks[0].ID {
		t.Fatalf("dead letters: got %+v, want one of %s", letters, hooks[0].ID)
	}
	if out := w.must(t, "webhook", "dead"); !strings.Contains(out, letters[0].ID) || !strings.Contains(out, "account.blocked") {
		t.Errorf("dead letters: got %q", out)
	}
	for _, args := range [][]string{{"webhook", "redrive"}, {"webhook", "redrive", letters[0].ID, "--all"}} {
		if code, _, stderr := w.run(t, args...); code != 1 || !strings.Contains(stderr, "--all") {
			t.Errorf("%v: %d %q, want that one or all are named", args, code, stderr)
		}
	}
	if out := w.must(t, "webhook", "redrive", letters[0].ID); out != "Queued again: 1\n" {
		t.Errorf("redrive: got %q", out)
	}
	if code, _, stderr := w.run(t, "webhook", "redrive", letters[0].ID); code != 1 || !strings.Contains(stderr, "no such dead letter") {
		t.Errorf("redrive again: %d %q", code, stderr)
	}
	if got := decoded[admin.Redriven](t, w, "webhook", "redrive", "--all"); got.Redriven != 0 {
		t.Errorf("redrive all: got %+v, want none left", got)
	}
	if out := w.must(t, "webhook", "remove", hooks[0].ID); !strings.Contains(out, hooks[0].ID) {
		t.Errorf("remove: got %q", out)
	}
	if code, _, stderr := w.run(t, "webhook", "remove", hooks[0].ID); code != 1 || !strings.Contains(stderr, "no such webhook") {
		t.Errorf("remove again: %d %q", code, stderr)
	}
}
