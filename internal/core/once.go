package core

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// # Requests with an idempotency key
//
// Begin and End enclose an operation that a client may retry under a key (AC 2.8).
// What an operation of perform answers is remembered in its transaction, as data,
// and a retry is answered from it: fn does not run, no rate is taken, no policy is
// met. Its errors, and those of all other operations, are remembered by End.
//
// Of an operation that succeeds without perform only the fingerprint is remembered,
// and a retry runs it again: these are the ones that repeating does not change, such
// as leases, and those whose result holds an API key.
//
// The lock in memory keeps two requests with one key apart. The transaction of
// perform looks for the record once more, so a request that outlives its lock does
// not take effect a second time either.
const (
	onceLife    = 24 * time.Hour
	onceLock    = 60 * time.Second
	onceKeyMin  = 8
	onceKeyMax  = 128
	onceLongest = 256 << 10 // bytes of a result as data: a body of 64 KiB is shorter
)

// Once is one request with an idempotency key. It is for one goroutine.
type Once struct {
	name        onceName
	fingerprint [32]byte
	since       time.Time
	found       *outcome // what the request came to before, nil if nothing is remembered
	replayed    bool
	kept        bool // perform has remembered the outcome
}

// Replayed tells whether the request was answered from memory. Nil is a request
// without a key.
func (o *Once) Replayed() bool { return o != nil && o.replayed }

// replays tells whether the request was answered before and its effects stand.
func (o *Once) replays() bool { return o != nil && o.found != nil && o.found.Result != nil }

// onceName is where a key counts.
type onceName struct {
	account chat.AccountID
	key     string
}

// outcome is what is remembered: a result, or an error, or only that the request
// was made.
type outcome struct {
	Result json.RawMessage `json:",omitempty"`
	Error  *chat.Error     `json:",omitempty"`
}

// onces are the keys of requests that run.
type onces struct {
	mu      sync.Mutex
	running map[onceName]*Once
}

func newOnces() *onces { return &onces{running: make(map[onceName]*Once)} }

// lock takes a key for a request, unless another that began less than a minute ago
// has it.
func (l *onces) lock(o *Once) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if other := l.running[o.name]; other != nil && o.since.Before(other.since.Add(onceLock)) {
		return false
	}
	l.running[o.name] = o
	return true
}

// unlock lets go of a key, unless another request has taken it over.
func (l *onces) unlock(o *Once) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[o.name] == o {
		delete(l.running, o.name)
	}
}

// Begin prepares a call of an agent that came with an idempotency key; fingerprint
// is the SHA-256 of all that tells the request from others. It fails with the error
// that the same request met before, or with account_off, once_invalid,
// once_conflict or once_running; else the operation is to be called, and then End.
// While the database cannot be read the call goes on as if it had no key.
func (s *Service) Begin(ctx context.Context, c *Call, key string, fingerprint [32]byte) error {
	if err := c.agent(); err != nil {
		return err
	}
	if !validOnce(key) {
		return chat.Fail(chat.CodeOnceInvalid)
	}
	o := &Once{name: onceName{c.Actor.Account, key}, fingerprint: fingerprint, since: s.now()}
	if !s.onces.lock(o) {
		return chat.Fail(chat.CodeOnceRunning)
	}
	err := s.store.View(ctx, func(ctx context.Context, r store.Reader) error { return o.find(ctx, r, o.since) })
	var refused *chat.Error
	switch {
	case errors.As(err, &refused):
		s.onces.unlock(o)
		return refused
	case err != nil:
		s.onces.unlock(o)
		s.log.WarnContext(ctx, "idempotency key not looked up", "request_id", c.RequestID, "error", err)
		return nil
	}
	c.Once = o
	if o.found != nil && o.found.Error != nil {
		s.onces.unlock(o)
		o.replayed = true
		return o.found.Error
	}
	return nil
}

// validOnce tells whether a key has the form of AC 2.8.
func validOnce(key string) bool {
	if len(key) < onceKeyMin || len(key) > onceKeyMax {
		return false
	}
	for i := range len(key) {
		switch b := key[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '_', b == '-':
		default:
			return false
		}
	}
	return true
}

