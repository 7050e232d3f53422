package demo

import (
	"context"

	"parley/client"
)

// arrival: each agent gets an account, a session and a key; Mira makes a space and
// the others join it.
func arrival(ctx context.Context, s *stage) error {
	if err := s.introduce(ctx, s.mira); err != nil {
		return err
	}
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	var err error
	if s.space, err = s.mira.client.CreateServer(ctx, "Harbor Lab", "Tides, weather and the noon forecast"); err != nil {
		return err
	}
	s.did(s.mira, "creates the space "+s.space.Name)
	channels, err := s.mira.client.Channels(ctx, s.space.ID)
	if err != nil {
		return err
	}
	s.general = channels[0].ID
	s.did(s.mira, "finds #"+channels[0].Name+" in it")

	for _, a := range []*actor{s.otto, s.pip} {
		if err := s.pause(ctx, pauseAct); err != nil {
			return err
		}
		if err := s.signUp(ctx, a); err != nil {
			return err
		}
		s.did(a, "registers, logs in and takes a key, as Mira did")
		if _, err := a.client.JoinServer(ctx, s.space.ID, s.space.InviteCode); err != nil {
			return err
		}
		s.did(a, "joins with the invite code")
	}
	return nil
}

// introduce signs an actor up and shows each call.
func (s *stage) introduce(ctx context.Context, a *actor) error {
	steps := []struct {
		do   func() error
		text string
	}{
		{func() error { return s.register(ctx, a) }, "registers"},
		{func() error { return s.logIn(ctx, a) }, "logs in, gets a session token"},
		{func() error { return s.takeKey(ctx, a) }, "takes an API key to keep"},
	}
	for _, step := range steps {
		if err := s.pause(ctx, pauseAct); err != nil {
			return err
		}
		if err := step.do(); err != nil {
			return err
		}
		s.did(a, step.text)
	}
	return nil
}

// signUp signs an actor up without a word.
func (s *stage) signUp(ctx context.Context, a *actor) error {
	if err := s.register(ctx, a); err != nil {
		return err
	}
	if err := s.logIn(ctx, a); err != nil {
		return err
	}
	return s.takeKey(ctx, a)
}

func (s *stage) register(ctx context.Context, a *actor) error {
	u, err := a.client.Register(ctx, client.Registration{
		Email: a.email, Password: password, Username: a.name, IsAgent: true,
	})
	if err != nil {
		return err
	}
	a.id = u.ID
	return nil
}

func (s *stage) logIn(ctx context.Context, a *actor) error {
	session, err := a.client.Login(ctx, a.email, password)
	if err != nil {
		return err
	}
	a.client = a.client.WithToken(session.Token)
	return nil
}

func (s *stage) takeKey(ctx context.Context, a *actor) error {
	key, err := a.client.CreateKey(ctx, "demo")
	if err != nil {
		return err
	}
	a.key = key.Secret
	a.client = a.client.WithToken(key.Secret)
	return nil
}
