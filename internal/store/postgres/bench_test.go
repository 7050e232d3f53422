package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/testpg"
)

const (
	benchStored        = 200_000
	benchBatch         = 32
	benchAccounts      = 1_000
	benchConversations = 500 // of each kind; groups have 10 members
)

// BenchmarkSend stores batches of messages to random conversations of a database
// that already holds many, one batch after the other. cpu-us/msg is processor
// time of this process; that of the server is not in it.
func BenchmarkSend(b *testing.B) {
	d := newBench(b)
	for _, kind := range []struct {
		name string
		keys func(int) []store.SendKey
	}{{"channel", d.channelKeys}, {"direct", d.directKeys}, {"group", d.groupKeys}} {
		b.Run(kind.name, func(b *testing.B) {
			before, n := cpuTime(b), 0
			for b.Loop() {
				d.send(b, kind.keys(benchBatch))
				n += benchBatch
			}
			b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/1000/float64(n), "cpu-us/msg")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1000/float64(n), "us/msg")
			b.ReportMetric(0, "ns/op")
		})
	}
}

type bench struct {
	store    store.Store
	rng      *rand.Rand
	now      time.Time
	text     string
	named    int // client ids given
	accounts []chat.AccountID
	channels []chat.ConversationID
	groups   []chat.ConversationID
	directs  [][2]chat.AccountID
}

func newBench(b *testing.B) *bench {
	b.Helper()
	dsn := testpg.New(b)
	s, err := open(b.Context(), dsn)
	if err != nil {
		b.Fatalf("open: %v", err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Errorf("close: %v", err)
		}
	})
	d := &bench{
		store: s, rng: rand.New(rand.NewPCG(1, 2)), text: strings.Repeat("parley ", 28),
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if err := s.Update(b.Context(), d.people); err != nil {
		b.Fatalf("fill: %v", err)
	}
	for n := 0; n < benchStored; n += 512 {
		d.send(b, append(d.channelKeys(256), d.directKeys(256)...))
	}
	if _, err := raw(b, dsn).ExecContext(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatalf("vacuum: %v", err)
	}
	return d
}

// people makes accounts, one space with channels, direct conversations, groups.
func (d *bench) people(ctx context.Context, tx store.Tx) error {
	first, err := tx.NextID(ctx, 1+benchAccounts+3*benchConversations)
	next := func() int64 { first++; return first - 1 }
	space := &chat.Space{ID: chat.SpaceID(next()), Name: "bench", CreatedAt: d.now, UpdatedAt: d.now}
	errs := []error{err, tx.InsertSpace(ctx, space)}
	var members []chat.Member
	for i := range benchAccounts {
		name := fmt.Sprintf("agent-%d", i)
		a := &chat.Account{
			ID: chat.AccountID(next()), Kind: chat.KindAgent, MadeBy: chat.SurfaceAgentChat, Username: name, NameKey: name,
			Handle: name, DisplayName: name, State: chat.StateActive, Guarded: true, CreatedAt: d.now, UpdatedAt: d.now,
		}
		d.accounts = append(d.accounts, a.ID)
		members = append(members, chat.Member{Account: a.ID, Role: chat.RoleMember, JoinedSeq: 1, JoinedAt: d.now})
		errs = append(errs, tx.InsertAccount(ctx, a, ""), tx.InsertSpaceMember(ctx,
			chat.SpaceMember{Space: space.ID, Account: a.ID, Grants: chat.EntEveryone, JoinedAt: d.now}, nil))
	}
	for i := range benchConversations {
		channel := &chat.Channel{ID: chat.ConversationID(next()), Space: space.ID, CreatedAt: d.now, UpdatedAt: d.now}
		low, high := chat.Pair(d.accounts[i], d.accounts[(i+137)%benchAccounts])
		direct := &chat.Conversation{
			ID: chat.ConversationID(next()), Kind: chat.ConversationDirect, Low: low, High: high,
			Initiator: low, OpenedAt: d.now, Established: true, CreatedAt: d.now,
		}
		group := &chat.Conversation{ID: chat.ConversationID(next()), Kind: chat.ConversationGroup, CreatedAt: d.now}
		at := i * 10 % (benchAccounts - 10)
		d.channels = append(d.channels, channel.ID)
		d.directs = append(d.directs, [2]chat.AccountID{low, high})
		d.groups = append(d.groups, group.ID)
		errs = append(errs, tx.InsertChannel(ctx, channel), tx.InsertDirect(ctx, direct),
			tx.InsertGroup(ctx, group, members[at:at+10]))
	}
	return errors.Join(errs...)
}

func (d *bench) channelKeys(n int) []store.SendKey { return d.keys(n, d.channels, false) }

func (d *bench) groupKeys(n int) []store.SendKey { return d.keys(n, d.groups, true) }

func (d *bench) keys(n int, from []chat.ConversationID, named bool) []store.SendKey {
	keys := make([]store.SendKey, n)
	for i := range keys {
		at := d.rng.IntN(len(from))
		keys[i] = store.SendKey{Author: d.accounts[at*10%(benchAccounts-10)], Conversation: from[at]}
		if named {
			keys[i].ClientID = d.clientID()
		}
	}
	return keys
}

func (d *bench) directKeys(n int) []store.SendKey {
	keys := make([]store.SendKey, n)
	for i := range keys {
		pair := d.directs[d.rng.IntN(len(d.directs))]
		keys[i] = store.SendKey{Author: pair[0], Peer: pair[1], ClientID: d.clientID()}
	}
	return keys
}

func (d *bench) clientID() string {
	d.named++
	return fmt.Sprintf("%032x", d.named)
}

func (d *bench) send(b *testing.B, keys []store.SendKey) {
	b.Helper()
	err := d.store.Send(b.Context(), store.Batch{
		Keys:   keys,
		Decide: func(f *store.SendFacts) store.Writes { return d.decide(keys, f) },
	})
	if err != nil {
		b.Fatalf("send: %v", err)
	}
}

// decide takes every message.
func (d *bench) decide(keys []store.SendKey, f *store.SendFacts) store.Writes {
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

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatalf("getrusage: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
