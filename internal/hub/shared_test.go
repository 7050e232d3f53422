package hub_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/chat"
	"parley/internal/hub"
)

func TestBytesAreEncodedOncePerSurface(t *testing.T) {
	t.Parallel()
	surfaces := []chat.Surface{chat.SurfaceOpenCord, chat.SurfaceAgentChat, chat.SurfaceAIClient, chat.SurfaceArgon}
	for range 1_000 {
		e := &hub.Shared{Event: chat.Event{Position: 42}}
		var encoded atomic.Int32
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 4 * len(surfaces) {
			surface := surfaces[i%len(surfaces)]
			wg.Go(func() {
				<-start
				got := string(e.Bytes(surface, func(e *chat.Event) []byte {
					encoded.Add(1)
					return fmt.Appendf(nil, "%v %d", surface, e.Position)
				}))
				if want := fmt.Sprintf("%v 42", surface); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
		close(start)
		wg.Wait()
		if got := encoded.Load(); int(got) != len(surfaces) {
			t.Fatalf("encoded %d times, want %d", got, len(surfaces))
		}
	}
}

func TestNoBytesIsAnAnswerToo(t *testing.T) {
	t.Parallel()
	e, calls := &hub.Shared{}, 0
	for range 2 {
		got := e.Bytes(chat.SurfaceArgon, func(*chat.Event) []byte { calls++; return nil })
		if got != nil || calls != 1 {
			t.Errorf("got %q after %d calls, want nothing after 1", got, calls)
		}
	}
}
