package storetest

import (
	"context"
	"strings"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// secondSchema fills a database of the second schema with what the third changes:
// accounts, an edited message with its revision, a member who left, a report, and a
// webhook with a delivery. An @ stands for the digits that put the ids far above those
// that the store will draw.
func secondSchema() []string {
	return []string{
		`INSERT INTO accounts (id, kind, made_by, username, name_key, handle, display_name, description, password_hash,
		state, disabled, pause, guarded, contacts_only, status, status_text, status_chosen, created_at, updated_at, hooks)
		VALUES (@01, 2, 3, 'old', 'old', 'old', 'Old', '', '', 1, FALSE, 0, TRUE, FALSE, 0, '', FALSE, 1000, 2000, 1),
		(@02, 2, 3, 'off', 'off', 'off', 'Off', '', '', 1, TRUE, 0, FALSE, FALSE, 0, '', FALSE, 1000, 2000, 0),
		(@03, 1, 2, 'human', 'human', 'human', '', '', '', 1, FALSE, 0, FALSE, FALSE, 0, '', FALSE, 500, 500, 0)`,
		`INSERT INTO conversations (id, kind, last_seq, last_at, overwritten, low_id, high_id, initiator, opened_at, established, created_at)
		VALUES (@10, 2, 1, 3000, FALSE, @01, @03, @01, 3000, FALSE, 3000),
		(@11, 3, 0, NULL, FALSE, NULL, NULL, NULL, NULL, FALSE, 3000)`,
		`INSERT INTO groups (conversation_id, made_by, name, description, avatar, avatar_url, created_by, by_invitation, from_start, created_at)
		VALUES (@11, 3, 'crew', '', '', '', @03, TRUE, FALSE, 3000)`,
		`INSERT INTO members (conversation_id, account_id, ord, role, joined_seq, joined_at, left_at, left_seq)
		VALUES (@10, @01, 1, 1, 1, 3000, NULL, NULL), (@10, @03, 2, 1, 1, 3000, NULL, NULL),
		(@11, @03, 1, 2, 1, 3000, 4000, 1), (@11, @01, 2, 2, 1, 3000, NULL, NULL)`,
		`INSERT INTO messages (id, conversation_id, seq, author_id, client_id, kind, text, created_at, edited_at)
		VALUES (@20, @10, 1, @01, 'c-1', 1, 'new', 3000, 3500)`,
		`INSERT INTO revisions (message_id, n, text, replaced_at) VALUES (@20, 1, 'old', 3500)`,
		`INSERT INTO reports (id, reporter_id, target_id, reason, evidence, created_at) VALUES (@25, @03, @01, 'spam',
		'[{"message":{"id":1,"conversation":2,"seq":3,"author":4,"kind":1,"text":"x","created_at":"2026-11-21T12:00:00Z"},"earlier":[{"text":"y","replaced_at":"2026-11-21T12:00:00Z"}]}]',
		3600)`,
		`INSERT INTO hooks (id, account_id, surface, url, events, secret, created_at, ready_at)
		VALUES (@30, @01, 3, 'https://old.example/', 1, $1, 3200, 3300)`,
		`INSERT INTO deliveries (id, hook_id, account_id, source, kind, event, attempts, next_at, created_at, last_error)
		VALUES (@31, @30, @01, @20, 'message.created',
		'{"message":{"id":7,"conversation":2,"seq":3,"author":4,"kind":1,"text":"x"},"by":{"id":4,"kind":2,"state":1,"presence":{}},"position":7}',
		0, 3300, 3300, '')`,
	}
}

// What a database of the second schema holds is there in the newest one, with what
// the third adds empty: nothing is signed, nobody was removed, and a webhook was last
// set when it was made.
func testSecondSchema(f *fixture) {
	const base = 1_000_000_000_000
	if err := f.database.Migrate(f.t.Context(), 2); err != nil {
		f.t.Fatalf("make a database of the second schema: %v", err)
	}
	for _, statement := range secondSchema() {
		statement = strings.ReplaceAll(statement, "@", "10000000000")
		var args []any
		if strings.Contains(statement, "$1") {
			args = append(args, []byte{0, 1}) // the two write no bytes alike
		}
		if _, err := f.db().ExecContext(f.t.Context(), statement, args...); err != nil {
			f.t.Fatalf("%s: %v", statement, err)
		}
	}
	f.start()
	ms := func(n int64) time.Time { return time.UnixMilli(n).UTC() }

	old := &chat.Account{
		ID: base + 1, Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: "old", NameKey: "old", Handle: "old",
		DisplayName: "Old", State: chat.StateActive, Guarded: true, Hooks: chat.HookMessageCreated, CreatedAt: ms(1000), UpdatedAt: ms(2000),
	}
	human := query(f, func(ctx context.Context, r store.Reader) (*chat.Account, error) { return r.Account(ctx, base+3) })
	f.same("agents", query(f, func(ctx context.Context, r store.Reader) ([]*chat.Account, error) {
		list, _, err := r.Agents(ctx, 0, 0, 10)
		return list, err
	}), []*chat.Account{old})
	message := &chat.Message{
		ID: base + 20, Conversation: base + 10, Seq: 1, Author: old.ID, ClientID: "c-1", Kind: chat.MessageText, Text: "new",
		CreatedAt: ms(3000), EditedAt: ms(3500),
	}
	f.same("message", f.message(message.ID), message)
	f.same("replay", f.facts(store.SendKey{Author: old.ID, Peer: human.ID, ClientID: "c-1"}).Replays[store.ReplayKey{
		Author: old.ID, ClientID: "c-1",
	}], message)
	f.same("revision", query(f, func(ctx context.Context, r store.Reader) ([]store.Evidence, error) {
		return r.Evidence(ctx, edge(old, human), 1)
	}), []store.Evidence{{Message: *message, Earlier: []store.Revision{{Text: "old", ReplacedAt: ms(3500)}}}})
	report := query(f, func(ctx context.Context, r store.Reader) (*store.Report, error) {
		return r.Report(ctx, edge(human, old))
	})
	f.same("evidence of a report", report.Evidence, []store.Evidence{{
		Message: chat.Message{ID: 1, Conversation: 2, Seq: 3, Author: 4, Kind: chat.MessageText, Text: "x", CreatedAt: epoch},
		Earlier: []store.Revision{{Text: "y", ReplacedAt: epoch}},
	}})
	f.same("who left", f.member(base+11, human), &chat.Member{
		Conversation: base + 11, Account: human.ID, Role: chat.RoleAdmin, JoinedSeq: 1, JoinedAt: ms(3000), LeftSeq: 1, LeftAt: ms(4000),
	})
	hook := chat.Hook{
		ID: base + 30, Account: old.ID, Surface: chat.SurfaceAgentChat, URL: "https://old.example/", Events: chat.HookMessageCreated,
		Secret: []byte{0, 1}, CreatedAt: ms(3200), UpdatedAt: ms(3200),
	}
	f.same("what is queued", f.claim(ms(3300), 1, 1), []chat.HookWork{{Hook: hook, Deliveries: []chat.Delivery{{
		ID: base + 31, Hook: hook.ID, Account: old.ID, NextAt: ms(3300), CreatedAt: ms(3300),
		Event: chat.Event{
			Kind: chat.EventMessageCreated, Position: 7,
			Message: &chat.Message{ID: 7, Conversation: 2, Seq: 3, Author: 4, Kind: chat.MessageText, Text: "x"},
			By:      &chat.Profile{ID: 4, Kind: chat.KindAgent, State: chat.StateActive},
		},
	}}}})

	// And it goes on from there.
	old.PublicKey = "key"
	f.update(func(ctx context.Context, tx store.Tx) error {
		if err := tx.UpdateAccount(ctx, old); err != nil {
			return err
		}
		return tx.EndMember(ctx, chat.Member{Conversation: base + 11, Account: old.ID, LeftSeq: 1, LeftAt: ms(5000), Removed: true})
	})
	f.same("who was removed", f.member(base+11, old).Removed, true)
	signed := f.text(store.SendKey{Author: old.ID, Conversation: base + 10}, "signed")
	signed.message.Signature = signature()
	f.same("signed message", f.message(f.deliver(f.store, signed).ID).Signature, signature())
}
