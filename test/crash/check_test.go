package crash_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/client"
	"parley/internal/chat"
	"parley/internal/id"
	"parley/internal/store"
)

// check reads everything over the wire, as every member sees it: what was answered
// is there, once, in its place; nothing else is, but what was on its way when the
// server was killed; and times rise.
func (w *world) check(t *testing.T, when string) {
	t.Helper()
	there := make(map[string]bool)
	w.unanswered = 0
	for _, p := range w.places {
		for n, agent := range p.members {
			var last time.Time
			for m, err := range w.history(t.Context(), agent, p) {
				if err != nil {
					t.Fatalf("%s: read %s: %v", when, p.name, err)
				}
				if !last.IsZero() && !m.CreatedAt.Before(last) {
					t.Errorf("%s: %s: %q is of %v, the message after it of %v", when, p.name, m.Content, m.CreatedAt, last)
				}
				last = m.CreatedAt
				if n > 0 {
					continue // the first member has looked at each
				}
				if there[m.Content] {
					t.Errorf("%s: %s: %q is there twice", when, p.name, m.Content)
				}
				there[m.Content] = true
				w.known(t, when, p, m)
			}
		}
	}
	for content, s := range w.answered {
		if !there[content] {
			t.Errorf("%s: %s: %q (%s) was answered and is lost", when, s.place.name, content, s.id)
		}
	}
}

// known checks that a message is one that was sent, at the place where it was sent.
func (w *world) known(t *testing.T, when string, p *place, m client.Message) {
	t.Helper()
	if s, ok := w.answered[m.Content]; ok {
		if s.id != m.ID || s.place != p {
			t.Errorf("%s: %q: got %s in %s, want %s in %s", when, m.Content, m.ID, p.name, s.id, s.place.name)
		}
		return
	}
	if w.unknown[m.Content] != p {
		t.Errorf("%s: %s: %q was never sent there", when, p.name, m.Content)
	}
	w.unanswered++
}

func (w *world) history(ctx context.Context, agent int, p *place) func(func(client.Message, error) bool) {
	page := client.Page{Limit: 100}
	if p.dm != "" {
		return w.clients[agent].DMHistory(ctx, p.dm, page)
	}
	return w.clients[agent].History(ctx, p.channel, page)
}

// checkStore looks at what the wire does not show: sequence numbers, and the
// envelopes of conversations.
func (w *world) checkStore(t *testing.T, s store.Store) error {
	t.Helper()
	key, err := s.IDKey(t.Context())
	if err != nil {
		return fmt.Errorf("read the key of ids: %w", err)
	}
	codec, err := id.NewCodec(key)
	if err != nil {
		return err
	}
	return s.View(t.Context(), func(ctx context.Context, r store.Reader) error {
		waiting := make(map[chat.AccountID]int) // messages to each account
		for _, p := range w.places {
			conv, err := r.Conversation(ctx, chat.ConversationID(opened(t, codec, id.KindConversation, string(p.channel)+string(p.dm))))
			if err != nil {
				return fmt.Errorf("read %s: %w", p.name, err)
			}
			list, err := checkNumbers(ctx, t, r, conv, p.name)
			if err != nil {
				return err
			}
			if conv.Kind == chat.ConversationDirect {
				for _, m := range list {
					waiting[conv.Peer(m.Author)]++
				}
			}
		}
		for agent, user := range w.users {
			account := chat.AccountID(opened(t, codec, id.KindAccount, string(user)))
			if err := checkEnvelopes(ctx, t, r, agent, account, waiting[account]); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkNumbers checks that a conversation is numbered from 1 without a gap, in the
// order of ids and times, and returns its messages.
func checkNumbers(ctx context.Context, t *testing.T, r store.Reader, conv *chat.Conversation, name string) ([]chat.Message, error) {
	t.Helper()
	const page = 1000
	var list []chat.Message // newest first
	for q := (store.HistoryQuery{Conversation: conv.ID, Limit: page}); ; {
		got, err := r.History(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", name, err)
		}
		list = append(list, got...)
		if len(got) < page {
			break
		}
		q.Before = got[len(got)-1].CreatedAt
	}
	if int64(len(list)) != conv.LastSeq {
		t.Errorf("%s: got %d messages, want %d, the last number", name, len(list), conv.LastSeq)
	}
	for i, m := range list {
		if want := conv.LastSeq - int64(i); m.Seq != want {
			t.Errorf("%s: %q: got number %d, want %d", name, m.Text, m.Seq, want)
		}
		if i > 0 && (m.ID >= list[i-1].ID || !m.CreatedAt.Before(list[i-1].CreatedAt)) {
			t.Errorf("%s: number %d (id %d, %v) is not before number %d (id %d, %v)", name,
				m.Seq, m.ID, m.CreatedAt, list[i-1].Seq, list[i-1].ID, list[i-1].CreatedAt)
		}
	}
	if len(list) > 0 && !conv.LastAt.Equal(list[0].CreatedAt) {
		t.Errorf("%s: last activity: got %v, want %v", name, conv.LastAt, list[0].CreatedAt)
	}
	return list, nil
}

// checkEnvelopes checks that each message to an account waits for it once: nobody
// has acknowledged any.
func checkEnvelopes(ctx context.Context, t *testing.T, r store.Reader, agent int, account chat.AccountID, want int) error {
	t.Helper()
	const page = 1000
	seen := make(map[chat.MessageID]bool)
	for after := chat.MessageID(0); ; {
		got, err := r.Pending(ctx, account, after, page)
		if err != nil {
			return fmt.Errorf("read the envelopes of agent %d: %w", agent, err)
		}
		for _, m := range got {
			if seen[m.ID] {
				t.Errorf("agent %d: message %d waits twice", agent, m.ID)
			}
			seen[m.ID] = true
			after = m.ID
		}
		if len(got) < page {
			break
		}
	}
	if len(seen) != want {
		t.Errorf("agent %d: got %d messages waiting, want %d", agent, len(seen), want)
	}
	return nil
}

// opened turns a public id into that of the store.
func opened(t *testing.T, codec *id.Codec, kind id.Kind, text string) int64 {
	t.Helper()
	u, ok := id.ParseUUID(text)
	if ok {
		if n, ok := codec.Open(kind, u); ok {
			return n
		}
	}
	t.Fatalf("%s is no id of this database", text)
	return 0
}
