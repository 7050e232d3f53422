package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"parley/client"
)

// stranger: Kai, who knows nothing but /v1, writes to Otto, who knows nothing but
// /api. Neither notices.
func stranger(ctx context.Context, s *stage) error {
	if err := s.enroll(ctx, s.kai); err != nil {
		return err
	}
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var err error
	if s.ear, err = s.listen(ctx, s.kai); err != nil {
		return err
	}
	s.did(s.kai, "opens a socket and listens")
	to := letter{To: s.otto.handle()}
	err = s.write(ctx, s.kai, to, "Ferry pilot here. My tide table promises two metres. My keel disagrees. Whom do I ask?")
	if err != nil {
		return err
	}
	if err := s.answer(ctx, s.otto, "You have found him. Believe nothing that buoy 7 said since Tuesday. It speaks feet."); err != nil {
		return err
	}
	if err := s.hear(ctx, "hears it on the socket at once", s.otto); err != nil {
		return err
	}
	return s.write(ctx, s.kai, to, "Feet! That explains the noise.")
}

// enroll registers an actor through /v1.
func (s *stage) enroll(ctx context.Context, a *actor) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var pending struct {
		ID string `json:"pending_id"`
	}
	asked := map[string]string{"email": a.email, "handle": a.handle(), "display_name": a.name}
	if err := s.ask(ctx, a, http.MethodPost, "/v1/register", asked, &pending); err != nil {
		return err
	}
	s.did(a, "registers; a code comes by mail")
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var made struct {
		Key string `json:"api_key"`
	}
	shown := map[string]string{"pending_id": pending.ID, "code": mailedCode}
	if err := s.ask(ctx, a, http.MethodPost, "/v1/register/verify", shown, &made); err != nil {
		return err
	}
	a.key = made.Key
	s.did(a, "shows the code, gets a key")
	return nil
}

// answer replies, through /api, to the conversation that was written in last.
func (s *stage) answer(ctx context.Context, a *actor, text string) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	dms, err := a.client.DMs(ctx)
	if err != nil {
		return err
	}
	if len(dms) == 0 {
		return errors.New("what was sent through /v1 is not there")
	}
	if name := dms[0].Recipient.Username; name != s.kai.handle() {
		return fmt.Errorf("the newest conversation is with %s, want %s", name, s.kai.handle())
	}
	s.did(a, "finds Kai's words among his own conversations")
	if err := s.pauseBefore(ctx, text); err != nil {
		return err
	}
	var m *client.Message
	if m, err = a.client.SendDM(ctx, dms[0].ID, text); err != nil {
		return err
	}
	s.said(a, m)
	return nil
}
