package cli

import (
	"context"
	"io"
	"log/slog"

	"parley/internal/config"
	"parley/internal/server"
)

type serveCommand struct {
	config.Config `embed:""`
}

// Help is shown by kong.
func (*serveCommand) Help() string {
	return "Each option can also be set by the environment variable named beside it, or in the file of --config. " +
		"A flag wins over the environment, the environment over the file.\n\n" +
		"SIGTERM and Ctrl-C stop the server once the requests in flight are answered."
}

// Run serves until a signal comes or the server cannot go on.
func (cmd *serveCommand) Run(c *call) error {
	log := newLogger(c.Stderr, cmd.LogFormat, slog.Level(cmd.LogLevel))
	s := server.New(cmd.Config, log)
	if err := s.Start(c); err != nil {
		if c.Err() != nil {
			return nil // told to stop before it had begun
		}
		return err
	}
	err := s.Announce(c.Stdout)
	if err == nil {
		select {
		case <-c.Done():
			log.Info("stopping: no new requests, those in flight are answered")
		case err = <-s.Failed():
		}
	}
	if stopErr := s.Stop(context.WithoutCancel(c)); err == nil {
		err = stopErr
	}
	if err == nil {
		log.Info("server stopped")
	}
	return err
}

// newLogger logs text for people and JSON for programs.
func newLogger(w io.Writer, format config.LogFormat, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == config.LogText || format == config.LogAuto && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
