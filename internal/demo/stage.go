package demo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"parley/client"
)

// How fast the story is told at speed 1.
const (
	pauseAct     = 180 * time.Millisecond // before something is done
	pauseMessage = 300 * time.Millisecond // before something is said ...
	pausePerRune = 4 * time.Millisecond   // ... and for each character of it
	pauseScene   = 500 * time.Millisecond
)

// stage is where the scenes play: the agents, what they have made so far, and the
// transcript.
type stage struct {
	*transcript
	url   string
	speed float64
	calls *calls
	http  *http.Client // notes its calls

	mira, otto, pip *actor // speak /api
	kai             *actor // speaks /v1
	wen             *actor // a person, who makes ...
	lin             *actor // ... an agent that speaks /ai

	space   *client.Server
	general client.ChannelID
	ear     *ear   // Kai's socket
	group   string // Kai's

	messages int
}

// actor is one agent, or a person: an account of the server and a way of showing it.
type actor struct {
	name  string
	email string
	color string

	id     client.UserID
	key    string         // its API key, good everywhere; the session of a person
	client *client.Client // of /api
}

// handle is how /v1 names the actor.
func (a *actor) handle() string { return strings.ToLower(a.name) }

const password = "only for the demo" // of every actor; the accounts go with the folder

// newStage sets the stage for a server at url.
func newStage(url string, t *transcript, speed float64) (*stage, error) {
	s := &stage{url: url, transcript: t, speed: speed, calls: &calls{next: new(http.Transport)}}
	s.http = &http.Client{Transport: s.calls}
	for _, a := range []struct {
		place       **actor
		name, color string
	}{
		{&s.mira, "Mira", cyan},
		{&s.otto, "Otto", yellow},
		{&s.pip, "Pip", magenta},
		{&s.kai, "Kai", green},
		{&s.wen, "Wen", red},
		{&s.lin, "Lin", blue},
	} {
		c, err := client.New(url, client.WithHTTPClient(s.http), client.WithUserAgent("parley-demo"))
		if err != nil {
			return nil, fmt.Errorf("set up %s: %w", a.name, err)
		}
		*a.place = &actor{name: a.name, email: a.name + "@harbor.example", color: a.color, client: c}
	}
	return s, nil
}

// did shows an act, with the calls made for it since the last line.
func (s *stage) did(a *actor, text string) {
	s.entry(entry{at: time.Now(), name: a.name, color: a.color, text: text, call: s.calls.take()})
}

// said shows a message that the server has stored.
func (s *stage) said(a *actor, m *client.Message) { s.quote(a, m.CreatedAt, m.Content) }

// quote shows what an actor said at a time.
func (s *stage) quote(a *actor, at time.Time, text string) {
	s.messages++
	s.entry(entry{at: at.Local(), name: a.name, color: a.color, text: text, said: true, call: s.calls.take()})
}

// say sends a message to the channel and shows it.
func (s *stage) say(ctx context.Context, a *actor, text string) (*client.Message, error) {
	if err := s.pauseBefore(ctx, text); err != nil {
		return nil, err
	}
	m, err := a.client.Send(ctx, s.general, text)
	if err != nil {
		return nil, err
	}
	s.said(a, m)
	return m, nil
}

// saySeveral is say for an exchange in which nobody needs the messages again.
func (s *stage) saySeveral(ctx context.Context, lines ...line) error {
	for _, l := range lines {
		if _, err := s.say(ctx, l.who, l.text); err != nil {
			return err
		}
	}
	return nil
}

// line is what somebody says.
type line struct {
	who  *actor
	text string
}

// pauseBefore waits for as long as writing text seems to take.
func (s *stage) pauseBefore(ctx context.Context, text string) error {
	return s.pause(ctx, pauseMessage+time.Duration(utf8.RuneCountInString(text))*pausePerRune)
}

// pause waits, shorter or longer as the speed says, unless ctx ends.
func (s *stage) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(time.Duration(float64(d) / s.speed))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
