// Package core holds the rules of the chat platform. It is the only place that
// decides who may do what: dialects translate words, stores keep rows.
//
// # Order of checks
//
// Every operation goes through the same steps: request limit and credential
// (Admit), account state (gate), and then, inside one transaction, replay,
// visible, permitted, held input error, input limits, policy, write, events. So
// an outsider with a bad body is told that it is an outsider, and a rule is never
// decided on a fact that has moved.
//
// # Writes
//
// Writes are serialised by the store (package store, "Write order"). The Service
// holds one turn from the beginning of a write until its events are published, so
// the order of publishing is the order of writing. Messages do not go through the
// turn one by one: the sender collects those that wait and stores them as a batch.
//
// # Goroutines
//
// New starts the sender, the janitor and, if wanted, the support bot; Close stops the intake, lets the queued
// sends finish and waits for both. The caches in front of the store (tokens,
// pending counts) are told of every change before the operation that caused it
// returns.
package core

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/bus"
	"parley/internal/chat"
	"parley/internal/ratelimit"
	"parley/internal/secret"
	"parley/internal/store"
)

// Config is what a Service is built from. Store, Bus, Hasher and Log are needed.
type Config struct {
	Store  store.Store
	Bus    bus.Bus
	Hasher *secret.Hasher
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
	// Retention is how long undelivered messages are offered; 0: for ever (AC 14.1).
	Retention time.Duration
	// LimitsOff lifts the request, login and send rates, for load tests. Caps,
	// policy, backlog and sizes stay.
	LimitsOff bool
	// Observe is told about finished batches of sends; nil: nobody is.
	Observe func(BatchStats)

	// What the core needs of the world outside; without one, what needs it is
	// refused: codes_undelivered, storage_unreached, hook_unreachable.
	Mailer Mailer
	Blobs  Blobs
	Links  Links
	Hooks  Hooks // nil: what is queued for webhooks waits
	// FixedCode, six digits, is what every mailed code is, and no mail is sent: for
	// tests only. "" draws codes.
	FixedCode string
	// Welcome makes the system agent greet every agent that registers through
	// /v1 (AC 23.2).
	Welcome bool
}

// Mailer hands codes over to a mail system.
type Mailer interface {
	// MailCode returns when the mail is accepted or on disk.
	MailCode(ctx context.Context, m CodeMail) error
}

// CodeMail is a code on its way to an address.
type CodeMail struct {
	Purpose CodePurpose
	Address string
	Code    string // six digits
	Handle  string // the account's, "" if there is none (yet)
	Life    time.Duration
}

// Blobs keeps pictures and files under keys. Its errors are *chat.Error where the
// caller of an operation is at fault, else anything.
type Blobs interface {
	// Avatar decodes a picture of any accepted format and returns it square, small
	// and without metadata: image_empty, image_format, image_decode, image_small,
	// image_processing.
	Avatar(ctx context.Context, picture []byte) (encoded []byte, err error)
	// Put stores content that must have this size and SHA-256: body_too_large,
	// upload_size, upload_checksum.
	Put(ctx context.Context, key string, content io.Reader, size int64, sha256 [32]byte) error
	// Has tells whether there is content under a key.
	Has(ctx context.Context, key string) (bool, error)
	// Delete removes what is under a key, if anything.
	Delete(ctx context.Context, key string) error
}

// Links judges the destinations of webhooks.
type Links interface {
	// CheckURL fails unless deliveries to the URL would be tried: with hook_blocked for
	// an address that may not be called, with anything else for a URL that cannot be.
	CheckURL(ctx context.Context, url string) error
}

// BatchStats describes one finished batch of sends.
type BatchStats struct {
	Size   int
	Reruns int // how often the batch, or a half of it, had to run again
	Took   time.Duration
}

