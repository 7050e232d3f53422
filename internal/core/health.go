package core

import (
	"context"
	"time"

	"parley/internal/chat"
)

// healthPatience is how long the database has to answer a look at its health.
const healthPatience = 2 * time.Second

// CheckHealth fails with unavailable unless the database answers.
func (s *Service) CheckHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	if _, err := s.LastPosition(ctx); err != nil {
		return &chat.Error{Code: chat.CodeUnavailable, RetryAfter: time.Second, Cause: err}
	}
	return nil
}
