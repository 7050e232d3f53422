package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// Each table is written by one statement, whatever the number of rows.
const (
	insertDirects = `INSERT INTO conversations (id, kind, last_seq, last_at, overwritten, low_id, high_id,
			initiator, opened_at, established, created_at)
		SELECT id, 2, last_seq, last_at, FALSE, low, high, NULLIF(initiator, 0), opened_at, established, created_at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::boolean[], $9::bigint[])
			AS c(id, last_seq, last_at, low, high, initiator, opened_at, established, created_at)`
	insertSides = `INSERT INTO members (conversation_id, account_id, ord, role, joined_seq, joined_at)
		SELECT c.id, s.id, s.ord, 1, 1, c.created_at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS c(id, low, high, created_at)
		CROSS JOIN LATERAL (VALUES (1, c.low), (2, c.high)) AS s(ord, id)`
	moveConversations = `UPDATE conversations AS c
		SET last_seq = m.last_seq, last_at = m.last_at, initiator = NULLIF(m.initiator, 0), opened_at = m.opened_at,
			established = m.established
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::boolean[])
			AS m(id, last_seq, last_at, initiator, opened_at, established)
		WHERE c.id = m.id`
	insertMessages = `INSERT INTO messages
			(id, conversation_id, seq, author_id, client_id, kind, text, data, metadata, attachment_id, created_at)
		SELECT id, conversation_id, seq, author_id, NULLIF(client_id, ''), kind, text, NULLIF(data, ''),
			NULLIF(metadata, ''), NULLIF(attachment_id, 0), created_at
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[], $7::text[],
			$8::text[], $9::text[], $10::bigint[], $11::bigint[])
			AS m(id, conversation_id, seq, author_id, client_id, kind, text, data, metadata, attachment_id, created_at)`
	signMessages = `UPDATE messages AS m SET signature = s.signature
		FROM unnest($1::bigint[], $2::text[]) AS s(id, signature) WHERE m.id = s.id`
	insertEnvelopes = `INSERT INTO envelopes (message_id, recipient_id, conversation_id, seq, state, hidden)
		SELECT message_id, recipient_id, conversation_id, seq, state, FALSE
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[])
			AS e(message_id, recipient_id, conversation_id, seq, state)`
	insertContacts = `INSERT INTO contacts (owner_id, target_id, created_at)
		SELECT owner_id, target_id, $3 FROM unnest($1::bigint[], $2::bigint[]) AS c(owner_id, target_id)
		ON CONFLICT (owner_id, target_id) DO NOTHING`
	// Drawn here, behind the lock: nobody asks for the ids of deliveries.
	insertDeliveries = `INSERT INTO deliveries
			(id, hook_id, account_id, source, kind, event, attempts, next_at, created_at, last_error)
		SELECT nextval('ids'), hook_id, account_id, source, kind, event, 0, next_at, created_at, ''
		FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
			AS d(hook_id, account_id, source, kind, event, next_at, created_at)
		ON CONFLICT (hook_id, source) DO NOTHING`
	readyHooks = `UPDATE hooks SET ready_at = GREATEST(held_until, d.next_at)
		FROM (SELECT hook_id, min(next_at) AS next_at FROM unnest($1::bigint[], $2::bigint[]) AS u(hook_id, next_at)
			GROUP BY hook_id) d
		WHERE hooks.id = d.hook_id AND (hooks.ready_at IS NULL OR hooks.ready_at > d.next_at)`
	insertEvents = `INSERT INTO events (id, kind, created_at, payload)
		SELECT id, kind, created_at, payload
		FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[]) AS e(id, kind, created_at, payload)`
)

// write is the pipeline that stores w and commits.
func write(w *store.Writes) (*pgx.Batch, error) {
	b := &pgx.Batch{}
	if len(w.Directs) > 0 {
		queueDirects(b, w.Directs)
	}
	if len(w.Moved) > 0 {
		c := conversationColumns(w.Moved)
		b.Queue(moveConversations, c.ids, c.lastSeq, c.lastAt, c.initiator, c.openedAt, c.established)
	}
	if len(w.Messages) > 0 {
		queueMessages(b, w.Messages)
		if err := queueSignatures(b, w.Messages); err != nil {
			return nil, err
		}
	}
	if len(w.Envelopes) > 0 {
		queueEnvelopes(b, w.Envelopes)
	}
	if len(w.Contacts) > 0 {
		var p pairs
		for _, e := range w.Contacts {
			p.a, p.b = append(p.a, int64(e.Owner)), append(p.b, int64(e.Target))
		}
		b.Queue(insertContacts, p.a, p.b, w.At.UnixMilli())
	}
	if len(w.Events) > 0 {
		if err := queueEvents(b, w.Events); err != nil {
			return nil, err
		}
	}
	if len(w.Deliveries) > 0 {
		if err := queueDeliveries(b, w.Deliveries); err != nil {
			return nil, err
		}
	}
	b.Queue(commit)
	return b, nil
}

