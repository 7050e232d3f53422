package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Timeouts of the public listener. A handler that streams sets deadlines of its
// own for each write, through http.ResponseController, which replace the one for
// the whole answer; a connection that is taken over has none.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = 30 * time.Second // to have read the body
	answerTimeout  = 60 * time.Second // to have written the answer, from the end of the header on
	idleTimeout    = 2 * time.Minute
	maxHeader      = 32 << 10
)

// listener is one address that is served.
type listener struct {
	server  *http.Server
	addr    net.Addr
	socket  net.Listener
	serving bool
	done    chan struct{} // closed when serving has ended
}

// listen opens a TCP address for a server that is not serving yet.
func listen(ctx context.Context, option, address string, server *http.Server) (*listener, error) {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", option, err)
	}
	return &listener{server: server, addr: socket.Addr(), socket: socket, done: make(chan struct{})}, nil
}

// listenSocket opens a socket file that only its owner can reach. It is made
// inside a closed folder and moved to its name, so there is no moment in which
// others could connect, and one that a dead server left behind is replaced. The
// caller holds the lock of the folder.
func listenSocket(ctx context.Context, path string, server *http.Server) (*listener, error) {
	private := filepath.Join(filepath.Dir(path), ".admin")
	if err := errors.Join(os.RemoveAll(private), os.Mkdir(private, 0o700)); err != nil {
		return nil, fmt.Errorf("prepare the admin socket: %w", err)
	}
	defer func() { _ = os.RemoveAll(private) }() // the next start removes it, too
	made := filepath.Join(private, "s")
	socket, err := new(net.ListenConfig).Listen(ctx, "unix", made)
	if err != nil {
		return nil, fmt.Errorf("open the admin socket (a data folder with a very long path cannot hold one): %w", err)
	}
	socket.(*net.UnixListener).SetUnlinkOnClose(false) // it will not be at this name
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("place the admin socket: %w", err), socket.Close())
	}
	return &listener{server: server, addr: socket.Addr(), socket: socket, done: make(chan struct{})}, nil
}

// serve serves until stop, in a goroutine of its own; an end that nobody asked
// for goes to failed.
func (l *listener) serve(failed func(error)) {
	l.serving = true
	go func() {
		defer close(l.done)
		if err := l.server.Serve(l.socket); !errors.Is(err, http.ErrServerClosed) {
			failed(fmt.Errorf("serve %s: %w", l.addr, err))
		}
	}()
}

// stop takes no more requests and waits for those in flight until ctx ends; then
// it breaks them off.
func (l *listener) stop(ctx context.Context, log *slog.Logger) {
	if !l.serving {
		_ = l.socket.Close() // nobody was ever let in
		return
	}
	if err := l.server.Shutdown(ctx); err != nil {
		log.Warn("requests broken off", "address", l.addr.String(), "error", err)
		_ = l.server.Close() // nothing is left to do about it
	}
	<-l.done
}

// publicServer serves everybody.
func publicServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// operatorServer serves the operator, who may wait long for a backup or profile.
func operatorServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