// Service is the chat core. All methods are safe for concurrent use.
type Service struct {
	store     store.Store
	bus       bus.Bus
	hasher    *secret.Hasher
	log       *slog.Logger
	now       func() time.Time
	limitsOff bool

	turn    chan struct{} // held while writing and publishing
	tokens  *tokenCache
	used    *lastUsed
	pending *pendingCounts
	handles *handles
	sender  *sender

	retention time.Duration // of envelopes that wait
	expired   atomic.Int64  // when they were last looked at, Unix milliseconds
	acks      *ackBatch

	mailer  Mailer
	blobs   Blobs
	links   Links
	hooks   Hooks
	welcome bool
	fixed   string        // Config.FixedCode
	vault   *secret.Vault // seals what must be shown or used again
	rates   *rates
	mails   *codeMails
	onces   *onces
	live    *presences
	leases  *leases

	refreshes *refreshes
	tickets   *tickets
	support   *support

	requests map[chat.Surface]*ratelimit.Fixed
	logins   *ratelimit.Fixed
	// One login at a time per client and address, told apart by a hash.
	loginTurns [256]chan struct{}
	seed       maphash.Seed

	stop    context.CancelFunc
	running sync.WaitGroup
	purge   chan struct{} // wakes the janitor
}

// New builds a Service and starts its goroutines. Close ends them.
func New(cfg Config) (*Service, error) {
	if cfg.Store == nil || cfg.Bus == nil || cfg.Hasher == nil || cfg.Log == nil {
		return nil, fmt.Errorf("core: store, bus, hasher and log are needed")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Observe == nil {
		cfg.Observe = func(BatchStats) {}
	}
	if cfg.Hooks == nil {
		cfg.Hooks = noHooks{}
	}
	key, err := cfg.Store.IDKey(context.Background())
	if err != nil {
		return nil, fmt.Errorf("core: read the key: %w", err)
	}
	s := &Service{
		store: cfg.Store, bus: cfg.Bus, hasher: cfg.Hasher, log: cfg.Log, limitsOff: cfg.LimitsOff,
		retention: cfg.Retention,
		now:       func() time.Time { return cfg.Now().UTC().Truncate(time.Millisecond) },
		turn:      make(chan struct{}, 1),
		tokens:    newTokenCache(),
		used:      newLastUsed(),
		pending:   newPendingCounts(),
		handles:   newHandles(),
		mailer:    cfg.Mailer, blobs: cfg.Blobs, links: cfg.Links, hooks: cfg.Hooks, welcome: cfg.Welcome, fixed: cfg.FixedCode,
		vault:  secret.NewVault(key),
		rates:  newRates(),
		mails:  newCodeMails(),
		onces:  newOnces(),
		live:   newPresences(),
		leases: newLeases(),

		refreshes: newRefreshes(),
		tickets:   newTickets(),
		support:   newSupport(),

		requests: map[chat.Surface]*ratelimit.Fixed{
			chat.SurfaceOpenCord: ratelimit.NewFixed(time.Minute, maxBuckets),
			chat.SurfaceAIClient: ratelimit.NewFixed(time.Minute, maxBuckets),
		},
		logins: ratelimit.NewFixed(loginWindow, maxBuckets),
		seed:   maphash.MakeSeed(),
		purge:  make(chan struct{}, 1),
	}
	for i := range s.loginTurns {
		s.loginTurns[i] = make(chan struct{}, 1)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.sender = newSender(s, cfg.Observe)
	s.running.Go(s.sender.run)
	s.acks = newAckBatch(s)
	s.running.Go(s.acks.run)
	s.running.Go(func() { s.janitor(ctx) })
	s.running.Go(func() { s.attend(ctx) })
	if s.welcome {
		s.running.Go(func() { s.answerCommands(ctx) })
	}
	return s, nil
}

// Close stops taking sends, answers those that were taken, flushes what is kept
// in memory and waits for the Service's goroutines. The store is the caller's.
func (s *Service) Close() {
	s.sender.close()
	s.acks.close()
	s.stop()
	s.running.Wait()
}
