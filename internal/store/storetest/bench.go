package storetest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	benchStored   = 200_000
	benchBatch    = 32
	benchAccounts = 1_000
	benchChannels = 500
	benchDirects  = 1_000
	benchGroups   = 500 // of 10
)

// Bench is a database with many messages, and sends to store on top of them.
type Bench struct {
	store    store.Store
	rng      *rand.Rand
	now      time.Time
	text     string
	named    int64 // client ids given
	accounts []chat.AccountID
	channels []chat.ConversationID
	groups   []chat.ConversationID
	directs  [][2]chat.AccountID
}

// BenchWork is one kind of message; Batch makes the keys of the next batch, to
// random conversations.
type BenchWork struct {
	Name  string
	Batch func() []store.SendKey
}

// NewBench fills an empty store.
func NewBench(b *testing.B, s store.Store) *Bench {
	b.Helper()
	d := &Bench{
		store: s, rng: rand.New(rand.NewPCG(1, 2)), text: strings.Repeat("parley ", 28),
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if err := s.Update(b.Context(), d.people); err != nil {
		b.Fatalf("fill: %v", err)
	}
	for n := 0; n < benchStored; n += 500 {
		var keys []store.SendKey
		for len(keys) < 500 {
			keys = append(append(keys, d.channelKeys()...), d.directKeys()...)
		}
		if err := d.Send(b.Context(), keys); err != nil {
			b.Fatalf("fill: %v", err)
		}
	}
	return d
}

// Works lists the kinds of message.
func (d *Bench) Works() []BenchWork {
	return []BenchWork{{"channel", d.channelKeys}, {"direct", d.directKeys}, {"group", d.groupKeys}}
}

// Measure stores batches, one after the other. cpu-us/msg is processor time of
// this process per message, the figure to compare: the time of a disk is its own,
// and what a database server spends is not in it.
func (d *Bench) Measure(b *testing.B, batch func() error) {
	b.Helper()
	d.drain(b)
	before, n := cpuTime(b), 0
	for b.Loop() {
		if err := batch(); err != nil {
			b.Fatalf("send: %v", err)
		}
		n += benchBatch
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1000/float64(n), "cpu-us/msg")
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "msg/s")
}

// Facts reads what is known of all conversations.
func (d *Bench) Facts(b *testing.B) *store.SendFacts {
	b.Helper()
	var keys []store.SendKey
	for _, id := range slices.Concat(d.channels, d.groups) {
		keys = append(keys, store.SendKey{Author: d.accounts[0], Conversation: id})
	}
	for _, pair := range d.directs {
		keys = append(keys, store.SendKey{Author: pair[0], Peer: pair[1]})
	}
	var facts *store.SendFacts
	err := d.store.View(b.Context(), func(ctx context.Context, r store.Reader) (err error) {
		facts, err = r.SendFacts(ctx, keys)
		return err
	})
	if err != nil {
		b.Fatalf("read conversations: %v", err)
	}
	return facts
}

// people makes accounts, one space with channels, direct conversations, groups.
func (d *Bench) people(ctx context.Context, tx store.Tx) error {
	first, err := tx.NextID(ctx, benchAccounts+1+benchChannels+benchDirects+benchGroups)
	if err != nil {
		return err
	}
	next := func() int64 { first++; return first - 1 }
	var members []chat.Member
	for i := range benchAccounts {
		name := fmt.Sprintf("agent-%d", i)
		a := &chat.Account{
			ID: chat.AccountID(next()), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: name, NameKey: name,
			Handle: name, DisplayName: name, State: chat.StateActive, Guarded: true, CreatedAt: d.now, UpdatedAt: d.now,
		}
		if err := tx.InsertAccount(ctx, a, ""); err != nil {
			return err
		}
		d.accounts = append(d.accounts, a.ID)
		members = append(members, chat.Member{Account: a.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: d.now})
	}
	space := &chat.Space{ID: chat.SpaceID(next()), Name: "bench", Owner: d.accounts[0], CreatedAt: d.now, UpdatedAt: d.now}
	if err := tx.InsertSpace(ctx, space); err != nil {
		return err
	}
	for _, id := range d.accounts {
		m := chat.SpaceMember{Space: space.ID, Account: id, Grants: chat.EntEveryone, JoinedAt: d.now}
		if err := tx.InsertSpaceMember(ctx, m, nil); err != nil {
			return err
		}
	}
	for range benchChannels {
		c := &chat.Channel{ID: chat.ConversationID(next()), Space: space.ID, CreatedAt: d.now, UpdatedAt: d.now}
		if err := tx.InsertChannel(ctx, c); err != nil {
			return err
		}
		d.channels = append(d.channels, c.ID)
	}
	for i := range benchDirects {
		low, high := chat.Pair(d.accounts[i], d.accounts[(i+137)%benchAccounts])
		c := &chat.Conversation{
			ID: chat.ConversationID(next()), Kind: chat.ConversationDirect, Low: low, High: high,
			Initiator: low, OpenedAt: d.now, Established: true, CreatedAt: d.now,
		}
		if err := tx.InsertDirect(ctx, c); err != nil {
			return err
		}
		d.directs = append(d.directs, [2]chat.AccountID{low, high})
	}
	for i := range benchGroups {
		g := &chat.Group{
			Conversation: chat.Conversation{ID: chat.ConversationID(next()), Kind: chat.ConversationGroup, CreatedAt: d.now},
			MadeBy:       chat.SurfaceAgentChat, Name: "group", ByInvitation: true,
		}
		at := i * 10 % (benchAccounts - 10)
		g.CreatedBy = members[at].Account
		if err := tx.InsertGroup(ctx, g, members[at:at+10]); err != nil {
			return err
		}
		d.groups = append(d.groups, g.ID)
	}
	return nil
}

