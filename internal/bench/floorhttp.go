package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"parley/internal/httpx"
	"parley/internal/id"
)

const (
	floorBodyLimit = 65536
	floorRate      = "400"
	floorInstant   = "2006-01-02T15:04:05.000Z"
)

// floorHTTP does for a send what the server does outside its core: the same
// middlewares and router, the look-up of the key, the body read, the ids opened
// and sealed, an answer of the same form and size. Behind it there is nothing.
type floorHTTP struct {
	server  *http.Server
	listen  net.Listener
	served  chan error
	ids     *id.Codec
	senders map[[sha256.Size]byte]int64
	first   int64 // id of the first conversation
	last    atomic.Int64
}

// The body of a message as /api shows it (OC 4.8).
type floorMessage struct {
	ID        string      `json:"id"`
	Content   string      `json:"content"`
	AuthorID  string      `json:"author_id"`
	ChannelID string      `json:"channel_id"`
	Edited    bool        `json:"edited"`
	CreatedAt string      `json:"created_at"`
	UpdatedAt *string     `json:"updated_at"`
	Author    floorAuthor `json:"author"`
}

type floorAuthor struct {
	ID          string `json:"id"`
	Username    string `json:"username"`
	DisplayName string `json:"display_name"`
	IsAgent     bool   `json:"is_agent"`
}

type floorResponse struct {
	Message floorMessage `json:"message"`
}

func beginHTTP(ctx context.Context, b *brief) (subject, error) {
	codec, err := id.NewCodec(b.Fixture.IDKey)
	if err != nil {
		return nil, err
	}
	f := &floorHTTP{
		ids: codec, senders: make(map[[sha256.Size]byte]int64), served: make(chan error, 1),
		first: b.Fixture.FirstConversation,
	}
	f.last.Store(b.Fixture.FirstMessage + int64(b.Fixture.Rows))
	for i, token := range b.Fixture.Tokens {
		f.senders[sha256.Sum256([]byte(token))] = b.Fixture.FirstSender + int64(i)
	}
	if f.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	// The timeouts of the server's public listener: each costs a little.
	f.server = &http.Server{
		Handler: f.handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
	go func() { f.served <- f.server.Serve(f.listen) }()
	return f, nil
}

func (f *floorHTTP) address() string { return f.listen.Addr().String() }

func (f *floorHTTP) drive(context.Context, pace) (*slice, error) {
	return nil, errors.New("is driven from outside")
}

func (f *floorHTTP) stop() error {
	err := f.server.Close()
	if served := <-f.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// handler is the chain of the opencord dialect, with send in place of its routes.
func (f *floorHTTP) handler() http.Handler {
	unknown := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	mux := httpx.NewMux([]httpx.Route{
		{Method: http.MethodPost, Path: "/api/channels/{id}/messages", Handler: http.HandlerFunc(f.send)},
		{Method: http.MethodPost, Path: "/api/dm/{id}/messages", Handler: http.HandlerFunc(f.send)},
	}, unknown, unknown)
	cors := httpx.CORS{
		Origin: "*", Expose: "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After",
	}
	headers := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			next.ServeHTTP(w, r)
		})
	}
	guard := httpx.Guard{
		Log:    slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	}
	observe := httpx.Observe(httpx.NewClients(nil), func(httpx.Record) {})
	return observe(httpx.RequestIDs(headers(guard.Wrap(cors.Wrap(mux)))))
}

func (f *floorHTTP) send(w http.ResponseWriter, r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	sender := f.senders[sha256.Sum256([]byte(token))]
	now := time.Now().UTC()
	h := w.Header()
	h.Set("X-RateLimit-Limit", floorRate)
	h.Set("X-RateLimit-Remaining", floorRate)
	h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Truncate(time.Minute).Add(time.Minute).Unix(), 10))
	if !ok || sender == 0 || !httpx.Bucket(httpx.ClientAddr(r.Context())).IsValid() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	uuid, ok := id.ParseUUID(r.PathValue("id"))
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	conversation, ok := f.ids.Open(id.KindConversation, uuid)
	if !ok || conversation < f.first {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	body, err := httpx.ReadObject(r, floorBodyLimit, false)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	content, _ := body.String("content")
	author := f.ids.Seal(id.KindAccount, sender).String()
	name := fmt.Sprintf("bench%d", sender)
	err = httpx.WriteJSON(w, http.StatusCreated, floorResponse{floorMessage{
		ID: f.ids.Seal(id.KindMessage, f.last.Add(1)).String(), Content: content, AuthorID: author,
		ChannelID: f.ids.Seal(id.KindConversation, conversation).String(), CreatedAt: now.Format(floorInstant),
		Author: floorAuthor{ID: author, Username: name, DisplayName: name, IsAgent: true},
	}})
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}
