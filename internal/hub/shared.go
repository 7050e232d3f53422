package hub

import (
	"sync"
	"sync/atomic"

	"parley/internal/chat"
)

// Shared is one event as all its subscribers share it. Nobody changes it.
type Shared struct {
	Event chat.Event
	size  int                  // roughly what it keeps in memory
	forms atomic.Pointer[form] // a list, newest first: one per surface that asked
}

// form is the event as one surface writes it.
type form struct {
	surface chat.Surface
	bytes   func() []byte
	next    *form
}

// Bytes returns the event as encode writes it for a surface. encode runs once per
// event and surface, however many subscribers ask and at whichever time; those
// who ask meanwhile wait for it. A surface always brings the same encode. The
// result is shared: it must not be changed. nil may mean that the surface does
// not offer the event.
func (e *Shared) Bytes(surface chat.Surface, encode func(*chat.Event) []byte) []byte {
	for {
		head := e.forms.Load()
		for f := head; f != nil; f = f.next {
			if f.surface == surface {
				return f.bytes()
			}
		}
		// Whoever gets the form into the list decides; the others find it there.
		f := &form{
			surface: surface,
			bytes:   sync.OnceValue(func() []byte { return encode(&e.Event) }),
			next:    head,
		}
		if e.forms.CompareAndSwap(head, f) {
			return f.bytes()
		}
	}
}

// The sizes are estimates: of a Shared with its event and some encoded form, and
// of the things it may point to beside their texts.
const (
	sizeShared    = 512
	sizeMessage   = 256
	sizeChannel   = 192
	sizeRecipient = 8
)

func newShared(event *chat.Event) *Shared {
	e := &Shared{Event: *event, size: sizeShared + len(event.Recipients)*sizeRecipient}
	if m := event.Message; m != nil {
		// Once as it is, and once encoded.
		e.size += sizeMessage + 2*(len(m.Text)+len(m.Data)+len(m.Metadata))
	}
	if c := event.Channel; c != nil {
		e.size += sizeChannel + len(c.Name) + len(c.Topic)
	}
	if p := event.Presence; p != nil {
		e.size += len(p.Text)
	}
	return e
}
