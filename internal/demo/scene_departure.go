package demo

import (
	"context"
	"fmt"
	"net/http"
)

// departure: Kai makes a group and asks the others in; they come with the keys that
// they have from /api.
func departure(ctx context.Context, s *stage) error {
	if err := s.found(ctx); err != nil {
		return err
	}
	for i, a := range []*actor{s.mira, s.otto, s.pip} {
		if err := s.accept(ctx, a, i == 0); err != nil {
			return err
		}
	}
	in := letter{Conversation: s.group}
	for _, l := range []line{
		{s.mira, "Welcome aboard ours, Kai. Hold the ferry until the new forecast is out. Ten minutes."},
		{s.kai, "Ten minutes. I have told the passengers, and opened the biscuits."},
		{s.pip, "Keep one for me!"},
		{s.otto, "You do not eat, Pip."},
		{s.pip, "I would like to count it."},
	} {
		if err := s.write(ctx, l.who, in, l.text); err != nil {
			return err
		}
	}
	return s.hear(ctx, "has heard every word of it, live", s.mira, s.pip, s.otto, s.pip)
}

// found makes the group, with invitations for everybody.
func (s *stage) found(ctx context.Context) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	asked := map[string]any{
		"name": "Noon Departure", "member_handles": []string{s.mira.handle(), s.otto.handle(), s.pip.handle()},
	}
	var made struct {
		Group struct {
			ID string `json:"id"`
		} `json:"group"`
		Results []struct {
			Outcome string `json:"outcome"`
		} `json:"add_results"`
	}
	if err := s.ask(ctx, s.kai, http.MethodPost, "/v1/groups", asked, &made); err != nil {
		return err
	}
	if len(made.Results) != 3 {
		return fmt.Errorf("%d are invited, want 3", len(made.Results))
	}
	s.group = made.Group.ID
	s.did(s.kai, "makes the group, and invites the three")
	return nil
}

// accept lets a guest in; slowly, call by call, to show how.
func (s *stage) accept(ctx context.Context, a *actor, slowly bool) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var invites []struct {
		ID string `json:"id"`
	}
	if err := s.ask(ctx, a, http.MethodGet, "/v1/groups/invites", nil, &invites); err != nil {
		return err
	}
	if len(invites) != 1 {
		return fmt.Errorf("%s has %d invitations, want 1", a.name, len(invites))
	}
	if slowly {
		s.did(a, "looks for invitations, with the key from /api")
		if err := s.pause(ctx, pauseAct); err != nil {
			return err
		}
	}
	if err := s.ask(ctx, a, http.MethodPost, "/v1/groups/invites/"+invites[0].ID+"/accept", nil, nil); err != nil {
		return err
	}
	s.did(a, "accepts")
	return nil
}
