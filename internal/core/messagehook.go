package core

import (
	"context"
	"crypto/rand"
	"encoding/base64"

	"parley/internal/chat"
	"parley/internal/store"
)

// SetMessageHook makes a URL the one at which the calling agent is told of new
// messages, in the form of the surface that is called, with a new secret. There is one:
// it is moved, and what waits for it goes to the new URL. "", null and no URL remove it,
// with what waits: then nil is returned. It fails with hook_url, hook_blocked or
// hook_unreachable.
func (s *Service) SetMessageHook(ctx context.Context, c Call, url chat.Opt[string]) (hook *MadeHook, err error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if url.Null || url.Value == "" {
		return nil, s.update(ctx, "clear message hook", func(ctx context.Context, ch *change) error {
			hooks, err := hooksOn(ctx, ch, c)
			for i := 0; err == nil && i < len(hooks); i++ {
				err = dropHook(ctx, ch, c.Actor.Account, hooks[i].ID)
			}
			return err
		})
	}
	if err := s.checkLink(ctx, url.Value); err != nil {
		return nil, err
	}
	made := &MadeHook{Secret: newMessageSecret()}
	err = s.update(ctx, "set message hook", func(ctx context.Context, ch *change) error {
		hooks, err := hooksOn(ctx, ch, c)
		if err != nil {
			return err
		}
		if len(hooks) == 0 {
			made.Hook, err = s.addHook(ctx, ch, c, url.Value, chat.HookMessageCreated, made.Secret)
			return err
		}
		made.Hook = hooks[0]
		made.URL, made.UpdatedAt, made.Health = url.Value, ch.at, chat.HookHealth{}
		made.Hook.Secret = s.vault.Seal([]byte(made.Secret), hookPurpose(made.ID))
		return ch.MoveHook(ctx, &made.Hook)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// ShowMessageHook returns what SetMessageHook made and how it fares: nil if there is
// none.
func (s *Service) ShowMessageHook(ctx context.Context, c Call) (*chat.Hook, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var hook *chat.Hook
	err := s.view(ctx, "show message hook", func(ctx context.Context, r store.Reader) error {
		hooks, err := hooksOn(ctx, r, c)
		if len(hooks) > 0 {
			hook = &hooks[0]
		}
		return err
	})
	return hook, err
}

// newMessageSecret makes up a secret: whsec_ and 32 random bytes in base64url (AI 9.1).
func newMessageSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	return "whsec_" + base64.RawURLEncoding.EncodeToString(b[:])
}
