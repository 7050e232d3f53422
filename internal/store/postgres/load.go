package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	begin    = `BEGIN ISOLATION LEVEL READ COMMITTED`
	takeLock = `SELECT pg_advisory_xact_lock($1)`
	commit   = `COMMIT`

	// The id of the transaction is for settle. It is assigned here at the
	// earliest, behind the lock.
	drawBatch = `SELECT pg_current_xact_id()::text, setval('ids', nextval('ids') + $1 - 1) - $1 + 1`

	messageColumns = `m.id, m.conversation_id, m.seq, m.author_id, m.client_id, m.kind, m.text, m.data, m.metadata,
		COALESCE(m.attachment_id, 0), m.signature, m.created_at, m.edited_at, m.retracted_at`
	loadReplays = `SELECT ` + messageColumns + `
		FROM unnest($1::text[], $2::bigint[]) AS k(client_id, author_id)
		JOIN messages m ON m.client_id = k.client_id AND m.author_id = k.author_id`

	loadConversations = `SELECT id, kind, last_seq, last_at, created_at, COALESCE(space_id, 0), overwritten,
			COALESCE(low_id, 0), COALESCE(high_id, 0), COALESCE(initiator, 0), opened_at, established,
			CASE WHEN kind = 3 THEN (SELECT g.name FROM groups g WHERE g.conversation_id = conversations.id) END
		FROM conversations
		WHERE deleted_at IS NULL AND id = ANY(ARRAY(
			SELECT unnest($1::bigint[])
			UNION ALL
			SELECT d.id FROM unnest($2::bigint[], $3::bigint[]) AS p(low, high)
			JOIN conversations d ON d.kind = 2 AND d.low_id = p.low AND d.high_id = p.high))`

	// Those who take part: the accounts that keys name, both sides of the direct
	// conversations and the members of the groups among the conversations named.
	loadAccounts = `SELECT id, kind, made_by, username, handle, display_name, state, disabled, pause, guarded, contacts_only,
			muting, hooks
		FROM accounts
		WHERE id = ANY(ARRAY(
			SELECT unnest($1::bigint[])
			UNION ALL
			SELECT s.id FROM conversations c CROSS JOIN LATERAL (VALUES (c.low_id), (c.high_id)) AS s(id)
			WHERE c.id = ANY($2::bigint[]) AND c.kind = 2 AND c.deleted_at IS NULL
			UNION ALL
			SELECT m.account_id FROM conversations c JOIN members m ON m.conversation_id = c.id
			WHERE c.id = ANY($2::bigint[]) AND c.kind = 3 AND c.deleted_at IS NULL AND m.left_at IS NULL))`

	// Blocks and contacts between the sides of pairs named and of direct
	// conversations named, in both directions.
	loadEdges = `WITH pairs AS (
			SELECT low, high FROM unnest($1::bigint[], $2::bigint[]) AS p(low, high)
			UNION
			SELECT low_id, high_id FROM conversations
			WHERE id = ANY($3::bigint[]) AND kind = 2 AND deleted_at IS NULL
		), edges AS (
			SELECT low AS owner, high AS target FROM pairs UNION ALL SELECT high, low FROM pairs
		)
		SELECT TRUE, b.owner_id, b.target_id FROM edges e
		JOIN blocks b ON b.owner_id = e.owner AND b.target_id = e.target
		UNION ALL
		SELECT FALSE, c.owner_id, c.target_id FROM edges e
		JOIN contacts c ON c.owner_id = e.owner AND c.target_id = e.target`

	loadMembers = `SELECT m.conversation_id, m.account_id
		FROM conversations c JOIN members m ON m.conversation_id = c.id
		WHERE c.id = ANY($1::bigint[]) AND c.kind = 3 AND c.deleted_at IS NULL AND m.left_at IS NULL
		ORDER BY m.conversation_id, m.ord`

	// Seats are pairs of a conversation named and an author.
	seats = `FROM unnest($1::bigint[], $2::bigint[]) AS s(conversation_id, account_id)
		JOIN conversations c ON c.id = s.conversation_id AND c.deleted_at IS NULL
		JOIN space_members m ON m.space_id = c.space_id AND m.account_id = s.account_id`
	loadGrants = `SELECT c.id, m.account_id, m.grants ` + seats
	loadHeld   = `SELECT c.id, m.account_id, h.id ` + seats + ` CROSS JOIN LATERAL (
			SELECT archetype_id AS id FROM held_archetypes
			WHERE space_id = m.space_id AND account_id = m.account_id
			UNION ALL
			SELECT id FROM archetypes WHERE space_id = m.space_id AND is_default) AS h
		WHERE c.overwritten`
	loadOverwrites = `SELECT o.conversation_id, o.holder_kind, o.holder_id, o.allow, o.deny
		FROM conversations c JOIN overwrites o ON o.conversation_id = c.id
		WHERE c.id = ANY($1::bigint[]) AND c.overwritten AND c.deleted_at IS NULL`

	loadAttachments = `SELECT id, uploader_id, COALESCE(conversation_id, 0), COALESCE(peer_id, 0), filename
		FROM attachments WHERE id = ANY($1::bigint[])`

	countPending = `SELECT r.id, (SELECT count(*) FROM (SELECT 1 FROM envelopes
			WHERE recipient_id = r.id AND state = 0 AND NOT hidden LIMIT $2) AS e)
		FROM unnest($1::bigint[]) AS r(id)`
	countCold = `SELECT a.id, n.count, n.oldest FROM unnest($1::bigint[]) AS a(id)
		CROSS JOIN LATERAL (SELECT count(*) AS count, min(c.opened_at) AS oldest FROM conversations c
			JOIN accounts p ON p.id = c.low_id + c.high_id - c.initiator AND p.guarded
			WHERE c.kind = 2 AND NOT c.established AND c.initiator = a.id AND c.opened_at >= $2) AS n`
	listMutes = `SELECT owner_id, kind, target_id, until_at, created_at FROM mutes WHERE owner_id = ANY($1::bigint[])`
	listKeys  = `SELECT id, public_key FROM accounts WHERE id = ANY($1::bigint[]) AND public_key <> ''`
	listHooks = `SELECT id, account_id, surface, events FROM hooks WHERE account_id = ANY($1::bigint[]) AND NOT deleted
		ORDER BY account_id, id`
)

