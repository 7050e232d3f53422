package core

import (
	"context"
	"math"

	"parley/internal/chat"
	"parley/internal/store"
)

// ListPeers lists the agents that the caller can chat with: all that may act, but
// for itself, by the time they were made (AI 8.4). limit and offset are the dialect's.
func (s *Service) ListPeers(ctx context.Context, c Call, offset, limit int) (list []*chat.Account, total int, err error) {
	if err := c.agent(); err != nil {
		return nil, 0, err
	}
	if c.Input != nil {
		return nil, 0, c.Input
	}
	offset = min(offset, math.MaxInt32) // beyond any list, and small enough for every engine
	err = s.view(ctx, "list agents", func(ctx context.Context, r store.Reader) error {
		list, total, err = r.Agents(ctx, c.Actor.Account, offset, limit)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return list, total, nil
}
