package hub

import (
	"sort"

	"parley/internal/chat"
)

// ring holds the events dispatched last: all of those above floor.
type ring struct {
	floor    chat.Position
	slots    []*Shared
	first    int // index of the oldest
	count    int
	bytes    int
	maxBytes int
}

func newRing(events, bytes int, floor chat.Position) ring {
	return ring{floor: floor, slots: make([]*Shared, events), maxBytes: bytes}
}

// at returns number i, counted from the oldest.
func (r *ring) at(i int) *Shared { return r.slots[(r.first+i)%len(r.slots)] }

// add puts the newest event in; the oldest go to make room.
func (r *ring) add(e *Shared) {
	for r.count > 0 && (r.count == len(r.slots) || r.bytes+e.size > r.maxBytes) {
		oldest := r.slots[r.first]
		r.floor = oldest.Event.Position
		r.bytes -= oldest.size
		r.slots[r.first] = nil
		r.first = (r.first + 1) % len(r.slots)
		r.count--
	}
	r.slots[(r.first+r.count)%len(r.slots)] = e
	r.count++
	r.bytes += e.size
}

// after returns up to limit events above a position that is not below floor.
func (r *ring) after(position chat.Position, limit int) []*Shared {
	from := sort.Search(r.count, func(i int) bool { return r.at(i).Event.Position > position })
	events := make([]*Shared, min(limit, r.count-from))
	for i := range events {
		events[i] = r.at(from + i)
	}
	return events
}
