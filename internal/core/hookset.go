package core

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strconv"
	"unicode/utf8"

	"parley/internal/chat"
	"parley/internal/store"
)

// What a webhook may be (AC 7.5, 18.1).
const (
	hookCap       = 5     // webhooks of one account and surface, the wake webhook not counted
	hookURLChars  = 2_048 // characters
	hookSecretMin = 16    // characters
	hookSecretMax = 256
)

// NewHook is a webhook to be made.
type NewHook struct {
	URL    string
	Events chat.HookEvents // at least one
	// Secret signs deliveries: 16 to 256 characters; absent or null: one is made up.
	Secret chat.Opt[string]
}

// MadeHook is a webhook with its secret, which is shown this once.
type MadeHook struct {
	chat.Hook
	Secret string
}

// CreateHook makes a webhook for the calling agent, in the form of the surface that
// is called. It fails with not_permitted if an agent asks for events of the server
// that only system accounts are told of, with field_invalid, field_length, hook_url,
// hook_blocked or hook_unreachable for the rest of the input, and with hook_cap.
func (s *Service) CreateHook(ctx context.Context, c Call, in NewHook) (*MadeHook, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	if c.Input != nil {
		return nil, c.Input
	}
	if in.Events.Has(chat.HookAccountCreated) && c.Actor.Is != chat.KindSystem {
		return nil, chat.Fail(chat.CodeNotPermitted)
	}
	if in.Events == 0 || in.Events.Has(chat.HookWake) {
		return nil, chat.FailField(chat.CodeFieldInvalid, "events")
	}
	secret := in.Secret.Value
	if !in.Secret.Present || in.Secret.Null {
		secret = newHookSecret()
	}
	if err := s.checkHook(ctx, c, in.URL, secret, hookSecretMin); err != nil {
		return nil, err
	}
	var made chat.Hook
	err := s.perform(ctx, c, "create hook", &made, func(ctx context.Context, ch *change) error {
		hooks, err := hooksOn(ctx, ch, c)
		if err != nil {
			return err
		}
		if len(hooks) >= hookCap {
			return &chat.Error{Code: chat.CodeHookCap, Max: hookCap}
		}
		made, err = s.addHook(ctx, ch, c, in.URL, in.Events, secret)
		return err
	})
	if err != nil {
		return nil, err
	}
	shown, err := s.HookSecret(&made)
	if err != nil {
		return nil, chat.Internal("create hook", err)
	}
	return &MadeHook{Hook: made, Secret: string(shown)}, nil
}

// ListHooks lists the webhooks that the calling agent made through the surface that
// is called, earliest first, the wake webhook not among them.
func (s *Service) ListHooks(ctx context.Context, c Call) ([]chat.Hook, error) {
	if err := c.agent(); err != nil {
		return nil, err
	}
	var hooks []chat.Hook
	err := s.view(ctx, "list hooks", func(ctx context.Context, r store.Reader) error {
		var err error
		hooks, err = hooksOn(ctx, r, c)
		return err
	})
	return hooks, err
}

// ShowHook returns one of those of ListHooks: hook_unknown if it is none of them.
func (s *Service) ShowHook(ctx context.Context, c Call, id chat.HookID) (*chat.Hook, error) {
	hooks, err := s.ListHooks(ctx, c)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(hooks, func(h chat.Hook) bool { return h.ID == id })
	if i < 0 {
		return nil, chat.Fail(chat.CodeHookUnknown)
	}
	return &hooks[i], nil
}

// RemoveHook removes one of those of ListHooks and drops what is queued for it:
// hook_unknown if it is none of them.
func (s *Service) RemoveHook(ctx context.Context, c Call, id chat.HookID) error {
	if err := c.agent(); err != nil {
		return err
	}
	return s.perform(ctx, c, "remove hook", nil, func(ctx context.Context, ch *change) error {
		hooks, err := hooksOn(ctx, ch, c)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(hooks, func(h chat.Hook) bool { return h.ID == id }) {
			return chat.Fail(chat.CodeHookUnknown)
		}
		return dropHook(ctx, ch, c.Actor.Account, id)
	})
}

// SetWakeHook makes a URL the one at which the calling agent is woken when mail
// arrives while it has no socket open (AC 7.5), in the place of the one before. The
// secret has 1 to 256 characters. It fails with field_length, hook_url, hook_blocked or
// hook_unreachable.
func (s *Service) SetWakeHook(ctx context.Context, c Call, url, secret string) error {
	if err := c.agent(); err != nil {
		return err
	}
	if c.Input != nil {
		return c.Input
	}
	if err := s.checkHook(ctx, c, url, secret, 1); err != nil {
		return err
	}
	return s.perform(ctx, c, "set wake hook", nil, func(ctx context.Context, ch *change) error {
		if err := dropWakeHook(ctx, ch, c); err != nil {
			return err
		}
		_, err := s.addHook(ctx, ch, c, url, chat.HookWake, secret)
		return err
	})
}

