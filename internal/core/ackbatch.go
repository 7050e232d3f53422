package core

import (
	"context"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	acksWaiting  = 64 << 10             // that may wait; who brings more waits until there is room
	acksPerWrite = 4_000                // of one transaction
	ackPause     = 5 * time.Millisecond // after a transaction, so that a trickle does not cost one each
)

// ackBatch collects the acknowledgements of all sockets and stores those that wait
// in one transaction. They are the most frequent write, and the one that can best
// wait: one that is lost is made up for, because its message is offered once more.
type ackBatch struct {
	s    *Service
	wake chan struct{} // holds one token when there may be work
	quit chan struct{} // closed by close

	mu      sync.Mutex
	room    sync.Cond // of mu: there may be room
	waiting []store.EnvelopeKey
	closed  bool
}

func newAckBatch(s *Service) *ackBatch {
	b := &ackBatch{s: s, wake: make(chan struct{}, 1), quit: make(chan struct{})}
	b.room.L = &b.mu
	return b
}

// Delivered notes that messages have reached an account over a connection that it
// keeps open (AC 19.4): its stored envelopes become delivered within milliseconds.
// What it has no such envelope of is passed over. It waits only while 65,536
// acknowledgements do, and forgets what it is told after Close.
func (s *Service) Delivered(account chat.AccountID, messages ...chat.MessageID) {
	b := s.acks
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range messages {
		for len(b.waiting) >= acksWaiting && !b.closed {
			b.signal()
			b.room.Wait()
		}
		if b.closed {
			return
		}
		b.waiting = append(b.waiting, store.EnvelopeKey{Recipient: account, Message: m})
	}
	b.signal()
}

func (b *ackBatch) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// close refuses what comes; run ends when what waits is stored.
func (b *ackBatch) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.room.Broadcast()
	close(b.quit)
}

// run stores acknowledgements until the batch is closed and empty.
func (b *ackBatch) run() {
	for {
		select {
		case <-b.wake:
		case <-b.quit:
		}
		for {
			waiting, closed := b.state()
			if !waiting && closed {
				return
			}
			if !waiting {
				break
			}
			b.store()
			select {
			case <-time.After(ackPause):
			case <-b.quit:
			}
		}
	}
}

func (b *ackBatch) state() (waiting, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) > 0, b.closed
}

// store writes what waits. It gathers while others write: what it takes is what
// waits when its turn has come.
func (b *ackBatch) store() {
	b.s.turn <- struct{}{}
	defer func() { <-b.s.turn }()
	keys := b.take()
	moved, err := b.s.store.Acknowledge(context.Background(), keys, b.s.now())
	if err != nil {
		b.s.log.Error("acknowledgements not stored", "count", len(keys), "error", err)
		return
	}
	for account, n := range moved {
		b.s.pending.add(account, -n)
	}
}

// take removes what one transaction is to write.
func (b *ackBatch) take() []store.EnvelopeKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) <= acksPerWrite {
		keys := b.waiting
		b.waiting = nil
		return keys
	}
	keys := b.waiting[:acksPerWrite:acksPerWrite]
	b.waiting = append([]store.EnvelopeKey(nil), b.waiting[acksPerWrite:]...)
	b.room.Broadcast()
	return keys
}
