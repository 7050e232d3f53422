package storetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// The sizes of testTwoWriters. An order that loses one envelope in two thousand
// must not pass, whatever the flags.
const (
	crowd        = 40  // accounts, all pairs of them, and groups
	crowdGroups  = 200 // of four
	crowdBatches = 400 // about 33,000 messages and 107,000 envelopes
	crowdBatch   = 84  // messages; every fifth to one account
	crowdWriters = 3   // per store
	crowdPage    = 250 // messages per drain
)

// testTwoWriters lets two processes write while every recipient drains and
// acknowledges. An acknowledgement must cover what was offered and nothing else,
// nothing may be lost, and inside a conversation messages come in order.
func testTwoWriters(f *fixture) {
	list := f.accounts(crowd)
	rng := rand.New(rand.NewPCG(8, 9))
	groups := make([]chat.ConversationID, crowdGroups)
	for i := range groups {
		var members []*chat.Account
		for _, k := range rng.Perm(crowd)[:4] {
			members = append(members, list[k])
		}
		groups[i] = f.group(members...).ID
	}
	stores := []store.Store{f.store, f.second()}
	began := time.Now()

	var drains sync.WaitGroup
	finished := make(chan struct{})
	inboxes := make([]inbox, crowd)
	for i, a := range list {
		inboxes[i] = inbox{owner: a.ID, wake: make(chan struct{}, 1), last: map[chat.ConversationID]int64{}}
		drains.Go(func() {
			if err := inboxes[i].drain(f.t.Context(), stores[i%2], finished); err != nil {
				f.t.Errorf("inbox %d: %v", i, err)
			}
		})
	}

	batches := int64(crowdBatches)
	if raceDetector && !f.database.Shared {
		// Writers of one process pass through one queue; and a database that is part
		// of the program is ten times slower under the race detector.
		batches /= 4
	}
	var left atomic.Int64
	left.Store(batches)
	wrote := make([]map[chat.AccountID]int, 2*crowdWriters)
	for i, err := range race(2*crowdWriters, func(i int) error {
		wrote[i] = make(map[chat.AccountID]int)
		rng := rand.New(rand.NewPCG(10, uint64(i)))
		for left.Add(-1) >= 0 {
			posts := make([]post, crowdBatch)
			for k := range posts {
				at := rng.Perm(crowd)[:2]
				key := store.SendKey{Author: list[at[0]].ID, Peer: list[at[1]].ID}
				if k%5 != 0 {
					key.Peer, key.Conversation = 0, groups[rng.IntN(crowdGroups)]
				}
				posts[k] = f.text(key, "x")
			}
			b, _ := batch(posts)
			rules, count := b.Decide, map[chat.AccountID]int(nil)
			b.Decide = func(facts *store.SendFacts) store.Writes {
				w := rules(facts)
				count = make(map[chat.AccountID]int)
				for _, e := range w.Envelopes {
					count[e.Recipient]++
				}
				if len(w.Messages) != len(posts) {
					f.t.Errorf("stored %d of %d: a target was not found", len(w.Messages), len(posts))
				}
				return w
			}
			if err := stores[i%2].Send(f.t.Context(), b); err != nil {
				return err
			}
			for k := range inboxes {
				if n := count[inboxes[k].owner]; n > 0 {
					wrote[i][inboxes[k].owner] += n
					inboxes[k].notify()
				}
			}
		}
		return nil
	}) {
		if err != nil {
			f.t.Errorf("writer %d: %v", i, err)
		}
	}
	written := time.Since(began)
	close(finished)
	drains.Wait()

	want, total, pages := make(map[chat.AccountID]int), 0, 0
	for _, counts := range wrote {
		for id, n := range counts {
			want[id] += n
			total += n
		}
	}
	got := make(map[chat.AccountID]int)
	for i := range inboxes {
		got[inboxes[i].owner] = inboxes[i].offered
		pages += inboxes[i].pages
	}
	f.t.Logf("%d messages, %d envelopes, %d pages; written in %v, drained in %v",
		batches*crowdBatch, total, pages, written.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	if want := 100_000 * int(batches) / crowdBatches; total < want {
		f.t.Errorf("envelopes: got %d, want at least %d", total, want)
	}
	if !maps.Equal(got, want) {
		f.t.Errorf("envelopes offered per recipient: got %v, want %v", got, want)
	}
	f.same("pending at the end", f.raw("SELECT count(*) FROM envelopes WHERE state = 0"), 0)
	f.numbered()
}

// inbox is what one recipient has been offered.
type inbox struct {
	owner   chat.AccountID
	wake    chan struct{} // something was written since the last look
	offered int
	pages   int
	last    map[chat.ConversationID]int64 // highest number offered
}

// notify wakes the drain, unless it has been woken already.
func (b *inbox) notify() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// drain reads and acknowledges pages until one is empty that was read after the
// writers had finished.
func (b *inbox) drain(ctx context.Context, s store.Store, finished <-chan struct{}) error {
	for {
		over := false
		select {
		case <-finished:
			over = true
		default:
		}
		var page []chat.Message
		err := s.View(ctx, func(ctx context.Context, r store.Reader) (err error) {
			page, err = r.Pending(ctx, b.owner, 0, crowdPage)
			return err
		})
		if err != nil {
			return err
		}
		if len(page) == 0 && over {
			return nil
		}
		if len(page) == 0 {
			select {
			case <-b.wake:
			case <-finished:
			}
			continue
		}
		b.pages++
		for _, m := range page {
			if m.Seq <= b.last[m.Conversation] {
				return fmt.Errorf("conversation %d: number %d was offered after %d", m.Conversation, m.Seq, b.last[m.Conversation])
			}
			b.last[m.Conversation] = m.Seq
		}
		err = s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			n, err := tx.Acknowledge(ctx, b.owner, page[len(page)-1].ID, epoch)
			if err == nil && n != len(page) {
				return fmt.Errorf("acknowledged %d envelopes of %d offered", n, len(page))
			}
			return err
		})
		if err != nil {
			return err
		}
		b.offered += len(page)
	}
}
