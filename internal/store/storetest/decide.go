package storetest

import (
	"context"
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// post is one message that a test sends.
type post struct {
	key     store.SendKey
	message chat.Message // kind, text, data and metadata
	at      time.Time    // the sender's clock
	exact   bool         // keep at, though the conversation's time be the same
}

// outcome is what became of a post: the message it is stored as, now or by an
// earlier send, or nil if its target is not known.
type outcome struct {
	message  *chat.Message
	replayed bool
}

// batch makes posts a batch under the suite's own rules: a known client id is
// answered with its message, an unknown target is refused, everything else is
// numbered and stored. What came of it can be read once Send has returned.
func batch(posts []post) (store.Batch, *[]outcome) {
	var results []outcome
	b := store.Batch{
		Keys: make([]store.SendKey, len(posts)),
		Ask:  func(*store.SendFacts) store.Questions { return store.Questions{} },
		Decide: func(facts *store.SendFacts) store.Writes {
			d := decision{facts: facts}
			results = make([]outcome, len(posts))
			for i := range posts {
				results[i] = d.decide(&posts[i], facts.FirstID+int64(i)*store.SendIDs)
			}
			return d.writes
		},
	}
	for i := range posts {
		b.Keys[i] = posts[i].key
	}
	return b, &results
}

// decision collects the writes of a batch and moves the facts forward.
type decision struct {
	facts  *store.SendFacts
	writes store.Writes
}

func (d *decision) decide(p *post, id int64) outcome {
	replay := store.ReplayKey{Author: p.key.Author, ClientID: p.key.ClientID}
	if m := d.facts.Replays[replay]; m != nil && replay.ClientID != "" {
		return outcome{message: m, replayed: true}
	}
	c := d.target(p, id)
	if c == nil {
		return outcome{}
	}
	at := p.at
	if !p.exact && !at.After(c.LastAt) {
		at = c.LastAt.Add(time.Millisecond)
	}
	m := p.message
	m.ID, m.Conversation, m.Author, m.ClientID = chat.MessageID(id), c.ID, p.key.Author, p.key.ClientID
	m.CreatedAt = at
	d.move(c, &m)
	d.writes.Messages = append(d.writes.Messages, &m)
	if m.ClientID != "" {
		d.facts.Replays[replay] = &m
	}
	for _, recipient := range d.recipients(c, m.Author) {
		d.writes.Envelopes = append(d.writes.Envelopes, chat.Envelope{
			Message: m.ID, Recipient: recipient, Conversation: c.ID, Seq: m.Seq, State: chat.EnvelopeStored,
		})
	}
	return outcome{message: &m}
}

// target finds the conversation of a post; a direct one that is not there is made.
func (d *decision) target(p *post, id int64) *chat.Conversation {
	if p.key.Peer == 0 {
		return d.facts.Conversations[p.key.Conversation]
	}
	low, high := chat.Pair(p.key.Author, p.key.Peer)
	pair := [2]chat.AccountID{low, high}
	if known, ok := d.facts.Directs[pair]; ok {
		return d.facts.Conversations[known]
	}
	if d.facts.Accounts[p.key.Peer] == nil {
		return nil
	}
	c := &chat.Conversation{
		ID: chat.ConversationID(id + 1), Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: p.at,
	}
	d.facts.Conversations[c.ID], d.facts.Directs[pair] = c, c.ID
	d.writes.At = p.at
	d.writes.Directs = append(d.writes.Directs, c)
	d.writes.Events = append(d.writes.Events, chat.Event{
		Position: chat.Position(id + 2), Kind: chat.EventDirectCreated, At: p.at, Actor: p.key.Author,
		Conversation: c.ID, Recipients: []chat.AccountID{low, high},
	})
	return c
}

// move gives m the conversation's next number.
func (d *decision) move(c *chat.Conversation, m *chat.Message) {
	c.LastSeq++
	c.LastAt = m.CreatedAt
	m.Seq = c.LastSeq
	if c.Kind == chat.ConversationDirect {
		if c.Initiator == 0 {
			c.Initiator, c.OpenedAt = m.Author, m.CreatedAt
		}
		c.Established = c.Established || c.Initiator != m.Author
	}
	if !slices.Contains(d.writes.Directs, c) && !slices.Contains(d.writes.Moved, c) {
		d.writes.Moved = append(d.writes.Moved, c)
	}
}

// recipients lists who gets an envelope.
func (d *decision) recipients(c *chat.Conversation, author chat.AccountID) []chat.AccountID {
	switch c.Kind {
	case chat.ConversationDirect:
		return []chat.AccountID{c.Peer(author)}
	case chat.ConversationGroup:
		return slices.DeleteFunc(slices.Clone(d.facts.Members[c.ID]), func(a chat.AccountID) bool { return a == author })
	}
	return nil
}

// send sends posts as one batch.
func send(ctx context.Context, s store.Store, posts ...post) ([]outcome, error) {
	b, results := batch(posts)
	if err := s.Send(ctx, b); err != nil {
		return nil, err
	}
	return *results, nil
}

// text is a post of a text message.
func (f *fixture) text(key store.SendKey, text string) post {
	return post{key: key, message: chat.Message{Kind: chat.MessageText, Text: text}, at: f.now()}
}

// post sends one text message at a time of its own.
func (f *fixture) post(s store.Store, key store.SendKey, text string, at time.Time) *chat.Message {
	f.t.Helper()
	return f.deliver(s, post{key: key, message: chat.Message{Kind: chat.MessageText, Text: text}, at: at})
}

// say sends one text message to a conversation.
func (f *fixture) say(author *chat.Account, to chat.ConversationID, text string) *chat.Message {
	f.t.Helper()
	return f.deliver(f.store, f.text(store.SendKey{Author: author.ID, Conversation: to}, text))
}

// deliver sends one post, which must be stored.
func (f *fixture) deliver(s store.Store, p post) *chat.Message {
	f.t.Helper()
	results, err := send(f.t.Context(), s, p)
	if err != nil {
		f.t.Fatalf("send: %v", err)
	}
	if results[0].message == nil {
		f.t.Fatalf("send to %+v: its target is not known", p.key)
	}
	return results[0].message
}

// facts loads the facts of sends for reading.
func (f *fixture) facts(keys ...store.SendKey) *store.SendFacts {
	f.t.Helper()
	return query(f, func(ctx context.Context, r store.Reader) (*store.SendFacts, error) { return r.SendFacts(ctx, keys) })
}
