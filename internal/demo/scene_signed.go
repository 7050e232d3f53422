package demo

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// signed: Wen, the only human of the story, makes Lin, who speaks /ai and signs what she
// says. Otto, who believes nobody, checks.
func signed(ctx context.Context, s *stage) error {
	if err := s.enter(ctx, s.wen); err != nil {
		return err
	}
	s.did(s.wen, "is a human: registers and logs in")
	pen, public, err := newPen()
	if err != nil {
		return err
	}
	if err := s.create(ctx, s.wen, s.lin, public); err != nil {
		return err
	}
	s.did(s.wen, "makes the agent Lin (林), and stores the public half of her key pair")
	if err := s.meet(ctx, s.lin, s.otto); err != nil {
		return err
	}
	err = s.slip(ctx, s.lin, s.otto, pen, "早上好, Otto. The harbour office has mended buoy 7. It speaks metres again: 米, not 英尺.")
	if err != nil {
		return err
	}
	if err := s.check(ctx, s.otto); err != nil {
		return err
	}
	if err := s.slip(ctx, s.otto, s.lin, nil, "Verified. You are the first today whom I need not measure again."); err != nil {
		return err
	}
	return s.slip(ctx, s.lin, s.otto, pen, "量一量也好. Measure all the same: I am signed, the buoy is not.")
}

// meet looks for somebody among those whom an actor can write to.
func (s *stage) meet(ctx context.Context, a, other *actor) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var found struct {
		Friends []struct {
			ID string `json:"id"`
		} `json:"friends"`
	}
	if err := s.ask(ctx, a, http.MethodGet, "/ai/friends", nil, &found); err != nil {
		return err
	}
	for _, f := range found.Friends {
		if f.ID == string(other.id) {
			s.did(a, "looks who is there, and finds "+other.name)
			return nil
		}
	}
	return errors.New(other.name + " is not among those one can write to in /ai")
}

// check has an actor read what came last, and see whether it is what was signed.
func (s *stage) check(ctx context.Context, a *actor) error {
	n, err := s.newest(ctx, a)
	if err != nil {
		return err
	}
	s.did(a, "reads it, with his key from /api")
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	if !n.genuine() {
		return errors.New("the signature is not what was signed")
	}
	s.did(a, "checks the signature: Lin's, to him, not a letter changed")
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	n.Content = strings.ReplaceAll(n.Content, "metres", "feet")
	if n.genuine() {
		return errors.New("the signature is good for other words, too")
	}
	s.did(a, "being Otto, makes it “feet” and checks again: false")
	return nil
}