// RemoveWakeHook ends that; it succeeds as well if there is none.
func (s *Service) RemoveWakeHook(ctx context.Context, c Call) error {
	if err := c.agent(); err != nil {
		return err
	}
	return s.perform(ctx, c, "remove wake hook", nil, func(ctx context.Context, ch *change) error {
		return dropWakeHook(ctx, ch, c)
	})
}

// checkHook checks what a webhook is given, unless that was done when the request
// was first made: a name that no longer resolves does not undo a hook.
func (s *Service) checkHook(ctx context.Context, c Call, url, secret string, secretMin int) error {
	if c.Once.replays() {
		return nil
	}
	if n := utf8.RuneCountInString(secret); n < secretMin || n > hookSecretMax {
		return &chat.Error{Code: chat.CodeFieldLength, Field: "secret", Min: secretMin, Max: hookSecretMax}
	}
	return s.checkLink(ctx, url)
}

// checkLink checks where a webhook is to point to: hook_url, hook_blocked or
// hook_unreachable.
func (s *Service) checkLink(ctx context.Context, url string) error {
	if utf8.RuneCountInString(url) > hookURLChars {
		return chat.FailField(chat.CodeHookURL, "url")
	}
	if s.links == nil {
		return chat.Fail(chat.CodeHookUnreachable)
	}
	switch err := s.links.CheckURL(ctx, url); {
	case ctx.Err() != nil:
		return chat.Internal("check the URL of a hook", ctx.Err())
	case chat.CodeOf(err) == chat.CodeHookBlocked:
		return chat.FailField(chat.CodeHookBlocked, "url")
	case err != nil:
		return chat.FailField(chat.CodeHookURL, "url")
	}
	return nil
}

// hooksOn lists the caller's hooks of the surface called, the wake hook not among
// them.
func hooksOn(ctx context.Context, r store.Reader, c Call) ([]chat.Hook, error) {
	hooks, err := r.HooksOf(ctx, []chat.AccountID{c.Actor.Account})
	return slices.DeleteFunc(hooks, func(h chat.Hook) bool {
		return h.Surface != c.Surface || h.Events.Has(chat.HookWake)
	}), err
}

// addHook stores a hook of the caller.
func (s *Service) addHook(
	ctx context.Context, ch *change, c Call, url string, events chat.HookEvents, secret string,
) (chat.Hook, error) {
	n, err := ch.NextID(ctx, 1)
	if err != nil {
		return chat.Hook{}, err
	}
	h := chat.Hook{
		ID: chat.HookID(n), Account: c.Actor.Account, Surface: c.Surface, URL: url, Events: events,
		CreatedAt: ch.at, UpdatedAt: ch.at,
	}
	h.Secret = s.vault.Seal([]byte(secret), hookPurpose(h.ID))
	if err := ch.InsertHook(ctx, &h); err != nil {
		return chat.Hook{}, err
	}
	return h, noteHooks(ctx, ch, h.Account)
}

// dropHook removes a hook and what is queued for it.
func dropHook(ctx context.Context, ch *change, account chat.AccountID, id chat.HookID) error {
	if err := ch.DeleteHook(ctx, id); err != nil {
		return err
	}
	return noteHooks(ctx, ch, account)
}

// dropWakeHook removes the caller's wake hook of the surface called, if there is one.
func dropWakeHook(ctx context.Context, ch *change, c Call) error {
	hooks, err := ch.HooksOf(ctx, []chat.AccountID{c.Actor.Account})
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if h.Surface == c.Surface && h.Events.Has(chat.HookWake) {
			if err := dropHook(ctx, ch, h.Account, h.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// noteHooks sums up on an account what its hooks listen to: whoever makes events
// looks there first.
func noteHooks(ctx context.Context, ch *change, account chat.AccountID) error {
	a, err := liveAccount(ctx, ch, account)
	if err != nil {
		return err
	}
	hooks, err := ch.HooksOf(ctx, []chat.AccountID{account})
	if err != nil {
		return err
	}
	was := a.Hooks
	a.Hooks = 0
	for _, h := range hooks {
		a.Hooks |= h.Events
	}
	if a.Hooks == was {
		return nil
	}
	ch.emit(chat.Event{Kind: chat.EventAccountUpdated, Account: account})
	return ch.UpdateAccount(ctx, a)
}

// HookSecret opens the secret of a hook, for whoever signs its deliveries.
func (s *Service) HookSecret(h *chat.Hook) ([]byte, error) {
	return s.vault.Open(h.Secret, hookPurpose(h.ID))
}

// hookPurpose ties a sealed secret to its hook.
func hookPurpose(id chat.HookID) string { return "hook " + strconv.FormatInt(int64(id), 10) }

// newHookSecret makes up a secret: 64 hexadecimal digits.
func newHookSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: the runtime ends the process instead
	return hex.EncodeToString(b[:])
}
