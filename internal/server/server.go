// Package server is the composition root: it builds everything in order, starts
// it, and stops it in reverse.
//
// # Order
//
// Start takes the lock of the data folder, opens the store, the bus, the core and
// the hub (Backend), opens all addresses, and only then serves. Stop makes the
// server not ready, ends live subscriptions, takes no more requests, waits for
// those in flight, and closes the rest in reverse; the lock goes last. So no
// request meets a part that is not there, and no message that was answered is
// lost.
//
// # Goroutines
//
// One per listener, one that watches the lease of a PostgreSQL database, and
// those of the parts. Stop waits for all of them.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"sync"
	"time"

	"parley/internal/chat"
	"parley/internal/config"
	"parley/internal/core"
	"parley/internal/dialect/agentchat"
	"parley/internal/dialect/aiclient"
	"parley/internal/hub"
	"parley/internal/ops"
	"parley/internal/webhook"
)

// ballastBytes are allocated and never touched, so they cost no memory, but the
// garbage collector counts them: it runs when as much again has been allocated.
// The heap of a small server is a few megabytes and would else be collected dozens
// of times a second under load, for a tenth of its processor time. More would cost
// memory: between rare collections what lives long, such as sockets, comes to lie
// scattered among what has died (64 MB: 3 KB more for each idle socket).
const ballastBytes = 16 << 20

// Server is one Parley server. It is started and stopped once.
type Server struct {
	cfg   config.Config
	log   *slog.Logger
	build Build

	metrics *ops.Metrics
	health  *ops.Health
	backend *Backend
	hub     *hub.Hub
	sockets *agentchat.Surface // nil unless it is served
	hooks   *webhook.Worker

	web, operator, internal *listener // internal is nil unless it is configured

	ballast []byte // see ballastBytes

	failed   chan error // the first failure that ends serving; nil if none
	quit     chan struct{}
	watching sync.WaitGroup
	stop     sync.Once
	stopped  error
}

// New makes a server that is not started. The configuration is checked by Start.
func New(cfg config.Config, log *slog.Logger) *Server {
	return &Server{cfg: cfg, log: log, build: ReadBuild(), failed: make(chan error, 1), quit: make(chan struct{})}
}

// Start opens everything and serves; it returns when requests are answered. ctx
// bounds the start alone. When it fails, everything is closed again.
func (s *Server) Start(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.cfg.Validate(); err != nil {
		return err
	}
	s.ballast = make([]byte, ballastBytes)
	s.metrics = ops.NewMetrics()
	var err error
	s.backend, err = OpenBackend(ctx, BackendConfig{
		Place: s.cfg.Place, LimitsOff: s.cfg.Limits == config.Off, Log: s.log, Purpose: "serve", Create: true,
		Observe: func(b core.BatchStats) { s.metrics.Batch(b.Size, b.Reruns, b.Took) },
		Outside: Outside{
			SMTP: s.cfg.SMTP, MailFrom: s.cfg.MailFrom, FixedCode: string(s.cfg.InsecureCode), Allow: s.cfg.Outgoing(),
			Retention: s.cfg.Retention, Welcome: s.cfg.Welcome == config.On,
		},
		Hooks: s.newDeliverer,
	})
	if err != nil {
		return err
	}
	rules := s.backend.Core
	s.health = ops.NewHealth(func(ctx context.Context) error { _, err := rules.LastPosition(ctx); return err })
	s.hub, err = hub.New(ctx, s.backend.bus, rules, hub.Options{
		Log:   s.log,
		Ended: func(reason error) { s.metrics.ListenerEnded(reason.Error()) },
	})
	if err != nil {
		return err
	}
	if err := rules.EnsureSystem(ctx); err != nil {
		return err
	}
	s.describe()
	if err := s.listen(ctx); err != nil {
		return err
	}
	s.hooks.Start(rules)
	s.watch()
	s.logStart()
	return nil
}

// listen opens all addresses before any is served: one that is taken ends the
// start before a client could have been answered.
func (s *Server) listen(ctx context.Context) (err error) {
	// The page at the root names the address, which is known once it is open.
	web := publicServer(nil, s.log)
	if s.web, err = listen(ctx, "listen", string(s.cfg.Listen), web); err != nil {
		return err
	}
	web.Handler = s.public()
	s.operator, err = listenSocket(ctx, SocketPath(s.cfg.Data), operatorServer(s.backend.Admin(), s.log))
	if err != nil {
		return err
	}
	if address := string(s.cfg.InternalListen); address != "" {
		internal := operatorServer(ops.Internal(s.metrics, s.health), s.log)
		if s.internal, err = listen(ctx, "internal-listen", address, internal); err != nil {
			return err
		}
		s.internal.serve(s.fail)
	}
	s.operator.serve(s.fail)
	s.web.serve(s.fail)
	return nil
}

// newDeliverer makes the worker that sends events to webhooks, each in the form of
// the dialect it was registered through.
func (s *Server) newDeliverer(b *Backend) core.Hooks {
	s.hooks = webhook.New(webhook.Config{
		Store: b.store, Client: b.Guard, Log: s.log,
		Forms: map[chat.Surface]webhook.Form{
			chat.SurfaceAgentChat: {
				Encoder: agentchat.NewEncoder(b.Codec, s.cfg.PublicURL.String()), Policy: webhook.AgentChatPolicy(),
			},
			chat.SurfaceAIClient: {
				Encoder: aiclient.NewEncoder(b.Codec, s.cfg.PublicURL.String(), s.fileLinks(b)), Policy: webhook.AIClientPolicy(),
			},
		},
		Observe: func(a webhook.Attempt) { s.metrics.Attempt(a.Surface.String(), a.Wake, a.Err == nil, a.Took) },
	})
	return s.hooks
}

