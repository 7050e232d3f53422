package sqlite

import (
	"context"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlstore"
)

// factCache keeps what batches have loaded, so that the next one need not. That
// is as good as reading it in the transaction, because one process has the file
// and whoever holds the writer's turn is alone with the cache:
//
//   - every Update empties it before it begins; it does not matter what it writes
//     or whether it commits;
//   - a batch works on copies of conversations and puts them back after the
//     commit; a commit that fails empties the cache.
//
// Kept are the facts that most sends need: conversations, also under the pair that
// a direct one joins, accounts, memberships, and blocks and contacts between two
// sides. Replays, attachments, groups and channels with overwrites are always read,
// and pairs that have no conversation.
type factCache struct {
	kept          int // bounds each map; beyond it all is dropped: what is in use comes back
	conversations map[chat.ConversationID]chat.Conversation
	directs       map[[2]chat.AccountID]chat.ConversationID
	accounts      map[chat.AccountID]*chat.Account // never changed once here
	grants        map[member]chat.Entitlements     // those who are members
	sides         map[store.Edge]side
}

type member struct {
	space   chat.SpaceID
	account chat.AccountID
}

// side is what the owner of an edge thinks of its target.
type side struct{ blocks, contact bool }

// factsKept is how much of each kind a store remembers.
const factsKept = 100_000

func newFactCache(kept int) *factCache {
	c := &factCache{kept: kept}
	c.clear()
	return c
}

func (c *factCache) clear() {
	if len(c.conversations)+len(c.accounts) == 0 && c.grants != nil {
		return // as it is after many an Update
	}
	*c = factCache{
		kept:          c.kept,
		conversations: make(map[chat.ConversationID]chat.Conversation),
		directs:       make(map[[2]chat.AccountID]chat.ConversationID),
		accounts:      make(map[chat.AccountID]*chat.Account),
		grants:        make(map[member]chat.Entitlements),
		sides:         make(map[store.Edge]side),
	}
}

// load returns the facts for keys: those it has, and the rest from the database.
func (c *factCache) load(ctx context.Context, tx *sqlstore.Tx, keys []store.SendKey) (*store.SendFacts, error) {
	if max(len(c.conversations), len(c.accounts), len(c.grants), len(c.sides)) > c.kept {
		c.clear() // now: what covers finds must stay until it is given
	}
	var missing, known []store.SendKey
	for _, k := range keys {
		switch covered := c.covers(k); {
		case !covered:
			missing = append(missing, k)
		case k.ClientID != "":
			known = append(known, k)
		}
	}
	facts, err := tx.LoadFacts(ctx, missing, known)
	if err != nil {
		return nil, err
	}
	c.keep(facts, missing)
	for _, k := range keys {
		id := c.target(k)
		if facts.Conversations[id] == nil || facts.Accounts[k.Author] == nil {
			c.give(facts, id, k.Author)
		}
		if conv := facts.Conversations[id]; conv != nil && conv.Kind == chat.ConversationChannel {
			if g, ok := c.grants[member{conv.Space, k.Author}]; ok {
				facts.Grants[store.Seat{Conversation: conv.ID, Account: k.Author}] = g
			}
		}
	}
	return facts, nil
}

// target is the conversation of a send as far as it is known, else 0.
func (c *factCache) target(k store.SendKey) chat.ConversationID {
	if k.Conversation != 0 {
		return k.Conversation
	}
	low, high := chat.Pair(k.Author, k.Peer)
	return c.directs[[2]chat.AccountID{low, high}]
}

// covers tells whether everything about a send but its replay is here.
func (c *factCache) covers(k store.SendKey) bool {
	if k.Attachment != 0 || c.accounts[k.Author] == nil {
		return false
	}
	conv, ok := c.conversations[c.target(k)]
	switch {
	case !ok:
		return false
	case conv.Kind == chat.ConversationChannel:
		_, ok := c.grants[member{conv.Space, k.Author}]
		return ok && !conv.Overwritten
	case conv.Kind == chat.ConversationDirect:
		_, ok := c.sides[store.Edge{Owner: conv.Low, Target: conv.High}]
		return ok && c.accounts[conv.Low] != nil && c.accounts[conv.High] != nil
	}
	return false
}

// give copies what is known about a send that covers said is here.
func (c *factCache) give(facts *store.SendFacts, id chat.ConversationID, author chat.AccountID) {
	conv, ok := c.conversations[id]
	if !ok {
		return
	}
	if facts.Conversations[conv.ID] == nil {
		facts.Conversations[conv.ID] = &conv
	}
	facts.Accounts[author] = c.accounts[author]
	if conv.Kind != chat.ConversationDirect {
		return
	}
	facts.Directs[[2]chat.AccountID{conv.Low, conv.High}] = conv.ID
	facts.Accounts[conv.Low], facts.Accounts[conv.High] = c.accounts[conv.Low], c.accounts[conv.High]
	for _, e := range []store.Edge{{Owner: conv.Low, Target: conv.High}, {Owner: conv.High, Target: conv.Low}} {
		s := c.sides[e]
		if s.blocks {
			facts.Blocks[e] = true
		}
		if s.contact {
			facts.Contacts[e] = true
		}
	}
}

// keep takes over what was loaded for keys.
func (c *factCache) keep(facts *store.SendFacts, keys []store.SendKey) {
	for id, a := range facts.Accounts {
		c.accounts[id] = a
	}
	for id, conv := range facts.Conversations {
		c.conversations[id] = *conv
		if conv.Kind == chat.ConversationDirect {
			c.directs[[2]chat.AccountID{conv.Low, conv.High}] = id
			for _, e := range []store.Edge{{Owner: conv.Low, Target: conv.High}, {Owner: conv.High, Target: conv.Low}} {
				c.sides[e] = side{blocks: facts.Blocks[e], contact: facts.Contacts[e]}
			}
		}
	}
	for _, k := range keys {
		if conv := facts.Conversations[k.Conversation]; conv != nil {
			if g, ok := facts.Grants[store.Seat{Conversation: conv.ID, Account: k.Author}]; ok {
				c.grants[member{conv.Space, k.Author}] = g
			}
		}
	}
}

// committed moves the cache on by what a batch wrote, or forgets everything if
// nobody knows whether it did.
func (c *factCache) committed(w *store.Writes, err error) {
	if err != nil {
		c.clear()
		return
	}
	for _, conv := range w.Moved {
		c.conversations[conv.ID] = *conv
	}
	for _, e := range w.Contacts {
		if s, ok := c.sides[e]; ok {
			s.contact = true
			c.sides[e] = s
		}
	}
}
