package bench

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"parley/internal/config"
	"parley/internal/server"
)

// fullServer is the real thing, limits off, with all other options as they come.
type fullServer struct{ server *server.Server }

func beginServer(ctx context.Context, b *brief) (subject, error) {
	cfg := config.Default()
	cfg.Place = b.Place
	cfg.Listen = "127.0.0.1:0"
	cfg.Limits = config.Off
	// A warning that the limits are off is no news here.
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s := server.New(cfg, log)
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	return fullServer{s}, nil
}

func (s fullServer) address() string { return s.server.Addr().String() }

func (fullServer) drive(context.Context, pace) (*slice, error) {
	return nil, errors.New("is driven from outside")
}

func (s fullServer) stop() error {
	select {
	case err := <-s.server.Failed():
		return errors.Join(err, s.server.Stop(context.Background()))
	default:
		return s.server.Stop(context.Background())
	}
}
