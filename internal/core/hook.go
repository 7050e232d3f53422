package core

import "context"

// address finds out who is not to be told live of the events of a change, and
// queues them for the webhooks of those who are.
func (c *change) address(context.Context) error { return nil }
