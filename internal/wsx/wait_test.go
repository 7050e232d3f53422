package wsx_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"parley/internal/wsx"
)

func TestWaitGoesNoFasterThanThePeerReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
		frame := []byte(strings.Repeat("x", 100)) // 132 with what its place costs
		const most = 3 * 132
		sent := 0
		done := make(chan error, 1)
		go func() {
			for sent < 20 {
				if err := p.conn.Wait(most); err != nil {
					done <- err
					return
				}
				_ = p.conn.Send(frame)
				sent++
			}
			done <- nil
		}()
		synctest.Wait()
		if sent != 4 {
			t.Errorf("before the peer has read: sent %d frames, want 4", sent)
		}
		for range 20 {
			client.want(t, "1:"+string(frame))
		}
		if err := <-done; err != nil || sent != 20 {
			t.Errorf("sent %d frames, %v, want 20", sent, err)
		}
		_ = client.Close()
	})
}

func TestWaitEndsWithTheConnection(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*peer, *raw){
		"closed":           func(p *peer, _ *raw) { p.conn.Close(wsx.CodeNormal, "") },
		"peer gone":        func(_ *peer, client *raw) { _ = client.Close() },
		"nothing was read": func(*peer, *raw) { time.Sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
				_ = p.conn.Send([]byte("never read"))
				done := make(chan error, 1)
				go func() { done <- p.conn.Wait(0) }()
				synctest.Wait()
				end(p, client)
				if err := <-done; !errors.Is(err, wsx.ErrClosed) {
					t.Errorf("Wait = %v, want %v", err, wsx.ErrClosed)
				}
				if err := p.conn.Wait(1 << 20); !errors.Is(err, wsx.ErrClosed) {
					t.Errorf("Wait afterwards = %v, want %v", err, wsx.ErrClosed)
				}
				_ = client.Close()
			})
		})
	}
}

func TestUnreadTellsWhatTheReaderHasNotSeen(t *testing.T) {
	t.Parallel()
	reading, goOn := make(chan struct{}), make(chan struct{})
	p, client := connect(t, newGroup(t, wsx.Options{}), func(p *peer) {
		p.onMessage = func([]byte, bool) { reading <- struct{}{}; <-goOn }
	})
	write := func() {
		if err := client.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat("x", 2000))); err != nil {
			t.Error(err)
		}
	}
	write()
	<-reading
	if p.conn.Unread() {
		t.Error("with nothing sent since: Unread = true, want false")
	}
	write()
	deadline := time.Now().Add(10 * time.Second)
	for !p.conn.Unread() { // until the system has brought it over
		if time.Now().After(deadline) {
			t.Fatal("with a message behind: Unread = false, want true")
		}
	}
	goOn <- struct{}{}
	<-reading
	if p.conn.Unread() {
		t.Error("with everything read: Unread = true, want false")
	}
	close(goOn)
}

func TestFlushWritesInTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, client := dialRaw(t, newGroup(t, wsx.Options{}), "", nil)
		_ = p.conn.Queue([]byte("one"))
		_ = p.conn.Queue([]byte("two"))
		synctest.Wait()
		flushed := false
		go func() {
			p.conn.Flush()
			flushed = true
		}()
		synctest.Wait()
		if flushed {
			t.Error("Flush returned before the peer had read")
		}
		p.conn.Flush() // somebody is at it
		client.want(t, "1:one")
		client.want(t, "1:two")
		synctest.Wait()
		if !flushed {
			t.Error("Flush did not return when nothing waited")
		}
		p.conn.Flush()
		p.conn.Close(wsx.CodeNormal, "")
		client.want(t, "8:1000 ")
		if err := p.conn.Queue([]byte("late")); !errors.Is(err, wsx.ErrClosed) {
			t.Errorf("Queue = %v, want %v", err, wsx.ErrClosed)
		}
		p.conn.Flush()
		_ = client.Close()
	})
}
