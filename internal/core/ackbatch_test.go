package core_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/internal/bus/inproc"
	"parley/internal/chat"
	"parley/internal/core"
	"parley/internal/secret"
	"parley/internal/store"
	"parley/internal/store/sqlite"
	"parley/internal/store/sqlite/sqlitetest"
)

// ackStore notes acknowledgements, in the transactions they came in, instead of
// storing them.
type ackStore struct {
	store.Store

	began chan struct{} // told of each transaction
	goOn  chan struct{} // which ends when this is closed, or sent to

	mu      sync.Mutex
	written [][]store.EnvelopeKey
	fail    error
}

func (s *ackStore) Acknowledge(_ context.Context, keys []store.EnvelopeKey, _ time.Time) (map[chat.AccountID]int, error) {
	s.began <- struct{}{}
	<-s.goOn
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	s.written = append(s.written, slices.Clone(keys))
	return nil, nil
}

func newAckService(t *testing.T) (*core.Service, *ackStore) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), sqlite.Options{
		Path: sqlitetest.Path(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	st := &ackStore{Store: db, began: make(chan struct{}, 100), goOn: make(chan struct{})}
	bus := inproc.New(inproc.Options{})
	s, err := core.New(core.Config{
		Store: st, Bus: bus, Hasher: secret.NewTestHasher(1), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	t.Cleanup(func() {
		s.Close()
		if err := errors.Join(bus.Close(), db.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, st
}

func TestAcknowledgementsOfManyAreOneTransaction(t *testing.T) {
	t.Parallel()
	s, st := newAckService(t)
	s.Delivered(1, 1)
	<-st.began // and while that one is written:
	const many = 1_000
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { s.Delivered(chat.AccountID(i+2), chat.MessageID(i)) })
	}
	all.Wait()
	close(st.goOn)
	s.Close()
	if len(st.written) != 2 || len(st.written[1]) != many {
		t.Errorf("transactions: got %d, want one of 1 and one of %d", len(st.written), many)
	}
}

func TestNoAcknowledgementIsLostWhenMoreComeThanMayWait(t *testing.T) {
	t.Parallel()
	s, st := newAckService(t)
	const many = 70_000 // more than may wait
	messages := make([]chat.MessageID, many)
	for i := range messages {
		messages[i] = chat.MessageID(i + 1)
	}
	done := make(chan struct{})
	go func() {
		s.Delivered(7, messages...)
		close(done)
	}()
	close(st.goOn)
	<-done
	s.Close()
	s.Delivered(7, 1) // after the end: forgotten, and does not wait
	var got []chat.MessageID
	for _, keys := range st.written {
		if len(keys) > 4_000 {
			t.Errorf("one transaction has %d acknowledgements, want at most 4,000", len(keys))
		}
		for _, k := range keys {
			got = append(got, k.Message)
		}
	}
	if !slices.Equal(got, messages) {
		t.Errorf("got %d acknowledgements, want %d in order", len(got), many)
	}
}

func TestAcknowledgementsThatFailHoldUpNobody(t *testing.T) {
	t.Parallel()
	s, st := newAckService(t)
	st.fail = errors.New("disk full")
	s.Delivered(1, 1)
	<-st.began
	st.goOn <- struct{}{}
	s.Delivered(1, 2)
	<-st.began
	st.mu.Lock()
	st.fail = nil
	st.mu.Unlock()
	close(st.goOn)
	s.Close()
	if len(st.written) != 1 || st.written[0][0].Message != 2 {
		t.Errorf("got %v, want the second", st.written)
	}
}
