package core

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// The sender collects sends that wait and stores them in batches.
//
// Senders stand in a ring; each batch takes a share of what each has waiting, so
// that a flood of one does not become everybody's latency. A batch is what waits, or
// is just about to (gather), when the writer is free: nobody is waited for, but in a
// crowded group, for a moment (linger). A batch grows while another writes.
const (
	batchMessages = 512   // messages per batch
	batchRows     = 4_000 // envelopes per batch: a message to a large group weighs as many
	senderShare   = 8     // messages of one sender per batch, while several wait
	fewSenders    = 128   // a batch of this size is shared out among few senders
	senderWaiting = 256   // messages of one sender that may wait
	batchReruns   = 3     // of one batch after a conflict, before it is split
	sizesKept     = 10_000

	lingerRows = 128                  // a batch with so many envelopes went to many
	lingerMost = 4 * time.Millisecond // waited for the authors of such a batch
)

// queuedSend is a send with somebody waiting for its answer.
type queuedSend struct {
	*sendItem
	ctx  context.Context // done when the caller has gone; only asked whether it is
	done chan struct{}   // closed when the answer is final
}

// authorQueue is what one author has waiting.
type authorQueue struct {
	author chat.AccountID
	items  []*queuedSend
}

type sender struct {
	s       *Service
	observe func(BatchStats)
	wake    chan struct{} // holds one token when there may be work

	mu     sync.Mutex
	queues map[chat.AccountID]*authorQueue
	ring   []*authorQueue // authors with something waiting, next to be served first
	closed bool

	// Only run touches what follows. sizes remembers how many envelopes a group
	// message has; crowd is how many authors the last batch was of, if it went to many.
	sizes map[chat.ConversationID]int
	crowd int
}

func newSender(s *Service, observe func(BatchStats)) *sender {
	return &sender{
		s: s, observe: observe, wake: make(chan struct{}, 1),
		queues: make(map[chat.AccountID]*authorQueue),
		sizes:  make(map[chat.ConversationID]int),
	}
}

// send queues an item and waits for its answer. If ctx ends first the message may
// still be stored.
func (sn *sender) send(ctx context.Context, item *sendItem) (*Sent, error) {
	q := &queuedSend{sendItem: item, ctx: ctx, done: make(chan struct{})}
	if err := sn.enqueue(q); err != nil {
		return nil, err
	}
	select {
	case <-q.done:
		return item.sent, item.err
	case <-ctx.Done():
		return nil, chat.Internal("send message", ctx.Err())
	}
}

func (sn *sender) enqueue(q *queuedSend) error {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	if sn.closed {
		return &chat.Error{Code: chat.CodeUnavailable, RetryAfter: time.Second}
	}
	aq := sn.queues[q.author]
	if aq == nil {
		aq = &authorQueue{author: q.author}
		sn.queues[q.author] = aq
		sn.ring = append(sn.ring, aq)
	}
	if len(aq.items) >= senderWaiting {
		return &chat.Error{Code: chat.CodeRateLimited, RetryAfter: time.Second, Rule: chat.RuleGlobal}
	}
	aq.items = append(aq.items, q)
	sn.signal()
	return nil
}

func (sn *sender) signal() {
	select {
	case sn.wake <- struct{}{}:
	default:
	}
}

// close refuses new sends; run ends when those queued are answered.
func (sn *sender) close() {
	sn.mu.Lock()
	sn.closed = true
	sn.mu.Unlock()
	sn.signal()
}

// run stores batches until the sender is closed and empty.
func (sn *sender) run() {
	for range sn.wake {
		for {
			if waiting, closed := sn.state(); !waiting {
				if closed {
					return
				}
				break
			}
			sn.linger()
			sn.s.turn <- struct{}{}
			sn.gather()
			sn.batch(sn.take())
			<-sn.s.turn
		}
	}
}

func (sn *sender) state() (waiting, closed bool) {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	return len(sn.ring) > 0, sn.closed
}

// gather lets those who are about to queue a send do so, for as long as more of
// them come. It waits for nobody: it only has goroutines run that can. After a
// commit that is many, and the first of them would get a batch, and a commit, for
// itself; the others would wait for that.
func (sn *sender) gather() {
	for before := 0; ; {
		runtime.Gosched()
		authors := sn.authors()
		if authors <= before || authors >= batchMessages {
			return
		}
		before = authors
	}
}

