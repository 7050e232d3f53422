package wsx_test

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/wsx"
)

func TestASlowReaderIsCutAndToldSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{SendBuffer: 1000, SlowReason: "too slow"}), "", nil)
		if err := p.conn.Send([]byte("first")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the writer has the first frame and waits for the peer
		sent := 0
		var err error
		for err == nil {
			err = p.conn.Send(make([]byte, 100))
			sent++
		}
		if !errors.Is(err, wsx.ErrSlow) || sent != 8 { // 37 + 7 * 132 bytes fit
			t.Errorf("send %d = %v, want %v at the 8th", sent, err, wsx.ErrSlow)
		}
		client.want(t, "1:first") // it was under way; the rest is dropped
		client.want(t, "8:1013 too slow")
		_ = client.Close()
		why := p.end(t)
		wantCloseError(t, why, wsx.CloseError{Code: 1013, Reason: "too slow", Cause: wsx.ErrSlow})
		if !errors.Is(why, wsx.ErrSlow) {
			t.Errorf("errors.Is(%v, ErrSlow) = false", why)
		}
	})
}

func TestWhatIsWrittenNoLongerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{SendBuffer: 100_000}), "", nil)
		frame := make([]byte, 60_000) // each fits, two do not; larger than the scratch
		for range 5 {
			if err := p.conn.Send(frame); err != nil {
				t.Fatal(err)
			}
			client.want(t, "1:"+string(frame))
			synctest.Wait()
		}
	})
}

func TestAPeerThatNeverReadsDelaysNobody(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end       func(*peer)
		low, high time.Duration
		want      error
	}{
		"closed":        {func(p *peer) { p.conn.Close(1000, "") }, time.Second, 5 * time.Second, nil},
		"write timeout": {func(*peer) {}, 10 * time.Second, 10 * time.Second, os.ErrDeadlineExceeded},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, _ := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
				start := time.Now()
				if err := p.conn.Send([]byte("x")); err != nil {
					t.Fatal(err)
				}
				test.end(p)
				why := p.end(t)
				if took := time.Since(start); !within(took, test.low, test.high) {
					t.Errorf("ended after %v, want %v to %v", took, test.low, test.high)
				}
				if test.want != nil && !errors.Is(why, test.want) {
					t.Errorf("ended with %v, want %v", why, test.want)
				}
			})
		})
	}
}

func TestNoPongEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
		start := time.Now()
		client.want(t, "9:")
		if took := time.Since(start); !within(took, 44*time.Second, 45*time.Second) {
			t.Errorf("ping after %v, want 45s", took)
		}
		client.want(t, "8:1001 Heartbeat timeout")
		if took := time.Since(start); !within(took, 74*time.Second, 75*time.Second) {
			t.Errorf("closed after %v, want 75s", took)
		}
		_ = client.Close()
		wantCloseError(t, p.end(t), wsx.CloseError{Code: 1001, Reason: "Heartbeat timeout", Cause: wsx.ErrHeartbeat})
	})
}

func TestPongsKeepTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, wsx.Options{})
		p, client := dialRaw(t, g, "", nil)
		for range 10 {
			client.want(t, "9:")
			time.Sleep(29 * time.Second) // of the bubble's clock
			if _, err := io.WriteString(client, masked(0x8A, "")); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if got := p.pongCount(); got != 10 {
			t.Errorf("%d pongs told, want 10", got)
		}
		if got := g.Len(); got != 1 {
			t.Errorf("Len = %d, want 1", got)
		}
	})
}

func TestPingsDoNotPileUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
		for _, n := range []string{"1", "2", "3", "4"} {
			if _, err := io.WriteString(client, masked(0x89, n)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		client.want(t, "a:1") // was under way when the others came
		client.want(t, "a:4")
		p.conn.Close(1000, "")
		client.want(t, "8:1000 ")
	})
}

func TestCloseAllSpreadsTheCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, wsx.Options{})
		start := time.Now()
		var wg sync.WaitGroup
		var mu sync.Mutex
		at := map[time.Duration]int{}
		for range 4 {
			_, client := dialRaw(t, g, "", nil)
			wg.Go(func() {
				client.want(t, "8:1001 Server shutting down")
				mu.Lock()
				at[time.Since(start)]++
				mu.Unlock()
				_, _ = io.WriteString(client, masked(0x88, "\x03\xe9"))
			})
		}
		if err := g.CloseAll(t.Context(), 1001, "Server shutting down", 2*time.Second); err != nil {
			t.Errorf("CloseAll = %v", err)
		}
		wg.Wait()
		for i := range 4 {
			if when := time.Duration(i) * time.Second / 2; at[when] != 1 {
				t.Errorf("closed at %v, want one at %v", at, when)
			}
		}
		if got := g.Len(); got != 0 {
			t.Errorf("Len = %d, want 0", got)
		}
		if _, err := g.Upgrade(nil, upgradeRequest()); !errors.Is(err, wsx.ErrClosed) {
			t.Errorf("Upgrade after CloseAll = %v, want %v", err, wsx.ErrClosed)
		}
	})
}

func TestCloseAllWaitsNoLongerThanItMay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t, wsx.Options{})
		for range 3 {
			_, _ = dialRaw(t, g, "", nil) // never reads
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		if err := g.CloseAll(ctx, 1001, "bye", 10*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("CloseAll = %v, want %v", err, context.DeadlineExceeded)
		}
		if took := time.Since(start); took != 500*time.Millisecond {
			t.Errorf("took %v, want 500ms", took)
		}
		if got := g.Len(); got != 0 {
			t.Errorf("Len = %d, want 0", got)
		}
	})
}
