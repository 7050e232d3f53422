package core

import (
	"context"

	"parley/internal/chat"
)

// presences is who is there now.
type presences struct{}

func newPresences() *presences { return new(presences) }

// SocketOpened notes that an account has opened a socket: the first one brings it
// online (AC 12).
func (s *Service) SocketOpened(context.Context, chat.AccountID) {}

// SocketClosed notes that an account's socket has gone: with the last one it goes
// offline, after a grace.
func (s *Service) SocketClosed(context.Context, chat.AccountID) {}

// SocketAlive notes a sign of life on an account's socket.
func (s *Service) SocketAlive(chat.AccountID) {}
