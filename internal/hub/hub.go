package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"parley/internal/bus"
	"parley/internal/chat"
)

// Why a subscription ends or does not begin. Next and Subscribe return them as
// they are or wrapped; use errors.Is.
var (
	// ErrSlow: the subscriber did not keep up. It may resume where it was.
	ErrSlow = errors.New("subscriber too slow")
	// ErrRevoked: the account or credential may not listen any more.
	ErrRevoked = errors.New("access revoked")
	// ErrClosed: the hub, or the subscription itself, was closed.
	ErrClosed = errors.New("subscription closed")
	// ErrPosition: the position cannot be resumed from, because too much has
	// happened since or because nothing was ever there.
	ErrPosition = errors.New("position out of range")
)

// Refill is what the hub asks of the store. Each call sees everything that was
// committed before it began.
type Refill interface {
	// Changes returns the events after a position, ascending, at most limit: all
	// of them, each as it was published. No event is ever committed at or below
	// a position that Changes has returned.
	Changes(ctx context.Context, after chat.Position, limit int) ([]chat.Event, error)
	// LastPosition is the highest position drawn so far.
	LastPosition(ctx context.Context) (chat.Position, error)
	// SpacesOf lists the spaces an account is a member of.
	SpacesOf(ctx context.Context, account chat.AccountID) ([]chat.SpaceID, error)
	// MayListen tells whether the account exists and may act, and whether the
	// credential, unless it is 0, is still its own and live.
	MayListen(ctx context.Context, account chat.AccountID, credential chat.CredentialID) (bool, error)
}

// Options tune a Hub. Zero fields take the value named.
type Options struct {
	// QueueEvents and QueueBytes bound what waits for one subscriber: 1,024
	// events, about 1 MiB. A single event always fits.
	QueueEvents, QueueBytes int
	// RingEvents and RingBytes bound the recent events kept in memory for those
	// who resume: 8,192 events, about 16 MiB.
	RingEvents, RingBytes int
	// Replay is how many changes of the whole server are read from the store,
	// at most, for one subscriber to resume: 100,000.
	Replay int
	// Ended, if set, is called with ErrSlow, ErrRevoked or ErrClosed for each
	// subscription that the hub ends. It must not block.
	Ended func(reason error)
	// Log is told when the store cannot be read while healing; nil: nobody.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *int
		value int
	}{
		{&o.QueueEvents, 1_024},
		{&o.QueueBytes, 1 << 20},
		{&o.RingEvents, 8_192},
		{&o.RingBytes, 16 << 20},
		{&o.Replay, 100_000},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if o.Ended == nil {
		o.Ended = func(error) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Hub keeps the subscriptions of one node. All methods are safe for concurrent use.
type Hub struct {
	refill  Refill
	options Options

	heal   chan struct{} // holds a token when a gap waits for the healer
	healed chan struct{} // closed when the healer has returned
	cancel context.CancelFunc
	stop   func() // of the bus
	once   sync.Once

	mu       sync.Mutex
	closed   bool
	count    int           // of subscriptions
	seen     chat.Position // everything up to here has been dispatched
	ring     ring
	accounts map[chat.AccountID]*account
	spaces   map[chat.SpaceID]*space
	loading  map[*account]struct{} // the accounts that are not ready

	healing bool         // deliveries go to held
	gap     bool         // something was lost before held
	held    []chat.Event // bounded like the ring
}

// New subscribes a hub to the bus and reads the most recent events from the
// store, at most as many as the ring holds; ctx ends that reading. The caller
// closes the hub before the bus and the store.
func New(ctx context.Context, b bus.Bus, refill Refill, o Options) (*Hub, error) {
	o = o.withDefaults()
	last, err := refill.LastPosition(ctx)
	if err != nil {
		return nil, fmt.Errorf("read last position: %w", err)
	}
	// At most one event has each position, so this many fit the ring.
	start := max(0, last-chat.Position(o.RingEvents))
	h := &Hub{
		refill:   refill,
		options:  o,
		heal:     make(chan struct{}, 1),
		healed:   make(chan struct{}),
		seen:     start,
		ring:     newRing(o.RingEvents, o.RingBytes, start),
		accounts: map[chat.AccountID]*account{},
		spaces:   map[chat.SpaceID]*space{},
		loading:  map[*account]struct{}{},
		healing:  true, // until the store has been read
		gap:      true,
	}
	h.stop = b.Subscribe(h.handle)
	if err := h.catchUp(ctx); err != nil {
		h.stop()
		return nil, fmt.Errorf("read recent events: %w", err)
	}
	background, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	go h.healer(background)
	return h, nil
}

// Len returns the number of subscriptions.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.count
}

// Close ends all subscriptions with ErrClosed and leaves the bus. It returns
// when nothing of the hub runs any more, and may be called more than once.
func (h *Hub) Close() {
	h.once.Do(func() {
		var f fanout
		h.mu.Lock()
		h.closed = true
		for _, a := range h.accounts {
			for _, s := range a.subscriptions {
				f.end(s, ErrClosed)
			}
		}
		h.settle(&f)
		h.mu.Unlock()
		h.flush(&f)
		h.cancel()
		h.stop()
		<-h.healed
	})
}
