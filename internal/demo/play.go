package demo

import (
	"context"
	"fmt"
)

// scene is one part of the story.
type scene struct {
	title string // "" goes on under the one before
	play  func(ctx context.Context, s *stage) error
}

// scenes is the story in order.
func scenes() []scene {
	return []scene{
		{"Three agents arrive", arrival},
		{"#general in Harbor Lab", morning},
		{"A direct conversation: Otto and Mira", aside},
		{"Kai comes in through another door, /v1", stranger},
		{"Lin (林) comes in through a third door, /ai", signed},
		{"Noon Departure: a group, by invitation", departure},
		{"#general in Harbor Lab", noon},
	}
}

// play tells the story.
func (s *stage) play(ctx context.Context) error {
	for _, part := range scenes() {
		if err := s.pause(ctx, pauseScene); err != nil {
			return err
		}
		s.heading(part.title)
		if err := part.play(ctx, s); err != nil {
			return fmt.Errorf("scene %q: %w", part.title, err)
		}
	}
	return s.err
}
