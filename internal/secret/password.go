// Package secret keeps passwords and tokens so that a stolen database gives
// neither away: passwords as argon2id hashes, which are slow and large to
// guess, tokens as SHA-256 digests, which suffice for 256 random bits.
package secret

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

const (
	saltLen = 16 // bytes
	keyLen  = 32 // bytes
)

// cost is what one hash takes.
type cost struct {
	memory  uint32 // KiB
	time    uint32 // passes over the memory
	threads uint8
}

// Hasher hashes and checks passwords. A hash takes 19 MiB and tens of
// milliseconds of a core, so only a fixed number run at once and the rest wait
// for their turn or for the end of their context. It is safe for concurrent
// use.
type Hasher struct {
	cost  cost
	slots *semaphore.Weighted
}

// NewHasher makes a hasher that runs at most concurrency hashes at once, and
// at least one. The cost is no argument, so that no configuration can make it
// cheap.
func NewHasher(concurrency int) *Hasher {
	return newHasher(cost{memory: 19 * 1024, time: 2, threads: 1}, concurrency)
}

// NewTestHasher makes a hasher whose hashes cost almost nothing and protect
// nothing. Only tests may call it.
func NewTestHasher(concurrency int) *Hasher {
	return newHasher(cost{memory: 64, time: 1, threads: 1}, concurrency)
}

func newHasher(c cost, concurrency int) *Hasher {
	return &Hasher{cost: c, slots: semaphore.NewWeighted(int64(max(1, concurrency)))}
}

// Hash is the password's hash as a PHC string with a fresh salt. The caller
// limits the password's length. It fails only when ctx ends before its turn.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	e := encoded{cost: h.cost, salt: make([]byte, saltLen)}
	rand.Read(e.salt) // never fails: the process ends when the system has no randomness
	key, err := h.derive(ctx, password, e.cost, e.salt, keyLen)
	if err != nil {
		return "", err
	}
	e.key = key
	return e.String(), nil
}

// Verify tells whether hash was made from password, at the cost that stands in
// the hash. An error means that nothing was decided: ctx ended before its turn,
// or hash is no argon2id string within bounds (64 MiB, 8 passes, 4 threads).
func (h *Hasher) Verify(ctx context.Context, hash, password string) (bool, error) {
	e, err := parseEncoded(hash)
	if err != nil {
		return false, fmt.Errorf("read password hash: %w", err)
	}
	key, err := h.derive(ctx, password, e.cost, e.salt, uint32(len(e.key)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, e.key) == 1, nil
}

// VerifyNothing takes as long as Verify of a hash this hasher made. Calling it
// for an unknown account keeps the time of the answer from telling who has
// one. It fails only when ctx ends before its turn.
func (h *Hasher) VerifyNothing(ctx context.Context, password string) error {
	_, err := h.derive(ctx, password, h.cost, make([]byte, saltLen), keyLen)
	return err
}

// derive is the one place that spends memory and time, so it takes the slot.
func (h *Hasher) derive(ctx context.Context, password string, c cost, salt []byte, n uint32) ([]byte, error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for password hashing: %w", err)
	}
	defer h.slots.Release(1)
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.threads, n), nil
}
