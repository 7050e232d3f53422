package core

import (
	"context"
	"errors"
	"strconv"

	"parley/internal/chat"
	"parley/internal/store"
)

// revivePage is how many dead letters are put back in one transaction.
const revivePage = 200

// Hooks lists, for the operator, up to limit webhooks with ids above after, of one
// account or of all (0), wake webhooks among them. Counts stop at
// store.HookCountLimit.
func (s *Service) Hooks(
	ctx context.Context, account chat.AccountID, after chat.HookID, limit int,
) ([]chat.HookStatus, error) {
	var list []chat.HookStatus
	err := s.view(ctx, "list hooks", func(ctx context.Context, r store.Reader) error {
		var err error
		if list, err = r.HookList(ctx, account, after, limit); err != nil {
			return err
		}
		owners := make([]chat.AccountID, len(list))
		for i := range list {
			owners[i] = list[i].Hook.Account
		}
		accounts, err := r.Accounts(ctx, owners)
		for i := range list {
			if a := accounts[owners[i]]; a != nil {
				list[i].Handle = a.Handle
			}
		}
		return err
	})
	return list, err
}

// EndHook removes a webhook for the operator: hook_unknown if there is none.
func (s *Service) EndHook(ctx context.Context, id chat.HookID) error {
	return s.update(ctx, "end hook", func(ctx context.Context, ch *change) error {
		h, err := ch.Hook(ctx, id)
		if h, err = known(h, err, chat.CodeHookUnknown); err != nil {
			return err
		}
		if err := dropHook(ctx, ch, h.Account, id); err != nil {
			return err
		}
		return s.audit(ctx, ch, "hook.removed", h.Account, "")
	})
}

// HookTrouble counts, for the operator, the deliveries that were given up and the
// webhooks that are on hold after failures.
func (s *Service) HookTrouble(ctx context.Context) (dead, held int, err error) {
	err = s.view(ctx, "count trouble of hooks", func(ctx context.Context, r store.Reader) (err error) {
		dead, held, err = r.HookTrouble(ctx, s.now())
		return err
	})
	return dead, held, err
}

// DeadLetters lists, for the operator, deliveries that were given up, with ids above
// after, ascending.
func (s *Service) DeadLetters(ctx context.Context, after chat.DeliveryID, limit int) ([]chat.DeadLetter, error) {
	var list []chat.DeadLetter
	err := s.view(ctx, "list dead letters", func(ctx context.Context, r store.Reader) error {
		var err error
		list, err = r.DeadLetters(ctx, after, limit)
		return err
	})
	return list, err
}

// ReviveDeadLetter puts a dead letter back into its queue for the operator, as if
// it had never been tried: delivery_unknown if there is none.
func (s *Service) ReviveDeadLetter(ctx context.Context, id chat.DeliveryID) error {
	err := s.update(ctx, "revive dead letter", func(ctx context.Context, ch *change) error {
		err := ch.ReviveLetter(ctx, id, ch.at)
		if errors.Is(err, store.ErrNotFound) {
			return chat.Fail(chat.CodeDeliveryUnknown)
		}
		if err != nil {
			return err
		}
		return s.audit(ctx, ch, "delivery.revived", 0, "")
	})
	if err == nil {
		s.hooks.Queued()
	}
	return err
}

// ReviveDeadLetters does that with all there are, and returns how many. It is done
// in pieces: if it fails, those counted are back.
func (s *Service) ReviveDeadLetters(ctx context.Context) (int, error) {
	total := 0
	for n := revivePage; n == revivePage; {
		err := s.update(ctx, "revive dead letters", func(ctx context.Context, ch *change) error {
			list, err := ch.DeadLetters(ctx, 0, revivePage)
			if err != nil {
				return err
			}
			for i := range list {
				if err := ch.ReviveLetter(ctx, list[i].ID, ch.at); err != nil {
					return err
				}
			}
			if n = len(list); n == 0 {
				return nil
			}
			return s.audit(ctx, ch, "delivery.revived", 0, `{"count":`+strconv.Itoa(n)+`}`)
		})
		if err != nil {
			return total, err
		}
		total += n
		s.hooks.Queued()
	}
	return total, nil
}
