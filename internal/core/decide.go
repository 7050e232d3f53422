package core

import (
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// sendItem is one send on its way: what is asked and, once decided, the answer.
type sendItem struct {
	author  chat.AccountID
	in      NewMessage
	key     store.SendKey
	invalid error // the input is at fault; told only to those who may write there

	sent *Sent
	err  error
}

// sendRun decides one batch of sends. It is pure but for the facts, which it
// moves forward message by message, so that each message sees what those before
// it did; a rerun begins anew with fresh facts.
type sendRun struct {
	items []*sendItem
	hints *pendingCounts
	now   time.Time

	facts  *store.SendFacts
	writes store.Writes
	nextID int64
	moved  map[chat.ConversationID]bool
	added  map[chat.AccountID]int // envelopes of this batch for guarded recipients
	events []chat.Event           // to publish after the commit
}

func newSendRun(items []*sendItem, hints *pendingCounts, now time.Time) *sendRun {
	return &sendRun{items: items, hints: hints, now: now}
}

// ask names what must be counted exactly: the envelopes that wait for guarded
// recipients where memory is no good, and the open conversations of authors who
// are about to open another.
func (r *sendRun) ask(f *store.SendFacts) store.Questions {
	q := store.Questions{ColdSince: r.now.Add(-coldWindow)}
	seen := make(map[chat.AccountID]bool)
	recipient := func(id chat.AccountID) {
		if a := f.Accounts[id]; a != nil && a.Guarded && !seen[id] && !r.hints.trusted(id, r.now) {
			seen[id] = true
			q.Pending = append(q.Pending, id)
		}
	}
	for _, it := range r.items {
		conv, peer := target(f, it)
		author := f.Accounts[it.author]
		switch {
		case author == nil:
		case peer != nil:
			recipient(peer.ID)
			if opens(author, peer, conv) && !slices.Contains(q.Cold, author.ID) {
				q.Cold = append(q.Cold, author.ID)
			}
		case conv != nil && conv.Kind == chat.ConversationGroup:
			for _, member := range f.Members[conv.ID] {
				recipient(member)
			}
		}
	}
	return q
}

// target finds the conversation of a send, nil if there is none (yet), and the
// other side if it is a direct one.
func target(f *store.SendFacts, it *sendItem) (*chat.Conversation, *chat.Account) {
	if it.in.Peer != 0 {
		low, high := chat.Pair(it.author, it.in.Peer)
		return f.Conversations[f.Directs[[2]chat.AccountID{low, high}]], f.Accounts[it.in.Peer]
	}
	conv := f.Conversations[it.in.Conversation]
	if conv == nil || conv.Kind != chat.ConversationDirect || !conv.Joins(it.author) {
		return conv, nil
	}
	return conv, f.Accounts[conv.Peer(it.author)]
}

// decide answers every item and says what to write.
func (r *sendRun) decide(f *store.SendFacts) store.Writes {
	r.facts, r.nextID = f, f.FirstID
	r.writes = store.Writes{Messages: make([]*chat.Message, 0, len(r.items)), At: r.now}
	r.moved = make(map[chat.ConversationID]bool, len(r.items))
	r.added = nil
	r.events = make([]chat.Event, 0, len(r.items))
	for _, it := range r.items {
		it.sent, it.err = r.decideOne(it)
	}
	return r.writes
}

func (r *sendRun) decideOne(it *sendItem) (*Sent, error) {
	author := r.facts.Accounts[it.author]
	if author == nil || author.Gone() {
		return nil, chat.Fail(chat.CodeTokenInvalid)
	}
	if author.Off() {
		return nil, chat.Fail(chat.CodeAccountOff)
	}
	if it.in.ClientID != "" {
		key := store.ReplayKey{Author: it.author, ClientID: it.in.ClientID}
		if m := r.facts.Replays[key]; m != nil {
			return &Sent{MessageView: chat.MessageView{Message: *m, By: author.Profile()}, Replayed: true}, nil
		}
	}
	conv, peer := target(r.facts, it)
	if err := r.reachable(it, conv, peer); err != nil {
		return nil, err
	}
	if it.invalid != nil {
		return nil, it.invalid
	}
	if author.Pause != chat.PauseNone {
		return nil, chat.Fail(chat.CodePaused)
	}
	waits := 0
	if peer != nil {
		if err := mayReach(r.facts, author, peer, conv, r.now); err != nil {
			return nil, err
		}
		if peer.Guarded {
			if waits = waiting(r.facts, r.hints, peer.ID); waits >= backlogStop {
				return nil, &chat.Error{Code: chat.CodeBacklogged, Count: waits, RetryAfter: backlogRetry}
			}
		}
	}
	if conv == nil {
		conv = r.open(author, peer)
	}
	sent := r.place(it, author, conv)
	if waits >= backlogWarn {
		sent.Waiting = waits
	}
	return sent, nil
}

// reachable checks that the target is visible and that the author may write there.
func (r *sendRun) reachable(it *sendItem, conv *chat.Conversation, peer *chat.Account) error {
	if it.in.Peer != 0 {
		switch {
		case peer == nil || peer.Gone() || peer.Off():
			return chat.Fail(chat.CodeAccountUnknown)
		case peer.ID == it.author:
			return chat.Fail(chat.CodeSelf)
		}
		return nil
	}
	if conv == nil || conv.Kind != it.in.Kind {
		if it.in.Kind == chat.ConversationChannel {
			return chat.Fail(chat.CodeChannelUnknown)
		}
		return chat.Fail(chat.CodeConversationUnknown)
	}
	switch conv.Kind {
	case chat.ConversationDirect:
		if !conv.Joins(it.author) {
			return chat.Fail(chat.CodeNotParticipant)
		}
		if peer == nil || peer.Gone() || peer.Off() {
			return chat.Fail(chat.CodePeerGone)
		}
	case chat.ConversationGroup:
		if !slices.Contains(r.facts.Members[conv.ID], it.author) {
			return chat.Fail(chat.CodeNotMember)
		}
	default:
		seat := store.Seat{Conversation: conv.ID, Account: it.author}
		grants, ok := r.facts.Grants[seat]
		if !ok {
			return chat.Fail(chat.CodeNotMember)
		}
		e := channelEntitlements(grants, r.facts.Held[seat], it.author, r.facts.Overwrites[conv.ID])
		if !e.Has(chat.EntViewChannel) {
			return chat.Fail(chat.CodeChannelUnknown)
		}
		if !e.Has(chat.EntSendMessages) {
			return chat.Fail(chat.CodeNotPermitted)
		}
	}
	return nil
}

// open makes the direct conversation that this message is the first of.
func (r *sendRun) open(author, peer *chat.Account) *chat.Conversation {
	low, high := chat.Pair(author.ID, peer.ID)
	conv := newDirect(chat.ConversationID(r.id()), low, high)
	conv.CreatedAt = r.now
	r.facts.Conversations[conv.ID] = conv
	r.facts.Directs[[2]chat.AccountID{low, high}] = conv.ID
	r.writes.Directs = append(r.writes.Directs, conv)
	r.moved[conv.ID] = true // it is written with all the batch does to it
	e := directCreated(conv, author.ID)
	e.Position, e.At = chat.Position(r.id()), r.now
	r.writes.Events = append(r.writes.Events, e)
	r.events = append(r.events, e)
	return conv
}

// place gives the message its number and time and writes it down.
func (r *sendRun) place(it *sendItem, author *chat.Account, conv *chat.Conversation) *Sent {
	at := r.now
	if floor := conv.LastAt.Add(time.Millisecond); at.Before(floor) {
		at = floor
	}
	conv.LastSeq++
	conv.LastAt = at
	if !r.moved[conv.ID] {
		r.moved[conv.ID] = true
		r.writes.Moved = append(r.writes.Moved, conv)
	}
	m := &chat.Message{
		ID: chat.MessageID(r.id()), Conversation: conv.ID, Seq: conv.LastSeq, Author: author.ID,
		ClientID: it.in.ClientID, Kind: it.in.Type, Text: it.in.Text, Data: it.in.Data, Metadata: it.in.Metadata,
		CreatedAt: at,
	}
	r.writes.Messages = append(r.writes.Messages, m)
	if m.ClientID != "" {
		r.facts.Replays[store.ReplayKey{Author: author.ID, ClientID: m.ClientID}] = m
	}
	sent := &Sent{MessageView: chat.MessageView{Message: *m, By: author.Profile()}}
	e := chat.Event{
		Position: m.Position(), Kind: chat.EventMessageCreated, At: at, Actor: author.ID,
		Space: conv.Space, Conversation: conv.ID, Message: m,
	}
	switch conv.Kind {
	case chat.ConversationDirect:
		r.settle(author, conv, at)
		r.enclose(m, conv.Peer(author.ID))
		e.Recipients = []chat.AccountID{conv.Low, conv.High}
	case chat.ConversationGroup:
		e.Recipients = r.facts.Members[conv.ID]
		for _, member := range e.Recipients {
			if member == author.ID {
				continue
			}
			if a := r.facts.Accounts[member]; a != nil && a.Guarded && waiting(r.facts, r.hints, member) >= backlogStop {
				sent.Skipped = append(sent.Skipped, member)
				continue
			}
			r.enclose(m, member)
		}
	}
	r.events = append(r.events, e)
	return sent
}

// settle notes who opened a direct conversation and when the other side first
// answered: that establishes it and makes both contacts of each other (AC 14.2).
func (r *sendRun) settle(author *chat.Account, conv *chat.Conversation, at time.Time) {
	if conv.LastSeq == 1 {
		conv.Initiator, conv.OpenedAt = author.ID, at
		cold := r.facts.Cold[author.ID]
		if cold.Count == 0 {
			cold.Oldest = at
		}
		if peer := r.facts.Accounts[conv.Peer(author.ID)]; peer.Guarded {
			cold.Count++
			r.facts.Cold[author.ID] = cold
		}
		return
	}
	if conv.Established || conv.Initiator == author.ID {
		return
	}
	conv.Established = true
	if cold, ok := r.facts.Cold[conv.Initiator]; ok && author.Guarded {
		cold.Count = max(cold.Count-1, 0)
		r.facts.Cold[conv.Initiator] = cold
	}
	for _, e := range []store.Edge{{Owner: conv.Low, Target: conv.High}, {Owner: conv.High, Target: conv.Low}} {
		if !r.facts.Contacts[e] {
			r.facts.Contacts[e] = true
			r.writes.Contacts = append(r.writes.Contacts, e)
		}
	}
}

// enclose adds one recipient's envelope.
func (r *sendRun) enclose(m *chat.Message, recipient chat.AccountID) {
	r.writes.Envelopes = append(r.writes.Envelopes, chat.Envelope{
		Message: m.ID, Recipient: recipient, Conversation: m.Conversation, Seq: m.Seq,
	})
	if a := r.facts.Accounts[recipient]; a != nil && a.Guarded {
		r.facts.Pending[recipient] = waiting(r.facts, r.hints, recipient) + 1
		if r.added == nil {
			r.added = make(map[chat.AccountID]int)
		}
		r.added[recipient]++
	}
}

// id draws the next id of the batch.
func (r *sendRun) id() int64 {
	id := r.nextID
	r.nextID++
	return id
}
