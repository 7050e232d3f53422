package inproc

import (
	"sync"

	"parley/internal/bus"
	"parley/internal/chat"
)

// subscriber is one handler with what waits for it.
type subscriber struct {
	wake chan struct{} // holds a token while there may be something to take
	quit chan struct{} // closed by stop
	done chan struct{} // closed when run has returned
	once sync.Once

	mu     sync.Mutex
	queue  [][]chat.Event
	events int  // in queue
	gap    bool // something was dropped before queue
}

// push appends a run and returns how many events had to go for it.
func (s *subscriber) push(run []chat.Event, limit int) (lost int) {
	s.mu.Lock()
	if s.events > 0 && s.events+len(run) > limit {
		lost = s.events
		s.queue, s.events, s.gap = nil, 0, true
	}
	s.queue = append(s.queue, run)
	s.events += len(run)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return lost
}

// pop takes the oldest run that waits.
func (s *subscriber) pop() (d bus.Delivery, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return bus.Delivery{}, false
	}
	d = bus.Delivery{Events: s.queue[0], Gap: s.gap}
	s.queue[0] = nil // the rest of the array lives on, this run need not
	s.queue = s.queue[1:]
	s.events -= len(d.Events)
	s.gap = false
	if len(s.queue) == 0 {
		s.queue = nil
	}
	return d, true
}

func (s *subscriber) run(handle func(bus.Delivery)) {
	defer close(s.done)
	for {
		select {
		case <-s.quit:
			return
		case <-s.wake:
		}
		for d, ok := s.pop(); ok; d, ok = s.pop() {
			select {
			case <-s.quit:
				return
			default:
				handle(d)
			}
		}
	}
}

// stop ends run and returns when it has ended.
func (s *subscriber) stop() {
	s.once.Do(func() { close(s.quit) })
	<-s.done
}
