package secret

import "context"

// Occupy takes a slot of h until release is called.
func (h *Hasher) Occupy(ctx context.Context) (release func(), err error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { h.slots.Release(1) }, nil
}

// Canonical parses a hash and writes it again, without the cost of hashing.
func Canonical(hash string) (text string, memory, time uint32, threads uint8, err error) {
	e, err := parseEncoded(hash)
	if err != nil {
		return "", 0, 0, 0, err
	}
	return e.String(), e.cost.memory, e.cost.time, e.cost.threads, nil
}
