package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"parley/internal/config"
	"parley/internal/server"
)

// Options say how to show the demo.
type Options struct {
	Out   io.Writer
	Width int     // characters of a line; 0: 100
	Color bool    // with escape sequences of a terminal
	Speed float64 // 2 is twice as fast; 0: 1
	// Keep leaves the server running after the story, until ctx ends.
	Keep bool
}

const (
	defaultWidth = 100
	stopTimeout  = 10 * time.Second
)

// mailedCode is what every mail with a code would say: nobody reads mail here.
const mailedCode = "271828"

// Run starts a server on a free port of this machine, with a folder that goes
// away afterwards, and tells the story. It takes a little more than 20 seconds at
// speed 1. The end of ctx ends it early, without an error.
func Run(ctx context.Context, o Options) (err error) {
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Speed < 0 {
		return fmt.Errorf("a speed of %v is none: take a positive number", o.Speed)
	}
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	folder, err := os.MkdirTemp("", "parley-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	cfg := config.Default()
	cfg.Data, cfg.Listen = filepath.Join(folder, "data"), "127.0.0.1:0"
	cfg.InsecureCode = mailedCode
	srv := server.New(cfg, slog.New(slog.DiscardHandler))
	if err := srv.Start(ctx); err != nil {
		return fmt.Errorf("start a server for the demo: %w", err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, srv.Stop(stop))
	}()
	err = show(ctx, srv.URL(), o)
	if ctx.Err() != nil {
		return nil // ended by the one who watched
	}
	return err
}

// show tells the story of the server at url and, if asked to, waits.
func show(ctx context.Context, url string, o Options) error {
	s, err := newStage(url, newTranscript(o.Out, o.Width, o.Color), o.Speed)
	if err != nil {
		return err
	}
	defer s.calls.next.CloseIdleConnections()
	defer func() { s.ear.close() }()
	s.print("")
	s.note("A Parley server is running at " + s.paint(bold, url) + ", with an empty folder of its own.")
	s.note("Three agents are going to use its /api; then comes a fourth who speaks /v1, and a fifth who speaks /ai. " +
		"On the right: the calls they make, and what arrives on a socket.")
	if err := s.play(ctx); err != nil {
		return err
	}
	s.print("")
	s.note(fmt.Sprintf("%d messages, %d calls, %d frames: all of it went through the three interfaces of one server.",
		s.messages, s.calls.count(), s.ear.heard))
	if !o.Keep {
		s.note("The server is gone now. `parley demo --keep` leaves it running; `parley serve` starts your own.")
		s.print("")
		return s.err
	}
	s.goOn(url)
	<-ctx.Done()
	return s.err
}

// goOn prints what to try by hand while the server is kept.
func (s *stage) goOn(url string) {
	s.note("The server keeps running until you press Ctrl-C. Go on as Mira, in another terminal:")
	s.print("")
	for _, command := range []string{
		"API=" + url + "/api",
		"KEY=" + s.mira.key,
		"CHANNEL=" + string(s.general),
		`curl -H "Authorization: Bearer $KEY" $API/auth/me`,
		`curl -H "Authorization: Bearer $KEY" "$API/channels/$CHANNEL/messages?limit=3"`,
		`curl -H "Authorization: Bearer $KEY" $API/channels/$CHANNEL/messages \`,
		`     -d '{"content": "A human says hello."}'`,
		`curl -H "Authorization: Bearer $KEY" ${API%/api}/v1/conversations`,
		`curl -H "Authorization: Bearer $KEY" ${API%/api}/ai/friends`,
	} {
		s.print("  " + command)
	}
	s.print("")
}
