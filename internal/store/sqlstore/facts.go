package sqlstore

import (
	"parley/internal/chat"
	"parley/internal/store"
)

const (
	factReplays = `SELECT ` + messageColumns + ` FROM {keys} CROSS JOIN messages m
		WHERE m.client_id = j.key AND m.author_id = j.value`
	factConversations = `SELECT ` + conversationColumns + `,
			CASE WHEN c.kind = 3 THEN (SELECT g.name FROM groups g WHERE g.conversation_id = c.id) END
		FROM {ints} CROSS JOIN conversations c
		WHERE c.id = j.value AND c.deleted_at IS NULL`
	factDirects = `SELECT ` + conversationColumns + ` FROM {pairs} CROSS JOIN conversations c
		WHERE c.kind = 2 AND c.low_id = j.key AND c.high_id = j.value AND c.deleted_at IS NULL`

	// The small fields of an account travel as one number: every column of a row
	// costs as much as the comparison that finds it. See accountFlags.
	factAccountColumns = `a.id, a.username, a.handle, a.display_name,
		a.kind + 256 * a.made_by + 65536 * a.state + 1048576 * a.pause + 16777216 * CAST(a.disabled AS INTEGER)
		+ 33554432 * CAST(a.guarded AS INTEGER) + 67108864 * CAST(a.contacts_only AS INTEGER)
		+ 134217728 * CAST(a.muting AS INTEGER) + 268435456 * a.hooks`
	factAccounts = `SELECT ` + factAccountColumns + ` FROM {ints} CROSS JOIN accounts a WHERE a.id = j.value`
	factMembers  = `SELECT b.conversation_id, b.ord, ` + factAccountColumns + `
		FROM {ints} CROSS JOIN members b CROSS JOIN accounts a
		WHERE b.conversation_id = j.value AND b.left_at IS NULL AND a.id = b.account_id`
	factAttachments = `SELECT a.id, a.uploader_id, a.conversation_id, a.peer_id, a.filename
		FROM {ints} CROSS JOIN attachments a WHERE a.id = j.value`
	factBlocks = `SELECT b.owner_id, b.target_id FROM {pairs} CROSS JOIN blocks b
		WHERE b.owner_id = j.key AND b.target_id = j.value`
	factContacts = `SELECT b.owner_id, b.target_id FROM {pairs} CROSS JOIN contacts b
		WHERE b.owner_id = j.key AND b.target_id = j.value`
	factGrants = `SELECT c.id, b.account_id, b.grants FROM {pairs} CROSS JOIN conversations c CROSS JOIN space_members b
		WHERE c.id = j.key AND b.space_id = c.space_id AND b.account_id = j.value`
	factOverwrites = `SELECT o.conversation_id, o.holder_kind, o.holder_id, o.allow, o.deny FROM {ints} CROSS JOIN overwrites o
		WHERE o.conversation_id = j.value`
	factHeld = `SELECT c.id, b.account_id, h.archetype_id
		FROM {pairs} CROSS JOIN conversations c CROSS JOIN space_members b CROSS JOIN held_archetypes h
		WHERE c.id = j.key AND b.space_id = c.space_id AND b.account_id = j.value
		AND h.space_id = b.space_id AND h.account_id = b.account_id
		UNION ALL
		SELECT c.id, b.account_id, d.id
		FROM {pairs} CROSS JOIN conversations c CROSS JOIN space_members b CROSS JOIN archetypes d
		WHERE c.id = j.key AND b.space_id = c.space_id AND b.account_id = j.value
		AND d.space_id = b.space_id AND d.is_default`

	publicKeys = `SELECT a.id, a.public_key FROM {ints} CROSS JOIN accounts a WHERE a.id = j.value AND a.public_key <> ''`

	// Of a pair that the initiator is one of, the other is the rest of the sum.
	countCold = `SELECT count(*), min(c.opened_at) FROM conversations c CROSS JOIN accounts a
		WHERE c.kind = 2 AND NOT c.established AND c.initiator = $1 AND c.opened_at >= $2
		AND a.id = c.low_id + c.high_id - c.initiator AND a.guarded`
)

// Load is one statement of loading facts: its text (with markers), its parameters
// and what takes each row.
type Load struct {
	Doing string
	Text  string
	Args  []any
	Row   func(Row) error
}

