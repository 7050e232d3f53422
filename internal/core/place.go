package core

import (
	"slices"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// This file writes down what was decided: the message, its envelopes, what becomes
// of the conversation, and who is told.

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
	advance(conv, r.now)
	at := conv.LastAt
	if !r.moved[conv.ID] {
		r.moved[conv.ID] = true
		r.writes.Moved = append(r.writes.Moved, conv)
	}
	m := &chat.Message{
		ID: chat.MessageID(r.id()), Conversation: conv.ID, Seq: conv.LastSeq, Author: author.ID,
		ClientID: it.in.ClientID, Kind: it.in.Type, Text: it.in.Text, Data: it.in.Data, Metadata: it.in.Metadata,
		Attachment: it.in.Attachment, Signature: it.in.signature, CreatedAt: at,
	}
	r.writes.Messages = append(r.writes.Messages, m)
	if m.ClientID != "" {
		r.facts.Replays[store.ReplayKey{Author: author.ID, ClientID: m.ClientID}] = m
	}
	r.count(it, author, conv)
	sent := &Sent{MessageRow: rowOf(m, author)}
	e := chat.Event{
		Position: m.Position(), Kind: chat.EventMessageCreated, At: at, Actor: author.ID,
		Space: conv.Space, Conversation: conv.ID, Message: m, By: &sent.By,
	}
	switch conv.Kind {
	case chat.ConversationDirect:
		r.settle(author, conv, at)
		r.enclose(m, conv.Peer(author.ID))
		e.Recipients = []chat.AccountID{conv.Low, conv.High}
	case chat.ConversationGroup:
		r.distribute(m, sent, &e)
	}
	r.tell(&e)
	r.events = append(r.events, e)
	return sent
}

// distribute gives every other member of a group an envelope, but for those who
// have too much waiting; the event is for those who got one, and the author.
func (r *sendRun) distribute(m *chat.Message, sent *Sent, e *chat.Event) {
	members := r.facts.Members[m.Conversation]
	e.Recipients = members
	for i, member := range members {
		if member == m.Author {
			continue
		}
		a := r.facts.Accounts[member]
		if a == nil || !a.Guarded || waiting(r.facts, r.hints, member) < backlogStop {
			r.enclose(m, member)
			continue
		}
		if len(sent.Skipped) == 0 {
			e.Recipients = slices.Clone(members) // so far it was the facts' own list
		}
		e.Recipients = slices.Delete(e.Recipients, i-len(sent.Skipped), i-len(sent.Skipped)+1)
		sent.Skipped = append(sent.Skipped, a.Handle)
	}
	e.Group = &chat.GroupBrief{Name: r.facts.Names[m.Conversation], Members: len(members)}
	sent.Group = e.Group
}

// tell finds out who is not to be told of a message live and queues it for the
// webhooks of those who are.
func (r *sendRun) tell(e *chat.Event) {
	for _, id := range e.Recipients {
		switch a := r.facts.Accounts[id]; {
		case a == nil || id == e.Actor:
		case a.Pause == chat.PauseFull || a.Muting && silenced(r.facts.Mutes[id], e, r.now):
			e.Quiet = append(e.Quiet, id)
		case a.Hooks != 0:
			r.deliver(e, a)
		}
	}
}

// count notes what a message takes of the rates, to be taken after the commit:
// refused sends, replays and reruns cost nothing.
func (r *sendRun) count(it *sendItem, author *chat.Account, conv *chat.Conversation) {
	if !it.limited || r.rates == nil {
		return
	}
	if r.taken == nil {
		r.taken = make(map[sendRate]int)
	}
	for _, k := range ratesOf(author, conv) {
		r.taken[k]++
	}
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