// find looks up what the request came to before; once_conflict if its key was used
// for another one.
func (o *Once) find(ctx context.Context, r store.Reader, now time.Time) error {
	o.found = nil
	known, err := r.Replay(ctx, o.name.account, o.name.key)
	if errors.Is(err, store.ErrNotFound) || err == nil && !now.Before(known.At.Add(onceLife)) {
		return nil
	}
	if err != nil {
		return err
	}
	if known.Fingerprint != o.fingerprint {
		return chat.Fail(chat.CodeOnceConflict)
	}
	var found outcome
	if err := json.Unmarshal(known.Outcome, &found); err != nil {
		return err
	}
	o.found = &found
	return nil
}

// End lets go of the key that Begin took, and remembers an error that the operation
// came to. It must follow every Begin that did not fail, whatever happened between.
func (s *Service) End(ctx context.Context, c *Call, err error) {
	o := c.Once
	if o == nil {
		return
	}
	defer s.onces.unlock(o)
	if o.kept || o.found != nil {
		return
	}
	var came outcome
	if err != nil {
		if came.Error = lasting(err); came.Error == nil {
			return
		}
	}
	// The client may have gone and will ask again all the same.
	failed := s.update(context.WithoutCancel(ctx), "remember outcome", func(ctx context.Context, ch *change) error {
		// A request that took the key over may have been faster.
		if err := o.find(ctx, ch, ch.at); err != nil || o.found != nil {
			return err
		}
		return o.save(ctx, ch, came)
	})
	if failed != nil && chat.CodeOf(failed) != chat.CodeOnceConflict {
		s.log.WarnContext(ctx, "outcome of an idempotency key not remembered", "request_id", c.RequestID, "error", failed)
	}
}

// lasting returns the error that a request came to, nil if it came to none: what is
// the server's trouble, or tells the client to come back, must run again. The cause
// is for the log and left out.
func lasting(err error) *chat.Error {
	var e *chat.Error
	if !errors.As(err, &e) || e.RetryAfter > 0 {
		return nil
	}
	switch e.Code {
	case chat.CodeInternal, chat.CodeUnavailable, chat.CodeRefreshDown, chat.CodeStorageUnreached,
		chat.CodeCodeUndelivered:
		return nil
	}
	bare := *e
	bare.Cause = nil
	return &bare
}

// save remembers an outcome.
func (o *Once) save(ctx context.Context, ch *change, came outcome) error {
	document, err := json.Marshal(came)
	if err != nil {
		return err
	}
	return ch.SaveReplay(ctx, store.Replay{
		Account: o.name.account, Key: o.name.key, Fingerprint: o.fingerprint, Outcome: document, At: ch.at,
	})
}

// replay fills result with what the request was answered before.
func (o *Once) replay(result any) error {
	o.replayed = true
	if result == nil {
		return nil
	}
	return json.Unmarshal(o.found.Result, result)
}

// perform is update for an operation that may be retried under an idempotency
// key. result, a pointer or nil, is what the operation answers: it is remembered
// in the same transaction, and a retry finds it filled without fn having run. So it
// must survive JSON.
func (s *Service) perform(
	ctx context.Context, c Call, doing string, result any, fn func(ctx context.Context, ch *change) error,
) error {
	o := c.Once
	if o == nil {
		return s.update(ctx, doing, fn)
	}
	if !o.replays() {
		err := s.update(ctx, doing, func(ctx context.Context, ch *change) error { return o.perform(ctx, ch, result, fn) })
		if err != nil {
			o.kept = false
			return err
		}
	}
	if !o.replays() {
		return nil
	}
	if err := o.replay(result); err != nil {
		return chat.Internal("read remembered result", err)
	}
	return nil
}

// perform runs fn and remembers the result, unless another request with the key
// was faster.
func (o *Once) perform(
	ctx context.Context, ch *change, result any, fn func(ctx context.Context, ch *change) error,
) error {
	o.kept = false
	if err := o.find(ctx, ch, ch.at); err != nil || o.replays() {
		return err
	}
	if err := fn(ctx, ch); err != nil {
		return err
	}
	document, err := json.Marshal(result)
	if err != nil {
		return err
	}
	if len(document) > onceLongest {
		return nil
	}
	o.kept = true
	return o.save(ctx, ch, outcome{Result: document})
}