// columns of conversations.
type columns struct {
	ids, lastSeq, low, high, initiator, createdAt []int64
	lastAt, openedAt                              []*int64
	established                                   []bool
}

func conversationColumns(list []*chat.Conversation) (c columns) {
	for _, v := range list {
		c.ids = append(c.ids, int64(v.ID))
		c.lastSeq = append(c.lastSeq, v.LastSeq)
		c.low = append(c.low, int64(v.Low))
		c.high = append(c.high, int64(v.High))
		c.initiator = append(c.initiator, int64(v.Initiator))
		c.createdAt = append(c.createdAt, v.CreatedAt.UnixMilli())
		c.lastAt = append(c.lastAt, millis(v.LastAt))
		c.openedAt = append(c.openedAt, millis(v.OpenedAt))
		c.established = append(c.established, v.Established)
	}
	return c
}

func queueDirects(b *pgx.Batch, list []*chat.Conversation) {
	c := conversationColumns(list)
	b.Queue(insertDirects, c.ids, c.lastSeq, c.lastAt, c.low, c.high, c.initiator, c.openedAt, c.established, c.createdAt)
	b.Queue(insertSides, c.ids, c.low, c.high, c.createdAt)
}

func queueMessages(b *pgx.Batch, list []*chat.Message) {
	n := len(list)
	ids, conversations, seqs, authors := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	clients, texts, data, metadata := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	kinds, attachments, created := make([]int16, n), make([]int64, n), make([]int64, n)
	for i, m := range list {
		ids[i], conversations[i], seqs[i], authors[i] = int64(m.ID), int64(m.Conversation), m.Seq, int64(m.Author)
		clients[i], texts[i], data[i], metadata[i] = m.ClientID, m.Text, string(m.Data), string(m.Metadata)
		kinds[i], attachments[i], created[i] = int16(m.Kind), int64(m.Attachment), m.CreatedAt.UnixMilli()
	}
	b.Queue(insertMessages, ids, conversations, seqs, authors, clients, kinds, texts, data, metadata, attachments, created)
}

// queueSignatures stores the signatures of those messages that have one.
func queueSignatures(b *pgx.Batch, list []*chat.Message) error {
	var ids []int64
	var signatures []string
	for _, m := range list {
		if m.Signature == nil {
			continue
		}
		encoded, err := sqlstore.EncodeSignature(m.Signature)
		if err != nil {
			return err
		}
		ids, signatures = append(ids, int64(m.ID)), append(signatures, encoded)
	}
	if len(ids) > 0 {
		b.Queue(signMessages, ids, signatures)
	}
	return nil
}

func queueEnvelopes(b *pgx.Batch, list []chat.Envelope) {
	n := len(list)
	messages, recipients, conversations, seqs := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	states := make([]int16, n)
	for i := range list {
		e := &list[i]
		messages[i], recipients[i], conversations[i] = int64(e.Message), int64(e.Recipient), int64(e.Conversation)
		seqs[i], states[i] = e.Seq, int16(e.State)
	}
	b.Queue(insertEnvelopes, messages, recipients, conversations, seqs, states)
}

func queueEvents(b *pgx.Batch, list []chat.Event) error {
	n := len(list)
	ids, created := make([]int64, n), make([]int64, n)
	kinds, payloads := make([]string, n), make([]string, n)
	for i := range list {
		e := &list[i]
		payload, err := sqlstore.EncodeEvent(e)
		if err != nil {
			return err
		}
		ids[i], kinds[i], created[i], payloads[i] = int64(e.Position), string(e.Kind), e.At.UnixMilli(), payload
	}
	b.Queue(insertEvents, ids, kinds, created, payloads)
	return nil
}

// queueDeliveries queues events, which have positions, for hooks.
func queueDeliveries(b *pgx.Batch, list []chat.Delivery) error {
	n := len(list)
	hooks, accounts, sources := make([]int64, n), make([]int64, n), make([]int64, n)
	kinds, events := make([]string, n), make([]string, n)
	next, created := make([]int64, n), make([]int64, n)
	for i := range list {
		d := &list[i]
		event, source, err := sqlstore.EncodeDelivery(d, 0)
		if err != nil {
			return err
		}
		hooks[i], accounts[i], sources[i] = int64(d.Hook), int64(d.Account), source
		kinds[i], events[i] = string(d.Event.Kind), event
		next[i], created[i] = d.NextAt.UnixMilli(), d.CreatedAt.UnixMilli()
	}
	b.Queue(insertDeliveries, hooks, accounts, sources, kinds, events, next, created)
	b.Queue(readyHooks, hooks, next)
	return nil
}

// millis is the stored form of a time; the zero time is none.
func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