// linger waits a moment for the authors of the batch before, if that one went to many:
// they have just been answered, and those who talk in a crowded group go on. What goes
// to the same sockets together costs them one write, and the database one commit.
func (sn *sender) linger() {
	if sn.crowd < 2 || sn.authors() >= sn.crowd {
		return
	}
	timer := time.NewTimer(lingerMost)
	defer timer.Stop()
	for sn.authors() < sn.crowd {
		select {
		case <-sn.wake:
			if _, closed := sn.state(); closed {
				return
			}
		case <-timer.C:
			return
		}
	}
}

// authors is how many have something waiting.
func (sn *sender) authors() int {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	return len(sn.ring)
}

// take removes the next batch from the queues: a share of each author's, in ring
// order, until the batch is full. Authors not reached, or with more waiting, are
// first next time.
func (sn *sender) take() []*queuedSend {
	sn.mu.Lock()
	defer sn.mu.Unlock()
	share := max(senderShare, fewSenders/max(len(sn.ring), 1))
	if len(sn.ring) == 1 {
		share = batchMessages
	}
	var out []*queuedSend
	rows, served := 0, 0
	sn.crowd = 0
	for _, aq := range sn.ring {
		if len(out) >= batchMessages || rows >= batchRows {
			break
		}
		served++
		n := min(share, len(aq.items), batchMessages-len(out))
		for _, q := range aq.items[:n] {
			if q.ctx.Err() != nil {
				continue // nobody waits for it any more
			}
			rows += 1 + sn.sizes[q.in.Conversation]
			out = append(out, q)
		}
		aq.items = aq.items[n:]
	}
	if rows >= lingerRows {
		sn.crowd = served
	}
	again := sn.ring[:served:served]
	ring := append([]*authorQueue(nil), sn.ring[served:]...)
	for _, aq := range again {
		if len(aq.items) > 0 {
			ring = append(ring, aq)
		} else {
			delete(sn.queues, aq.author)
		}
	}
	sn.ring = ring
	return out
}

// batch stores items and answers their callers.
func (sn *sender) batch(items []*queuedSend) {
	if len(items) == 0 {
		return
	}
	began := time.Now()
	bare := make([]*sendItem, len(items))
	for i, q := range items {
		bare[i] = q.sendItem
	}
	reruns := 0
	events, out := sn.store(bare, &reruns)
	for _, q := range items {
		close(q.done)
	}
	sn.s.publish(events)
	sn.s.tellHooks(out)
	sn.observe(BatchStats{Size: len(items), Reruns: reruns, Took: time.Since(began)})
}

// store runs a batch; one that meets a conflict runs again, and one that the
// database refuses runs in halves, so that a bad message fails alone. It returns
// the events of what was stored and what webhooks get of it.
func (sn *sender) store(items []*sendItem, reruns *int) ([]chat.Event, outbox) {
	run := newSendRun(items, sn.s.pending, sn.s.sendRates(), sn.s.now())
	keys := make([]store.SendKey, len(items))
	for i, it := range items {
		keys[i] = it.key
	}
	var asked []chat.AccountID
	b := store.Batch{
		Keys: keys,
		Ask: func(f *store.SendFacts) store.Questions {
			q := run.ask(f)
			asked = q.Pending
			return q
		},
		Decide: run.decide,
	}
	var err error
	for range batchReruns {
		if err = sn.s.store.Send(context.Background(), b); err == nil {
			sn.remember(run, asked)
			return run.events, run.out
		}
		*reruns++
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	splittable := errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrRefused)
	if splittable && len(items) > 1 {
		half := len(items) / 2
		events, out := sn.store(items[:half], reruns)
		more, rest := sn.store(items[half:], reruns)
		return append(events, more...), out.and(rest)
	}
	for _, it := range items {
		it.sent, it.err = nil, chat.Internal("store messages", err)
	}
	sn.s.log.Error("messages not stored", "count", len(items), "error", err)
	return nil, outbox{}
}

// remember counts what the batch took of the rates, and keeps what it taught about
// backlogs and group sizes.
func (sn *sender) remember(run *sendRun, asked []chat.AccountID) {
	for k, n := range run.taken {
		for range n {
			run.rates.limiters[k.rate].Take(run.now, k.key(), run.rates.specs[k.rate].limit)
		}
	}
	for _, account := range asked {
		sn.s.pending.counted(account, run.facts.Pending[account], run.now)
		delete(run.added, account)
	}
	for account, n := range run.added {
		sn.s.pending.add(account, n)
	}
	if len(sn.sizes) > sizesKept {
		clear(sn.sizes)
	}
	for _, e := range run.events {
		if e.Kind == chat.EventMessageCreated && len(e.Recipients) > 2 {
			sn.sizes[e.Conversation] = len(e.Recipients) - 1
		}
	}
}
