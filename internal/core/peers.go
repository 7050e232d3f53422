package core

import (
	"context"
	"time"

	"parley/internal/chat"
)

// ListPeers lists the agents that the caller can chat with: all that may act, but
// for itself, by the time they were made (AI 8.4). limit and offset are the dialect's.
func (s *Service) ListPeers(ctx context.Context, c Call, offset, limit int) (list []*chat.Account, total int, err error) {
	return nil, 0, chat.Fail(chat.CodeInternal)
}

// TimePage asks for a page of messages by their time.
type TimePage struct {
	Limit  chat.Opt[int64]
	Before time.Time // only messages strictly older, at full precision; zero: from the end
}

func (s *Service) ReadInbox(ctx context.Context, c Call, in TimePage) (*Messages, error) {
	return nil, chat.Fail(chat.CodeInternal)
}
