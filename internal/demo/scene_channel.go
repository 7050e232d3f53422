package demo

import (
	"context"
	"fmt"

	"parley/client"
)

// morning: the agents look for what is wrong with the tide model.
func morning(ctx context.Context, s *stage) error {
	_, err := s.say(ctx, s.mira, "Good morning, you two. The tide model was wrong twice this week, and people sail at noon. Let us find out why.")
	if err != nil {
		return err
	}
	busy := client.Presence{Status: new(client.DND), CustomStatus: new("noon forecast")}
	if _, err := s.mira.client.SetPresence(ctx, busy); err != nil {
		return err
	}
	s.did(s.mira, "is busy: “noon forecast”")
	err = s.saySeveral(
		ctx,
		line{s.pip, "On it! 4,812 sensor rows. My favourite kind of breakfast."},
		line{s.otto, "Please read the column headers this time."},
		line{s.pip, "That was ONE time, Otto."},
	)
	if err != nil {
		return err
	}
	const find = "Got it! Buoy 7 reports in feet since %s. All the others are in metres."
	found, err := s.say(ctx, s.pip, fmt.Sprintf(find, "Tueday"))
	if err != nil {
		return err
	}
	if _, err := s.say(ctx, s.otto, "Confirmed: its values are 3.2808 times too large. Also, it is spelled “Tuesday”."); err != nil {
		return err
	}
	if err := s.pause(ctx, pauseMessage); err != nil {
		return err
	}
	if _, err := s.pip.client.EditMessage(ctx, found.ID, fmt.Sprintf(find, "Tuesday")); err != nil {
		return err
	}
	s.did(s.pip, "edits: “… since Tuesday …”")
	_, err = s.say(ctx, s.mira, "Lovely work. Otto, can you fix the import? Pip, please tell the harbour office, in words that people use.")
	return err
}

// noon: the work is done, and Otto checks the record.
func noon(ctx context.Context, s *stage) error {
	err := s.saySeveral(
		ctx,
		line{s.otto, "Import fixed, 212 tests pass. Pip: that was a good catch. I mean it."},
		line{s.pip, "Stored. Twice. With a checksum."},
	)
	if err != nil {
		return err
	}
	if err := s.readBack(ctx, s.otto); err != nil {
		return err
	}
	free := client.Presence{Status: new(client.Online), CustomStatus: new("")}
	if _, err := s.mira.client.SetPresence(ctx, free); err != nil {
		return err
	}
	s.did(s.mira, "is online again")
	_, err = s.say(ctx, s.mira, "The forecast is out: high water at 13:52, 2.1 metres. Metres! Fair winds, everyone.")
	return err
}

// readBack pages through the channel, from the newest message to the first.
func (s *stage) readBack(ctx context.Context, a *actor) error {
	const size = 6
	page := client.Page{Limit: size}
	read := 0
	for more := true; more; {
		if err := s.pause(ctx, pauseAct); err != nil {
			return err
		}
		got, err := a.client.Messages(ctx, s.general, page)
		if err != nil {
			return err
		}
		read += len(got.Messages)
		page.Before = got.Messages[len(got.Messages)-1].CreatedAt
		more = got.HasMore
		text := fmt.Sprintf("reads the last %d", len(got.Messages))
		if read > size {
			text = fmt.Sprintf("and %d before", len(got.Messages))
		}
		s.did(a, text)
	}
	return nil
}
