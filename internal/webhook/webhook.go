package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

const (
	maxRuns     = 32 // hooks that are delivered to at once
	maxAttempts = 64 // under way at once: one of each run, and what they have room for beside
	runSize     = 8  // deliveries of one claim
	runTime     = 20 * time.Second
	lifetime    = 45 * time.Second // of a claim: longer than runTime and one more attempt
	timeout     = 10 * time.Second
	// longestNap is how long the loop sleeps at most: the clock of the machine may
	// have been set meanwhile.
	longestNap = time.Minute
	// retryPause is how long the loop waits after the store has failed it.
	retryPause = time.Second
)

// Encoder words deliveries in the form of one surface. It works from the delivery
// alone, since things may have changed since, and is safe for concurrent use.
type Encoder interface {
	// Body is what is sent. It is asked inside a transaction, so it is quick.
	Body(d *chat.Delivery) ([]byte, error)
	// Header is what goes with d.Body, signed with the secret of the hook, in an
	// attempt at a time.
	Header(d *chat.Delivery, secret []byte, at time.Time) http.Header
}

// Core is what the worker needs of the rules.
type Core interface {
	// HookSecret opens the secret of a hook.
	HookSecret(h *chat.Hook) ([]byte, error)
	// DeliveredByHooks notes, by recipient, messages that a receiver took.
	DeliveredByHooks(ctx context.Context, taken map[chat.AccountID][]chat.MessageID) error
	// Connected tells whether an account has an open socket.
	Connected(account chat.AccountID) bool
}

// Client makes guarded calls: it follows no redirects and reaches no private
// address. *netguard.Client is one.
type Client interface {
	Do(r *http.Request) (*http.Response, error)
}

// Attempt is what Observe is told of.
type Attempt struct {
	Surface chat.Surface
	Wake    bool
	Err     error // nil: the receiver took it
	Took    time.Duration
}

// Config is what a worker is made from. Store, Client, Forms and Log are needed.
type Config struct {
	Store   store.Store
	Client  Client
	Forms   map[chat.Surface]Form
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
	Timeout time.Duration    // of one attempt; 0: ten seconds
	// Random is from 0 to below 1; nil: math/rand. The loop alone calls it.
	Random func() float64
	// Observe is told of every attempt that ended, from several goroutines; nil:
	// nobody is.
	Observe func(Attempt)
}

// Worker delivers. Queued and Wake may be called from the moment it is made; what
// they tell of is looked at once it has started.
type Worker struct {
	Config

	core     Core
	queued   chan struct{} // holds one token when there may be something due
	outcomes chan outcome
	pokes    *pokes

	attempts context.Context // of all attempts; ends when Stop loses its patience
	abort    context.CancelFunc
	stopping chan struct{}
	stop     sync.Once
	running  sync.WaitGroup // the loop and all it began
}

// New makes a worker that has not started.
func New(cfg Config) *Worker {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = timeout
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if cfg.Observe == nil {
		cfg.Observe = func(Attempt) {}
	}
	now := cfg.Now
	cfg.Now = func() time.Time { return now().UTC().Truncate(time.Millisecond) }
	w := &Worker{
		Config: cfg, queued: make(chan struct{}, 1), outcomes: make(chan outcome), pokes: newPokes(),
		stopping: make(chan struct{}),
	}
	w.attempts, w.abort = context.WithCancel(context.Background())
	return w
}

// Start begins to deliver.
func (w *Worker) Start(core Core) {
	w.core = core
	w.Queued() // what an earlier run left
	w.running.Go(w.loop)
}

// Stop ends it: nothing more is claimed, attempts under way may end until ctx does,
// and what came of them is recorded. It returns when nothing runs any more. It may
// be called again, and if Start never was.
func (w *Worker) Stop(ctx context.Context) {
	w.stop.Do(func() { close(w.stopping) })
	impatient := context.AfterFunc(ctx, w.abort)
	defer impatient()
	w.running.Wait()
	w.abort()
}

// Queued has the worker look for deliveries that are due.
func (w *Worker) Queued() {
	select {
	case w.queued <- struct{}{}:
	default:
	}
}
