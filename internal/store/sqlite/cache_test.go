package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"parley/internal/chat"
	"parley/internal/store"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
)

// What batches are told must be what the database says, however sends, refused
// sends and other writes follow each other.
func TestFactsOfBatchesEqualTheDatabase(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := newCacheWorld(t, rand.New(rand.NewPCG(seed, 0)))
	for range 1500 {
		switch w.dice.IntN(14) {
		case 4:
			w.announce()
		case 5:
			w.writeInUpdate()
		case 0:
			w.setBlock()
		case 1:
			w.changeAccount()
		case 2:
			w.moveMember()
		case 3:
			w.failUpdate()
		default:
			w.send()
		}
	}
}

type cacheWorld struct {
	t        *testing.T
	dice     *rand.Rand
	store    *sqlite.Store
	accounts []chat.AccountID
	space    chat.SpaceID
	group    chat.ConversationID
	file     chat.AttachmentID
	channels []chat.ConversationID
	directs  []chat.ConversationID
	inside   map[chat.AccountID]bool
}

func newCacheWorld(t *testing.T, dice *rand.Rand) *cacheWorld {
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.Path(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	w := &cacheWorld{t: t, dice: dice, store: s, inside: make(map[chat.AccountID]bool)}
	at := time.UnixMilli(1)
	w.update(func(ctx context.Context, tx store.Tx) error {
		w.file = 1 << 50
		first, err := tx.NextID(ctx, 21)
		if err != nil {
			return err
		}
		next := func() int64 { first++; return first - 1 }
		for range 6 {
			id := chat.AccountID(next())
			name := fmt.Sprint("a", id)
			w.accounts = append(w.accounts, id)
			a := &chat.Account{
				ID: id, Kind: chat.KindAgent, MadeBy: chat.SurfaceOpenCord, Username: name, NameKey: name, Handle: name,
				State: chat.StateActive, CreatedAt: at, UpdatedAt: at,
			}
			if err := tx.InsertAccount(ctx, a, ""); err != nil {
				return err
			}
		}
		w.space = chat.SpaceID(next())
		sp := &chat.Space{ID: w.space, MadeBy: chat.SurfaceOpenCord, Name: "s", Owner: w.accounts[0], InviteCode: "x", CreatedAt: at, UpdatedAt: at}
		if err := tx.InsertSpace(ctx, sp); err != nil {
			return err
		}
		g := &chat.Group{Conversation: chat.Conversation{ID: chat.ConversationID(next()), Kind: chat.ConversationGroup, CreatedAt: at}, Name: "g"}
		w.group = g.ID
		if err := tx.InsertGroup(ctx, g, []chat.Member{{Account: w.accounts[0], JoinedAt: at}, {Account: w.accounts[1], JoinedAt: at}}); err != nil {
			return err
		}
		for range 2 {
			c := &chat.Channel{ID: chat.ConversationID(next()), Space: w.space, Name: "c", CreatedAt: at, UpdatedAt: at}
			w.channels = append(w.channels, c.ID)
			if err := tx.InsertChannel(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *cacheWorld) update(fn func(ctx context.Context, tx store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatalf("update: %v", err)
	}
}

func pick[T any](dice *rand.Rand, list []T) T { return list[dice.IntN(len(list))] }

func (w *cacheWorld) setBlock() {
	e := store.Edge{Owner: pick(w.dice, w.accounts), Target: pick(w.dice, w.accounts)}
	set := store.Tx.SetBlock
	if w.dice.IntN(2) == 0 {
		set = store.Tx.SetContact
	}
	w.update(func(ctx context.Context, tx store.Tx) error {
		return set(tx, ctx, e, time.UnixMilli(1), w.dice.IntN(2) == 0)
	})
}

func (w *cacheWorld) changeAccount() {
	id := pick(w.dice, w.accounts)
	w.update(func(ctx context.Context, tx store.Tx) error {
		a, err := tx.Account(ctx, id)
		if err != nil {
			return err
		}
		a.Guarded, a.Disabled = w.dice.IntN(2) == 0, w.dice.IntN(4) == 0
		a.Muting, a.Hooks = w.dice.IntN(2) == 0, chat.HookEvents(w.dice.IntN(4))
		return tx.UpdateAccount(ctx, a)
	})
}

func (w *cacheWorld) moveMember() {
	id := pick(w.dice, w.accounts)
	w.update(func(ctx context.Context, tx store.Tx) error {
		if w.inside[id] {
			return tx.DeleteSpaceMember(ctx, w.space, id)
		}
		return tx.InsertSpaceMember(ctx, chat.SpaceMember{Space: w.space, Account: id, Grants: chat.EntEveryone, JoinedAt: time.UnixMilli(1)}, nil)
	})
	w.inside[id] = !w.inside[id]
}

// announce makes an attachment.
func (w *cacheWorld) announce() {
	w.file++
	w.update(func(ctx context.Context, tx store.Tx) error {
		return tx.InsertAttachment(ctx, &chat.Attachment{ID: w.file, Uploader: w.accounts[0], Peer: w.accounts[1], CreatedAt: time.UnixMilli(1), ExpiresAt: time.UnixMilli(2)})
	})
}

// writeInUpdate stores a message past Send.
func (w *cacheWorld) writeInUpdate() {
	id := pick(w.dice, append([]chat.ConversationID{w.group}, w.channels...))
	w.update(func(ctx context.Context, tx store.Tx) error {
		c, err := tx.Conversation(ctx, id)
		if err != nil {
			return err
		}
		n, err := tx.NextID(ctx, 1)
		if err != nil {
			return err
		}
		c.LastSeq++
		c.LastAt = time.UnixMilli(c.LastSeq)
		m := &chat.Message{ID: chat.MessageID(n), Conversation: c.ID, Seq: c.LastSeq, Author: w.accounts[0], Kind: chat.MessageSystem, CreatedAt: c.LastAt}
		return tx.Write(ctx, &store.Writes{Moved: []*chat.Conversation{c}, Messages: []*chat.Message{m}})
	})
}

// failUpdate changes a fact and takes it back.
func (w *cacheWorld) failUpdate() {
	refused := errors.New("refused")
	err := w.store.Update(w.t.Context(), func(ctx context.Context, tx store.Tx) error {
		if err := tx.SetBlock(ctx, store.Edge{Owner: w.accounts[0], Target: w.accounts[1]}, time.UnixMilli(1), true); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) {
		w.t.Fatalf("update: %v, want it refused", err)
	}
}

// send stores up to five messages at once and compares the facts it was given.
func (w *cacheWorld) send() {
	keys := make([]store.SendKey, 1+w.dice.IntN(5))
	for i := range keys {
		keys[i] = w.key()
	}
	var want *store.SendFacts
	err := w.store.View(w.t.Context(), func(ctx context.Context, r store.Reader) error {
		var err error
		want, err = r.SendFacts(ctx, keys)
		return err
	})
	if err != nil {
		w.t.Fatalf("read facts: %v", err)
	}
	refuse := w.dice.IntN(5) == 0
	err = w.store.Send(w.t.Context(), store.Batch{
		Keys: keys,
		Decide: func(f *store.SendFacts) store.Writes {
			want.FirstID = f.FirstID
			if diff := cmp.Diff(want, f); diff != "" {
				w.t.Fatalf("facts for %+v (-database +given):\n%s", keys, diff)
			}
			writes := w.decide(keys, f)
			if refuse {
				return store.Writes{} // what was moved forward must not be remembered
			}
			return writes
		},
	})
	if err != nil {
		w.t.Fatalf("send: %v", err)
	}
}

func (w *cacheWorld) key() store.SendKey {
	k := store.SendKey{Author: pick(w.dice, w.accounts)}
	if w.dice.IntN(8) == 0 {
		k.Attachment = w.file - chat.AttachmentID(w.dice.IntN(2)) // the first one is nobody's
	}
	switch to := w.dice.IntN(7); {
	case to == 0 || to == 1 && len(w.directs) == 0:
		for k.Peer == 0 || k.Peer == k.Author {
			k.Peer = pick(w.dice, w.accounts)
		}
	case to == 1:
		k.Conversation = pick(w.dice, w.directs)
	case to == 2:
		k.Conversation = 1 << 40 // nothing has this id
	case to == 3:
		k.Conversation = w.group
	default:
		k.Conversation = pick(w.dice, w.channels)
	}
	if w.dice.IntN(3) == 0 {
		k.ClientID = fmt.Sprint("id", w.dice.IntN(200))
	}
	return k
}

// decide stores a message for each key that has somewhere to go, and moves the
// facts forward as the real rules do.
func (w *cacheWorld) decide(keys []store.SendKey, f *store.SendFacts) store.Writes {
	var out store.Writes
	next := f.FirstID
	id := func() int64 { next++; return next - 1 }
	moved := make(map[chat.ConversationID]bool)
	for _, k := range keys {
		conv := f.Conversations[k.Conversation]
		if k.Peer != 0 {
			low, high := chat.Pair(k.Author, k.Peer)
			conv = f.Conversations[f.Directs[[2]chat.AccountID{low, high}]]
			if conv == nil {
				conv = &chat.Conversation{ID: chat.ConversationID(id()), Kind: chat.ConversationDirect, Low: low, High: high, CreatedAt: time.UnixMilli(1)}
				f.Conversations[conv.ID], f.Directs[[2]chat.AccountID{low, high}] = conv, conv.ID
				out.Directs = append(out.Directs, conv)
				moved[conv.ID] = true
				w.directs = append(w.directs, conv.ID)
			}
		}
		replay := store.ReplayKey{Author: k.Author, ClientID: k.ClientID}
		if conv == nil || k.ClientID != "" && f.Replays[replay] != nil {
			continue
		}
		conv.LastSeq++
		conv.LastAt = time.UnixMilli(conv.LastSeq)
		if !moved[conv.ID] {
			moved[conv.ID] = true
			out.Moved = append(out.Moved, conv)
		}
		m := &chat.Message{
			ID: chat.MessageID(id()), Conversation: conv.ID, Seq: conv.LastSeq, Author: k.Author, ClientID: k.ClientID,
			Kind: chat.MessageText, Text: "x", CreatedAt: conv.LastAt,
		}
		f.Replays[replay] = m
		out.Messages = append(out.Messages, m)
		if conv.Kind == chat.ConversationDirect && conv.Joins(k.Author) && conv.LastSeq == 2 {
			for _, e := range []store.Edge{{Owner: conv.Low, Target: conv.High}, {Owner: conv.High, Target: conv.Low}} {
				if !f.Contacts[e] {
					f.Contacts[e] = true
					out.Contacts = append(out.Contacts, e)
				}
			}
		}
	}
	out.At = time.UnixMilli(1)
	return out
}
