package wsx_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"parley/internal/wsx"
)

// lateClose ends connections that are called late, and counts them.
func lateClose(p *peer, calls *atomic.Int32, d time.Duration) {
	p.conn.Await(d, func() {
		calls.Add(1)
		p.conn.Close(wsx.CodePolicy, "late")
	})
}

func TestAPeerThatSaysNothingIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		began := time.Now()
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", func(p *peer) { lateClose(p, &calls, 5*time.Second) })
		client.want(t, "8:1008 late")
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("called after %v, want 5s", got)
		}
		wantCloseError(t, p.end(t), wsx.CloseError{Code: wsx.CodePolicy, Reason: "late"})
		if n := calls.Load(); n != 1 {
			t.Errorf("called %d times, want once", n)
		}
	})
}

// A message that the server has not come round to reading is not late.
func TestWhoWasNotReadIsNotLate(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	sent, handled := make(chan struct{}), make(chan struct{})
	p, client := connectLater(t, func(p *peer) {
		p.onMessage = func([]byte, bool) { close(handled) }
		<-sent
		for deadline := time.Now().Add(10 * time.Second); !p.conn.Unread(); { // until the system has brought it over
			if time.Now().After(deadline) {
				t.Error("the message did not come")
				return
			}
		}
		lateClose(p, &calls, -time.Second) // over before the reader starts
	}, sent)
	select {
	case <-handled:
	case <-p.conn.Done():
		t.Error("the connection ended before the message was handled")
	}
	if n := calls.Load(); n != 0 {
		t.Errorf("called %d times, want never", n)
	}
	_ = client.CloseNow()
	_ = p.end(t)
}

func TestWhoHasSpokenMayBeSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", func(p *peer) {
			lateClose(p, &calls, time.Second)
			p.onMessage = func([]byte, bool) { time.Sleep(2 * time.Second) } // of the bubble
		})
		if _, err := client.Write([]byte(masked(0x81, "hello"))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		p.conn.Close(wsx.CodeGoingAway, "end")
		client.want(t, "8:1001 end")
		if n := calls.Load(); n != 0 {
			t.Errorf("called %d times, want never", n)
		}
	})
}

// connectLater opens a connection and sends a message before its reader starts.
func connectLater(t *testing.T, setup func(*peer), sent chan<- struct{}) (*peer, *websocket.Conn) {
	t.Helper()
	url, peers := serve(t, newGroup(t, wsx.Options{}), setup)
	client, _, err := websocket.Dial(t.Context(), url, nil) //nolint:bodyclose // the connection's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.CloseNow() })
	if err := client.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	close(sent)
	return <-peers, client
}

// The end of a connection that has not been heard of yet is told to the peer, also when
// the time for its first message is over meanwhile.
func TestACloseIsNotCutByTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", func(p *peer) { lateClose(p, &calls, time.Second) })
		p.conn.Close(wsx.CodeGoingAway, "end")
		time.Sleep(1500 * time.Millisecond) // of the bubble: the peer does not read yet
		client.want(t, "8:1001 end")
		wantCloseError(t, p.end(t), wsx.CloseError{Code: wsx.CodeGoingAway, Reason: "end"})
		if n := calls.Load(); n != 0 {
			t.Errorf("called %d times, want never", n)
		}
	})
}