// drain acknowledges everything: the index of what is pending is small in life.
func (d *Bench) drain(b *testing.B) {
	b.Helper()
	err := d.store.Update(b.Context(), func(ctx context.Context, tx store.Tx) error {
		for _, id := range d.accounts {
			if _, err := tx.Acknowledge(ctx, id, math.MaxInt64, time.Unix(0, 0)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatalf("acknowledge: %v", err)
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatalf("getrusage: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (d *Bench) channelKeys() []store.SendKey { return d.namedKeys(d.channels, "") }

func (d *Bench) groupKeys() []store.SendKey { return d.namedKeys(d.groups, "group") }

func (d *Bench) namedKeys(from []chat.ConversationID, client string) []store.SendKey {
	keys := make([]store.SendKey, benchBatch)
	for i := range keys {
		n := d.rng.IntN(len(from))
		keys[i] = store.SendKey{Author: d.accounts[n%benchAccounts], Conversation: from[n]}
		if client != "" {
			keys[i].ClientID = d.clientID()
		}
	}
	return keys
}

func (d *Bench) directKeys() []store.SendKey {
	keys := make([]store.SendKey, benchBatch)
	for i := range keys {
		pair := d.directs[d.rng.IntN(len(d.directs))]
		keys[i] = store.SendKey{Author: pair[0], Peer: pair[1], ClientID: d.clientID()}
	}
	return keys
}

func (d *Bench) clientID() string {
	d.named++
	return fmt.Sprintf("%032x", d.named)
}

// Send stores one batch.
func (d *Bench) Send(ctx context.Context, keys []store.SendKey) error {
	return d.store.Send(ctx, store.Batch{
		Keys:   keys,
		Decide: func(f *store.SendFacts) store.Writes { return d.Decide(keys, f) },
	})
}

// Decide takes every message.
func (d *Bench) Decide(keys []store.SendKey, f *store.SendFacts) store.Writes {
	d.now = d.now.Add(time.Millisecond)
	w := store.Writes{At: d.now}
	moved := make(map[*chat.Conversation]bool, len(keys))
	for i, k := range keys {
		id := k.Conversation
		if id == 0 {
			low, high := chat.Pair(k.Author, k.Peer)
			id = f.Directs[[2]chat.AccountID{low, high}]
		}
		c := f.Conversations[id]
		c.LastSeq++
		if c.LastAt = c.LastAt.Add(time.Millisecond); c.LastAt.Before(d.now) {
			c.LastAt = d.now
		}
		if !moved[c] {
			moved[c], w.Moved = true, append(w.Moved, c)
		}
		m := &chat.Message{
			ID: chat.MessageID(f.FirstID + int64(i)), Conversation: id, Seq: c.LastSeq, Author: k.Author,
			ClientID: k.ClientID, Kind: chat.MessageText, Text: d.text, CreatedAt: c.LastAt,
		}
		w.Messages = append(w.Messages, m)
		recipients := f.Members[id]
		if c.Kind == chat.ConversationDirect {
			recipients = []chat.AccountID{c.Peer(k.Author)}
		}
		for _, r := range recipients {
			if r != k.Author {
				w.Envelopes = append(w.Envelopes, chat.Envelope{Message: m.ID, Recipient: r, Conversation: id, Seq: m.Seq})
			}
		}
	}
	return w
}
