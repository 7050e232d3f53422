// Package bus is the contract of the event bus: it carries committed events from
// where they were written to every node's hub and caches.
//
// A bus may lose events, for example while a connection is down; it then says
// so, and subscribers heal themselves from the store. It never reorders what one
// publisher published. It is transport, never the record.
package bus

import "parley/internal/chat"

// Delivery is a run of events in the order in which one node wrote them.
type Delivery struct {
	Events []chat.Event
	// Gap says that deliveries before this one may have been lost.
	Gap bool
}

// Bus connects publishers and subscribers. All methods are safe for concurrent use.
type Bus interface {
	// Publish hands events to every subscriber of every node, this one
	// included. It does not wait for them.
	Publish(events []chat.Event)
	// Subscribe calls handle for each delivery, one at a time, until stop is
	// called. After stop has returned handle is not called any more. handle
	// must not block and must not change the events.
	Subscribe(handle func(Delivery)) (stop func())
	// Close ends all subscriptions and waits for their handlers.
	Close() error
}
