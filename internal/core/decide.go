package core

import (
	"slices"
	"strconv"
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
	limited bool  // the rates of sends hold for the surface it came through
	keyed   bool  // the surface it came through shows the author's key

	sent *Sent
	err  error
}

// sendRun decides one batch of sends. It is pure but for the facts, which it
// moves forward message by message, so that each message sees what those before
// it did; a rerun begins anew with fresh facts.
type sendRun struct {
	items []*sendItem
	hints *pendingCounts
	rates *rates // nil: none hold
	now   time.Time

	facts  *store.SendFacts
	writes store.Writes
	nextID int64
	moved  map[chat.ConversationID]bool
	added  map[chat.AccountID]int // envelopes of this batch for guarded recipients
	taken  map[sendRate]int       // what this batch takes of the rates
	events []chat.Event           // to publish after the commit
	out    outbox                 // what webhooks get of them
}

// sendRate is one count of sends: of an account, or into a group.
type sendRate struct {
	rate rate
	of   int64
}

func (k sendRate) key() string { return strconv.FormatInt(k.of, 10) }

func newSendRun(items []*sendItem, hints *pendingCounts, rates *rates, now time.Time) *sendRun {
	return &sendRun{items: items, hints: hints, rates: rates, now: now}
}

// ask names what must be known exactly: the envelopes that wait for guarded
// recipients where memory is no good, the open conversations of authors who are
// about to open another, the mutes and webhooks of recipients who have any, and the
// public keys of authors where they are shown: in /ai, and maybe to webhooks.
func (r *sendRun) ask(f *store.SendFacts) store.Questions {
	q := store.Questions{ColdSince: r.now.Add(-coldWindow)}
	seen := make(map[chat.AccountID]bool)
	recipient := func(id chat.AccountID) {
		a := f.Accounts[id]
		if a == nil || !a.Guarded && !a.Muting && a.Hooks == 0 || seen[id] {
			return
		}
		seen[id] = true
		if a.Guarded && !r.hints.trusted(id, r.now) {
			q.Pending = append(q.Pending, id)
		}
		if a.Muting {
			q.Mutes = append(q.Mutes, id)
		}
		if a.Hooks.Has(chat.HookMessageCreated) {
			q.Hooks = append(q.Hooks, id)
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
	for _, it := range r.items {
		if f.Accounts[it.author] != nil && (it.keyed || len(q.Hooks) > 0) {
			q.Keys = append(q.Keys, it.author)
		}
	}
	slices.Sort(q.Keys)
	q.Keys = slices.Compact(q.Keys)
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
	r.added, r.taken = nil, nil
	r.events = make([]chat.Event, 0, len(r.items))
	r.out = outbox{}
	for _, it := range r.items {
		it.sent, it.err = r.decideOne(it)
	}
	r.writes.Deliveries = r.out.deliveries
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
			return &Sent{MessageRow: rowOf(m, author), Replayed: true}, nil
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
	waits, err := r.policy(it, author, peer, conv)
	if err != nil {
		return nil, err
	}
	if conv == nil {
		conv = r.open(author, peer)
	}
	sent := r.place(it, author, conv)
	if waits >= backlogWarn {
		sent.Waiting, sent.Recipient = waits, peer.Handle
	}
	return sent, nil
}

// rowOf is a message as its author sees it, with nothing known of envelopes.
func rowOf(m *chat.Message, author *chat.Account) chat.MessageRow {
	return chat.MessageRow{MessageView: chat.MessageView{Message: *m, By: author.Profile()}, Own: true}
}

// policy decides what is left once the target is there and the input good, in the
// order that /v1 shows (AC 14.2 rows 8 to 17). It returns how many envelopes wait
// for a guarded recipient of a direct message.
func (r *sendRun) policy(it *sendItem, author, peer *chat.Account, conv *chat.Conversation) (waits int, err error) {
	if peer != nil {
		if err := mayReach(r.facts, author, peer, conv); err != nil {
			return 0, err
		}
	}
	if it.limited && r.rates != nil {
		if err := r.withinRates(author, conv); err != nil {
			return 0, err
		}
	}
	if peer != nil {
		if err := mayOpen(r.facts, author, peer, conv, r.now); err != nil {
			return 0, err
		}
	}
	if it.in.Attachment != 0 {
		if err := attachable(r.facts, it.in.Attachment, author, peer, conv); err != nil {
			return 0, err
		}
	}
	if peer == nil || !peer.Guarded {
		return 0, nil
	}
	if waits = waiting(r.facts, r.hints, peer.ID); waits >= backlogStop {
		return 0, &chat.Error{Code: chat.CodeBacklogged, Handle: peer.Handle, Count: waits, RetryAfter: backlogRetry}
	}
	return waits, nil
}

// withinRates fails with rate_limited if the author, or the group, has sent as much
// as may be within the second, this batch included.
func (r *sendRun) withinRates(author *chat.Account, conv *chat.Conversation) error {
	for _, k := range ratesOf(author, conv) {
		if err := r.rates.fits(r.now, k.rate, k.key(), r.taken[k]); err != nil {
			return err
		}
	}
	return nil
}

// ratesOf lists what a send counts against. conv may be nil.
func ratesOf(author *chat.Account, conv *chat.Conversation) []sendRate {
	own := sendRate{rateSends, int64(author.ID)}
	if author.Kind == chat.KindSystem {
		own.rate = rateSystemSends
	}
	if conv == nil || conv.Kind != chat.ConversationGroup {
		return []sendRate{own}
	}
	return []sendRate{own, {rateGroupSends, int64(conv.ID)}}
}

// attachable checks that a file is the author's and was announced for this target.
func attachable(
	f *store.SendFacts, id chat.AttachmentID, author, peer *chat.Account, conv *chat.Conversation,
) error {
	a := f.Attachments[id]
	switch {
	case a == nil || a.Uploader != author.ID:
		return chat.Fail(chat.CodeAttachmentUnknown)
	case peer != nil && a.Peer != peer.ID, peer == nil && a.Conversation != conv.ID:
		return chat.Fail(chat.CodeAttachmentScope)
	}
	return nil
}

// reachable checks that the target is visible and that the author may write there.
func (r *sendRun) reachable(it *sendItem, conv *chat.Conversation, peer *chat.Account) error {
	if it.in.Peer != 0 {
		switch {
		case peer == nil || peer.Gone():
			return chat.Fail(chat.CodeAccountUnknown)
		case peer.ID == it.author:
			return chat.Fail(chat.CodeSelf)
		case peer.Off():
			return chat.Fail(chat.CodePeerOff)
		}
		return nil
	}
	if conv == nil || conv.Kind != it.in.Kind {
		switch it.in.Kind {
		case chat.ConversationChannel:
			return chat.Fail(chat.CodeChannelUnknown)
		case chat.ConversationGroup:
			return chat.Fail(chat.CodeGroupUnknown)
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