// Loader loads the facts of a batch in two rounds: the loads of First depend on
// the keys only, those of Second on what First found. Loads of one round are
// independent of each other, so an engine may send them together.
type Loader struct {
	Facts *store.SendFacts

	f     *Flavor
	keys  []store.SendKey
	known []store.SendKey // only their replays are loaded
}

// NewLoader begins loading the facts for keys, and the replays of known: sends
// with a client id of which everything else is known.
func NewLoader(f *Flavor, keys, known []store.SendKey) *Loader {
	return &Loader{f: f, keys: keys, known: known, Facts: store.NewSendFacts(len(keys))}
}

// First returns the loads that find replays and conversations.
func (l *Loader) First() []Load {
	var clientIDs []string
	var authors, named, attached []int64
	var asked pairs
	for _, k := range l.keys {
		if k.ClientID != "" {
			clientIDs, authors = append(clientIDs, k.ClientID), append(authors, int64(k.Author))
		}
		if k.Attachment != 0 {
			attached = append(attached, int64(k.Attachment))
		}
		if k.Conversation != 0 {
			named = append(named, int64(k.Conversation))
		} else {
			asked = asked.add(chat.Pair(k.Author, k.Peer))
		}
	}
	for _, k := range l.known {
		clientIDs, authors = append(clientIDs, k.ClientID), append(authors, int64(k.Author))
	}
	loads := make([]Load, 0, 4)
	if len(clientIDs) > 0 {
		loads = append(loads, Load{"load replays", factReplays, l.f.Keys(clientIDs, authors), l.replay})
	}
	if len(named) > 0 {
		loads = append(loads, Load{"load conversations", factConversations, []any{l.f.Ints(unique(named))}, l.named()})
	}
	if len(asked) > 0 {
		loads = append(loads, Load{"load direct conversations", factDirects, asked.bind(l.f), l.conversation()})
	}
	if len(attached) > 0 {
		l.Facts.Attachments = make(map[chat.AttachmentID]*chat.Attachment, len(attached))
		loads = append(loads, Load{"load attachments", factAttachments, []any{l.f.Ints(unique(attached))}, l.attachment})
	}
	return loads
}

// Second returns the loads about those who take part.
func (l *Loader) Second() []Load {
	n := len(l.keys)
	accounts := make([]int64, 0, 2*n)
	var groups, overwritten []int64
	var sides, seats, holders pairs
	for _, k := range l.keys {
		accounts = append(accounts, int64(k.Author))
		c := l.Facts.Conversations[k.Conversation]
		switch {
		case k.Conversation == 0:
			accounts = append(accounts, int64(k.Peer))
			sides = sides.add(k.Author, k.Peer).add(k.Peer, k.Author)
		case c == nil:
		case c.Kind == chat.ConversationDirect:
			accounts = append(accounts, int64(c.Low), int64(c.High))
			sides = sides.add(c.Low, c.High).add(c.High, c.Low)
		case c.Kind == chat.ConversationGroup:
			groups = append(groups, int64(c.ID))
		default:
			seat := [2]int64{int64(c.ID), int64(k.Author)}
			seats = append(seats, seat)
			if c.Overwritten {
				overwritten, holders = append(overwritten, int64(c.ID)), append(holders, seat)
			}
		}
	}
	loads := make([]Load, 0, 8)
	if len(accounts) > 0 {
		loads = append(loads, Load{"load accounts", factAccounts, []any{l.f.Ints(unique(accounts))}, l.accounts()})
	}
	if len(groups) > 0 {
		loads = append(loads, Load{"load members of groups", factMembers, []any{l.f.Ints(unique(groups))}, l.members()})
	}
	if len(sides) > 0 {
		args := sides.bind(l.f)
		loads = append(loads,
			Load{"load blocks", factBlocks, args, edges(l.Facts.Blocks)},
			Load{"load contacts", factContacts, args, edges(l.Facts.Contacts)})
	}
	if len(seats) > 0 {
		loads = append(loads, Load{"load grants", factGrants, seats.bind(l.f), l.grants()})
	}
	if len(overwritten) > 0 {
		loads = append(loads,
			Load{"load overwrites", factOverwrites, []any{l.f.Ints(unique(overwritten))}, l.overwrite},
			Load{"load held archetypes", factHeld, holders.bind(l.f), l.held})
	}
	return loads
}