// loader loads the facts of one batch. It holds what its keys name, each once.
type loader struct {
	facts       *store.SendFacts
	transaction string // the server's id of it

	ids      int64 // how many are drawn
	named    []int64
	accounts []int64
	attached []int64
	pairs    pairs // low and high
	seats    pairs // conversation and author
	replays  []store.ReplayKey
}

// pairs are two columns of a list.
type pairs struct{ a, b []int64 }

func newLoader(keys []store.SendKey) *loader {
	n := len(keys)
	l := &loader{
		ids:   int64(max(1, n) * store.SendIDs),
		facts: store.NewSendFacts(n),
	}
	named, accounts := make(map[int64]bool, n), make(map[int64]bool, 2*n)
	directs, held := make(map[[2]int64]bool, n), make(map[[2]int64]bool, n)
	for i := range keys {
		k := &keys[i]
		author := int64(k.Author)
		l.accounts = once(accounts, l.accounts, author)
		if k.ClientID != "" {
			l.replays = append(l.replays, store.ReplayKey{Author: k.Author, ClientID: k.ClientID})
		}
		if k.Attachment != 0 {
			l.attached = append(l.attached, int64(k.Attachment))
		}
		if k.Conversation != 0 {
			l.named = once(named, l.named, int64(k.Conversation))
			l.seats.once(held, int64(k.Conversation), author)
			continue
		}
		peer := int64(k.Peer)
		l.accounts = once(accounts, l.accounts, peer)
		l.pairs.once(directs, min(author, peer), max(author, peer))
	}
	return l
}

func once(seen map[int64]bool, list []int64, v int64) []int64 {
	if seen[v] {
		return list
	}
	seen[v] = true
	return append(list, v)
}

func (p *pairs) once(seen map[[2]int64]bool, a, b int64) {
	if !seen[[2]int64{a, b}] {
		seen[[2]int64{a, b}] = true
		p.a, p.b = append(p.a, a), append(p.b, b)
	}
}

// load begins the transaction and loads the facts. Statements that have nothing
// to look for are left out; there are never more texts than these to prepare.
func (l *loader) load() *pgx.Batch {
	b := &pgx.Batch{}
	b.Queue(begin)
	b.Queue(takeLock, keyWrite)
	b.Queue(drawBatch, l.ids).QueryRow(func(row pgx.Row) error { return row.Scan(&l.transaction, &l.facts.FirstID) })
	if len(l.replays) > 0 {
		clients, authors := make([]string, len(l.replays)), make([]int64, len(l.replays))
		for i, r := range l.replays {
			clients[i], authors[i] = r.ClientID, int64(r.Author)
		}
		each(b.Queue(loadReplays, clients, authors), l.replay)
	}
	if len(l.named)+len(l.pairs.a) > 0 {
		each(b.Queue(loadConversations, l.named, l.pairs.a, l.pairs.b), l.conversation)
		each(b.Queue(loadAccounts, l.accounts, l.named), l.account)
		each(b.Queue(loadEdges, l.pairs.a, l.pairs.b, l.named), l.edge)
	}
	if len(l.attached) > 0 {
		l.facts.Attachments = make(map[chat.AttachmentID]*chat.Attachment, len(l.attached))
		each(b.Queue(loadAttachments, l.attached), l.attachment)
	}
	if len(l.named) > 0 {
		each(b.Queue(loadMembers, l.named), l.member)
		each(b.Queue(loadGrants, l.seats.a, l.seats.b), l.grant)
		each(b.Queue(loadOverwrites, l.named), l.overwrite)
		each(b.Queue(loadHeld, l.seats.a, l.seats.b), l.held)
	}
	return b
}

// answer answers questions. What counts nothing is answered with zero.
func (l *loader) answer(q store.Questions) *pgx.Batch {
	b := &pgx.Batch{}
	if len(q.Pending) > 0 {
		each(b.Queue(countPending, numbers(q.Pending), store.PendingLimit), l.pending)
	}
	if len(q.Cold) > 0 {
		each(b.Queue(countCold, numbers(q.Cold), ceilMillis(q.ColdSince)), l.cold)
	}
	if len(q.Mutes) > 0 {
		each(b.Queue(listMutes, numbers(q.Mutes)), l.mute)
	}
	if len(q.Keys) > 0 {
		each(b.Queue(listKeys, numbers(q.Keys)), l.key)
	}
	if len(q.Hooks) > 0 {
		each(b.Queue(listHooks, numbers(q.Hooks)), l.hook)
	}
	return b
}

func numbers(ids []chat.AccountID) []int64 {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	return list
}

// ceilMillis is the first stored time that is not before t.
func ceilMillis(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}
