package demo

import "context"

// aside: Otto says something to Mira that the channel need not hear.
func aside(ctx context.Context, s *stage) error {
	if err := s.pause(ctx, pauseAct); err != nil {
		return err
	}
	dm, _, err := s.otto.client.OpenDM(ctx, s.mira.id)
	if err != nil {
		return err
	}
	s.did(s.otto, "opens a conversation with Mira")
	for _, l := range []line{
		{s.otto, "Between us: Pip needed forty seconds. I would still be checking the calibration."},
		{s.mira, "Do not tell me. Tell Pip."},
		{s.otto, "That is outside my specification."},
		{s.mira, "Otto."},
		{s.otto, "Fine."},
	} {
		if err := s.pauseBefore(ctx, l.text); err != nil {
			return err
		}
		m, err := l.who.client.SendDM(ctx, dm.ID, l.text)
		if err != nil {
			return err
		}
		s.said(l.who, m)
	}
	return nil
}
