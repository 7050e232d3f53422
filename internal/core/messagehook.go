package core

import (
	"context"

	"parley/internal/chat"
)

func (s *Service) SetMessageHook(ctx context.Context, c Call, url chat.Opt[string]) (hook *MadeHook, err error) {
	return nil, chat.Fail(chat.CodeInternal)
}

func (s *Service) ShowMessageHook(ctx context.Context, c Call) (*chat.Hook, error) {
	return nil, chat.Fail(chat.CodeInternal)
}