// describe adds the figures of this server to the metrics.
func (s *Server) describe() {
	s.metrics.Info("parley_build_info", "The program that runs.", map[string]string{
		"version": s.build.Version, "revision": s.build.Revision, "go": s.build.Go,
	})
	s.metrics.Info("parley_store_info", "The engine that keeps the data.", map[string]string{"engine": s.backend.store.Name()})
	s.metrics.Gauge("parley_store_position", "Place of the last change in the order of all changes; its rate is the rate of writes.", func() float64 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		last, err := s.backend.Core.LastPosition(ctx)
		if err != nil {
			return math.NaN()
		}
		return float64(last)
	})
	if s.backend.lease == nil {
		path := databasePath(s.cfg.Data)
		s.metrics.Gauge("parley_store_file_bytes", "Size of the SQLite database file.", func() float64 { return size(path) })
		s.metrics.Gauge("parley_store_log_bytes", "Size of the SQLite write-ahead log.", func() float64 { return size(path + "-wal") })
	}
	s.metrics.Gauge("parley_live_subscriptions", "Clients that listen for live events.", func() float64 { return float64(s.hub.Len()) })
	s.metrics.Gauge("parley_websocket_connections", "Open WebSockets.", func() float64 {
		if s.sockets == nil {
			return 0
		}
		return float64(s.sockets.Sockets())
	})
	s.metrics.Gauge("parley_webhook_dead_letters", "Deliveries that were given up and wait for the operator.", func() float64 {
		dead, _ := s.hookTrouble()
		return dead
	})
	s.metrics.Gauge("parley_webhook_on_hold", "Webhooks that are on hold after failures.", func() float64 {
		_, held := s.hookTrouble()
		return held
	})
}

// hookTrouble counts dead letters and webhooks on hold; NaN while that cannot be read.
func (s *Server) hookTrouble() (dead, held float64) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d, h, err := s.backend.Core.HookTrouble(ctx)
	if err != nil {
		return math.NaN(), math.NaN()
	}
	return float64(d), float64(h)
}

func size(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // the log goes when it is empty
	}
	return float64(info.Size())
}

// watch fails the server when it loses the right to its database.
func (s *Server) watch() {
	lease := s.backend.lease
	if lease == nil {
		return
	}
	s.watching.Go(func() {
		select {
		case <-lease.Lost():
			s.fail(fmt.Errorf("the database may belong to another server by now: %w", lease.Err()))
		case <-s.quit:
		}
	})
}

// fail notes the first reason for which the server cannot go on.
func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default: // there is a reason already
	}
}

// Failed hands out the reason when the server cannot go on. It is still to be
// stopped then.
func (s *Server) Failed() <-chan error { return s.failed }

// Stop answers the requests in flight, closes everything and returns when nothing
// of the server runs any more. It takes as long as the option shutdown-timeout
// says, at most, or until ctx ends; then requests are broken off. Further calls
// return what the first did.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() { s.stopped = s.shutDown(ctx) })
	return s.stopped
}

func (s *Server) shutDown(ctx context.Context) error {
	// A fifth is kept for what comes after the requests: queued sends, the store.
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ShutdownTimeout*4/5)
	defer cancel()
	if s.health != nil {
		s.health.Stopping()
	}
	if s.sockets != nil {
		if err := s.sockets.Stop(ctx); err != nil {
			s.log.Warn("sockets cut off", "error", err)
		}
	}
	if s.hub != nil {
		s.hub.Close() // streams would never end by themselves
	}
	var stopping sync.WaitGroup
	for _, l := range []*listener{s.web, s.operator} {
		if l != nil {
			stopping.Go(func() { l.stop(ctx, s.log) })
		}
	}
	stopping.Wait()
	if s.hooks != nil {
		s.hooks.Stop(ctx)
	}
	if s.internal != nil { // last, so that the end can be watched; a profile is not waited for
		cancel()
		s.internal.stop(ctx, s.log)
	}
	close(s.quit)
	s.watching.Wait()
	if s.backend == nil {
		return nil
	}
	var errs []error
	if s.operator != nil {
		errs = append(errs, removeFiles(SocketPath(s.cfg.Data)))
	}
	return errors.Join(append(errs, s.backend.Close())...)
}

// Addr is the address that is served, with the port that was taken for 0. It is
// nil before Start.
func (s *Server) Addr() *net.TCPAddr {
	if s.web == nil {
		return nil
	}
	return s.web.addr.(*net.TCPAddr)
}

// URL is where a client on this machine reaches the server. It is "" before Start.
func (s *Server) URL() string {
	if s.web == nil {
		return ""
	}
	return localURL(s.Addr())
}

// InternalURL is where metrics and profiles are; "" if they are not served.
func (s *Server) InternalURL() string {
	if s.internal == nil {
		return ""
	}
	return localURL(s.internal.addr.(*net.TCPAddr))
}

// base is the URL that is shown to people: the public one, if there is one.
func (s *Server) base() string {
	if public := s.cfg.PublicURL.String(); public != "" {
		return public
	}
	return s.URL()
}

func localURL(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort(host, fmt.Sprint(addr.Port)))
}
