package core

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/chat"
)

func waitingSend(author chat.AccountID) *queuedSend {
	return &queuedSend{sendItem: &sendItem{author: author}, done: make(chan struct{})}
}

// lingered is how long a sender waits that has had a batch of so many authors, while
// one of them has something waiting and then happens.
func lingered(t *testing.T, crowd int, then func(sn *sender)) time.Duration {
	t.Helper()
	var took time.Duration
	synctest.Test(t, func(t *testing.T) {
		sn := newSender(nil, nil)
		sn.crowd = crowd
		if err := sn.enqueue(waitingSend(1)); err != nil {
			t.Fatalf("enqueue: %v", err)
		}
		happened := make(chan struct{})
		time.AfterFunc(time.Millisecond, func() {
			then(sn)
			close(happened)
		})
		began := time.Now()
		sn.linger()
		took = time.Since(began)
		<-happened
	})
	return took
}

func TestLinger(t *testing.T) {
	t.Parallel()
	nothing := func(*sender) {}
	for _, tc := range []struct {
		name  string
		crowd int
		then  func(sn *sender)
		want  time.Duration
	}{
		{"the last batch did not go to many", 0, nothing, 0},
		{"the only author is here", 1, nothing, 0},
		{"the other one comes", 2, func(sn *sender) { _ = sn.enqueue(waitingSend(2)) }, time.Millisecond},
		{"the same one comes again", 2, func(sn *sender) { _ = sn.enqueue(waitingSend(1)) }, lingerMost},
		{"nobody comes", 2, nothing, lingerMost},
		{"the sender is closed", 2, (*sender).close, time.Millisecond},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := lingered(t, tc.crowd, tc.then); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// Who is waited for is decided by the rows of the last batch.
func TestCrowdIsOfBatchesThatGoToMany(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ envelopes, want int }{{lingerRows / 4, 0}, {lingerRows, 2}} {
		sn := newSender(nil, nil)
		sn.sizes[crew] = tc.envelopes
		for _, author := range []chat.AccountID{ann, ben} {
			q := waitingSend(author)
			q.ctx, q.in.Conversation = t.Context(), crew
			if err := sn.enqueue(q); err != nil {
				t.Fatalf("enqueue: %v", err)
			}
		}
		if sn.take(); sn.crowd != tc.want {
			t.Errorf("%d envelopes each: got a crowd of %d, want %d", tc.envelopes, sn.crowd, tc.want)
		}
	}
}
